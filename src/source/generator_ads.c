/* generator_ads.c - two topics to join: impressions of ads, and the clicks on them.
 *
 *   impressions   {"impression_id":"imp-0000000000000017","ad_id":42,"site":"site-0003","shown_at":".."}
 *   clicks        {"click_id":"clk-..","impression_id":"imp-0000000000000017","clicked_at":"..","price":0.42}
 *
 * Link     click i is on impression i of the same seed and rates, up to LATEST_US after it was shown: one to one, so a
 *          join's rows can be counted. Keyed by impression: partner records are in partitions of the same number
 */
#include "source/generator.h"

enum { RECORD_MAX = 256, ADS = 10000, SITES = 500, LATEST_US = 60 * 1000 * 1000, KEY_SIZE = 20 };

enum defect { MALFORMED, DEFECTS };
static const char *const defects[DEFECTS] = {"malformed"};

static void put_key(struct text *key, int64_t index)
{
    char *start = text_reserve(key, KEY_SIZE + 1);
    put_8(put_8(PUT(start, "imp-"), (uint32_t)(index / 100000000 % 100000000)), (uint32_t)(index % 100000000));
    start[KEY_SIZE] = '\0';
    key->size += KEY_SIZE;
}

static void finish(struct text *value, const char *start, char *at)
{
    *at = '\0';
    value->size += (size_t)(at - start);
}

static void impression(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                       struct text *value)
{
    (void)defect; // "malformed" is made out of a good record
    put_key(key, draw->index);
    char *start = text_reserve(value, RECORD_MAX), *at = start;
    at = put_bytes(PUT(at, "{\"impression_id\":\""), key->data + key->size - KEY_SIZE, KEY_SIZE);
    at = put_number(PUT(at, "\",\"ad_id\":"), draw_below(draw, ADS));
    at = put_4(PUT(at, ",\"site\":\"site-"), draw_below(draw, SITES));
    at = generator_instant(self, PUT(at, "\",\"shown_at\":"), event_us);
    finish(value, start, PUT(at, "}"));
}

static void click(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                  struct text *value)
{
    (void)defect;
    put_key(key, draw->index);
    char *start = text_reserve(value, RECORD_MAX), *at = start;
    at = put_hex16(PUT(at, "{\"click_id\":\"clk-"), draw_next(draw));
    at = put_bytes(PUT(at, "\",\"impression_id\":\""), key->data + key->size - KEY_SIZE, KEY_SIZE);
    at = generator_instant(self, PUT(at, "\",\"clicked_at\":"), event_us + draw_below(draw, LATEST_US));
    at = put_cents(PUT(at, ",\"price\":"), 1 + draw_below(draw, 200));
    finish(value, start, PUT(at, "}"));
}

const struct generator_kind impressions_kind = {"impressions", defects, DEFECTS, impression};
const struct generator_kind clicks_kind = {"clicks", defects, DEFECTS, click};
