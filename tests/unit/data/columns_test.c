/* Columns against a slow model: random values of every type are built row by row, then gathered, appended
 * and shared, and compared value by value with where they came from. */
#include "data/data.h"

#include "kit.h"

static const char *const shapes[] = {
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(9,2)",
    "DECIMAL(38,10)",
    "STRING",
    "BINARY",
    "DATE",
    "TIMESTAMP",
    "VOID",
    "INTERVAL DAY TO SECOND",
    "INTERVAL YEAR TO MONTH",
    "ARRAY<INT>",
    "ARRAY<STRING>",
    "STRUCT<a: INT, b: STRING>",
    "MAP<STRING, BIGINT>",
    "ARRAY<STRUCT<a: ARRAY<BOOLEAN>, b: MAP<INT, STRING>>>",
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const struct type *parse(struct arena *arena, const char *ddl)
{
    struct error err = {0};
    const struct type *type = NULL;
    size_t position;
    CHECK_INT(type_parse_ddl(arena, bytes_of_string(ddl), &type, &position, &err), E_OK);
    return type;
}

static uint64_t below(uint64_t n) { return kit_random() % n; }

static void add_random(struct builder *builder, unsigned null_percent)
{
    const struct type *type = builder->type;
    if (type->id == TYPE_NULL || below(100) < null_percent) {
        builder_null(builder);
    } else if (type->id == TYPE_BOOLEAN) {
        builder_boolean(builder, kit_random() & 1);
    } else if (type_is_varlen(type)) {
        uint8_t text[100];
        size_t size = below(10) == 0 ? below(100) : below(12);
        for (size_t i = 0; i < size; i++)
            text[i] = (uint8_t)kit_random();
        builder_bytes(builder, bytes_of(text, size));
    } else if (type->id == TYPE_FLOAT || type->id == TYPE_DOUBLE) {
        builder_double(builder, (double)(int64_t)kit_random() / 1e9);
    } else if (type->id == TYPE_DECIMAL) {
        builder_int128(builder, (__int128)(int64_t)kit_random());
    } else if (type->id == TYPE_STRUCT) {
        for (int32_t i = 0; i < builder->child_count; i++)
            add_random(&builder->children[i], null_percent);
        builder_close_struct(builder);
    } else if (type_is_nested(type)) {
        for (uint64_t n = below(4); n > 0; n--)
            for (int32_t i = 0; i < builder->child_count; i++)
                add_random(&builder->children[i], i == 0 && type->id == TYPE_MAP ? 0 : null_percent);
        builder_close_list(builder);
    } else {
        builder_int(builder, (int64_t)kit_random());
    }
}

static struct column random_column(const struct type *type, int64_t rows, unsigned null_percent)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type);
    for (int64_t i = 0; i < rows; i++)
        add_random(&builder, null_percent);
    builder_finish(&builder, &col);
    builder_release(&builder);
    column_check(&col);
    return col;
}

static void check_rows(const struct column *got, int64_t at, const struct column *want, int64_t from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!column_equal_at(got, at + i, want, from + i))
            kit_fail(__FILE__, __LINE__, "row %" PRId64 " differs", at + i);
}

TEST(gather_picks_any_rows_of_any_type)
{
    struct arena arena = {0};
    int32_t rows[300];
    for (int shape = 0; shape < SHAPES; shape++) {
        for (int round = 0; round < 8; round++) {
            int64_t size = (int64_t)below(200) + 1;
            struct column col = random_column(parse(&arena, shapes[shape]), size, round % 2 == 0 ? 0 : 30), out;
            int64_t count = round == 7 ? 0 : (int64_t)below(300);
            for (int64_t i = 0; i < count; i++)
                rows[i] =
                    i > 0 && below(3) > 0 && rows[i - 1] + 1 < size ? rows[i - 1] + 1 : (int32_t)below((uint64_t)size);
            column_gather(&out, &col, rows, count);
            column_check(&out);
            CHECK_INT(out.rows, count);
            for (int64_t i = 0; i < count; i++)
                check_rows(&out, i, &col, rows[i], 1);
            column_release(&col);
            column_release(&out);
        }
    }
    arena_free(&arena);
}

TEST(gather_of_nearly_all_rows_of_any_type)
{
    struct arena arena = {0};
    int32_t rows[900];
    for (int shape = 0; shape < SHAPES; shape++) {
        for (unsigned nulls = 0; nulls < 60; nulls += 30) {
            struct column col = random_column(parse(&arena, shapes[shape]), 900, nulls), out;
            int64_t count = 0;
            for (int32_t i = 0; i < 900; i++)
                if (below(100) > 0)
                    rows[count++] = i;
            column_gather(&out, &col, rows, count);
            column_check(&out);
            CHECK_INT(out.rows, count);
            for (int64_t i = 0; i < count; i++)
                check_rows(&out, i, &col, rows[i], 1);
            column_release(&col);
            column_release(&out);
        }
    }
    arena_free(&arena);
}

