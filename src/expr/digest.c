/* digest.c - md5, sha1, sha2, crc32, and Spark's own hash (Murmur3) and xxhash64, bit for bit. */
#include <openssl/evp.h>
#include <zlib.h>

#include "base/hash.h"
#include "expr/digest.h"
#include "expr/loop.h"
#include "expr/writer.h"

/* ---- cryptographic ---- */

/* One for a batch: OpenSSL looks up an algorithm, and makes a context, for longer than it digests a short text. */
struct digester {
    EVP_MD *kind;
    EVP_MD_CTX *context;
};

static struct digester digester_open(const char *name)
{
    struct digester self = {EVP_MD_fetch(NULL, name, NULL), EVP_MD_CTX_new()};
    always(self.kind != NULL && self.context != NULL);
    return self;
}

static void digester_close(struct digester *self)
{
    EVP_MD_CTX_free(self->context);
    EVP_MD_free(self->kind);
}

static void put_digest(struct writer *writer, struct bytes bytes, const struct digester *digester)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    always(EVP_DigestInit_ex2(digester->context, digester->kind, NULL) == 1 &&
           EVP_DigestUpdate(digester->context, bytes.data, bytes.size) == 1 &&
           EVP_DigestFinal_ex(digester->context, digest, &size) == 1);
    uint8_t *to = writer_room(writer, (size_t)size * 2);
    if (to == NULL)
        return;
    for (unsigned k = 0; k < size; k++) {
        to[2 * k] = (uint8_t) "0123456789abcdef"[digest[k] >> 4];
        to[2 * k + 1] = (uint8_t) "0123456789abcdef"[digest[k] & 15];
    }
    writer_end(writer, (size_t)size * 2);
}

static void put_digests(struct call *call, const struct arg *args, struct column *out, const char *name)
{
    struct digester digester = digester_open(name);
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 2 * EVP_MD_get_size(digester.kind));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        put_digest(&writer, arg_bytes(&args[0], i), &digester);
    }
    writer_close(&writer);
    digester_close(&digester);
}

SCALAR(fn_md5, "md5", "(binary) -> string", "MD5 in hexadecimal.", "md5('Spark')", "8cde774d6f7333752ed72cacddb05126")
{
    put_digests(call, args, out, "MD5");
}

SCALAR(fn_sha1, "sha sha1", "(binary) -> string", "SHA-1 in hexadecimal.", "sha1('Spark')",
       "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c")
{
    put_digests(call, args, out, "SHA1");
}

static const char *sha2_name(int32_t bits)
{
    switch (bits) {
    case 0:
    case 256: return "SHA2-256";
    case 224: return "SHA2-224";
    case 384: return "SHA2-384";
    case 512: return "SHA2-512";
    default: return NULL;
    }
}

SCALAR(fn_sha2, "sha2", "(binary, int) -> string",
       "SHA-2 of 224, 256, 384 or 512 bits in hexadecimal (0 = 256); NULL for other sizes.", "sha2('Spark', 256)",
       "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b", .flags = FN_NULLABLE)
{
    struct digester digester = {0};
    const char *opened = NULL;
    struct writer writer;
    writer_open(&writer, call, out, call->rows * 64);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        const char *name = sha2_name(arg_values(&args[1], int32_t)[i * args[1].step]);
        if (name != NULL && name != opened) {
            digester_close(&digester);
            digester = digester_open(name);
            opened = name;
        }
        if (name == NULL)
            writer_null(&writer);
        else
            put_digest(&writer, arg_bytes(&args[0], i), &digester);
    }
    writer_close(&writer);
    digester_close(&digester);
}

SCALAR(fn_crc32, "crc32", "(binary) -> bigint", "CRC-32.", "crc32('Spark')", "1557323817")
{
    for (int64_t i = 0; i < call->rows; i++) {
        struct bytes bytes = arg_bytes(&args[0], i);
        column_values(out, int64_t)[i] = (int64_t)crc32_z(0, bytes.data, bytes.size);
    }
}

/* ---- Murmur3, 32 bits, as Spark has it: the last bytes are mixed one by one ---- */

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static uint32_t murmur_word(uint32_t hash, uint32_t word)
{
    word = rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u;
    return rotate(hash ^ word, 13) * 5 + 0xe6546b64u;
}

