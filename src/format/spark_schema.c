#include "format/format.h"

/* A type as Spark writes it in JSON (DataType.json): Parquet's row metadata, Delta's schemaString. */

static const char *boolean(bool value) { return value ? "true" : "false"; }

static void write_fields(const struct type *type, bool all_nullable, struct text *out)
{
    text_add_string(out, "{\"type\":\"struct\",\"fields\":[");
    for (int32_t i = 0; i < type->field_count; i++) {
        const struct field *field = &type->fields[i];
        text_add_string(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        text_add_json(out, bytes_of_string(field->name));
        text_add_string(out, ",\"type\":");
        spark_schema_write(field->type, all_nullable, out);
        text_printf(out, ",\"nullable\":%s,\"metadata\":{}}", boolean(all_nullable || field->nullable));
    }
    text_add_string(out, "]}");
}

/* ORDER TYPE */
void spark_schema_write(const struct type *type, bool all_nullable, struct text *out)
{
    static const char *const names[TYPE_COUNT] = {
        [TYPE_NULL] = "void",
        [TYPE_BOOLEAN] = "boolean",
        [TYPE_INT8] = "byte",
        [TYPE_INT16] = "short",
        [TYPE_INT32] = "integer",
        [TYPE_INT64] = "long",
        [TYPE_FLOAT] = "float",
        [TYPE_DOUBLE] = "double",
        [TYPE_STRING] = "string",
        [TYPE_BINARY] = "binary",
        [TYPE_DATE] = "date",
        [TYPE_TIMESTAMP] = "timestamp",
        [TYPE_TIMESTAMP_NTZ] = "timestamp_ntz",
        [TYPE_INTERVAL_DT] = "interval day to second",
        [TYPE_INTERVAL_YM] = "interval year to month",
        [TYPE_TIME] = "time(6)",
        [TYPE_VARIANT] = "variant",
    };
    if (type->id == TYPE_DECIMAL) {
        text_printf(out, "\"decimal(%d,%d)\"", type->precision, type->scale);
    } else if (type->id == TYPE_STRUCT) {
        write_fields(type, all_nullable, out);
    } else if (type->id == TYPE_ARRAY) {
        text_add_string(out, "{\"type\":\"array\",\"elementType\":");
        spark_schema_write(type->fields[0].type, all_nullable, out);
        text_printf(out, ",\"containsNull\":%s}", boolean(all_nullable || type->fields[0].nullable));
    } else if (type->id == TYPE_MAP) {
        text_add_string(out, "{\"type\":\"map\",\"keyType\":");
        spark_schema_write(type->fields[0].type, all_nullable, out);
        text_add_string(out, ",\"valueType\":");
        spark_schema_write(type->fields[1].type, all_nullable, out);
        text_printf(out, ",\"valueContainsNull\":%s}", boolean(all_nullable || type->fields[1].nullable));
    } else {
        text_printf(out, "\"%s\"", names[type->id]);
    }
}
