#include "kit.h"

#include "base/hash.h"
#include "state/state.h"

enum { ROWS = 200 };

/* A random value, of few enough different ones that equal rows are common. */
static void random_value(struct builder *out)
{
    uint64_t pick = kit_random() % 4;
    const struct type *type = out->type;
    if (pick == 0) {
        builder_null(out);
        return;
    }
    switch (type->id) {
    case TYPE_NULL: builder_null(out); return;
    case TYPE_BOOLEAN: builder_boolean(out, pick == 1); return;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: builder_double(out, pick == 1 ? -1.5 : pick == 2 ? __builtin_inf() : 0.25); return;
    case TYPE_STRING:
    case TYPE_BINARY:
        builder_bytes(out, bytes_of("a\0bcdefghijklmnopqrstuvwxyz", pick == 1 ? 0 : pick == 2 ? 2 : 20));
        return;
    case TYPE_DECIMAL:
        builder_int128(out, pick == 1 ? -((__int128)1 << 100) * (type->precision > 18) - 5 : (__int128)pick);
        return;
    case TYPE_ARRAY:
    case TYPE_MAP:
        for (uint64_t i = 1; i < pick; i++)
            for (int32_t c = 0; c < out->child_count; c++)
                random_value(&out->children[c]);
        builder_close_list(out);
        return;
    case TYPE_STRUCT:
        for (int32_t c = 0; c < out->child_count; c++)
            random_value(&out->children[c]);
        builder_close_struct(out);
        return;
    default: builder_int(out, pick == 1 ? -7 : (int64_t)pick);
    }
}

static void random_column(struct column *out, const struct type *type)
{
    struct builder builder;
    builder_init(&builder, type);
    for (int i = 0; i < ROWS; i++)
        random_value(&builder);
    builder_finish(&builder, out);
    builder_release(&builder);
}

struct keys {
    struct text data;
    int32_t offsets[ROWS + 1];
    uint64_t hashes[ROWS];
};

static struct bytes key_at(const struct keys *keys, int64_t row)
{
    return bytes_of(keys->data.data + keys->offsets[row], (size_t)(keys->offsets[row + 1] - keys->offsets[row]));
}

static bool rows_equal(const struct column *cols, int32_t count, int64_t i, int64_t j)
{
    for (int32_t c = 0; c < count; c++)
        if (!column_equal_at(&cols[c], i, &cols[c], j))
            return false;
    return true;
}

static void check_columns(const struct column *cols, int32_t count)
{
    struct keys keys = {0};
    struct error err = {0};
    text_add_string(&keys.data, "before");
    CHECK_INT(state_key_encode(cols, count, ROWS, &keys.data, keys.offsets, keys.hashes), 0);
    CHECK_INT(keys.offsets[0], 6);
    for (int64_t i = 0; i < ROWS; i++) {
        CHECK_INT(keys.hashes[i], hash_bytes(key_at(&keys, i).data, key_at(&keys, i).size));
        for (int64_t j = 0; j < i; j++)
            CHECK_INT(bytes_equal(key_at(&keys, i), key_at(&keys, j)), rows_equal(cols, count, i, j));
    }
    struct builder builders[4];
    for (int32_t c = 0; c < count; c++)
        builder_init(&builders[c], cols[c].type);
    for (int64_t i = 0; i < ROWS; i++)
        CHECK_INT(state_key_decode(key_at(&keys, i), builders, count, &err), E_OK);
    for (int32_t c = 0; c < count; c++) {
        struct column back;
        builder_finish(&builders[c], &back);
        CHECK_INT(back.rows, ROWS);
        for (int64_t i = 0; i < back.rows; i++)
            CHECK(column_equal_at(&back, i, &cols[c], i));
        column_release(&back);
        builder_release(&builders[c]);
    }
    text_free(&keys.data);
}

static const char *const SHAPES[] = {
    "a STRING",
    "a STRING, b BIGINT",
    "a BINARY, b TIMESTAMP",
    "a BOOLEAN, b TINYINT, c SMALLINT, d INT",
    "a FLOAT, b DOUBLE",
    "a DECIMAL(12,2), b DECIMAL(38,4)",
    "a DATE, b TIMESTAMP_NTZ, c STRING",
    "a STRUCT<x: INT, y: ARRAY<STRING>>, b STRING",
    "a ARRAY<ARRAY<INT>>",
    "a MAP<STRING, DOUBLE>, b INT",
};

TEST(keys_are_equal_exactly_when_rows_are)
{
    struct arena arena = {0};
    struct error err = {0};
    for (size_t s = 0; s < sizeof SHAPES / sizeof *SHAPES; s++) {
        const struct type *schema;
        size_t position;
        enum code code = type_parse_ddl(&arena, bytes_of_string(SHAPES[s]), &schema, &position, &err);
        CHECK_INT(code, E_OK);
        if (code != E_OK)
            continue;
        struct column cols[4];
        for (int32_t c = 0; c < schema->field_count; c++)
            random_column(&cols[c], schema->fields[c].type);
        check_columns(cols, schema->field_count);
        for (int32_t c = 0; c < schema->field_count; c++)
            column_release(&cols[c]);
    }
    arena_free(&arena);
}

