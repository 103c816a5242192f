set terminal png enhanced size 1600,1000 font 'Arial,26' linewidth 2 truecolor background rgb '#ffffff'
