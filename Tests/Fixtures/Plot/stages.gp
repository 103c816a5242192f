set encoding utf8
set terminal svg enhanced size 800,500 font 'Arial,14' linewidth 1 background rgb '#ffffff'
set output 'p.svg'
set datafile separator comma
# columns: 1 epoch, 2 training loss, 3 test loss
$data << end_of_data
1,0.8123456789,0.30000000000000004
2,0.8123456789,0.30000000000000004
3,0.8123456789,0.30000000000000004
4,0.8123456789,0.30000000000000004
5,0.8123456789,0.30000000000000004
end_of_data
set title 'p' noenhanced font 'Arial:Bold,14' offset 0,0.9 textcolor rgb '#222222'
set border 3 linecolor rgb '#222222' linewidth 0.8
set tmargin 4.4
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid back linetype 1 linecolor rgb '#d9d9d9' linewidth 0.6
set xlabel 'epoch' noenhanced textcolor rgb '#222222'
set xrange [1:5]
set xtics 1
set ylabel 'loss' noenhanced textcolor rgb '#222222'
set yrange [0.3:0.9]
set ytics 0.1
set key inside right top noenhanced opaque Left reverse samplen 2.6 spacing 1.15 textcolor rgb '#222222'
set label '64 px' at first 1.75, graph 1.035 center noenhanced textcolor rgb '#555555'
set object 2 rectangle from first 2.5, graph 0 to first 4.5, graph 1 behind fillcolor rgb '#f0f0f0' fillstyle solid noborder
set label '96 px' at first 3.5, graph 1.035 center noenhanced textcolor rgb '#555555'
set label '128 px' at first 4.75, graph 1.035 center noenhanced textcolor rgb '#555555'
set style textbox opaque margins 0.6,0.4 fillcolor rgb '#ffffff' noborder
set label '0.3000' at first 1, first 0.30000000000000004 left front noenhanced boxed textcolor rgb '#222222' point pointtype 6 pointsize 1.6 linecolor rgb '#d55e00' linewidth 1.6 offset character 1.2,1.4
plot \
  $data using 1:2 with linespoints linecolor rgb '#0072b2' linewidth 1.8 dashtype solid pointtype 7 pointsize 0.9 title 'training loss', \
  $data using 1:3 with linespoints linecolor rgb '#d55e00' linewidth 1.8 dashtype solid pointtype 5 pointsize 0.9 title 'test loss'
set output
