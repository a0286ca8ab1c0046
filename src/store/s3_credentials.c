/* s3_credentials.c - the chain of providers, in the order of AWS's own tools; the first that has credentials is kept:
 *
 *   options      fs.s3a.access.key, .secret.key, .session.token
 *   environment  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   file         ~/.aws/credentials, then ~/.aws/config: the section of AWS_PROFILE; read again when the server refuses
 *   container    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE)
 *   instance     IMDSv2 at 169.254.169.254, or AWS_EC2_METADATA_SERVICE_ENDPOINT; not with AWS_EC2_METADATA_DISABLED=true
 *
 * Safety       what answers a container's full URI gets a secret token: only https, or http to this host and to the
 *              addresses of ECS and EKS. The two services are never asked through a proxy
 * Refresh      REFRESH_BEFORE_US ahead of the end; an old answer is used as long as it is good
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#include "base/os.h"
#include "store/s3.h"

enum { ANSWER_MAX = 64 * 1024, SECOND_US = 1000000, REFRESH_BEFORE_US = 300 * SECOND_US, REFUSED_PAUSE_US = SECOND_US };

struct s3_provider {
    const struct s3_settings *settings;
    struct lock lock; /* guards all below */
    struct s3_credentials current;
    bool known;
    int64_t asked_us;         /* monotonic: when they were last looked for */
    struct http_client *http; /* NULL until a service is asked */
};

void s3_credentials_free(struct s3_credentials *credentials)
{
    mem_free(credentials->access);
    mem_free(credentials->secret);
    mem_free(credentials->token);
    *credentials = (struct s3_credentials){0};
}

struct s3_provider *s3_provider_new(const struct s3_settings *settings)
{
    struct s3_provider *provider = mem_new(struct s3_provider);
    provider->settings = settings;
    lock_init(&provider->lock);
    return provider;
}

void s3_provider_free(struct s3_provider *provider)
{
    if (provider == NULL)
        return;
    s3_credentials_free(&provider->current);
    http_client_free(provider->http);
    lock_close(&provider->lock);
    mem_free(provider);
}

