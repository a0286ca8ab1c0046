/* json_skip.h - step over one JSON value and check it: the grammar that Jackson reads for Spark.
 *
 * Grammar  RFC 8259, and: strings in single quotes; NaN, [+-]Infinity, [+-]INF without quotes (but
 *          not INF alone). Not: comments, names without quotes, leading zeros, +1, control
 *          characters in strings, a byte order mark
 * Shape    each function takes the first byte of a thing and returns the first byte behind it, NULL
 *          when broken
 * Limits   JSON_DEPTH_MAX, JSON_NUMBER_DIGITS_MAX, JSON_NAME_MAX; no recursion
 */
#ifndef FORMAT_JSON_SKIP_H
#define FORMAT_JSON_SKIP_H

#include "format/json_scan.h"

/* p is behind the opening quote; returns behind the closing one. *plain: neither escapes nor bytes
 * past ASCII. */
const uint8_t *json_skip_string(const uint8_t *p, const uint8_t *end, uint8_t quote, bool *plain);

enum json_number { JSON_INTEGER, JSON_FRACTION, JSON_NAN, JSON_INFINITY, JSON_NEGATIVE_INFINITY };
/* Also for the words NaN and Infinity. */
const uint8_t *json_skip_number(const uint8_t *p, const uint8_t *end, enum json_number *kind);

/* A name in quotes and its colon. */
const uint8_t *json_skip_name(const uint8_t *p, const uint8_t *end);

/* Any value; `depth` objects and arrays are open around it. */
const uint8_t *json_skip(const uint8_t *p, const uint8_t *end, int depth);

#endif
