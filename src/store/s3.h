/* s3.h - what the files of the S3 store share. Private to store/.
 *
 *   s3.c: what a store does -> s3_request.c: one request, signed, tried again -> base/http.h
 *   s3_stage.c: uploads        s3_settings.c: options       s3_credentials.c: who we are       s3_list.c: lists
 *
 * Client   one per bucket and process, shared by its stores: connections, credentials, the server's clock
 * Outcome  of a conditional put is never guessed: what is put carries a number of its own (x-amz-meta-leat), and who
 *          is told that the name is taken, asks whose number is there
 */
#ifndef STORE_S3_H
#define STORE_S3_H

#include <stdatomic.h>

#include "base/http.h"
#include "base/thread.h"
#include "store/s3_sign.h"
#include "store/store_type.h"

enum {
    S3_PART_BYTES = 8 << 20, /* of an upload; S3 wants at least 5 MiB, all but the last alike suits every server */
    S3_PARTS_MAX = 10000,    /* of an upload: 78 GiB */
    S3_ANSWER_MAX = 8 << 20, /* bytes of a list or an error */
    S3_KEY_MAX = 1024,       /* bytes of a key, S3's own limit */
    S3_UPLOAD_ID_MAX = 1024,
    S3_ETAG_MAX = 128,
    S3_CODE_MAX = 64,
};

/* ---- s3_settings.c ---- */

struct s3_settings { /* strings in the arena */
    struct arena arena;
    const char *bucket;
    const char *endpoint; /* "http://host:port", without '/' at its end */
    const char *region;
    const char *access, *secret, *token; /* given as options; NULL: the chain of providers */
    bool path_style;                     /* http://host/bucket/key, not http://bucket.host/key */
    bool anonymous;                      /* requests are not signed */
    bool insecure;                       /* the certificate is not checked */
    int64_t attempts_max, connect_us, idle_us;
};
/* Options, environment, ~/.aws/config, defaults. E_SPEC names the option. */
MUST_CHECK enum code s3_settings_read(const char *bucket, struct s3_settings *out, struct error *err);
void s3_settings_free(struct s3_settings *settings);
/* The value of a key in a section of an .ini file of AWS's tools; false: not there. */
bool s3_profile_value(struct bytes file, const char *section, const char *key, struct text *out);
/* ~/.aws/<name>, or where the variable says; what cannot be read is empty. */
void s3_profile_file(const char *variable, const char *name, struct text *out);
const char *s3_profile_name(void);

/* ---- s3_credentials.c: options, environment, file, container, instance ---- */

struct s3_credentials {
    char *access, *secret, *token; /* token NULL: none; access NULL: anonymous */
    int64_t expires_us;            /* 0: never */
};
void s3_credentials_free(struct s3_credentials *credentials);
struct s3_provider; /* finds them, keeps them, asks again before they expire */
struct s3_provider *s3_provider_new(const struct s3_settings *settings);
void s3_provider_free(struct s3_provider *provider);
/* A copy. `refused`: the server did not take those of before. E_SPEC when nobody has any; E_BROKER when who has them does not
 * answer. */
MUST_CHECK enum code s3_provider_get(struct s3_provider *provider, bool refused, struct s3_credentials *out,
                                     struct error *err);

/* ---- s3_request.c ---- */

struct s3_client {
    struct s3_settings settings;
    char *region; /* the server may correct it; guarded by lock */
    struct http_client *http;
    struct s3_provider *provider;
    struct lock lock;
    atomic_llong skew_us; /* the server's clock less ours */
    bool probed;          /* puts of what is taken were refused; guarded by lock */
    int32_t users;        /* stores; guarded by the registry's lock */
    struct s3_client *next;
};
MUST_CHECK enum code s3_client_retain(const char *bucket, struct s3_client **out, struct error *err);
void s3_client_release(struct s3_client *client);

enum { S3_HEADERS_MAX = 4 };
struct s3_call {
    const char *method;
    const char *key;                            /* NULL: the bucket itself */
    const char *query;                          /* encoded; NULL: none */
    struct sign_header headers[S3_HEADERS_MAX]; /* beside the usual ones; a NULL name ends them early */
    struct bytes body;
    size_t answer_max; /* bytes of the content; 0: S3_ANSWER_MAX */
};
struct s3_reply {
    struct http_answer answer;
    char error_code[S3_CODE_MAX]; /* "NoSuchKey", or "" */
    char message[200];            /* the server's, or "" */
};
/* Send, and send again what may pass. E_OK: an answer came that says what it is, 2xx or not; the rest is E_BROKER or E_SPEC,
 * about "s3 <endpoint>/<bucket>". 409 of a conditional request is tried again, as S3 asks. */
