/* s3_request.c - one request to a bucket: its URL and signature, the server's error, another attempt where that may help.
 *
 *   what came                                   then
 *   no whole answer, 5xx, 429                   again, with full jitter (base/retry.h). It may have been carried out: who calls
 *   SlowDown, RequestTimeout, InternalError      must be able to tell from the answer to the second one
 *   409 of a conditional request                again: "a conflicting request is under way", not "it exists"
 *   403 and clocks 5 minutes apart              again, by the server's clock
 *   ExpiredToken, and keys that changed         again, with credentials asked for anew
 *   301, 400 with another region's name         again, there
 *   anything else                               is the answer
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/os.h"
#include "base/retry.h"
#include "store/s3.h"
#include "store/s3_xml.h"

enum { SECOND_US = 1000000, SKEW_US = 300 * SECOND_US, REGION_MAX = 64, ERROR_MAX = 64 * 1024 };

/* ---- clients: one a bucket ---- */

static struct {
    pthread_mutex_t mutex;
    struct s3_client *first;
} clients = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static enum code client_new(const char *bucket, struct s3_client **out, struct error *err)
{
    struct s3_settings settings;
    TRY(s3_settings_read(bucket, &settings, err));
    struct s3_client *client = mem_new(struct s3_client);
    client->settings = settings;
    client->region = mem_strdup(settings.region);
    const struct http_settings http = {
        .connect_us = settings.connect_us,
        .idle_us = settings.idle_us,
        .total_us = 2 * settings.idle_us,
        .ca_file = os_env("AWS_CA_BUNDLE"),
        .insecure = settings.insecure,
    };
    client->http = http_client_new(&http);
    client->provider = s3_provider_new(&client->settings);
    lock_init(&client->lock);
    *out = client;
    return E_OK;
}

static void client_free(struct s3_client *client)
{
    http_client_free(client->http);
    s3_provider_free(client->provider);
    s3_settings_free(&client->settings);
    lock_close(&client->lock);
    mem_free(client->region);
    mem_free(client);
}

enum code s3_client_retain(const char *bucket, struct s3_client **out, struct error *err)
{
    enum code code = E_OK;
    always(pthread_mutex_lock(&clients.mutex) == 0);
    struct s3_client *client = clients.first;
    while (client != NULL && strcmp(client->settings.bucket, bucket) != 0)
        client = client->next;
    if (client == NULL && (code = client_new(bucket, &client, err)) == E_OK) {
        client->next = clients.first;
        clients.first = client;
    }
    if (code == E_OK) {
        client->users++;
        *out = client;
    }
    always(pthread_mutex_unlock(&clients.mutex) == 0);
    return code;
}

void s3_client_release(struct s3_client *client)
{
    always(pthread_mutex_lock(&clients.mutex) == 0);
    if (--client->users == 0) {
        struct s3_client **link = &clients.first;
        while (*link != client)
            link = &(*link)->next;
        *link = client->next;
        client_free(client);
    }
    always(pthread_mutex_unlock(&clients.mutex) == 0);
}

static enum code about(const struct s3_client *client, struct error *err)
{
    return error_about(err, "s3 %s/%s", client->settings.endpoint, client->settings.bucket);
}

/* ---- one request as it is sent ---- */

struct sending {
    struct text host, path, url, lines; /* lines: NUL-terminated, one after the other */
    const char *headers[SIGN_HEADERS_MAX];
    int32_t header_count;
};

static void sending_free(struct sending *sending)
{
    text_free(&sending->host);
    text_free(&sending->path);
    text_free(&sending->url);
    text_free(&sending->lines);
}

/* The endpoint, the bucket and the key, either way round; the port is part of the host only when it is not the scheme's own,
 * as curl sends it. */
static void address_set(struct sending *sending, const struct s3_client *client, const struct s3_call *call)
{
    const struct s3_settings *settings = &client->settings;
    const char *host = strstr(settings->endpoint, "://") + 3;
    bool https = strncmp(settings->endpoint, "https", 5) == 0;
    const char *port = https ? ":443" : ":80";
    size_t size = strlen(host), port_size = strlen(port);
    if (size > port_size && strcmp(host + size - port_size, port) == 0)
        size -= port_size;
    if (settings->path_style)
        text_printf(&sending->path, "/%s", settings->bucket);
    else
        text_printf(&sending->host, "%s.", settings->bucket);
    text_add(&sending->host, host, size);
    if (call->key != NULL || !settings->path_style)
        text_add_char(&sending->path, '/');
    if (call->key != NULL)
        http_encode(bytes_of_string(call->key), true, &sending->path);
    text_printf(&sending->url, "%s://%s%s", https ? "https" : "http", sending->host.data, sending->path.data);
    if (call->query != NULL)
        text_printf(&sending->url, "?%s", call->query);
}

