#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

typedef struct {
  const uint8_t *data;
  size_t size;
  size_t offset;
  codec_result *result;
} reader;

static void on_error(png_structp png, png_const_charp message) {
  reader *source = png_get_error_ptr(png);
  if (source->result->status == CODEC_OK) {
    source->result->status = CODEC_DAMAGED;
    snprintf(source->result->message, sizeof source->result->message, "%s", message);
  }
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  reader *source = png_get_io_ptr(png);
  if (count > source->size - source->offset) {
    source->result->status = CODEC_TRUNCATED;
    png_error(png, "truncated");
  }
  memcpy(target, source->data + source->offset, count);
  source->offset += count;
}

void codec_decode_png(const uint8_t *data, size_t size, uint64_t max_pixels,
                      codec_result *result) {
  memset(result, 0, sizeof *result);
  reader source = {.data = data, .size = size, .result = result};
  uint8_t *volatile pixels = NULL;
  png_bytep *volatile rows = NULL;
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    result->status = CODEC_OUT_OF_MEMORY;
    return;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    free(pixels);
    return;
  }
  png_set_read_fn(png, &source, read_bytes);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);  // the number of pixels is checked below
  png_read_info(png, info);
  result->width = png_get_image_width(png, info);
  result->height = png_get_image_height(png, info);
  if ((uint64_t)result->width * result->height > max_pixels) {
    result->status = CODEC_TOO_LARGE;
    png_destroy_read_struct(&png, &info, NULL);
    return;
  }
  // What Pillow's convert("RGB") gives: samples of 16 bits lose their low byte, palettes and gray
  // become colours, alpha and gamma are not looked at.
  int color = png_get_color_type(png, info);
  png_set_strip_16(png);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (!(color & PNG_COLOR_MASK_COLOR)) {
    if (png_get_bit_depth(png, info) < 8) png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
  }
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t stride = 3 * (size_t)result->width;
  if (png_get_rowbytes(png, info) != stride) png_error(png, "unexpected row size");
  result->size = stride * result->height;
  pixels = malloc(result->size);
  rows = malloc(result->height * sizeof *rows);
  if (!pixels || !rows) {
    result->status = CODEC_OUT_OF_MEMORY;
    png_longjmp(png, 1);
  }
  for (uint32_t y = 0; y < result->height; y++) rows[y] = pixels + stride * y;
  png_read_image(png, rows);
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  result->bytes = pixels;
}

void codec_encode_png(const uint8_t *pixels, uint32_t width, uint32_t height,
                      codec_result *result) {
  memset(result, 0, sizeof *result);
  result->width = width;
  result->height = height;
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = width,
                     .height = height,
                     .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  result->bytes = malloc(size);
  if (!result->bytes) {
    result->status = CODEC_OUT_OF_MEMORY;
    return;
  }
  if (!png_image_write_to_memory(&image, result->bytes, &size, 0, pixels, 0, NULL)) {
    result->status = CODEC_DAMAGED;
    snprintf(result->message, sizeof result->message, "%s", image.message);
    codec_free(result);
    return;
  }
  result->size = size;
}
