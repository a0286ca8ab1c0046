/* aggregate.h - inside expr/: what an aggregate function is.
 *
 * Add one    an AGGREGATE row with its callbacks in aggregate_<family>.c and its name in that file's table
 * State      state_size bytes, 8-aligned, zeroed = no rows seen. Without `heap` the bytes are the whole state; with it
 *            the state points to memory of its own, whose growth each callback adds to its owner's heap_bytes
 * Rows       add() walks rows with EACH_ROW: the rows that are active and where no argument is NULL (unless it sees
 *            NULLs itself), state of row i by STATE_AT
 * Thread     states belong to one thread
 */
#ifndef EXPR_AGGREGATE_H
#define EXPR_AGGREGATE_H

#include "expr/loop.h"

struct aggregate_binding {
    struct expr_context *ctx;
    struct aggregate_call *call;
    const struct type *type; /* as the signature says; bind may replace it */
};
struct aggregate_heap {
    bool (*merge)(const struct aggregate_call *call, void *into, const void *from, size_t *heap_bytes);
    void (*save)(const struct aggregate_call *call, const void *state, struct text *out);
    enum code (*load)(const struct aggregate_call *call, struct bytes *in, void *state, size_t *heap_bytes,
                      struct error *err);
    void (*drop)(const struct aggregate_call *call, void *state, size_t *heap_bytes);
};
struct aggregate {
    const char *name, *signature, *help, *example, *expected;
    size_t state_size; /* 0: bind sets call->state_size */
    enum code (*bind)(struct aggregate_binding *binding, struct error *err);
    void (*add)(const struct aggregate_rows *rows);
    bool (*merge)(const struct aggregate_call *call, void *into, const void *from); /* without `heap` */
    bool (*finish)(const struct aggregate_call *call, const void *state, struct builder *out);
    enum reject_code failure;         /* what it means that finish is false; 0: ARITHMETIC_OVERFLOW */
    bool (*holds)(const void *state); /* a DECIMAL: it fits, and what is made of it does not; NULL: it does not */
    const struct aggregate_heap *heap;
};
#define AGGREGATE(id, ...) static const struct aggregate id = {__VA_ARGS__}

extern const struct aggregate *const sum_aggregates[];
extern const struct aggregate *const moment_aggregates[];
extern const struct aggregate *const extreme_aggregates[];
extern const struct aggregate *const pick_aggregates[];
extern const struct aggregate *const approx_aggregates[];
extern const struct aggregate *const quantile_aggregates[];
extern const struct aggregate *const mode_aggregates[];
extern const struct aggregate *const collect_aggregates[];
extern const struct aggregate *const listagg_aggregates[];
extern const struct aggregate *const histogram_aggregates[];
extern const struct aggregate *const bitmap_aggregates[];
extern const struct aggregate *const vector_aggregates[];
extern const struct aggregate *const variant_aggregates[];

/* DISTINCT is an aggregate around another one, call->bound. */
extern const struct aggregate aggregate_distinct;

enum { AGGREGATE_ARGS_MAX = 4 }; // struct aggregate_call.arg_types

const struct aggregate *aggregate_find(const char *name);
const struct aggregate *aggregate_at(int32_t index); /* NULL behind the last */

/* Bits of rows [64 * w, 64 * w + 64) where all of `valid` and `active` (either may be NULL) are set. */
static inline uint64_t row_word(const struct buffer *valid, const uint8_t *active, int64_t w, int64_t rows)
{
    uint64_t word = ~(uint64_t)0, bits = 0;
    int64_t left = rows - w * 64;
    size_t size = left >= 64 ? 8 : bit_bytes(left);
    if (left < 64)
        word = ((uint64_t)1 << left) - 1;
    if (valid != NULL) {
        memcpy(&bits, valid->data + w * 8, size);
        word &= bits;
    }
    if (active != NULL) {
        bits = 0;
        memcpy(&bits, active + w * 8, size);
        word &= bits;
    }
    return word;
}

/* Runs `...` for every counting row i. The dense case is a plain loop. */
#define EACH_ROW(in, valid, ...)                                                                                     \
    do {                                                                                                             \
        if ((valid) == NULL && (in)->active == NULL) {                                                               \
            for (int64_t i = 0; i < (in)->rows; i++) {                                                               \
                __VA_ARGS__;                                                                                         \
            }                                                                                                        \
            break;                                                                                                   \
        }                                                                                                            \
        for (int64_t w_ = 0; w_ * 64 < (in)->rows; w_++)                                                             \
            for (uint64_t word_ = row_word((valid), (in)->active, w_, (in)->rows); word_ != 0; word_ &= word_ - 1) { \
                const int64_t i = w_ * 64 + __builtin_ctzll(word_);                                                  \
                __VA_ARGS__;                                                                                         \
            }                                                                                                        \
    } while (0)
#define STATE_AT(in, ctype) ((ctype *)(void *)((in)->base + (size_t)(in)->slots[i] * (in)->stride))

/* States are only 8-aligned. */
typedef __int128 state_int128 __attribute__((aligned(8)));

#endif
