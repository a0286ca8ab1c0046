/* The parts of the S3 store that need no server: signatures, XML, the files of AWS's tools, settings. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "kit.h"
#include "store/s3.h"
#include "store/s3_xml.h"

/* ---- AWS's own cases of Signature Version 4 ---- */

enum { CASE_MAX = 64 * 1024 };

static struct text file_of(const char *folder, const char *name)
{
    struct error err = {0};
    struct text path = {0}, out = {0};
    text_printf(&path, "%s/%s", folder, name);
    if (os_read_file(path.data, CASE_MAX, &out, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s", err.text);
    text_free(&path);
    return out;
}

/* The value of a member of context.json that is a string; the file is flat enough for that. */
static bool member(const char *json, const char *name, char *out, size_t size)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\": \"", name);
    const char *at = strstr(json, quoted);
    if (at == NULL)
        return false;
    at += strlen(quoted);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

struct signed_case {
    char access[64], secret[64], token[512], region[32], service[32], stamp[32];
    bool has_token, sign_body, normalize, omit_token;
    struct text path, query, body, lines;
    char method[16];
    struct sign_header headers[SIGN_HEADERS_MAX];
    int32_t count;
};

static void context_read(struct signed_case *c, const char *json)
{
    member(json, "access_key_id", c->access, sizeof c->access);
    member(json, "secret_access_key", c->secret, sizeof c->secret);
    c->has_token = member(json, "token", c->token, sizeof c->token);
    member(json, "region", c->region, sizeof c->region);
    member(json, "service", c->service, sizeof c->service);
    member(json, "timestamp", c->stamp, sizeof c->stamp);
    c->sign_body = strstr(json, "\"sign_body\": true") != NULL;
    c->normalize = strstr(json, "\"normalize\": true") != NULL;
    c->omit_token = strstr(json, "\"omit_session_token\": true") != NULL;
}

/* Percent-encode what is not ASCII or a space; the rest is as it will be sent. */
static void encode_rest(struct bytes from, struct text *out)
{
    for (size_t i = 0; i < from.size; i++)
        if (from.data[i] <= ' ' || from.data[i] >= 0x7f)
            http_encode(bytes_of(from.data + i, 1), false, out);
        else
            text_add_char(out, (char)from.data[i]);
}

/* "GET /a?b HTTP/1.1", header lines, an empty one, the body. A folded line belongs to the header before it. */
static void request_read(struct signed_case *c, char *request)
{
    char *line_end = strchr(request, '\n'), *http = NULL;
    *line_end = '\0';
    for (char *p = request; (p = strstr(p, " HTTP/1.1")) != NULL; p++)
        http = p;
    char *target = strchr(request, ' ') + 1, *question;
    *http = '\0';
    snprintf(c->method, sizeof c->method, "%.*s", (int)(target - 1 - request), request);
    question = strchr(target, '?');
    encode_rest(bytes_of(target, question != NULL ? (size_t)(question - target) : strlen(target)), &c->path);
    if (question != NULL)
        encode_rest(bytes_of_string(question + 1), &c->query);
    for (char *line = line_end + 1; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end == line) {
            text_add_string(&c->body, end + 1);
            return;
        }
        char *colon = strchr(line, ':');
        *colon = '\0';
        for (char *p = line; p < colon; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        if (end != NULL)
            *end = '\0';
        c->headers[c->count++] = (struct sign_header){line, colon + 1};
        line = end != NULL ? end + 1 : NULL;
    }
}

static void signed_case_check(const char *folder, const char *name)
{
    struct signed_case c = {0};
    char path[512], body_hex[SIGN_HEX_BYTES], signature[SIGN_HEX_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct text context = file_of(path, "context.json"), request = file_of(path, "request.txt");
    context_read(&c, context.data);
    request_read(&c, request.data);
    struct sign_scope scope = {.region = c.region, .service = c.service};
    sign_time(s3_time(bytes_of_string(c.stamp)), scope.time);
    sign_sha256(text_view(&c.body), body_hex);
    c.headers[c.count++] = (struct sign_header){"x-amz-date", scope.time};
    if (c.has_token && !c.omit_token)
        c.headers[c.count++] = (struct sign_header){"x-amz-security-token", c.token};
    if (c.sign_body)
        c.headers[c.count++] = (struct sign_header){"x-amz-content-sha256", body_hex};
    const struct sign_request sign = {.method = c.method,
                                      .path = c.path.data,
                                      .query = c.query.data != NULL ? c.query.data : "",
                                      .headers = c.headers,
                                      .header_count = c.count,
                                      .payload_hex = body_hex};
    struct text canonical = {0}, names = {0}, string = {0};
    struct text want_canonical = file_of(path, "header-canonical-request.txt"),
                want_string = file_of(path, "header-string-to-sign.txt"),
                want_signature = file_of(path, "header-signature.txt");
    sign_canonical(&sign, &canonical, &names);
    sign_string(&scope, text_view(&canonical), &string);
    sign_signature(&scope, c.secret, text_view(&string), signature);
    if (strcmp(canonical.data, want_canonical.data) != 0)
        kit_fail(__FILE__, __LINE__, "%s: canonical request\n%s\nexpected\n%s", name, canonical.data,
                 want_canonical.data);
    if (strcmp(string.data, want_string.data) != 0)
        kit_fail(__FILE__, __LINE__, "%s: string to sign\n%s\nexpected\n%s", name, string.data, want_string.data);
    if (strcmp(signature, want_signature.data) != 0)
        kit_fail(__FILE__, __LINE__, "%s: signature %s, expected %s", name, signature, want_signature.data);
    struct text *all[] = {&context,     &request,        &canonical, &names,   &string, &want_canonical,
                          &want_string, &want_signature, &c.path,    &c.query, &c.body};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        text_free(all[i]);
}

/* S3 sends paths as they are: cases whose path would be normalized, or whose header is folded, are not of its kind. */
static bool is_of_s3(const char *name)
{
    bool dots = strncmp(name, "get-relative", 12) == 0 || strncmp(name, "get-slash", 9) == 0;
    return name[0] != '.' && (!dots || strstr(name, "unnormalized") != NULL) &&
           strcmp(name, "get-header-value-multiline") != 0;
}

TEST(signatures_are_those_of_awss_own_cases)
{
    const char *folder = kit_conformance("aws-sigv4/v4");
    if (folder == NULL)
        return;
    char root[512];
    snprintf(root, sizeof root, "%s", folder);
    DIR *dir = opendir(root);
    CHECK(dir != NULL);
    int count = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (is_of_s3(entry->d_name)) {
            signed_case_check(root, entry->d_name);
            count++;
        }
    if (dir != NULL)
        closedir(dir);
    CHECK_INT(count, 31);
}

/* ---- XML ---- */

struct seen {
    struct text text;
};

static void see(void *context, const char *path, struct bytes text)
{
    struct seen *seen = context;
    text_printf(&seen->text, "%s=%.*s;", path, (int)text.size, (const char *)text.data);
}

static enum code walk(const char *xml, struct seen *seen)
{
    struct error err = {0};
    text_free(&seen->text);
    return xml_walk(bytes_of_string(xml), see, seen, &err);
}

TEST(elements_come_with_their_text)
{
    struct seen seen = {0};
    CHECK_INT(
        walk(
            "<?xml version=\"1.0\"?>\n<A xmlns=\"x>y\"><B>one</B><C/><!-- <D> --><B>t&amp;&#x41;&#66;<![CDATA[<&>]]></B></A>",
            &seen),
        E_OK);
    CHECK_STR(seen.text.data, "A/B=one;A/C=;A/B=t&AB<&>;A=;");
    CHECK_INT(walk("<s3:Error><s3:Code>x</s3:Code></s3:Error>", &seen), E_OK);
    CHECK_STR(seen.text.data, "Error/Code=x;Error=;");
    CHECK_INT(walk("", &seen), E_OK);
    CHECK_INT(walk("no xml at all", &seen), E_OK);
    text_free(&seen.text);
}

TEST(broken_xml_is_refused)
{
    static const char *const broken[] = {
        "<A>",
        "<A",
        "<A></B>",
        "</A>",
        "<A>&huge;</A>",
        "<A>&#0;</A>",
        "<A>&#xD800;</A>",
        "<A>&#x110000;</A>",
        "<A>&</A>",
        "<>x</>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><A>&b;</A>",
        "<A b='></A>",
        "<A><![CDATA[</A>",
        "<!-- ",
        "<?xml",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a></a>"};
    struct seen seen = {0};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (walk(broken[i], &seen) != E_CORRUPT)
            kit_fail(__FILE__, __LINE__, "taken: %s", broken[i]);
    text_free(&seen.text);
}

/* ---- settings ---- */

static void profile_check(const char *file, const char *section, const char *key, const char *want)
{
    struct text value = {0};
    bool found = s3_profile_value(bytes_of_string(file), section, key, &value);
    CHECK(found == (want != NULL));
    if (want != NULL && found)
        CHECK_STR(value.data, want);
    text_free(&value);
}

TEST(profiles_are_read_as_awss_tools_write_them)
{
    static const char file[] =
        "# a comment\n[default]\naws_access_key_id = A\n aws_secret_access_key=B/+=\n\n[profile dev]\r\nregion = eu-west-1\r\n"
        "#region = no\n[ x ]\nregion=\n";
    profile_check(file, "default", "aws_access_key_id", "A");
    profile_check(file, "default", "aws_secret_access_key", "B/+=");
    profile_check(file, "default", "region", NULL);
    profile_check(file, "dev", "region", "eu-west-1");
    profile_check(file, "x", "region", "");
    profile_check(file, "nobody", "region", NULL);
    profile_check("", "default", "region", NULL);
}

static void quiet_environment(void)
{
    static const char *const names[] = {
        "AWS_REGION",  "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3",   "AWS_ENDPOINT_URL",
        "AWS_PROFILE", "AWS_ACCESS_KEY_ID",  "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("AWS_CONFIG_FILE", "/nowhere/config", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
}

static enum code settings_of(const char *bucket, const struct store_option *options, int32_t count,
                             struct s3_settings *out, struct error *err)
{
    store_configure(options, count);
    enum code code = s3_settings_read(bucket, out, err);
    store_configure(NULL, 0);
    return code;
}

TEST(options_are_those_of_hadoop)
{
    struct error err = {0};
    struct s3_settings settings;
    quiet_environment();
    CHECK_INT(settings_of("b-1", NULL, 0, &settings, &err), E_OK);
    CHECK_STR(settings.endpoint, "https://s3.us-east-1.amazonaws.com");
    CHECK(!settings.path_style);
    s3_settings_free(&settings);

    const struct store_option minio[] = {{"spark.hadoop.fs.s3a.endpoint", "http://127.0.0.1:9000/"},
                                         {"fs.s3a.access.key", "k"},
                                         {"fs.s3a.secret.key", "s"},
                                         {"spark.sql.shuffle.partitions", "8"},
                                         {"fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem"},
                                         {"fs.s3a.connection.timeout", "5000"},
                                         {"spark.hadoop.fs.s3a.bucket.other.endpoint", "minio.example:9000"},
                                         {"fs.s3a.bucket.other.endpoint.region", "eu-central-1"}};
    CHECK_INT(settings_of("b-1", minio, 8, &settings, &err), E_OK);
    CHECK_STR(settings.endpoint, "http://127.0.0.1:9000");
    CHECK_STR(settings.region, "us-east-1");
    CHECK(settings.path_style); // an address has no names below it
    CHECK_STR(settings.access, "k");
    CHECK_INT(settings.idle_us, 5000000);
    s3_settings_free(&settings);
    CHECK_INT(settings_of("other", minio, 8, &settings, &err), E_OK);
    CHECK_STR(settings.endpoint, "https://minio.example:9000");
    CHECK_STR(settings.region, "eu-central-1");
    s3_settings_free(&settings);

    const struct store_option region[] = {{"fs.s3a.endpoint", "s3.eu-west-3.amazonaws.com"}};
    CHECK_INT(settings_of("dotted.name", region, 1, &settings, &err), E_OK);
    CHECK_STR(settings.region, "eu-west-3");
    CHECK(settings.path_style); // no certificate covers it otherwise
    s3_settings_free(&settings);
}

TEST(settings_that_make_no_sense_are_named)
{
    static const struct store_option bad[] = {
        {"fs.s3a.endpoint", "ftp://host"},       {"fs.s3a.endpoint", "http://host/path"},
        {"fs.s3a.path.style.access", "perhaps"}, {"fs.s3a.access.key", "k"},
        {"fs.s3a.attempts.maximum", "0"},        {"fs.s3a.endpoint.region", "eu west"}};
    struct s3_settings settings;
    quiet_environment();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        CHECK_INT(settings_of("bucket", &bad[i], 1, &settings, &err), E_SPEC);
    }
    static const char *const buckets[] = {"", "ab", "Bucket", "a/b", "b_ucket?"};
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        struct error err = {0};
        CHECK_INT(s3_settings_read(buckets[i], &settings, &err), E_SPEC);
    }
}
