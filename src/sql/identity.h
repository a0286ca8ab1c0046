/* identity.h - inside the fingerprint: expressions and values as numbers, by structure and not by print.
 *
 * Shape    a column is what it is, wherever it stands: its identity says how it came about
 * Spec     fingerprint.c says what an identity must change with
 */
#ifndef SQL_IDENTITY_H
#define SQL_IDENTITY_H

#include "base/hash.h"
#include "sql/plan.h"

enum mark { /* kinds of things never hash alike */
            OF_FIELD = 0x4c454154,
            OF_LITERAL,
            OF_NULL,
            OF_CALL,
            OF_CAST,
            OF_CASE,
            OF_SOURCE,
            OF_DECODE,
            OF_GENERATE,
            OF_GROUP,
            OF_DUPLICATES,
            OF_JOIN,
            OF_SIDE,
            OF_UNION,
            OF_WATERMARK,
            OF_OTHER,
};
struct identity {
    uint64_t rows, state;
    uint64_t *columns;
};

static inline uint64_t hash_text(const char *text) { return hash_bytes(text, strlen(text)); }

static inline uint64_t hash_number(uint64_t hash, int64_t value) { return hash_mix(hash, (uint64_t)value); }

uint64_t hash_type(const struct type *type);
/* An expression over `input`; 0 for NULL. */
uint64_t hash_expr(const struct expr *expr, const struct identity *input);
uint64_t hash_exprs(uint64_t hash, const struct expr *const *exprs, int32_t count, const struct identity *input);
/* A column, or a field on a path into one, to read from: without the type of what has parts, which are known one by one.
 * Carriers are what a node's columns hold. */
uint64_t hash_carrier(const struct expr *expr, const struct identity *input);
/* A struct, an array or a map. */
bool type_has_parts(const struct type *type);
/* A carrier of this type that is kept or computed with as a whole. */
uint64_t hash_whole(uint64_t carrier, const struct type *type);

#endif
