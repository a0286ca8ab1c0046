/* decompress.h - one call over the block decompressors of Parquet's codecs.
 *
 * Owns     its contexts, kept from call to call; decompressor_close frees them. Zeroed = ready
 * Thread   one at a time
 * Fails    E_CORRUPT: the bytes do not give exactly the promised size; E_UNSUPPORTED: LZO, BROTLI, or a
 *          number that the specification does not have
 * Spec     parquet-format/Compression.md. LZ4 (5) is Hadoop's: blocks behind two big-endian sizes; files
 *          of other writers hold one bare block there
 */
#ifndef FORMAT_DECOMPRESS_H
#define FORMAT_DECOMPRESS_H

#include "base/bytes.h"

/* Numbers of parquet.thrift, CompressionCodec. */
enum parquet_codec {
    PARQUET_UNCOMPRESSED = 0,
    PARQUET_SNAPPY = 1,
    PARQUET_GZIP = 2,
    PARQUET_LZO = 3,
    PARQUET_BROTLI = 4,
    PARQUET_LZ4 = 5,
    PARQUET_ZSTD = 6,
    PARQUET_LZ4_RAW = 7
};
struct decompressor {
    void *zstd, *gzip; /* ZSTD_DCtx, z_stream */
};
void decompressor_close(struct decompressor *self);
MUST_CHECK enum code decompress_check(int codec, struct error *err);
/* All of `in` into exactly `size` bytes of out. */
MUST_CHECK enum code decompress_block(struct decompressor *self, int codec, struct bytes in, uint8_t *out, size_t size,
                                      struct error *err);

#endif
