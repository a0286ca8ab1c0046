/* audit_chain.c - the records against themselves: each range goes on where the one before ended, each ledger closes. */
#include "runtime/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/ledger.h"

enum { NAME_BYTES = 400 };

static const char *range_name(const struct chain_range *range, char *out)
{
    snprintf(out, NAME_BYTES, "%.100s, topic %.200s, partition %" PRId32, range->source, range->topic,
             range->partition);
    return out;
}

/* ---- ranges ---- */

struct places {
    struct audit_range *items;
    int32_t count, capacity;
};

/* Records list their ranges in the same order, mostly. */
static struct audit_range *place_of(struct places *self, const struct chain_range *range, int32_t hint)
{
    for (int32_t i = 0; i < self->count; i++) {
        struct audit_range *place = &self->items[(hint + i) % self->count];
        if (place->partition == range->partition && strcmp(place->topic, range->topic) == 0 &&
            strcmp(place->source, range->source) == 0)
            return place;
    }
    return NULL;
}

static void range_follow(struct audit *self, const struct chain_record *record, const struct chain_range *range,
                         struct audit_range *place, bool behind_hole)
{
    char name[NAME_BYTES];
    int64_t jump = range->from - place->to;
    if (jump == 0)
        return;
    if (range->anew) {
        audit_find(self, false, "topic_anew", record->epoch, range_name(range, name), "",
                   "read up to offset %" PRId64 ", then from %" PRId64 " on: the topic was made anew or cut, and "
                   "failOnDataLoss=false let it go on; what was not read before is not in the tables",
                   place->to, range->from);
        return;
    }
    if (behind_hole)
        return; // the record that is missing says it
    *(jump > 0 ? &place->missing : &place->doubled) += jump > 0 ? jump : -jump;
    if (jump > 0)
        audit_find(self, false, "offsets_missing", record->epoch, range_name(range, name), "",
                   "offsets %" PRId64 " to %" PRId64 " are in no epoch: the one before ended at %" PRId64
                   ", this one begins at "
                   "%" PRId64,
                   place->to, range->from - 1, place->to, range->from);
    else
        audit_find(self, false, "offsets_doubled", record->epoch, range_name(range, name), "",
                   "offsets %" PRId64 " to %" PRId64 " are in two epochs: the one before ended at %" PRId64
                   ", this one begins "
                   "at %" PRId64,
                   range->from, place->to - 1, place->to, range->from);
}

/* Offsets that count requests, each of any number of rows. */
static bool is_replay(const struct chain_range *range) { return strcmp(range->source, REPLAY_SOURCE) == 0; }

/* What is neither a row nor lost is a gap: compaction, transactions. */
static void range_add(struct audit *self, const struct chain_record *record, const struct chain_range *range,
                      struct audit_range *place)
{
    char name[NAME_BYTES];
    int64_t offsets = range->to - range->from;
    bool counted = !range->in_bytes && !is_replay(range); // an offset is a record
    place->to = range->to;
    if (range->rows < 0 || place->rows < 0) {
        place->rows = place->gaps = -1; // version 2 and older do not say
        return;
    }
    place->rows += range->rows;
    place->lost += range->lost;
    if (counted && range->rows > offsets - range->lost)
        audit_find(self, false, "rows_too_many", record->epoch, range_name(range, name), "",
                   "%" PRId64 " records came from %" PRId64 " offsets, of which %" PRId64 " were lost", range->rows,
                   offsets, range->lost);
    else if (counted)
        place->gaps += offsets - range->lost - range->rows;
    if (range->lost > 0)
        audit_find(self, false, "offsets_lost", record->epoch, range_name(range, name), "",
                   "%" PRId64 " offsets of %" PRId64 " to %" PRId64 " were gone before they could be read, and "
                   "failOnDataLoss=false let it go on: they are not in the tables",
                   range->lost, range->from, range->to - 1);
}

static void ranges_follow(struct audit *self, const struct chain_record *record, struct places *places,
                          bool behind_hole)
{
    for (int32_t i = 0; i < record->range_count; i++) {
        const struct chain_range *range = &record->ranges[i];
        struct audit_range *place = place_of(places, range, i);
        if (place != NULL) {
            range_follow(self, record, range, place, behind_hole);
        } else {
            mem_grow(places->items, places->capacity, places->count + 1);
            place = &places->items[places->count++];
            *place = (struct audit_range){
                .source = range->source,
                .topic = range->topic,
                .partition = range->partition,
                .in_bytes = range->in_bytes,
                .from = range->from,
            };
        }
        range_add(self, record, range, place);
    }
}

