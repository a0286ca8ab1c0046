/* s3.c - the store in a bucket: s3://bucket/prefix, and s3a:// as Spark's users write it.
 *
 * put_new(path)     PUT with If-None-Match: * and a random number in x-amz-meta-leat
 *   200             won
 *   412             the name is taken: by an attempt of ours whose answer was lost (the number there is ours: won), or by
 *                   another (lost)
 *   409, 5xx, none  the same PUT again, until one of the above; at last unknown, E_BROKER: the caller reads
 * claim(from, to)   get, put_new, remove: a bucket has no rename, and what is claimed is a record, a few KiB
 *
 * Assumed of the server, and where we lean on it
 *   A1  a PUT with If-None-Match is refused when the name is taken, also by one that is under way      put_new; probed
 *   A2  what was answered with 200 is durable, and every later get and list shows it                  everywhere
 *   A3  an upload that was not completed shows in no list of objects, and lasts until it is
 *       completed or aborted                                                                          s3_stage.c
 *
 * Locks             there are none: any process may believe it owns the checkpoint, and put_new of the next record of the chain
 *                   ends that belief (exactly-once.md, 7). store_lock only keeps this process from taking a name twice
 * Folders           are prefixes of names; nothing is made or synced for them
 */
#include "store/s3.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/os.h"

enum { CHECK_BLOCK_BYTES = 8 << 20, PROBE_TRIES = 3 };

#define PROBE_OLD_US ((int64_t)10 * 60 * 1000000)

enum code s3_key(const struct s3_store *store, const char *path, char *out, struct error *err)
{
    TRY(store_path_check(store->base.root, path, err));
    int size = snprintf(out, S3_KEY_MAX + 1, "%s%s", store->prefix, path);
    if (size > S3_KEY_MAX)
        return fail(err, E_SPEC, "%s/%s: S3 takes names of at most %d bytes, this one has %d", store->base.root, path,
                    S3_KEY_MAX, size);
    return E_OK;
}

/* ---- putting ---- */

static void number_print(char out[17]) { snprintf(out, 17, "%016" PRIx64, os_random()); }

/* 412: is it ours? */
static enum code whose(struct s3_client *client, const char *key, const char *number, struct error *err)
{
    const struct s3_call head = {.method = "HEAD", .key = key};
    struct s3_reply reply;
    enum code code = s3_do(client, &head, &reply, err);
    if (code == E_OK) {
        bool ours = bytes_equal_string(http_answer_header(&reply.answer, "x-amz-meta-leat"), number);
        s3_reply_free(&reply);
        if (ours)
            return E_OK;
    } else if (code != E_ABSENT) {
        return code; // unknown
    }
    error_clear(err); // gone again: it was taken all the same
    return fail(err, E_EXISTS, "s3://%s/%s exists", client->settings.bucket, key);
}

enum code s3_put_key(struct s3_store *store, const char *key, struct bytes content, bool over, struct error *err)
{
    char number[17];
    struct s3_reply reply;
    number_print(number);
    const struct s3_call put = {
        .method = "PUT",
        .key = key,
        .headers = {{"x-amz-meta-leat", number}, {over ? NULL : "if-none-match", "*"}},
        .body = content,
    };
    TRY(s3_send(store->client, &put, &reply, err));
    enum code code = s3_fine(&reply) ? E_OK : s3_refused(store->client, &put, &reply, err);
    s3_reply_free(&reply);
    if (code != E_EXISTS)
        return code;
    error_clear(err);
    return whose(store->client, key, number, err);
}

static enum code s3_put(struct store *base, const char *path, struct bytes content, bool over, struct error *err)
{
    char key[S3_KEY_MAX + 1];
    TRY(s3_key(s3_of(base), path, key, err));
    if (over)
        return s3_put_key(s3_of(base), key, content, true, err);
    FAULT(record_temp);
    FAULT_IO(record_put, err);
    TRY(s3_put_key(s3_of(base), key, content, false, err));
    FAULT_LOST(record_put, err);
    return E_OK;
}

static enum code s3_get(struct store *base, const char *path, size_t limit_bytes, struct text *out, struct error *err);

struct removal {
    char key[S3_KEY_MAX + 1];
    bool lost;
};

