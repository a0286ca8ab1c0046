/* The join against what Spark 4.2 gave for the same epochs, case by case, and against a model that tries
 * every pair. */
#include "operator_kit.h"

#include <stdlib.h>

#define SECOND_US ((int64_t)1000000)
#define NEVER INT64_MAX

/* ---- rows of what comes out, as sorted text ---- */

struct lines {
    char **items;
    int64_t count, capacity;
};

static void lines_add(struct lines *lines, const char *text)
{
    mem_grow(lines->items, lines->capacity, lines->count + 1);
    lines->items[lines->count++] = mem_strdup(text);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void lines_clear(struct lines *lines)
{
    for (int64_t i = 0; i < lines->count; i++)
        mem_free(lines->items[i]);
    lines->count = 0;
}

static void lines_free(struct lines *lines)
{
    lines_clear(lines);
    mem_free(lines->items);
    *lines = (struct lines){0};
}

static void lines_sort(struct lines *lines)
{
    if (lines->count > 1)
        qsort(lines->items, (size_t)lines->count, sizeof *lines->items, by_text);
}

/* Columns [from, to) of a row, by commas. */
static void print_columns(const struct batch *batch, int64_t row, int32_t from, int32_t to, struct text *out)
{
    for (int32_t c = from; c < to; c++) {
        if (c > from)
            text_add_char(out, ',');
        column_print(&batch->columns[c], row, out);
    }
}

static enum code collect(void *context, struct batch *out, struct error *err)
{
    (void)err;
    batch_check(out);
    CHECK(out->rows > 0 && out->rows <= BATCH_ROWS_MAX);
    struct text text = {0};
    for (int64_t row = 0; row < out->rows; row++) {
        text_clear(&text);
        print_columns(out, row, 0, out->column_count, &text);
        lines_add(context, text.data);
    }
    text_free(&text);
    return E_OK;
}

/* ---- Spark's cases ---- */

enum bound {
    UNBOUNDED,
    WITHIN,  /* r.ts between l.ts and l.ts + 10 s */
    BEYOND,  /* l.ts between r.ts + 10 s and r.ts + 30 s */
    AT_TIME, /* l.ts = r.ts is a key */
    WINDOWS, /* window(l.ts, 10 s) = window(r.ts, 10 s) is a key, and ts is not among the columns */
};

/* Rows are id:key:seconds, `-` a NULL; epochs end at a slash. Whatever came out in Spark, epoch by epoch, is
 * left:right. */
struct spark_case {
    const char *name;
    enum join_type type;
    enum bound bound;
    bool null_safe;
    int left_time, right_time; /* event time on this side */
    const char *not_left;      /* l.id <> not_left */
    const char *left, *right, *watermarks, *expected, *late;
};

#define OUTER_LEFT                                                                                      \
    "l1:a:20 l2:b:20 ln:-:20 lt:a:- lo:a:22 / l3:a:25 l4:c:30 / l5:z:45 l6:q:31 / l7:z:80 late:z:30 / " \
    "l8:z:200"
#define OUTER_RIGHT "r1:a:21 rn:-:21 rt:a:- / r2:c:40 / r3:z:50 r4:q:50 / r5:zz:90 rlate:zz:20 / r6:y:210"
#define TIMES_LEFT "l1:a:10 l2:a:20 / l3:a:30 / l4:a:15 l5:a:31 / l6:a:100 / l7:a:101"
#define TIMES_RIGHT "r1:a:10 / r2:a:20 r3:a:30 / r4:a:15 r5:a:20 r6:a:30 r7:a:31 / r8:a:30 r9:a:31 / r10:a:101"
#define BEYOND_LEFT "l0:x:50 / l1:a:55 l2:b:56 l3:c:57 / l4:d:61 / l5:d:200"
#define BEYOND_RIGHT "r0:a:44 r00:x:50 / r1:b:51 r2:zz:46 / r3:c:51.5 / r4:d:200"
#define PLAIN_LEFT "l1:a:20 l2:b:30 / l3:a:10 l4:a:40 / l5:a:5 l6:a:20 l7:a:21 / l8:a:60 / l9:a:61"
#define PLAIN_RIGHT "r1:a:20 r2:b:30 / r3:a:12 / r4:a:50 r5:b:51 / r6:a:60 / r7:a:30 r8:a:31"

static const struct spark_case cases[] = {
    {"no bound, times read", JOIN_TYPE_INNER, UNBOUNDED, false, 1, 1, NULL, PLAIN_LEFT, PLAIN_RIGHT, "0 30 30 40 60",
     "l1:r1 l2:r2 / l1:r3 l3:r1 l3:r3 l4:r1 l4:r3 / l1:r4 l2:r5 l3:r4 l4:r4 / l1:r6 l3:r6 l4:r6 l8:r1 "
     "l8:r3 l8:r4 l8:r6 / "
     "l9:r1 l9:r3 l9:r4 l9:r6",
     "0 0 3 0 2"},
    {"no bound, times pruned", JOIN_TYPE_INNER, UNBOUNDED, false, 0, 0, NULL, PLAIN_LEFT, PLAIN_RIGHT, "0 30 30 40 60",
     "l1:r1 l2:r2 / l1:r3 l3:r1 l3:r3 l4:r1 l4:r3 / l1:r4 l2:r5 l3:r4 l4:r4 l5:r1 l5:r3 l5:r4 l6:r1 "
     "l6:r3 l6:r4 l7:r1 "
     "l7:r3 l7:r4 / l1:r6 l3:r6 l4:r6 l5:r6 l6:r6 l7:r6 l8:r1 l8:r3 l8:r4 l8:r6 / l1:r7 l1:r8 l3:r7 "
     "l3:r8 l4:r7 l4:r8 "
     "l5:r7 l5:r8 l6:r7 l6:r8 l7:r7 l7:r8 l8:r7 l8:r8 l9:r1 l9:r3 l9:r4 l9:r6 l9:r7 l9:r8",
     "0 0 0 0 0"},
    {"left outer", JOIN_TYPE_LEFT, WITHIN, false, 1, 1, "lo", OUTER_LEFT, OUTER_RIGHT, "0 21 30 45 80 200",
     "l1:r1 lo:- / l4:r2 / l5:r3 / l2:- l3:- l6:- ln:- / / l7:-", "0 0 0 2 0 0"},
    {"right outer", JOIN_TYPE_RIGHT, WITHIN, false, 1, 1, "lo", OUTER_LEFT, OUTER_RIGHT, "0 20 30 45 80 200",
     "l1:r1 / l4:r2 / l5:r3 -:rn / / -:r4 / -:r5", "0 0 0 2 0 0"},
    /* Spark joins ln and rn here: NULL = NULL in full outer joins of streams alone. */
    {"full outer", JOIN_TYPE_FULL, WITHIN, false, 1, 1, "lo", OUTER_LEFT, OUTER_RIGHT, "0 21 30 45 80 200",
     "l1:r1 lo:- / l4:r2 / l5:r3 -:rn / l2:- l3:- l6:- ln:- / -:r4 / l7:- -:r5", "0 0 0 2 0 0"},
    {"left semi", JOIN_TYPE_SEMI, WITHIN, false, 1, 1, "lo", OUTER_LEFT, OUTER_RIGHT, "0 20 30 45 80 200",
     "l1 / l4 / l5 / / /", "0 0 0 2 0 0"},
    {"null-safe", JOIN_TYPE_LEFT, WITHIN, true, 1, 1, NULL, OUTER_LEFT, OUTER_RIGHT, "0 21 30 45 80 200",
     "l1:r1 ln:rn / l4:r2 / l5:r3 / l2:- l3:- l6:- lo:- / / l7:-", "0 0 0 2 0 0"},
    {"already beyond, left", JOIN_TYPE_LEFT, BEYOND, false, 1, 1, NULL, BEYOND_LEFT, BEYOND_RIGHT, "0 50 51 51.5 200",
     "/ l0:- l1:r0 l2:- l3:- / / l4:- / l5:-", "0 0 0 0 0"},
    {"already beyond, full", JOIN_TYPE_FULL, BEYOND, false, 1, 1, NULL, BEYOND_LEFT, BEYOND_RIGHT, "0 50 51 51.5 200",
     "/ l0:- l1:r0 l2:- l3:- / / l4:- / l5:- -:r00 -:r1 -:r2 -:r3", "0 0 0 0 0"},
    {"already beyond, semi", JOIN_TYPE_SEMI, BEYOND, false, 1, 1, NULL, BEYOND_LEFT, BEYOND_RIGHT, "0 50 51 51.5 200",
     "/ l1 / / /", "0 0 0 0 0"},
    {"time key, left watermark", JOIN_TYPE_INNER, AT_TIME, false, 1, 0, NULL, TIMES_LEFT, TIMES_RIGHT,
     "0 20 30 31 100 101", "l1:r1 / l2:r2 l3:r3 / l3:r6 l5:r7 / l5:r9 / l7:r10 /", "0 0 1 0 0 0"},
    {"time key, full, left watermark", JOIN_TYPE_FULL, AT_TIME, false, 1, 0, NULL, TIMES_LEFT, TIMES_RIGHT,
     "0 20 30 31 100 101", "l1:r1 / l2:r2 l3:r3 / l3:r6 l5:r7 -:r4 -:r5 / l5:r9 -:r8 / l6:- l7:r10 /", "0 0 1 0 0 0"},
    {"time key, both", JOIN_TYPE_INNER, AT_TIME, false, 1, 1, NULL, TIMES_LEFT, TIMES_RIGHT, "0 10 30 31 31 101",
     "l1:r1 / l2:r2 l3:r3 / l2:r5 l3:r6 l4:r4 l5:r7 / l5:r9 / l7:r10 /", "0 0 0 1 0 0"},
    {"time key and NULLs", JOIN_TYPE_LEFT, AT_TIME, false, 1, 1, NULL,
     "l1:a:10 l2:-:20 lt:a:- ln:-:- / l3:a:30 / l6:a:100 / l7:a:101",
     "r1:a:10 rt:a:- rn:-:20 / r2:a:20 r3:a:30 / r4:a:100 / r8:a:101 r9:a:31", "0 10 30 100 101",
     "l1:r1 / l3:r3 / l2:- l6:r4 / l7:r8 /", "0 0 0 0 0"},
    {"windows", JOIN_TYPE_LEFT, WINDOWS, false, 1, 1, NULL,
     "l1:a:3 l2:b:4 / l3:a:12 / l4:a:9 l5:a:3 l6:a:21 / l7:a:9 l8:a:13 l9:a:35 / l10:a:40",
     "r1:a:7 / r2:c:15 / r3:a:8 r4:a:22 / r5:b:9 r6:b:36 / r7:a:41", "0 4 12 21 35 40",
     "l1:r1 / / l1:r3 l2:- l4:r1 l4:r3 l5:r1 l5:r3 l6:r4 / l3:- l8:- / l10:r7 / l9:-", "0 0 0 2 0 0"},
};

enum { ID, KEY, TS, SOONER, LATER, WINDOW_COLUMN, CASE_COLUMNS };
static const char *const case_ddl = "id STRING, k STRING, ts TIMESTAMP, sooner TIMESTAMP, later TIMESTAMP, "
                                    "w STRUCT<start: TIMESTAMP, end: TIMESTAMP>";

static void put_time(struct builder *builder, const char *text, int64_t plus_us)
{
    if (strcmp(text, "-") == 0)
        builder_null(builder);
    else
        builder_int(builder, (int64_t)(strtod(text, NULL) * 1000) * 1000 + plus_us);
}

static void put_window(struct builder *builder, const char *text)
{
    if (strcmp(text, "-") == 0) {
        builder_null(builder);
        return;
    }
    int64_t start = (int64_t)strtod(text, NULL) / 10 * 10 * SECOND_US;
    builder_int(&builder->children[0], start);
    builder_int(&builder->children[1], start + 10 * SECOND_US);
    builder_close_struct(builder);
}

/* Rows up to the next slash. */
static const char *case_batch(const char *at, const struct type *schema, struct batch *out)
{
    struct builder builders[CASE_COLUMNS];
    int64_t rows = 0;
    for (int c = 0; c < CASE_COLUMNS; c++)
        builder_init(&builders[c], schema->fields[c].type);
    while (*at == ' ')
        at++;
    while (*at != '\0' && *at != '/') {
        char id[16], key[16], time[16];
        int size = 0;
        CHECK(sscanf(at, "%15[^:]:%15[^:]:%15[^ /]%n", id, key, time, &size) == 3);
        builder_bytes(&builders[ID], bytes_of_string(id));
        if (strcmp(key, "-") == 0)
            builder_null(&builders[KEY]);
        else
            builder_bytes(&builders[KEY], bytes_of_string(key));
        put_time(&builders[TS], time, 0);
        put_time(&builders[SOONER], time, 10 * SECOND_US);
        put_time(&builders[LATER], time, 30 * SECOND_US);
        put_window(&builders[WINDOW_COLUMN], time);
        rows++;
        for (at += size; *at == ' ';)
            at++;
    }
    batch_init(out, schema, rows);
    for (int c = 0; c < CASE_COLUMNS; c++) {
        builder_finish(&builders[c], &out->columns[c]);
        builder_release(&builders[c]);
    }
    give_origin(out);
    return *at == '/' ? at + 1 : at;
}

static const struct expr *pair_column(struct bench_of_one *test, const struct type *schema, int32_t side,
                                      int32_t column)
{
    return expr_column(&test->expr, side * CASE_COLUMNS + column, &schema->fields[column], (struct position){0});
}

static const struct expr *between(struct bench_of_one *test, const struct expr *x, const struct expr *from,
                                  const struct expr *to)
{
    return call_expr(test, "and", call_expr(test, ">=", x, from), call_expr(test, "<=", x, to));
}

static void case_bound(struct bench_of_one *test, const struct spark_case *one, const struct type *schema,
                       struct join_spec *spec)
{
    struct join_side *left = &spec->sides[0], *right = &spec->sides[1];
    spec->time_key = one->bound >= AT_TIME ? 1 : -1;
    left->bounded = right->bounded = one->bound == WITHIN || one->bound == BEYOND;
    if (one->bound == WITHIN) {
        left->shift_us = -10 * SECOND_US - 1000;
        right->shift_us = -1000;
        spec->condition = between(test, pair_column(test, schema, 1, TS), pair_column(test, schema, 0, TS),
                                  pair_column(test, schema, 0, SOONER));
    } else if (one->bound == BEYOND) {
        left->shift_us = 10 * SECOND_US - 1000;
        right->shift_us = -30 * SECOND_US - 1000;
        spec->condition = between(test, pair_column(test, schema, 0, TS), pair_column(test, schema, 1, SOONER),
                                  pair_column(test, schema, 1, LATER));
    }
}

static struct stateful *case_stage(struct bench_of_one *test, const struct spark_case *one, const struct type *schema)
{
    static const bool null_safe[] = {true, false}, plain[] = {false, false};
    int32_t time = one->bound == WINDOWS ? WINDOW_COLUMN : TS;
    struct join_spec spec = {.name = "case", .type = one->type, .lanes = 2, .shards = 3};
    struct text ddl = {0};
    text_printf(&ddl, "%s%s%s", case_ddl, one->type == JOIN_TYPE_SEMI ? "" : ", ",
                one->type == JOIN_TYPE_SEMI ? "" : case_ddl);
    spec.schema = schema_of(test, ddl.data);
    text_free(&ddl);
    spec.key_count = one->bound >= AT_TIME ? 2 : 1;
    spec.null_safe = one->null_safe ? null_safe : plain;
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        const struct expr **keys = arena_array(&test->arena, const struct expr *, 2);
        keys[0] = column_expr(test, schema, KEY);
        keys[1] = column_expr(test, schema, time);
        bool watermark = s == 0 ? one->left_time : one->right_time;
        spec.sides[s] = (struct join_side){.schema = schema, .keys = keys, .time_column = watermark ? time : -1};
    }
    if (one->not_left != NULL)
        spec.sides[0].only = call_expr(test, "!=", column_expr(test, schema, ID),
                                       expr_string(&test->expr, bytes_of_string(one->not_left), (struct position){0}));
    case_bound(test, one, schema, &spec);
    struct stateful *stage = NULL;
    CHECK_INT(join_new(&test->arena, &spec, &stage, &test->err), E_OK);
    return stage;
}

