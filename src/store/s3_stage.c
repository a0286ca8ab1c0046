/* s3_stage.c - files that are written out of readers' sight, and appear whole under their final name.
 *
 * Path     a multipart upload to the final name: created with the first part, parts of S3_PART_BYTES, the last of any size.
 *          Not completed it shows in no list, and lasts. -> the commit record names it by its handle
 *          -> CompleteMultipartUpload with If-None-Match: *
 * Handle   <upload id> <ETag>,<ETag>,..     the ETags of its parts in order, without quotes. So any process can complete it.
 *          Small files are uploads of one part: as many requests as a staged object, a copy and its removal would be, and
 *          complete at once, so that a name can never come back after its file was published and removed
 * Plain    stage_open's file has its final name at once: one PUT when it is small, else an upload that is completed
 *
 *   crash here                              recovery does
 *   before the record                       the upload is garbage; the sink collects it once its epoch is another's
 *   after the record, before completing     store_publish completes it
 *   the answer to completing is lost        it is asked again: NoSuchUpload, and the name is there with the right size: done
 *   NoSuchUpload, and no such name          someone aborted or deleted it (a lifecycle rule of the bucket?): E_LOST
 *   two processes complete it               one wins; the other finds the name with the right size
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/log.h"
#include "store/s3.h"
#include "store/s3_xml.h"

enum { BLOCK_FIRST_BYTES = 64 << 10 };

struct s3_stage {
    struct stage base;
    char *key;
    bool plain;     /* from stage_open: complete at the end */
    uint8_t *block; /* the part that is being filled */
    size_t used, capacity;
    char *upload;      /* its id; NULL: not created yet */
    struct text etags; /* of the parts sent, comma between */
    int32_t parts;
};

static struct s3_stage *stage_of(struct stage *base) { return (struct s3_stage *)base; }

static void stage_free(struct s3_stage *stage)
{
    mem_free(stage->key);
    mem_free(stage->block);
    mem_free(stage->upload);
    text_free(&stage->etags);
    mem_free(stage);
}

/* An id or a tag goes into queries, records and XML: no character that would need care, but for what base64 has. */
static bool is_token(const char *text, size_t size, size_t limit)
{
    if (size == 0 || size > limit)
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr(",\"<>&", text[i]) != NULL)
            return false;
    return true;
}

/* ---- uploads ---- */

static void upload_id_take(void *context, const char *path, struct bytes text)
{
    char **upload = context;
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && *upload == NULL &&
        is_token((const char *)text.data, text.size, S3_UPLOAD_ID_MAX)) {
        *upload = mem_zero(text.size + 1);
        memcpy(*upload, text.data, text.size);
    }
}

static void upload_query(const char *upload, struct text *out)
{
    text_add_string(out, "uploadId=");
    http_encode(bytes_of_string(upload), false, out);
}

/* Best effort: after another error, which is the one to tell, or when there is nobody to tell. E_OK: it is not there. */
static enum code upload_abort(struct s3_client *client, const char *key, const char *upload, struct error *err)
{
    struct text query = {0};
    struct s3_reply reply;
    upload_query(upload, &query);
    const struct s3_call call = {.method = "DELETE", .key = key, .query = query.data};
    enum code code = s3_do(client, &call, &reply, err);
    text_free(&query);
    if (code == E_OK)
        s3_reply_free(&reply);
    else if (code != E_ABSENT)
        return code;
    error_clear(err);
    return E_OK;
}

/* What one of many requests is about. */
struct errand {
    struct s3_stage *stage;
    struct text query;
    bool lost; /* its answer is, as a test wants it */
};

static enum code create_prepare(struct errand *self, struct s3_call *call, struct error *err)
{
    FAULT_IO(stage_open, err);
    self->lost = FAULT_IS_LOST(stage_open);
    *call = (struct s3_call){.method = "POST", .key = self->stage->key, .query = "uploads="};
    return E_OK;
}

static enum code create_settle(struct errand *self, struct s3_client *client, const struct s3_exchange *sent,
                               struct error *err)
{
    struct s3_stage *stage = self->stage;
    TRY(xml_walk(text_view(&sent->reply.answer.body), upload_id_take, &stage->upload, err));
    if (stage->upload == NULL)
        return fail(err, E_BROKER, "s3://%s/%s: the server began an upload and gave no id", client->settings.bucket,
                    stage->key);
    return self->lost ? fail(err, E_IO, "injected lost answer at stage_open") : E_OK;
}

