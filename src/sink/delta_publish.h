/* delta_publish.h - an epoch's files become part of a Delta table: what sink and recovery share. Private to sink/.
 *
 * Token    that of a directory (token.c), and in "delta" what the commit needs when whoever wrote it is gone:
 *          {"files":[..], "delta":{"app":"<Q>/<T>", "name":.., "schema":.., "partitions":[..], "properties":{..}}}
 */
#ifndef SINK_DELTA_PUBLISH_H
#define SINK_DELTA_PUBLISH_H

#include "delta/delta.h"
#include "sink/directory.h"

struct delta_token {
    struct arena arena;
    struct parts parts;
    const char *app_id; /* NULL: the token is not of a Delta table */
    struct delta_wanted wanted;
};
/* `files`: the directory's token. */
MUST_CHECK enum code delta_token_print(struct bytes files, const char *app_id, const struct delta_wanted *wanted,
                                       struct text *out, struct error *err);
MUST_CHECK enum code delta_token_parse(struct bytes token, struct delta_token *out, struct error *err);
void delta_token_free(struct delta_token *token);

/* Commits the epoch's files, which have their final names. Idempotent: by txn{app id, epoch}. */
MUST_CHECK enum code delta_epoch_commit(struct delta_table *table, struct store *store, const struct delta_token *token,
                                        int64_t epoch, struct budget *budget, struct error *err);

#endif
