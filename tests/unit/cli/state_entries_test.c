/* Which entries `leat state --where` shows. */
#include "cli/state_entries.h"

#include <stdlib.h>

#include "kit.h"

struct shown {
    struct arena arena;
    const struct type *schema;
    struct batch batch;
};

/* id, window STRUCT<start, end>, left STRUCT<id, city>: (1, {..}, {7, "Ulm"}), (2, NULL, {1, NULL}) */
static void shown_open(struct shown *self)
{
    struct error err = {0};
    size_t position;
    *self = (struct shown){0};
    CHECK_INT(type_parse_ddl(&self->arena,
                             bytes_of_string("id BIGINT, window STRUCT<start: TIMESTAMP, end: TIMESTAMP>, "
                                             "left STRUCT<id: BIGINT, city: STRING>"),
                             &self->schema, &position, &err),
              E_OK);
    struct builder builders[3];
    for (int c = 0; c < 3; c++)
        builder_init(&builders[c], self->schema->fields[c].type);
    for (int64_t row = 0; row < 2; row++) {
        builder_int(&builders[0], row + 1);
        if (row == 0) {
            builder_int(&builders[1].children[0], 0);
            builder_int(&builders[1].children[1], 60 * 1000000);
            builder_close_struct(&builders[1]);
        } else {
            builder_null(&builders[1]);
        }
        builder_int(&builders[2].children[0], row == 0 ? 7 : 1);
        if (row == 0)
            builder_bytes(&builders[2].children[1], bytes_of_string("Ulm"));
        else
            builder_null(&builders[2].children[1]);
        builder_close_struct(&builders[2]);
    }
    batch_init(&self->batch, self->schema, 2);
    for (int c = 0; c < 3; c++) {
        builder_finish(&builders[c], &self->batch.columns[c]);
        builder_release(&builders[c]);
    }
}

static void shown_close(struct shown *self)
{
    batch_release(&self->batch);
    arena_free(&self->arena);
}

/* The rows that meet the conditions, as bits; -1: no such column. */
static int matches(const struct shown *self, const char *const *where, int32_t count)
{
    struct strings strings = {.items = (const char **)(uintptr_t)where, .count = count};
    struct entry_filter filter;
    struct error err = {0};
    int rows = 0;
    CHECK_INT(entry_filter_parse(&strings, &filter, &err), E_OK);
    for (int64_t row = 0; row < self->batch.rows; row++)
        rows |= entry_matches(&filter, &self->batch, row, zone_utc()) << row;
    if (entry_filter_missing(&filter, self->schema) != NULL)
        rows = -1;
    entry_filter_free(&filter);
    return rows;
}

static int matches_one(const struct shown *self, const char *where) { return matches(self, &where, 1); }

TEST(a_column_is_found_by_name_by_path_and_inside_structs)
{
    struct shown shown;
    shown_open(&shown);
    CHECK_INT(matches_one(&shown, "id=1"), 1); // the one at the top, not left.id
    CHECK_INT(matches_one(&shown, "ID=2"), 2);
    CHECK_INT(matches_one(&shown, "left.id=1"), 2);
    CHECK_INT(matches_one(&shown, "city=Ulm"), 1);
    CHECK_INT(matches_one(&shown, "city=NULL"), 2);
    CHECK_INT(matches_one(&shown, "window.start=1970-01-01 00:00:00"), 1);
    CHECK_INT(matches_one(&shown, "end=1970-01-01 00:01:00"), 1);
    CHECK_INT(matches_one(&shown, "window=NULL"), 2);
    CHECK_INT(matches_one(&shown, "left={7, Ulm}"), 1);
    CHECK_INT(matches_one(&shown, "id=3"), 0);
    CHECK_INT(matches_one(&shown, "town=Ulm"), -1);
    CHECK_INT(matches_one(&shown, "window.city=Ulm"), -1);
    CHECK_INT(matches_one(&shown, "i=1"), -1);
    shown_close(&shown);
}

TEST(all_conditions_must_hold)
{
    struct shown shown;
    shown_open(&shown);
    CHECK_INT(matches(&shown, (const char *const[]){"id=1", "city=Ulm"}, 2), 1);
    CHECK_INT(matches(&shown, (const char *const[]){"id=2", "city=Ulm"}, 2), 0);
    CHECK_INT(matches(&shown, NULL, 0), 3);
    shown_close(&shown);
}

TEST(a_condition_without_equals_sign_is_refused)
{
    static const char *const bad[] = {"id", "=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct strings strings = {.items = (const char **)(uintptr_t)&bad[i], .count = 1};
        struct entry_filter filter;
        struct error err = {0};
        CHECK_INT(entry_filter_parse(&strings, &filter, &err), E_USAGE);
        CHECK(strstr(err.text, "COLUMN=VALUE") != NULL);
        entry_filter_free(&filter);
    }
}

static const char *as_text(const struct shown *shown, bool json, int64_t limit, struct text *out)
{
    struct strings none = {0};
    struct entry_filter filter;
    struct entries entries = {0};
    struct error err = {0};
    CHECK_INT(entry_filter_parse(&none, &filter, &err), E_OK);
    const struct entries_spec spec = {"join of x", shown->schema, zone_utc(), &filter, limit, json};
    CHECK_INT(entries_open(&entries, &spec, &err), E_OK);
    CHECK_INT(entries_add(&entries, &shown->batch, &err), E_OK);
    CHECK_INT(entries.matched, 2);
    entries_print(&entries, out);
    entries_close(&entries);
    entry_filter_free(&filter);
    return out->data;
}

TEST(entries_come_as_a_table_or_as_lines)
{
    struct shown shown;
    struct text table = {0}, lines = {0};
    shown_open(&shown);
    CHECK(strstr(as_text(&shown, false, 1, &table), "only showing top 1 row") != NULL);
    CHECK(strstr(table.data, "|1  |{1970-01-01 00:00:00, 1970-01-01 00:01:00}|{7, Ulm}|") != NULL);
    CHECK_STR(as_text(&shown, true, 1, &lines),
              "{\"operator\":\"join of x\",\"entry\":{\"id\":1,\"window\":{\"start\":\"1970-01-01T00:00:00.000Z\","
              "\"end\":\"1970-01-01T00:01:00.000Z\"},\"left\":{\"id\":7,\"city\":\"Ulm\"}}}\n");
    text_free(&table);
    text_free(&lines);
    shown_close(&shown);
}
