/* s3_sign.h - AWS Signature Version 4, in the Authorization header. Private to store/.
 *
 * In       a request as it will be sent: path and query percent-encoded once (S3's rule; other services encode the
 *          path twice), headers in any order, the SHA-256 of the body in hex
 * Out      each step by itself, so that each is tested against AWS's own cases (CONFORMANCE_DIR/aws-sigv4)
 * Secrets  a secret key is only ever input to HMAC
 * Thread   any
 * Spec     docs.aws.amazon.com, "Signature Version 4 signing process"
 */
#ifndef STORE_S3_SIGN_H
#define STORE_S3_SIGN_H

#include "base/bytes.h"

enum { SIGN_HEX_BYTES = 65, SIGN_TIME_BYTES = 17, SIGN_HEADERS_MAX = 16 };

struct sign_header {
    const char *name, *value; /* the name in lower case */
};
struct sign_request {
    const char *method, *path;
    const char *query; /* "a=1&b=", in any order; "" when there is none */
    const struct sign_header *headers;
    int32_t header_count;    /* at most SIGN_HEADERS_MAX; all are signed */
    const char *payload_hex; /* SHA-256 of the body */
};
struct sign_scope {
    char time[SIGN_TIME_BYTES]; /* 20150830T123600Z, as in x-amz-date */
    const char *region, *service;
};

void sign_sha256(struct bytes data, char hex[SIGN_HEX_BYTES]);
void sign_time(int64_t time_us, char out[SIGN_TIME_BYTES]);
/* The canonical request; the names of its headers, "host;x-amz-date", are appended to `names`. */
void sign_canonical(const struct sign_request *request, struct text *out, struct text *names);
void sign_string(const struct sign_scope *scope, struct bytes canonical, struct text *out);
void sign_signature(const struct sign_scope *scope, const char *secret, struct bytes string, char hex[SIGN_HEX_BYTES]);
/* The value of the Authorization header, appended. */
void sign_authorization(const struct sign_scope *scope, const char *access, const char *secret,
                        const struct sign_request *request, struct text *out);

#endif
