#include "format/decompress.h"

#include <limits.h>
#include <lz4.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

enum { GZIP_WINDOW = 16, HADOOP_HEAD = 8 /* bytes: size of the output, size of the block */ };

void decompressor_close(struct decompressor *self)
{
    ZSTD_freeDCtx(self->zstd);
    if (self->gzip != NULL)
        inflateEnd(self->gzip);
    mem_free(self->gzip);
    *self = (struct decompressor){0};
}

static bool unsnappy(struct bytes in, uint8_t *out, size_t size)
{
    size_t got = 0;
    return snappy_uncompressed_length((const char *)in.data, in.size, &got) == SNAPPY_OK && got == size &&
           snappy_uncompress((const char *)in.data, in.size, (char *)out, &got) == SNAPPY_OK && got == size;
}

static bool unzstd(struct decompressor *self, struct bytes in, uint8_t *out, size_t size)
{
    if (self->zstd == NULL)
        always((self->zstd = ZSTD_createDCtx()) != NULL);
    return ZSTD_decompressDCtx(self->zstd, out, size, in.data, in.size) == size;
}

/* Several members may follow each other. */
static bool ungzip(struct decompressor *self, struct bytes in, uint8_t *out, size_t size)
{
    if (self->gzip == NULL) {
        self->gzip = mem_new(z_stream);
        always(inflateInit2((z_stream *)self->gzip, MAX_WBITS + GZIP_WINDOW) == Z_OK);
    }
    z_stream *stream = self->gzip;
    uint8_t nothing = 0; // zlib wants an address even for no bytes
    if (in.size > UINT_MAX || size > UINT_MAX)
        return false;
    stream->next_in = (z_const Bytef *)(uintptr_t)in.data;
    stream->avail_in = (uInt)in.size;
    stream->next_out = size > 0 ? out : &nothing;
    stream->avail_out = (uInt)size;
    while (stream->avail_in > 0)
        if (inflateReset(stream) != Z_OK || inflate(stream, Z_FINISH) != Z_STREAM_END)
            return false;
    return stream->avail_out == 0;
}

static bool unlz4(struct bytes in, uint8_t *out, size_t size)
{
    return in.size <= INT_MAX && size <= INT_MAX &&
           LZ4_decompress_safe((const char *)in.data, (char *)out, (int)in.size, (int)size) == (int)size;
}

static size_t big_endian(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

static bool unlz4_hadoop(struct bytes in, uint8_t *out, size_t size)
{
    while (in.size >= HADOOP_HEAD) {
        size_t plain = big_endian(in.data), packed = big_endian(in.data + 4);
        if (plain > size || packed > in.size - HADOOP_HEAD ||
            !unlz4(bytes_of(in.data + HADOOP_HEAD, packed), out, plain))
            return false;
        out += plain;
        size -= plain;
        in = bytes_of(in.data + HADOOP_HEAD + packed, in.size - HADOOP_HEAD - packed);
    }
    return in.size == 0 && size == 0;
}

enum code decompress_check(int codec, struct error *err)
{
    if (codec == PARQUET_LZO || codec == PARQUET_BROTLI)
        return fail(err, E_UNSUPPORTED, "codec %s is not supported", codec == PARQUET_LZO ? "LZO" : "BROTLI");
    if (codec < PARQUET_UNCOMPRESSED || codec > PARQUET_LZ4_RAW)
        return fail(err, E_UNSUPPORTED, "codec %d is not known", codec);
    return E_OK;
}

enum code decompress_block(struct decompressor *self, int codec, struct bytes in, uint8_t *out, size_t size,
                           struct error *err)
{
    bool done = false;
    TRY(decompress_check(codec, err));
    switch (codec) {
    case PARQUET_UNCOMPRESSED:
        done = in.size == size;
        if (done && size > 0)
            memcpy(out, in.data, size);
        break;
    case PARQUET_SNAPPY: done = unsnappy(in, out, size); break;
    case PARQUET_GZIP: done = ungzip(self, in, out, size); break;
    case PARQUET_LZ4: done = unlz4_hadoop(in, out, size) || unlz4(in, out, size); break;
    case PARQUET_ZSTD: done = unzstd(self, in, out, size); break;
    default: done = unlz4(in, out, size); break;
    }
    if (!done)
        return fail(err, E_CORRUPT, "%zu compressed bytes do not give the promised %zu", in.size, size);
    return E_OK;
}
