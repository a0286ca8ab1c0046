#include "format/thrift_write.h"

static void varint(struct thrift *thrift, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];
    text_add(thrift->out, bytes, (size_t)(varint_write(bytes, value) - bytes));
}

/* One byte (id delta << 4 | kind) when the delta is 1..15, else the kind and the whole id. */
static void field(struct thrift *thrift, int16_t id, enum thrift_kind kind)
{
    int16_t *last = &thrift->last[thrift->depth - 1];
    int delta = id - *last;
    if (delta > 0 && delta <= 15) {
        text_add_char(thrift->out, (char)(delta << 4 | (int)kind));
    } else {
        text_add_char(thrift->out, (char)kind);
        varint(thrift, zigzag(id));
    }
    *last = id;
}

static void push(struct thrift *thrift)
{
    always(thrift->depth < THRIFT_DEPTH_MAX);
    thrift->last[thrift->depth++] = 0;
}

void thrift_begin(struct thrift *thrift, struct text *out)
{
    *thrift = (struct thrift){.out = out};
    push(thrift);
}

void thrift_end(struct thrift *thrift)
{
    always(thrift->depth > 0);
    text_add_char(thrift->out, 0);
    thrift->depth--;
}

void thrift_bool(struct thrift *thrift, int16_t id, bool value)
{
    field(thrift, id, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_i8(struct thrift *thrift, int16_t id, int8_t value)
{
    field(thrift, id, THRIFT_I8);
    text_add_char(thrift->out, (char)value);
}

void thrift_i32(struct thrift *thrift, int16_t id, int32_t value)
{
    field(thrift, id, THRIFT_I32);
    varint(thrift, zigzag(value));
}

void thrift_i64(struct thrift *thrift, int16_t id, int64_t value)
{
    field(thrift, id, THRIFT_I64);
    varint(thrift, zigzag(value));
}

void thrift_binary(struct thrift *thrift, int16_t id, struct bytes value)
{
    field(thrift, id, THRIFT_BINARY);
    thrift_item_binary(thrift, value);
}

void thrift_struct(struct thrift *thrift, int16_t id)
{
    field(thrift, id, THRIFT_STRUCT);
    push(thrift);
}

/* One byte (count << 4 | kind) below 15 items, else the count follows as a varint. */
void thrift_list(struct thrift *thrift, int16_t id, enum thrift_kind item, size_t count)
{
    field(thrift, id, THRIFT_LIST);
    if (count < 15) {
        text_add_char(thrift->out, (char)(count << 4 | (size_t)item));
    } else {
        text_add_char(thrift->out, (char)(0xf0 | (int)item));
        varint(thrift, count);
    }
}

void thrift_item_i32(struct thrift *thrift, int32_t value) { varint(thrift, zigzag(value)); }

void thrift_item_i64(struct thrift *thrift, int64_t value) { varint(thrift, zigzag(value)); }

void thrift_item_binary(struct thrift *thrift, struct bytes value)
{
    varint(thrift, value.size);
    text_add(thrift->out, value.data, value.size);
}

void thrift_item_struct(struct thrift *thrift) { push(thrift); }