static void sign(struct sending *sending, const struct s3_client *client, const struct s3_call *call,
                 const char *region, const struct s3_credentials *credentials)
{
    struct sign_scope scope = {.region = region, .service = "s3"};
    char payload[SIGN_HEX_BYTES];
    struct sign_header headers[SIGN_HEADERS_MAX];
    int32_t count = 0;
    sign_time(os->clock_wall_us() + atomic_load(&client->skew_us), scope.time);
    sign_sha256(call->body, payload);
    headers[count++] = (struct sign_header){"host", sending->host.data};
    headers[count++] = (struct sign_header){"x-amz-content-sha256", payload};
    headers[count++] = (struct sign_header){"x-amz-date", scope.time};
    if (credentials->token != NULL)
        headers[count++] = (struct sign_header){"x-amz-security-token", credentials->token};
    for (int32_t i = 0; i < S3_HEADERS_MAX && call->headers[i].name != NULL; i++)
        headers[count++] = call->headers[i];
    struct text authorization = {0};
    if (credentials->access != NULL) {
        const struct sign_request request = {
            .method = call->method,
            .path = sending->path.data,
            .query = call->query != NULL ? call->query : "",
            .headers = headers,
            .header_count = count,
            .payload_hex = payload,
        };
        sign_authorization(&scope, credentials->access, credentials->secret, &request, &authorization);
        headers[count++] = (struct sign_header){"authorization", authorization.data};
    }
    size_t starts[SIGN_HEADERS_MAX];
    for (int32_t i = 1; i < count; i++) { // curl sends the host
        starts[sending->header_count++] = sending->lines.size;
        text_printf(&sending->lines, "%s: %s%c", headers[i].name, headers[i].value, '\0');
    }
    for (int32_t i = 0; i < sending->header_count; i++)
        sending->headers[i] = sending->lines.data + starts[i];
    text_free(&authorization);
}

/* ---- what the server says ---- */

static void error_take(void *context, const char *path, struct bytes text)
{
    struct s3_reply *reply = context;
    if (strcmp(path, "Error/Code") == 0)
        snprintf(reply->error_code, sizeof reply->error_code, "%.*s", (int)text.size, (const char *)text.data);
    else if (strcmp(path, "Error/Message") == 0)
        snprintf(reply->message, sizeof reply->message, "%.*s", (int)text.size, (const char *)text.data);
}

int64_t s3_time(struct bytes text)
{
    char copy[32];
    struct tm utc = {0};
    snprintf(copy, sizeof copy, "%.*s", (int)(text.size < sizeof copy ? text.size : 0), (const char *)text.data);
    if (strptime(copy, "%Y-%m-%dT%H:%M:%S", &utc) == NULL)
        return 0;
    return (int64_t)timegm(&utc) * SECOND_US;
}

bool s3_fine(const struct s3_reply *reply)
{
    return reply->answer.status >= 200 && reply->answer.status < 300 && reply->error_code[0] == '\0';
}

/* An error may come with status 200, when the server finds it after it began to answer. Only answers that would be lists or a
 * few elements are looked at: not the content of an object. */
static void reply_read(struct s3_reply *reply, const struct s3_call *call)
{
    struct error ignored = {0};
    bool content = strcmp(call->method, "GET") == 0 && call->key != NULL && reply->answer.status < 300;
    if (!content && xml_walk(text_view(&reply->answer.body), error_take, reply, &ignored) != E_OK)
        reply->error_code[0] = '\0'; // what is no XML has no code
}

static bool is_code(const struct s3_reply *reply, const char *code) { return strcmp(reply->error_code, code) == 0; }

/* ---- again? ---- */

enum again {
    AGAIN_NOT,
    AGAIN_SOON, /* after a wait */
    AGAIN_NOW,  /* with what has just been learned; a few times */
};

