/* generator.c - records that look like the real thing, the same for the same seed.
 *
 * Record i  draws all its random numbers from splitmix64 seeded with (seed, i): any order, any
 *           thread, same bytes
 * Time      event time of record i is start + i / events_per_second; late ones lie up to late_max
 *           earlier
 * Defects   decided by the first draw, so generator_defect() need not build the record
 */
#include "source/generator.h"

#include "base/hash.h"
#include "base/log.h"

enum { MALFORMED_WAYS = 4, ZONES = 8 };

static const struct generator_kind *const kinds[] = {&transactions_kind, &events_kind,      &invoices_kind,
                                                     &nexmark_kind,      &impressions_kind, &clicks_kind};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static const struct generator_kind *kind_find(const char *name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

static enum code spec_check(const struct generator_spec *spec, struct error *err)
{
    if (kind_find(spec->kind) == NULL) {
        const char *names[KIND_COUNT];
        for (size_t i = 0; i < KIND_COUNT; i++)
            names[i] = kinds[i]->name;
        const char *near = nearest_word(spec->kind, names, KIND_COUNT);
        return fail(err, E_USAGE,
                    "\"%s\" is nothing to generate: transactions, events, invoices, nexmark, "
                    "impressions, clicks%s%s%s",
                    spec->kind, near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                    near == NULL ? "" : "?");
    }
    if (!(spec->bad_ratio >= 0 && spec->bad_ratio <= 1) || !(spec->late_ratio >= 0 && spec->late_ratio <= 1))
        return fail(err, E_USAGE, "a ratio lies from 0 to 1");
    if (spec->keys < 1 || spec->keys > GENERATOR_KEYS_MAX)
        return fail(err, E_USAGE, "the number of keys lies from 1 to %d", GENERATOR_KEYS_MAX);
    if (!(spec->events_per_second > 0))
        return fail(err, E_USAGE, "events per second must be more than 0");
    if (spec->late_max_us < 0)
        return fail(err, E_USAGE, "the lateness must not be negative");
    return E_OK;
}

enum code generator_new(const struct generator_spec *spec, struct generator **out, struct error *err)
{
    TRY(spec_check(spec, err));
    struct generator *self = mem_new(struct generator);
    self->spec = *spec;
    self->kind = kind_find(spec->kind);
    self->spec.kind = self->kind->name;
    self->bad_below = (uint64_t)(spec->bad_ratio * 4294967296.0);
    self->late_below = (uint64_t)(spec->late_ratio * 4294967296.0);
    self->us_per_record = 1e6 / spec->events_per_second;
    *out = self;
    return E_OK;
}

void generator_free(struct generator *generator) { mem_free(generator); }

uint32_t generator_key(const struct generator *self, struct draw *draw)
{
    uint64_t random = draw_next(draw);
    uint64_t half = random >> 32, skewed = (half * half) >> 32; // the square of a uniform number
    uint64_t mixed = (random & 1) != 0 ? skewed : half;
    return scale(mixed << 32, (uint64_t)self->spec.keys);
}

/* ---- time ---- */

static const struct {
    char text[ZONE_TEXT_SIZE + 1];
    int32_t offset_minutes;
} zones[ZONES] = {
    {"Z", 0}, {"Z", 0}, {"Z", 0}, {"Z", 0}, {"+02:00", 120}, {"-05:30", -330}, {"+05:30", 330}, {"-08:00", -480},
};

static void day_put(struct day_text *day, int64_t number)
{
    int64_t year;
    int month, date;
    civil_from_days((int32_t)number, &year, &month, &date);
    char *at = put_4(day->text, (uint32_t)(year % 10000));
    *at++ = '-';
    at = put_2(at, (uint32_t)month);
    *at++ = '-';
    at = put_2(at, (uint32_t)date);
    *at++ = 'T';
    day->day = number;
}

/* "2026-01-01T02:00:00.123456, without an end. */
static char *local_time(struct generator *self, char *at, int64_t local_us)
{
    int64_t day = local_us / 86400000000, in_day = local_us % 86400000000;
    if (in_day < 0) {
        day--;
        in_day += 86400000000;
    }
    if (self->day.day != day || self->day.text[0] == '\0')
        day_put(&self->day, day);
    uint32_t second = (uint32_t)(in_day / 1000000), micro = (uint32_t)(in_day % 1000000);
    *at++ = '"';
    at = put_bytes(at, self->day.text, 11);
    at = put_2(at, second / 3600);
    *at++ = ':';
    at = put_2(at, second / 60 % 60);
    *at++ = ':';
    at = put_2(at, second % 60);
    *at++ = '.';
    return put_6(at, micro);
}

char *generator_time(struct generator *self, char *at, struct draw *draw, int64_t us)
{
    uint32_t zone = draw_below(draw, ZONES);
    at = local_time(self, at, us + (int64_t)zones[zone].offset_minutes * 60000000);
    at = put_bytes(at, zones[zone].text, zones[zone].text[0] == 'Z' ? 1 : ZONE_TEXT_SIZE);
    *at++ = '"';
    return at;
}

char *generator_instant(struct generator *self, char *at, int64_t us) { return PUT(local_time(self, at, us), "Z\""); }

/* ---- records ---- */

static struct draw draw_start(const struct generator *self, int64_t index)
{
    return (struct draw){hash_mix(self->spec.seed, (uint64_t)index), index};
}

static int defect_draw(const struct generator *self, struct draw *draw)
{
    uint64_t random = draw_next(draw);
    if ((random >> 32) >= self->bad_below)
        return DEFECT_NONE;
    return (int)scale(random << 32, (uint64_t)self->kind->defect_count);
}

static int64_t time_draw(const struct generator *self, struct draw *draw, int64_t index)
{
    int64_t us = self->spec.start_us + (int64_t)((double)index * self->us_per_record);
    uint64_t random = draw_next(draw);
    if ((random >> 32) < self->late_below)
        us -= (int64_t)(((unsigned __int128)(random << 32) * (uint64_t)self->spec.late_max_us) >> 64);
    return us;
}

/* No JSON any more, in one of several ways; each leaves text that no lenient parser can accept. */
static void spoil(struct draw *draw, struct text *value, size_t start)
{
    size_t size = value->size - start;
    char *record = value->data + start;
    switch (draw_below(draw, MALFORMED_WAYS)) {
    case 0: value->size = start + 1 + draw_below(draw, size - 2); break; // cut off
    case 1:
        memcpy(record, "<html>502 Bad Gateway</html>", 28);
        value->size = start + 28;
        break;
    case 2:
        memcpy(record, "\xff\xfe\x80{\xc3", 5);
        value->size = start + 5;
        break; // no UTF-8 either
    default: record[0] = '#'; break;
    }
    value->data[value->size] = '\0';
}

void generator_record(struct generator *self, int64_t index, struct text *key, struct text *value)
{
    struct draw draw = draw_start(self, index);
    int defect = defect_draw(self, &draw);
    int64_t event_us = time_draw(self, &draw, index);
    size_t start = value->size;
    self->kind->record(self, &draw, defect, event_us, key, value);
    if (defect == DEFECT_MALFORMED)
        spoil(&draw, value, start);
}

const char *generator_defect(struct generator *self, int64_t index)
{
    struct draw draw = draw_start(self, index);
    int defect = defect_draw(self, &draw);
    return defect == DEFECT_NONE ? NULL : self->kind->defects[defect];
}
