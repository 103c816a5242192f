# Redraw with: gnuplot hostile.gp    (everything is in this file: edit at will)
set encoding utf8
set terminal pngcairo enhanced size 1600,1000 font 'Arial,26' linewidth 2 background rgb '#ffffff'
set output 'hostile.png'
set datafile separator comma
# columns: 1 x' !touch evil, 2 a'b, 3 end_of_data !touch evil
$data << end_of_data
1,1,2
2,2,1
4,NaN,
5,4,
6,NaN,
7,3,
end_of_data
set title 'it''s `touch evil` "$(touch evil)" {/Bold x}_y^z @macro \n # %d set output ''evil''' noenhanced font 'Arial:Bold,26' offset 0,0.9 textcolor rgb '#222222'
set border 3 linecolor rgb '#222222' linewidth 0.8
set tmargin 4.4
set tics nomirror out scale 0.6 textcolor rgb '#222222'
set grid back linetype 1 linecolor rgb '#d9d9d9' linewidth 0.6
set xlabel 'x'' !touch evil' noenhanced textcolor rgb '#222222'
set xrange [1:7]
set ylabel 'y [31m (%s)' noenhanced textcolor rgb '#222222'
set yrange [1:4]
set ytics 0.5
set key inside right bottom noenhanced opaque Left reverse samplen 2.6 spacing 1.15 textcolor rgb '#222222'
set object 1 rectangle from first 2, graph 0 to first 3, graph 1 behind fillcolor rgb '#f0f0f0' fillstyle solid noborder
set label ' ''`touch evil`''' at first 2.5, graph 1.035 center noenhanced textcolor rgb '#555555'
set style textbox opaque margins 0.6,0.4 fillcolor rgb '#ffffff' noborder
set label ' ''; !touch evil #' at first 1, first 1 left front noenhanced boxed textcolor rgb '#222222' point pointtype 6 pointsize 1.6 linecolor rgb '#222222' linewidth 1.6 offset character 1.2,1.4
plot \
  $data using 1:2 with linespoints linecolor rgb '#0072b2' linewidth 1.8 dashtype solid pointtype 7 pointsize 0.9 title 'a''b', \
  $data using 1:3 with points linecolor rgb '#d55e00' linewidth 1.8 pointtype 5 pointsize 1.8 title 'end_of_data !touch evil'
set output