static bool clock_learn(struct s3_client *client, const struct s3_reply *reply)
{
    int64_t server_s = http_date(http_answer_header(&reply->answer, "date"));
    if (server_s < 0)
        return false;
    int64_t skew_us = server_s * SECOND_US - os->clock_wall_us(), known_us = atomic_load(&client->skew_us);
    if (skew_us - known_us < SKEW_US && known_us - skew_us < SKEW_US)
        return false;
    atomic_store(&client->skew_us, skew_us);
    log_warn("%s: its clock is %+.0f s from this one's; leat signs by its clock", client->settings.endpoint,
             (double)skew_us / SECOND_US);
    return true;
}

static bool region_learn(struct s3_client *client, const struct s3_reply *reply)
{
    struct bytes named = http_answer_header(&reply->answer, "x-amz-bucket-region");
    bool learned = false;
    if (named.size == 0 || named.size > REGION_MAX ||
        strspn((const char *)named.data, "abcdefghijklmnopqrstuvwxyz0123456789-") != named.size)
        return false;
    lock_take(&client->lock);
    if (!bytes_equal_string(named, client->region)) {
        mem_free(client->region);
        client->region = mem_zero(named.size + 1);
        memcpy(client->region, named.data, named.size);
        learned = true;
    }
    lock_give(&client->lock);
    return learned;
}

