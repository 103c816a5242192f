# Redraw with: gnuplot bars.gp    (everything is in this file: edit at will)
set encoding utf8
set terminal pngcairo enhanced size 1600,480 font 'Arial,26' linewidth 2 background rgb '#ffffff'
set output 'bars.png'
set title 'accuracy of ''each'' class' noenhanced font 'Arial:Bold,26' offset 0,0.5 textcolor rgb '#222222'
set xlabel 'top-1 (%)' noenhanced textcolor rgb '#222222'
set border 3 linecolor rgb '#222222' linewidth 0.8
set tics nomirror out scale 0.4 textcolor rgb '#222222'
set ytics ('air plane' 0, 'it''s' 1) noenhanced font 'Arial,22'
set grid xtics back linetype 1 linecolor rgb '#d9d9d9' linewidth 0.6
set xrange [0:108]
set yrange [2.0 - 0.4:-0.6]
unset key
set tmargin 3.6
set xtics 20
set arrow from first 65, graph 0 to first 65, graph 1 nohead front dashtype (6,4) linecolor rgb '#555555' linewidth 1
set label 'all 65' at first 65, graph 1 center offset character 0,0.6 noenhanced font 'Arial,22' textcolor rgb '#555555'
set label '4/10' at first 40, first 0 left offset character 0.6,0 noenhanced font 'Arial,22' textcolor rgb '#222222'
# columns: bar, then the beginning and the end of each part
$bars << end_of_data
0 0 40
1 0 90
end_of_data
set style fill solid noborder
plot $bars using 2:1:2:3:($1 - 0.38):($1 + 0.38) with boxxyerror fillcolor rgb '#0072b2' notitle