/* left:right of each row; of a semi join left. */
static enum code collect_ids(void *context, struct batch *out, struct error *err)
{
    (void)err;
    batch_check(out);
    for (int64_t row = 0; row < out->rows; row++) {
        struct text text = {0};
        for (int32_t c = ID; c < out->column_count; c += CASE_COLUMNS) {
            text_add_string(&text, c > 0 ? ":" : "");
            if (column_valid_at(&out->columns[c], row))
                column_print(&out->columns[c], row, &text);
            else
                text_add_char(&text, '-');
        }
        lines_add(context, text.data);
        text_free(&text);
    }
    return E_OK;
}

static const char *expected_epoch(const char *at, struct lines *out)
{
    char word[32];
    int size;
    while (sscanf(at, " %31[^ /]%n", word, &size) == 1) {
        lines_add(out, word);
        at += size;
    }
    while (*at == ' ')
        at++;
    return *at == '/' ? at + 1 : at;
}

static void check_lines(const char *name, int64_t epoch, struct lines *got, struct lines *want)
{
    lines_sort(got);
    lines_sort(want);
    int64_t same = 0;
    while (same < got->count && same < want->count && strcmp(got->items[same], want->items[same]) == 0)
        same++;
    if (same < got->count || same < want->count)
        kit_fail(__FILE__, __LINE__,
                 "%s, epoch %" PRId64 ": %" PRId64 " rows, expected %" PRId64 "; first [%s], expected [%s]", name,
                 epoch, got->count, want->count, same < got->count ? got->items[same] : "none",
                 same < want->count ? want->items[same] : "none");
}

