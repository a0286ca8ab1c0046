#include "base/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>

#include "base/thread.h"

/* Kept connections, and kept sets of HTTP_PARALLEL_MAX; one more that is given back is closed. */
enum { IDLE_MAX = 16, SETS_MAX = 4, BYTES_PER_SECOND_LEAST = 64 * 1024, POLL_MS = 1000 };

struct http_client {
    struct http_settings settings;
    char *ca_file;
    struct lock lock; /* guards what is below */
    CURL *idle[IDLE_MAX];
    int32_t idle_count;
    CURLM *sets[SETS_MAX]; /* a set has connections of its own */
    int32_t set_count;
};

static void curl_start(void) { always(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); }

struct http_client *http_client_new(const struct http_settings *settings)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    always(pthread_once(&once, curl_start) == 0);
    struct http_client *client = mem_new(struct http_client);
    client->settings = *settings;
    client->ca_file = settings->ca_file != NULL ? mem_strdup(settings->ca_file) : NULL;
    lock_init(&client->lock);
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL)
        return;
    for (int32_t i = 0; i < client->idle_count; i++)
        curl_easy_cleanup(client->idle[i]);
    for (int32_t i = 0; i < client->set_count; i++)
        curl_multi_cleanup(client->sets[i]);
    lock_close(&client->lock);
    mem_free(client->ca_file);
    mem_free(client);
}

/* ---- connections ---- */

static CURL *connection_take(struct http_client *client)
{
    CURL *curl = NULL;
    lock_take(&client->lock);
    if (client->idle_count > 0)
        curl = client->idle[--client->idle_count];
    lock_give(&client->lock);
    if (curl == NULL)
        curl = curl_easy_init();
    always(curl != NULL);
    return curl;
}

static void connection_give(struct http_client *client, CURL *curl)
{
    curl_easy_reset(curl); // keeps what is connected
    lock_take(&client->lock);
    if (client->idle_count < IDLE_MAX) {
        client->idle[client->idle_count++] = curl;
        curl = NULL;
    }
    lock_give(&client->lock);
    if (curl != NULL)
        curl_easy_cleanup(curl);
}

static CURLM *set_take(struct http_client *client)
{
    CURLM *set = NULL;
    lock_take(&client->lock);
    if (client->set_count > 0)
        set = client->sets[--client->set_count];
    lock_give(&client->lock);
    if (set == NULL) {
        set = curl_multi_init();
        always(set != NULL);
        curl_multi_setopt(set, CURLMOPT_MAXCONNECTS, (long)HTTP_PARALLEL_MAX);
        curl_multi_setopt(set, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    }
    return set;
}

static void set_give(struct http_client *client, CURLM *set)
{
    lock_take(&client->lock);
    if (client->set_count < SETS_MAX) {
        client->sets[client->set_count++] = set;
        set = NULL;
    }
    lock_give(&client->lock);
    if (set != NULL)
        curl_multi_cleanup(set);
}

/* ---- what comes ---- */

/* curl takes any other number than `count` as "stop". */
static size_t body_take(char *data, size_t one, size_t count, void *context)
{
    struct http_answer *answer = context;
    text_add(&answer->body, data, one * count);
    return answer->body.overflow ? 0 : count;
}

/* One line of the header a call. An interim answer (100 Continue) begins with a line of its own, as the real one does. */
static size_t header_take(char *data, size_t one, size_t count, void *context)
{
    struct http_answer *answer = context;
    size_t size = one * count, name = 0;
    if (size >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        text_clear(&answer->headers);
        return count;
    }
    while (size > 0 && (data[size - 1] == '\r' || data[size - 1] == '\n' || data[size - 1] == ' '))
        size--;
    const char *colon = memchr(data, ':', size);
    if (colon == NULL)
        return count;
    for (; data + name < colon; name++)
        text_add_char(&answer->headers, (char)tolower((unsigned char)data[name]));
    text_add(&answer->headers, colon, size - name);
    text_add_char(&answer->headers, '\n');
    return answer->headers.overflow ? 0 : count;
}

struct bytes http_answer_header(const struct http_answer *answer, const char *name)
{
    size_t size = strlen(name);
    const char *at = answer->headers.data, *end = at + answer->headers.size;
    while (at != NULL && at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if ((size_t)(line_end - at) > size && memcmp(at, name, size) == 0 && at[size] == ':') {
            for (at += size + 1; at < line_end && *at == ' '; at++)
                ;
            return bytes_of(at, (size_t)(line_end - at));
        }
        at = line_end + 1;
    }
    return (struct bytes){0};
}

void http_answer_free(struct http_answer *answer)
{
    text_free(&answer->headers);
    text_free(&answer->body);
    *answer = (struct http_answer){0};
}

/* ---- one request ---- */

static void set_safety(const struct http_client *client, CURL *curl)
{
    const struct http_settings *settings = &client->settings;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, settings->insecure ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, settings->insecure ? 0L : 2L);
    if (client->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
    if (settings->direct)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
}

static void set_times(const struct http_settings *settings, const struct http_request *request, CURL *curl)
{
    int64_t bytes = (int64_t)request->body.size + (int64_t)request->answer_max;
    int64_t total_ms = settings->total_us / 1000 + bytes / BYTES_PER_SECOND_LEAST * 1000;
    int64_t idle_s = settings->idle_us / 1000000;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(settings->connect_us / 1000));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)total_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(idle_s > 0 ? idle_s : 1));
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
}

