/* quantity.h - numbers, sizes and times as people read them. Each writes into `out` and returns it. */
#ifndef CLI_QUANTITY_H
#define CLI_QUANTITY_H

#include "data/data.h"

enum { QUANTITY_TEXT_MAX = 32 };

const char *quantity_count(int64_t value, char out[QUANTITY_TEXT_MAX]); /* 1234567 -> 1,234,567 */
const char *quantity_brief(int64_t value, char out[QUANTITY_TEXT_MAX]); /* 1234567 -> 1.2M */
const char *quantity_size(int64_t bytes, char out[QUANTITY_TEXT_MAX]);  /* 1234567 -> 1.2 MB */
/* UTC; "-" for times that are not known (0 and before). */
const char *quantity_time(int64_t us, char out[TIMESTAMP_TEXT_MAX + 1]);

#endif
