/* cipher.c - AES, as Spark lays it out.
 *
 * Layout   GCM: 12 bytes of initialisation vector, the cipher text, 16 bytes of tag; CBC: 16 bytes of vector, the cipher
 *          text padded as PKCS 7 says; ECB: the padded cipher text
 * Random   a vector that is not given is made anew for every row
 */
#include <openssl/evp.h>
#include <strings.h>

#include "base/os.h"
#include "expr/function.h"
#include "expr/writer.h"

enum { GCM_VECTOR_BYTES = 12, GCM_TAG_BYTES = 16, BLOCK_BYTES = 16 };
enum mode { MODE_GCM, MODE_CBC, MODE_ECB, MODE_UNKNOWN };

/* One row's arguments. */
struct request {
    struct bytes input, key, vector, extra;
    enum mode mode;
};

static bool word_is(struct bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

/* Each mode has one padding; DEFAULT is it. */
static enum mode mode_of(struct bytes mode, struct bytes padding)
{
    bool usual = word_is(padding, "DEFAULT"), pkcs = word_is(padding, "PKCS");
    if (word_is(mode, "GCM") && (usual || word_is(padding, "NONE")))
        return MODE_GCM;
    if (word_is(mode, "CBC") && (usual || pkcs))
        return MODE_CBC;
    return word_is(mode, "ECB") && (usual || pkcs) ? MODE_ECB : MODE_UNKNOWN;
}

static const EVP_CIPHER *cipher_of(enum mode mode, size_t key_bytes)
{
    switch (key_bytes) {
    case 16: return mode == MODE_GCM ? EVP_aes_128_gcm() : mode == MODE_CBC ? EVP_aes_128_cbc() : EVP_aes_128_ecb();
    case 24: return mode == MODE_GCM ? EVP_aes_192_gcm() : mode == MODE_CBC ? EVP_aes_192_cbc() : EVP_aes_192_ecb();
    case 32: return mode == MODE_GCM ? EVP_aes_256_gcm() : mode == MODE_CBC ? EVP_aes_256_cbc() : EVP_aes_256_ecb();
    default: return NULL;
    }
}

static size_t vector_bytes(enum mode mode)
{
    return mode == MODE_GCM ? GCM_VECTOR_BYTES : mode == MODE_CBC ? BLOCK_BYTES : 0;
}

static struct bytes optional_bytes(struct call *call, const struct arg *args, int32_t index, int64_t row,
                                   const char *usual)
{
    return index < call->arg_count ? arg_bytes(&args[index], row) : bytes_of_string(usual);
}

/* False: the row was rejected. `vector_at`, `extra_at`: which arguments these are, if any. */
static bool request_read(struct call *call, const struct arg *args, int64_t row, int32_t vector_at, int32_t extra_at,
                         struct request *out)
{
    out->input = arg_bytes(&args[0], row);
    out->key = arg_bytes(&args[1], row);
    out->mode = mode_of(optional_bytes(call, args, 2, row, "GCM"), optional_bytes(call, args, 3, row, "DEFAULT"));
    out->vector = vector_at > 0 ? optional_bytes(call, args, vector_at, row, "") : (struct bytes){0};
    out->extra = optional_bytes(call, args, extra_at, row, "");
    enum reject_code code = REJECT_COUNT;
    if (cipher_of(out->mode, out->key.size) == NULL)
        code = REJECT_AES_KEY;
    else if (out->mode == MODE_UNKNOWN)
        code = REJECT_AES_MODE;
    else if (out->vector.size > 0 && out->mode == MODE_ECB)
        code = REJECT_AES_IV_MODE;
    else if (out->vector.size > 0 && out->vector.size != vector_bytes(out->mode))
        code = REJECT_AES_IV;
    else if (out->extra.size > 0 && out->mode != MODE_GCM)
        code = REJECT_AES_AAD_MODE;
    if (code != REJECT_COUNT)
        call_reject(call, row, code);
    return code == REJECT_COUNT;
}

static void random_vector(uint8_t *out, size_t size)
{
    for (size_t at = 0; at < size; at += 4) {
        uint32_t word = (uint32_t)os_random();
        memcpy(out + at, &word, 4);
    }
}

/* Sizes of rows are below WRITER_ROW_MAX, so they fit an int. */
static bool encrypt(EVP_CIPHER_CTX *ctx, const struct request *request, uint8_t *to, size_t *size)
{
    size_t head = vector_bytes(request->mode);
    int part = 0, last = 0;
    if (request->vector.size > 0)
        memcpy(to, request->vector.data, head);
    else
        random_vector(to, head);
    bool done = EVP_EncryptInit_ex(ctx, cipher_of(request->mode, request->key.size), NULL, request->key.data, to) == 1;
    if (request->extra.size > 0)
        done = done && EVP_EncryptUpdate(ctx, NULL, &part, request->extra.data, (int)request->extra.size) == 1;
    done = done && EVP_EncryptUpdate(ctx, to + head, &part, request->input.data, (int)request->input.size) == 1 &&
           EVP_EncryptFinal_ex(ctx, to + head + part, &last) == 1;
    *size = head + (size_t)part + (size_t)last;
    if (request->mode != MODE_GCM)
        return done;
    done = done && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_BYTES, to + *size) == 1;
    *size += GCM_TAG_BYTES;
    return done;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, const struct request *request, uint8_t *to, size_t *size)
{
    size_t head = vector_bytes(request->mode), tail = request->mode == MODE_GCM ? GCM_TAG_BYTES : 0;
    struct bytes in = request->input;
    int part = 0, last = 0;
    uint8_t tag[GCM_TAG_BYTES];
    if (in.size < head + tail)
        return false;
    size_t body = in.size - head - tail;
    bool done =
        EVP_DecryptInit_ex(ctx, cipher_of(request->mode, request->key.size), NULL, request->key.data, in.data) == 1;
    if (request->extra.size > 0)
        done = done && EVP_DecryptUpdate(ctx, NULL, &part, request->extra.data, (int)request->extra.size) == 1;
    done = done && EVP_DecryptUpdate(ctx, to, &part, in.data + head, (int)body) == 1;
    if (tail > 0) {
        memcpy(tag, in.data + head + body, tail);
        done = done && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG_BYTES, tag) == 1;
    }
    done = done && EVP_DecryptFinal_ex(ctx, to + part, &last) == 1;
    *size = (size_t)part + (size_t)last;
    return done;
}

