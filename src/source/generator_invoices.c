/* generator_invoices.c - shop invoices with a customer, an address and 1 to 6 line items, keyed by
 * store. */
#include "source/generator.h"

enum defect { MALFORMED, MISSING_INVOICE_NUMBER, MISSING_CREATED_TIME, MISSING_ITEMS, BAD_PRICE, DEFECTS };
static const char *const defects[DEFECTS] = {"malformed", "missing_invoice_number", "missing_created_time",
                                             "missing_items", "bad_price"};
enum { RECORD_MAX = 2048, STORE_SIZE = 14, ITEMS_MAX = 6, QUANTITY_MAX = 5 };

static const struct {
    const char *code, *description;
    uint32_t cents;
} products[] = {
    {"258", "Italian Armchair", 129900},   {"653", "Garden Table, oak", 49900}, {"183", "Desk Lamp \\\"Luna\\\"", 3450},
    {"408", "Bookcase 5 shelves", 18900},  {"498", "Wool Carpet 2x3 m", 27500}, {"523", "Bar Stool", 7990},
    {"603", "Mirror Ø 80 cm", 11950},      {"633", "Kitchen Cart", 15900},      {"693", "Linen Curtains, pair", 5990},
    {"748", "Bedside Table", 8900},        {"283", "Tea Set, 12 pieces", 4425}, {"358", "Oil Painting", 39900},
    {"468", "Coffee Table, glass", 22500}, {"333", "Wall Clock", 2995},         {"218", "Sofa, three seats", 149900},
};
static const struct {
    const char *city, *state, *pin;
} places[] = {
    {"Berlin", "BE", "10115"},         {"München", "BY", "80331"},
    {"Pune", "Maharashtra", "411001"}, {"Bengaluru", "Karnataka", "560001"},
    {"Austin", "TX", "73301"},         {"San Francisco", "CA", "94016"},
    {"Lyon", "ARA", "69001"},          {"São Paulo", "SP", "01000"},
};
static const char *const names[] = {"Asha Rao",     "Jonas Weber", "Maria Silva", "Liam O'Neill",
                                    "Chloé Martin", "Wei Zhang",   "Noah Brown",  "Fatima Khan"};
static const char *const payments[] = {"CARD", "CASH", "UPI", "TRANSFER"};
static const char *const deliveries[] = {"TAKEAWAY", "HOME-DELIVERY"};

#define PICK(array, random) ((array)[scale((random), sizeof(array) / sizeof((array)[0]))])

static char *put_string(char *at, const char *string) { return put_bytes(at, string, strlen(string)); }

static char *customer_put(char *at, struct draw *draw, uint32_t card)
{
    uint64_t random = draw_next(draw);
    at = put_8(PUT(at, "\"customer\":{\"card_no\":\"cust-"), card);
    at = put_string(PUT(at, "\",\"name\":\""), PICK(names, random));
    at = put_string(PUT(at, "\",\"type\":\""), (random & 1) != 0 ? "PRIME" : "NONPRIME");
    return PUT(at, "\"},");
}

static char *address_put(char *at, struct draw *draw)
{
    uint64_t random = draw_next(draw);
    const char *delivery = PICK(deliveries, random << 8);
    at = put_string(PUT(at, "\"delivery_type\":\""), delivery);
    at = PUT(at, "\",\"delivery_address\":");
    if (delivery[0] == 'T')
        return PUT(at, "null,");
    at = put_number(PUT(at, "{\"line\":\"Street "), 1 + (random & 127));
    at = put_string(PUT(at, "\",\"city\":\""), PICK(places, random).city);
    at = put_string(PUT(at, "\",\"state\":\""), PICK(places, random).state);
    at = put_string(PUT(at, "\",\"pin_code\":\""), PICK(places, random).pin);
    at = put_8(PUT(at, "\",\"contact\":\"+"), 30000000 + (uint32_t)(random >> 40));
    return PUT(at, "\"},");
}

static char *items_put(char *at, struct draw *draw, int count, bool bad, uint64_t *total)
{
    at = PUT(at, "\"items\":[");
    for (int i = 0; i < count; i++) {
        uint64_t random = draw_next(draw);
        uint64_t cents = PICK(products, random).cents, quantity = 1 + (random & 0xffff) % QUANTITY_MAX;
        at = put_string(PUT(at, "{\"item_code\":\""), PICK(products, random).code);
        at = put_string(PUT(at, "\",\"description\":\""), PICK(products, random).description);
        at = PUT(at, "\",\"price\":");
        at = bad && i == 0 ? PUT(at, "\"free\"") : put_cents(at, cents);
        at = put_number(PUT(at, ",\"qty\":"), quantity);
        at = put_cents(PUT(at, ",\"total\":"), cents * quantity);
        at = put_string(at, i + 1 < count ? "}," : "}");
        *total += cents * quantity;
    }
    return PUT(at, "],");
}

static void record(struct generator *self, struct draw *draw, int defect, int64_t event_us, struct text *key,
                   struct text *value)
{
    uint64_t random = draw_next(draw), total = 0;
    char *store = text_reserve(key, STORE_SIZE + 1);
    put_8(PUT(store, "store-"), generator_key(self, draw));
    store[STORE_SIZE] = '\0';
    key->size += STORE_SIZE;

    char *start = text_reserve(value, RECORD_MAX), *at = start;
    int count = 1 + (int)scale(random << 8, ITEMS_MAX);
    at = PUT(at, "{");
    if (defect != MISSING_INVOICE_NUMBER)
        at = PUT(put_hex16(PUT(at, "\"invoice_number\":\"INV-"), draw_next(draw)), "\",");
    at = PUT(at, "\"created_time\":");
    at = defect == MISSING_CREATED_TIME ? PUT(at, "null") : generator_time(self, at, draw, event_us);
    at = PUT(put_bytes(PUT(at, ",\"store_id\":\""), store, STORE_SIZE), "\",");
    at = customer_put(at, draw, (uint32_t)(random & 0xffffff));
    at = address_put(at, draw);
    at = defect == MISSING_ITEMS ? PUT(at, "\"items\":null,") : items_put(at, draw, count, defect == BAD_PRICE, &total);
    at = put_number(PUT(at, "\"number_of_items\":"), defect == MISSING_ITEMS ? 0 : (uint64_t)count);
    at = put_cents(PUT(at, ",\"total_amount\":"), total);
    at = put_string(PUT(at, ",\"payment_method\":\""), PICK(payments, random));
    at = PUT(at, "\"}");
    *at = '\0';
    value->size += (size_t)(at - start);
}

const struct generator_kind invoices_kind = {"invoices", defects, DEFECTS, record};
