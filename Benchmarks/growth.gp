# Redraw: gnuplot growth.gp
set datafile separator ','
set terminal pngcairo size 1200,900 font 'sans,11' noenhanced
set output 'growth.png'
set multiplot layout 2,2
set logscale xy 2
set key top left
set grid
set offsets graph 0.06, graph 0.06, graph 0.06, graph 0.06
set ylabel 'seconds'
set title 'batch: 8 to 64; 5 ms once, deviation up to -3.1 %'
set xlabel 'GFLOP per step'
mine(column) = strcol(1) eq 'batch' ? column : NaN
plot 'growth.csv' skip 1 using (mine($7)):11 with lines dashtype 2 title 'line', \
  '' skip 1 using (mine($7)):8 with points pointtype 7 title 'measured', \
  '' skip 1 using (mine($7)):8:2 with labels offset 0,-1 notitle
set title 'resolution: 64 to 224; 4 ms once, deviation up to -3.5 %'
set xlabel 'GFLOP per step'
mine(column) = strcol(1) eq 'resolution' ? column : NaN
plot 'growth.csv' skip 1 using (mine($7)):11 with lines dashtype 2 title 'line', \
  '' skip 1 using (mine($7)):8 with points pointtype 7 title 'measured', \
  '' skip 1 using (mine($7)):8:2 with labels offset 0,-1 notitle
set title 'variant: b0 to s; 5 ms once, deviation up to +6.9 %'
set xlabel 'GFLOP per step'
mine(column) = strcol(1) eq 'variant' ? column : NaN
plot 'growth.csv' skip 1 using (mine($7)):11 with lines dashtype 2 title 'line', \
  '' skip 1 using (mine($7)):8 with points pointtype 7 title 'measured', \
  '' skip 1 using (mine($7)):8:2 with labels offset 0,-1 notitle
set title 'images: 640 to 5120; -8 ms once, deviation up to +2.1 %'
set xlabel 'GFLOP per epoch'
mine(column) = strcol(1) eq 'images' ? column : NaN
plot 'growth.csv' skip 1 using (mine($7)):11 with lines dashtype 2 title 'line', \
  '' skip 1 using (mine($7)):8 with points pointtype 7 title 'measured', \
  '' skip 1 using (mine($7)):8:2 with labels offset 0,-1 notitle
unset multiplot