static const char *env_of(const char *name)
{
    const char *value = os_env(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* They become parts of header lines. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static bool credentials_set(struct s3_credentials *out, const char *access, const char *secret, const char *token)
{
    if (access == NULL || secret == NULL || access[0] == '\0' || secret[0] == '\0' || !is_plain(access) ||
        (token != NULL && !is_plain(token)))
        return false;
    *out = (struct s3_credentials){
        .access = mem_strdup(access),
        .secret = mem_strdup(secret),
        .token = token != NULL && token[0] != '\0' ? mem_strdup(token) : NULL,
    };
    return true;
}

/* ---- files ---- */

static bool from_section(struct bytes file, struct s3_credentials *out)
{
    struct text access = {0}, secret = {0}, token = {0};
    const char *profile = s3_profile_name();
    bool found = s3_profile_value(file, profile, "aws_access_key_id", &access) &&
                 s3_profile_value(file, profile, "aws_secret_access_key", &secret);
    if (found)
        (void)s3_profile_value(file, profile, "aws_session_token", &token);
    found = found && credentials_set(out, access.data, secret.data, token.data);
    text_free(&access);
    text_free(&secret);
    text_free(&token);
    return found;
}

static bool from_files(struct s3_credentials *out)
{
    struct text file = {0};
    s3_profile_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", &file);
    bool found = from_section(text_view(&file), out);
    text_free(&file);
    if (!found) {
        s3_profile_file("AWS_CONFIG_FILE", "config", &file);
        found = from_section(text_view(&file), out);
        text_free(&file);
    }
    return found;
}

/* ---- services ---- */

static enum code service_parse(struct bytes body, struct s3_credentials *out, struct error *err)
{
    json_error_t where;
    json_t *json = json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, &where);
    bool fine = json != NULL && credentials_set(out, json_string_value(json_object_get(json, "AccessKeyId")),
                                                json_string_value(json_object_get(json, "SecretAccessKey")),
                                                json_string_value(json_object_get(json, "Token")));
    const char *expires = json_string_value(json_object_get(json, "Expiration"));
    if (fine && expires != NULL)
        out->expires_us = s3_time(bytes_of_string(expires));
    json_decref(json);
    return fine ? E_OK : fail(err, E_BROKER, "the service of credentials gives an answer without keys");
}

static enum code service_ask(struct s3_provider *provider, const char *method, const char *url, const char *header,
                             struct text *out, struct error *err)
{
    if (provider->http == NULL) {
        const struct http_settings settings = {
            .connect_us = SECOND_US, .idle_us = 5 * SECOND_US, .total_us = 10 * SECOND_US, .direct = true};
        provider->http = http_client_new(&settings);
    }
    struct http_answer answer = {0};
    const struct http_request request = {method, url, &header, header != NULL ? 1 : 0, {0}, ANSWER_MAX};
    TRY(http_send(provider->http, &request, &answer, err));
    enum code code = answer.status == 200 ? E_OK : fail(err, E_BROKER, "%s answers with status %d", url, answer.status);
    if (code == E_OK)
        text_add(out, answer.body.data, answer.body.size);
    http_answer_free(&answer);
    return code;
}

/* Who may see the token of a container. */
static bool is_trusted(const char *url)
{
    static const char *const hosts[] = {"localhost",     "127.0.0.1",      "[::1]",
                                        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
    if (strncasecmp(url, "https://", 8) == 0)
        return true;
    if (strncasecmp(url, "http://", 7) != 0)
        return false;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t size = strlen(hosts[i]);
        if (strncasecmp(url + 7, hosts[i], size) == 0 && (url[7 + size] == ':' || url[7 + size] == '/'))
            return true;
    }
    return false;
}

static enum code container_token(struct text *header, struct error *err)
{
    const char *token = env_of("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
               *file = env_of("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    struct text content = {0};
    if (file != NULL)
        TRY(os_read_file(file, ANSWER_MAX, &content, err));
    while (content.size > 0 && (content.data[content.size - 1] == '\n' || content.data[content.size - 1] == '\r'))
        content.data[--content.size] = '\0';
    if (content.size > 0)
        token = content.data;
    enum code code =
        token == NULL || is_plain(token)
            ? E_OK
            : fail(err, E_SPEC,
                   "the token in AWS_CONTAINER_AUTHORIZATION_TOKEN has characters that no header may have");
    if (code == E_OK && token != NULL)
        text_printf(header, "Authorization: %s", token);
    text_free(&content);
    return code;
}

/* *found false: this is no container. */
static enum code from_container(struct s3_provider *provider, struct s3_credentials *out, bool *found,
                                struct error *err)
{
    const char *relative = env_of("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = env_of("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct text url = {0}, header = {0}, body = {0};
    *found = relative != NULL || full != NULL;
    if (!*found)
        return E_OK;
    text_printf(&url, "%s%s", relative != NULL ? "http://169.254.170.2" : "", relative != NULL ? relative : full);
    enum code code = is_trusted(url.data) ? container_token(&header, err)
                                          : fail(err, E_SPEC,
                                                 "AWS_CONTAINER_CREDENTIALS_FULL_URI is %s; it must be https, or "
                                                 "http on this host",
                                                 url.data);
    if (code == E_OK)
        code = service_ask(provider, "GET", url.data, header.data, &body, err);
    if (code == E_OK)
        code = service_parse(text_view(&body), out, err);
    text_free(&url);
    text_free(&header);
    text_free(&body);
    return code;
}

/* The first line of a list of roles. */
static void cut_line(struct text *text)
{
    text->size = text->data == NULL ? 0 : strcspn(text->data, "\r\n");
    if (text->data != NULL)
        text->data[text->size] = '\0';
}

static enum code instance_ask(struct s3_provider *provider, const char *base, const char *header,
                              struct s3_credentials *out, struct error *err)
{
    struct text url = {0}, role = {0}, body = {0};
    text_printf(&url, "%s/latest/meta-data/iam/security-credentials/", base);
    enum code code = service_ask(provider, "GET", url.data, header, &role, err);
    cut_line(&role);
    http_encode(text_view(&role), false, &url);
    if (code == E_OK)
        code = service_ask(provider, "GET", url.data, header, &body, err);
    if (code == E_OK)
        code = service_parse(text_view(&body), out, err);
    text_free(&url);
    text_free(&role);
    text_free(&body);
    return code;
}

static enum code from_instance(struct s3_provider *provider, struct s3_credentials *out, struct error *err)
{
    const char *base = env_of("AWS_EC2_METADATA_SERVICE_ENDPOINT"), *disabled = env_of("AWS_EC2_METADATA_DISABLED");
    struct text url = {0}, token = {0}, header = {0};
    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        return fail(err, E_ABSENT, "the instance may not be asked");
    base = base != NULL ? base : "http://169.254.169.254";
    size_t size = strlen(base);
    text_printf(&url, "%.*s/latest/api/token", (int)(size > 0 && base[size - 1] == '/' ? size - 1 : size), base);
    enum code code = service_ask(provider, "PUT", url.data, "x-aws-ec2-metadata-token-ttl-seconds: 21600", &token, err);
    if (code == E_OK && !is_plain(token.data != NULL ? token.data : ""))
        code = fail(err, E_BROKER, "the instance's token has characters that no header may have");
    text_printf(&header, "x-aws-ec2-metadata-token: %s", token.data != NULL ? token.data : "");
    if (code == E_OK) {
        url.size -= strlen("/latest/api/token");
        url.data[url.size] = '\0';
        code = instance_ask(provider, url.data, header.data, out, err);
    }
    text_free(&url);
    text_free(&token);
    text_free(&header);
    return code;
}

/* ---- the chain ---- */

static enum code find(struct s3_provider *provider, struct s3_credentials *out, struct error *err)
{
    const struct s3_settings *settings = provider->settings;
    bool container;
    *out = (struct s3_credentials){0};
    if (settings->anonymous || credentials_set(out, settings->access, settings->secret, settings->token) ||
        credentials_set(out, env_of("AWS_ACCESS_KEY_ID"), env_of("AWS_SECRET_ACCESS_KEY"),
                        env_of("AWS_SESSION_TOKEN")) ||
        from_files(out))
        return E_OK;
    TRY(from_container(provider, out, &container, err));
    if (container || from_instance(provider, out, err) == E_OK)
        return E_OK;
    return fail(
        err, E_SPEC,
        "no credentials for S3: set fs.s3a.access.key and fs.s3a.secret.key, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or write them to ~/.aws/credentials (profile %s); this host is no container and no "
        "instance that has any",
        s3_profile_name());
}

/* Due for another look? While the server refuses, not with every request. */
static bool is_due(const struct s3_provider *provider, bool refused, int64_t now_us)
{
    if (!provider->known)
        return true;
    if (refused)
        return now_us - provider->asked_us > REFUSED_PAUSE_US;
    return provider->current.expires_us != 0 &&
           os->clock_wall_us() > provider->current.expires_us - REFRESH_BEFORE_US &&
           now_us - provider->asked_us > REFUSED_PAUSE_US;
}

static enum code refresh(struct s3_provider *provider, struct error *err)
{
    struct s3_credentials found;
    provider->asked_us = os->clock_mono_us();
    enum code code = find(provider, &found, err);
    if (code != E_OK) {
        bool good = provider->known && provider->current.expires_us > os->clock_wall_us();
        return good ? E_OK : code;
    }
    s3_credentials_free(&provider->current);
    provider->current = found;
    provider->known = true;
    return E_OK;
}

enum code s3_provider_get(struct s3_provider *provider, bool refused, struct s3_credentials *out, struct error *err)
{
    lock_take(&provider->lock);
    enum code code = is_due(provider, refused, os->clock_mono_us()) ? refresh(provider, err) : E_OK;
    const struct s3_credentials *current = &provider->current;
    if (code == E_OK) {
        *out = (struct s3_credentials){.expires_us = current->expires_us};
        (void)credentials_set(out, current->access, current->secret, current->token);
    }
    lock_give(&provider->lock);
    return code;
}