static enum code etag_add(struct s3_stage *stage, const struct s3_reply *reply, struct error *err)
{
    struct bytes tag = http_answer_header(&reply->answer, "etag");
    if (tag.size >= 2 && tag.data[0] == '"' && tag.data[tag.size - 1] == '"')
        tag = bytes_of(tag.data + 1, tag.size - 2);
    if (!is_token((const char *)tag.data, tag.size, S3_ETAG_MAX))
        return fail(err, E_BROKER, "%s: the server gave no ETag for a part", stage->key);
    text_printf(&stage->etags, "%s%.*s", stage->parts > 1 ? "," : "", (int)tag.size, (const char *)tag.data);
    return E_OK;
}

/* Sent again under its number it takes the place of itself. */
static enum code part_prepare(struct errand *self, struct s3_call *call, struct error *err)
{
    struct s3_stage *stage = self->stage;
    if (stage->parts == S3_PARTS_MAX)
        return fail(err, E_UNSUPPORTED,
                    "%s: a file of more than %d parts; let files be smaller with leat.files.target_size", stage->key,
                    S3_PARTS_MAX);
    FAULT_IO(stage_write, err);
    self->lost = FAULT_IS_LOST(stage_write);
    text_printf(&self->query, "partNumber=%d&", ++stage->parts);
    upload_query(stage->upload, &self->query);
    *call = (struct s3_call){
        .method = "PUT", .key = stage->key, .query = self->query.data, .body = bytes_of(stage->block, stage->used)};
    return E_OK;
}

static enum code part_settle(struct errand *self, struct s3_client *client, const struct s3_exchange *sent,
                             struct error *err)
{
    (void)client;
    TRY(etag_add(self->stage, &sent->reply, err));
    self->stage->used = 0;
    return self->lost ? fail(err, E_IO, "injected lost answer at stage_write") : E_OK;
}

struct errand_type {
    enum code (*prepare)(struct errand *self, struct s3_call *call, struct error *err);
    enum code (*settle)(struct errand *self, struct s3_client *client, const struct s3_exchange *sent,
                        struct error *err);
};
static const struct errand_type creating = {create_prepare, create_settle}, parting = {part_prepare, part_settle};

/* What came back is kept of each, also when another failed: uploads can be aborted then. */
static enum code errands_settle(const struct errand_type *type, struct errand *errands, struct s3_client *client,
                                struct s3_exchange *sent, int32_t count, struct error *err)
{
    enum code code = E_OK;
    for (int32_t i = 0; i < count; i++) {
        struct error why = {0};
        enum code one = s3_settle(client, &sent[i], &why);
        if (one == E_OK)
            one = type->settle(&errands[i], client, &sent[i], &why);
        if (code == E_OK && one != E_OK) {
            *err = why;
            code = one;
        }
        s3_reply_free(&sent[i].reply);
    }
    return code;
}

/* One request a stage, together. */
static enum code errands_run(const struct errand_type *type, struct s3_stage *const *stages, int32_t count,
                             struct error *err)
{
    if (count == 0)
        return E_OK;
    struct errand *errands = mem_array(struct errand, (size_t)count);
    struct s3_exchange *sent = mem_array(struct s3_exchange, (size_t)count);
    struct s3_client *client = s3_of(stages[0]->base.store)->client;
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < count; i++) {
        errands[i].stage = stages[i];
        code = type->prepare(&errands[i], &sent[i].call, err);
    }
    if (code == E_OK) {
        s3_send_all(client, sent, count);
        code = errands_settle(type, errands, client, sent, count, err);
    }
    for (int32_t i = 0; i < count; i++)
        text_free(&errands[i].query);
    mem_free(sent);
    mem_free(errands);
    return code;
}

/* What the blocks hold; an upload is created with its first part. */
static enum code parts_send(struct s3_stage *const *stages, int32_t count, struct error *err)
{
    struct s3_stage **fresh = mem_array(struct s3_stage *, (size_t)count + 1);
    int32_t fresh_count = 0;
    for (int32_t i = 0; i < count; i++)
        if (stages[i]->upload == NULL)
            fresh[fresh_count++] = stages[i];
    enum code code = errands_run(&creating, fresh, fresh_count, err);
    mem_free(fresh);
    return code == E_OK ? errands_run(&parting, stages, count, err) : code;
}

/* ---- writing ---- */