static void case_run(const struct spark_case *one)
{
    struct bench_of_one test;
    set_up(&test);
    const struct type *schema = schema_of(&test, case_ddl);
    struct stateful *stage = case_stage(&test, one, schema);
    const char *inputs[] = {one->left, one->right}, *expected = one->expected, *late = one->late;
    struct epoch_time time = {0};
    struct lines got = {0}, want = {0};
    char *watermark = (char *)(uintptr_t)one->watermarks, *count = (char *)(uintptr_t)late;
    for (; *watermark != '\0'; time.epoch++) {
        time.late_us = time.emit_us;
        time.emit_us = (int64_t)(strtod(watermark, &watermark) * 1000) * 1000;
        int64_t late_before = test.counts.late;
        for (int32_t s = 0; s < JOIN_SIDES; s++) {
            struct batch in;
            inputs[s] = case_batch(inputs[s], schema, &in);
            const struct lane_call call = {(int32_t)time.epoch % 2, s,    &test.session, &time,
                                           &test.rejects,           NULL, &test.counts};
            CHECK_INT(stage->type->lane_batch(stage, &call, &in, &test.err), E_OK);
            batch_release(&in);
        }
        const struct emit emit = {collect_ids, &got};
        for (int32_t shard = 0; shard < stage->shards; shard++)
            CHECK_INT(stage->type->shard_merge(stage, shard, &time, &emit, &test.counts, &test.err), E_OK);
        stage->type->lanes_clear(stage);
        expected = expected_epoch(expected, &want);
        check_lines(one->name, time.epoch, &got, &want);
        if (test.counts.late - late_before != strtol(count, &count, 10))
            kit_fail(__FILE__, __LINE__, "%s, epoch %" PRId64 ": %" PRId64 " late", one->name, time.epoch,
                     test.counts.late - late_before);
        lines_clear(&got);
        lines_clear(&want);
    }
    CHECK_INT(test.counts.in, test.counts.aggregated + test.counts.late + test.counts.filtered + test.counts.null_time);
    lines_free(&got);
    lines_free(&want);
    stage->type->free(stage);
    tear_down(&test);
}

