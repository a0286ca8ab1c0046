/* The generator: same seed, same bytes, in any order; good records are what they should be; bad
 * ones are bad as told. */
#include "source/source.h"

#include <jansson.h>

#include "kit.h"

static const char *const kinds[] = {"transactions", "events", "invoices", "nexmark", "impressions", "clicks"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct generator_spec spec_of(const char *kind)
{
    return (struct generator_spec){.kind = kind,
                                   .seed = 7,
                                   .keys = 1000,
                                   .start_us = 1767225600000000,
                                   .events_per_second = 1000,
                                   .late_max_us = 600000000};
}

static struct generator *generator_of(const struct generator_spec *spec)
{
    struct generator *generator = NULL;
    struct error err = {0};
    CHECK(generator_new(spec, &generator, &err) == E_OK);
    return generator;
}

static json_t *json_of(const struct text *value)
{
    return json_loadb(value->data, value->size, JSON_REJECT_DUPLICATES, NULL);
}

TEST(generator_is_deterministic_in_any_order)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct generator_spec spec = spec_of(kinds[k]);
        spec.bad_ratio = 0.3;
        spec.late_ratio = 0.3;
        struct generator *a = generator_of(&spec), *b = generator_of(&spec);
        struct text key = {0}, value = {0}, other_key = {0}, other_value = {0};
        for (int64_t i = 0; i < 500; i++) {
            text_clear(&key), text_clear(&value), text_clear(&other_key), text_clear(&other_value);
            generator_record(a, i, &key, &value);
            generator_record(b, 1000 - i, &other_key, &other_value);
            text_clear(&other_key), text_clear(&other_value);
            generator_record(b, i, &other_key, &other_value);
            CHECK(bytes_equal(text_view(&key), text_view(&other_key)));
            CHECK(bytes_equal(text_view(&value), text_view(&other_value)));
            CHECK(value.data[value.size] == '\0' && key.data[key.size] == '\0');
        }
        text_free(&key), text_free(&value), text_free(&other_key), text_free(&other_value);
        generator_free(a), generator_free(b);
    }
}

TEST(generator_seeds_differ)
{
    struct generator_spec spec = spec_of("transactions"), other = spec;
    other.seed = 8;
    struct generator *a = generator_of(&spec), *b = generator_of(&other);
    struct text key = {0}, value = {0}, other_value = {0};
    generator_record(a, 0, &key, &value);
    generator_record(b, 0, &key, &other_value);
    CHECK(!bytes_equal(text_view(&value), text_view(&other_value)));
    text_free(&key), text_free(&value), text_free(&other_value);
    generator_free(a), generator_free(b);
}

static void check_transaction(const json_t *record, const struct text *key, int64_t index)
{
    int64_t us = 0;
    const char *time = json_string_value(json_object_get(record, "event_ts"));
    CHECK(time != NULL && timestamp_parse(bytes_of_string(time), zone_utc(), &us));
    CHECK_INT(us, 1767225600000000 + index * 1000);
    CHECK_STR(json_string_value(json_object_get(record, "card_id")), key->data);
    CHECK(json_number_value(json_object_get(record, "amount")) >= 1);
    CHECK(json_object_size(record) == 13);
    double lat = json_real_value(json_object_get(record, "lat")), lon = json_real_value(json_object_get(record, "lon"));
    CHECK(lat > -90 && lat < 90 && lon > -180 && lon < 180);
}

TEST(generator_good_records_are_valid)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct generator_spec spec = spec_of(kinds[k]);
        struct generator *generator = generator_of(&spec);
        struct text key = {0}, value = {0};
        size_t bytes = 0;
        for (int64_t i = 0; i < 3000; i++) {
            text_clear(&key), text_clear(&value);
            generator_record(generator, i, &key, &value);
            json_t *record = json_of(&value);
            CHECK(record != NULL && generator_defect(generator, i) == NULL);
            if (k == 0)
                check_transaction(record, &key, i);
            bytes += value.size;
            json_decref(record);
        }
        if (k == 0)
            CHECK(bytes / 3000 > 270 && bytes / 3000 < 310);
        text_free(&key), text_free(&value);
        generator_free(generator);
    }
}

TEST(generator_defects_are_what_they_say)
{
    struct generator_spec spec = spec_of("transactions");
    spec.bad_ratio = 0.5;
    struct generator *generator = generator_of(&spec);
    struct text key = {0}, value = {0};
    int64_t bad = 0;
    for (int64_t i = 0; i < 4000; i++) {
        text_clear(&key), text_clear(&value);
        generator_record(generator, i, &key, &value);
        const char *defect = generator_defect(generator, i);
        json_t *record = json_of(&value);
        const json_t *amount = json_object_get(record, "amount");
        bad += defect != NULL;
        CHECK((record == NULL) == (defect != NULL && strcmp(defect, "malformed") == 0));
        if (defect != NULL && strcmp(defect, "missing_txn_id") == 0)
            CHECK(json_object_get(record, "txn_id") == NULL);
        if (defect != NULL && strcmp(defect, "missing_card_id") == 0)
            CHECK(!json_is_string(json_object_get(record, "card_id")));
        if (defect != NULL && strcmp(defect, "bad_amount") == 0)
            CHECK(!json_is_number(amount) || json_number_value(amount) < 0);
        if (record != NULL && (defect == NULL || strcmp(defect, "bad_amount") != 0))
            CHECK(json_is_number(amount) && json_number_value(amount) > 0);
        json_decref(record);
    }
    CHECK(bad > 1850 && bad < 2150);
    text_free(&key), text_free(&value);
    generator_free(generator);
}

