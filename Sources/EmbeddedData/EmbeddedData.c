#include "EmbeddedData.h"

// digits.bin: the test part of "Optical Recognition of Handwritten Digits", E. Alpaydin and
// C. Kaynak, UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49,
// licensed under CC BY 4.0; the 1797 images that scikit-learn ships, repacked.
//
// imagenet1k.txt: the class names of ILSVRC 2012 in the short form of torchvision (BSD 3-clause).

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t digits[] = {
#embed "data/digits.bin"
};

static const uint8_t imagenet_names[] = {
#embed "data/imagenet1k.txt"
};

const uint8_t *embedded_digits(void) { return digits; }
size_t embedded_digits_size(void) { return sizeof digits; }

const uint8_t *embedded_imagenet_names(void) { return imagenet_names; }
size_t embedded_imagenet_names_size(void) { return sizeof imagenet_names; }
