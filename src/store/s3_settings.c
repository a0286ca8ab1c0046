/* s3_settings.c - where S3's options come from, first one wins:
 *
 *   fs.s3a.bucket.<bucket>.<option>     of one bucket, with or without "spark.hadoop." in front, as all of these
 *   fs.s3a.<option>                     of all
 *   AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL
 *   ~/.aws/config                       region and endpoint_url of the profile
 *   s3.<region>.amazonaws.com, us-east-1
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "base/options.h"
#include "base/os.h"
#include "store/s3.h"

enum { PROFILE_FILE_MAX = 1 << 20 };

/* ---- what store_configure was given ---- */

static struct {
    pthread_mutex_t mutex;
    struct arena arena;
    struct store_option *items;
    int32_t count;
} given = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static const char *without_prefix(const char *name)
{
    static const char spark[] = "spark.hadoop.", s3a[] = "fs.s3a.";
    if (strncasecmp(name, spark, sizeof spark - 1) == 0)
        name += sizeof spark - 1;
    return strncasecmp(name, s3a, sizeof s3a - 1) == 0 ? name + sizeof s3a - 1 : NULL;
}

/* ---- the options ---- */

struct raw { /* as they are given */
    const char *endpoint, *region, *access, *secret, *token, *provider;
    bool path_style, ssl, insecure;
    int64_t attempts_max, connect_us, idle_us;
};
#define AT(member) offsetof(struct raw, member)

// clang-format off
static const struct option s3_options[] = {
    {.name = "endpoint", .kind = OPTION_STRING, .offset = AT(endpoint), .help = "host, host:port or URL of the server"},
    {.name = "endpoint.region", .kind = OPTION_STRING, .offset = AT(region), .help = "region that requests are signed for"},
    {.name = "access.key", .kind = OPTION_STRING, .offset = AT(access), .secret = true, .help = "id of the access key"},
    {.name = "secret.key", .kind = OPTION_STRING, .offset = AT(secret), .secret = true, .help = "the secret access key"},
    {.name = "session.token", .kind = OPTION_STRING, .offset = AT(token), .secret = true, .help = "token of a session"},
    {.name = "path.style.access", .kind = OPTION_BOOLEAN, .initial = "false", .offset = AT(path_style),
     .help = "http://host/bucket/key instead of http://bucket.host/key"},
    {.name = "connection.ssl.enabled", .kind = OPTION_BOOLEAN, .initial = "true", .offset = AT(ssl),
     .help = "https, when the endpoint does not say"},
    {.name = "connection.ssl.insecure", .kind = OPTION_BOOLEAN, .initial = "false", .offset = AT(insecure),
     .help = "do not check the server's certificate"},
    {.name = "aws.credentials.provider", .kind = OPTION_STRING, .offset = AT(provider),
     .help = "only Anonymous..Provider is looked at: requests are not signed"},
    {.name = "attempts.maximum", .kind = OPTION_INT, .initial = "8", .min = 1, .max = 100, .offset = AT(attempts_max),
     .help = "attempts at one request before the epoch fails"},
    {.name = "connection.establish.timeout", .kind = OPTION_DURATION, .initial = "5 seconds", .min = 1000,
     .max = (int64_t)3600 * 1000000, .offset = AT(connect_us), .help = "the longest time to a connection"},
    {.name = "connection.timeout", .kind = OPTION_DURATION, .initial = "30 seconds", .min = 1000000,
     .max = (int64_t)3600 * 1000000, .offset = AT(idle_us), .help = "the longest time without a byte"},
    {0},
};
// clang-format on

/* Hadoop has many options that leat does not need; only what is nearly one of ours is told. */
static void slip_tell(const char *name)
{
    static const struct option *const tables[] = {s3_options, NULL};
    static const char bucket[] = "bucket.";
    const char *end = strncasecmp(name, bucket, sizeof bucket - 1) == 0 ? strchr(name + sizeof bucket - 1, '.') : NULL;
    const char *option = end != NULL ? end + 1 : name;
    const char *near = options_have(tables, option) ? NULL : options_nearest(tables, option);
    if (near != NULL)
        log_warn("fs.s3a.%s has no effect; did you mean fs.s3a.%.*s%s?", name, (int)(option - name), name, near);
}

void store_configure(const struct store_option *options, int32_t count)
{
    always(pthread_mutex_lock(&given.mutex) == 0);
    arena_free(&given.arena);
    given.items = arena_array(&given.arena, struct store_option, (size_t)count);
    given.count = 0;
    for (int32_t i = 0; i < count; i++) {
        const char *name = without_prefix(options[i].name);
        if (name == NULL)
            continue;
        slip_tell(name);
        given.items[given.count++] =
            (struct store_option){arena_strdup(&given.arena, name), arena_strdup(&given.arena, options[i].value)};
    }
    always(pthread_mutex_unlock(&given.mutex) == 0);
}

