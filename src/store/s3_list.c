/* s3_list.c - lists of objects (ListObjectsV2) and of unfinished uploads (ListMultipartUploads), page by page.
 *
 * Hostile  a page that says "more" and gives no place to go on, or the same again, ends in an error; names that store.h
 *          does not allow are not ours and left out
 * Limits   S3_ANSWER_MAX bytes a page, PAGES_MAX pages
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/s3.h"
#include "store/s3_xml.h"

enum { PAGES_MAX = 10000, PAGE_NAMES = 1000 };

struct page {
    const struct s3_store *store;
    bool own;                   /* collect the store's own names instead of all others */
    struct store_list *objects; /* one of these two is NULL */
    struct staged_list *uploads;
    struct text key, id, time; /* of the element that is open */
    int64_t size_bytes;
    bool more;
    struct text next, next_id; /* where the next page begins */
};

static void page_free(struct page *page)
{
    text_free(&page->key);
    text_free(&page->id);
    text_free(&page->time);
    text_free(&page->next);
    text_free(&page->next_id);
}

static void text_set(struct text *text, struct bytes value)
{
    text_clear(text);
    text_add(text, value.data, value.size);
}

/* The name inside the store; NULL: it is none. */
static const char *path_of(const struct page *page)
{
    size_t prefix = strlen(page->store->prefix);
    struct error ignored = {0};
    if (page->key.data == NULL || strlen(page->key.data) != page->key.size ||
        strncmp(page->key.data, page->store->prefix, prefix) != 0)
        return NULL;
    const char *path = page->key.data + prefix, *slash = strrchr(path, '/');
    bool fine = path[0] != '\0' && store_path_check(page->store->base.root, path, &ignored) == E_OK &&
                store_name_is_own(slash != NULL ? slash + 1 : path) == page->own;
    return fine ? path : NULL;
}

static void object_end(struct page *page)
{
    const char *path = path_of(page);
    if (path != NULL && page->size_bytes >= 0)
        store_list_add(page->objects, path, page->size_bytes, s3_time(text_view(&page->time)));
}

static void upload_end(struct page *page)
{
    const char *path = path_of(page);
    if (path != NULL && page->id.size > 0 && strlen(page->id.data) == page->id.size)
        staged_list_add(page->uploads, &(struct staged){.final = path, .handle = page->id.data});
}

/* An element is open until its end comes, after those of its parts. */
static void element_forget(struct page *page)
{
    text_clear(&page->key);
    text_clear(&page->id);
    text_clear(&page->time);
    page->size_bytes = -1;
}

static void object_take(void *context, const char *path, struct bytes text)
{
    struct page *page = context;
    if (strcmp(path, "ListBucketResult/Contents/Key") == 0) {
        text_set(&page->key, text);
    } else if (strcmp(path, "ListBucketResult/Contents/Size") == 0) {
        char digits[24];
        snprintf(digits, sizeof digits, "%.*s", (int)(text.size < sizeof digits ? text.size : 0),
                 (const char *)text.data);
        page->size_bytes = strtoll(digits, NULL, 10);
    } else if (strcmp(path, "ListBucketResult/Contents/LastModified") == 0) {
        text_set(&page->time, text);
    } else if (strcmp(path, "ListBucketResult/Contents") == 0) {
        object_end(page);
        element_forget(page);
    } else if (strcmp(path, "ListBucketResult/IsTruncated") == 0) {
        page->more = bytes_equal_string(text, "true");
    } else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0) {
        text_set(&page->next, text);
    }
}

static void upload_take(void *context, const char *path, struct bytes text)
{
    struct page *page = context;
    if (strcmp(path, "ListMultipartUploadsResult/Upload/Key") == 0) {
        text_set(&page->key, text);
    } else if (strcmp(path, "ListMultipartUploadsResult/Upload/UploadId") == 0) {
        text_set(&page->id, text);
    } else if (strcmp(path, "ListMultipartUploadsResult/Upload") == 0) {
        upload_end(page);
        element_forget(page);
    } else if (strcmp(path, "ListMultipartUploadsResult/IsTruncated") == 0) {
        page->more = bytes_equal_string(text, "true");
    } else if (strcmp(path, "ListMultipartUploadsResult/NextKeyMarker") == 0) {
        text_set(&page->next, text);
    } else if (strcmp(path, "ListMultipartUploadsResult/NextUploadIdMarker") == 0) {
        text_set(&page->next_id, text);
    }
}

static void parameter(struct text *query, const char *name, struct bytes value)
{
    text_printf(query, "%s%s=", query->size > 0 ? "&" : "", name);
    http_encode(value, false, query);
}

