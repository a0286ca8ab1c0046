#include "format/json_records.h"

void json_record_absent(struct json_records *self)
{
    json_put_null(&self->root);
    if (self->corrupt != NULL)
        json_put_null(self->corrupt);
}

void json_record_malformed(struct json_records *self, struct bytes record, bool whole)
{
    int64_t row = self->root.rows;
    if (!whole)
        json_column_truncate(&self->root, row);
    const uint8_t *end = record.data + record.size;
    bool blank = json_blanks(record.data, end) == end;
    if (blank || self->mode != DECODE_PERMISSIVE) {
        json_column_truncate(&self->root, row);
        json_record_absent(self);
        if (!blank && self->mode == DECODE_FAILFAST)
            rejects_add(self->rejects, row, -1, REJECT_MALFORMED);
        return;
    }
    if (!whole)
        for (int32_t i = 0; i < self->root.child_count; i++)
            json_put_null(&self->root.children[i]);
    self->root.rows++;
    if (self->corrupt != NULL && !json_put_bytes(self->corrupt, record))
        json_put_null(self->corrupt);
}
