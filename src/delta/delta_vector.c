/* delta_vector.c - deletion vectors: which rows of a data file are gone.
 *
 *   inline   Z85 (rfc.zeromq.org/spec/32) of the bitmap
 *   file     deletion_vector_<uuid>.bin: u8 version 1; per vector at its offset u32 size, bitmap, u32 CRC-32, big endian
 *   bitmap   u32 magic, u64 buckets; per bucket u32 high half of its values and a Roaring bitmap of the low halves;
 *            little endian. Or the older form, that the protocol's example has: u32 magic - 1, u32 buckets, big endian; per
 *            bucket u32 size, big endian, and its Roaring bitmap, the high half being its place
 *   Roaring  u32 12346, u32 n; or u16 12347, u16 n - 1, a bit per container: it has runs
 *            n * (u16 key, u16 count - 1); u32 offsets of containers, which follow each other anyway
 *            container: u16 runs, runs * (u16 first, u16 more); or count u16; or, from 4097 values on, 2^16 bits
 *
 * Limits   VECTOR_BYTES_MAX of a bitmap; rows are charged to the budget before they are made
 * Spec     PROTOCOL.md, Deletion Vector Format; github.com/RoaringBitmap/RoaringFormatSpec
 */
#include <stdio.h>
#include <zlib.h>

#include "delta/delta_internal.h"

enum {
    VECTOR_BYTES_MAX = 512 << 20,
    MAGIC = 1681511377,
    MAGIC_OLD = MAGIC - 1,
    COOKIE_PLAIN = 12346,
    COOKIE_RUNS = 12347,
    OFFSETS_FROM = 4, /* containers: with runs, fewer have no offsets */
    CONTAINER_VALUES = 1 << 16,
    ARRAY_MAX = 4096,    /* values of a container that is no bitmap */
    UUID_CODE_SIZE = 20, /* characters of Z85 */
};

/* ---- Z85 ---- */

static int z85_digit(char c)
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static bool z85_decode(const char *text, size_t size, struct text *out)
{
    if (size % 5 != 0)
        return false;
    for (size_t i = 0; i < size; i += 5) {
        uint64_t word = 0;
        for (size_t k = 0; k < 5; k++) {
            int digit = z85_digit(text[i + k]);
            if (digit < 0)
                return false;
            word = word * 85 + (uint64_t)digit;
        }
        if (word > UINT32_MAX)
            return false;
        for (int shift = 24; shift >= 0; shift -= 8)
            text_add_char(out, (char)(uint8_t)(word >> shift));
    }
    return true;
}

/* ---- reading bytes ---- */

struct cursor {
    const uint8_t *at, *end;
    bool short_; /* it wanted bytes behind the end */
};

static uint64_t take(struct cursor *cursor, size_t size)
{
    uint64_t value = 0;
    if ((size_t)(cursor->end - cursor->at) < size) {
        cursor->short_ = true;
        return 0;
    }
    memcpy(&value, cursor->at, size); // little endian, as the machines leat runs on
    cursor->at += size;
    return value;
}

static const uint8_t *take_run(struct cursor *cursor, size_t size)
{
    const uint8_t *at = cursor->at;
    if ((size_t)(cursor->end - at) < size) {
        cursor->short_ = true;
        return NULL;
    }
    cursor->at += size;
    return at;
}

/* ---- rows ---- */

struct rows {
    int64_t *items;
    size_t count, capacity;
    struct budget *budget;
    struct error *err;
};

static enum code rows_need(struct rows *rows, size_t more)
{
    size_t need = rows->count + more, grown = rows->capacity * 2 > need ? rows->capacity * 2 : need;
    if (need <= rows->capacity)
        return E_OK;
    TRY(budget_take(rows->budget, (grown - rows->capacity) * sizeof *rows->items, "a deletion vector", rows->err));
    rows->items = mem_resize(rows->items, grown * sizeof *rows->items);
    rows->capacity = grown;
    return E_OK;
}

static enum code broken(struct rows *rows, const char *what)
{
    return fail(rows->err, E_CORRUPT, "a deletion vector: %s", what);
}

/* Values ascend, or the bitmap is none. */
static enum code row_add(struct rows *rows, int64_t row)
{
    if (rows->count > 0 && rows->items[rows->count - 1] >= row)
        return broken(rows, "its values do not ascend");
    rows->items[rows->count++] = row;
    return E_OK;
}

