/* generator_nexmark.c - Nexmark's auction house: persons, auctions and bids in one topic.
 *
 * Record   {"event_type":0,"person":{..}}, {"event_type":1,"auction":{..}} or {"event_type":2,"bid":{..}}
 * Mix      of 50 records in a row the first is a person, the next 3 are auctions, 46 are bids
 * Links    bids name auctions and persons that exist already or are about to: half of the bids go to the newest
 *          auction whose number is a multiple of 100, three quarters come from one of 100 persons
 * Spec     github.com/nexmark/nexmark, the generator's default configuration
 */
#include <math.h>

#include "source/generator.h"

enum {
    PERSONS = 1,
    AUCTIONS = 3,
    ROUND = 50, /* persons + auctions + bids */
    FIRST_ID = 1000,
    FIRST_CATEGORY = 10,
    CATEGORIES = 5,
    ACTIVE_PERSONS = 1000,
    OPEN_AUCTIONS = 100,
    AHEAD = 10, /* ids that are named before their record comes */
    HOT_AUCTION_RATIO = 2,
    HOT_PERSON_RATIO = 4,
    HOT_EVERY = 100,
    CHANNELS = 10000,
    HOT_CHANNELS = 4,
    RECORD_MAX = 1024,
};

enum defect { MALFORMED, DEFECTS };
static const char *const defects[DEFECTS] = {"malformed"};

static const char *const first_names[] = {"peter", "paul",  "luke",  "john",   "saul",  "vicky",
                                          "kate",  "julie", "sarah", "deiter", "walter"};
static const char *const last_names[] = {"shultz", "abrams", "spencer", "white", "bartels",
                                         "walton", "smith",  "jones",   "noris"};
static const struct {
    const char *city, *state;
} cities[] = {
    {"phoenix", "az"}, {"los angeles", "ca"}, {"san francisco", "ca"}, {"boise", "id"}, {"portland", "or"},
    {"bend", "or"},    {"redmond", "wa"},     {"seattle", "wa"},       {"kent", "wa"},  {"cheyenne", "wy"},
};
static const char *const hot_channels[HOT_CHANNELS] = {"Google", "Facebook", "Baidu", "Apple"};
enum {
    FIRST_NAMES = sizeof first_names / sizeof first_names[0],
    LAST_NAMES = sizeof last_names / sizeof last_names[0],
    CITIES = sizeof cities / sizeof cities[0],
};

static char *put_text(char *at, const char *text) { return put_bytes(at, text, strlen(text)); }

/* 5 to `most` letters. */
static char *put_letters(char *at, struct draw *draw, uint32_t most)
{
    uint32_t count = 5 + draw_below(draw, most - 5);
    for (uint32_t i = 0; i < count; i += 8) {
        uint64_t random = draw_next(draw);
        for (uint32_t j = i; j < i + 8 && j < count; j++, random >>= 8)
            *at++ = (char)('a' + (random & 255) % 26);
    }
    return at;
}

/* ---- numbers of persons and auctions, from 0 ---- */

static int64_t last_person(int64_t index) { return index / ROUND; }

static int64_t last_auction(int64_t index)
{
    int64_t round = index / ROUND, in_round = index % ROUND - PERSONS;
    if (in_round < 0)
        return round * AUCTIONS - 1;
    return round * AUCTIONS + (in_round < AUCTIONS ? in_round : AUCTIONS - 1);
}

static int64_t some_person(struct draw *draw)
{
    int64_t count = last_person(draw->index) + 1, active = count < ACTIVE_PERSONS ? count : ACTIVE_PERSONS;
    return count - active + draw_below(draw, (uint64_t)(active + AHEAD));
}

static int64_t some_auction(struct draw *draw)
{
    int64_t last = last_auction(draw->index), first = last > OPEN_AUCTIONS ? last - OPEN_AUCTIONS : 0;
    return first + draw_below(draw, (uint64_t)(last - first + 1 + AHEAD));
}

/* 1 to 1,000,000 in cents, small ones as often as large ones. */
static uint64_t price(struct draw *draw)
{
    double uniform = (double)(draw_next(draw) >> 11) / 9007199254740992.0;
    return (uint64_t)llround(pow(10.0, uniform * 6.0) * 100.0);
}

/* ---- records ---- */

static char *put_person(struct generator *self, struct draw *draw, int64_t event_us, char *at)
{
    const char *first = first_names[draw_below(draw, FIRST_NAMES)], *last = last_names[draw_below(draw, LAST_NAMES)];
    uint32_t city = draw_below(draw, CITIES);
    uint64_t card = draw_next(draw);
    at = PUT(at, "{\"event_type\":0,\"person\":{\"id\":");
    at = put_number(at, (uint64_t)(FIRST_ID + last_person(draw->index)));
    at = put_text(PUT(put_text(PUT(at, ",\"name\":\""), first), " "), last);
    at = put_letters(PUT(at, "\",\"email_address\":\""), draw, 7);
    at = PUT(put_letters(PUT(at, "@"), draw, 5 + 1), ".com\",\"credit_card\":\"");
    for (int i = 0; i < 4; i++, card >>= 16)
        at = put_4(i > 0 ? PUT(at, " ") : at, (uint32_t)(card & 0xffff) % 10000);
    at = put_text(PUT(at, "\",\"city\":\""), cities[city].city);
    at = put_text(PUT(at, "\",\"state\":\""), cities[city].state);
    at = generator_instant(self, PUT(at, "\",\"date_time\":"), event_us);
    return PUT(put_letters(PUT(at, ",\"extra\":\""), draw, 100), "\"}}");
}