TEST(join_does_what_spark_did)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        case_run(&cases[i]);
}

/* ---- random streams against a model that tries every pair ---- */

static const char *const random_ddl =
    "k1 INT, k2 STRING, t TIMESTAMP, v INT, w STRUCT<start: TIMESTAMP, end: TIMESTAMP>, b BOOLEAN, i8 "
    "TINYINT, "
    "i16 SMALLINT, i64 BIGINT, f FLOAT, d DOUBLE, dec DECIMAL(9,2), wide DECIMAL(30,5), s STRING, bin "
    "BINARY, dt DATE, "
    "ntz TIMESTAMP_NTZ, arr ARRAY<STRING>, st STRUCT<x: INT, y: STRUCT<z: STRING, q: DOUBLE>>, m "
    "MAP<STRING, INT>, "
    "aa ARRAY<STRUCT<u: DOUBLE, v: BOOLEAN>>, id INT";
enum { K1, K2, T, V, W, RANDOM_COLUMNS = 22 };

struct model_row {
    int64_t k1, t, v; /* NONE = NULL */
    int64_t k2;       /* its number, NONE = NULL */
    int64_t until_us;
    bool waits, matched, gone, fresh;
    char *text;
};
struct model_side {
    struct model_row *rows;
    int64_t count, capacity;
};

struct stored { /* what a shard wrote */
    int32_t shard;
    bool whole;
    struct text bytes;
};

struct world {
    struct bench_of_one test;
    const struct type *schema;
    struct join_spec spec;
    int32_t time_kind; /* which key carries time: 0 none, 1 t, 2 w */
    struct stateful *stage;
    struct arena stage_arena;
    struct model_side model[JOIN_SIDES];
    struct lines want, got;
    struct epoch_time time;
    struct stored *stored; /* oldest first */
    int64_t stored_count, stored_capacity;
    int64_t wanted_late;
};

static int64_t below(int64_t n) { return (int64_t)(kit_random() % (uint64_t)n); }
static bool one_in(int64_t n) { return below(n) == 0; }

static void put_random(struct builder *builder, int depth)
{
    const struct type *type = builder->type;
    if (one_in(5)) {
        builder_null(builder);
        return;
    }
    switch (type->id) {
    case TYPE_BOOLEAN: builder_boolean(builder, one_in(2)); return;
    case TYPE_FLOAT:
    case TYPE_DOUBLE: {
        static const double values[] = {0.0, -0.0, 1.5, -7e300, __builtin_inf(), __builtin_nan("")};
        builder_double(builder, values[below(type->id == TYPE_FLOAT ? 3 : 6)]);
        return;
    }
    case TYPE_DECIMAL:
        builder_int128(builder, (__int128)below(1000000) * (type->precision > 18 ? 1000000000000 : 1));
        return;
    case TYPE_STRING:
    case TYPE_BINARY: {
        static const char letters[] = "the quick brown fox jumps over the lazy dog, again and again and again";
        builder_bytes(builder, bytes_of(letters, (size_t)(one_in(3) ? below(70) : below(9))));
        return;
    }
    case TYPE_STRUCT:
        for (int32_t c = 0; c < builder->child_count; c++)
            put_random(&builder->children[c], depth + 1);
        builder_close_struct(builder);
        return;
    case TYPE_ARRAY:
        for (int64_t n = below(4); n > 0; n--)
            put_random(&builder->children[0], depth + 1);
        builder_close_list(builder);
        return;
    case TYPE_MAP:
        for (int64_t n = below(3), i = 0; i < n; i++) {
            builder_bytes(&builder->children[0], bytes_of("ab", (size_t)i));
            put_random(&builder->children[1], depth + 1);
        }
        builder_close_list(builder);
        return;
    default: builder_int(builder, below(100) - 50); return;
    }
}

static int64_t maybe_null(int64_t value, int64_t n) { return one_in(n) ? NONE : value; }

/* What a batch's rows are to the model, and the batch. */
static void random_batch(struct world *world, int64_t rows, struct model_row *model, struct batch *out)
{
    struct builder builders[RANDOM_COLUMNS];
    static const char *const words[] = {"", "a", "a key that is far longer than what an entry of the table holds", "b"};
    for (int32_t c = 0; c < RANDOM_COLUMNS; c++)
        builder_init(&builders[c], world->schema->fields[c].type);
    for (int64_t i = 0; i < rows; i++) {
        int64_t t = world->time.epoch * 2 + below(12) - 6;
        model[i] = (struct model_row){.k1 = maybe_null(below(4), 12),
                                      .k2 = maybe_null(below(4), 12),
                                      .t = maybe_null(t, 12),
                                      .v = maybe_null(below(10), 10),
                                      .fresh = true};
        for (int32_t c = T + 1; c < RANDOM_COLUMNS; c++)
            if (c != V && c != W)
                put_random(&builders[c], 0);
        for (int32_t c = 0; c <= V; c++)
            if ((c == K1 ? model[i].k1 : c == K2 ? model[i].k2 : c == T ? model[i].t : model[i].v) == NONE)
                builder_null(&builders[c]);
            else if (c == K2)
                builder_bytes(&builders[c], bytes_of_string(words[model[i].k2]));
            else
                builder_int(&builders[c], c == K1 ? model[i].k1 : c == T ? t * SECOND_US : model[i].v);
        if (model[i].t == NONE) {
            builder_null(&builders[W]);
        } else {
            int64_t start = t - ((t % 4) + 4) % 4;
            builder_int(&builders[W].children[0], start * SECOND_US);
            builder_int(&builders[W].children[1], (start + 4) * SECOND_US);
            builder_close_struct(&builders[W]);
        }
    }
    batch_init(out, world->schema, rows);
    for (int32_t c = 0; c < RANDOM_COLUMNS; c++) {
        builder_finish(&builders[c], &out->columns[c]);
        builder_release(&builders[c]);
    }
    struct text text = {0};
    for (int64_t i = 0; i < rows; i++) {
        text_clear(&text);
        print_columns(out, i, 0, RANDOM_COLUMNS, &text);
        model[i].text = mem_strdup(text.data);
    }
    text_free(&text);
}

/* ---- the model ---- */

static bool is_outer(const struct world *world, int32_t side)
{
    enum join_type type = world->spec.type;
    return type == JOIN_TYPE_FULL || type == (side == 0 ? JOIN_TYPE_LEFT : JOIN_TYPE_RIGHT);
}

