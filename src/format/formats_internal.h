/* formats_internal.h - the plug-ins that formats.c lists, and what those without a file structure
 * share. */
#ifndef FORMAT_FORMATS_INTERNAL_H
#define FORMAT_FORMATS_INTERNAL_H

#include "format/format.h"

extern const struct encoder_type parquet_encoder;
extern const struct encoder_type csv_encoder;
extern const struct encoder_type json_encoder;
extern const struct decoder_type json_decoder;
extern const struct decoder_type csv_decoder;

/* What a file source says about bad records; sql/ makes the plan of it (source_decode.c). */
#define DECODE_MODE_HELP "what a bad record does: PERMISSIVE (NULLs), DROPMALFORMED (left out), FAILFAST (quarantine)"
#define DECODE_CORRUPT_HELP "the STRING column of the schema, if there is one, that gets the text of a bad record"

/* What a lane of lines gathers. The first member of a lane, so that the functions below take the lane itself. */
struct text_lane {
    struct text lines;
    int64_t rows;
};
int64_t text_lane_rows(const void *lane);
int64_t text_lane_bytes(const void *lane);
enum code text_lane_take(void *lane, struct piece *out, struct error *err);

/* A file that is its pieces, one after the other: no header, no footer. */
struct plain_file {
    char unused;
};
enum code plain_file_open(void *file, const struct encoder_spec *spec, struct text *header, struct error *err);
enum code plain_file_add(void *file, struct piece *piece, int64_t offset, struct error *err);
enum code plain_file_finish(void *file, struct text *footer, struct error *err);
void plain_file_close(void *file);
void plain_piece_close(struct piece *piece);

#endif
