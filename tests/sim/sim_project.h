/* sim_project.h - by seed: a small pipeline, its settings, and the records it will read.
 *
 * Phases   records come in phases an hour of event time apart; the next one is released when all before it is committed.
 *          Within a phase times are nearer to each other than any delay, so no split of the input into epochs makes a row
 *          late, and every split must give the same tables (exactly-once.md, section 9, third oracle)
 * Paths    /sim/project, /sim/checkpoint, /sim/tables on the simulated disk
 * Owns     its arena; the pipeline lives in it
 */
#ifndef SIM_PROJECT_H
#define SIM_PROJECT_H

#include "runtime/runtime.h"
#include "sim_broker.h"

enum { SIM_PHASES_MAX = 4 };

struct project_record {
    int32_t topic, partition, phase;
    int64_t timestamp_us, skip; /* offsets left out before it */
    const char *value;
};
struct sim_project {
    struct arena arena;
    uint64_t seed;
    const char *name; /* of the template */
    const char *sql;
    struct text spec;
    int32_t topic_count, partitions[SIM_TOPICS_MAX], phases;
    int32_t late_partition_phase; /* topic 0 gets its last partition with this phase; 0 = it has it from the start */
    struct project_record *records;
    int32_t record_count, record_capacity;
    struct problems problems;
    const struct pipeline *pipeline;
};
/* The same seed gives the same project. `template` NULL: any. */
void project_choose(struct sim_project *project, uint64_t seed, const char *template);
void project_close(struct sim_project *project);
/* Write it to the installed disk and compile it. */
MUST_CHECK enum code project_write(struct sim_project *project, struct error *err);
MUST_CHECK enum code project_compile(struct sim_project *project, struct error *err);
void project_topics(const struct sim_project *project, struct sim_broker *broker);
/* Records of a phase arrive, at once or (`slowly`) over the time to come. */
void project_release(const struct sim_project *project, struct sim_broker *broker, int32_t phase, bool slowly);
int32_t project_templates(void);
const char *project_template(int32_t i);

#endif
