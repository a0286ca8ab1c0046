/* generator_transactions.c - card payments of about 290 bytes, keyed by card. */
#include "source/generator.h"

enum defect { MALFORMED, MISSING_TXN_ID, MISSING_EVENT_TS, MISSING_CARD_ID, BAD_AMOUNT, DEFECTS };
static const char *const defects[DEFECTS] = {"malformed", "missing_txn_id", "missing_event_ts", "missing_card_id",
                                             "bad_amount"};
enum { RECORD_MAX = 512, CARD_SIZE = 13 };

/* What does not vary within a record is one piece of text, copied whole. */
struct piece {
    const char *text;
    size_t size;
};
#define PIECE(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }
#define MERCHANT(name, category) PIECE(",\"merchant\":\"" name "\",\"category\":\"" category "\",\"amount\":")

static const struct piece merchants[] = {
    MERCHANT("Harbour Coffee Roasters", "restaurants"),
    MERCHANT("Nordlicht Bäckerei", "groceries"),
    MERCHANT("Green Valley Market", "groceries"),
    MERCHANT("Fresh & Fair", "groceries"),
    MERCHANT("Café de l'Étoile", "restaurants"),
    MERCHANT("Sushi Kaito", "restaurants"),
    MERCHANT("Taquería El Sol", "restaurants"),
    MERCHANT("Skyline Airways", "travel"),
    MERCHANT("Blue Train Rail", "travel"),
    MERCHANT("Hotel Meridian", "travel"),
    MERCHANT("City Bike Share", "transport"),
    MERCHANT("Metro Tickets", "transport"),
    MERCHANT("Volt Charging", "transport"),
    MERCHANT("Pixel & Byte", "electronics"),
    MERCHANT("Soundhouse Audio", "electronics"),
    MERCHANT("Camera Corner", "electronics"),
    MERCHANT("The Paper Mill Books", "books"),
    MERCHANT("Lighthouse Pharmacy", "health"),
    MERCHANT("Oak Street Dental", "health"),
    MERCHANT("Cinema Lumière", "entertainment"),
    MERCHANT("Streamline TV", "entertainment"),
    MERCHANT("Arcade Nine", "entertainment"),
    MERCHANT("Thread & Needle", "clothing"),
    MERCHANT("Alpine Outfitters", "clothing"),
};

static const struct city {
    struct piece text;
    char currency[4];
    int32_t lat, lon; /* millionths of a degree */
} cities[] = {
#define CITY(name, country, currency, lat, lon)                                                    \
    {                                                                                              \
        PIECE("\",\"city\":\"" name "\",\"country\":\"" country "\",\"lat\":"), currency, lat, lon \
    }
    CITY("Berlin", "DE", "EUR", 52520008, 13404954),    CITY("Hamburg", "DE", "EUR", 53551086, 9993682),
    CITY("Paris", "FR", "EUR", 48856613, 2352222),      CITY("Lyon", "FR", "EUR", 45764042, 4835659),
    CITY("Madrid", "ES", "EUR", 40416775, -3703790),    CITY("Lisboa", "PT", "EUR", 38722252, -9139337),
    CITY("London", "GB", "GBP", 51507351, -127758),     CITY("Manchester", "GB", "GBP", 53480759, -2242631),
    CITY("Zürich", "CH", "CHF", 47376887, 8541694),     CITY("Oslo", "NO", "NOK", 59913868, 10752245),
    CITY("New York", "US", "USD", 40712776, -74005974), CITY("San Francisco", "US", "USD", 37774929, -122419416),
    CITY("Chicago", "US", "USD", 41878113, -87629799),  CITY("Austin", "US", "USD", 30267153, -97743057),
    CITY("Toronto", "CA", "CAD", 43653225, -79383186),  CITY("São Paulo", "BR", "BRL", -23550520, -46633308),
    CITY("Mumbai", "IN", "INR", 19075983, 72877655),    CITY("Bengaluru", "IN", "INR", 12971599, 77594566),
    CITY("Singapore", "SG", "SGD", 1352083, 103819839), CITY("Tokyo", "JP", "JPY", 35689487, 139691711),
    CITY("Sydney", "AU", "AUD", -33868820, 151209290),  CITY("Nairobi", "KE", "KES", -1292066, 36821946),
#undef CITY
};
static const struct piece statuses[] = {PIECE("approved"), PIECE("approved"), PIECE("approved"), PIECE("approved"),
                                        PIECE("approved"), PIECE("declined"), PIECE("pending"),  PIECE("reversed")};
enum {
    MERCHANTS = sizeof merchants / sizeof merchants[0],
    CITIES = sizeof cities / sizeof cities[0],
    STATUSES = sizeof statuses / sizeof statuses[0],
};

static char *piece_put(char *at, const struct piece *piece) { return put_bytes(at, piece->text, piece->size); }

/* Many small payments, few large ones: 1.00 to 5000.00. */
static char *amount_put(char *at, struct draw *draw)
{
    uint64_t random = draw_next(draw) >> 32, square = (random * random) >> 32, fourth = (square * square) >> 32;
    return put_cents(at, 100 + ((fourth * 499900) >> 32));
}

static char *bad_amount_put(char *at, struct draw *draw)
{
    switch (draw_below(draw, 3)) {
    case 0: return PUT(at, "null");
    case 1: return PUT(at, "\"abc\"");
    default: return amount_put(PUT(at, "-"), draw);
    }
}

static char *bad_time_put(char *at, struct draw *draw)
{
    return draw_below(draw, 2) == 0 ? PUT(at, "null") : PUT(at, "\"not a time\"");
}

static void record(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                   struct text *value)
{
    uint32_t card = generator_key(self, draw);
    uint64_t choices = draw_next(draw);
    const struct city *city = &cities[scale(choices, CITIES)];
    char *card_id = text_reserve(key, CARD_SIZE + 1);
    put_8(PUT(card_id, "card-"), card % 100000000);
    card_id[CARD_SIZE] = '\0';
    key->size += CARD_SIZE;

    char *start = text_reserve(value, RECORD_MAX), *at = start;
    at = PUT(at, "{");
    if (defect != MISSING_TXN_ID)
        at = PUT(put_hex16(PUT(at, "\"txn_id\":\"txn-"), draw_next(draw)), "\",");
    at = PUT(at, "\"event_ts\":");
    at = defect == MISSING_EVENT_TS ? bad_time_put(at, draw) : generator_time(self, at, draw, event_us);
    at = put_8(PUT(at, ",\"user_id\":\"user-"), card % 100000000 / 2);
    at = defect == MISSING_CARD_ID ? PUT(at, "\",\"card_id\":null")
                                   : PUT(put_bytes(PUT(at, "\",\"card_id\":\""), card_id, CARD_SIZE), "\"");
    at = piece_put(at, &merchants[scale(choices << 8, MERCHANTS)]);
    at = defect == BAD_AMOUNT ? bad_amount_put(at, draw) : amount_put(at, draw);
    at = put_bytes(PUT(at, ",\"currency\":\""), city->currency, 3);
    at = piece_put(PUT(at, "\",\"status\":\""), &statuses[scale(choices << 16, STATUSES)]);
    at = piece_put(at, &city->text);
    uint64_t place = draw_next(draw);
    at = put_millionths(at, city->lat + (int32_t)(place & 0xffff) - 0x8000);
    at = put_millionths(PUT(at, ",\"lon\":"), city->lon + (int32_t)(place >> 16 & 0xffff) - 0x8000);
    at = PUT(at, "}");
    *at = '\0';
    value->size += (size_t)(at - start);
}

const struct generator_kind transactions_kind = {"transactions", defects, DEFECTS, record};
