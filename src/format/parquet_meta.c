/* parquet_meta.c - the footer of a file: FileMetaData of parquet.thrift, what a reader needs of it. */
#include "format/parquet_read.h"
#include "format/thrift_read.h"

enum { COUNT_MAX = INT32_MAX, ELEMENTS_MAX = 100000 };

/* ConvertedType: what writers from before LogicalType left. */
enum {
    CONVERTED_UTF8 = 0,
    CONVERTED_MAP = 1,
    CONVERTED_MAP_KEY_VALUE = 2,
    CONVERTED_LIST = 3,
    CONVERTED_ENUM = 4,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIME_MILLIS = 7,
    CONVERTED_TIME_MICROS = 8,
    CONVERTED_TIMESTAMP_MILLIS = 9,
    CONVERTED_TIMESTAMP_MICROS = 10,
    CONVERTED_UINT_8 = 11,
    CONVERTED_UINT_64 = 14,
    CONVERTED_INT_8 = 15,
    CONVERTED_INT_64 = 18,
    CONVERTED_JSON = 19
};

static void converted_apply(struct parquet_element *element, int64_t converted)
{
    static const enum parquet_logical logical[] = {
        [CONVERTED_UTF8] = LOGICAL_STRING,
        [CONVERTED_MAP] = LOGICAL_MAP,
        [CONVERTED_MAP_KEY_VALUE] = LOGICAL_MAP,
        [CONVERTED_LIST] = LOGICAL_LIST,
        [CONVERTED_ENUM] = LOGICAL_ENUM,
        [CONVERTED_DECIMAL] = LOGICAL_DECIMAL,
        [CONVERTED_DATE] = LOGICAL_DATE,
        [CONVERTED_TIME_MILLIS] = LOGICAL_TIME,
        [CONVERTED_TIME_MICROS] = LOGICAL_TIME,
        [CONVERTED_TIMESTAMP_MILLIS] = LOGICAL_TIMESTAMP,
        [CONVERTED_TIMESTAMP_MICROS] = LOGICAL_TIMESTAMP,
    };
    if (converted <= CONVERTED_TIMESTAMP_MICROS) {
        element->logical = logical[converted];
        element->utc = true;
        element->unit = converted == CONVERTED_TIMESTAMP_MILLIS ? UNIT_MILLIS : UNIT_MICROS;
    } else if (converted <= CONVERTED_INT_64) {
        element->logical = LOGICAL_INTEGER;
        element->is_signed = converted >= CONVERTED_INT_8;
        element->bits = 8 << (converted - (element->is_signed ? CONVERTED_INT_8 : CONVERTED_UINT_8));
    } else {
        element->logical = converted == CONVERTED_JSON ? LOGICAL_JSON : LOGICAL_OTHER;
    }
}

/* ---- LogicalType: a union, that is a struct with one field, the number of its member ---- */

static enum parquet_unit unit_read(struct thrift_reader *in)
{
    struct thrift_fields unit = thrift_struct_begin();
    enum parquet_unit out = UNIT_MICROS;
    while (thrift_field(in, &unit)) {
        out = unit.id == UNIT_MILLIS || unit.id == UNIT_NANOS ? (enum parquet_unit)unit.id : UNIT_MICROS;
        thrift_skip(in, unit.kind);
    }
    return out;
}

static void member_read(struct thrift_reader *in, struct parquet_element *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    while (thrift_field(in, &fields)) {
        bool time = out->logical == LOGICAL_TIMESTAMP || out->logical == LOGICAL_TIME;
        if (out->logical == LOGICAL_DECIMAL && fields.id == 1)
            out->scale = (int32_t)thrift_int(in, &fields, 0, COUNT_MAX);
        else if (out->logical == LOGICAL_DECIMAL && fields.id == 2)
            out->precision = (int32_t)thrift_int(in, &fields, 0, COUNT_MAX);
        else if (out->logical == LOGICAL_INTEGER && fields.id == 1)
            out->bits = (int)thrift_int(in, &fields, 8, 64);
        else if (out->logical == LOGICAL_INTEGER && fields.id == 2)
            out->is_signed = thrift_flag(in, &fields);
        else if (time && fields.id == 1)
            out->utc = thrift_flag(in, &fields);
        else if (time && fields.id == 2 && thrift_enter(in, &fields))
            out->unit = unit_read(in);
        else
            thrift_skip(in, fields.kind);
    }
}

static enum parquet_logical logical_of(int16_t member)
{
    static const bool known[] = {
        [LOGICAL_STRING] = true,  [LOGICAL_MAP] = true,     [LOGICAL_LIST] = true, [LOGICAL_ENUM] = true,
        [LOGICAL_DECIMAL] = true, [LOGICAL_DATE] = true,    [LOGICAL_TIME] = true, [LOGICAL_TIMESTAMP] = true,
        [LOGICAL_INTEGER] = true, [LOGICAL_UNKNOWN] = true, [LOGICAL_JSON] = true, [LOGICAL_VARIANT] = true,
    };
    bool is_known = member > 0 && (size_t)member < sizeof known / sizeof *known && known[member];
    return is_known ? (enum parquet_logical)member : LOGICAL_OTHER;
}

