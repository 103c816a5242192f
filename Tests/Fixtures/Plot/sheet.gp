# Redraw with: gnuplot sheet.gp    (everything is in this file: edit at will)
set encoding utf8
set terminal pngcairo enhanced size 1600,1940 font 'Arial,26' linewidth 2 background rgb '#ffffff'
set output 'sheet.png'
set title 'three colours' noenhanced font 'Arial:Bold,26' offset 0,-0.5 textcolor rgb '#222222'
unset key
unset border
unset tics
set lmargin 0; set rmargin 0; set bmargin 0; set tmargin at screen 0.9505
set xrange [0:210]
set yrange [0:242]
set label 'tile ''0''' at 54,132 center front noenhanced font 'Arial,26' textcolor rgb '#222222'
set label 'tile ''1''' at 156,132 center front noenhanced font 'Arial,26' textcolor rgb '#222222'
set label 'tile ''2''' at 54,14 center front noenhanced font 'Arial,26' textcolor rgb '#222222'
plot 'sheet.pixels.png' binary filetype=png origin=(0.5,0.5) with rgbimage
