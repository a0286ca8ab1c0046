/* thrift_write.h - Thrift's compact protocol, the writing half: what Parquet's headers are made of.
 *
 * Use      thrift_begin; then fields of the struct in ascending id; thrift_end closes it. A nested struct is
 *          thrift_struct ... thrift_end; a list is thrift_list and then exactly `count` items
 * Owns     nothing; bytes are appended to the caller's text
 * Limits   THRIFT_DEPTH_MAX nested structs, asserted
 * Spec     thrift/doc/specs/thrift-compact-protocol.md
 */
#ifndef FORMAT_THRIFT_WRITE_H
#define FORMAT_THRIFT_WRITE_H

#include "base/bytes.h"

enum { THRIFT_DEPTH_MAX = 8 };

/* Type numbers as they stand in the bytes. */
enum thrift_kind {
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_I8 = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_STRUCT = 12
};
struct thrift {
    struct text *out;
    int depth;
    int16_t last[THRIFT_DEPTH_MAX]; /* id of the field before, per open struct */
};

void thrift_begin(struct thrift *thrift, struct text *out);
void thrift_end(struct thrift *thrift);
void thrift_bool(struct thrift *thrift, int16_t id, bool value);
void thrift_i8(struct thrift *thrift, int16_t id, int8_t value);
void thrift_i32(struct thrift *thrift, int16_t id, int32_t value);
void thrift_i64(struct thrift *thrift, int16_t id, int64_t value);
void thrift_binary(struct thrift *thrift, int16_t id, struct bytes value);
void thrift_struct(struct thrift *thrift, int16_t id);
void thrift_list(struct thrift *thrift, int16_t id, enum thrift_kind item, size_t count);
void thrift_item_i32(struct thrift *thrift, int32_t value);
void thrift_item_i64(struct thrift *thrift, int64_t value);
void thrift_item_binary(struct thrift *thrift, struct bytes value);
void thrift_item_struct(struct thrift *thrift);

enum { VARINT_MAX = 10 }; /* most bytes of one varint */
/* Seven bits a byte, least significant group first; returns the byte behind. */
static inline uint8_t *varint_write(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}
static inline uint64_t zigzag(int64_t value) { return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63); }

#endif