/* Hadoop's times are milliseconds when they have no unit. */
static const char *with_unit(const struct option *option, const char *value, struct arena *arena)
{
    bool bare = option->kind == OPTION_DURATION && value[0] != '\0' && value[strspn(value, "0123456789")] == '\0';
    return bare ? arena_printf(arena, "%s ms", value) : value;
}

static enum code take_given(const char *bucket, bool own, struct raw *raw, struct arena *arena, struct error *err)
{
    char prefix[128];
    int size = snprintf(prefix, sizeof prefix, "bucket.%s.", bucket);
    for (int32_t i = 0; i < given.count; i++) {
        const char *name = given.items[i].name;
        bool mine = strncasecmp(name, prefix, (size_t)size) == 0;
        if (mine != own)
            continue;
        const struct option *option = option_find(s3_options, mine ? name + size : name);
        if (option == NULL)
            continue; // one of the many that Hadoop has and leat does not need
        if (option_set(s3_options, raw, option->name, with_unit(option, given.items[i].value, arena), arena, err) !=
            E_OK)
            return error_note(err, "fs.s3a.%s", name);
    }
    return E_OK;
}

static enum code raw_read(const char *bucket, struct raw *raw, struct arena *arena, struct error *err)
{
    *raw = (struct raw){0};
    options_defaults(s3_options, raw, arena);
    always(pthread_mutex_lock(&given.mutex) == 0);
    enum code code = take_given(bucket, false, raw, arena, err);
    if (code == E_OK)
        code = take_given(bucket, true, raw, arena, err);
    always(pthread_mutex_unlock(&given.mutex) == 0);
    return code;
}

/* ---- files of AWS's tools ---- */

const char *s3_profile_name(void)
{
    const char *name = os_env("AWS_PROFILE");
    return name != NULL && name[0] != '\0' ? name : "default";
}

void s3_profile_file(const char *variable, const char *name, struct text *out)
{
    struct error ignored = {0};
    struct text path = {0};
    const char *given_path = os_env(variable), *home = os_env("HOME");
    if (given_path != NULL && given_path[0] != '\0')
        text_add_string(&path, given_path);
    else
        text_printf(&path, "%s/.aws/%s", home != NULL ? home : "", name);
    if (os_read_file(path.data, PROFILE_FILE_MAX, out, &ignored) != E_OK)
        text_clear(out);
    text_free(&path);
}

static struct bytes trimmed(const char *from, const char *to)
{
    return bytes_trim(bytes_of(from, (size_t)(to - from)));
}

/* "[name]" in credentials, "[profile name]" in config. */
static bool is_section(struct bytes line, const char *section)
{
    struct bytes name = trimmed((const char *)line.data + 1, (const char *)line.data + line.size - 1);
    if (name.size > 8 && memcmp(name.data, "profile ", 8) == 0)
        name = trimmed((const char *)name.data + 8, (const char *)name.data + name.size);
    return bytes_equal_string(name, section);
}

bool s3_profile_value(struct bytes file, const char *section, const char *key, struct text *out)
{
    const char *at = (const char *)file.data, *end = at + file.size;
    bool inside = false;
    while (at != NULL && at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        line_end = line_end != NULL ? line_end : end;
        struct bytes line = trimmed(at, line_end);
        const char *equals = line.size > 0 ? memchr(line.data, '=', line.size) : NULL;
        at = line_end + 1;
        if (line.size > 1 && line.data[0] == '[' && line.data[line.size - 1] == ']') {
            inside = is_section(line, section);
        } else if (inside && equals != NULL && line.data[0] != '#' &&
                   bytes_equal_string(trimmed((const char *)line.data, equals), key)) {
            struct bytes value = trimmed(equals + 1, (const char *)line.data + line.size);
            text_add(out, value.data, value.size);
            return true;
        }
    }
    return false;
}

/* ---- region and endpoint ---- */