TEST(append_joins_ranges_of_any_type)
{
    struct arena arena = {0};
    for (int shape = 0; shape < SHAPES; shape++) {
        struct column out = {0};
        struct column parts[6];
        int64_t from[6], to[6], at = 0;
        for (int i = 0; i < 6; i++) {
            parts[i] = random_column(parse(&arena, shapes[shape]), 150, i % 2 == 0 ? 0 : 40);
            from[i] = (int64_t)below(100);
            to[i] = i == 3 ? from[i] : from[i] + (int64_t)below(50);
            column_append(&out, &parts[i], from[i], to[i]);
            column_check(&out);
        }
        for (int i = 0; i < 6; at += to[i] - from[i], i++)
            check_rows(&out, at, &parts[i], from[i], to[i] - from[i]);
        CHECK_INT(out.rows, at);
        CHECK(column_nulls(&out) <= out.rows);
        for (int i = 0; i < 6; i++)
            column_release(&parts[i]);
        column_release(&out);
    }
    arena_free(&arena);
}

TEST(append_to_a_shared_column_leaves_the_other_owner_alone)
{
    struct arena arena = {0};
    for (int shape = 0; shape < SHAPES; shape++) {
        struct column col = random_column(parse(&arena, shapes[shape]), 60, 20), copy, before;
        column_share(&copy, &col);
        int32_t all[60];
        for (int32_t i = 0; i < 60; i++)
            all[i] = i;
        column_gather(&before, &col, all, 60);
        column_append(&copy, &before, 0, 60);
        column_check(&col);
        CHECK_INT(col.rows, 60);
        check_rows(&col, 0, &before, 0, 60);
        check_rows(&copy, 60, &before, 0, 60);
        column_release(&col);
        column_release(&copy);
        column_release(&before);
    }
    arena_free(&arena);
}

TEST(builder_copies_rows_of_any_type)
{
    struct arena arena = {0};
    for (int shape = 0; shape < SHAPES; shape++) {
        const struct type *type = parse(&arena, shapes[shape]);
        struct column col = random_column(type, 80, 25), out;
        struct builder builder;
        builder_init(&builder, type);
        for (int round = 0; round < 2; round++) { // a finished builder is empty and ready again
            for (int64_t i = 80; i-- > 0;)
                builder_copy(&builder, &col, i);
            builder_finish(&builder, &out);
            column_check(&out);
            for (int64_t i = 0; i < 80; i++)
                check_rows(&out, i, &col, 79 - i, 1);
            column_release(&out);
        }
        builder_release(&builder);
        column_release(&col);
    }
    arena_free(&arena);
}

TEST(a_column_of_nulls_is_valid_for_every_type)
{
    struct arena arena = {0};
    for (int shape = 0; shape < SHAPES; shape++) {
        struct column col;
        column_all_null(&col, parse(&arena, shapes[shape]), 77);
        column_check(&col);
        CHECK_INT(column_nulls(&col), 77);
        CHECK(column_is_null(&col, 76));
        column_release(&col);
        column_release(&col);
    }
    arena_free(&arena);
}

TEST(bits_are_counted_filled_and_copied)
{
    uint8_t from[40], to[40], want[40];
    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < 40; i++)
            from[i] = (uint8_t)kit_random(), to[i] = want[i] = (uint8_t)kit_random();
        int64_t source = (int64_t)below(100), target = (int64_t)below(100), count = (int64_t)below(200), ones = 0;
        for (int64_t i = 0; i < count; i++) {
            bit_put(want, target + i, bit_get(from, source + i));
            ones += bit_get(from, i);
        }
        bit_copy(to, target, from, source, count);
        CHECK(memcmp(to, want, sizeof to) == 0);
        CHECK_INT(bit_count(from, count), ones);
        bit_fill(to, count, 1);
        CHECK_INT(bit_count(to, (int64_t)bit_bytes(count) * 8), count);
    }
}

TEST(a_buffer_grows_keeps_and_frees_through_its_owner)
{
    struct buffer *buffer = NULL;
    buffer_grow(&buffer, 10);
    CHECK_INT(buffer->size, 0);
    CHECK(buffer->capacity >= 10 && buffer->capacity % 64 == 0 && ((uintptr_t)buffer->data & 63) == 0);
    memcpy(buffer->data, "hello", 5);
    buffer->size = 5;
    buffer_grow(&buffer, 100000);
    CHECK(memcmp(buffer->data, "hello", 5) == 0);
    CHECK(buffer_retain(buffer) == buffer);
    buffer_release(buffer);
    buffer_release(buffer);
    buffer_release(NULL);
}