/* An auction is open about as long as OPEN_AUCTIONS of them take to come. */
static int64_t open_us(const struct generator *self, struct draw *draw)
{
    double horizon_us = self->us_per_record * OPEN_AUCTIONS * ROUND / AUCTIONS;
    uint64_t most_ms = (uint64_t)(horizon_us * 2 / 1000);
    return (int64_t)(1 + draw_below(draw, most_ms > 0 ? most_ms : 1)) * 1000;
}

static char *put_auction(struct generator *self, struct draw *draw, int64_t event_us, char *at)
{
    bool hot = draw_below(draw, HOT_PERSON_RATIO) > 0;
    int64_t seller = hot ? last_person(draw->index) / HOT_EVERY * HOT_EVERY : some_person(draw);
    uint64_t initial = price(draw);
    at = PUT(at, "{\"event_type\":1,\"auction\":{\"id\":");
    at = put_number(at, (uint64_t)(FIRST_ID + last_auction(draw->index)));
    at = put_letters(PUT(at, ",\"item_name\":\""), draw, 20);
    at = put_letters(PUT(at, "\",\"description\":\""), draw, 100);
    at = put_number(PUT(at, "\",\"initial_bid\":"), initial);
    at = put_number(PUT(at, ",\"reserve\":"), initial + price(draw));
    at = generator_instant(self, PUT(at, ",\"date_time\":"), event_us);
    at = generator_instant(self, PUT(at, ",\"expires\":"), event_us + open_us(self, draw));
    at = put_number(PUT(at, ",\"seller\":"), (uint64_t)(FIRST_ID + seller));
    at = put_number(PUT(at, ",\"category\":"), FIRST_CATEGORY + draw_below(draw, CATEGORIES));
    return PUT(put_letters(PUT(at, ",\"extra\":\""), draw, 100), "\"}}");
}

static char *put_channel(struct draw *draw, char *at)
{
    uint32_t channel = draw_below(draw, CHANNELS);
    bool hot = draw_below(draw, 2) > 0;
    if (hot)
        at = put_text(at, hot_channels[channel % HOT_CHANNELS]);
    else
        at = put_number(PUT(at, "channel-"), channel);
    // A channel's address follows from its number: the same channel, the same path.
    struct draw path = {hot ? channel % HOT_CHANNELS : channel + HOT_CHANNELS, 0};
    at = PUT(at, "\",\"url\":\"https://www.nexmark.com");
    for (int i = 0; i < 3; i++)
        at = put_letters(PUT(at, "/"), &path, 5 + 1);
    at = PUT(at, "/item.htm?query=1");
    return !hot && channel % 10 != 0 ? put_number(PUT(at, "&channel_id="), channel) : at;
}

static char *put_bid(struct generator *self, struct draw *draw, int64_t event_us, char *at)
{
    bool hot_auction = draw_below(draw, HOT_AUCTION_RATIO) > 0, hot_person = draw_below(draw, HOT_PERSON_RATIO) > 0;
    int64_t auction = hot_auction ? last_auction(draw->index) / HOT_EVERY * HOT_EVERY : some_auction(draw);
    int64_t bidder = hot_person ? last_person(draw->index) / HOT_EVERY * HOT_EVERY + 1 : some_person(draw);
    at = PUT(at, "{\"event_type\":2,\"bid\":{\"auction\":");
    at = put_number(at, (uint64_t)(FIRST_ID + auction));
    at = put_number(PUT(at, ",\"bidder\":"), (uint64_t)(FIRST_ID + bidder));
    at = put_number(PUT(at, ",\"price\":"), price(draw));
    at = put_channel(draw, PUT(at, ",\"channel\":\""));
    at = generator_instant(self, PUT(at, "\",\"date_time\":"), event_us);
    return PUT(put_letters(PUT(at, ",\"extra\":\""), draw, 50), "\"}}");
}

static void record(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                   struct text *value)
{
    (void)defect; // "malformed" is made out of a good record
    int64_t in_round = draw->index % ROUND;
    char *start = text_reserve(key, RECORD_MAX), *at = put_number(start, (uint64_t)draw->index);
    *at = '\0';
    key->size += (size_t)(at - start);
    start = text_reserve(value, RECORD_MAX);
    at = in_round < PERSONS              ? put_person(self, draw, event_us, start)
         : in_round < PERSONS + AUCTIONS ? put_auction(self, draw, event_us, start)
                                         : put_bid(self, draw, event_us, start);
    *at = '\0';
    value->size += (size_t)(at - start);
}

const struct generator_kind nexmark_kind = {"nexmark", defects, DEFECTS, record};
