/* Files of a source in S3, where LEAT_TEST_S3 names a folder in a bucket (tests/interop/s3_read_test.py does, with
 * AWS_ENDPOINT_URL and keys beside it): which objects match a path, their lines, and objects that change. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/os.h"
#include "kit.h"
#include "source/source.h"

struct bucket {
    char url[512];
    struct store *store;
    struct error err;
};

static bool bucket_open(struct bucket *b)
{
    const char *place = getenv("LEAT_TEST_S3");
    *b = (struct bucket){0};
    if (place == NULL) {
        kit_skip("LEAT_TEST_S3 is not set");
        return false;
    }
    snprintf(b->url, sizeof b->url, "%s/%016" PRIx64, place, os_random());
    CHECK_INT(store_open(b->url, &b->store, &b->err), E_OK);
    return b->store != NULL;
}

static void put(struct bucket *b, const char *name, const char *content)
{
    CHECK_INT(store_put_over(b->store, name, bytes_of_string(content), &b->err), E_OK);
}

struct reading {
    const struct source_type *type;
    void *self;
    struct source_ranges ranges;
    struct text read; /* "value|" of each record */
};

static enum code reading_open(struct reading *r, struct bucket *b, const char *pattern, bool partitioned)
{
    char path[700];
    const char *name = "path", *value = path;
    snprintf(path, sizeof path, "%s%s", b->url, pattern);
    *r = (struct reading){.type = source_find("text")};
    const struct source_spec spec = {
        .name = "in",
        .option_names = &name,
        .option_values = &value,
        .option_count = 1,
        .partitioned = partitioned,
        .needed = {[SOURCE_VALUE] = true, [SOURCE_TOPIC] = true},
    };
    r->self = mem_zero(r->type->size);
    TRY(r->type->open(r->self, &spec, &b->err));
    const struct source_ranges nothing = {0};
    TRY(r->type->discover(r->self, &nothing, &r->ranges, &b->err));
    r->ranges.items[0].to = r->ranges.items[0].latest;
    return r->type->seek(r->self, &r->ranges, &b->err);
}

static enum code reading_go_on(struct reading *r, struct bucket *b)
{
    text_add_string(&r->read, "");
    for (bool done = false; !done;) {
        struct batch batch = {0};
        TRY(r->type->fetch(r->self, &r->ranges, 0, &batch, &done, &b->err));
        for (int64_t row = 0; row < batch.rows; row++) {
            struct bytes value = column_bytes_at(&batch.columns[SOURCE_VALUE], row);
            text_add(&r->read, value.data, value.size);
            text_add_char(&r->read, '|');
        }
        batch_release(&batch);
    }
    return E_OK;
}

static void reading_close(struct reading *r)
{
    r->type->close(r->self);
    mem_free(r->self);
    source_ranges_free(&r->ranges);
    text_free(&r->read);
}

static void expect(struct bucket *b, const char *pattern, bool partitioned, const char *want)
{
    struct reading r;
    enum code code = reading_open(&r, b, pattern, partitioned);
    if (code == E_OK)
        code = reading_go_on(&r, b);
    if (code != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", pattern, b->err.text);
    else
        CHECK_STR(r.read.data, want);
    reading_close(&r);
}

static void refuse(struct bucket *b, const char *pattern, enum code want)
{
    struct reading r;
    CHECK_INT(reading_open(&r, b, pattern, false), want);
    reading_close(&r);
}

TEST(objects_match_a_path_as_files_do)
{
    struct bucket b;
    if (!bucket_open(&b))
        return;
    put(&b, "in/a.txt", "1\n2\n");
    put(&b, "in/b.txt", "3");
    put(&b, "in/empty.txt", "");
    put(&b, "in/_SUCCESS", "no\n");
    put(&b, "in/.hidden", "no\n");
    put(&b, "in/below/c.txt", "4\n");
    put(&b, "in/_below/c.txt", "no\n");
    expect(&b, "/in", false, "1|2|3|");
    expect(&b, "/in/", false, "1|2|3|");
    expect(&b, "/in/b.txt", false, "3|");
    expect(&b, "/in/[ab].t?t", false, "1|2|3|");
    expect(&b, "/in/*/c.txt", false, "4|");
    expect(&b, "/*/b.txt", false, "3|");
    expect(&b, "/in/be*", false, "4|");
    put(&b, "parted/day=1/a.txt", "5\n");
    put(&b, "parted/day=2/x=y/a.txt", "6\n");
    expect(&b, "/parted", true, "5|6|");
    refuse(&b, "/parted", E_UNSUPPORTED);
    refuse(&b, "/nowhere", E_ABSENT);
    refuse(&b, "/in/c.txt", E_ABSENT);
    store_close(b.store);
}

/* Larger than a block, and than what is read ahead at first. */
TEST(long_objects_are_read_line_by_line)
{
    struct bucket b;
    struct reading r;
    struct text content = {0}, want = {0};
    if (!bucket_open(&b))
        return;
    for (int i = 0; i < 500000; i++) {
        text_printf(&content, "line %d\n", i);
        text_printf(&want, "line %d|", i);
    }
    put(&b, "long.txt", content.data);
    CHECK_INT(reading_open(&r, &b, "/long.txt", false), E_OK);
    CHECK_INT(reading_go_on(&r, &b), E_OK);
    CHECK(bytes_equal(text_view(&r.read), text_view(&want)));
    reading_close(&r);
    text_free(&content);
    text_free(&want);
    store_close(b.store);
}

TEST(objects_that_change_before_they_are_read_are_lost)
{
    static const char *const later[] = {"another length\n", NULL};
    struct bucket b;
    if (!bucket_open(&b))
        return;
    for (int i = 0; i < 2; i++) {
        struct reading r;
        put(&b, "in/a.txt", "1\n");
        CHECK_INT(reading_open(&r, &b, "/in", false), E_OK);
        if (later[i] != NULL)
            put(&b, "in/a.txt", later[i]);
        else
            CHECK_INT(store_remove(b.store, "in/a.txt", &b.err), E_OK);
        CHECK_INT(reading_go_on(&r, &b), E_LOST);
        reading_close(&r);
    }
    store_close(b.store);
}
