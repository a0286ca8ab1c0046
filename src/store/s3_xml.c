#include "store/s3_xml.h"

#include <stdlib.h>

struct walk {
    const char *at, *begin, *end;
    xml_element *each;
    void *context;
    char path[XML_PATH_MAX]; /* of the open element */
    size_t path_size;
    size_t names[XML_DEPTH_MAX]; /* per open element: where its name begins in path */
    size_t texts[XML_DEPTH_MAX]; /* and its text in `text` */
    int depth;
    struct text text;
};

static enum code broken(const struct walk *walk, const char *what, struct error *err)
{
    return fail(err, E_CORRUPT, "the server's XML is broken at byte %zu: %s", (size_t)(walk->at - walk->begin), what);
}

static bool here(const struct walk *walk, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(walk->end - walk->at) >= size && memcmp(walk->at, text, size) == 0;
}

/* Behind the next `mark`. */
static enum code skip_past(struct walk *walk, const char *mark, struct error *err)
{
    const char *found = memmem(walk->at, (size_t)(walk->end - walk->at), mark, strlen(mark));
    if (found == NULL)
        return broken(walk, "it ends inside a tag", err);
    walk->at = found + strlen(mark);
    return E_OK;
}

/* ---- text ---- */

static void utf8_add(struct text *out, unsigned long c)
{
    if (c < 0x80) {
        text_add_char(out, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    text_add_char(out, (char)(lead[more] | (c >> (6 * more))));
    while (more-- > 0)
        text_add_char(out, (char)(0x80 | ((c >> (6 * more)) & 0x3f)));
}

static enum code entity_take(struct walk *walk, struct error *err)
{
    static const struct {
        const char *name;
        char means;
    } named[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (here(walk, named[i].name)) {
            text_add_char(&walk->text, named[i].means);
            walk->at += strlen(named[i].name);
            return E_OK;
        }
    enum { DIGITS_MAX = 7 };
    char digits[DIGITS_MAX + 1] = "";
    size_t from = here(walk, "&#x") ? 3 : here(walk, "&#") ? 2 : 0, size = 0;
    for (const char *p = walk->at + from; from > 0 && p < walk->end && *p != ';' && size < DIGITS_MAX; p++)
        digits[size++] = *p;
    char *last = NULL;
    unsigned long c = strtoul(digits, &last, from == 3 ? 16 : 10);
    const char *semicolon = walk->at + from + size;
    if (size == 0 || *last != '\0' || semicolon >= walk->end || *semicolon != ';' || c == 0 || c > 0x10ffff ||
        (c >= 0xd800 && c < 0xe000))
        return broken(walk, "an entity that it may not have", err);
    utf8_add(&walk->text, c);
    walk->at = semicolon + 1;
    return E_OK;
}

static enum code cdata_take(struct walk *walk, struct error *err)
{
    walk->at += strlen("<![CDATA[");
    const char *from = walk->at;
    TRY(skip_past(walk, "]]>", err));
    text_add(&walk->text, from, (size_t)(walk->at - 3 - from));
    return E_OK;
}

/* ---- tags ---- */

static bool name_ends(char c) { return c == '>' || c == '/' || c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The name at `at`, without its prefix; `at` moves behind it. */
static struct bytes name_take(struct walk *walk)
{
    const char *from = walk->at;
    while (walk->at < walk->end && !name_ends(*walk->at)) {
        if (*walk->at == ':')
            from = walk->at + 1;
        walk->at++;
    }
    return bytes_of(from, (size_t)(walk->at - from));
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] == '<')
            return false;
    return name.size > 0;
}

static enum code element_open(struct walk *walk, struct bytes name, struct error *err)
{
    if (!is_name(name))
        return broken(walk, "a tag without a name", err);
    if (walk->depth == XML_DEPTH_MAX || walk->path_size + name.size + 2 > XML_PATH_MAX)
        return broken(walk, "elements too deep in each other", err);
    if (walk->depth > 0)
        walk->path[walk->path_size++] = '/';
    walk->names[walk->depth] = walk->path_size;
    walk->texts[walk->depth++] = walk->text.size;
    memcpy(walk->path + walk->path_size, name.data, name.size);
    walk->path_size += name.size;
    walk->path[walk->path_size] = '\0';
    return E_OK;
}

static enum code element_close(struct walk *walk, struct bytes name, struct error *err)
{
    if (walk->depth == 0)
        return broken(walk, "an end without a beginning", err);
    size_t at = walk->names[walk->depth - 1], text = walk->texts[walk->depth - 1];
    if (!bytes_equal(name, bytes_of(walk->path + at, walk->path_size - at)))
        return broken(walk, "an end that does not match its beginning", err);
    walk->each(walk->context, walk->path, bytes_of(walk->text.data + text, walk->text.size - text));
    walk->text.size = text;
    walk->depth--;
    walk->path_size = at > 0 ? at - 1 : 0;
    walk->path[walk->path_size] = '\0';
    return E_OK;
}

/* To the '>' of the tag, over attributes, whose values may hold one. */
static enum code attributes_skip(struct walk *walk, bool *empty, struct error *err)
{
    char quote = '\0';
    for (; walk->at < walk->end; walk->at++) {
        char c = *walk->at;
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            break;
    }
    if (walk->at == walk->end)
        return broken(walk, "it ends inside a tag", err);
    *empty = walk->at[-1] == '/';
    walk->at++;
    return E_OK;
}

static enum code tag_take(struct walk *walk, struct error *err)
{
    bool closes = here(walk, "</"), empty = false;
    if (here(walk, "<?"))
        return skip_past(walk, "?>", err);
    if (here(walk, "<!--"))
        return skip_past(walk, "-->", err);
    if (here(walk, "<![CDATA[") && walk->depth > 0)
        return cdata_take(walk, err);
    if (here(walk, "<!"))
        return broken(walk, "a declaration, which it may not have", err);
    walk->at += closes ? 2 : 1;
    struct bytes name = name_take(walk);
    if (!closes)
        TRY(element_open(walk, name, err));
    TRY(attributes_skip(walk, &empty, err));
    return closes || empty ? element_close(walk, name, err) : E_OK;
}

static enum code walk_all(struct walk *walk, struct error *err)
{
    while (walk->at < walk->end) {
        if (*walk->at == '<') {
            TRY(tag_take(walk, err));
        } else if (walk->depth == 0) {
            walk->at++; // white space around the document, or a mark of its encoding
        } else if (*walk->at == '&') {
            TRY(entity_take(walk, err));
        } else {
            text_add_char(&walk->text, *walk->at++);
        }
    }
    return walk->depth == 0 ? E_OK : broken(walk, "it ends too early", err);
}

enum code xml_walk(struct bytes document, xml_element *each, void *context, struct error *err)
{
    const char *begin = (const char *)document.data;
    struct walk walk = {.at = begin, .begin = begin, .end = begin + document.size, .each = each, .context = context};
    (void)text_reserve(&walk.text, 64);
    enum code code = document.size == 0 ? E_OK : walk_all(&walk, err);
    text_free(&walk.text);
    return code;
}