static enum code removal_prepare(struct removal *self, const struct s3_store *store, const char *path,
                                 struct s3_call *call, struct error *err)
{
    TRY(s3_key(store, path, self->key, err));
    FAULT_IO(gc_one, err);
    self->lost = FAULT_IS_LOST(gc_one);
    *call = (struct s3_call){.method = "DELETE", .key = self->key};
    return E_OK;
}

static enum code removal_settle(const struct removal *self, const struct s3_store *store, struct s3_exchange *sent,
                                struct error *err)
{
    enum code code = s3_settle(store->client, sent, err);
    if (code != E_OK && code != E_ABSENT)
        return code;
    error_clear(err);
    return self->lost ? fail(err, E_IO, "injected lost answer at gc_one") : E_OK;
}

/* Not by one DeleteObjects: that some of its names are refused is told in the answer's body, and servers differ in it. */
static enum code s3_remove_all(struct store *base, const char *const *paths, int32_t count, struct error *err)
{
    struct s3_store *store = s3_of(base);
    struct removal *removals = mem_array(struct removal, (size_t)count);
    struct s3_exchange *sent = mem_array(struct s3_exchange, (size_t)count);
    enum code code = E_OK;
    int32_t ready = 0;
    while (ready < count &&
           (code = removal_prepare(&removals[ready], store, paths[ready], &sent[ready].call, err)) == E_OK)
        ready++;
    s3_send_all(store->client, sent, ready);
    for (int32_t i = 0; i < ready; i++) {
        struct error why = {0};
        enum code one = removal_settle(&removals[i], store, &sent[i], &why);
        if (code == E_OK && one != E_OK) {
            *err = why;
            code = one;
        }
        s3_reply_free(&sent[i].reply);
    }
    mem_free(sent);
    mem_free(removals);
    return code;
}

static enum code s3_remove(struct store *base, const char *path, struct error *err)
{
    return s3_remove_all(base, &path, 1, err);
}

static enum code s3_claim(struct store *base, const char *from, const char *to, struct error *err)
{
    struct text content = {0};
    TRY(s3_get(base, from, S3_ANSWER_MAX, &content, err));
    enum code code = s3_put(base, to, text_view(&content), false, err);
    text_free(&content);
    TRY(code);
    struct error left = {0};
    if (s3_remove(base, from, &left) != E_OK) // it has its new name: that is what was asked for
        log_warn("%s/%s is left behind: %s", base->root, from, left.text);
    return E_OK;
}

/* ---- reading ---- */

static enum code s3_get(struct store *base, const char *path, size_t limit_bytes, struct text *out, struct error *err)
{
    char key[S3_KEY_MAX + 1];
    struct s3_reply reply;
    TRY(s3_key(s3_of(base), path, key, err));
    const struct s3_call call = {.method = "GET", .key = key, .answer_max = limit_bytes};
    enum code code = s3_do(s3_of(base)->client, &call, &reply, err);
    if (code == E_CORRUPT)
        return fail(err, E_CORRUPT, "%s/%s has more than %zu bytes", base->root, path, limit_bytes);
    TRY(code);
    text_add(out, reply.answer.body.data, reply.answer.body.size);
    s3_reply_free(&reply);
    return E_OK;
}

/* Bytes [offset, offset + size), or fewer at the object's end; of the object with that tag when `etag` is not empty. The tag is
 * given back, so that the next part comes from the same object. */
static enum code part_get(struct s3_store *store, const char *key, int64_t offset, size_t size, char etag[S3_ETAG_MAX],
                          struct text *out, struct error *err)
{
    char range[64];
    struct s3_reply reply;
    snprintf(range, sizeof range, "bytes=%" PRId64 "-%" PRId64, offset, offset + (int64_t)size - 1);
    const struct s3_call call = {
        .method = "GET",
        .key = key,
        .headers = {{"range", range}, {etag[0] != '\0' ? "if-match" : NULL, etag}},
        .answer_max = size,
    };
    TRY(s3_send(store->client, &call, &reply, err));
    enum code code = E_OK;
    if (s3_fine(&reply)) {
        struct bytes tag = http_answer_header(&reply.answer, "etag");
        snprintf(etag, S3_ETAG_MAX, "%.*s", (int)tag.size, (const char *)tag.data);
        text_add(out, reply.answer.body.data, reply.answer.body.size);
    } else if (reply.answer.status != 416) { // 416: it ends before
        code = s3_refused(store->client, &call, &reply, err);
    }
    s3_reply_free(&reply);
    return code;
}

