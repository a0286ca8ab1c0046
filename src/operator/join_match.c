/* join_match.c - pairs of rows to batches: judge them by the condition, many at once, and let the true ones
 * out.
 *
 * Pairs wait as pointers. Full (BATCH_ROWS_MAX pairs, or JOIN_BATCH_BYTES_MAX behind them), the columns
 * that the condition reads are made for all of them, the program runs, and the true ones move on to wait
 * for a full batch to come out. So a key with a hundred thousand rows a side needs no more memory than one
 * with two.
 */
#include "operator/join_stage.h"

static void pairs_init(struct join_pairs *pairs, bool left, bool right)
{
    size_t bytes = BATCH_ROWS_MAX * sizeof(struct join_row *);
    pairs->sides[JOIN_LEFT_SIDE] = left ? mem_alloc(bytes) : NULL;
    pairs->sides[JOIN_RIGHT_SIDE] = right ? mem_alloc(bytes) : NULL;
}

static void pairs_close(struct join_pairs *pairs)
{
    mem_free(pairs->sides[JOIN_LEFT_SIDE]);
    mem_free(pairs->sides[JOIN_RIGHT_SIDE]);
    *pairs = (struct join_pairs){0};
}

static void pairs_clear(struct join_pairs *pairs)
{
    pairs->count = 0;
    pairs->bytes = 0;
}

static bool pairs_full(const struct join_pairs *pairs)
{
    return pairs->count == BATCH_ROWS_MAX || pairs->bytes >= JOIN_BATCH_BYTES_MAX;
}

void join_matcher_init(const struct join_stage *self, struct join_matcher *matcher)
{
    *matcher = (struct join_matcher){0};
    if (self->condition != NULL)
        matcher->evaluator = evaluator_new(self->condition);
}

/* Room for pairs is there while a shard merges: there are many shards, and as many at work as there are workers. */
void join_matcher_start(const struct join_stage *self, struct join_matcher *matcher)
{
    if (self->condition != NULL)
        pairs_init(&matcher->candidates, true, true);
    pairs_init(&matcher->matches, true, self->spec.type != JOIN_TYPE_SEMI);
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        if (self->outer[s])
            pairs_init(&matcher->lonely[s], s == JOIN_LEFT_SIDE, s == JOIN_RIGHT_SIDE);
}

void join_matcher_stop(struct join_matcher *matcher)
{
    pairs_close(&matcher->candidates);
    pairs_close(&matcher->matches);
    pairs_close(&matcher->lonely[JOIN_LEFT_SIDE]);
    pairs_close(&matcher->lonely[JOIN_RIGHT_SIDE]);
}

void join_matcher_close(struct join_matcher *matcher)
{
    evaluator_free(matcher->evaluator);
    join_matcher_stop(matcher);
    selection_free(&matcher->kept);
    rejects_free(&matcher->rejects);
    *matcher = (struct join_matcher){0};
}

/* ---- out ---- */

/* One side's columns of a batch; rows NULL: all NULL. */
static void read_side(const struct join_stage *self, int32_t side, struct join_row *const *rows, int64_t count,
                      const bool *wanted, struct column *out)
{
    const struct type *schema = self->layouts[side].schema;
    if (rows != NULL) {
        row_read(&self->layouts[side], rows, count, wanted, out);
        return;
    }
    for (int32_t c = 0; c < schema->field_count; c++)
        column_all_null(&out[c], schema->fields[c].type, count);
}

static enum code pairs_out(const struct join_stage *self, struct join_matcher *matcher, struct join_pairs *pairs,
                           struct error *err)
{
    struct batch out;
    if (pairs->count == 0)
        return E_OK;
    batch_init(&out, self->spec.schema, pairs->count);
    read_side(self, JOIN_LEFT_SIDE, pairs->sides[JOIN_LEFT_SIDE], pairs->count, NULL, out.columns);
    if (self->spec.type != JOIN_TYPE_SEMI)
        read_side(self, JOIN_RIGHT_SIDE, pairs->sides[JOIN_RIGHT_SIDE], pairs->count, NULL,
                  out.columns + self->layouts[JOIN_LEFT_SIDE].schema->field_count);
    enum code code = matcher->emit->batch(matcher->emit->context, &out, err);
    if (code == E_OK)
        matcher->counts->out += pairs->count;
    batch_release(&out);
    pairs_clear(pairs);
    return code;
}