static void model_out(struct world *world, const struct model_row *left, const struct model_row *right)
{
    struct text text = {0};
    char nulls[RANDOM_COLUMNS * 5 + 1] = "";
    for (int32_t c = 0; c < RANDOM_COLUMNS; c++)
        memcpy(nulls + c * 5, ",NULL", 6);
    text_add_string(&text, left == NULL ? nulls + 1 : left->text);
    if (world->spec.type != JOIN_TYPE_SEMI) {
        text_add_char(&text, ',');
        text_add_string(&text, right == NULL ? nulls + 1 : right->text);
    }
    lines_add(&world->want, text.data);
    text_free(&text);
}

static int64_t window_end(int64_t t) { return t - ((t % 4) + 4) % 4 + 4; }

static bool same_key(const struct world *world, const struct model_row *a, const struct model_row *b)
{
    if (a->waits || b->waits || a->k1 != b->k1)
        return false;
    if (world->time_kind == 1)
        return a->t == b->t;
    if (world->time_kind == 2)
        return a->t == b->t || (a->t != NONE && b->t != NONE && window_end(a->t) == window_end(b->t));
    return world->spec.key_count == 1 || a->k2 == b->k2;
}

static bool joins(const struct world *world, const struct model_row *left, const struct model_row *right)
{
    bool fits = world->spec.condition == NULL || (left->v != NONE && right->v != NONE && left->v <= right->v);
    return fits && same_key(world, left, right);
}

static bool key_is_null(const struct world *world, const struct model_row *row)
{
    const int64_t second = world->time_kind > 0 ? row->t : row->k2;
    return (row->k1 == NONE && !world->spec.null_safe[0]) ||
           (world->spec.key_count > 1 && second == NONE && !world->spec.null_safe[1]);
}

/* False when the row is dropped or comes out at once. */
static bool model_keeps(struct world *world, int32_t side, struct model_row *row)
{
    const struct join_side *spec = &world->spec.sides[side];
    int64_t late = row->t == NONE ? NONE : spec->time_column == W ? window_end(row->t) : row->t;
    if (spec->time_column >= 0 && late != NONE && late * SECOND_US <= world->time.late_us) {
        world->wanted_late++;
        return false;
    }
    if (spec->only != NULL && !(row->v != NONE && row->v > 1)) {
        if (is_outer(world, side))
            model_out(world, side == 0 ? row : NULL, side == 0 ? NULL : row);
        return false;
    }
    bool timed = world->time_kind > 0 || spec->bounded;
    if (row->t == NONE && timed && (world->time_kind == 0 || !world->spec.null_safe[1]))
        return false;
    row->waits = key_is_null(world, row);
    if (row->waits && !is_outer(world, side))
        return false;
    row->until_us = !timed || row->t == NONE ? NEVER
                    : world->time_kind == 1  ? row->t * SECOND_US
                    : world->time_kind == 2  ? window_end(row->t) * SECOND_US
                                             : row->t * SECOND_US - spec->shift_us;
    return true;
}

static void model_match(struct world *world, struct model_row *left, struct model_row *right)
{
    bool semi = world->spec.type == JOIN_TYPE_SEMI;
    if (left->gone || right->gone || (semi && left->matched) || !joins(world, left, right))
        return;
    model_out(world, left, right);
    left->matched = right->matched = true;
    left->gone = semi;
}

static void model_add(struct world *world, int32_t side, const struct model_row *row)
{
    struct model_side *model = &world->model[side];
    mem_grow(model->rows, model->capacity, model->count + 1);
    model->rows[model->count++] = *row;
}

static void model_epoch(struct world *world)
{
    struct model_side *left = &world->model[0], *right = &world->model[1];
    for (int64_t l = 0; l < left->count; l++)
        for (int64_t r = 0; r < right->count; r++)
            if (left->rows[l].fresh || right->rows[r].fresh)
                model_match(world, &left->rows[l], &right->rows[r]);
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        struct model_side *model = &world->model[s];
        int64_t kept = 0;
        for (int64_t i = 0; i < model->count; i++) {
            struct model_row *row = &model->rows[i];
            row->fresh = false;
            if (!row->gone && row->until_us > world->time.emit_us) {
                model->rows[kept++] = *row;
                continue;
            }
            if (!row->gone && !row->matched && is_outer(world, s))
                model_out(world, s == 0 ? row : NULL, s == 0 ? NULL : row);
            mem_free(row->text);
        }
        model->count = kept;
    }
}

/* ---- the world ---- */

static void random_spec(struct world *world)
{
    static const bool safe[4][2] = {{false, false}, {false, true}, {true, false}, {false, false}};
    struct bench_of_one *test = &world->test;
    world->schema = schema_of(test, random_ddl);
    struct join_spec *spec = &world->spec;
    *spec = (struct join_spec){.name = "random", .type = (enum join_type)below(JOIN_TYPE_ANTI)};
    world->time_kind = one_in(2) ? 1 + (int32_t)below(2) : 0;
    spec->time_key = world->time_kind > 0 ? 1 : -1;
    spec->key_count = world->time_kind > 0 ? 2 : 1 + (int32_t)below(2);
    spec->null_safe = safe[below(4)];
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        const struct expr **keys = arena_array(&test->arena, const struct expr *, 2);
        keys[0] = column_expr(test, world->schema, K1);
        keys[1] = column_expr(test, world->schema, world->time_kind == 0 ? K2 : world->time_kind == 1 ? T : W);
        bool bounded = world->time_kind == 0 && !one_in(4);
        int32_t time = world->time_kind == 2 ? W : T;
        spec->sides[s] = (struct join_side){
            .schema = world->schema,
            .keys = keys,
            .only = one_in(2) ? NULL : call_expr(test, ">", column_expr(test, world->schema, V), int_expr(test, 1)),
            .time_column = bounded || one_in(2) ? time : -1,
            .bounded = bounded,
            .shift_us = (below(9) - 4) * SECOND_US - (one_in(2) ? 1000 : 0),
        };
    }
    if (one_in(2))
        spec->condition =
            call_expr(test, "<=", expr_column(&test->expr, V, &world->schema->fields[V], (struct position){0}),
                      expr_column(&test->expr, RANDOM_COLUMNS + V, &world->schema->fields[V], (struct position){0}));
    struct text ddl = {0};
    text_add_string(&ddl, random_ddl);
    if (spec->type != JOIN_TYPE_SEMI)
        text_printf(&ddl, ", %s", random_ddl);
    spec->schema = schema_of(test, ddl.data);
    text_free(&ddl);
}

static void stage_open(struct world *world)
{
    world->spec.lanes = 1 + (int32_t)below(3);
    world->spec.shards = 1 + (int32_t)below(4);
    CHECK_INT(join_new(&world->stage_arena, &world->spec, &world->stage, &world->test.err), E_OK);
}

static void stage_close(struct world *world)
{
    world->stage->type->free(world->stage);
    arena_free(&world->stage_arena);
}