/* Without NULLs the encoder has paths of its own; they must give the bytes of the general one. */
static void check_fast_path(struct column fast[2])
{
    struct column general[2];
    for (int c = 0; c < 2; c++) { // a last row that is NULL makes the general path do it
        struct builder builder;
        builder_init(&builder, fast[c].type);
        for (int i = 0; i < ROWS; i++)
            builder_copy(&builder, &fast[c], i);
        builder_null(&builder);
        builder_finish(&builder, &general[c]);
        builder_release(&builder);
    }
    for (int count = 1; count <= 2; count++) {
        struct keys a = {0}, b = {0};
        CHECK_INT(state_key_encode(fast, count, ROWS, &a.data, a.offsets, a.hashes), 0);
        CHECK_INT(state_key_encode(general, count, ROWS, &b.data, b.offsets, b.hashes), 0);
        CHECK(bytes_equal(text_view(&a.data), text_view(&b.data)));
        CHECK(memcmp(a.offsets, b.offsets, sizeof a.offsets) == 0);
        CHECK(memcmp(a.hashes, b.hashes, sizeof a.hashes) == 0);
        text_free(&a.data);
        text_free(&b.data);
    }
    for (int c = 0; c < 2; c++) {
        column_release(&fast[c]);
        column_release(&general[c]);
    }
}

TEST(fast_paths_give_the_same_bytes)
{
    const enum type_id firsts[] = {TYPE_STRING, TYPE_DATE, TYPE_INT64};
    const char *text = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
        struct builder first, longs;
        struct column fast[2];
        builder_init(&first, type_of(firsts[f]));
        builder_init(&longs, type_of(TYPE_TIMESTAMP));
        for (int i = 0; i < ROWS; i++) {
            if (firsts[f] == TYPE_STRING)
                builder_bytes(&first, bytes_of(text, (size_t)i % 50));
            else
                builder_int(&first, i % 11 - 5);
            builder_int(&longs, i % 7 - 3);
        }
        builder_finish(&first, &fast[0]);
        builder_finish(&longs, &fast[1]);
        builder_release(&first);
        builder_release(&longs);
        check_fast_path(fast);
    }
}

TEST(keys_unify_nan_and_zero)
{
    struct builder builder;
    builder_init(&builder, type_of(TYPE_DOUBLE));
    double odd_nan;
    memcpy(&odd_nan, &(uint64_t){0xfff8000000000123u}, sizeof odd_nan);
    const double values[] = {0.0, -0.0, __builtin_nan(""), odd_nan};
    for (int i = 0; i < 4; i++)
        builder_double(&builder, values[i]);
    struct column col;
    builder_finish(&builder, &col);
    struct keys keys = {0};
    CHECK_INT(state_key_encode(&col, 1, 4, &keys.data, keys.offsets, keys.hashes), 0);
    CHECK_INT(keys.hashes[0], keys.hashes[1]);
    CHECK_INT(keys.hashes[2], keys.hashes[3]);
    CHECK(keys.hashes[0] != keys.hashes[2]);
    text_free(&keys.data);
    column_release(&col);
    builder_release(&builder);
}

TEST(key_past_the_limit_becomes_empty)
{
    char *big = mem_zero(STATE_KEY_MAX + 1);
    for (int with_null = 0; with_null < 2; with_null++) {
        struct builder builder;
        builder_init(&builder, type_of(TYPE_STRING));
        builder_bytes(&builder, bytes_of(big, STATE_KEY_MAX - 2)); // three bytes of size: one too many
        builder_bytes(&builder, bytes_of(big, STATE_KEY_MAX - 3));
        builder_bytes(&builder, bytes_of("x", 1));
        if (with_null)
            builder_null(&builder);
        struct column col;
        builder_finish(&builder, &col);
        struct keys keys = {0};
        CHECK_INT(state_key_encode(&col, 1, 3, &keys.data, keys.offsets, keys.hashes), 1);
        CHECK_INT(key_at(&keys, 0).size, 0);
        CHECK_INT(key_at(&keys, 1).size, STATE_KEY_MAX);
        CHECK_INT(key_at(&keys, 2).size, 2);
        text_free(&keys.data);
        column_release(&col);
        builder_release(&builder);
    }
    mem_free(big);
}

TEST(decode_never_reads_past_hostile_bytes)
{
    struct arena arena = {0};
    struct error err = {0};
    const struct type *schema;
    size_t position;
    CHECK_INT(type_parse_ddl(&arena, bytes_of_string("a STRING, b ARRAY<INT>, c STRUCT<x: DECIMAL(38,0)>, d BOOLEAN"),
                             &schema, &position, &err),
              E_OK);
    for (int round = 0; round < 3000; round++) {
        uint8_t *hostile = mem_alloc(40); // its own block, so that asan sees a byte too far
        size_t size = kit_random() % 40;
        for (size_t i = 0; i < size; i++)
            hostile[i] = kit_random() % 3 == 0 ? (uint8_t)kit_random() : (uint8_t)(kit_random() % 4);
        uint8_t *exact = memcpy(mem_alloc(size), hostile, size);
        struct builder builders[4];
        for (int c = 0; c < 4; c++)
            builder_init(&builders[c], schema->fields[c].type);
        enum code code = state_key_decode(bytes_of(exact, size), builders, 4, &err);
        CHECK(code == E_OK || code == E_CORRUPT);
        for (int c = 0; c < 4; c++)
            builder_release(&builders[c]);
        mem_free(exact);
        mem_free(hostile);
    }
    arena_free(&arena);
}
