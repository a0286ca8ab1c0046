/* files_place.c - a file is opened and read, wherever it lies. */
#include "source/files_place.h"

#include <stdio.h>

#include "base/os.h"

static const char s3_scheme[] = "s3://";

bool place_is_remote(const char *path) { return strncmp(path, s3_scheme, sizeof s3_scheme - 1) == 0; }

enum code place_bucket(const char *path, struct store **out, const char **key, struct error *err)
{
    char root[128];
    const char *bucket = path + sizeof s3_scheme - 1, *slash = strchr(bucket, '/');
    size_t size = slash != NULL ? (size_t)(slash - path) : strlen(path);
    snprintf(root, sizeof root, "%.*s", (int)(size < sizeof root ? size : sizeof root - 1), path);
    TRY(store_look(root, out, err));
    *key = slash != NULL ? slash + 1 : path + size;
    return E_OK;
}

static enum code remote_open(struct place *place, const char *path, int64_t size_bytes, int64_t modified_us,
                             struct budget *budget, struct error *err)
{
    struct store *store = NULL;
    const char *key;
    TRY(place_bucket(path, &store, &key, err));
    char *name = mem_strdup(key);
    enum code code =
        store_reader_open(store, &(struct store_entry){name, size_bytes, modified_us}, budget, &place->reader, err);
    mem_free(name);
    if (code != E_OK) {
        store_close(store);
        return code;
    }
    place->store = store;
    place->size_bytes = store_reader_size(place->reader);
    return E_OK;
}

static enum code local_open(struct place *place, const char *path, int64_t size_bytes, int64_t modified_us,
                            struct error *err)
{
    struct os_stat stat;
    TRY(os->stat(path, &stat, err));
    if (size_bytes >= 0 && stat.size_bytes != size_bytes)
        return fail(err, E_LOST, "%s has another size by now", path);
    if (modified_us != 0 && stat.modified_us != modified_us)
        return fail(err, E_LOST, "%s was changed", path);
    TRY(os->file_open(path, OS_READ, &place->handle, err));
    place->size_bytes = stat.size_bytes;
    return E_OK;
}

enum code place_open(struct place *place, const char *path, int64_t size_bytes, int64_t modified_us,
                     struct budget *budget, struct error *err)
{
    struct place opened = {0};
    TRY(place_is_remote(path) ? remote_open(&opened, path, size_bytes, modified_us, budget, err)
                              : local_open(&opened, path, size_bytes, modified_us, err));
    opened.open = true;
    *place = opened;
    return E_OK;
}

static enum code remote_read(struct place *place, int64_t offset, void *out, size_t size, struct error *err)
{
    enum code code = store_reader_read(place->reader, offset, out, size, err);
    if (code != E_ABSENT)
        return code;
    const struct error why = *err;
    return fail(err, E_LOST, "%s: it was removed before it was read", why.text);
}

enum code place_read(struct place *place, int64_t offset, void *out, size_t size, size_t *got, struct error *err)
{
    if (place->reader == NULL)
        return os->file_read(place->handle, offset, out, size, got, err);
    TRY(remote_read(place, offset, out, size, err));
    *got = size;
    return E_OK;
}

enum code place_read_exactly(void *context, int64_t offset, void *out, size_t size, struct error *err)
{
    size_t got;
    TRY(place_read(context, offset, out, size, &got, err));
    return got == size ? E_OK : fail(err, E_LOST, "it became shorter while it was read");
}

static enum code expect(void *context, const struct parquet_span *spans, int32_t count, struct error *err)
{
    struct place *place = context;
    struct store_span *wanted = mem_array(struct store_span, (size_t)count + 1);
    for (int32_t i = 0; i < count; i++)
        wanted[i] = (struct store_span){spans[i].offset, spans[i].size_bytes};
    enum code code = store_reader_expect(place->reader, wanted, count, err);
    mem_free(wanted);
    return code;
}

void place_announce(struct place *place, struct parquet_reader *reader)
{
    if (place->reader != NULL)
        parquet_reader_announce(reader, expect);
}

void place_close(struct place *place)
{
    struct error ignored = {0};
    if (place->reader != NULL) {
        store_reader_close(place->reader);
        store_close(place->store);
    } else if (place->open) {
        (void)!os->file_close(place->handle, &ignored);
    }
    *place = (struct place){0};
}
