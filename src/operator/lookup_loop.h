/* lookup_loop.h - inside operator/: joins without an equality. ON is computed over blocks of pairs, of what it reads alone.
 *
 *   ON      a.x * 7 > b.y % 5 AND a.x < b.z     taken apart where a term reads one side alone:
 *   parts   stream: a.x * 7, a.x                computed once a row of the stream
 *           still:  b.y % 5, b.z                computed once a row of the table, when it is built
 *   pairs   p0 > p2 AND p1 < p3                 computed once a pair
 *   block   still rows, all of them beside one row of the stream after the other: a long table is cut into blocks, a short one
 *           stands in its block several times
 *
 * A part that fails for a row may stand where ON never gets to. Then there are no blocks, or the batch is not done, and
 * whoever asked computes ON as it is written.
 *
 * Owns     a table owns its blocks; a lane owns its loop, whose programs are in the arena
 * Fails    E_STOPPED; a pair that ON fails for costs the stream's row its place
 */
#ifndef OPERATOR_LOOKUP_LOOP_H
#define OPERATOR_LOOKUP_LOOP_H

#include "operator/operator.h"

/* Still parts of the rows that may match. */
struct loop_block {
    struct column *columns;    /* `tiles` times the same */
    const int32_t *still_rows; /* which ones, once */
    int64_t count;             /* of them */
};
struct loop_blocks {
    struct loop_block *blocks;
    int32_t count; /* 0: ON is to be computed as it is written */
    int32_t part_count;
    int64_t tiles;
    int32_t *still_rows; /* of all blocks */
    size_t size_bytes;
};
/* Over the rows of `still` that `may` names. */
MUST_CHECK enum code loop_blocks_build(const struct lookup_spec *spec, const struct session *session,
                                       const struct batch *still, const struct selection *may, struct loop_blocks *out,
                                       struct error *err);
void loop_blocks_free(struct loop_blocks *self);

struct loop;
/* *out NULL: there is an equality, or no ON that reads both sides. */
MUST_CHECK enum code loop_new(struct arena *arena, const struct lookup_spec *spec, struct loop **out,
                              struct error *err);
void loop_free(struct loop *self); /* NULL is fine */

/* One batch of the stream at work. */
struct loop_call {
    const struct loop_blocks *blocks;
    const struct session *session;
    const struct batch *in;
    const struct selection *rows; /* of `in`: those that seek */
    uint8_t *wanted;              /* bits; cleared for a row that a pair fails for */
    const uint8_t *matched;       /* bits: rows that seek no further; NULL: all partners are to be found */
    struct rejects *rejects;
    /* Pairs that ON holds for, row of the stream by row. */
    enum code (*pairs)(void *context, const int32_t *stream_rows, const int32_t *still_rows, int64_t count,
                       struct error *err);
    void *context;
};
/* *done false: nothing was done. */
MUST_CHECK enum code loop_run(struct loop *self, const struct loop_call *call, bool *done, struct error *err);
/* A pair that failed, by the number that stream_rows has for it: its row falls out, once. Steps of programs over pairs are
 * counted from `first_step` on. */
void loop_reject(const struct rejects *failed, int32_t first_step, const int32_t *stream_rows, uint8_t *wanted,
                 struct rejects *out);
enum { LOOP_FIRST_STEP = 1 << 24 };
struct position loop_position(const struct loop *self, int32_t step);

#endif