/* ---- ledgers ---- */

/* A table with state keeps what the state took in; which one it is the project may no longer say. */
static bool closes(const struct ledger *ledger) { return ledger_closes(ledger, false) || ledger_closes(ledger, true); }

static void ledger_open(struct audit *self, const struct chain_record *record, const char *table, const char *of,
                        const struct ledger *l)
{
    audit_find(self, false, "ledger_open", record->epoch, table, "",
               "the ledger%s does not close: in %" PRId64 " + replayed %" PRId64 " + exploded %" PRId64
               " is not out %" PRId64 " (state %" PRId64 ") + filtered %" PRId64 " + late %" PRId64
               " + null_time %" PRId64 " + quarantined %" PRId64 " + duplicates %" PRId64,
               of, l->in, l->replayed, l->exploded, l->out, l->aggregated, l->filtered, l->late, l->null_time,
               l->quarantined, l->duplicates);
}

/* A table reads every record of a source as often as there are ways from it to the table: the same for all its partitions. */
static void slot_check(struct audit *self, const struct chain_record *record, const struct chain_ledger *ledger,
                       const struct chain_slot *slot)
{
    char of[NAME_BYTES], name[NAME_BYTES];
    const struct chain_range *range = &record->ranges[slot->range];
    if (!closes(&slot->counts)) {
        snprintf(of, sizeof of, " of %.350s", range_name(range, name));
        ledger_open(self, record, ledger->table, of, &slot->counts);
    }
    bool whole = range->rows <= 0 ? slot->counts.in == 0 : slot->counts.in % range->rows == 0;
    if (range->rows >= 0 && !whole && !is_replay(range))
        audit_find(self, false, "ledger_differs", record->epoch, ledger->table, "",
                   "%s gave %" PRId64 " records, and %" PRId64 " went in", range_name(range, name), range->rows,
                   slot->counts.in);
}

static void slots_check(struct audit *self, const struct chain_record *record, const struct chain_ledger *ledger)
{
    struct ledger sum = {0};
    for (int32_t i = 0; i < ledger->slot_count; i++) {
        slot_check(self, record, ledger, &ledger->slots[i]);
        ledger_add(&sum, &ledger->slots[i].counts);
    }
    sum.out = ledger->counts.out; // with rows that were born of state
    if (ledger->slot_count > 0 && memcmp(&sum, &ledger->counts, sizeof sum) != 0)
        audit_find(self, false, "ledger_differs", record->epoch, ledger->table, "",
                   "the partitions together are not the table: %" PRId64 " of %" PRId64 " rows went in", sum.in,
                   ledger->counts.in);
}

static void record_check(struct audit *self, const struct chain_record *record)
{
    int64_t rows = 0;
    for (int32_t i = 0; i < record->range_count && rows >= 0; i++)
        rows = record->ranges[i].rows < 0 ? -1 : rows + record->ranges[i].rows;
    if (rows >= 0 && rows != record->records)
        audit_find(self, false, "ledger_differs", record->epoch, "", "",
                   "the ranges gave %" PRId64 " records, the epoch took in %" PRId64, rows, record->records);
    for (int32_t i = 0; i < record->ledger_count; i++) {
        const struct chain_ledger *ledger = &record->ledgers[i];
        if (!closes(&ledger->counts))
            ledger_open(self, record, ledger->table, "", &ledger->counts);
        slots_check(self, record, ledger);
    }
}

void audit_chain(struct audit *self)
{
    struct places places = {0};
    bool behind_hole = false;
    for (int32_t i = 0; i < self->record_count; i++) {
        const struct chain_record *record = audit_record(self, self->first + i);
        if (record != NULL) {
            ranges_follow(self, record, &places, behind_hole);
            record_check(self, record);
        }
        behind_hole = record == NULL;
    }
    struct audit_range *ranges = arena_array(self->arena, struct audit_range, (size_t)places.count);
    for (int32_t i = 0; i < places.count; i++)
        ranges[i] = places.items[i];
    self->report->ranges = ranges;
    self->report->range_count = places.count;
    mem_free(places.items);
}
