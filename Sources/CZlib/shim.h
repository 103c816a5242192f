#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

/// Unpacks a deflate stream into a buffer of fixed size: a raw one, or one with gzip's header and
/// checksum.
/// Returns 1 when the stream ended and filled the buffer exactly, 0 when the buffer is full and
/// the stream goes on, -1 when it is damaged, ends too early or holds less.
static inline int zlib_unpack(
    const unsigned char *source, size_t source_count, unsigned char *target, size_t target_count,
    int is_gzip) {
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (inflateInit2(&stream, is_gzip ? 16 + MAX_WBITS : -MAX_WBITS) != Z_OK) return -1;
  unsigned char beyond;
  int status = Z_OK, is_full = target_count == 0;
  while (status == Z_OK) {
    // The counts of zlib have 32 bits.
    if (stream.avail_in == 0) {
      stream.next_in = (unsigned char *)source;
      stream.avail_in = source_count > UINT_MAX ? UINT_MAX : (uInt)source_count;
      source += stream.avail_in;
      source_count -= stream.avail_in;
    }
    if (stream.avail_out == 0) {
      is_full = target_count == 0;
      stream.next_out = is_full ? &beyond : target;
      stream.avail_out = is_full ? 1 : target_count > UINT_MAX ? UINT_MAX : (uInt)target_count;
      if (!is_full) target += stream.avail_out, target_count -= stream.avail_out;
    }
    status = inflate(&stream, Z_NO_FLUSH);
    if (is_full && stream.avail_out == 0) break;
  }
  int is_whole = status == Z_STREAM_END && target_count == 0 && (is_full || stream.avail_out == 0);
  int goes_on = is_full && stream.avail_out == 0;
  inflateEnd(&stream);
  return is_whole && !goes_on ? 1 : goes_on ? 0 : -1;
}
