/* http.h - one HTTP request and its whole answer, over libcurl.
 *
 * In       method, URL, header lines, a body in memory
 * Out      status, header lines and body. Any status is an answer: what it means is the caller's business
 * Shape    connections are kept and used again, by any thread; requests block the one that makes them. Many may be sent at
 *          once: then at most HTTP_PARALLEL_MAX are under way
 * Safety   only http and https; redirects are answers, never followed; TLS 1.2 or newer, chain and host name checked
 * Limits   the answer's body: answer_max bytes; its header: HTTP_HEADER_MAX; time: see struct http_settings
 * Fails    E_BROKER: no whole answer came; whether the server did what it was asked is not known. E_CORRUPT: the answer
 *          is larger than allowed. E_SPEC: what is no URL. Texts never show a header or a body
 * Thread   any; an answer belongs to its owner
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/bytes.h"
#include "base/error.h"

enum { HTTP_HEADER_MAX = 64 * 1024, HTTP_PARALLEL_MAX = 16 };

struct http_settings {
    int64_t connect_us;  /* the longest time to a connection */
    int64_t idle_us;     /* the longest time without a byte in either direction */
    int64_t total_us;    /* the longest time in all, and a second more for each 64 KiB that are to come or go */
    const char *ca_file; /* certificates of authorities; NULL: the system's */
    bool insecure;       /* do not check the server's certificate */
    bool direct;         /* past any proxy that the environment names */
};

struct http_request {
    const char *method; /* GET, PUT, .. */
    const char *url;
    const char *const *headers; /* "name: value" */
    int32_t header_count;
    struct bytes body;
    size_t answer_max; /* bytes of the answer's body */
};
struct http_answer {
    int status;
    struct text headers; /* "name: value\n" lines, names in lower case */
    struct text body;
};

struct http_client;
struct http_client *http_client_new(const struct http_settings *settings);
void http_client_free(struct http_client *client);
MUST_CHECK enum code http_send(struct http_client *client, const struct http_request *request,
                               struct http_answer *answer, struct error *err);
/* A request of many: what http_send would have given for it alone. */
struct http_exchange {
    const struct http_request *request;
    struct http_answer answer; /* when code is E_OK */
    enum code code;
    struct error err;
};
void http_send_all(struct http_client *client, struct http_exchange *exchanges, int32_t count);
void http_answer_free(struct http_answer *answer);
/* The value of a header, `name` in lower case; empty when it is not there. */
struct bytes http_answer_header(const struct http_answer *answer, const char *name);

/* A date as HTTP writes it, seconds since 1970; -1 when it is none. */
int64_t http_date(struct bytes text);

/* Percent-encode all but letters, digits and "-._~" (RFC 3986), and '/' when it is `kept`. */
void http_encode(struct bytes text, bool keep_slash, struct text *out);

#endif