enum code join_match_alone(const struct join_stage *self, struct join_shard *shard, int32_t side, struct join_row *row,
                           struct error *err)
{
    struct join_pairs *lonely = &shard->matcher.lonely[side];
    lonely->sides[side][lonely->count++] = row;
    lonely->bytes += row_bytes(row);
    return pairs_full(lonely) ? pairs_out(self, &shard->matcher, lonely, err) : E_OK;
}

/* ---- matched ---- */

/* A stored row that matches for the first time is part of the next delta. */
static void mark(struct join_shard *shard, struct join_row *row)
{
    if (row->flags & ROW_MATCHED)
        return;
    row->flags |= ROW_MATCHED | (row->flags & ROW_FRESH ? 0 : ROW_CHANGED);
    join_rows_add(&shard->matched, row);
}

static enum code accept(const struct join_stage *self, struct join_shard *shard, struct join_row *left,
                        struct join_row *right, struct error *err)
{
    struct join_pairs *matches = &shard->matcher.matches;
    bool semi = self->spec.type == JOIN_TYPE_SEMI;
    if (semi && (left->flags & ROW_MATCHED))
        return E_OK;
    if (self->flagged[JOIN_LEFT_SIDE])
        mark(shard, left);
    if (self->flagged[JOIN_RIGHT_SIDE])
        mark(shard, right);
    matches->sides[JOIN_LEFT_SIDE][matches->count] = left;
    if (!semi)
        matches->sides[JOIN_RIGHT_SIDE][matches->count] = right;
    matches->count++;
    matches->bytes += row_bytes(left) + (semi ? 0 : row_bytes(right));
    return pairs_full(matches) ? pairs_out(self, &shard->matcher, matches, err) : E_OK;
}

/* ---- judged ---- */

static enum code run_condition(const struct join_stage *self, struct join_matcher *matcher, struct error *err)
{
    const struct join_pairs *pairs = &matcher->candidates;
    struct batch in;
    struct column verdict = {0};
    batch_init(&in, self->joined, pairs->count);
    int32_t left_columns = self->layouts[JOIN_LEFT_SIDE].schema->field_count;
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        read_side(self, s, pairs->sides[s], pairs->count, self->condition_reads[s],
                  in.columns + (s == JOIN_LEFT_SIDE ? 0 : left_columns));
    rejects_clear(&matcher->rejects);
    enum code code = evaluator_run(matcher->evaluator, matcher->session, &in, &verdict, &matcher->rejects, err);
    if (code == E_OK) {
        selection_true(&matcher->kept, &verdict);
        matcher->counts->overflown += matcher->rejects.count; // their verdict is NULL
    }
    column_release(&verdict);
    batch_release(&in);
    return code;
}

enum code join_match_judge(const struct join_stage *self, struct join_shard *shard, struct error *err)
{
    struct join_matcher *matcher = &shard->matcher;
    struct join_pairs *pairs = &matcher->candidates;
    if (pairs->count == 0)
        return E_OK;
    TRY(run_condition(self, matcher, err));
    for (int64_t i = 0; i < matcher->kept.count; i++) {
        int32_t pair = matcher->kept.rows[i];
        TRY(accept(self, shard, pairs->sides[JOIN_LEFT_SIDE][pair], pairs->sides[JOIN_RIGHT_SIDE][pair], err));
    }
    pairs_clear(pairs);
    return E_OK;
}

enum code join_match_pair(const struct join_stage *self, struct join_shard *shard, struct join_row *left,
                          struct join_row *right, struct error *err)
{
    struct join_pairs *pairs = &shard->matcher.candidates;
    if (self->condition == NULL)
        return accept(self, shard, left, right, err);
    pairs->sides[JOIN_LEFT_SIDE][pairs->count] = left;
    pairs->sides[JOIN_RIGHT_SIDE][pairs->count++] = right;
    pairs->bytes += row_bytes(left) + row_bytes(right);
    return pairs_full(pairs) ? join_match_judge(self, shard, err) : E_OK;
}

enum code join_match_end(const struct join_stage *self, struct join_shard *shard, struct error *err)
{
    TRY(join_match_judge(self, shard, err));
    TRY(pairs_out(self, &shard->matcher, &shard->matcher.matches, err));
    for (int32_t s = 0; s < JOIN_SIDES; s++)
        TRY(pairs_out(self, &shard->matcher, &shard->matcher.lonely[s], err));
    return E_OK;
}
