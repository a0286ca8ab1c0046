#include "format/formats_internal.h"

#include <strings.h>

const struct decoder_type *const decoder_types[] = {&json_decoder, &csv_decoder, NULL};
const struct encoder_type *const encoder_types[] = {&parquet_encoder, &csv_encoder, &json_encoder, NULL};

const struct decoder_type *decoder_find(const char *name)
{
    for (size_t i = 0; decoder_types[i] != NULL; i++)
        if (strcasecmp(decoder_types[i]->name, name) == 0)
            return decoder_types[i];
    return NULL;
}

const struct encoder_type *encoder_find(const char *name)
{
    for (size_t i = 0; encoder_types[i] != NULL; i++)
        if (strcasecmp(encoder_types[i]->name, name) == 0)
            return encoder_types[i];
    return NULL;
}

enum code plain_file_open(void *file, const struct encoder_spec *spec, struct text *header, struct error *err)
{
    (void)spec, (void)header, (void)err;
    *(struct plain_file *)file = (struct plain_file){0};
    return E_OK;
}

enum code plain_file_add(void *file, struct piece *piece, int64_t offset, struct error *err)
{
    (void)file, (void)piece, (void)offset, (void)err;
    return E_OK;
}

enum code plain_file_finish(void *file, struct text *footer, struct error *err)
{
    (void)file, (void)footer, (void)err;
    return E_OK;
}

void plain_file_close(void *file) { (void)file; }

void plain_piece_close(struct piece *piece)
{
    text_free(&piece->bytes);
    *piece = (struct piece){0};
}

int64_t text_lane_rows(const void *lane) { return ((const struct text_lane *)lane)->rows; }

int64_t text_lane_bytes(const void *lane) { return (int64_t)((const struct text_lane *)lane)->lines.size; }

enum code text_lane_take(void *lane, struct piece *out, struct error *err)
{
    struct text_lane *self = lane;
    (void)err;
    *out = (struct piece){.bytes = self->lines, .rows = self->rows};
    *self = (struct text_lane){0};
    return E_OK;
}
