#include "kit.h"

#include <stdio.h>

#include "base/os.h"
#include "runtime/state_file.h"

enum { PARTS = 5, HEAD_BYTES = 32, FILE_MAX = 1 << 20 };
static const char PATH[] = "state/0/0000000000000001-3.state";

static struct store *store_fresh(void)
{
    struct store *store = NULL;
    struct error err = {0};
    CHECK_INT(store_open(kit_tmpdir(), &store, &err), E_OK);
    return store;
}

/* PARTS bodies of 10, 20, ... bytes; every second one whole. */
static int64_t file_write(struct store *store)
{
    struct state_writer *writer = state_writer_new(store, PATH);
    struct error err = {0};
    int64_t size = 0;
    uint64_t checksum;
    for (int32_t i = 0; i < PARTS; i++) {
        const struct state_part part = {.shard = i, .shards = PARTS, .whole = i % 2 == 1};
        char body[PARTS * 10];
        memset(body, 'a' + i, sizeof body);
        CHECK_INT(state_writer_add(writer, &part, bytes_of(body, (size_t)(i + 1) * 10), &err), E_OK);
        CHECK_INT(state_writer_add(writer, &part, bytes_of(body, 0), &err), E_OK); // nothing
    }
    CHECK_INT(state_writer_finish(writer, &size, &checksum, &err), E_OK);
    return size;
}

TEST(parts_are_found_again)
{
    struct store *store = store_fresh();
    struct error err = {0};
    struct state_parts parts = {0};
    int64_t size = file_write(store);
    CHECK_INT(size, PARTS * HEAD_BYTES + 10 + 20 + 30 + 40 + 50);
    CHECK_INT(state_file_parts(store, PATH, size, &parts, &err), E_OK);
    CHECK_INT(parts.count, PARTS);
    for (int32_t i = 0; i < parts.count; i++) {
        struct text body = {0};
        const struct state_part *part = &parts.items[i];
        CHECK_INT(part->shard, i);
        CHECK_INT(part->shards, PARTS);
        CHECK_INT(part->whole, i % 2 == 1);
        CHECK_INT(part->size_bytes, (i + 1) * 10);
        CHECK_INT(store_read(store, PATH, part->offset, (size_t)part->size_bytes, &body, &err), E_OK);
        CHECK_INT(body.data[0], 'a' + i);
        CHECK_INT(body.data[body.size - 1], 'a' + i);
        text_free(&body);
    }
    state_parts_free(&parts);
    store_close(store);
}

TEST(an_epoch_that_changed_nothing_leaves_no_file)
{
    struct store *store = store_fresh();
    struct state_writer *writer = state_writer_new(store, PATH);
    struct error err = {0};
    int64_t size = -1;
    uint64_t checksum;
    CHECK_INT(state_writer_finish(writer, &size, &checksum, &err), E_OK);
    CHECK_INT(size, 0);
    CHECK_INT(store_size(store, PATH, &size, &err), E_ABSENT);
    store_close(store);
}

static enum code parts_read(struct store *store, int64_t size)
{
    struct error err = {0};
    struct state_parts parts = {0};
    enum code code = state_file_parts(store, PATH, size, &parts, &err);
    state_parts_free(&parts);
    return code;
}

TEST(a_file_of_another_size_or_a_damaged_head_is_corrupt)
{
    struct store *store = store_fresh();
    struct error err = {0};
    struct text file = {0};
    int64_t size = file_write(store);
    CHECK_INT(parts_read(store, size + 1), E_CORRUPT);
    CHECK_INT(store_get(store, PATH, FILE_MAX, &file, &err), E_OK);
    int64_t second = HEAD_BYTES + 10;
    for (int64_t at = second; at < second + HEAD_BYTES; at++) {
        char was = file.data[at];
        file.data[at] = (char)(was ^ 1 << kit_random() % 8);
        CHECK_INT(store_put_over(store, PATH, text_view(&file), &err), E_OK);
        CHECK_INT(parts_read(store, size), E_CORRUPT);
        file.data[at] = was;
    }
    text_free(&file);
    store_close(store);
}

TEST(a_file_of_frames_has_no_parts)
{
    struct store *store = store_fresh();
    struct error err = {0};
    CHECK_INT(store_put_over(store, PATH, bytes_of_string("LEST, a frame as version 1 of the chain had them"), &err),
              E_OK);
    CHECK_INT(parts_read(store, 48), E_ABSENT);
    CHECK_INT(store_put_over(store, PATH, bytes_of_string("LEST"), &err), E_OK);
    CHECK_INT(parts_read(store, 4), E_ABSENT);
    store_close(store);
}