enum code s3_stage_open(struct store *base, const char *path, const char *final, struct stage **out, struct error *err)
{
    char key[S3_KEY_MAX + 1];
    TRY(s3_key(s3_of(base), final != NULL ? final : path, key, err));
    struct s3_stage *stage = mem_new(struct s3_stage);
    stage->key = mem_strdup(key);
    stage->plain = final == NULL;
    *out = &stage->base;
    return E_OK;
}

/* Many files are open at once and most are small: a part starts small and doubles. */
static void block_reserve(struct s3_stage *stage, size_t need)
{
    size_t capacity = stage->capacity > 0 ? stage->capacity : BLOCK_FIRST_BYTES;
    while (capacity < need)
        capacity *= 2;
    if (capacity > stage->capacity) {
        stage->block = mem_resize(stage->block, capacity);
        stage->capacity = capacity;
    }
}

enum code s3_stage_write(struct stage *base, struct bytes content, struct error *err)
{
    struct s3_stage *stage = stage_of(base);
    while (content.size > 0) {
        size_t room = S3_PART_BYTES - stage->used, size = content.size < room ? content.size : room;
        block_reserve(stage, stage->used + size);
        memcpy(stage->block + stage->used, content.data, size);
        stage->used += size;
        content = bytes_of(content.data + size, content.size - size);
        if (stage->used == S3_PART_BYTES)
            TRY(parts_send(&stage, 1, err));
    }
    return E_OK;
}

static enum code publish_upload(struct s3_store *store, const char *key, const char *upload, const char *etags,
                                int64_t size_bytes, struct error *err);

/* A name of its own: nobody else has ever put it, so that it is taken means that it was we. */
static enum code finish_plain(struct s3_stage *stage, struct error *err)
{
    struct s3_store *store = s3_of(stage->base.store);
    if (stage->upload == NULL)
        return s3_put_key(store, stage->key, bytes_of(stage->block, stage->used), false, err);
    return publish_upload(store, stage->key, stage->upload, stage->etags.data, stage->base.size_bytes, err);
}

static enum code finish_one_plain(struct s3_stage *stage, struct error *err)
{
    FAULT_IO(stage_fsync, err);
    if (stage->used > 0 && stage->upload != NULL)
        TRY(parts_send(&stage, 1, err));
    TRY(finish_plain(stage, err));
    FAULT_LOST(stage_fsync, err);
    return E_OK;
}

static enum code finish_begin(struct error *err, bool *lost)
{
    FAULT_IO(stage_fsync, err);
    *lost = FAULT_IS_LOST(stage_fsync);
    return E_OK;
}

/* The rest of each; an upload has a part, be it empty. */
static enum code finish_uploads(struct s3_stage *const *stages, int32_t count, struct text *handles, struct error *err)
{
    struct s3_stage **unsent = mem_array(struct s3_stage *, (size_t)count + 1);
    int32_t unsent_count = 0;
    bool lost = false, any_lost = false;
    enum code code = E_OK;
    for (int32_t i = 0; code == E_OK && i < count; i++) {
        code = finish_begin(err, &lost);
        any_lost |= lost;
        if (stages[i]->used > 0 || stages[i]->parts == 0)
            unsent[unsent_count++] = stages[i];
    }
    if (code == E_OK)
        code = parts_send(unsent, unsent_count, err);
    if (code == E_OK && any_lost)
        code = fail(err, E_IO, "injected lost answer at stage_fsync");
    for (int32_t i = 0; code == E_OK && i < count; i++)
        text_printf(&handles[i], "%s %s", stages[i]->upload, stages[i]->etags.data);
    mem_free(unsent);
    return code;
}

enum code s3_stage_finish_all(struct stage *const *bases, int32_t count, struct text *handles, struct error *err)
{
    struct s3_stage **stages = mem_array(struct s3_stage *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        stages[i] = stage_of(bases[i]);
        always(!stages[i]->plain);
    }
    enum code code = finish_uploads(stages, count, handles, err);
    for (int32_t i = 0; i < count; i++)
        if (code == E_OK)
            stage_free(stages[i]);
        else
            s3_stage_abandon(bases[i]);
    mem_free(stages);
    return code;
}

enum code s3_stage_finish(struct stage *base, struct text *handle, struct error *err)
{
    struct s3_stage *stage = stage_of(base);
    always(stage->plain == (handle == NULL));
    if (!stage->plain)
        return s3_stage_finish_all(&base, 1, handle, err);
    enum code code = finish_one_plain(stage, err);
    if (code == E_OK)
        stage_free(stage);
    else
        s3_stage_abandon(base);
    return code;
}