static void query_print(const struct page *page, const char *folder, bool recursive, struct text *out)
{
    char most[16];
    snprintf(most, sizeof most, "%d", PAGE_NAMES);
    text_clear(out);
    if (page->uploads != NULL) {
        parameter(out, "uploads", (struct bytes){0});
        parameter(out, "max-uploads", bytes_of_string(most));
        if (page->next.size > 0)
            parameter(out, "key-marker", text_view(&page->next));
        if (page->next_id.size > 0)
            parameter(out, "upload-id-marker", text_view(&page->next_id));
    } else {
        parameter(out, "list-type", bytes_of_string("2"));
        parameter(out, "max-keys", bytes_of_string(most));
        if (!recursive)
            parameter(out, "delimiter", bytes_of_string("/"));
        if (page->next.size > 0)
            parameter(out, "continuation-token", text_view(&page->next));
    }
    if (folder[0] != '\0')
        parameter(out, "prefix", bytes_of_string(folder));
}

static enum code page_get(struct page *page, const char *query, struct error *err)
{
    const struct s3_call call = {.method = "GET", .query = query};
    struct s3_client *client = page->store->client;
    struct s3_reply reply;
    TRY(s3_do(client, &call, &reply, err));
    page->more = false;
    text_clear(&page->next);
    text_clear(&page->next_id);
    element_forget(page);
    enum code code =
        xml_walk(text_view(&reply.answer.body), page->uploads != NULL ? upload_take : object_take, page, err);
    s3_reply_free(&reply);
    return code == E_OK ? E_OK : error_note(err, "a list of s3://%s", client->settings.bucket);
}

static enum code pages_get(struct page *page, const char *folder, bool recursive, struct error *err)
{
    struct text query = {0}, before = {0};
    enum code code = E_OK;
    int32_t count = 0;
    do {
        query_print(page, folder, recursive, &query);
        if (count++ == PAGES_MAX || bytes_equal(text_view(&query), text_view(&before)))
            code = fail(err, E_BROKER, "the list of %s has no end: %d pages", page->store->base.root, count);
        text_set(&before, text_view(&query));
        if (code == E_OK)
            code = page_get(page, query.data, err);
    } while (code == E_OK && page->more);
    text_free(&query);
    text_free(&before);
    return code;
}

static int by_path(const void *a, const void *b)
{
    const struct store_entry *left = a, *right = b;
    return strcmp(left->path, right->path);
}

/* The key of a folder, with its '/' at the end; "" for the bucket's root. */
static enum code folder_key(const struct s3_store *store, const char *folder, char *out, struct error *err)
{
    TRY(s3_key(store, folder, out, err));
    size_t size = strlen(out);
    if (size > 0 && out[size - 1] != '/')
        memcpy(out + size, "/", 2);
    return E_OK;
}

enum code s3_list(struct store *base, const char *prefix, bool recursive, struct store_list *out, struct error *err)
{
    char folder[S3_KEY_MAX + 2];
    struct store_list list = {0};
    struct page page = {.store = s3_of(base), .objects = &list};
    TRY(folder_key(s3_of(base), prefix, folder, err));
    enum code code = pages_get(&page, folder, recursive, err);
    page_free(&page);
    if (code != E_OK) {
        store_list_free(&list);
        return code;
    }
    if (list.count > 1)
        qsort(list.entries, (size_t)list.count, sizeof *list.entries, by_path);
    *out = list;
    return E_OK;
}

/* They begin with a dot: nothing else is listed. */
enum code s3_list_own(struct s3_store *store, const char *folder, struct store_list *out, struct error *err)
{
    char prefix[S3_KEY_MAX + 3];
    struct store_list list = {0};
    struct page page = {.store = store, .own = true, .objects = &list};
    TRY(folder_key(store, folder, prefix, err));
    memcpy(prefix + strlen(prefix), ".", 2);
    enum code code = pages_get(&page, prefix, false, err);
    page_free(&page);
    if (code != E_OK) {
        store_list_free(&list);
        return code;
    }
    *out = list;
    return E_OK;
}

enum code s3_list_staged(struct store *base, struct staged_list *out, struct error *err)
{
    struct staged_list list = {0};
    struct page page = {.store = s3_of(base), .uploads = &list};
    enum code code = pages_get(&page, s3_of(base)->prefix, true, err);
    page_free(&page);
    if (code != E_OK) {
        staged_list_free(&list);
        return code;
    }
    *out = list;
    return E_OK;
}
