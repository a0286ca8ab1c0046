#include "data/variant_build.h"

#include <stdlib.h>

#include "base/hash.h"
#include "data/variant.h"

enum { NAMES_FEW = 16 }; /* so many are looked through */
enum { BYTES_MAX = 1 << 30, SHORT_TEXT_MAX = 63, BASIC_SHORT = 1, BASIC_OBJECT = 2, BASIC_ARRAY = 3 };
/* Primitive types, by their numbers in the format. */
enum {
    PRIMITIVE_NULL = 0,
    PRIMITIVE_TRUE = 1,
    PRIMITIVE_FALSE = 2,
    PRIMITIVE_INT8 = 3,
    PRIMITIVE_DOUBLE = 7,
    PRIMITIVE_DECIMAL4 = 8,
    PRIMITIVE_DATE = 11,
    PRIMITIVE_TIMESTAMP = 12,
    PRIMITIVE_TIMESTAMP_NTZ = 13,
    PRIMITIVE_FLOAT = 14,
    PRIMITIVE_BINARY = 15,
    PRIMITIVE_STRING = 16,
};

void variant_builder_clear(struct variant_builder *self)
{
    text_clear(&self->value);
    text_clear(&self->names);
    self->value.limit = self->names.limit = BYTES_MAX;
    self->name_count = self->part_count = 0;
    self->overflow = false;
}

void variant_builder_free(struct variant_builder *self)
{
    text_free(&self->value);
    text_free(&self->names);
    mem_free(self->name_ends);
    mem_free(self->slots);
    mem_free(self->parts);
    *self = (struct variant_builder){0};
}

static void put_number(struct text *out, __int128 value, int size)
{
    for (int i = 0; i < size; i++)
        text_add_char(out, (char)(value >> (8 * i)));
}

static void put_primitive(struct variant_builder *self, int type) { text_add_char(&self->value, (char)(type << 2)); }

void variant_put_null(struct variant_builder *self) { put_primitive(self, PRIMITIVE_NULL); }

void variant_put_boolean(struct variant_builder *self, bool value)
{
    put_primitive(self, value ? PRIMITIVE_TRUE : PRIMITIVE_FALSE);
}

void variant_put_integer(struct variant_builder *self, int64_t value)
{
    int power = value == (int8_t)value ? 0 : value == (int16_t)value ? 1 : value == (int32_t)value ? 2 : 3;
    put_primitive(self, PRIMITIVE_INT8 + power);
    put_number(&self->value, value, 1 << power);
}

void variant_put_double(struct variant_builder *self, double value)
{
    put_primitive(self, PRIMITIVE_DOUBLE);
    text_add(&self->value, &value, sizeof value);
}

void variant_put_decimal(struct variant_builder *self, __int128 unscaled, int scale)
{
    __int128 size = unscaled < 0 ? -unscaled : unscaled;
    int power = size < 1000000000 && scale <= 9 ? 0 : size < 1000000000000000000 && scale <= 18 ? 1 : 2;
    put_primitive(self, PRIMITIVE_DECIMAL4 + power);
    text_add_char(&self->value, (char)scale);
    put_number(&self->value, unscaled, 4 << power);
}

void variant_put_float(struct variant_builder *self, float value)
{
    put_primitive(self, PRIMITIVE_FLOAT);
    text_add(&self->value, &value, sizeof value);
}

void variant_put_date(struct variant_builder *self, int32_t days)
{
    put_primitive(self, PRIMITIVE_DATE);
    put_number(&self->value, days, sizeof days);
}

void variant_put_timestamp(struct variant_builder *self, int64_t us, bool utc)
{
    put_primitive(self, utc ? PRIMITIVE_TIMESTAMP : PRIMITIVE_TIMESTAMP_NTZ);
    put_number(&self->value, us, sizeof us);
}

void variant_put_binary(struct variant_builder *self, struct bytes value)
{
    put_primitive(self, PRIMITIVE_BINARY);
    put_number(&self->value, (__int128)value.size, 4);
    text_add(&self->value, value.data, value.size);
}

