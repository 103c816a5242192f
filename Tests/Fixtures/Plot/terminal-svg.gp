set terminal svg enhanced size 800,500 font 'Arial,14' linewidth 1 background rgb '#ffffff'
