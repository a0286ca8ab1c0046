/* variant.h - one value of type VARIANT: a JSON-like value that says what it is.
 *
 * Bytes    metadata, the dictionary of field names, and behind it the value: the two BINARY columns of Parquet's VARIANT group,
 *          joined. The metadata tells its own size, so nothing stands between them
 * Open     variant_open reads the header of one value and checks that all of it is inside its bytes; members and elements are
 *          opened when they are asked for. So broken bytes are found where they are, and never read past
 * Kinds    whole numbers of every width are VARIANT_INTEGER; a JSON null is VARIANT_NULL and is not a NULL row
 * Owns     nothing: everything points into the bytes
 * Fails    false: the bytes are no variant, or one nested deeper than VARIANT_DEPTH_MAX
 * Thread   any
 * Spec     github.com/apache/parquet-format: VariantEncoding.md
 */
#ifndef DATA_VARIANT_H
#define DATA_VARIANT_H

#include "base/bytes.h"

enum { VARIANT_DEPTH_MAX = 500, VARIANT_METADATA_VERSION = 1 };

struct zone;
enum variant_kind {
    VARIANT_NULL,
    VARIANT_BOOLEAN,       /* integer: 0, 1 */
    VARIANT_INTEGER,       /* integer */
    VARIANT_DECIMAL,       /* unscaled, scale */
    VARIANT_FLOAT,         /* number */
    VARIANT_DOUBLE,        /* number */
    VARIANT_DATE,          /* integer: days since 1970-01-01 */
    VARIANT_TIMESTAMP,     /* integer: microseconds UTC */
    VARIANT_TIMESTAMP_NTZ, /* integer: microseconds, local */
    VARIANT_TIME,          /* integer: microseconds of the day */
    VARIANT_STRING,        /* bytes */
    VARIANT_BINARY,        /* bytes */
    VARIANT_UUID,          /* bytes: 16, big endian */
    VARIANT_OBJECT,        /* count members, by name in order of bytes */
    VARIANT_ARRAY          /* count elements */
};
struct variant {
    struct bytes metadata;
    struct bytes value; /* header included; nothing behind it */
    enum variant_kind kind;
    uint8_t scale; /* DECIMAL: as small as the value allows, whatever is stored */
    uint8_t width; /* INTEGER, DECIMAL: bytes it is stored in */
    int32_t count; /* OBJECT, ARRAY */
    int64_t integer;
    double number;
    __int128 unscaled;
    struct bytes bytes;
    /* ---- OBJECT, ARRAY: where their parts are; variant_element's own ---- */
    struct bytes ids, offsets, items;
    uint8_t id_width, offset_width;
};

/* Cut metadata and value apart. */
bool variant_split(struct bytes whole, struct bytes *metadata, struct bytes *value);
bool variant_open(struct bytes metadata, struct bytes value, struct variant *out);
/* Both in one. */
bool variant_open_whole(struct bytes whole, struct variant *out);
/* Element `index` of an ARRAY, value of member `index` of an OBJECT; 0 <= index < count. */
bool variant_element(const struct variant *self, int32_t index, struct variant *out);
/* Name of member `index` of an OBJECT. */
bool variant_name(const struct variant *self, int32_t index, struct bytes *out);
/* The member of that name. False: there is none, or the bytes are broken. */
bool variant_member(const struct variant *self, struct bytes name, struct variant *out);

/* As JSON, as Spark's CAST AS STRING and to_json write it; what a broken variant has is written as far as it can be read.
 * False: it is broken. */
bool variant_print(struct bytes whole, const struct zone *zone, struct text *out);

#endif
