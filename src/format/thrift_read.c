#include "format/thrift_read.h"

static uint64_t varint_read(struct thrift_reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->bad = true;
    reader->at = reader->end;
    return 0;
}

static int64_t zigzag_read(struct thrift_reader *reader)
{
    uint64_t value = varint_read(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static uint8_t byte_read(struct thrift_reader *reader)
{
    if (reader->at < reader->end)
        return *reader->at++;
    reader->bad = true;
    return 0;
}

static void advance(struct thrift_reader *reader, uint64_t size)
{
    if (size > (uint64_t)(reader->end - reader->at)) {
        reader->bad = true;
        reader->at = reader->end;
    } else {
        reader->at += size;
    }
}

bool thrift_field(struct thrift_reader *reader, struct thrift_fields *fields)
{
    uint8_t head = byte_read(reader);
    fields->kind = head & 0x0f;
    if (reader->bad || fields->kind == THRIFT_STOP)
        return false;
    if (head >> 4 != 0)
        fields->id = (int16_t)(fields->id + (head >> 4));
    else
        fields->id = (int16_t)zigzag_read(reader);
    return !reader->bad;
}

static void list_head(struct thrift_reader *reader, int *item, uint64_t *count)
{
    uint8_t head = byte_read(reader);
    *item = head & 0x0f;
    *count = head >> 4;
    if (*count == 15)
        *count = varint_read(reader);
    if (*count > (uint64_t)(reader->end - reader->at)) { // an item takes at least a byte
        reader->bad = true;
        *count = 0;
    }
}

static void skip(struct thrift_reader *reader, int kind, bool in_list, int depth);

static void skip_items(struct thrift_reader *reader, int kind, uint64_t count, int depth)
{
    for (uint64_t i = 0; i < count && !reader->bad; i++)
        skip(reader, kind, true, depth);
}

static void skip_map(struct thrift_reader *reader, int depth)
{
    uint64_t count = varint_read(reader);
    uint8_t kinds = count > 0 ? byte_read(reader) : 0;
    for (uint64_t i = 0; i < count && !reader->bad; i++) {
        skip(reader, kinds >> 4, true, depth);
        skip(reader, kinds & 0x0f, true, depth);
    }
}

static void skip_struct(struct thrift_reader *reader, int depth)
{
    struct thrift_fields fields = thrift_struct_begin();
    while (thrift_field(reader, &fields))
        skip(reader, fields.kind, false, depth);
}

static void skip(struct thrift_reader *reader, int kind, bool in_list, int depth)
{
    int item;
    uint64_t count;
    if (depth == THRIFT_READ_DEPTH_MAX) {
        reader->bad = true;
        return;
    }
    switch (kind) {
    case THRIFT_TRUE:
    case THRIFT_FALSE: advance(reader, in_list); break; // a field's value is in its type number
    case THRIFT_I8: advance(reader, 1); break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64: varint_read(reader); break;
    case THRIFT_DOUBLE: advance(reader, sizeof(double)); break;
    case THRIFT_UUID: advance(reader, 16); break;
    case THRIFT_BINARY: advance(reader, varint_read(reader)); break;
    case THRIFT_LIST:
    case THRIFT_SET:
        list_head(reader, &item, &count);
        skip_items(reader, item, count, depth + 1);
        break;
    case THRIFT_MAP: skip_map(reader, depth + 1); break;
    case THRIFT_STRUCT: skip_struct(reader, depth + 1); break;
    default: reader->bad = true; break;
    }
}

void thrift_skip(struct thrift_reader *reader, int kind) { skip(reader, kind, false, 0); }

int64_t thrift_int(struct thrift_reader *reader, const struct thrift_fields *fields, int64_t min, int64_t max)
{
    int64_t value = 0;
    if (fields->kind == THRIFT_I8)
        value = (int8_t)byte_read(reader);
    else if (fields->kind == THRIFT_I16 || fields->kind == THRIFT_I32 || fields->kind == THRIFT_I64)
        value = zigzag_read(reader);
    else
        reader->bad = true;
    if (value < min || value > max)
        reader->bad = true;
    return reader->bad ? 0 : value;
}

bool thrift_flag(struct thrift_reader *reader, const struct thrift_fields *fields)
{
    if (fields->kind != THRIFT_TRUE && fields->kind != THRIFT_FALSE)
        reader->bad = true;
    return fields->kind == THRIFT_TRUE;
}

struct bytes thrift_bytes(struct thrift_reader *reader, const struct thrift_fields *fields)
{
    if (fields->kind != THRIFT_BINARY)
        reader->bad = true;
    uint64_t size = reader->bad ? 0 : varint_read(reader);
    const uint8_t *data = reader->at;
    advance(reader, size);
    return reader->bad ? (struct bytes){0} : bytes_of(data, (size_t)size);
}

bool thrift_enter(struct thrift_reader *reader, const struct thrift_fields *fields)
{
    if (fields->kind == THRIFT_STRUCT)
        return !reader->bad;
    thrift_skip(reader, fields->kind);
    return false;
}

int32_t thrift_items(struct thrift_reader *reader, const struct thrift_fields *fields, int item)
{
    int kind;
    uint64_t count;
    if (fields->kind != THRIFT_LIST) {
        reader->bad = true;
        return 0;
    }
    list_head(reader, &kind, &count);
    if ((kind != item && count > 0) || count > INT32_MAX)
        reader->bad = true;
    return reader->bad ? 0 : (int32_t)count;
}