static void logical_read(struct thrift_reader *in, struct parquet_element *out)
{
    struct thrift_fields member = thrift_struct_begin();
    while (thrift_field(in, &member)) {
        out->logical = logical_of(member.id);
        if (thrift_enter(in, &member))
            member_read(in, out);
    }
}

/* ---- SchemaElement ---- */

static const char *name_read(struct thrift_reader *in, const struct thrift_fields *fields, struct arena *arena)
{
    struct bytes name = thrift_bytes(in, fields);
    return arena_strndup(arena, name.size > 0 ? (const char *)name.data : "", name.size);
}

static void element_read(struct thrift_reader *in, struct arena *arena, struct parquet_element *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    struct parquet_element element = {.name = "", .physical = -1, .repetition = FIELD_REQUIRED};
    int64_t converted = -1;
    while (thrift_field(in, &fields)) {
        switch (fields.id) {
        case 1: element.physical = (int)thrift_int(in, &fields, PARQUET_BOOLEAN, PARQUET_FIXED); break;
        case 2: element.width = (int32_t)thrift_int(in, &fields, 0, COUNT_MAX); break;
        case 3:
            element.repetition = (enum parquet_repetition)thrift_int(in, &fields, FIELD_REQUIRED, FIELD_REPEATED);
            break;
        case 4: element.name = name_read(in, &fields, arena); break;
        case 5: element.children = (int32_t)thrift_int(in, &fields, 0, COUNT_MAX); break;
        case 6: converted = thrift_int(in, &fields, 0, COUNT_MAX); break;
        case 7: element.scale = (int32_t)thrift_int(in, &fields, 0, COUNT_MAX); break;
        case 8: element.precision = (int32_t)thrift_int(in, &fields, 0, COUNT_MAX); break;
        case 9: element.field_id = (int32_t)thrift_int(in, &fields, INT32_MIN, INT32_MAX); break;
        case 10:
            if (thrift_enter(in, &fields))
                logical_read(in, &element);
            break;
        default: thrift_skip(in, fields.kind); break;
        }
    }
    if (element.logical == LOGICAL_NONE && converted >= 0)
        converted_apply(&element, converted);
    if (element.children > 0)
        element.physical = -1;
    *out = element;
}

static void elements_read(struct thrift_reader *in, const struct thrift_fields *fields, struct arena *arena,
                          struct parquet_meta *out)
{
    int32_t count = thrift_items(in, fields, THRIFT_STRUCT);
    if (count > ELEMENTS_MAX) {
        in->bad = true;
        return;
    }
    out->elements = arena_array(arena, struct parquet_element, (size_t)count);
    out->element_count = count;
    out->leaf_count = 0;
    for (int32_t i = 0; i < count && !in->bad; i++) {
        element_read(in, arena, &out->elements[i]);
        out->leaf_count += out->elements[i].physical >= 0;
    }
}

/* ---- RowGroup ---- */

static struct bytes bound_keep(struct bytes bound, struct arena *arena)
{
    if (bound.data == NULL || bound.size > STATISTIC_MAX)
        return (struct bytes){0};
    return bytes_of(arena_strndup(arena, (const char *)bound.data, bound.size), bound.size);
}

/* Only bounds whose order is that of the type: the fields 1 and 2 came before it was fixed. */
static void statistics_read(struct thrift_reader *in, struct arena *arena, struct parquet_place *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    while (thrift_field(in, &fields)) {
        if (fields.id == 3)
            out->null_count = thrift_int(in, &fields, INT64_MIN, INT64_MAX);
        else if (fields.id == 5)
            out->max = bound_keep(thrift_bytes(in, &fields), arena);
        else if (fields.id == 6)
            out->min = bound_keep(thrift_bytes(in, &fields), arena);
        else
            thrift_skip(in, fields.kind);
    }
}

static void chunk_meta_read(struct thrift_reader *in, struct arena *arena, struct parquet_place *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    int64_t data = 0, dictionary = 0;
    while (thrift_field(in, &fields)) {
        switch (fields.id) {
        case 1: out->physical = (int)thrift_int(in, &fields, PARQUET_BOOLEAN, PARQUET_FIXED); break;
        case 4: out->codec = (int)thrift_int(in, &fields, INT32_MIN, INT32_MAX); break;
        case 5: out->values = thrift_int(in, &fields, 0, INT64_MAX); break;
        case 6: out->uncompressed_bytes = thrift_int(in, &fields, 0, INT64_MAX); break;
        case 7: out->size_bytes = thrift_int(in, &fields, 0, INT64_MAX); break;
        case 9: data = thrift_int(in, &fields, 0, INT64_MAX); break;
        case 11: dictionary = thrift_int(in, &fields, 0, INT64_MAX); break;
        case 12:
            if (thrift_enter(in, &fields))
                statistics_read(in, arena, out);
            break;
        default: thrift_skip(in, fields.kind); break;
        }
    }
    out->offset = dictionary > 0 && (dictionary < data || data == 0) ? dictionary : data;
}

