/* sim_broker.h - topics in memory, and a source_type that reads them under Kafka's name.
 *
 * Log      a partition is a list of records with rising offsets; gaps are what compaction and transaction markers leave.
 *          A record is there from the time it arrives at. Retention takes records at the start, an unclean election of a
 *          leader at the end, and a topic made anew has another id and begins at 0
 * Source   discover and fetch are calls of the simulated process: they count, cost time, fail as its plan says, and give
 *          what they have in portions and partitions of chance; `latest` may be an older answer
 * Lost     as kafka_discover.c: a next offset that is before the start or behind the end, or another topic id, is E_LOST
 * Owns     its records; one broker is installed at a time
 * Thread   one at a time
 */
#ifndef SIM_BROKER_H
#define SIM_BROKER_H

#include "sim_os.h"
#include "source/source.h"

enum { SIM_TOPICS_MAX = 2, SIM_PARTITIONS_MAX = 4 };

struct sim_record {
    int64_t offset, timestamp_us, arrives_us;
    char *value;
};
struct sim_partition {
    struct sim_record *records;
    int32_t count, capacity;
    int64_t start, next; /* first offset still there; offset of the next record */
};
struct sim_topic {
    char name[16];
    int32_t id; /* goes up when the topic is made anew */
    struct sim_partition partitions[SIM_PARTITIONS_MAX];
    int32_t partition_count;
};
struct sim_broker {
    struct sim *sim;
    struct sim_chance chance;
    struct sim_topic topics[SIM_TOPICS_MAX];
    int32_t topic_count;
};
void broker_init(struct sim_broker *broker, struct sim *sim, uint64_t seed);
void broker_close(struct sim_broker *broker);
void broker_install(struct sim_broker *broker); /* NULL: Kafka again */

struct sim_topic *broker_topic(struct sim_broker *broker, const char *name, int32_t partitions);
void broker_append(struct sim_partition *partition, const char *value, int64_t timestamp_us, int64_t arrives_us);
/* Offsets that no record has. */
void broker_skip(struct sim_partition *partition, int64_t offsets);
void broker_retain_from(struct sim_partition *partition, int64_t offset);
void broker_cut(struct sim_partition *partition, int64_t end);
void broker_recreate(struct sim_topic *topic);

#endif
