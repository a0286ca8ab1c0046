/* url.c - texts as parts of URLs and back, and the parts of a URL.
 *
 * Parts    those of java.net.URI, which Spark takes: RFC 2396 with characters beyond ASCII allowed. A URL with a character
 *          that may not be there is an error. An authority that is no host has no HOST
 */
#include <ctype.h>

#include "expr/function.h"
#include "expr/utf8.h"
#include "expr/writer.h"

static int hex_value(uint8_t c) { return isdigit(c) ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1; }

/* ---- one part to and from text ---- */

static void put_url_encoded(struct writer *writer, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t *to = writer_room(writer, 3 * text.size);
    size_t size = 0;
    if (to == NULL)
        return;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t c = text.data[at];
        bool plain = (c < 0x80 && isalnum(c)) || c == '.' || c == '-' || c == '*' || c == '_';
        to[size++] = plain ? c : c == ' ' ? '+' : '%';
        if (!plain && c != ' ') {
            to[size++] = (uint8_t)digits[c >> 4];
            to[size++] = (uint8_t)digits[c & 15];
        }
    }
    writer_end(writer, size);
}
SCALAR(fn_url_encode, "url_encode", "(string) -> string", "As a part of a URL.", "url_encode('a b')", "a+b")
{
    struct writer writer;
    writer_open(&writer, call, out, 2 * arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;)
        put_url_encoded(&writer, arg_bytes(&args[0], i));
    writer_close(&writer);
}

static bool url_decode(struct bytes text, uint8_t *to, size_t *size)
{
    *size = 0;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t c = text.data[at];
        if (c == '%') {
            if (text.size - at < 3 || hex_value(text.data[at + 1]) < 0 || hex_value(text.data[at + 2]) < 0)
                return false;
            c = (uint8_t)(hex_value(text.data[at + 1]) << 4 | hex_value(text.data[at + 2]));
            at += 2;
        } else if (c == '+') {
            c = ' ';
        }
        to[(*size)++] = c;
    }
    return true;
}
SCALAR(fn_url_decode, "url_decode", "(string) -> string", "Back from a part of a URL.", "url_decode('a+b')", "a b",
       .flags = FN_FAILS | FN_NULLABLE)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes text = arg_bytes(&args[0], i);
        size_t size;
        uint8_t *to = writer_room(&writer, text.size);
        if (to == NULL)
            continue;
        if (url_decode(text, to, &size)) {
            writer_end(&writer, size);
        } else {
            call_reject(call, i, REJECT_URL_DECODE);
            writer_skip(&writer);
        }
    }
    writer_close(&writer);
}
SCALAR_SAME(fn_try_url_decode, "try_url_decode", "(string) -> string",
            "Back from a part of a URL; NULL when it is none.", "try_url_decode('%2')", "NULL",
            .run = fn_url_decode_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

/* ---- a URL taken apart ---- */

/* data = NULL: the URL has no such part. */
struct url {
    struct bytes scheme, authority, user, host, path, query, fragment;
};

/* Whether all characters may stand in a part: unreserved ones, escapes, beyond ASCII, and `more`. */
static bool chars_allowed(struct bytes part, const char *more)
{
    for (size_t i = 0; i < part.size; i++) {
        uint8_t c = part.data[i];
        if (c == '%') {
            if (part.size - i < 3 || hex_value(part.data[i + 1]) < 0 || hex_value(part.data[i + 2]) < 0)
                return false;
            i += 2;
        } else if (c < 0x80 && !isalnum(c) && (c == 0 || strchr("-_.!~*'()", c) == NULL) &&
                   (c == 0 || strchr(more, c) == NULL)) {
            return false;
        }
    }
    return true;
}

static struct bytes slice(struct bytes text, size_t from, size_t to) { return bytes_of(text.data + from, to - from); }

/* Position of the first of `chars`, or text.size. */
static size_t find_any(struct bytes text, size_t from, const char *chars)
{
    while (from < text.size && (text.data[from] == 0 || strchr(chars, text.data[from]) == NULL))
        from++;
    return from;
}

static bool is_address(struct bytes host)
{
    int parts = 0;
    for (size_t at = 0; at <= host.size; at++) {
        int value = 0, digits = 0;
        for (; at < host.size && isdigit(host.data[at]) && digits < 4; at++, digits++)
            value = value * 10 + host.data[at] - '0';
        if (digits == 0 || value > 255 || (at < host.size && host.data[at] != '.'))
            return false;
        parts++;
    }
    return parts == 4;
}

/* Labels of letters, digits and inner hyphens between dots; the last of several starts with a letter. */
static bool is_host_name(struct bytes host)
{
    size_t start = 0, last = 0;
    if (host.size > 0 && host.data[host.size - 1] == '.')
        host.size--;
    for (size_t at = 0; at <= host.size; at++) {
        if (at < host.size && host.data[at] != '.') {
            if (host.data[at] >= 0x80 || (!isalnum(host.data[at]) && host.data[at] != '-'))
                return false;
            continue;
        }
        if (at == start || host.data[start] == '-' || host.data[at - 1] == '-')
            return false;
        last = start;
        start = at + 1;
    }
    return last == 0 || isalpha(host.data[last]);
}

/* user@host:port, as far as it is that. */
static void read_server(struct url *url)
{
    struct bytes rest = url->authority;
    size_t at = find_any(rest, 0, "@");
    struct bytes user = {0};
    if (at < rest.size) {
        user = slice(rest, 0, at);
        rest = slice(rest, at + 1, rest.size);
        if (!chars_allowed(user, ";:&=+$,"))
            return;
    }
    bool bracket = rest.size > 0 && rest.data[0] == '[';
    size_t end = bracket ? find_any(rest, 0, "]") + 1 : find_any(rest, 0, ":");
    if (end > rest.size || (end < rest.size && rest.data[end] != ':'))
        return;
    for (size_t i = end + 1; i < rest.size; i++)
        if (!isdigit(rest.data[i]))
            return;
    struct bytes host = slice(rest, 0, end);
    if (!bracket && !is_address(host) && !is_host_name(host))
        return;
    url->user = user;
    url->host = host;
}

static bool read_hierarchy(struct url *url, struct bytes rest)
{
    size_t end, at = 0;
    if (rest.size >= 2 && rest.data[0] == '/' && rest.data[1] == '/') {
        at = find_any(rest, 2, "/?#");
        if (at > 2) {
            url->authority = slice(rest, 2, at);
            if (!chars_allowed(url->authority, ";:@&=+$,[]"))
                return false;
            read_server(url);
        } else if (at == rest.size) {
            return false;
        }
    }
    end = find_any(rest, at, "?#");
    url->path = slice(rest, at, end);
    if (!chars_allowed(url->path, ":@&=+$,;/"))
        return false;
    if (end < rest.size && rest.data[end] == '?') {
        at = find_any(rest, end, "#");
        url->query = slice(rest, end + 1, at);
        return chars_allowed(url->query, ";/?:@&=+$,[]");
    }
    return true;
}

static bool url_read(struct bytes text, struct url *out)
{
    static const char reserved[] = ";/?:@&=+$,[]";
    *out = (struct url){0};
    size_t hash = find_any(text, 0, "#"), colon = find_any(text, 0, ":/?#");
    struct bytes rest = slice(text, 0, hash);
    if (hash < text.size) {
        out->fragment = slice(text, hash + 1, text.size);
        if (!chars_allowed(out->fragment, reserved))
            return false;
    }
    if (colon < text.size && text.data[colon] == ':') {
        out->scheme = slice(text, 0, colon);
        if (colon == 0 || !isalpha(text.data[0]) || colon + 1 == hash)
            return false;
        for (size_t i = 0; i < colon; i++)
            if (text.data[i] >= 0x80 || (!isalnum(text.data[i]) && strchr("+-.", text.data[i]) == NULL))
                return false;
        rest = slice(text, colon + 1, hash);
        if (rest.data[0] != '/') // opaque, like mailto: no part of it has a name
            return chars_allowed(rest, reserved);
    }
    return read_hierarchy(out, rest);
}

/* ---- parse_url ---- */

/* The value of a key in a query; data = NULL: it has none. */
static struct bytes query_value(struct bytes query, struct bytes key)
{
    for (size_t at = 0, end; at < query.size; at = end + 1) {
        end = find_any(query, at, "&");
        if (end - at > key.size && query.data[at + key.size] == '=' &&
            (key.size == 0 || memcmp(query.data + at, key.data, key.size) == 0))
            return slice(query, at + key.size + 1, end);
    }
    return (struct bytes){0};
}

/* data = NULL: the URL has no such part. */
static struct bytes url_part(const struct url *url, struct bytes name)
{
    static const char *const names[] = {"HOST", "PATH", "QUERY", "REF", "PROTOCOL", "FILE", "AUTHORITY", "USERINFO"};
    const struct bytes parts[] = {url->host,   url->path, url->query,     url->fragment,
                                  url->scheme, url->path, url->authority, url->user};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!bytes_equal_string(name, names[i]))
            continue;
        struct bytes part = parts[i];
        if (strcmp(names[i], "FILE") == 0 && url->query.data != NULL) // they stand side by side, with a ? between them
            part.size += 1 + url->query.size;
        return part;
    }
    return (struct bytes){0};
}