void variant_put_string(struct variant_builder *self, struct bytes value)
{
    if (value.size <= SHORT_TEXT_MAX) {
        text_add_char(&self->value, (char)(value.size << 2 | BASIC_SHORT));
    } else {
        put_primitive(self, PRIMITIVE_STRING);
        put_number(&self->value, (__int128)value.size, 4);
    }
    text_add(&self->value, value.data, value.size);
}

/* ---- objects and arrays ---- */

static struct bytes name_of(const struct variant_builder *self, int64_t id)
{
    size_t start = id == 0 ? 0 : self->name_ends[id - 1];
    return bytes_of(self->names.data + start, self->name_ends[id] - start);
}

static int32_t name_add(struct variant_builder *self, struct bytes name)
{
    mem_grow(self->name_ends, self->name_capacity, self->name_count + 1);
    text_add(&self->names, name.data, name.size);
    self->name_ends[self->name_count] = self->names.size;
    return (int32_t)self->name_count++;
}

/* Where the name's id is, or would be. */
static int32_t *slot_of(const struct variant_builder *self, struct bytes name)
{
    uint64_t mask = (uint64_t)self->slot_count - 1, at = hash_bytes(name.data, name.size) & mask;
    while (self->slots[at] >= 0 && !bytes_equal(name_of(self, self->slots[at]), name))
        at = (at + 1) & mask;
    return &self->slots[at];
}

/* `count`: a power of two, at least twice the names. */
static void slots_fill(struct variant_builder *self, int64_t count)
{
    mem_free(self->slots);
    self->slots = mem_array(int32_t, (size_t)count);
    self->slot_count = count;
    memset(self->slots, -1, (size_t)count * sizeof *self->slots);
    for (int64_t id = 0; id < self->name_count; id++)
        *slot_of(self, name_of(self, id)) = (int32_t)id;
}

/* Most objects have few different names; of many a hash table knows the ids. */
static int32_t name_id(struct variant_builder *self, struct bytes name)
{
    int32_t *slot = NULL;
    for (int64_t id = 0; id < self->name_count && self->name_count <= NAMES_FEW; id++)
        if (bytes_equal(name_of(self, id), name))
            return (int32_t)id;
    if (self->name_count > NAMES_FEW)
        slot = slot_of(self, name);
    if (slot != NULL && *slot >= 0)
        return *slot;
    int32_t id = name_add(self, name);
    if (slot != NULL)
        *slot = id;
    if (self->name_count == NAMES_FEW + 1)
        slots_fill(self, 4 * NAMES_FEW);
    else if (slot != NULL && self->name_count * 2 > self->slot_count)
        slots_fill(self, self->slot_count * 2);
    return id;
}

struct variant_mark variant_open_list(const struct variant_builder *self)
{
    return (struct variant_mark){self->value.size, self->part_count};
}

static void put_part(struct variant_builder *self, int32_t id)
{
    mem_grow(self->parts, self->part_capacity, self->part_count + 1);
    self->parts[self->part_count++] = (struct variant_part){self->value.size, id};
}

void variant_field(struct variant_builder *self, struct bytes name) { put_part(self, name_id(self, name)); }

void variant_item(struct variant_builder *self) { put_part(self, 0); }

static int bytes_for(uint64_t value) { return value < 1 << 8 ? 1 : value < 1 << 16 ? 2 : value < 1 << 24 ? 3 : 4; }