static struct batch two_columns(struct arena *arena, int64_t rows)
{
    struct batch batch;
    batch_init(&batch, parse(arena, "a INT, b STRING"), rows);
    batch.columns[0] = random_column(type_of(TYPE_INT32), rows, 10);
    batch.columns[1] = random_column(type_of(TYPE_STRING), rows, 10);
    batch.source = mem_new(struct origin);
    atomic_init(&batch.source->count, 1);
    batch.source->value = random_column(type_of(TYPE_BINARY), rows, 0);
    return batch;
}

TEST(a_gathered_batch_remembers_where_its_rows_came_from)
{
    struct arena arena = {0};
    struct batch first = two_columns(&arena, 50), second, third;
    const int32_t once[] = {49, 3, 7, 7, 0}, twice[] = {4, 1, 3};
    batch_gather(&second, &first, once, 5);
    batch_gather(&third, &second, twice, 3);
    batch_release(&first);
    batch_check(&second);
    batch_check(&third);
    CHECK_INT(batch_origin(&second, 0), 49);
    CHECK_INT(batch_origin(&third, 0), 0);
    CHECK_INT(batch_origin(&third, 1), 3);
    CHECK_INT(batch_origin(&third, 2), 7);
    CHECK_INT(third.source->value.rows, 50);
    struct batch other;
    batch_init(&other, third.schema, 0);
    batch_share_origin(&other, &second);
    batch_share_origin(&other, &third);
    CHECK_INT(batch_origin(&other, 1), 3);
    struct batch taken = batch_take(&other);
    CHECK(other.source == NULL && other.columns == NULL);
    batch_release(&taken);
    batch_release(&second);
    batch_release(&third);
    arena_free(&arena);
}

TEST(a_column_nobody_needs_stays_empty)
{
    struct arena arena = {0};
    struct batch batch, out;
    batch_init(&batch, parse(&arena, "a INT, b STRING"), 3);
    batch.columns[0] = random_column(type_of(TYPE_INT32), 3, 0);
    const int32_t rows[] = {2, 0};
    batch_gather(&out, &batch, rows, 2);
    batch_check(&out);
    CHECK(out.columns[1].type == NULL);
    batch_release(&batch);
    batch_release(&out);
    arena_free(&arena);
}

static void check_print(const struct column *col, int64_t row, const char *want)
{
    struct text out = {0};
    column_print(col, row, &out);
    CHECK_STR(out.data, want);
    text_free(&out);
}

TEST(values_print_as_hive_prints_them)
{
    struct arena arena = {0};
    struct builder b;
    struct column col;
    builder_init(
        &b, parse(&arena, "STRUCT<a: INT, b: ARRAY<STRING>, c: MAP<STRING, DOUBLE>, d: DECIMAL(5,2), t: TIMESTAMP>"));
    builder_int(&b.children[0], -5);
    builder_bytes(&b.children[1].children[0], bytes_of_string("x"));
    builder_null(&b.children[1].children[0]);
    builder_close_list(&b.children[1]);
    builder_bytes(&b.children[2].children[0], bytes_of_string("k"));
    builder_double(&b.children[2].children[1], 1e7);
    builder_close_list(&b.children[2]);
    builder_int128(&b.children[3], 150);
    builder_int(&b.children[4], INT64_C(1767225600500000));
    builder_close_struct(&b);
    builder_null(&b);
    builder_finish(&b, &col);
    check_print(&col, 0, "{\"a\":-5,\"b\":[\"x\",null],\"c\":{\"k\":1.0E7},\"d\":1.50,\"t\":2026-01-01 00:00:00.5}");
    check_print(&col, 1, "NULL");
    check_print(&col.children[3], 0, "1.50");
    builder_release(&b);
    column_release(&col);

    builder_init(&b, type_of(TYPE_INTERVAL_DT));
    builder_int(&b, INT64_C(-93784000005));
    builder_finish(&b, &col);
    check_print(&col, 0, "-1 02:03:04.000005000");
    builder_release(&b);
    column_release(&col);
    arena_free(&arena);
}

TEST(rejects_are_listed_with_sparks_conditions)
{
    struct rejects rejects = {0};
    for (int i = 0; i < 100; i++)
        rejects_add(&rejects, i, i * 2, REJECT_DIVIDE_BY_ZERO);
    CHECK_INT(rejects.count, 100);
    CHECK_INT(rejects.items[99].row, 99);
    CHECK_STR(reject_condition(rejects.items[0].code), "DIVIDE_BY_ZERO");
    CHECK_STR(reject_text(REJECT_MAP_KEY), "the map has no such key");
    rejects_clear(&rejects);
    CHECK_INT(rejects.count, 0);
    rejects_free(&rejects);
}
