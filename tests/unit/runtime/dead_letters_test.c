/* Letters are cut to what a topic takes; nothing of them is ever refused. */
#include "runtime/dead_letters.h"

#include "kit.h"
#include "runtime/quarantine_rows.h"

static void fill(struct builder *cell, const struct type *type, char *text)
{
    if (type->id == TYPE_STRING || type->id == TYPE_BINARY)
        builder_bytes(cell, bytes_of_string(text));
    else
        builder_null(cell);
}

/* One row of a quarantine, all of its texts that long. */
static struct batch row_of(struct arena *arena, size_t size)
{
    const struct type *schema = quarantine_schema(arena, false);
    char *text = mem_zero(size + 1);
    struct batch rows;
    memset(text, 'x', size);
    batch_init(&rows, schema, 1);
    for (int32_t i = 0; i < schema->field_count; i++) {
        struct builder b;
        builder_init(&b, schema->fields[i].type);
        fill(&b, schema->fields[i].type, text);
        builder_finish(&b, &rows.columns[i]);
        builder_release(&b);
    }
    mem_free(text);
    return rows;
}

struct letter {
    int64_t bytes, key, value, headers; /* sizes; headers: how many */
    bool key_null;
};

static struct letter letter_of(const struct batch *rows, const struct sink_record_limits *limits)
{
    struct arena arena = {0};
    struct batch letters;
    dead_letters_make(dead_letter_schema(&arena), "p", limits, rows, &letters);
    const struct column *key = &letters.columns[0], *value = &letters.columns[1], *list = &letters.columns[2];
    const struct column *parts = list->children[0].children;
    struct letter out = {.key_null = column_is_null(key, 0), .headers = column_offsets(list)[1]};
    out.key = out.key_null ? 0 : (int64_t)column_bytes_at(key, 0).size;
    out.value = (int64_t)column_bytes_at(value, 0).size;
    out.bytes = SINK_RECORD_FRAME + out.key + out.value;
    for (int64_t i = 0; i < out.headers; i++)
        out.bytes +=
            SINK_HEADER_FRAME + (int64_t)(column_bytes_at(&parts[0], i).size + column_bytes_at(&parts[1], i).size);
    batch_release(&letters);
    arena_free(&arena);
    return out;
}

TEST(letters_fit_whatever_the_limit)
{
    static const size_t sizes[] = {1, 100, 5000, 300000, 2000000};
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct batch rows = row_of(&arena, sizes[i]);
        for (int64_t most = 50; most <= 4000000; most += most / 7 + 1) {
            const struct sink_record_limits limits = {.bytes_max = most};
            struct letter letter = letter_of(&rows, &limits);
            CHECK(letter.bytes <= most);
            CHECK(most < 4000 || letter.headers > 5);
            CHECK(most < 4000 || letter.value >= (int64_t)(sizes[i] < 1000 ? sizes[i] : 1000));
        }
        batch_release(&rows);
    }
    arena_free(&arena);
}

TEST(letters_for_a_producer_that_says_nothing)
{
    struct arena arena = {0};
    const struct sink_record_limits unknown = {0};
    struct batch rows = row_of(&arena, 2000000);
    struct letter letter = letter_of(&rows, &unknown);
    CHECK(letter.bytes <= 1048576 && letter.value > 400000 && letter.key == DEAD_LETTER_KEY_MAX);
    batch_release(&rows);
    arena_free(&arena);
}

TEST(a_compacted_topic_gets_an_empty_key)
{
    struct arena arena = {0};
    const struct sink_record_limits any = {0}, compacted = {.needs_key = true};
    struct batch rows = row_of(&arena, 10);
    column_release(&rows.columns[QUARANTINE_KEY]);
    column_all_null(&rows.columns[QUARANTINE_KEY], rows.schema->fields[QUARANTINE_KEY].type, 1);
    CHECK(letter_of(&rows, &any).key_null);
    struct letter letter = letter_of(&rows, &compacted);
    CHECK(!letter.key_null && letter.key == 0);
    batch_release(&rows);
    arena_free(&arena);
}