static void feed(struct world *world)
{
    enum { ROWS_MAX = 12 };
    for (int64_t batches = below(5); batches > 0; batches--) {
        struct model_row rows[ROWS_MAX];
        struct batch in;
        int32_t side = (int32_t)below(2);
        int64_t count = 1 + below(ROWS_MAX);
        random_batch(world, count, rows, &in);
        const struct lane_call call = {(int32_t)below(world->stage->lanes),
                                       side,
                                       &world->test.session,
                                       &world->time,
                                       &world->test.rejects,
                                       NULL,
                                       &world->test.counts};
        CHECK_INT(world->stage->type->lane_batch(world->stage, &call, &in, &world->test.err), E_OK);
        batch_release(&in);
        for (int64_t i = 0; i < count; i++) {
            if (model_keeps(world, side, &rows[i]))
                model_add(world, side, &rows[i]);
            else
                mem_free(rows[i].text);
        }
    }
}

/* The shard's bytes go away and come back, as when the budget is reached. */
static void spill(struct world *world)
{
    int32_t shard = (int32_t)below(world->stage->shards);
    struct text bytes = {0};
    int64_t entries = stateful_entries(world->stage);
    CHECK_INT(world->stage->type->shard_snapshot(world->stage, shard, &bytes, &world->test.err), E_OK);
    world->stage->type->shard_spill(world->stage, shard);
    CHECK_INT(world->stage->type->shard_entries(world->stage, shard), 0);
    struct epoch_time next = world->time;
    next.emit_us += 3 * SECOND_US;
    bool idle = world->stage->type->shard_idle(world->stage, shard, &next);
    CHECK_INT(world->stage->type->restore(world->stage, text_view(&bytes), &world->test.err), E_OK);
    CHECK(!idle || world->stage->type->shard_idle(world->stage, shard, &next));
    CHECK_INT(stateful_entries(world->stage), entries);
    text_free(&bytes);
}

static void store_shard(struct world *world, int32_t shard, bool whole)
{
    struct text bytes = {0};
    CHECK_INT((whole ? world->stage->type->shard_snapshot : world->stage->type->shard_delta)(world->stage, shard,
                                                                                             &bytes, &world->test.err),
              E_OK);
    mem_grow(world->stored, world->stored_capacity, world->stored_count + 1);
    world->stored[world->stored_count++] = (struct stored){shard, whole, bytes};
}

static void stored_clear(struct world *world)
{
    for (int64_t i = 0; i < world->stored_count; i++)
        text_free(&world->stored[i].bytes);
    world->stored_count = 0;
}

/* The shard's newest snapshot and every delta after it; now and then the last one twice. */
static void restore_shard(struct world *world, int32_t shard, bool alone)
{
    int64_t from = 0;
    for (int64_t i = 0; i < world->stored_count; i++)
        from = world->stored[i].shard == shard && world->stored[i].whole ? i : from;
    for (int64_t i = from; i < world->stored_count; i++) {
        const struct stored *stored = &world->stored[i];
        if (stored->shard != shard || (stored->whole && i > from))
            continue;
        for (int64_t times = stored->whole || !one_in(4) ? 1 : 2; times > 0; times--)
            CHECK_INT(alone ? world->stage->type->shard_restore(world->stage, shard, text_view(&stored->bytes),
                                                                &world->test.err)
                            : world->stage->type->restore(world->stage, text_view(&stored->bytes), &world->test.err),
                      E_OK);
    }
}

/* Stop without a word; start again with as many shards, or with others. */
static void crash(struct world *world)
{
    int32_t shards = world->stage->shards;
    stage_close(world);
    stage_open(world);
    bool same = world->stage->shards == shards;
    for (int32_t s = 0; s < shards; s++)
        restore_shard(world, s, same && one_in(2));
    if (same)
        return;
    stored_clear(world);
    for (int32_t s = 0; s < world->stage->shards; s++)
        store_shard(world, s, true);
}

static void store(struct world *world)
{
    for (int32_t s = 0; s < world->stage->shards; s++) {
        store_shard(world, s, false);
        if (one_in(4))
            store_shard(world, s, true);
    }
    if (one_in(3))
        crash(world);
}

static enum code count_rows(void *context, struct batch *out, struct error *err)
{
    (void)err;
    batch_check(out);
    *(int64_t *)context += out->rows;
    return E_OK;
}

static void check_state(struct world *world)
{
    int64_t shown = 0;
    const struct emit emit = {count_rows, &shown};
    for (int32_t s = 0; s < world->stage->shards; s++)
        CHECK_INT(world->stage->type->shard_show(world->stage, s, &emit, &world->test.err), E_OK);
    CHECK_INT(shown, world->model[0].count + world->model[1].count);
    CHECK_INT(stateful_entries(world->stage), world->model[0].count + world->model[1].count);
}

static void world_epoch(struct world *world, bool last)
{
    world->time.late_us = world->time.emit_us;
    int64_t reach_us = (world->time.epoch * 2 - 5 + below(4)) * SECOND_US + (one_in(2) ? 0 : below(SECOND_US));
    world->time.emit_us = last ? INT64_MAX : reach_us > world->time.late_us ? reach_us : world->time.late_us;
    feed(world);
    model_epoch(world);
    const struct emit emit = {collect, &world->got};
    for (int32_t s = world->stage->shards - 1; s >= 0; s--)
        if (!world->stage->type->shard_idle(world->stage, s, &world->time))
            CHECK_INT(world->stage->type->shard_merge(world->stage, s, &world->time, &emit, &world->test.counts,
                                                      &world->test.err),
                      E_OK);
    world->stage->type->lanes_clear(world->stage);
    check_lines("random", world->time.epoch, &world->got, &world->want);
    lines_clear(&world->got);
    lines_clear(&world->want);
    store(world);
    check_state(world);
    if (!last && one_in(4))
        spill(world);
    world->time.epoch++;
}

static void world_run(void)
{
    struct world *world = mem_new(struct world);
    set_up(&world->test);
    random_spec(world);
    stage_open(world);
    for (int64_t epochs = 3 + below(20); epochs > 0; epochs--)
        world_epoch(world, epochs == 1);
    const struct operator_counts *counts = &world->test.counts;
    CHECK_INT(counts->late, world->wanted_late);
    CHECK_INT(counts->in, counts->aggregated + counts->late + counts->filtered + counts->null_time + counts->rejected);
    CHECK_INT(stateful_entries(world->stage), 0);
    stage_close(world);
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        mem_free(world->model[s].rows);
    lines_free(&world->got);
    lines_free(&world->want);
    stored_clear(world);
    mem_free(world->stored);
    tear_down(&world->test);
    mem_free(world);
}

TEST(join_of_random_streams_is_that_of_a_model)
{
    for (int i = 0; i < 150; i++)
        world_run();
}