/* A body is given as POSTFIELDS for every method: curl can then send it again when a kept connection turns out dead. */
static void set_request(const struct http_request *request, CURL *curl, struct curl_slist **list)
{
    // What curl would add by itself: a wait for "100 Continue", and a type that signatures do not know of.
    *list = curl_slist_append(curl_slist_append(NULL, "Expect:"), "Content-Type:");
    for (int32_t i = 0; i < request->header_count; i++)
        *list = curl_slist_append(*list, request->headers[i]);
    always(*list != NULL);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *list);
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.size > 0 ? (const char *)request->body.data : "");
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

/* https spoken to a server that has none, or the reverse: what the client then sees says nothing to its user. */
static const char *scheme_hint(CURLcode result, const char *url)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
    if (secure && result == CURLE_SSL_CONNECT_ERROR)
        return "; a server without TLS is written http://";
    if (!secure && result == CURLE_GOT_NOTHING)
        return "; a server with TLS is written https://";
    return "";
}

/* Of scheme://host:port/path the part before the path. */
static int server_size(const char *url)
{
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    return (int)(host - url) + (int)strcspn(host, "/?");
}

static enum code failure_tell(CURLcode result, const struct http_answer *answer, const char *url, const char *detail,
                              struct error *err)
{
    if (answer->body.overflow || answer->headers.overflow)
        return fail(err, E_CORRUPT, "the answer is larger than %zu bytes", answer->body.limit - 1);
    if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL)
        return fail(err, E_SPEC, "not the URL of an HTTP server: %s", curl_easy_strerror(result));
    return fail(err, E_BROKER, "%.*s: %s%s", server_size(url), url,
                detail[0] != '\0' ? detail : curl_easy_strerror(result), scheme_hint(result, url));
}

/* One request under way. */
struct transfer {
    CURL *curl;
    struct http_exchange *exchange;
    struct http_answer answer;
    struct curl_slist *list;
    char detail[CURL_ERROR_SIZE];
};

static void transfer_begin(struct transfer *self, const struct http_client *client, CURL *curl,
                           struct http_exchange *exchange)
{
    const struct http_request *request = exchange->request;
    *self = (struct transfer){
        .curl = curl,
        .exchange = exchange,
        .answer = {.headers.limit = HTTP_HEADER_MAX, .body.limit = request->answer_max + 1},
    };
    set_safety(client, self->curl);
    set_times(&client->settings, request, self->curl);
    set_request(request, self->curl, &self->list);
    curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, self->detail);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, &self->answer);
    curl_easy_setopt(self->curl, CURLOPT_HEADERFUNCTION, header_take);
    curl_easy_setopt(self->curl, CURLOPT_HEADERDATA, &self->answer);
    curl_easy_setopt(self->curl, CURLOPT_PRIVATE, self);
}

