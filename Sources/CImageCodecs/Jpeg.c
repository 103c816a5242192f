#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// A progressive file can repeat its scans without end; no encoder writes this many.
enum { max_scans = 500 };

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  codec_result *result;
} error_manager;

static void fail(j_common_ptr info, codec_status status) {
  error_manager *manager = (error_manager *)info->err;
  manager->result->status = status;
  if (status == CODEC_DAMAGED) {
    char text[JMSG_LENGTH_MAX];
    manager->base.format_message(info, text);
    snprintf(manager->result->message, sizeof manager->result->message, "%s", text);
  }
  longjmp(manager->escape, 1);
}

static void on_error(j_common_ptr info) {
  switch (info->err->msg_code) {
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF:
      fail(info, CODEC_TRUNCATED);
    case JERR_OUT_OF_MEMORY:
      fail(info, CODEC_OUT_OF_MEMORY);
    default:
      fail(info, CODEC_DAMAGED);
  }
}

// libjpeg goes on after these with made-up pixels; a picture that is not what was stored is an
// error here. Harmless oddities (bytes between segments, unknown versions) stay accepted.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
      fail(info, CODEC_TRUNCATED);
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_MUST_RESYNC:
      fail(info, CODEC_DAMAGED);
    default:
      break;
  }
}

static void on_progress(j_common_ptr info) {
  j_decompress_ptr decoder = (j_decompress_ptr)info;
  if (decoder->input_scan_number > max_scans) {
    error_manager *manager = (error_manager *)info->err;
    manager->result->status = CODEC_DAMAGED;
    snprintf(manager->result->message, sizeof manager->result->message, "more than %d scans",
             max_scans);
    longjmp(manager->escape, 1);
  }
}

// Inverted CMYK, as Adobe's programs write it and every reader assumes, to RGB as Pillow does.
static void rgb_from_cmyk(const uint8_t *from, uint8_t *to, uint32_t width) {
  for (uint32_t x = 0; x < width; x++) {
    int light = from[4 * x + 3];
    for (int channel = 0; channel < 3; channel++) {
      int ink = 255 - from[4 * x + channel];
      int product = ink * light + 128;
      int value = light - ((product + (product >> 8)) >> 8);
      to[3 * x + channel] = (uint8_t)(value < 0 ? 0 : value);
    }
  }
}

void codec_decode_jpeg(const uint8_t *data, size_t size, uint64_t max_pixels,
                       codec_result *result) {
  memset(result, 0, sizeof *result);
  struct jpeg_decompress_struct decoder;
  struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
  error_manager manager = {.result = result};
  uint8_t *volatile pixels = NULL;
  uint8_t *volatile row = NULL;

  memset(&decoder, 0, sizeof decoder);
  decoder.err = jpeg_std_error(&manager.base);
  manager.base.error_exit = on_error;
  manager.base.emit_message = on_message;
  if (setjmp(manager.escape)) {
    jpeg_destroy_decompress(&decoder);
    free(pixels);
    free(row);
    return;
  }
  jpeg_create_decompress(&decoder);
  decoder.progress = &progress;
  jpeg_mem_src(&decoder, data, size);
  jpeg_read_header(&decoder, TRUE);
  result->width = decoder.image_width;
  result->height = decoder.image_height;
  if ((uint64_t)decoder.image_width * decoder.image_height > max_pixels) {
    result->status = CODEC_TOO_LARGE;
    jpeg_destroy_decompress(&decoder);
    return;
  }
  int cmyk = decoder.num_components == 4;
  decoder.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&decoder);
  size_t stride = 3 * (size_t)decoder.output_width;
  result->size = stride * decoder.output_height;
  pixels = malloc(result->size);
  if (cmyk) row = malloc(4 * (size_t)decoder.output_width);
  if (!pixels || (cmyk && !row)) {
    result->status = CODEC_OUT_OF_MEMORY;
    longjmp(manager.escape, 1);
  }
  while (decoder.output_scanline < decoder.output_height) {
    uint8_t *target = pixels + stride * decoder.output_scanline;
    JSAMPROW lines[1] = {cmyk ? row : target};
    jpeg_read_scanlines(&decoder, lines, 1);
    if (cmyk) rgb_from_cmyk(row, target, decoder.output_width);
  }
  jpeg_finish_decompress(&decoder);
  jpeg_destroy_decompress(&decoder);
  free(row);
  result->bytes = pixels;
}

void codec_free(codec_result *result) {
  free(result->bytes);
  result->bytes = NULL;
}
