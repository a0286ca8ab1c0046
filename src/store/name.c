#include <stdio.h>

#include "store/local.h"

enum { PART_MAX = 255 }; // bytes of a name on Linux file systems

static bool part_is_fine(const char *part, size_t size)
{
    if (size == 0 || size > PART_MAX || (size == 1 && part[0] == '.') ||
        (size == 2 && part[0] == '.' && part[1] == '.'))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)part[i] < 0x20 || part[i] == 0x7f)
            return false;
    return true;
}

enum code store_path_check(const char *root, const char *path, struct error *err)
{
    size_t size = strlen(path);
    if (size >= STORE_PATH_MAX)
        return fail(err, E_SPEC, "%s: a path of %zu bytes is too long", root, size);
    for (const char *part = path; *part != '\0';) {
        size_t length = strcspn(part, "/");
        if (!part_is_fine(part, length))
            return fail(err, E_SPEC, "%s: \"%s\" is no path inside it", root, path);
        part += length;
        if (*part == '/' && *++part == '\0')
            return fail(err, E_SPEC, "%s: \"%s\" ends with '/'", root, path);
    }
    return E_OK;
}

bool store_name_is_own(const char *name)
{
    size_t size = strlen(name);
    return name[0] == '.' && size > 4 && strcmp(name + size - 4, ".tmp") == 0;
}

enum code local_path(const struct local_store *store, const char *path, char *out, struct error *err)
{
    size_t size = strlen(path), root = strlen(store->base.root);
    TRY(store_path_check(store->base.root, path, err));
    if (root + size + 2 > PATH_MAX)
        return fail(err, E_SPEC, "%s: a path of %zu bytes is too long", store->base.root, size);
    memcpy(out, store->base.root, root);
    if (size > 0)
        out[root++] = '/';
    memcpy(out + root, path, size + 1);
    return E_OK;
}

void local_folder(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    memcpy(out, path, size);
    out[size] = '\0';
}

/* The set that Hive and Spark escape in partition folders. */
static bool needs_escape(uint8_t c) { return c < 0x20 || c == 0x7f || strchr("\"#%'*/:=?\\{[]^", c) != NULL; }

void store_name_encode(struct bytes name, struct text *out)
{
    bool dots = bytes_equal_string(name, ".") || bytes_equal_string(name, "..");
    for (size_t i = 0; i < name.size; i++)
        if (dots || needs_escape(name.data[i]))
            text_printf(out, "%%%02X", name.data[i]);
        else
            text_add_char(out, (char)name.data[i]);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *store_name_decode(struct arena *arena, const char *from, size_t size)
{
    char *out = arena_strndup(arena, from, size), *to = out;
    for (size_t i = 0; i < size; i++) {
        int high = from[i] == '%' && i + 2 < size ? hex_digit(from[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(from[i + 2]) : -1;
        *to++ = low >= 0 ? (char)(high * 16 + low) : from[i];
        i += low >= 0 ? 2 : 0;
    }
    *to = '\0';
    return out;
}

bool store_name_hidden(const char *path)
{
    for (const char *part = path;;) {
        size_t size = strcspn(part, "/");
        if ((part[0] == '_' || part[0] == '.') && memchr(part, '=', size) == NULL)
            return true;
        if (part[size] == '\0')
            return false;
        part += size + 1;
    }
}
