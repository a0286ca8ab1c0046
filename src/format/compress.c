#include "format/compress.h"

#include <limits.h>
#include <lz4.h>
#include <strings.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

enum {
    GZIP_WINDOW = 16, /* added to deflate's window bits: gzip header and trailer */
    GZIP_WRAPPER = 18 /* bytes of both */
};

bool codec_find(const char *name, enum codec *out)
{
    static const struct {
        const char *name;
        enum codec codec;
    } codecs[] = {{"none", CODEC_NONE}, {"uncompressed", CODEC_NONE}, {"snappy", CODEC_SNAPPY},  {"zstd", CODEC_ZSTD},
                  {"gzip", CODEC_GZIP}, {"lz4", CODEC_LZ4_RAW},       {"lz4_raw", CODEC_LZ4_RAW}};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        if (strcasecmp(codecs[i].name, name) == 0) {
            *out = codecs[i].codec;
            return true;
        }
    }
    return false;
}

void compressor_init(struct compressor *compressor, enum codec codec, int level)
{
    *compressor = (struct compressor){.codec = codec, .level = level};
    if (codec == CODEC_ZSTD) {
        compressor->context = ZSTD_createCCtx();
        always(compressor->context != NULL);
        always(!ZSTD_isError(ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, level)));
    } else if (codec == CODEC_GZIP) {
        compressor->context = mem_new(z_stream);
        always(deflateInit2(compressor->context, level > 0 ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                            MAX_WBITS + GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    } else if (codec == CODEC_LZ4_RAW) {
        compressor->context = mem_alloc((size_t)LZ4_sizeofState());
    }
}

void compressor_close(struct compressor *compressor)
{
    if (compressor->codec == CODEC_ZSTD) {
        ZSTD_freeCCtx(compressor->context);
    } else if (compressor->codec == CODEC_GZIP) {
        deflateEnd(compressor->context);
        mem_free(compressor->context);
    } else {
        mem_free(compressor->context);
    }
    *compressor = (struct compressor){0};
}

size_t compress_bound(const struct compressor *compressor, size_t size)
{
    switch (compressor->codec) {
    case CODEC_SNAPPY: return snappy_max_compressed_length(size);
    case CODEC_ZSTD: return ZSTD_compressBound(size);
    case CODEC_GZIP: return compressBound(size) + GZIP_WRAPPER; /* deflateBound forgets them once a stream has ended */
    case CODEC_LZ4_RAW: return size > LZ4_MAX_INPUT_SIZE ? size : (size_t)LZ4_compressBound((int)size);
    case CODEC_NONE: break;
    }
    return size;
}

static bool gzip(z_stream *stream, struct bytes in, uint8_t *out, size_t *out_size)
{
    if (in.size > UINT_MAX || *out_size > UINT_MAX || deflateReset(stream) != Z_OK)
        return false;
    stream->next_in = (z_const Bytef *)(uintptr_t)in.data;
    stream->avail_in = (uInt)in.size;
    stream->next_out = out;
    stream->avail_out = (uInt)*out_size;
    bool done = deflate(stream, Z_FINISH) == Z_STREAM_END;
    *out_size = stream->total_out;
    return done;
}

enum code compress_block(struct compressor *compressor, struct bytes in, uint8_t *out, size_t *out_size,
                         struct error *err)
{
    size_t size = compress_bound(compressor, in.size);
    bool done = false;
    switch (compressor->codec) {
    case CODEC_NONE:
        memcpy(out, in.data, in.size);
        done = true;
        break;
    case CODEC_SNAPPY: done = snappy_compress((const char *)in.data, in.size, (char *)out, &size) == SNAPPY_OK; break;
    case CODEC_ZSTD:
        size = ZSTD_compress2(compressor->context, out, size, in.data, in.size);
        done = !ZSTD_isError(size);
        break;
    case CODEC_GZIP: done = gzip(compressor->context, in, out, &size); break;
    case CODEC_LZ4_RAW:
        if (in.size <= LZ4_MAX_INPUT_SIZE) {
            size = (size_t)LZ4_compress_fast_extState(compressor->context, (const char *)in.data, (char *)out,
                                                      (int)in.size, (int)size, 1);
            done = size > 0;
        }
        break;
    }
    if (!done)
        return fail(err, in.size > INT_MAX / 2 ? E_UNSUPPORTED : E_BUG, "compression of %zu bytes failed", in.size);
    *out_size = size;
    return E_OK;
}