static uint32_t murmur_end(uint32_t hash, uint32_t size)
{
    hash ^= size;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

static uint32_t murmur_bytes(struct bytes bytes, uint32_t seed)
{
    size_t at = 0;
    for (; at + 4 <= bytes.size; at += 4) {
        uint32_t word;
        memcpy(&word, bytes.data + at, 4);
        seed = murmur_word(seed, word);
    }
    for (; at < bytes.size; at++)
        seed = murmur_word(seed, (uint32_t)(int32_t)(int8_t)bytes.data[at]);
    return murmur_end(seed, (uint32_t)bytes.size);
}

/* Either hash of a few bytes; the seed is the hash of what came before. */
static uint64_t hash_of(bool wide, struct bytes bytes, uint64_t seed)
{
    return wide ? XXH64(bytes.data, bytes.size, seed) : murmur_bytes(bytes, (uint32_t)seed);
}

/* ---- values as bytes: integers up to 32 bits as 4, others as 8, both the same in Murmur3 and XXH64 ---- */

static uint64_t hash_int(bool wide, int32_t value, uint64_t seed) { return hash_of(wide, bytes_of(&value, 4), seed); }
static uint64_t hash_long(bool wide, int64_t value, uint64_t seed) { return hash_of(wide, bytes_of(&value, 8), seed); }

static uint64_t hash_float(bool wide, float value, uint64_t seed)
{
    value = value != value ? __builtin_nanf("") : value + 0.0f; // NaN and zero have one form each
    return hash_of(wide, bytes_of(&value, 4), seed);
}
static uint64_t hash_double(bool wide, double value, uint64_t seed)
{
    value = value != value ? __builtin_nan("") : value + 0.0;
    return hash_of(wide, bytes_of(&value, 8), seed);
}

/* BigInteger.toByteArray: two's complement, most significant byte first, as short as the sign allows. */
static uint64_t hash_wide_decimal(bool wide, int128 value, uint64_t seed)
{
    uint8_t bytes[16];
    for (int k = 0; k < 16; k++)
        bytes[k] = (uint8_t)((uint128)value >> (8 * (15 - k)));
    int start = 0;
    uint8_t filler = value < 0 ? 0xff : 0;
    while (start < 15 && bytes[start] == filler && (bytes[start + 1] & 0x80) == (filler & 0x80))
        start++;
    return hash_of(wide, bytes_of(bytes + start, (size_t)(16 - start)), seed);
}

/* Spark keeps a TIME in nanoseconds. */
static uint64_t hash_time(bool wide, int64_t us, uint64_t seed) { return hash_long(wide, us * 1000, seed); }

static uint64_t hash_interval(bool wide, const struct calendar_interval *value, uint64_t seed)
{
    return hash_int(wide, value->months, hash_int(wide, value->days, hash_long(wide, value->us, seed)));
}

static uint64_t hash_value(bool wide, const struct column *col, int64_t row, uint64_t seed)
{
    if (column_is_null(col, row))
        return seed;
    if (col->type->id == TYPE_TIME)
        return hash_time(wide, column_values(col, int64_t)[row], seed);
    if (col->type->id == TYPE_INTERVAL)
        return hash_interval(wide, &column_values(col, struct calendar_interval)[row], seed);
    switch (type_shape(col->type)) {
    case SHAPE_BITS: return hash_int(wide, bit_get(col->values->data, row), seed);
    case SHAPE_I8: return hash_int(wide, column_values(col, int8_t)[row], seed);
    case SHAPE_I16: return hash_int(wide, column_values(col, int16_t)[row], seed);
    case SHAPE_I32: return hash_int(wide, column_values(col, int32_t)[row], seed);
    case SHAPE_I64: return hash_long(wide, column_values(col, int64_t)[row], seed);
    case SHAPE_F32: return hash_float(wide, column_values(col, float)[row], seed);
    case SHAPE_F64: return hash_double(wide, column_values(col, double)[row], seed);
    case SHAPE_I128: return hash_wide_decimal(wide, column_values(col, int128)[row], seed);
    case SHAPE_BYTES: return hash_of(wide, column_bytes_at(col, row), seed);
    case SHAPE_NESTED: break;
    case SHAPE_NONE: return seed;
    }
    int32_t from = 0, to = 1;
    if (col->type->id != TYPE_STRUCT) {
        from = column_offsets(col)[row];
        to = column_offsets(col)[row + 1];
    }
    for (int32_t k = from; k < to; k++)
        for (int32_t child = 0; child < col->child_count; child++)
            seed = hash_value(wide, &col->children[child], col->type->id == TYPE_STRUCT ? row : k, seed);
    return seed;
}

uint64_t value_xxhash64(const struct column *col, int64_t row, uint64_t seed)
{
    return hash_value(true, col, row, seed);
}

static uint64_t hash_row(struct call *call, const struct arg *args, bool wide, int64_t row)
{
    enum { SPARK_SEED = 42 };
    uint64_t hash = SPARK_SEED;
    for (int32_t k = 0; k < call->arg_count; k++)
        hash = hash_value(wide, args[k].col, row * args[k].step, hash);
    return hash;
}

/* A MAP has no order of its entries, a VARIANT none of its fields. */
static enum code bind_hash(struct binding *binding, struct error *err)
{
    for (int32_t i = 0; i < binding->count; i++)
        for (int k = 0; k < 2; k++)
            if (type_holds(binding->args[i]->type, k == 0 ? TYPE_MAP : TYPE_VARIANT))
                return fail(
                    err, E_SQL,
                    "[DATATYPE_MISMATCH.HASH_%s_TYPE] Input to the function `%s` cannot contain elements of the "
                    "\"%s\" type.",
                    k == 0 ? "MAP" : "VARIANT", binding->function->name, k == 0 ? "MAP" : "VARIANT");
    return E_OK;
}

SCALAR(fn_hash, "hash", "(any, any...) -> int", "Murmur3 over all arguments; NULLs are skipped.",
       "hash('Spark', array(123), 2)", "-1321691492", .bind = bind_hash, .flags = FN_NULLS | FN_NEVER_NULL)
{
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int32_t)[i] = (int32_t)hash_row(call, args, false, i);
}

SCALAR(fn_xxhash64, "xxhash64", "(any, any...) -> bigint", "XXH64 over all arguments; NULLs are skipped.",
       "xxhash64('Spark', array(123), 2)", "5602566077635097486", .bind = bind_hash, .flags = FN_NULLS | FN_NEVER_NULL)
{
    for (int64_t i = 0; i < call->rows; i++)
        column_values(out, int64_t)[i] = (int64_t)hash_row(call, args, true, i);
}

const struct function *const digest_functions[] = {&fn_md5,  &fn_sha1,     &fn_sha2, &fn_crc32,
                                                   &fn_hash, &fn_xxhash64, NULL};
