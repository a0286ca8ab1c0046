#include "store/s3_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SHA256_BYTES = 32 };

static void hex_print(const uint8_t *digest, char hex[SIGN_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[2 * SHA256_BYTES] = '\0';
}

void sign_sha256(struct bytes data, char hex[SIGN_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    always(EVP_Digest(data.size > 0 ? (const void *)data.data : "", data.size, digest, NULL, EVP_sha256(), NULL) == 1);
    hex_print(digest, hex);
}

static void hmac(const void *key, size_t key_size, struct bytes data, uint8_t out[SHA256_BYTES])
{
    unsigned size = SHA256_BYTES;
    always(HMAC(EVP_sha256(), key, (int)key_size, data.data, data.size, out, &size) != NULL);
}

void sign_time(int64_t time_us, char out[SIGN_TIME_BYTES])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm utc;
    always(gmtime_r(&seconds, &utc) != NULL);
    always(strftime(out, SIGN_TIME_BYTES, "%Y%m%dT%H%M%SZ", &utc) == SIGN_TIME_BYTES - 1);
}

/* ---- the canonical request ---- */

static int pair_order(const void *a, const void *b)
{
    // "a=1" before "a-b=1": the name ends where '=' stands, which must count as less than every other character
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    for (; *left == *right && *left != '\0'; left++, right++)
        ;
    int l = *left == '=' ? 1 : (unsigned char)*left, r = *right == '=' ? 1 : (unsigned char)*right;
    return l - r;
}

/* name=value pairs by name, then value; a name without '=' gets one. */
static void query_add(const char *query, struct text *out)
{
    enum { PAIRS_MAX = 32 };
    char *copy = mem_strdup(query), *pairs[PAIRS_MAX], *rest = NULL;
    size_t count = 0;
    for (char *pair = strtok_r(copy, "&", &rest); pair != NULL; pair = strtok_r(NULL, "&", &rest)) {
        always(count < PAIRS_MAX);
        pairs[count++] = pair;
    }
    qsort(pairs, count, sizeof *pairs, pair_order);
    for (size_t i = 0; i < count; i++)
        text_printf(out, "%s%s%s", i > 0 ? "&" : "", pairs[i], strchr(pairs[i], '=') == NULL ? "=" : "");
    mem_free(copy);
}

/* Without spaces at its ends, runs of spaces as one. */
static void value_add(const char *value, struct text *out)
{
    bool waiting = false, any = false;
    for (; *value != '\0'; value++) {
        if (*value == ' ' || *value == '\t') {
            waiting = any;
            continue;
        }
        if (waiting)
            text_add_char(out, ' ');
        text_add_char(out, *value);
        waiting = false;
        any = true;
    }
}

/* Stable, so that the values of one name stay in order. */
static void headers_sort(struct sign_header *headers, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        for (int32_t at = i; at > 0 && strcmp(headers[at - 1].name, headers[at].name) > 0; at--) {
            struct sign_header swap = headers[at];
            headers[at] = headers[at - 1];
            headers[at - 1] = swap;
        }
}

static void headers_add(const struct sign_request *request, struct text *out, struct text *names)
{
    struct sign_header headers[SIGN_HEADERS_MAX];
    int32_t count = request->header_count;
    always(count <= SIGN_HEADERS_MAX);
    memcpy(headers, request->headers, (size_t)count * sizeof *headers);
    headers_sort(headers, count);
    for (int32_t i = 0; i < count; i++) {
        bool again = i > 0 && strcmp(headers[i - 1].name, headers[i].name) == 0;
        bool more = i + 1 < count && strcmp(headers[i + 1].name, headers[i].name) == 0;
        if (!again) {
            text_printf(out, "%s:", headers[i].name);
            text_printf(names, "%s%s", i > 0 ? ";" : "", headers[i].name);
        }
        value_add(headers[i].value, out);
        text_add_char(out, more ? ',' : '\n');
    }
}

void sign_canonical(const struct sign_request *request, struct text *out, struct text *names)
{
    size_t first = names->size;
    text_printf(out, "%s\n%s\n", request->method, request->path);
    query_add(request->query, out);
    text_add_char(out, '\n');
    headers_add(request, out, names);
    text_printf(out, "\n%s\n%s", names->data + first, request->payload_hex);
}

/* ---- the signature ---- */

static void scope_add(const struct sign_scope *scope, struct text *out)
{
    text_printf(out, "%.8s/%s/%s/aws4_request", scope->time, scope->region, scope->service);
}

void sign_string(const struct sign_scope *scope, struct bytes canonical, struct text *out)
{
    char hex[SIGN_HEX_BYTES];
    sign_sha256(canonical, hex);
    text_printf(out, "AWS4-HMAC-SHA256\n%s\n", scope->time);
    scope_add(scope, out);
    text_printf(out, "\n%s", hex);
}

void sign_signature(const struct sign_scope *scope, const char *secret, struct bytes string, char hex[SIGN_HEX_BYTES])
{
    struct text first = {0};
    uint8_t key[SHA256_BYTES], next[SHA256_BYTES];
    text_printf(&first, "AWS4%s", secret);
    hmac(first.data, first.size, bytes_of(scope->time, 8), key);
    hmac(key, sizeof key, bytes_of_string(scope->region), next);
    hmac(next, sizeof next, bytes_of_string(scope->service), key);
    hmac(key, sizeof key, bytes_of_string("aws4_request"), next);
    hmac(next, sizeof next, string, key);
    hex_print(key, hex);
    text_free(&first);
}

void sign_authorization(const struct sign_scope *scope, const char *access, const char *secret,
                        const struct sign_request *request, struct text *out)
{
    struct text canonical = {0}, names = {0}, string = {0};
    char hex[SIGN_HEX_BYTES];
    sign_canonical(request, &canonical, &names);
    sign_string(scope, text_view(&canonical), &string);
    sign_signature(scope, secret, text_view(&string), hex);
    text_printf(out, "AWS4-HMAC-SHA256 Credential=%s/", access);
    scope_add(scope, out);
    text_printf(out, ", SignedHeaders=%s, Signature=%s", names.data, hex);
    text_free(&canonical);
    text_free(&names);
    text_free(&string);
}