/* Makes room for the header in front of the parts, which stand there already. */
static void put_header(struct variant_builder *self, struct variant_mark mark, int basic, int id_bytes)
{
    int64_t count = self->part_count - mark.parts;
    const struct variant_part *parts = self->parts + mark.parts;
    size_t items = self->value.size - mark.start;
    int offset_bytes = bytes_for(items), count_bytes = count > 255 ? 4 : 1;
    struct text head = {0};
    int large = basic == BASIC_OBJECT ? (count_bytes == 4) << 4 | (id_bytes - 1) << 2 : (count_bytes == 4) << 2;
    text_add_char(&head, (char)((large | (offset_bytes - 1)) << 2 | basic));
    put_number(&head, count, count_bytes);
    for (int64_t i = 0; i < count && basic == BASIC_OBJECT; i++)
        put_number(&head, parts[i].id, id_bytes);
    for (int64_t i = 0; i < count; i++)
        put_number(&head, (__int128)(parts[i].start - mark.start), offset_bytes);
    put_number(&head, (__int128)items, offset_bytes);
    if (self->value.size + head.size > BYTES_MAX) {
        self->overflow = true;
    } else {
        char *room = text_reserve(&self->value, head.size);
        (void)room;
        memmove(self->value.data + mark.start + head.size, self->value.data + mark.start, items);
        memcpy(self->value.data + mark.start, head.data, head.size);
        self->value.size += head.size;
        self->value.data[self->value.size] = '\0';
    }
    self->part_count = mark.parts;
    text_free(&head);
}

static int by_name(const void *a, const void *b, void *context)
{
    const struct variant_builder *self = context;
    struct bytes x = name_of(self, ((const struct variant_part *)a)->id),
                 y = name_of(self, ((const struct variant_part *)b)->id);
    int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);
    return order != 0 ? order : (x.size > y.size) - (x.size < y.size);
}

bool variant_close_object(struct variant_builder *self, struct variant_mark mark)
{
    int64_t count = self->part_count - mark.parts;
    struct variant_part *parts = count > 0 ? self->parts + mark.parts : NULL;
    int32_t largest = 0;
    if (count > 0)
        qsort_r(parts, (size_t)count, sizeof *parts, by_name, self);
    for (int64_t i = 0; i < count; i++) {
        if (i > 0 && parts[i].id == parts[i - 1].id)
            return false;
        largest = parts[i].id > largest ? parts[i].id : largest;
    }
    put_header(self, mark, BASIC_OBJECT, bytes_for((uint64_t)largest));
    return true;
}

void variant_close_array(struct variant_builder *self, struct variant_mark mark)
{
    put_header(self, mark, BASIC_ARRAY, 0);
}

void variant_builder_take(struct variant_builder *self, struct text *out)
{
    int size = bytes_for(self->names.size > (size_t)self->name_count ? self->names.size : (uint64_t)self->name_count);
    text_add_char(out, (char)(VARIANT_METADATA_VERSION | (size - 1) << 6));
    put_number(out, self->name_count, size);
    put_number(out, 0, size);
    for (int64_t i = 0; i < self->name_count; i++)
        put_number(out, (__int128)self->name_ends[i], size);
    text_add(out, self->names.data, self->names.size);
    text_add(out, self->value.data, self->value.size);
}

/* ---- parts of others ---- */

static bool copy_list(struct variant_builder *self, const struct variant *value, int depth)
{
    struct variant_mark mark = variant_open_list(self);
    for (int32_t i = 0; i < value->count; i++) {
        struct variant part;
        struct bytes name;
        if (!variant_element(value, i, &part))
            return false;
        if (value->kind == VARIANT_ARRAY)
            variant_item(self);
        else if (variant_name(value, i, &name))
            variant_field(self, name);
        else
            return false;
        if (!variant_put_copy(self, &part, depth + 1))
            return false;
    }
    if (value->kind == VARIANT_OBJECT)
        return variant_close_object(self, mark);
    variant_close_array(self, mark);
    return true;
}

bool variant_put_copy(struct variant_builder *self, const struct variant *value, int depth)
{
    if (depth > VARIANT_DEPTH_MAX)
        return false;
    if (value->kind == VARIANT_OBJECT || value->kind == VARIANT_ARRAY)
        return copy_list(self, value, depth);
    text_add(&self->value, value->value.data, value->value.size); // a scalar says all by itself
    return true;
}
