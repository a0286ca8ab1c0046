#include "cli/quantity.h"

#include <inttypes.h>
#include <stdio.h>

const char *quantity_count(int64_t value, char out[QUANTITY_TEXT_MAX])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRId64, value < 0 ? -value : value);
    int used = 0;
    if (value < 0)
        out[used++] = '-';
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *quantity_brief(int64_t value, char out[QUANTITY_TEXT_MAX])
{
    static const char units[] = {'k', 'M', 'G', 'T'};
    if (value < 1000)
        return quantity_count(value, out);
    double scaled = (double)value / 1000;
    size_t unit = 0;
    for (; scaled >= 999.95 && unit + 1 < sizeof units; unit++)
        scaled /= 1000;
    snprintf(out, QUANTITY_TEXT_MAX, "%.1f%c", scaled, units[unit]);
    return out;
}

const char *quantity_size(int64_t bytes, char out[QUANTITY_TEXT_MAX])
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000;
    snprintf(out, QUANTITY_TEXT_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

const char *quantity_time(int64_t us, char out[TIMESTAMP_TEXT_MAX + 1])
{
    out[us > 0 ? timestamp_print(us, zone_utc(), out) : 0] = '\0';
    return us > 0 ? out : "-";
}