static enum code s3_read(struct store *base, const char *path, int64_t offset, size_t size, struct text *out,
                         struct error *err)
{
    char key[S3_KEY_MAX + 1], etag[S3_ETAG_MAX] = "";
    size_t before = out->size;
    TRY(s3_key(s3_of(base), path, key, err));
    if (size == 0) {
        int64_t ignored;
        return s3_head(s3_of(base), key, &ignored, err);
    }
    enum code code = part_get(s3_of(base), key, offset, size, etag, out, err);
    if (code == E_OK && out->size - before < size)
        code = fail(err, E_CORRUPT, "%s/%s ends %zu bytes before byte %lld", base->root, path,
                    size - (out->size - before), (long long)offset + (long long)size);
    if (code != E_OK && out->data != NULL)
        out->data[out->size = before] = '\0';
    return code;
}

static enum code s3_checksum(struct store *base, const char *path, uint64_t *out, struct error *err)
{
    char key[S3_KEY_MAX + 1], etag[S3_ETAG_MAX] = "";
    struct text part = {0};
    XXH64_state_t state;
    int64_t offset = 0;
    enum code code;
    TRY(s3_key(s3_of(base), path, key, err));
    XXH64_reset(&state, 0);
    do {
        text_clear(&part);
        code = part_get(s3_of(base), key, offset, CHECK_BLOCK_BYTES, etag, &part, err);
        if (part.size > 0)
            XXH64_update(&state, part.data, part.size);
        offset += (int64_t)part.size;
    } while (code == E_OK && part.size == CHECK_BLOCK_BYTES);
    text_free(&part);
    if (code == E_OK)
        *out = XXH64_digest(&state);
    return code;
}

/* Digits only, as HTTP writes a length. */
static bool length_parse(struct bytes text, int64_t *out)
{
    int64_t value = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return false;
    *out = value;
    return true;
}

enum code s3_head(struct s3_store *store, const char *key, int64_t *size_bytes, struct error *err)
{
    const struct s3_call call = {.method = "HEAD", .key = key};
    struct s3_reply reply;
    TRY(s3_do(store->client, &call, &reply, err));
    bool fine = length_parse(http_answer_header(&reply.answer, "content-length"), size_bytes);
    s3_reply_free(&reply);
    return fine ? E_OK
                : fail(err, E_BROKER, "HEAD s3://%s/%s: the answer has no length", store->client->settings.bucket, key);
}

static enum code s3_size(struct store *base, const char *path, int64_t *out, struct error *err)
{
    char key[S3_KEY_MAX + 1];
    TRY(s3_key(s3_of(base), path, key, err));
    return s3_head(s3_of(base), key, out, err);
}

static enum code s3_free_bytes(struct store *base, int64_t *out, struct error *err)
{
    (void)base, (void)err;
    *out = INT64_MAX;
    return E_OK;
}

/* Every answer of before was durable already, and a put leaves nothing half done. */
static enum code s3_nothing(struct store *base, const char *folder, struct error *err)
{
    (void)base, (void)folder, (void)err;
    return E_OK;
}

/* What a process left that died while it tried the server. */
static enum code own_remove(struct s3_store *store, const char *folder, int64_t before_us, struct error *err)
{
    struct store_list list;
    TRY(s3_list_own(store, folder, &list, err));
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < list.count; i++)
        if (list.entries[i].modified_us < before_us)
            code = s3_remove(&store->base, list.entries[i].path, err);
    store_list_free(&list);
    return code;
}

static enum code s3_sweep(struct store *base, const char *folder, struct error *err)
{
    return own_remove(s3_of(base), folder, INT64_MAX, err);
}

static enum code s3_publish_sync(struct store *base, struct error *err) { return s3_nothing(base, "", err); }

/* ---- the lock: of this process only ---- */