TEST(generator_late_records_go_back)
{
    struct generator_spec spec = spec_of("transactions");
    spec.late_ratio = 0.25;
    struct generator *generator = generator_of(&spec);
    struct text key = {0}, value = {0};
    int64_t late = 0, beyond = 0;
    for (int64_t i = 0; i < 4000; i++) {
        text_clear(&key), text_clear(&value);
        generator_record(generator, i, &key, &value);
        json_t *record = json_of(&value);
        int64_t us = 0, on_time_us = spec.start_us + i * 1000;
        CHECK(
            timestamp_parse(bytes_of_string(json_string_value(json_object_get(record, "event_ts"))), zone_utc(), &us));
        CHECK(us <= on_time_us && us >= on_time_us - spec.late_max_us);
        late += us < on_time_us;
        beyond += us < on_time_us - 300000000;
        json_decref(record);
    }
    CHECK(late > 850 && late < 1150);
    CHECK(beyond > late / 3 && beyond < late);
    text_free(&key), text_free(&value);
    generator_free(generator);
}

TEST(generator_refuses_nonsense)
{
    struct generator *generator = NULL;
    struct error err = {0};
    struct generator_spec spec = spec_of("transaction");
    CHECK(generator_new(&spec, &generator, &err) == E_USAGE);
    CHECK(strstr(err.text, "did you mean transactions") != NULL);
    spec = spec_of("events");
    spec.bad_ratio = 1.5;
    CHECK(generator_new(&spec, &generator, &err) == E_USAGE);
    spec = spec_of("events");
    spec.keys = 0;
    CHECK(generator_new(&spec, &generator, &err) == E_USAGE);
    CHECK(generator == NULL);
}

static int64_t member(const json_t *record, const char *of, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(record, of), name));
}

/* 1 person, 3 auctions, 46 bids in 50 records; ids count up, and bids name ids that are near. */
TEST(generator_nexmark_keeps_its_mix_and_links)
{
    struct generator_spec spec = spec_of("nexmark");
    struct generator *generator = generator_of(&spec);
    struct text key = {0}, value = {0};
    int64_t counts[3] = {0}, last_auction = 999;
    for (int64_t i = 0; i < 5000; i++) {
        text_clear(&key), text_clear(&value);
        generator_record(generator, i, &key, &value);
        json_t *record = json_of(&value);
        int64_t type = json_integer_value(json_object_get(record, "event_type"));
        bool known = type >= 0 && type < 3;
        CHECK(known);
        counts[known ? type : 0]++;
        if (type == 0)
            CHECK_INT(member(record, "person", "id"), 1000 + i / 50);
        if (type == 1)
            CHECK_INT(member(record, "auction", "id"), ++last_auction);
        if (type == 1)
            CHECK(member(record, "auction", "reserve") > member(record, "auction", "initial_bid"));
        if (type == 2) {
            CHECK(member(record, "bid", "auction") <= last_auction + 10);
            CHECK(member(record, "bid", "bidder") <= 1000 + i / 50 + 10);
            CHECK(member(record, "bid", "price") >= 100 && member(record, "bid", "price") <= 100000000);
        }
        json_decref(record);
    }
    CHECK_INT(counts[0], 100);
    CHECK_INT(counts[1], 300);
    CHECK_INT(counts[2], 4600);
    text_free(&key), text_free(&value);
    generator_free(generator);
}

static int64_t time_of(const json_t *record, const char *name)
{
    int64_t us = 0;
    CHECK(timestamp_parse(bytes_of_string(json_string_value(json_object_get(record, name))), zone_utc(), &us));
    return us;
}

/* Click i is on impression i, within a minute. */
TEST(generator_clicks_follow_impressions)
{
    struct generator_spec shown = spec_of("impressions"), clicked = spec_of("clicks");
    struct generator *a = generator_of(&shown), *b = generator_of(&clicked);
    struct text key = {0}, value = {0}, other_key = {0}, other = {0};
    for (int64_t i = 0; i < 1000; i++) {
        text_clear(&key), text_clear(&value), text_clear(&other_key), text_clear(&other);
        generator_record(a, i, &key, &value);
        generator_record(b, i, &other_key, &other);
        json_t *impression = json_of(&value), *click = json_of(&other);
        const char *id = json_string_value(json_object_get(impression, "impression_id"));
        CHECK_STR(json_string_value(json_object_get(click, "impression_id")), id);
        CHECK_STR(key.data, id);
        CHECK_STR(other_key.data, id);
        int64_t after = time_of(click, "clicked_at") - time_of(impression, "shown_at");
        CHECK(after >= 0 && after < 60000000);
        json_decref(impression), json_decref(click);
    }
    text_free(&key), text_free(&value), text_free(&other_key), text_free(&other);
    generator_free(a), generator_free(b);
}
