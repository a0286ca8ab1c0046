/* variant_schema.h - inside expr/: the type that variants have between them, as Spark's schema_of_variant finds it.
 *
 * Lattice   zeroed = VOID, what nothing and nulls have. Each value widens it: whole numbers to DECIMAL, FLOAT or DOUBLE, a
 *           DECIMAL past 38 digits to DOUBLE, DATE to a time; objects by their members, arrays by their elements; two kinds
 *           that have nothing in common are a VARIANT, and so is all that is added to it
 * Order     does not matter: adding and merging are commutative and associative
 * Members   in order of the bytes of their names; names that differ by case are two
 * Owns      its members and names; variant_schema_free
 * Thread    that of its owner
 * Limits    VARIANT_SCHEMA_BYTES_MAX
 */
#ifndef EXPR_VARIANT_SCHEMA_H
#define EXPR_VARIANT_SCHEMA_H

#include "data/data.h"

enum { VARIANT_SCHEMA_BYTES_MAX = 64 * 1024 * 1024 };

struct variant_schema {
    uint8_t kind;             /* enum schema_kind */
    uint8_t precision, scale; /* of a DECIMAL */
    uint32_t count, capacity; /* of an object's members; an array's element is the only one, and has no name */
    uint32_t name_size;
    char *name;
    struct variant_schema *parts;
};

/* *bytes is what the whole tree holds besides its root. REJECT_COUNT: fine; else it would pass the limit, or the variant is
 * broken, and some of the value may have been added. */
enum reject_code variant_schema_add(struct variant_schema *self, const struct variant *value, size_t *bytes);
/* False: it would pass the limit. */
bool variant_schema_merge(struct variant_schema *self, const struct variant_schema *other, size_t *bytes);
/* As DDL has it: in backquotes where it is not plain. */
void ddl_print_name(struct bytes name, struct text *out);
/* ARRAY<OBJECT<a: BIGINT, `b c`: VOID>> */
void variant_schema_print(const struct variant_schema *self, struct text *out);
void variant_schema_save(const struct variant_schema *self, struct text *out);
/* False: these are no bytes of variant_schema_save; what was read so far is to be freed. */
bool variant_schema_load(struct variant_schema *self, struct bytes *in, size_t *bytes);
void variant_schema_free(struct variant_schema *self, size_t *bytes);

#endif