MUST_CHECK enum code s3_send(struct s3_client *client, const struct s3_call *call, struct s3_reply *reply,
                             struct error *err);
/* A call of many: what s3_send would have given for it alone. */
struct s3_exchange {
    struct s3_call call;
    struct s3_reply reply; /* when code is E_OK; to be freed */
    enum code code;
    struct error err;
};
/* Together, each tried again by itself. Strings and bodies of the calls last until it returns. */
void s3_send_all(struct s3_client *client, struct s3_exchange *exchanges, int32_t count);
bool s3_fine(const struct s3_reply *reply);
/* What a status that is not 2xx means when the caller expects none: E_ABSENT, E_EXISTS (412), E_SPEC, E_BROKER. */
MUST_CHECK enum code s3_refused(const struct s3_client *client, const struct s3_call *call,
                                const struct s3_reply *reply, struct error *err);
/* Both: E_OK only for 2xx. */
MUST_CHECK enum code s3_do(struct s3_client *client, const struct s3_call *call, struct s3_reply *reply,
                           struct error *err);
/* What became of one of many: E_OK only for 2xx. */
MUST_CHECK enum code s3_settle(const struct s3_client *client, const struct s3_exchange *sent, struct error *err);
void s3_reply_free(struct s3_reply *reply);
/* "2026-11-21T19:00:00.000Z" to microseconds since 1970, to the second; 0 when it is something else. */
int64_t s3_time(struct bytes text);

/* ---- s3.c ---- */

struct s3_store {
    struct store base;
    struct s3_client *client;
    char *prefix; /* "" or "a/b/" */
    struct lock lock;
    char **held; /* names that this store object has locked */
    int32_t held_count, held_capacity;
};
static inline struct s3_store *s3_of(struct store *store) { return (struct s3_store *)store; }
/* prefix + path, S3_KEY_MAX + 1 bytes; E_SPEC. */
MUST_CHECK enum code s3_key(const struct s3_store *store, const char *path, char *out, struct error *err);
/* E_ABSENT */
MUST_CHECK enum code s3_head(struct s3_store *store, const char *key, int64_t *size_bytes, struct error *err);
/* The whole under a key; `over`: also when it is taken. */
MUST_CHECK enum code s3_put_key(struct s3_store *store, const char *key, struct bytes content, bool over,
                                struct error *err);

/* ---- s3_list.c ---- */
MUST_CHECK enum code s3_list(struct store *base, const char *prefix, bool recursive, struct store_list *out,
                             struct error *err);
/* The store's own names in a folder, which lists leave out. */
MUST_CHECK enum code s3_list_own(struct s3_store *store, const char *folder, struct store_list *out, struct error *err);
MUST_CHECK enum code s3_list_staged(struct store *base, struct staged_list *out, struct error *err);

/* ---- s3_spans.c ---- */
MUST_CHECK enum code s3_read_spans(struct store *base, const char *path, struct store_pin *pin,
                                   const struct store_span *spans, int32_t count, struct text *outs, struct error *err);

/* ---- s3_stage.c ---- */
MUST_CHECK enum code s3_stage_open(struct store *base, const char *path, const char *final, struct stage **out,
                                   struct error *err);
MUST_CHECK enum code s3_stage_write(struct stage *base, struct bytes content, struct error *err);
MUST_CHECK enum code s3_stage_finish(struct stage *base, struct text *handle, struct error *err);
MUST_CHECK enum code s3_stage_finish_all(struct stage *const *bases, int32_t count, struct text *handles,
                                         struct error *err);
void s3_stage_abandon(struct stage *base);
MUST_CHECK enum code s3_publish(struct store *base, const struct staged *file, struct error *err);
MUST_CHECK enum code s3_publish_all(struct store *base, const struct staged *files, int32_t count, struct error *err);
MUST_CHECK enum code s3_has_staged(struct store *base, const struct staged *file, bool *out, struct error *err);
MUST_CHECK enum code s3_discard(struct store *base, const struct staged *file, struct error *err);

#endif