static const char *first_env(const char *one, const char *two)
{
    const char *value = os_env(one);
    if (value == NULL || value[0] == '\0')
        value = os_env(two);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *config_value(struct arena *arena, struct bytes config, const char *key)
{
    struct text value = {0};
    const char *found = NULL;
    if (s3_profile_value(config, s3_profile_name(), key, &value) && value.size > 0)
        found = arena_strdup(arena, value.data);
    text_free(&value);
    return found;
}

/* "eu-west-1" of s3.eu-west-1.amazonaws.com */
static const char *region_of_endpoint(struct arena *arena, const char *endpoint)
{
    const char *host = endpoint != NULL ? strstr(endpoint, "s3.") : NULL,
               *dot = host != NULL ? strchr(host + 3, '.') : NULL;
    if (dot == NULL || strncmp(dot, ".amazonaws.com", 14) != 0)
        return NULL;
    return arena_strndup(arena, host + 3, (size_t)(dot - host - 3));
}

static enum code endpoint_set(struct s3_settings *out, const char *endpoint, bool ssl, struct error *err)
{
    const char *scheme = strstr(endpoint, "://");
    size_t size = strlen(endpoint);
    while (size > 0 && endpoint[size - 1] == '/')
        size--;
    if (scheme != NULL && strncasecmp(endpoint, "http://", 7) != 0 && strncasecmp(endpoint, "https://", 8) != 0)
        return fail(err, E_SPEC,
                    "fs.s3a.endpoint is '%s'; it takes a host, host:port, or a URL that begins with http:// or "
                    "https://",
                    endpoint);
    out->endpoint = arena_printf(&out->arena, "%s%.*s",
                                 scheme != NULL ? ""
                                 : ssl          ? "https://"
                                                : "http://",
                                 (int)size, endpoint);
    const char *host = strstr(out->endpoint, "://") + 3;
    if (host[0] == '\0' || strpbrk(host, "/?#@ ") != NULL)
        return fail(err, E_SPEC, "fs.s3a.endpoint is '%s'; it takes a host, host:port, or a URL without a path",
                    endpoint);
    return E_OK;
}

/* A bucket's name in front of these makes no host that is known, or none that a certificate covers. */
static bool needs_path_style(const struct s3_settings *settings)
{
    const char *host = strstr(settings->endpoint, "://") + 3;
    size_t size = strcspn(host, ":");
    bool name = false;
    for (size_t i = 0; i < size; i++)
        name |= isalpha((unsigned char)host[i]) != 0;
    return !name || host[0] == '[' || memchr(host, '.', size) == NULL || strchr(settings->bucket, '.') != NULL;
}

static enum code bucket_check(const char *bucket, struct error *err)
{
    size_t size = strlen(bucket);
    if (strchr(bucket, '@') != NULL) // not shown: who writes one writes a secret
        return fail(err, E_SPEC, "a URL of S3 has no name and no password in it: docs/s3.md says where they come from");
    if (size < 3 || size > 63 || strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != size)
        return fail(err, E_SPEC, "'%s' is no name of a bucket: 3 to 63 small letters, digits, '-' and '.'", bucket);
    return E_OK;
}

static enum code places_set(struct s3_settings *out, const struct raw *raw, struct bytes config, struct error *err)
{
    const char *endpoint = raw->endpoint, *region = raw->region;
    if (endpoint == NULL)
        endpoint = first_env("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
    if (endpoint == NULL)
        endpoint = config_value(&out->arena, config, "endpoint_url");
    if (region == NULL)
        region = region_of_endpoint(&out->arena, endpoint);
    if (region == NULL)
        region = first_env("AWS_REGION", "AWS_DEFAULT_REGION");
    if (region == NULL)
        region = config_value(&out->arena, config, "region");
    out->region = arena_strdup(&out->arena, region != NULL ? region : "us-east-1");
    if (strspn(out->region, "abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(out->region) || out->region[0] == '\0')
        return fail(err, E_SPEC, "'%s' is no name of a region", out->region);
    if (endpoint == NULL || strcasecmp(endpoint, "s3.amazonaws.com") == 0)
        endpoint = arena_printf(&out->arena, "s3.%s.amazonaws.com", out->region);
    TRY(endpoint_set(out, endpoint, raw->ssl, err));
    out->path_style = raw->path_style || needs_path_style(out);
    return E_OK;
}

enum code s3_settings_read(const char *bucket, struct s3_settings *out, struct error *err)
{
    struct s3_settings settings = {0};
    struct text config = {0};
    struct raw raw;
    TRY(bucket_check(bucket, err));
    settings.bucket = arena_strdup(&settings.arena, bucket);
    s3_profile_file("AWS_CONFIG_FILE", "config", &config);
    enum code code = raw_read(bucket, &raw, &settings.arena, err);
    if (code == E_OK)
        code = places_set(&settings, &raw, text_view(&config), err);
    if (code == E_OK && (raw.access == NULL) != (raw.secret == NULL))
        code = fail(err, E_SPEC, "fs.s3a.access.key and fs.s3a.secret.key belong together: one of them is missing");
    text_free(&config);
    if (code != E_OK) {
        arena_free(&settings.arena);
        return error_note(err, "s3://%s", bucket);
    }
    if (raw.insecure)
        log_warn("s3://%s: fs.s3a.connection.ssl.insecure is on: the server's certificate is not checked", bucket);
    settings.access = raw.access;
    settings.secret = raw.secret;
    settings.token = raw.token;
    settings.insecure = raw.insecure;
    settings.anonymous = raw.provider != NULL && strstr(raw.provider, "Anonymous") != NULL;
    settings.attempts_max = raw.attempts_max;
    settings.connect_us = raw.connect_us;
    settings.idle_us = raw.idle_us;
    *out = settings;
    return E_OK;
}

void s3_settings_free(struct s3_settings *settings)
{
    arena_free(&settings->arena);
    *settings = (struct s3_settings){0};
}
