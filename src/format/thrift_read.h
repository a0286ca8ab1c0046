/* thrift_read.h - Thrift's compact protocol, the reading half: what Parquet's headers are made of.
 *
 * Use      thrift_struct_begin; thrift_field until it says false: after each true, read the value
 *          (thrift_int, thrift_bytes, thrift_list, a nested struct) or thrift_skip it. A list is
 *          thrift_list and then exactly `count` items
 * Fails    bytes that make no sense set `bad`; from then on every value is 0 or empty, every struct and
 *          list has ended, so callers check once, at the end
 * Owns     nothing; bytes are views into the input
 * Limits   every count is at most the bytes that are left; THRIFT_READ_DEPTH_MAX nested values when
 *          skipping
 * Spec     thrift/doc/specs/thrift-compact-protocol.md
 */
#ifndef FORMAT_THRIFT_READ_H
#define FORMAT_THRIFT_READ_H

#include "base/bytes.h"
#include "format/thrift_write.h"

enum { THRIFT_READ_DEPTH_MAX = 32 };
/* Kinds that only readers meet; the others are enum thrift_kind. */
enum { THRIFT_STOP = 0, THRIFT_DOUBLE = 7, THRIFT_SET = 10, THRIFT_MAP = 11, THRIFT_UUID = 13 };

struct thrift_reader {
    const uint8_t *at, *end;
    bool bad;
};
/* A struct being read: what field ids are relative to. */
struct thrift_fields {
    int16_t id; /* of the current field */
    int kind;   /* its type number */
};
static inline struct thrift_reader thrift_reader_of(struct bytes bytes)
{
    return (struct thrift_reader){bytes.data, bytes.data + bytes.size, bytes.data == NULL};
}
static inline struct thrift_fields thrift_struct_begin(void) { return (struct thrift_fields){0, THRIFT_STOP}; }
/* The next field; false when the struct has ended. */
bool thrift_field(struct thrift_reader *reader, struct thrift_fields *fields);
/* Skip the current field's value. */
void thrift_skip(struct thrift_reader *reader, int kind);
/* The current field as an integer or a boolean; bad when it is neither, or does not lie in [min, max]. */
int64_t thrift_int(struct thrift_reader *reader, const struct thrift_fields *fields, int64_t min, int64_t max);
bool thrift_flag(struct thrift_reader *reader, const struct thrift_fields *fields);
struct bytes thrift_bytes(struct thrift_reader *reader, const struct thrift_fields *fields);
/* Is the current field a struct? Else it is skipped. */
bool thrift_enter(struct thrift_reader *reader, const struct thrift_fields *fields);
/* Items of the current field, which must be a list of that kind. */
int32_t thrift_items(struct thrift_reader *reader, const struct thrift_fields *fields, int item);

#endif
