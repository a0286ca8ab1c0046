#include "runtime/cpu_meter.h"

#include "base/thread.h"

void cpu_meter_start(struct cpu_meter *meter, enum cpu_bucket bucket)
{
    meter->since_us = thread_cpu_us();
    meter->now = bucket;
}

enum cpu_bucket cpu_meter_switch(struct cpu_meter *meter, enum cpu_bucket bucket)
{
    enum cpu_bucket before = meter->now;
    if (before != bucket) {
        int64_t now_us = thread_cpu_us();
        meter->spent_us[before] += now_us - meter->since_us;
        meter->since_us = now_us;
        meter->now = bucket;
    }
    return before;
}

void cpu_meter_stop(struct cpu_meter *meter)
{
    int64_t now_us = thread_cpu_us();
    meter->spent_us[meter->now] += now_us - meter->since_us;
    meter->since_us = now_us;
}
