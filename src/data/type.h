/* type.h - Spark's types, and how each lies in memory.
 *
 * Shape    id         values buffer                       Spark's name
 *          NULL       none                                void
 *          BOOLEAN    bits, least significant first       boolean
 *          INT8..64   1, 2, 4, 8 bytes                    tinyint smallint int bigint
 *          FLOAT      4 bytes   DOUBLE 8 bytes            float double
 *          DECIMAL    precision <= 18: int64; else __int128, unscaled      decimal(p,s)
 *          STRING     bytes, with int32 offsets           string
 *          BINARY     bytes, with int32 offsets           binary
 *          DATE       int32 days since 1970-01-01         date
 *          TIMESTAMP  int64 microseconds UTC              timestamp
 *          TIMESTAMP_NTZ int64 microseconds, local        timestamp_ntz
 *          INTERVAL_DT int64 microseconds                 interval day to second
 *          INTERVAL_YM int32 months                       interval year to month
 *          TIME       int64 microseconds of the day       time(p)
 *          INTERVAL   struct calendar_interval (interval.h), 16 bytes      interval
 *          ARRAY      int32 offsets + child "element"     array<t>
 *          STRUCT     children                            struct<a:t,...>
 *          MAP        int32 offsets + children "key", "value" (two columns)  map<k,v>
 *          VARIANT    bytes, with int32 offsets: metadata, then value (variant.h)   variant
 * Owns     types are immutable; they live in the arena of the query that made them, or are static
 * Source   Arrow columnar format; Spark SQL data types
 * Tag      ORDER TYPE: type_name, type_width, and the switches of format, expr and state follow this list
 */
#ifndef DATA_TYPE_H
#define DATA_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

enum type_id {
    TYPE_NULL,
    TYPE_BOOLEAN,
    TYPE_INT8,
    TYPE_INT16,
    TYPE_INT32,
    TYPE_INT64,
    TYPE_FLOAT,
    TYPE_DOUBLE,
    TYPE_DECIMAL,
    TYPE_STRING,
    TYPE_BINARY,
    TYPE_DATE,
    TYPE_TIMESTAMP,
    TYPE_TIMESTAMP_NTZ,
    TYPE_INTERVAL_DT,
    TYPE_INTERVAL_YM,
    TYPE_TIME,
    TYPE_INTERVAL,
    TYPE_ARRAY,
    TYPE_STRUCT,
    TYPE_MAP,
    TYPE_VARIANT,
    TYPE_COUNT
};

struct type;
struct field {
    const char *name;
    const struct type *type;
    bool nullable;
};
/* What an interval counts in, from the largest field to the smallest. */
enum interval_field { INTERVAL_YEAR, INTERVAL_MONTH, INTERVAL_DAY, INTERVAL_HOUR, INTERVAL_MINUTE, INTERVAL_SECOND };
struct type {
    enum type_id id;
    uint8_t precision, scale; /* DECIMAL; INTERVAL_*: first and last field + 1, both 0 for the whole range; */
                              /* TIME: scale = 6 less its digits behind the point */
    int32_t field_count;      /* STRUCT: n; ARRAY: 1 (element); MAP: 2 (key, value); else 0 */
    const struct field *fields;
};

/* Static types without parameters: type_of(TYPE_INT64). */
const struct type *type_of(enum type_id id);
const struct type *type_decimal(struct arena *arena, int precision, int scale);
const struct type *type_time(int digits); /* 0..6, static */
static inline int type_time_digits(const struct type *t) { return 6 - t->scale; }
/* INTERVAL DAY TO HOUR: static. Both fields of one family, from <= to. */
const struct type *type_interval(enum interval_field from, enum interval_field to);
enum interval_field type_interval_from(const struct type *type);
enum interval_field type_interval_to(const struct type *type);
static inline bool type_is_interval(const struct type *t)
{
    return t->id == TYPE_INTERVAL_DT || t->id == TYPE_INTERVAL_YM;
}
/* Of the calendar, too. */
static inline bool type_is_any_interval(const struct type *t) { return type_is_interval(t) || t->id == TYPE_INTERVAL; }
const struct type *type_array(struct arena *arena, const struct type *element, bool contains_null);
const struct type *type_map(struct arena *arena, const struct type *key, const struct type *value, bool value_null);
const struct type *type_struct(struct arena *arena, const struct field *fields, int32_t count); /* copies fields */
const struct type *type_copy(struct arena *arena, const struct type *type);                     /* deep */

bool type_equal(const struct type *a, const struct type *b); /* names and nullability of fields ignored for */
                                                             /* nullability, compared for names */
/* Spark's simple string: bigint, decimal(12,2), struct<a:int,b:array<string>>. */
void type_print(const struct type *type, struct text *out);
/* Schema in DDL: "a INT, b STRUCT<c: STRING> NOT NULL" -> a STRUCT; also one type: "ARRAY<INT>".
 * E_SQL with the byte position in *position. Names keep their case; backquotes allowed; COMMENT '..' is skipped. */
MUST_CHECK enum code type_parse_ddl(struct arena *arena, struct bytes ddl, const struct type **out, size_t *position,
                                    struct error *err);
/* Index of the field; -1 when absent. Spark compares column names ignoring case. */
int32_t type_field_index(const struct type *type, const char *name, bool ignore_case);

/* Bytes of one value in the values buffer; 0 for BOOLEAN (bits), NULL, and types without a fixed width. */
int32_t type_width(const struct type *type);
static inline bool type_is_varlen(const struct type *t)
{
    return t->id == TYPE_STRING || t->id == TYPE_BINARY || t->id == TYPE_VARIANT;
}
static inline bool type_is_nested(const struct type *t) { return t->id >= TYPE_ARRAY && t->id <= TYPE_MAP; }
static inline bool type_is_integer(const struct type *t) { return t->id >= TYPE_INT8 && t->id <= TYPE_INT64; }
static inline bool type_is_numeric(const struct type *t) { return t->id >= TYPE_INT8 && t->id <= TYPE_DECIMAL; }
static inline bool type_is_wide_decimal(const struct type *t) { return t->id == TYPE_DECIMAL && t->precision > 18; }

#endif