/* ---- containers ---- */

static enum code runs_read(struct cursor *cursor, int64_t base, struct rows *rows)
{
    uint64_t runs = take(cursor, 2);
    for (uint64_t i = 0; i < runs && !cursor->short_; i++) {
        int64_t first = (int64_t)take(cursor, 2), more = (int64_t)take(cursor, 2);
        if (first + more >= CONTAINER_VALUES)
            return broken(rows, "a run passes its container");
        TRY(rows_need(rows, (size_t)more + 1));
        for (int64_t value = first; value <= first + more; value++)
            TRY(row_add(rows, base + value));
    }
    return E_OK;
}

static enum code array_read(struct cursor *cursor, uint32_t count, int64_t base, struct rows *rows)
{
    TRY(rows_need(rows, count));
    for (uint32_t i = 0; i < count && !cursor->short_; i++)
        TRY(row_add(rows, base + (int64_t)take(cursor, 2)));
    return E_OK;
}

static enum code bits_read(struct cursor *cursor, uint32_t count, int64_t base, struct rows *rows)
{
    const uint8_t *bits = take_run(cursor, CONTAINER_VALUES / 8);
    size_t before = rows->count;
    if (bits == NULL)
        return E_OK;
    TRY(rows_need(rows, CONTAINER_VALUES));
    for (int32_t value = 0; value < CONTAINER_VALUES; value++)
        if (bit_get(bits, value))
            TRY(row_add(rows, base + value));
    return rows->count - before == count ? E_OK : broken(rows, "a container has another count");
}

static enum code roaring_read(struct cursor *cursor, int64_t base, struct rows *rows)
{
    uint32_t cookie = (uint32_t)take(cursor, 4), count = (cookie >> 16) + 1;
    const uint8_t *with_runs = NULL;
    if ((cookie & 0xffff) == COOKIE_RUNS)
        with_runs = take_run(cursor, (count + 7) / 8);
    else if (cookie == COOKIE_PLAIN)
        count = (uint32_t)take(cursor, 4);
    else
        return broken(rows, "no Roaring bitmap");
    if (count > CONTAINER_VALUES)
        return broken(rows, "more containers than there are");
    const uint8_t *heads = take_run(cursor, (size_t)count * 4);
    if (with_runs == NULL || count >= OFFSETS_FROM)
        (void)take_run(cursor, (size_t)count * 4);
    for (uint32_t i = 0; i < count && !cursor->short_; i++) {
        uint32_t key = heads[4 * i] | (uint32_t)heads[4 * i + 1] << 8;
        uint32_t values = (heads[4 * i + 2] | (uint32_t)heads[4 * i + 3] << 8) + 1;
        int64_t at = base + (int64_t)key * CONTAINER_VALUES;
        if (with_runs != NULL && bit_get(with_runs, i))
            TRY(runs_read(cursor, at, rows));
        else if (values > ARRAY_MAX)
            TRY(bits_read(cursor, values, at, rows));
        else
            TRY(array_read(cursor, values, at, rows));
    }
    return E_OK;
}

static enum code old_read(struct cursor *cursor, struct rows *rows)
{
    uint32_t buckets = __builtin_bswap32((uint32_t)take(cursor, 4));
    for (uint32_t i = 0; i < buckets && !cursor->short_; i++) {
        uint32_t size = __builtin_bswap32((uint32_t)take(cursor, 4));
        const uint8_t *bytes = take_run(cursor, size);
        if (bytes == NULL)
            break;
        struct cursor bucket = {bytes, bytes + size, false};
        TRY(roaring_read(&bucket, (int64_t)i << 32, rows));
        cursor->short_ |= bucket.short_;
    }
    return cursor->short_ ? broken(rows, "it is cut off") : E_OK;
}

static enum code bitmap_read(struct bytes bitmap, struct rows *rows)
{
    struct cursor cursor = {bitmap.data, bitmap.data + bitmap.size, false};
    uint32_t magic = (uint32_t)take(&cursor, 4);
    if (__builtin_bswap32(magic) == MAGIC_OLD)
        return old_read(&cursor, rows);
    if (magic != MAGIC)
        return broken(rows, "an unknown format");
    uint64_t buckets = take(&cursor, 8);
    for (uint64_t i = 0; i < buckets && !cursor.short_; i++) {
        uint64_t high = take(&cursor, 4);
        if (high > INT32_MAX)
            return broken(rows, "a row below 0");
        TRY(roaring_read(&cursor, (int64_t)(high << 32), rows));
    }
    return cursor.short_ ? broken(rows, "it is cut off") : E_OK;
}