SCALAR(
    fn_parse_url, "parse_url", "(string, string, string?) -> string",
    "A part of a URL: HOST, PATH, QUERY (of it, one key), REF, PROTOCOL, FILE, AUTHORITY or USERINFO; NULL when it has none.",
    "parse_url('http://spark.apache.org/path?query=1', 'QUERY', 'query')", "1", .flags = FN_FAILS | FN_NULLABLE)
{
    struct writer writer;
    writer_open(&writer, call, out, arg_bytes_total(call, &args[0]));
    for (int64_t i; (i = writer_next(&writer)) >= 0;) {
        struct bytes name = arg_bytes(&args[1], i), part = {0};
        struct url url;
        if (!url_read(arg_bytes(&args[0], i), &url)) {
            call_reject(call, i, REJECT_URL);
            writer_skip(&writer);
            continue;
        }
        if (call->arg_count == 2)
            part = url_part(&url, name);
        else if (bytes_equal_string(name, "QUERY"))
            part = query_value(url.query, arg_bytes(&args[2], i));
        if (part.data != NULL)
            writer_put(&writer, part);
        else
            writer_null(&writer);
    }
    writer_close(&writer);
}
SCALAR_SAME(fn_try_parse_url, "try_parse_url", "(string, string, string?) -> string",
            "A part of a URL; NULL also for what is no URL.", "try_parse_url('a b', 'HOST')", "NULL",
            .run = fn_parse_url_run, .flags = FN_FAILS | FN_NULLABLE | FN_TRY);

const struct function *const url_functions[] = {
    &fn_url_encode, &fn_url_decode, &fn_try_url_decode, &fn_parse_url, &fn_try_parse_url, NULL,
};