void s3_stage_abandon(struct stage *base)
{
    struct s3_stage *stage = stage_of(base);
    struct error ignored = {0};
    if (stage->upload != NULL && upload_abort(s3_of(base->store)->client, stage->key, stage->upload, &ignored) != E_OK)
        log_debug("an upload stays until it is collected: %s", ignored.text);
    stage_free(stage);
}

/* ---- publishing ---- */

/* The name is taken, or the upload is gone: then what lies there must be it. */
static enum code check_published(struct s3_store *store, const char *key, int64_t want_bytes, bool gone,
                                 struct error *err)
{
    int64_t size_bytes;
    enum code code = s3_head(store, key, &size_bytes, err);
    if (code == E_ABSENT && gone)
        return fail(
            err, E_LOST,
            "s3://%s/%s is gone, and so is its upload: they were deleted by someone else, perhaps by a lifecycle rule "
            "of the bucket that aborts uploads; restore the object, or start with a new checkpoint",
            store->client->settings.bucket, key);
    TRY(code);
    if (size_bytes != want_bytes)
        return fail(err, E_CORRUPT, "s3://%s/%s has %" PRId64 " bytes, its commit record says %" PRId64,
                    store->client->settings.bucket, key, size_bytes, want_bytes);
    return E_OK;
}

/* No attempt had an answer, yet one may have been carried out. */
static bool is_published(struct s3_store *store, const char *key, int64_t want_bytes)
{
    int64_t size_bytes;
    struct error ignored = {0};
    return s3_head(store, key, &size_bytes, &ignored) == E_OK && size_bytes == want_bytes;
}

/* An upload on its way to its name. */
struct completion {
    char key[S3_KEY_MAX + 1], upload[S3_UPLOAD_ID_MAX + 1];
    int64_t size_bytes;
    struct text query, body;
    bool lost;
};

static void completion_free(struct completion *self)
{
    text_free(&self->query);
    text_free(&self->body);
}

static void completion_call(struct completion *self, const char *etags, struct s3_call *out)
{
    upload_query(self->upload, &self->query);
    text_add_string(&self->body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int32_t part = 1; *etags != '\0'; part++) {
        size_t size = strcspn(etags, ",");
        text_printf(&self->body, "<Part><PartNumber>%d</PartNumber><ETag>&quot;%.*s&quot;</ETag></Part>", part,
                    (int)size, etags);
        etags += size + (etags[size] == ',');
    }
    text_add_string(&self->body, "</CompleteMultipartUpload>");
    *out = (struct s3_call){
        .method = "POST",
        .key = self->key,
        .query = self->query.data,
        .headers = {{"if-none-match", "*"}},
        .body = text_view(&self->body),
    };
}

static enum code completion_settle(const struct completion *self, struct s3_store *store, struct s3_exchange *sent,
                                   struct error *err)
{
    const struct s3_reply *reply = &sent->reply;
    if (sent->code != E_OK) {
        if (is_published(store, self->key, self->size_bytes))
            return E_OK;
        *err = sent->err;
        return sent->code;
    }
    bool gone = strcmp(reply->error_code, "NoSuchUpload") == 0 || reply->answer.status == 404;
    bool taken = reply->answer.status == 412;
    const struct s3_call call = {.method = "POST", .key = self->key};
    enum code code = s3_fine(reply) || gone || taken ? E_OK : s3_refused(store->client, &call, reply, err);
    if (strcmp(reply->error_code, "InvalidPart") == 0)
        return fail(err, E_CORRUPT, "s3://%s/%s: a part of its upload does not have the bytes that were sent",
                    store->client->settings.bucket, self->key);
    TRY(code);
    if (gone || taken)
        TRY(check_published(store, self->key, self->size_bytes, gone, err));
    struct error left = {0};
    if (taken && upload_abort(store->client, self->key, self->upload, &left) != E_OK)
        log_debug("an upload stays until it is collected: %s", left.text);
    return self->lost ? fail(err, E_IO, "injected lost answer at publish_one") : E_OK;
}

