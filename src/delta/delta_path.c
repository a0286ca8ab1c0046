/* delta_path.c - paths of the log are URIs (RFC 2396): percent-encoded, relative to the table or whole. */
#include <stdio.h>
#include <strings.h>

#include "delta/delta_internal.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False when it is too long, or has a zero byte. */
static bool decode(const char *uri, char *out)
{
    size_t size = 0;
    for (const char *at = uri; *at != '\0'; at++) {
        int high = at[0] == '%' ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
        if (size + 1 == DELTA_PATH_SIZE || (low >= 0 && high + low == 0))
            return false;
        out[size++] = low >= 0 ? (char)(high * 16 + low) : *at;
        at += low >= 0 ? 2 : 0;
    }
    out[size] = '\0';
    return true;
}

/* The part of a whole path that is below the root, or NULL. */
static const char *below(const char *path, const char *root)
{
    size_t size = strlen(root);
    return strncmp(path, root, size) == 0 && path[size] == '/' ? path + size + 1 : NULL;
}

static bool has_scheme(const char *uri)
{
    const char *colon = strchr(uri, ':'), *slash = strchr(uri, '/');
    return colon != NULL && slash == colon + 1;
}

enum code delta_path(const char *uri, const char *root, char *out, struct error *err)
{
    char plain[DELTA_PATH_SIZE];
    if (!decode(uri, plain))
        return fail(err, E_CORRUPT, "the log names a file with a path that is too long or no path: %.100s", uri);
    const char *path = strncmp(plain, "file://", 7) == 0 ? plain + 7
                       : strncmp(plain, "file:", 5) == 0 ? plain + 5
                                                         : plain;
    const char *inside = below(path, root);
    if (inside == NULL && has_scheme(path))
        return fail(err, E_UNSUPPORTED, "a data file outside of the table: %.100s", uri);
    snprintf(out, DELTA_PATH_SIZE, "%s", inside != NULL ? inside : path);
    return E_OK;
}

void delta_uri(const char *path, struct text *out)
{
    for (const char *at = path; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                     strchr("-_.~!$&'()*+,;=@/", *at) != NULL;
        if (plain)
            text_add_char(out, *at);
        else
            text_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
    }
}