/* ---- where it lies ---- */

static enum code uuid_path(const char *text, char *out, struct error *err)
{
    struct text bytes = {0};
    size_t size = strlen(text), prefix = size - UUID_CODE_SIZE;
    bool fine = size >= UUID_CODE_SIZE && prefix < 1024 && z85_decode(text + prefix, UUID_CODE_SIZE, &bytes);
    if (fine) {
        const uint8_t *b = (const uint8_t *)bytes.data;
        snprintf(out, DELTA_PATH_SIZE,
                 "%.*s%sdeletion_vector_%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x.bin",
                 (int)prefix, text, prefix > 0 ? "/" : "", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
                 b[10], b[11], b[12], b[13], b[14], b[15]);
    }
    text_free(&bytes);
    return fine ? E_OK : fail(err, E_CORRUPT, "a deletion vector with no name of a file: %.60s", text);
}

enum code delta_vector_path(const struct delta_vector *vector, const char *root, char *out, struct error *err)
{
    out[0] = '\0';
    if (vector->storage == 'u')
        return uuid_path(vector->text, out, err);
    return vector->storage == 'p' ? delta_path(vector->text, root, out, err) : E_OK;
}

static uint32_t big_endian(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

static enum code stored_read(const struct delta_vector *vector, struct store *store, struct text *out,
                             struct error *err)
{
    char path[DELTA_PATH_SIZE];
    struct text framed = {0};
    size_t size = (size_t)vector->size_bytes;
    int64_t offset = vector->offset > 0 ? vector->offset : 0;
    TRY(delta_vector_path(vector, store_root(store), path, err));
    if (path[0] == '/')
        return fail(err, E_UNSUPPORTED, "a deletion vector outside of the table: %s", path);
    enum code code = store_read(store, path, offset, size + 8, &framed, err);
    if (code == E_ABSENT)
        code = fail(err, E_LOST, "a deletion vector is missing: %s", path);
    if (code == E_OK && (big_endian(framed.data) != size ||
                         big_endian(framed.data + 4 + size) != crc32(0, (const uint8_t *)framed.data + 4, (uInt)size)))
        code = fail(err, E_CORRUPT, "a deletion vector fails its check: %s, offset %lld", path, (long long)offset);
    if (code == E_OK)
        text_add(out, framed.data + 4, size);
    text_free(&framed);
    return code;
}

enum code delta_vector_read(const struct delta_vector *vector, struct store *store, struct budget *budget,
                            int64_t **out, int64_t *count, struct error *err)
{
    struct text bitmap = {0};
    struct rows rows = {.budget = budget, .err = err};
    enum code code = E_OK;
    if (vector->size_bytes < 0 || vector->size_bytes > VECTOR_BYTES_MAX)
        return fail(err, E_CORRUPT, "a deletion vector of %lld bytes", (long long)vector->size_bytes);
    if (vector->storage == 'i') {
        if (!z85_decode(vector->text, strlen(vector->text), &bitmap))
            code = fail(err, E_CORRUPT, "a deletion vector that is not in base 85");
    } else if (vector->storage == 'u' || vector->storage == 'p') {
        code = stored_read(vector, store, &bitmap, err);
    } else {
        code = fail(err, E_UNSUPPORTED, "a deletion vector of kind '%c'", vector->storage);
    }
    if (code == E_OK)
        code = bitmap_read(text_view(&bitmap), &rows);
    if (code == E_OK && (int64_t)rows.count != vector->cardinality)
        code = fail(err, E_CORRUPT, "a deletion vector of %zu rows, its table says %lld", rows.count,
                    (long long)vector->cardinality);
    text_free(&bitmap);
    budget_give(budget, rows.capacity * sizeof *rows.items);
    if (code != E_OK) {
        mem_free(rows.items);
        return code;
    }
    *out = rows.items;
    *count = (int64_t)rows.count;
    return E_OK;
}
