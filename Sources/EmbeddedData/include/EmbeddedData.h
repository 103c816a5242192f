#pragma once
#include <stddef.h>
#include <stdint.h>

// The bytes of a file of the folder `data`, compiled in; each has a size and a pointer.

// 1797 records of 65 bytes: the label 0...9, then 8x8 values 0...16 in rows.
const uint8_t *embedded_digits(void);
size_t embedded_digits_size(void);

// The 1000 ImageNet class names in index order, UTF-8, a line each.
const uint8_t *embedded_imagenet_names(void);
size_t embedded_imagenet_names_size(void);
