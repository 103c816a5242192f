#pragma once
#include <stddef.h>
#include <stdint.h>

// JPEG (libjpeg) and PNG (libpng) behind functions that return: both libraries report errors by
// longjmp, which must not cross a Swift frame.

typedef enum {
  CODEC_OK = 0,
  CODEC_TRUNCATED = 1,      // the data end too early
  CODEC_DAMAGED = 2,        // see `message`
  CODEC_TOO_LARGE = 3,      // see `width` and `height`
  CODEC_OUT_OF_MEMORY = 4,
} codec_status;

typedef struct {
  codec_status status;
  uint32_t width;
  uint32_t height;
  uint8_t *bytes;     // from malloc; NULL unless status is CODEC_OK
  size_t size;        // bytes in `bytes`
  char message[200];  // the library's words, of CODEC_DAMAGED
} codec_result;

// Decode to 8-bit RGB, rows without a gap. Nothing is written outside `result`.
void codec_decode_jpeg(const uint8_t *data, size_t size, uint64_t max_pixels, codec_result *result);
void codec_decode_png(const uint8_t *data, size_t size, uint64_t max_pixels, codec_result *result);

// Encodes 8-bit RGB, rows without a gap, as a PNG file.
void codec_encode_png(const uint8_t *pixels, uint32_t width, uint32_t height, codec_result *result);

// Releases `bytes`.
void codec_free(codec_result *result);