typedef bool cipher_fn(EVP_CIPHER_CTX *ctx, const struct request *request, uint8_t *to, size_t *size);

static void cipher_rows(struct call *call, const struct arg *args, struct column *out, int32_t vector_at,
                        int32_t extra_at, cipher_fn *run)
{
    enum { MORE_BYTES = BLOCK_BYTES + GCM_TAG_BYTES + BLOCK_BYTES };
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    struct writer writer;
    always(ctx != NULL);
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]) + call->rows * MORE_BYTES);
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct request request;
        size_t size;
        if (!request_read(call, args, i, vector_at, extra_at, &request)) {
            writer_skip(&writer);
            continue;
        }
        uint8_t *to = writer_room(&writer, request.input.size + MORE_BYTES);
        if (to == NULL)
            continue;
        if (run(ctx, &request, to, &size)) {
            writer_end(&writer, size);
        } else {
            call_reject(call, i, REJECT_AES_CRYPTO);
            writer_skip(&writer);
        }
    }
    writer_close(&writer);
    EVP_CIPHER_CTX_free(ctx);
}

SCALAR(
    fn_aes_encrypt, "aes_encrypt", "(binary, binary, string?, string?, binary?, binary?) -> binary",
    "Encrypted with AES: the key has 16, 24 or 32 bytes; then mode ('GCM', 'CBC', 'ECB'), padding ('DEFAULT'), initialisation "
    "vector and additional data.",
    "base64(aes_encrypt('Spark', 'abcdefghijklmnop', 'ECB'))",
    "4Hv0UKCx6nfUeAoPZo1z+w==", .flags = FN_FAILS | FN_PER_ROW)
{
    cipher_rows(call, args, out, 4, 5, encrypt);
}

SCALAR(fn_aes_decrypt, "aes_decrypt", "(binary, binary, string?, string?, binary?) -> binary",
       "Decrypted with AES: the bytes, the key, then mode, padding and additional data, as aes_encrypt had them.",
       "cast(aes_decrypt(aes_encrypt('Spark', 'abcdefghijklmnop'), 'abcdefghijklmnop') AS STRING)", "Spark",
       .flags = FN_FAILS | FN_NULLABLE)
{
    cipher_rows(call, args, out, -1, 4, decrypt);
}
SCALAR_SAME(fn_try_aes_decrypt, "try_aes_decrypt", "(binary, binary, string?, string?, binary?) -> binary",
            "Decrypted with AES; NULL where that fails.", "try_aes_decrypt(X'00', 'abcdefghijklmnop')", "NULL",
            .run = fn_aes_decrypt_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

const struct function *const cipher_functions[] = {&fn_aes_encrypt, &fn_aes_decrypt, &fn_try_aes_decrypt, NULL};