/* ---- single things ---- */

static const char *const small_ddl = "k STRING, t TIMESTAMP, v INT";

struct small {
    struct bench_of_one test;
    const struct type *schema;
    struct join_spec spec;
    struct stateful *stage;
    struct epoch_time time;
    struct lines got;
    struct budget budget;
};

static void small_open(struct small *small, enum join_type type, bool bounded)
{
    static const bool null_safe[] = {false};
    *small = (struct small){.time = {.late_us = INT64_MIN, .emit_us = INT64_MIN}};
    set_up(&small->test);
    small->schema = schema_of(&small->test, small_ddl);
    small->spec = (struct join_spec){.name = "small",
                                     .type = type,
                                     .key_count = 1,
                                     .null_safe = null_safe,
                                     .time_key = -1,
                                     .lanes = 1,
                                     .shards = 1,
                                     .budget = &small->budget};
    for (int32_t s = 0; s < JOIN_SIDES; s++) {
        const struct expr **keys = arena_array(&small->test.arena, const struct expr *, 1);
        keys[0] = column_expr(&small->test, small->schema, 0);
        small->spec.sides[s] =
            (struct join_side){.schema = small->schema, .keys = keys, .time_column = 1, .bounded = bounded};
    }
    struct text ddl = {0};
    text_printf(&ddl, "%s%s%s", small_ddl, type == JOIN_TYPE_SEMI ? "" : ", ", type == JOIN_TYPE_SEMI ? "" : small_ddl);
    small->spec.schema = schema_of(&small->test, ddl.data);
    text_free(&ddl);
}

static void small_start(struct small *small)
{
    CHECK_INT(join_new(&small->test.arena, &small->spec, &small->stage, &small->test.err), E_OK);
}

static void small_close(struct small *small)
{
    small->stage->type->free(small->stage);
    CHECK_INT(small->budget.used_bytes, 0);
    lines_free(&small->got);
    tear_down(&small->test);
}

