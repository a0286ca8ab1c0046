/* s3_spans.c - many parts of one object, by requests that are under way together.
 *
 * Same     the first answer's ETag is asked for by all that follow (If-Match), and its size and time must be those that were
 *          listed: so parts of an object and of another that took its place are never mixed
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/text_number.h"
#include "store/s3.h"

enum {
    SECOND_US = 1000000,
    CLOCK_SLACK_US = 2 * SECOND_US /* servers round a list's times and a header's differently */
};

struct range_text {
    char text[64];
};

static enum code changed(const struct s3_store *store, const char *key, struct error *err)
{
    return fail(err, E_LOST, "s3://%s/%s was changed or removed while it was read", store->client->settings.bucket,
                key);
}

/* "bytes 0-99/1234": 1234; -1: it does not say. */
static int64_t range_total(const struct s3_reply *reply)
{
    struct bytes text = http_answer_header(&reply->answer, "content-range");
    const char *end = (const char *)text.data + text.size,
               *slash = text.size > 0 ? memrchr(text.data, '/', text.size) : NULL;
    int64_t total = -1;
    bool overflow = false;
    if (slash == NULL || parse_int64(slash + 1, end, &total, &overflow) != end || overflow)
        return -1;
    return total;
}

static bool is_newer(const struct store_pin *pin, const struct s3_reply *reply)
{
    int64_t modified_s = http_date(http_answer_header(&reply->answer, "last-modified"));
    return pin->modified_us > 0 && modified_s > 0 && modified_s * SECOND_US > pin->modified_us + CLOCK_SLACK_US;
}

static enum code span_settle(const struct s3_store *store, struct store_pin *pin, const struct store_span *span,
                             const struct s3_exchange *sent, struct text *out, struct error *err)
{
    const struct s3_reply *reply = &sent->reply;
    int status = sent->code == E_OK ? reply->answer.status : 0;
    if (status == 412 || status == 416 || (status == 404 && pin->tag[0] != '\0'))
        return changed(store, sent->call.key, err);
    TRY(s3_settle(store->client, sent, err));
    int64_t total = range_total(reply);
    if ((total >= 0 && total != pin->size_bytes) || is_newer(pin, reply))
        return changed(store, sent->call.key, err);
    if ((int64_t)reply->answer.body.size != span->size_bytes)
        return fail(err, E_BROKER, "s3://%s/%s: %zu bytes came, %" PRId64 " were asked for",
                    store->client->settings.bucket, sent->call.key, reply->answer.body.size, span->size_bytes);
    struct bytes tag = http_answer_header(&reply->answer, "etag");
    if (pin->tag[0] == '\0' && tag.size < sizeof pin->tag)
        snprintf(pin->tag, sizeof pin->tag, "%.*s", (int)tag.size, (const char *)tag.data);
    *out = sent->reply.answer.body;
    return E_OK;
}

static enum code spans_send(struct s3_store *store, const char *key, struct store_pin *pin,
                            const struct store_span *spans, int32_t count, struct text *outs, struct error *err)
{
    struct s3_exchange *sent = mem_array(struct s3_exchange, (size_t)count);
    struct range_text *ranges = mem_array(struct range_text, (size_t)count);
    char tag[sizeof pin->tag];
    enum code code = E_OK;
    memcpy(tag, pin->tag, sizeof tag);
    for (int32_t i = 0; i < count; i++) {
        snprintf(ranges[i].text, sizeof ranges[i].text, "bytes=%" PRId64 "-%" PRId64, spans[i].offset,
                 spans[i].offset + spans[i].size_bytes - 1);
        sent[i].call = (struct s3_call){
            .method = "GET",
            .key = key,
            .headers = {{"range", ranges[i].text}, {tag[0] != '\0' ? "if-match" : NULL, tag}},
            .answer_max = (size_t)spans[i].size_bytes,
        };
    }
    s3_send_all(store->client, sent, count);
    for (int32_t i = 0; i < count; i++) {
        if (code == E_OK)
            code = span_settle(store, pin, &spans[i], &sent[i], &outs[i], err);
        if (outs[i].data == NULL || outs[i].data != sent[i].reply.answer.body.data)
            s3_reply_free(&sent[i].reply);
        else
            text_free(&sent[i].reply.answer.headers);
    }
    mem_free(ranges);
    mem_free(sent);
    return code;
}

enum code s3_read_spans(struct store *base, const char *path, struct store_pin *pin, const struct store_span *spans,
                        int32_t count, struct text *outs, struct error *err)
{
    char key[S3_KEY_MAX + 1];
    TRY(s3_key(s3_of(base), path, key, err));
    int32_t first = pin->tag[0] == '\0' ? 1 : count; // alone, to learn which object it is
    TRY(spans_send(s3_of(base), key, pin, spans, first, outs, err));
    return first < count ? spans_send(s3_of(base), key, pin, spans + first, count - first, outs + first, err) : E_OK;
}
