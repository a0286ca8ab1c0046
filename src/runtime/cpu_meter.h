/* cpu_meter.h - what a thread's CPU time went into, by bucket; switching charges what ran since the last switch.
 *
 * Units    microseconds of the calling thread's CPU time
 * Thread   a meter belongs to one thread at a time
 */
#ifndef RUNTIME_CPU_METER_H
#define RUNTIME_CPU_METER_H

#include <stdint.h>

enum cpu_bucket { CPU_FETCH, CPU_DECODE, CPU_EXPRESSIONS, CPU_AGGREGATE, CPU_ENCODE, CPU_COMMIT, CPU_BUCKETS };

struct cpu_meter {
    int64_t spent_us[CPU_BUCKETS];
    int64_t since_us;
    enum cpu_bucket now;
};
void cpu_meter_start(struct cpu_meter *meter, enum cpu_bucket bucket);
enum cpu_bucket cpu_meter_switch(struct cpu_meter *meter, enum cpu_bucket bucket); /* returns the one before */
void cpu_meter_stop(struct cpu_meter *meter);

#endif
