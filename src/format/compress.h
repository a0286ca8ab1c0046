/* compress.h - one call over the block compressors of file formats.
 *
 * Owns     its contexts, kept from call to call; compressor_close frees them. Zeroed = none
 * Thread   one at a time
 * Fails    E_UNSUPPORTED: an input larger than the library takes; E_BUG: the library refused
 */
#ifndef FORMAT_COMPRESS_H
#define FORMAT_COMPRESS_H

#include "base/bytes.h"

enum codec { CODEC_NONE, CODEC_SNAPPY, CODEC_ZSTD, CODEC_GZIP, CODEC_LZ4_RAW };
enum { CODEC_COUNT = CODEC_LZ4_RAW + 1 };

struct compressor {
    enum codec codec;
    int level;     /* zstd, gzip; 0 = the library's default */
    void *context; /* ZSTD_CCtx, z_stream, LZ4 state */
};
void compressor_init(struct compressor *compressor, enum codec codec, int level);
void compressor_close(struct compressor *compressor);
/* "none", "uncompressed", "snappy", "zstd", "gzip", "lz4", "lz4_raw", case ignored; false when unknown. */
bool codec_find(const char *name, enum codec *out);
/* Most bytes that `size` bytes may become. */
size_t compress_bound(const struct compressor *compressor, size_t size);
/* Write at most compress_bound bytes to `out`. */
MUST_CHECK enum code compress_block(struct compressor *compressor, struct bytes in, uint8_t *out, size_t *out_size,
                                    struct error *err);

#endif