static bool is_busy(const struct s3_reply *reply)
{
    static const char *const codes[] = {
        "SlowDown",        "RequestTimeout",      "InternalError",        "ServiceUnavailable",
        "Throttling",      "ThrottlingException", "RequestLimitExceeded", "BandwidthLimitExceeded",
        "OperationAborted"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (is_code(reply, codes[i]))
            return true;
    return reply->answer.status >= 500 ? reply->answer.status != 501 : reply->answer.status == 429;
}

static enum again judge(struct s3_client *client, const struct s3_reply *reply, bool *refused)
{
    int status = reply->answer.status;
    if (s3_fine(reply))
        return AGAIN_NOT;
    if (is_busy(reply) || status == 409)
        return AGAIN_SOON;
    if ((status == 403 || is_code(reply, "RequestTimeTooSkewed")) && clock_learn(client, reply))
        return AGAIN_NOW;
    if ((status == 301 || status == 307 || status == 400) && region_learn(client, reply))
        return AGAIN_NOW;
    *refused = is_code(reply, "ExpiredToken") || is_code(reply, "InvalidToken") ||
               is_code(reply, "TokenRefreshRequired") ||
               (status == 400 && reply->error_code[0] == '\0'); // of HEAD: an answer without a body does not say why
    return *refused ? AGAIN_SOON : AGAIN_NOT;
}

/* The request of a call, signed with what is known now. It points into `sending`. */
static enum code request_make(struct s3_client *client, const struct s3_call *call, bool refused,
                              struct sending *sending, struct http_request *out, struct error *err)
{
    struct s3_credentials credentials = {0};
    char region[REGION_MAX + 1];
    TRY(s3_provider_get(client->provider, refused, &credentials, err));
    lock_take(&client->lock);
    snprintf(region, sizeof region, "%s", client->region);
    lock_give(&client->lock);
    address_set(sending, client, call);
    sign(sending, client, call, region, &credentials);
    s3_credentials_free(&credentials);
    size_t content_max = call->answer_max > 0 ? call->answer_max : S3_ANSWER_MAX;
    *out = (struct http_request){
        .method = call->method,
        .url = sending->url.data,
        .headers = sending->headers,
        .header_count = sending->header_count,
        .body = call->body,
        .answer_max = content_max > ERROR_MAX ? content_max : ERROR_MAX, // an error may be longer than the content
    };
    return E_OK;
}

static enum code reply_take(const struct s3_call *call, struct s3_reply *reply, struct error *err)
{
    size_t content_max = call->answer_max > 0 ? call->answer_max : S3_ANSWER_MAX;
    reply_read(reply, call);
    if (!s3_fine(reply) || reply->answer.body.size <= content_max)
        return E_OK;
    s3_reply_free(reply);
    return fail(err, E_CORRUPT, "the answer is larger than %zu bytes", content_max);
}

static enum code busy_tell(const struct s3_call *call, const struct s3_reply *reply, struct error *err)
{
    const char *key = call->key != NULL ? call->key : "";
    return fail(err, E_BROKER, "%s %s: the server answers with status %d%s%s%s%.180s", call->method, key,
                reply->answer.status, reply->error_code[0] != '\0' ? ", " : "", reply->error_code,
                reply->message[0] != '\0' ? ": " : "", reply->message);
}

/* ---- attempts ---- */

/* A call on its way to an answer. */
struct attempt {
    struct s3_exchange *exchange;
    struct dependency dependency;
    bool refused, ended;
    int lessons;
    int64_t next_us; /* not sent before */
    struct sending sending;
    struct http_request request;
};

/* Is there another attempt? It sets when. */
static bool attempt_later(const struct s3_client *client, struct attempt *self, const struct error *err)
{
    const struct retry_policy policy = {
        .initial_us = SECOND_US / 10,
        .max_us = 5 * SECOND_US,
        .limit_us = 3 * client->settings.idle_us,
        .attempts_max = (int32_t)client->settings.attempts_max,
        .circuit_failures = INT32_MAX, // the runtime has one, for the whole query
    };
    int64_t now_us = os->clock_mono_us();
    if (dependency_failed(&self->dependency, &policy, now_us, os_random(), err) != RETRY_LATER)
        return false;
    self->next_us = self->dependency.next_us;
    log_debug("s3 %s/%s: %s; again in %" PRId64 " ms", client->settings.endpoint, client->settings.bucket, err->text,
              (self->next_us - now_us) / 1000);
    return true;
}

static void attempt_end(const struct s3_client *client, struct attempt *self, enum code code, struct error *err)
{
    struct s3_exchange *exchange = self->exchange;
    self->ended = true;
    exchange->code = code == E_OK ? E_OK : about(client, err);
    if (code != E_OK)
        exchange->err = *err;
}

/* What came of it: the end, or another attempt. */
static void attempt_judge(struct s3_client *client, struct attempt *self, enum code code, struct error *err)
{
    enum { LESSONS_MAX = 3 };
    struct s3_reply *reply = &self->exchange->reply;
    if (code == E_OK)
        code = reply_take(&self->exchange->call, reply, err);
    if (code != E_OK && code != E_BROKER) {
        attempt_end(client, self, code, err);
        return;
    }
    enum again again = code == E_OK ? judge(client, reply, &self->refused) : AGAIN_SOON;
    if (again == AGAIN_NOT || (again == AGAIN_NOW && ++self->lessons > LESSONS_MAX)) {
        attempt_end(client, self, E_OK, err);
        return;
    }
    if (again == AGAIN_SOON && code == E_OK)
        code = busy_tell(&self->exchange->call, reply, err);
    s3_reply_free(reply);
    *reply = (struct s3_reply){0};
    if (again == AGAIN_SOON && !attempt_later(client, self, err))
        attempt_end(client, self, code, err);
}

/* Those whose time has come, signed now; one that cannot be signed has ended. */
static int32_t attempts_ready(struct s3_client *client, struct attempt *attempts, int32_t count,
                              struct http_exchange *out, struct attempt **whose)
{
    int64_t now_us = os->clock_mono_us();
    int32_t ready = 0;
    for (int32_t i = 0; i < count; i++) {
        struct attempt *self = &attempts[i];
        struct error err = {0};
        if (self->ended || self->next_us > now_us)
            continue;
        (void)dependency_try(&self->dependency, now_us);
        enum code code =
            request_make(client, &self->exchange->call, self->refused, &self->sending, &self->request, &err);
        if (code != E_OK) {
            attempt_judge(client, self, code, &err);
            sending_free(&self->sending);
            self->sending = (struct sending){0};
            continue;
        }
        out[ready] = (struct http_exchange){.request = &self->request};
        whose[ready++] = self;
    }
    return ready;
}

/* Until the first of those that wait is due; false: nobody waits. */
static bool attempts_wait(const struct attempt *attempts, int32_t count)
{
    int64_t next_us = INT64_MAX, now_us = os->clock_mono_us();
    for (int32_t i = 0; i < count; i++)
        if (!attempts[i].ended && attempts[i].next_us < next_us)
            next_us = attempts[i].next_us;
    if (next_us != INT64_MAX && next_us > now_us)
        os->sleep_us(next_us - now_us);
    return next_us != INT64_MAX;
}

static void send_once(struct s3_client *client, struct http_exchange *exchanges, int32_t count)
{
    if (count == 1)
        exchanges->code = http_send(client->http, exchanges->request, &exchanges->answer, &exchanges->err);
    else
        http_send_all(client->http, exchanges, count);
}

void s3_send_all(struct s3_client *client, struct s3_exchange *exchanges, int32_t count)
{
    struct attempt *attempts = mem_array(struct attempt, (size_t)count);
    struct http_exchange *sent = mem_array(struct http_exchange, (size_t)count);
    struct attempt **whose = mem_array(struct attempt *, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        exchanges[i].reply = (struct s3_reply){0};
        attempts[i].exchange = &exchanges[i];
    }
    while (attempts_wait(attempts, count)) {
        int32_t ready = attempts_ready(client, attempts, count, sent, whose);
        if (ready > 0)
            send_once(client, sent, ready);
        for (int32_t i = 0; i < ready; i++) {
            whose[i]->exchange->reply.answer = sent[i].answer;
            attempt_judge(client, whose[i], sent[i].code, &sent[i].err);
            sending_free(&whose[i]->sending);
            whose[i]->sending = (struct sending){0};
        }
    }
    mem_free(whose);
    mem_free(sent);
    mem_free(attempts);
}

enum code s3_send(struct s3_client *client, const struct s3_call *call, struct s3_reply *reply, struct error *err)
{
    struct s3_exchange exchange = {.call = *call};
    s3_send_all(client, &exchange, 1);
    if (exchange.code == E_OK)
        *reply = exchange.reply;
    else
        *err = exchange.err;
    return exchange.code;
}

void s3_reply_free(struct s3_reply *reply) { http_answer_free(&reply->answer); }

/* ---- refusals ---- */

enum code s3_refused(const struct s3_client *client, const struct s3_call *call, const struct s3_reply *reply,
                     struct error *err)
{
    const struct s3_settings *settings = &client->settings;
    const char *key = call->key != NULL ? call->key : "", *code = reply->error_code;
    int status = reply->answer.status;
    bool absent =
        code[0] == '\0' || is_code(reply, "NoSuchKey") || is_code(reply, "NoSuchUpload") || is_code(reply, "NotFound");
    if (status == 404 && is_code(reply, "NoSuchBucket"))
        fail(err, E_SPEC, "there is no bucket %s at %s; create it first", settings->bucket, settings->endpoint);
    else if (status == 404 && absent)
        return fail(err, E_ABSENT, "s3://%s/%s does not exist", settings->bucket,
                    key); // a question's answer: nobody's fault
    else if (status == 412)
        return fail(err, E_EXISTS, "s3://%s/%s exists", settings->bucket, key);
    else if (status == 401 || status == 403 || status == 404) // versitygw: "no such user"
        fail(err, E_SPEC, "%s s3://%s/%s is refused by %s (%s%s%.180s); check the credentials and what they may do",
             call->method, settings->bucket, key, settings->endpoint, code[0] != '\0' ? code : "status 403",
             reply->message[0] != '\0' ? ": " : "", reply->message);
    else
        fail(err, status == 301 || status == 307 || status == 400 ? E_SPEC : E_BROKER,
             "%s s3://%s/%s: %s answers with status %d%s%s%s%.180s", call->method, settings->bucket, key,
             settings->endpoint, status, code[0] != '\0' ? ", " : "", code, reply->message[0] != '\0' ? ": " : "",
             reply->message);
    return about(client, err);
}

enum code s3_do(struct s3_client *client, const struct s3_call *call, struct s3_reply *reply, struct error *err)
{
    TRY(s3_send(client, call, reply, err));
    if (s3_fine(reply))
        return E_OK;
    enum code code = s3_refused(client, call, reply, err);
    s3_reply_free(reply);
    return code;
}

enum code s3_settle(const struct s3_client *client, const struct s3_exchange *sent, struct error *err)
{
    if (sent->code != E_OK) {
        *err = sent->err;
        return sent->code;
    }
    return s3_fine(&sent->reply) ? E_OK : s3_refused(client, &sent->call, &sent->reply, err);
}
