#include <stdio.h>
#include <stdlib.h>

#include "format/format.h"
#include "format/json_encode.h"
#include "kit.h"

/* ---- helpers of this file ---- */

static struct column payload_of(const struct bytes *rows, int64_t count)
{
    struct builder builder;
    struct column col;
    builder_init(&builder, type_of(TYPE_BINARY));
    for (int64_t i = 0; i < count; i++)
        if (rows[i].data == NULL)
            builder_null(&builder);
        else
            builder_bytes(&builder, rows[i]);
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static const struct type *schema_of(struct arena *arena, const char *ddl)
{
    const struct type *type = NULL;
    size_t position;
    struct error err = {0};
    if (type_parse_ddl(arena, bytes_of_string(ddl), &type, &position, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", ddl, err.text);
    return type;
}

static void decode(const struct decoder_spec *spec, const struct column *payload, struct column *out, struct rejects *rejects)
{
    const struct decoder_type *type = decoder_find("json");
    struct error err = {0};
    void *decoder = mem_zero(type->size);
    if (type->open(decoder, spec, &err) != E_OK || type->decode(decoder, payload, out, rejects, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    type->close(decoder);
    mem_free(decoder);
    column_check(out);
}

/* Decode rows and show row `row` as JSON with its NULL fields; the caller frees. */
static char *decoded_row(const char *ddl, const struct bytes *rows, int64_t count, int64_t row, int simd)
{
    struct arena arena = {0};
    struct rejects rejects = {0};
    struct decoder_spec spec = {.schema = schema_of(&arena, ddl), .corrupt_column = "_corrupt_record", .zone = zone_utc(), .simd = simd};
    struct column payload = payload_of(rows, count), out;
    decode(&spec, &payload, &out, &rejects);
    struct json_writer writer = {.keep_nulls = true};
    struct text shown = {0};
    json_write(&writer, &out, row, &shown);
    column_release(&payload);
    column_release(&out);
    rejects_free(&rejects);
    arena_free(&arena);
    return text_take(&shown);
}

static void check_row(const char *ddl, struct bytes payload, const char *want)
{
    for (int simd = -1; simd <= 0; simd++) {
        char *got = decoded_row(ddl, &payload, 1, 0, simd);
        if (strcmp(got, want) != 0)
            kit_fail(__FILE__, __LINE__, "%s\n  from %.*s\n  is   %s\n  not  %s (simd %d)", ddl,
                     (int)(payload.size < 300 ? payload.size : 300), (const char *)payload.data, got, want, simd);
        mem_free(got);
    }
}

#define CHECK_JSON(ddl, payload, want) check_row(ddl, bytes_of_string(payload), want)

/* ---- what Spark answers ---- */

static size_t unescape(char *text)
{
    char *to = text;
    for (char *p = text; *p != 0; to++) {
        if (*p != '\\') {
            *to = *p++;
        } else if (p[1] == 'x') {
            char hex[3] = {p[2], p[3], 0};
            *to = (char)strtol(hex, NULL, 16);
            p += 4;
        } else {
            *to = p[1];
            p += 2;
        }
    }
    *to = 0;
    return (size_t)(to - text);
}

TEST(from_json_answers_as_spark_does)
{
    FILE *file = fopen("tests/unit/format/from_json.golden", "r");
    static char line[1 << 16], schema[1 << 12], payload[1 << 16];
    size_t payload_size = 0;
    int count = 0;
    CHECK(file != NULL);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "schema ", 7) == 0) {
            memcpy(schema, line + 7, strlen(line + 7) + 1);
        } else if (strncmp(line, "in  ", 4) == 0) {
            payload_size = unescape(line + 4);
            memcpy(payload, line + 4, payload_size);
        } else if (strncmp(line, "out ", 4) == 0) {
            unescape(line + 4);
            check_row(schema, bytes_of(payload, payload_size), line + 4);
            count++;
        }
    }
    if (file != NULL)
        fclose(file);
    CHECK(count > 500);
}
