/* variant_build.h - make the bytes of a VARIANT value: put parts one behind the other, then close them.
 *
 * Use      scalars with variant_put_*. For an object: variant_open_object; for each member variant_field(name), then its
 *          value; variant_close_object. For an array: variant_open_array; before each element variant_item; close
 * Bytes    the shortest forms: small numbers in one byte, short texts in their header. Names get ids in the order they come
 * Fails    variant_close_object: false when a name is there twice. Values past 1 GiB are cut: `overflow` is set
 * Owns     its texts; variant_builder_clear keeps the memory
 * Thread   one at a time
 * Spec     github.com/apache/parquet-format: VariantEncoding.md
 */
#ifndef DATA_VARIANT_BUILD_H
#define DATA_VARIANT_BUILD_H

#include "base/bytes.h"

struct variant_part {
    size_t start; /* of its value, in `value` */
    int32_t id;   /* of its name */
};
struct variant_builder {
    struct text value, names; /* names: one behind the other */
    size_t *name_ends;
    int64_t name_count, name_capacity;
    int32_t *slots; /* ids by the hash of their names, -1 free; filled when the names are more than a few */
    int64_t slot_count;
    struct variant_part *parts; /* of everything that is open, the innermost last */
    int64_t part_count, part_capacity;
    bool overflow;
};
/* What variant_open_* gives and variant_close_* takes. */
struct variant_mark {
    size_t start;
    int64_t parts;
};

void variant_builder_clear(struct variant_builder *self);
void variant_builder_free(struct variant_builder *self);

void variant_put_null(struct variant_builder *self);
void variant_put_boolean(struct variant_builder *self, bool value);
void variant_put_integer(struct variant_builder *self, int64_t value);
void variant_put_double(struct variant_builder *self, double value);
void variant_put_decimal(struct variant_builder *self, __int128 unscaled, int scale); /* at most 38 digits */
void variant_put_float(struct variant_builder *self, float value);
void variant_put_date(struct variant_builder *self, int32_t days);
void variant_put_timestamp(struct variant_builder *self, int64_t us, bool utc);
void variant_put_binary(struct variant_builder *self, struct bytes value);
void variant_put_string(struct variant_builder *self, struct bytes value);

struct variant_mark variant_open_list(const struct variant_builder *self); /* an object or an array */
void variant_field(struct variant_builder *self, struct bytes name);
void variant_item(struct variant_builder *self);
MUST_CHECK bool variant_close_object(struct variant_builder *self, struct variant_mark mark);
void variant_close_array(struct variant_builder *self, struct variant_mark mark);

/* Metadata, then value; appended. */
void variant_builder_take(struct variant_builder *self, struct text *out);
/* One value of another variant, with the names that it uses alone; false when it is broken. */
struct variant;
MUST_CHECK bool variant_put_copy(struct variant_builder *self, const struct variant *value, int depth);

#endif
