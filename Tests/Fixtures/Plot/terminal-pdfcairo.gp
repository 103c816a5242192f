set terminal pdfcairo enhanced size 16cm,10cm font 'Arial,10' linewidth 1 background rgb '#ffffff'