static enum code small_feed(struct small *small, int32_t side, const char *const *keys, const int64_t *seconds,
                            const int64_t *values, int64_t count, struct selection *late)
{
    struct batch in;
    int64_t *times = mem_array(int64_t, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        times[i] = seconds[i] == NONE ? NONE : seconds[i] * SECOND_US;
    batch_init(&in, small->schema, count);
    put_strings(&in.columns[0], keys, count);
    put_ints(&in.columns[1], type_of(TYPE_TIMESTAMP), times, count);
    put_ints(&in.columns[2], type_of(TYPE_INT32), values, count);
    const struct lane_call call = {
        0, side, &small->test.session, &small->time, &small->test.rejects, late, &small->test.counts};
    enum code code = small->stage->type->lane_batch(small->stage, &call, &in, &small->test.err);
    batch_release(&in);
    mem_free(times);
    return code;
}

static void small_row(struct small *small, int32_t side, const char *key, int64_t second, int64_t value)
{
    CHECK_INT(small_feed(small, side, &key, &second, &value, 1, NULL), E_OK);
}

static enum code small_merge(struct small *small, int64_t watermark)
{
    const struct emit emit = {collect, &small->got};
    small->time.late_us = small->time.emit_us;
    small->time.emit_us = watermark == NONE ? NONE : watermark * SECOND_US;
    enum code code =
        small->stage->type->shard_merge(small->stage, 0, &small->time, &emit, &small->test.counts, &small->test.err);
    small->stage->type->lanes_clear(small->stage);
    small->time.epoch++;
    return code;
}

TEST(join_counts_pairs_whose_condition_fails)
{
    struct small small;
    small_open(&small, JOIN_TYPE_LEFT, true);
    struct bench_of_one *test = &small.test;
    const struct expr *left = expr_column(&test->expr, 2, &small.schema->fields[2], (struct position){0});
    const struct expr *right = expr_column(&test->expr, 5, &small.schema->fields[2], (struct position){0});
    small.spec.condition = call_expr(test, ">", call_expr(test, "/", left, right), int_expr(test, 1));
    small_start(&small);
    small_row(&small, 0, "a", 5, 6);
    small_row(&small, 1, "a", 5, 0); // 6 / 0
    small_row(&small, 1, "a", 6, 2);
    small_row(&small, 0, "b", 5, 6);
    small_row(&small, 1, "b", 5, 0);
    CHECK_INT(small_merge(&small, 5), E_OK);
    CHECK_INT(small.test.counts.overflown, 2);
    CHECK_INT(small.got.count, 2);
    lines_sort(&small.got);
    CHECK_STR(small.got.items[0], "a,1970-01-01 00:00:05,6,a,1970-01-01 00:00:06,2");
    CHECK_STR(small.got.items[1], "b,1970-01-01 00:00:05,6,NULL,NULL,NULL");
    small_close(&small);
}

TEST(join_rejects_rows_whose_key_or_predicate_fails_and_keys_too_long)
{
    struct small small;
    small_open(&small, JOIN_TYPE_INNER, true);
    struct bench_of_one *test = &small.test;
    const struct expr *value = column_expr(test, small.schema, 2);
    small.spec.sides[1].only = call_expr(test, ">", call_expr(test, "/", int_expr(test, 6), value), int_expr(test, 1));
    small_start(&small);
    char *key = mem_zero(STATE_KEY_MAX + 1);
    memset(key, 'k', STATE_KEY_MAX);
    const char *const keys[] = {"a", key, "a", "b"};
    CHECK_INT(small_feed(&small, 1, keys, (int64_t[]){1, 2, 3, 4}, (int64_t[]){0, 1, 1, 9}, 4, NULL), E_OK);
    CHECK_INT(small.test.counts.rejected, 2);
    CHECK_INT(small.test.counts.filtered, 1); // 6 / 9
    CHECK_INT(small.test.counts.aggregated, 1);
    CHECK_INT(small.test.rejects.count, 2);
    CHECK_INT(small.test.rejects.items[0].code, REJECT_DIVIDE_BY_ZERO);
    CHECK_INT(small.test.rejects.items[0].step % JOIN_SIDES, 1);
    CHECK_INT(small.test.rejects.items[1].code, REJECT_TOO_BIG);
    CHECK_INT(small.test.rejects.items[1].row, 1);
    (void)small.stage->type->position(small.stage, -1);
    mem_free(key);
    small_close(&small);
}

TEST(join_names_late_rows)
{
    struct small small;
    struct selection late = {0};
    small_open(&small, JOIN_TYPE_INNER, true);
    small_start(&small);
    small.time.late_us = 10 * SECOND_US;
    const char *const keys[] = {"a", "a", NULL, "a"};
    CHECK_INT(small_feed(&small, 0, keys, (int64_t[]){10, 11, 9, NONE}, (int64_t[]){1, 1, 1, 1}, 4, &late), E_OK);
    CHECK_INT(late.count, 2);
    CHECK_INT(late.rows[0], 0);
    CHECK_INT(late.rows[1], 2);
    CHECK_INT(small.test.counts.null_time, 1);
    selection_free(&late);
    small_close(&small);
}

TEST(join_of_one_key_comes_out_in_batches)
{
    enum { ROWS = 300 };
    struct small small;
    small_open(&small, JOIN_TYPE_INNER, true);
    small.spec.condition =
        call_expr(&small.test, "<=", expr_column(&small.test.expr, 2, &small.schema->fields[2], (struct position){0}),
                  expr_column(&small.test.expr, 5, &small.schema->fields[2], (struct position){0}));
    small_start(&small);
    for (int64_t i = 0; i < ROWS; i++) {
        small_row(&small, 0, "hot", i % 7, i);
        small_row(&small, 1, "hot", i % 5, i);
    }
    CHECK_INT(small_merge(&small, 3), E_OK);
    CHECK_INT(small.got.count, ROWS * (ROWS + 1) / 2);
    CHECK_INT(stateful_entries(small.stage), ROWS * 3 / 7 + ROWS / 5); // seconds above 3
    small_close(&small);
}

TEST(join_lets_matched_rows_of_a_semi_join_go)
{
    enum { ROUNDS = 60, ROWS = 1000 };
    struct small small;
    small_open(&small, JOIN_TYPE_SEMI, false);
    small_start(&small);
    small_row(&small, 0, "one that waits for its partner", 1, 1);
    size_t most = 0;
    for (int64_t round = 0; round < ROUNDS; round++) {
        char keys[ROWS][64];
        const char *list[ROWS];
        int64_t zeros[ROWS] = {0};
        for (int64_t i = 0; i < ROWS; i++) {
            snprintf(keys[i], sizeof keys[i], "key %" PRId64 " of round %" PRId64, i, round);
            list[i] = keys[i];
        }
        CHECK_INT(small_feed(&small, 0, list, zeros, zeros, ROWS, NULL), E_OK);
        CHECK_INT(small_merge(&small, NONE), E_OK);
        const char *again[ROWS];
        for (int64_t i = 0; i < ROWS; i++)
            again[i] = round == 0 ? "one that waits" : list[i]; // the first round's wait for ever
        CHECK_INT(small_feed(&small, 1, again, zeros, zeros, 1 + (round > 0) * (ROWS - 1), NULL), E_OK);
        CHECK_INT(small_merge(&small, NONE), E_OK);
        most = stateful_bytes(small.stage) > most ? stateful_bytes(small.stage) : most;
    }
    CHECK_INT(small.got.count, (ROUNDS - 1) * ROWS);
    small_row(&small, 1, "one that waits for its partner", 1, 1);
    CHECK_INT(small_merge(&small, NONE), E_OK);
    CHECK_INT(small.got.count, (ROUNDS - 1) * ROWS + 1);
    CHECK(most < (size_t)ROUNDS * ROWS * 250); // left rows do not pile up: right ones must
    small_close(&small);
}

TEST(join_stops_at_its_budget)
{
    struct small small;
    small_open(&small, JOIN_TYPE_INNER, true);
    small.budget.limit_bytes = 200000;
    small_start(&small);
    enum code code = E_OK;
    for (int64_t i = 0; code == E_OK && i < 100000; i++) {
        char key[32];
        const char *list = key;
        snprintf(key, sizeof key, "key %" PRId64, i);
        code = small_feed(&small, 0, &list, &(int64_t){i % 100}, &i, 1, NULL);
        if (code == E_OK && i % 100 == 99)
            code = small_merge(&small, NONE);
    }
    CHECK_INT(code, E_MEMORY);
    small_close(&small);
}

TEST(join_refuses_state_of_another_join_and_broken_rows)
{
    struct small small, other;
    struct text bytes = {0};
    small_open(&small, JOIN_TYPE_LEFT, true);
    small_start(&small);
    small_row(&small, 0, "a", 5, 6);
    small_row(&small, 0, NULL, 5, 6);
    CHECK_INT(small_merge(&small, 1), E_OK);
    CHECK_INT(small.stage->type->shard_delta(small.stage, 0, &bytes, &small.test.err), E_OK);
    small_open(&other, JOIN_TYPE_RIGHT, true);
    small_start(&other);
    CHECK_INT(other.stage->type->restore(other.stage, text_view(&bytes), &other.test.err), E_CHANGED);
    small_close(&other);
    for (size_t size = 1; size < bytes.size; size++) {
        small_open(&other, JOIN_TYPE_LEFT, true);
        small_start(&other);
        CHECK_INT(other.stage->type->restore(other.stage, bytes_of(bytes.data, size), &other.test.err), E_CORRUPT);
        small_close(&other);
    }
    text_free(&bytes);
    small_close(&small);
}

TEST(join_shows_what_it_keeps)
{
    struct small small;
    small_open(&small, JOIN_TYPE_FULL, true);
    small.spec.sides[0].shift_us = 2 * SECOND_US;
    small_start(&small);
    small_row(&small, 0, "a", 5, 6);
    small_row(&small, 1, "a", 7, 8);
    small_row(&small, 1, NULL, 9, 10);
    CHECK_INT(small_merge(&small, 1), E_OK);
    lines_clear(&small.got);
    const struct emit emit = {collect, &small.got};
    CHECK_INT(small.stage->type->shard_show(small.stage, 0, &emit, &small.test.err), E_OK);
    lines_sort(&small.got);
    CHECK_INT(small.got.count, 3);
    CHECK_STR(small.got.items[0],
              "left,a,1970-01-01 00:00:03,true,{\"k\":\"a\",\"t\":1970-01-01 00:00:05,\"v\":6},NULL");
    CHECK_STR(small.got.items[1],
              "right,NULL,1970-01-01 00:00:09,false,NULL,{\"k\":null,\"t\":1970-01-01 00:00:09,\"v\":10}");
    CHECK_STR(small.got.items[2],
              "right,a,1970-01-01 00:00:07,true,NULL,{\"k\":\"a\",\"t\":1970-01-01 00:00:07,\"v\":8}");
    small_close(&small);
}

TEST(join_refuses_what_it_cannot_do)
{
    struct small small;
    small_open(&small, JOIN_TYPE_ANTI, true);
    CHECK_INT(join_new(&small.test.arena, &small.spec, &small.stage, &small.test.err), E_UNSUPPORTED);
    small.spec.type = JOIN_TYPE_INNER;
    small.spec.key_count = 0;
    CHECK_INT(join_new(&small.test.arena, &small.spec, &small.stage, &small.test.err), E_UNSUPPORTED);
    tear_down(&small.test);
}