static struct {
    pthread_mutex_t mutex;
    char **keys; /* "bucket/key" */
    int32_t count, capacity;
} locked = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool locked_take(const char *name)
{
    always(pthread_mutex_lock(&locked.mutex) == 0);
    bool found = false;
    for (int32_t i = 0; i < locked.count; i++)
        found |= strcmp(locked.keys[i], name) == 0;
    if (!found) {
        mem_grow(locked.keys, locked.capacity, locked.count + 1);
        locked.keys[locked.count++] = mem_strdup(name);
    }
    always(pthread_mutex_unlock(&locked.mutex) == 0);
    return !found;
}

static void locked_give(const char *name)
{
    always(pthread_mutex_lock(&locked.mutex) == 0);
    for (int32_t i = 0; i < locked.count; i++)
        if (strcmp(locked.keys[i], name) == 0) {
            mem_free(locked.keys[i]);
            locked.keys[i] = locked.keys[--locked.count];
            break;
        }
    if (locked.count == 0) {
        mem_free(locked.keys);
        locked.keys = NULL;
        locked.capacity = 0;
    }
    always(pthread_mutex_unlock(&locked.mutex) == 0);
}

static enum code s3_lock(struct store *base, const char *path, struct error *err)
{
    struct s3_store *store = s3_of(base);
    char key[S3_KEY_MAX + 1], name[S3_KEY_MAX + 128];
    TRY(s3_key(store, path, key, err));
    snprintf(name, sizeof name, "%s/%s", store->client->settings.bucket, key);
    for (int32_t i = 0; i < store->held_count; i++)
        if (strcmp(store->held[i], name) == 0)
            return E_OK;
    if (!locked_take(name))
        return fail(err, E_EXISTS, "s3://%s is held by this process already", name);
    mem_grow(store->held, store->held_capacity, store->held_count + 1);
    store->held[store->held_count++] = mem_strdup(name);
    return E_OK;
}

static int64_t s3_holder(struct store *base, const char *path)
{
    (void)base, (void)path;
    return 0; // it cannot be told
}

/* ---- opening ---- */

static bool s3_takes(const char *url) { return strncmp(url, "s3://", 5) == 0 || strncmp(url, "s3a://", 6) == 0; }

static void s3_close(struct store *base)
{
    struct s3_store *store = s3_of(base);
    for (int32_t i = 0; i < store->held_count; i++) {
        locked_give(store->held[i]);
        mem_free(store->held[i]);
    }
    mem_free(store->held);
    s3_client_release(store->client);
    mem_free(store->prefix);
    mem_free(base->root);
    mem_free(store);
}

/* s3://bucket/a/b/ -> "bucket", "a/b/" */
static enum code url_split(const char *url, char bucket[64], char **prefix, struct error *err)
{
    const char *at = strstr(url, "://") + 3, *slash = strchr(at, '/');
    size_t size = slash != NULL ? (size_t)(slash - at) : strlen(at);
    if (size == 0 || size > 63)
        return fail(err, E_SPEC, "%s: a bucket's name has 3 to 63 characters; write s3://bucket/prefix", url);
    memcpy(bucket, at, size);
    bucket[size] = '\0';
    const char *path = slash != NULL ? slash + 1 : "";
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    if (length > S3_KEY_MAX - 128)
        return fail(err, E_SPEC, "%s: the prefix has %zu bytes, which leaves no room for names", url, length);
    char *out = mem_zero(length + 2);
    memcpy(out, path, length);
    if (store_path_check(url, out, err) != E_OK) {
        mem_free(out);
        return err->code;
    }
    if (length > 0)
        out[length] = '/';
    *prefix = out;
    return E_OK;
}

static enum code s3_check(const char *url, struct error *err)
{
    char bucket[64], *prefix = NULL;
    struct s3_settings settings;
    TRY(url_split(url, bucket, &prefix, err));
    mem_free(prefix);
    TRY(s3_settings_read(bucket, &settings, err));
    s3_settings_free(&settings);
    return E_OK;
}

