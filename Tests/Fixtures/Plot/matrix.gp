# Redraw with: gnuplot matrix.gp    (everything is in this file: edit at will)
set encoding utf8
set terminal pngcairo enhanced size 1600,1360 font 'Arial,26' linewidth 2 background rgb '#ffffff'
set output 'matrix.png'
$map << END
90 90 10 10
90 90 10 10
0 0 100 100
0 0 100 100
END
set title 'what is taken for what' noenhanced font 'Arial:Bold,26' textcolor rgb '#222222'
set cblabel 'share (%)' noenhanced textcolor rgb '#222222'
set palette defined (0 '#ffffff', 1 '#0072b2')
set size ratio -1
set border linecolor rgb '#222222' linewidth 0.8
set xrange [-0.5:2.0 - 0.5]
set yrange [2.0 - 0.5:-0.5]
unset key
set tics out nomirror scale 0.4 textcolor rgb '#222222'
set xlabel 'taken for' noenhanced textcolor rgb '#222222'
set ylabel 'class' noenhanced textcolor rgb '#222222'
set xtics ('cat' 0, 'dog' 1) noenhanced
set ytics ('cat' 0, 'dog' 1) noenhanced
$strong << END
0 0 "9"
1 1 "10"
END
$weak << END
1 0 "1"
END
plot $map matrix using (($1 - 0.5) / 2):(($2 - 0.5) / 2):3 with image, \
  $strong using 1:2:3 with labels textcolor rgb '#ffffff', \
  $weak using 1:2:3 with labels textcolor rgb '#222222'
