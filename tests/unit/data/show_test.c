#include "data/data.h"
#include "kit.h"

static struct batch people(struct arena *arena, int rows)
{
    struct error err = {0};
    const struct type *schema;
    size_t position;
    struct builder id, name;
    struct batch batch;
    CHECK_INT(type_parse_ddl(arena, bytes_of_string("id INT, name STRING"), &schema, &position, &err), E_OK);
    builder_init(&id, type_of(TYPE_INT32));
    builder_init(&name, type_of(TYPE_STRING));
    for (int i = 0; i < rows; i++) {
        builder_int(&id, i);
        if (i == 0)
            builder_bytes(&name, bytes_of_string("a\tname that is longer than twenty"));
        else if (i == 1)
            builder_bytes(&name, bytes_of_string("caf\xc3\xa9 \xff"));
        else
            builder_null(&name);
    }
    batch_init(&batch, schema, rows);
    builder_finish(&id, &batch.columns[0]);
    builder_finish(&name, &batch.columns[1]);
    builder_release(&id);
    builder_release(&name);
    return batch;
}

static void check_show(int rows, int64_t rows_max, int truncate, const char *want)
{
    struct arena arena = {0};
    struct batch batch = people(&arena, rows);
    struct text out = {0};
    struct show show;
    show_init(&show, batch.schema, zone_utc(), rows_max, truncate);
    show_add(&show, &batch);
    show_print(&show, &out);
    CHECK_STR(out.data, want);
    show_close(&show);
    text_free(&out);
    batch_release(&batch);
    arena_free(&arena);
}

TEST(tables_look_as_sparks_show)
{
    check_show(4, 3, 20,
               "+---+--------------------+\n"
               "| id|                name|\n"
               "+---+--------------------+\n"
               "|  0|a\\tname that is l...|\n"
               "|  1|           caf\xc3\xa9 \\xFF|\n"
               "|  2|                NULL|\n"
               "+---+--------------------+\n"
               "only showing top 3 rows\n");
    check_show(1, 20, 0,
               "+---+----------------------------------+\n"
               "|id |name                              |\n"
               "+---+----------------------------------+\n"
               "|0  |a\\tname that is longer than twenty|\n"
               "+---+----------------------------------+\n");
    check_show(0, 20, 20, "+---+----+\n| id|name|\n+---+----+\n+---+----+\n");
}