static enum code s3_look(const char *url, struct store **out, struct error *err)
{
    char bucket[64], *prefix = NULL;
    struct s3_client *client = NULL;
    TRY(url_split(url, bucket, &prefix, err));
    enum code code = s3_client_retain(bucket, &client, err);
    if (code != E_OK) {
        mem_free(prefix);
        return code;
    }
    struct s3_store *store = mem_new(struct s3_store);
    struct text root = {0};
    size_t size = strlen(url);
    while (size > 0 && url[size - 1] == '/')
        size--;
    text_add(&root, url, size);
    store->base = (struct store){&s3_store, text_take(&root)};
    store->client = client;
    store->prefix = prefix;
    *out = &store->base;
    return E_OK;
}

static enum code probe_refused(const struct s3_store *store, struct error *err)
{
    return fail(
        err, E_UNSUPPORTED,
        "%s: the server at %s lets a second writer replace an object: it does not know PUT with "
        "If-None-Match. Without that two processes could commit the same records. Use a server that does: S3 itself, MinIO "
        "or Ceph of 2024 and later, versitygw",
        store->base.root, store->client->settings.endpoint);
}

/* E_EXISTS: as it should be. The first one is removed. */
static enum code probe_once(struct s3_store *store, struct error *err)
{
    char path[64], key[S3_KEY_MAX + 1];
    snprintf(path, sizeof path, ".probe.%016" PRIx64 ".tmp", os_random());
    TRY(s3_key(store, path, key, err));
    TRY(s3_put_key(store, key, bytes_of("1", 1), false, err));
    enum code code = s3_put_key(store, key, bytes_of("2", 1), false, err);
    struct s3_reply reply;
    struct error second = {0};
    const struct s3_call clean = {.method = "DELETE", .key = key};
    if (s3_do(store->client, &clean, &reply, &second) == E_OK)
        s3_reply_free(&reply);
    else
        log_debug("s3://%s/%s stays until it is swept: %s", store->client->settings.bucket, key, second.text);
    return code;
}

/* Rule 8: two puts of one name, the second must be refused. That it was not once may mean that another process, which started
 * too, swept the first away in between; a server that cannot refuse does so every time. */
static enum code probe_keys(struct s3_store *store, struct error *err)
{
    enum code code = E_OK;
    for (int i = 0; code == E_OK && i < PROBE_TRIES; i++)
        code = probe_once(store, err);
    if (code == E_OK)
        return probe_refused(store, err);
    if (code != E_EXISTS)
        return code;
    error_clear(err);
    return own_remove(store, "", os->clock_wall_us() - PROBE_OLD_US, err);
}

static enum code probe(struct s3_store *store, struct error *err)
{
    struct s3_client *client = store->client;
    lock_take(&client->lock);
    bool done = client->probed;
    lock_give(&client->lock);
    if (done)
        return E_OK;
    TRY(probe_keys(store, err));
    lock_take(&client->lock);
    client->probed = true;
    lock_give(&client->lock);
    return E_OK;
}

static enum code s3_open(const char *url, struct store **out, struct error *err)
{
    struct store *store = NULL;
    TRY(s3_look(url, &store, err));
    enum code code = probe(s3_of(store), err);
    if (code != E_OK) {
        s3_close(store);
        return error_note(err, "cannot use %s", url);
    }
    *out = store;
    return E_OK;
}

const struct store_type s3_store = {
    .name = "s3",
    .takes = s3_takes,
    .check = s3_check,
    .open = s3_open,
    .look = s3_look,
    .close = s3_close,
    .put = s3_put,
    .claim = s3_claim,
    .get = s3_get,
    .read = s3_read,
    .read_spans = s3_read_spans,
    .checksum = s3_checksum,
    .size = s3_size,
    .list = s3_list,
    .remove = s3_remove,
    .remove_all = s3_remove_all,
    .sync = s3_nothing,
    .sweep = s3_sweep,
    .lock = s3_lock,
    .holder = s3_holder,
    .free_bytes = s3_free_bytes,
    .stage_open = s3_stage_open,
    .stage_write = s3_stage_write,
    .stage_finish = s3_stage_finish,
    .stage_finish_all = s3_stage_finish_all,
    .stage_abandon = s3_stage_abandon,
    .publish = s3_publish,
    .publish_all = s3_publish_all,
    .publish_sync = s3_publish_sync,
    .discard = s3_discard,
    .has_staged = s3_has_staged,
    .list_staged = s3_list_staged,
};