/* False: what it says of itself is nowhere in this file. */
static bool chunk_read(struct thrift_reader *in, struct arena *arena, struct parquet_place *out)
{
    struct thrift_fields fields = thrift_struct_begin();
    bool here = true;
    *out = (struct parquet_place){.physical = -1, .null_count = -1};
    while (thrift_field(in, &fields)) {
        if (fields.id == 3 && thrift_enter(in, &fields)) {
            chunk_meta_read(in, arena, out);
        } else if (fields.id != 3) {
            here &= fields.id != 1 && fields.id != 8; // a file of its own; encrypted
            thrift_skip(in, fields.kind);
        }
    }
    in->bad |= out->physical < 0;
    return here;
}

static enum code group_read(struct thrift_reader *in, struct parquet_meta *meta, int32_t index, struct arena *arena,
                            struct error *err)
{
    struct thrift_fields fields = thrift_struct_begin();
    struct parquet_row_group *group = &meta->groups[index];
    *group = (struct parquet_row_group){0};
    while (thrift_field(in, &fields)) {
        if (fields.id == 1) {
            int32_t count = thrift_items(in, &fields, THRIFT_STRUCT);
            if (in->bad || count != meta->leaf_count)
                return fail(err, E_CORRUPT, "row group %d has %d columns, the schema %d", index, count,
                            meta->leaf_count);
            group->chunks = arena_array(arena, struct parquet_place, (size_t)count);
            for (int32_t i = 0; i < count; i++)
                if (!in->bad && !chunk_read(in, arena, &group->chunks[i]))
                    return fail(err, E_UNSUPPORTED, "row group %d: a column that is encrypted, or in another file",
                                index);
        } else if (fields.id == 3) {
            group->rows = thrift_int(in, &fields, 0, INT64_MAX);
        } else {
            thrift_skip(in, fields.kind);
        }
    }
    if (group->chunks == NULL && meta->leaf_count > 0)
        return fail(err, E_CORRUPT, "row group %d has no columns", index);
    return E_OK;
}

static enum code groups_read(struct thrift_reader *in, const struct thrift_fields *fields, struct arena *arena,
                             struct parquet_meta *out, struct error *err)
{
    if (out->elements == NULL)
        return fail(err, E_CORRUPT, "the footer has row groups before a schema");
    out->group_count = thrift_items(in, fields, THRIFT_STRUCT);
    out->groups = arena_array(arena, struct parquet_row_group, (size_t)out->group_count);
    for (int32_t i = 0; i < out->group_count; i++)
        TRY(group_read(in, out, i, arena, err));
    return E_OK;
}

static enum code places_check(const struct parquet_meta *meta, int64_t file_bytes, struct error *err)
{
    int64_t end = file_bytes - PARQUET_TAIL_SIZE, rows = 0;
    for (int32_t g = 0; g < meta->group_count; g++) {
        const struct parquet_row_group *group = &meta->groups[g];
        if (__builtin_add_overflow(rows, group->rows, &rows))
            return fail(err, E_CORRUPT, "row group %d has %lld rows", g, (long long)group->rows);
        for (int32_t c = 0; c < meta->leaf_count && group->rows > 0; c++) {
            const struct parquet_place *place = &group->chunks[c];
            if (place->offset < PARQUET_MAGIC_SIZE || place->offset > end || place->size_bytes > end - place->offset)
                return fail(err, E_CORRUPT, "row group %d, column %d does not lie in the file", g, c);
        }
    }
    return E_OK;
}

enum code parquet_meta_read(struct bytes footer, int64_t file_bytes, struct arena *arena, struct parquet_meta *out,
                            struct error *err)
{
    struct thrift_reader in = thrift_reader_of(footer);
    struct thrift_fields fields = thrift_struct_begin();
    *out = (struct parquet_meta){0};
    while (thrift_field(&in, &fields)) {
        switch (fields.id) {
        case 2: elements_read(&in, &fields, arena, out); break;
        case 3: out->rows = thrift_int(&in, &fields, 0, INT64_MAX); break;
        case 4: TRY(groups_read(&in, &fields, arena, out, err)); break;
        case 8: return fail(err, E_UNSUPPORTED, "the file is encrypted");
        default: thrift_skip(&in, fields.kind); break;
        }
    }
    if (in.bad || out->element_count == 0)
        return fail(err, E_CORRUPT, "the footer makes no sense");
    return places_check(out, file_bytes, err);
}
