# Redraw with: gnuplot parts.gp    (everything is in this file: edit at will)
set encoding utf8
set terminal pngcairo enhanced size 1600,480 font 'Arial,26' linewidth 2 background rgb '#ffffff'
set output 'parts.png'
set title 'time' noenhanced font 'Arial:Bold,26' textcolor rgb '#222222'
set xlabel 'time (ms)' noenhanced textcolor rgb '#222222'
set border 3 linecolor rgb '#222222' linewidth 0.8
set tics nomirror out scale 0.4 textcolor rgb '#222222'
set ytics ('stem' 0, 'block' 1) noenhanced font 'Arial,22'
set grid xtics back linetype 1 linecolor rgb '#d9d9d9' linewidth 0.6
set xrange [0:3.9200000000000004]
set yrange [2.0 - 0.4:-0.6]
set key outside top right horizontal noenhanced samplen 1.2 textcolor rgb '#222222'
# columns: bar, then the beginning and the end of each part
$bars << end_of_data
0 0 1 1 3
1 0 3 3 3.5
end_of_data
set style fill solid noborder
plot $bars using 2:1:2:3:($1 - 0.38):($1 + 0.38) with boxxyerror fillcolor rgb '#0072b2' title 'forward', \
  $bars using 4:1:4:5:($1 - 0.38):($1 + 0.38) with boxxyerror fillcolor rgb '#d55e00' title 'backward'