static enum code publish_upload(struct s3_store *store, const char *key, const char *upload, const char *etags,
                                int64_t size_bytes, struct error *err)
{
    struct completion completion = {.size_bytes = size_bytes};
    struct s3_exchange sent = {0};
    snprintf(completion.key, sizeof completion.key, "%s", key);
    snprintf(completion.upload, sizeof completion.upload, "%s", upload);
    completion_call(&completion, etags, &sent.call);
    s3_send_all(store->client, &sent, 1);
    enum code code = completion_settle(&completion, store, &sent, err);
    s3_reply_free(&sent.reply);
    completion_free(&completion);
    return code;
}

/* "<upload> <etags>": the upload is cut out; E_CORRUPT. A handle from a list of uploads has no tags. */
static enum code handle_split(const char *handle, char upload[S3_UPLOAD_ID_MAX + 1], const char **etags,
                              struct error *err)
{
    size_t size = handle == NULL ? 0 : strcspn(handle, " ");
    if (size == 0 || !is_token(handle, size, S3_UPLOAD_ID_MAX))
        return fail(err, E_CORRUPT,
                    "the commit record names no upload; was the table on a local disk when it was written?");
    memcpy(upload, handle, size);
    upload[size] = '\0';
    *etags = handle[size] == ' ' ? handle + size + 1 : "";
    for (const char *p = *etags; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || strchr("\"<>&", *p) != NULL)
            return fail(err, E_CORRUPT, "the commit record names parts that no upload has");
    return E_OK;
}

static enum code publish_prepare(struct completion *self, const struct s3_store *store, const struct staged *file,
                                 struct s3_call *call, struct error *err)
{
    const char *etags;
    TRY(s3_key(store, file->final, self->key, err));
    TRY(handle_split(file->handle, self->upload, &etags, err));
    FAULT_IO(publish_one, err);
    self->lost = FAULT_IS_LOST(publish_one);
    self->size_bytes = file->size_bytes;
    completion_call(self, etags, call);
    return E_OK;
}

/* Those before one that cannot be tried get their names all the same: it is as if they had come one after the other. */
enum code s3_publish_all(struct store *base, const struct staged *files, int32_t count, struct error *err)
{
    struct s3_store *store = s3_of(base);
    struct completion *completions = mem_array(struct completion, (size_t)count);
    struct s3_exchange *sent = mem_array(struct s3_exchange, (size_t)count);
    enum code code = E_OK;
    int32_t ready = 0;
    while (ready < count &&
           (code = publish_prepare(&completions[ready], store, &files[ready], &sent[ready].call, err)) == E_OK)
        ready++;
    s3_send_all(store->client, sent, ready);
    for (int32_t i = 0; i < ready; i++) {
        struct error why = {0};
        enum code one = completion_settle(&completions[i], store, &sent[i], &why);
        if (code == E_OK && one != E_OK) {
            *err = why;
            code = one;
        }
        s3_reply_free(&sent[i].reply);
        completion_free(&completions[i]);
    }
    mem_free(sent);
    mem_free(completions);
    return code;
}

enum code s3_publish(struct store *base, const struct staged *file, struct error *err)
{
    return s3_publish_all(base, file, 1, err);
}

/* Its parts can be listed. */
enum code s3_has_staged(struct store *base, const struct staged *file, bool *out, struct error *err)
{
    char key[S3_KEY_MAX + 1], upload[S3_UPLOAD_ID_MAX + 1];
    const char *etags;
    struct text query = {0};
    struct s3_reply reply;
    TRY(s3_key(s3_of(base), file->final, key, err));
    TRY(handle_split(file->handle, upload, &etags, err));
    upload_query(upload, &query);
    text_add_string(&query, "&max-parts=1");
    const struct s3_call call = {.method = "GET", .key = key, .query = query.data};
    enum code code = s3_do(s3_of(base)->client, &call, &reply, err);
    text_free(&query);
    if (code != E_OK && code != E_ABSENT)
        return code;
    if (code == E_OK)
        s3_reply_free(&reply);
    error_clear(err);
    *out = code == E_OK;
    return E_OK;
}

enum code s3_discard(struct store *base, const struct staged *file, struct error *err)
{
    char key[S3_KEY_MAX + 1], upload[S3_UPLOAD_ID_MAX + 1];
    const char *etags;
    TRY(s3_key(s3_of(base), file->final, key, err));
    TRY(handle_split(file->handle, upload, &etags, err));
    FAULT_IO(gc_one, err);
    TRY(upload_abort(s3_of(base)->client, key, upload, err));
    FAULT_LOST(gc_one, err);
    return E_OK;
}
