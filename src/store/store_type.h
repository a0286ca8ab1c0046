/* store_type.h - what a type of store is: callbacks behind the functions of store.h. Private to store/.
 *
 * Dispatch  store.c, and nowhere else: a callback may rely on what store.h says of its arguments
 * Owns      a store and a stage begin with their base struct; the type allocates and frees both
 */
#ifndef STORE_STORE_TYPE_H
#define STORE_STORE_TYPE_H

#include "base/hash.h"
#include "store/store.h"

struct store {
    const struct store_type *type;
    char *root; /* for messages; no '/' at its end. The type's to free */
};
struct stage {
    struct store *store;
    int64_t size_bytes;     /* of all content given so far */
    XXH64_state_t checksum; /* of it */
    bool failed;            /* a write failed: what follows it must not look whole */
};

/* Which bytes a reader reads. */
struct store_pin {
    int64_t size_bytes, modified_us; /* as listed; modified_us 0: not known */
    char tag[128];                   /* of the object that the first answer came from; "": none yet */
};

struct store_type {
    const char *name;
    bool (*takes)(const char *url);
    enum code (*check)(const char *url, struct error *err) MUST_CHECK;
    enum code (*open)(const char *url, struct store **out, struct error *err) MUST_CHECK;
    enum code (*look)(const char *url, struct store **out, struct error *err) MUST_CHECK;
    void (*close)(struct store *store);
    enum code (*put)(struct store *store, const char *path, struct bytes content, bool over, struct error *err)
        MUST_CHECK;
    enum code (*claim)(struct store *store, const char *from, const char *to, struct error *err) MUST_CHECK;
    enum code (*get)(struct store *store, const char *path, size_t limit_bytes, struct text *out, struct error *err)
        MUST_CHECK;
    enum code (*read)(struct store *store, const char *path, int64_t offset, size_t size, struct text *out,
                      struct error *err) MUST_CHECK;
    /* Many parts of one file together, each whole, into outs[i], which is empty before. E_LOST: it is not what the pin says. NULL: only one
     * after the other. */
    enum code (*read_spans)(struct store *store, const char *path, struct store_pin *pin,
                            const struct store_span *spans, int32_t count, struct text *outs, struct error *err)
        MUST_CHECK;
    enum code (*checksum)(struct store *store, const char *path, uint64_t *out, struct error *err) MUST_CHECK;
    enum code (*size)(struct store *store, const char *path, int64_t *out, struct error *err) MUST_CHECK;
    enum code (*list)(struct store *store, const char *prefix, bool recursive, struct store_list *out,
                      struct error *err) MUST_CHECK;
    enum code (*remove)(struct store *store, const char *path, struct error *err) MUST_CHECK;
    enum code (*sync)(struct store *store, const char *folder, struct error *err) MUST_CHECK;
    enum code (*sweep)(struct store *store, const char *folder, struct error *err) MUST_CHECK;
    enum code (*lock)(struct store *store, const char *path, struct error *err) MUST_CHECK;
    int64_t (*holder)(struct store *store, const char *path);
    enum code (*free_bytes)(struct store *store, int64_t *out, struct error *err) MUST_CHECK;

    /* `final` is NULL for stage_open. */
    enum code (*stage_open)(struct store *store, const char *path, const char *final, struct stage **out,
                            struct error *err) MUST_CHECK;
    enum code (*stage_write)(struct stage *stage, struct bytes content, struct error *err) MUST_CHECK;
    enum code (*stage_finish)(struct stage *stage, struct text *handle, struct error *err) MUST_CHECK;
    void (*stage_abandon)(struct stage *stage);
    /* Many at once, each as by the callback for one; NULL: one after the other. */
    enum code (*stage_finish_all)(struct stage *const *stages, int32_t count, struct text *handles, struct error *err)
        MUST_CHECK;
    enum code (*publish_all)(struct store *store, const struct staged *files, int32_t count, struct error *err)
        MUST_CHECK;
    enum code (*remove_all)(struct store *store, const char *const *paths, int32_t count, struct error *err) MUST_CHECK;
    enum code (*publish)(struct store *store, const struct staged *file, struct error *err) MUST_CHECK;
    enum code (*publish_sync)(struct store *store, struct error *err) MUST_CHECK;
    enum code (*discard)(struct store *store, const struct staged *file, struct error *err) MUST_CHECK;
    enum code (*swap)(struct store *store, const struct store_swap *swap, struct error *err) MUST_CHECK;
    enum code (*swap_sweep)(struct store *store, struct error *err) MUST_CHECK;
    enum code (*has_staged)(struct store *store, const struct staged *file, bool *out, struct error *err) MUST_CHECK;
    enum code (*list_staged)(struct store *store, struct staged_list *out, struct error *err) MUST_CHECK;
};
extern const struct store_type local_store, s3_store;

/* E_SPEC when the path breaks store.h's rules; `root` is for the message. */
MUST_CHECK enum code store_path_check(const char *root, const char *path, struct error *err);
/* One of the store's own names, which lists leave out. */
bool store_name_is_own(const char *name);
void store_list_add(struct store_list *list, const char *path, int64_t size_bytes, int64_t modified_us);
/* Copies; NULL stays NULL. */
void staged_list_add(struct staged_list *list, const struct staged *file);

#endif