static void transfer_end(struct transfer *self, CURLcode result)
{
    struct http_exchange *exchange = self->exchange;
    size_t answer_max = exchange->request->answer_max;
    long status = 0;
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
    self->answer.status = (int)status;
    if (result != CURLE_OK)
        exchange->code = failure_tell(result, &self->answer, exchange->request->url, self->detail, &exchange->err);
    else if (self->answer.body.size > answer_max)
        exchange->code = fail(&exchange->err, E_CORRUPT, "the answer is larger than %zu bytes", answer_max);
    else
        exchange->code = E_OK;
    if (exchange->code == E_OK)
        exchange->answer = self->answer;
    else
        http_answer_free(&self->answer);
    curl_slist_free_all(self->list);
}

enum code http_send(struct http_client *client, const struct http_request *request, struct http_answer *answer,
                    struct error *err)
{
    struct http_exchange exchange = {.request = request};
    struct transfer transfer;
    transfer_begin(&transfer, client, connection_take(client), &exchange);
    transfer_end(&transfer, curl_easy_perform(transfer.curl));
    connection_give(client, transfer.curl);
    if (exchange.code == E_OK)
        *answer = exchange.answer;
    else
        *err = exchange.err;
    return exchange.code;
}

/* ---- many at once ---- */

/* Those that have ended make place for others. */
static int32_t transfers_reap(CURLM *set)
{
    int32_t ended = 0;
    const CURLMsg *message;
    for (int left = 0; (message = curl_multi_info_read(set, &left)) != NULL;) {
        struct transfer *transfer = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        always(curl_multi_remove_handle(set, transfer->curl) == CURLM_OK);
        transfer_end(transfer, result);
        curl_easy_cleanup(transfer->curl);
        *transfer = (struct transfer){0};
        ended++;
    }
    return ended;
}

/* With a handle that is new: one with connections of its own would lose them in a set, which keeps them for all. */
static void transfer_start(struct transfer *slots, const struct http_client *client, CURLM *set,
                           struct http_exchange *exchange)
{
    struct transfer *free_slot = slots;
    CURL *curl = curl_easy_init();
    always(curl != NULL);
    while (free_slot->curl != NULL)
        free_slot++;
    transfer_begin(free_slot, client, curl, exchange);
    always(curl_multi_add_handle(set, free_slot->curl) == CURLM_OK);
}

/* A request waits here for its turn, not in curl: its time begins when it is sent. */
void http_send_all(struct http_client *client, struct http_exchange *exchanges, int32_t count)
{
    struct transfer *slots = mem_array(struct transfer, HTTP_PARALLEL_MAX);
    CURLM *set = set_take(client);
    int32_t begun = 0, ended = 0;
    for (int running = 0; ended < count;) {
        while (begun < count && begun - ended < HTTP_PARALLEL_MAX)
            transfer_start(slots, client, set, &exchanges[begun++]);
        always(curl_multi_perform(set, &running) == CURLM_OK);
        int32_t now = transfers_reap(set);
        ended += now;
        if (now == 0)
            always(curl_multi_poll(set, NULL, 0, POLL_MS, NULL) == CURLM_OK);
    }
    set_give(client, set);
    mem_free(slots);
}

int64_t http_date(struct bytes text)
{
    char date[64];
    snprintf(date, sizeof date, "%.*s", (int)(text.size < sizeof date ? text.size : 0), (const char *)text.data);
    return (int64_t)curl_getdate(date, NULL);
}

void http_encode(struct bytes text, bool keep_slash, struct text *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = text.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~' || (c == '/' && keep_slash);
        if (plain) {
            text_add_char(out, (char)c);
        } else {
            text_add_char(out, '%');
            text_add_char(out, digits[c >> 4]);
            text_add_char(out, digits[c & 15]);
        }
    }
}
