#include "cli/trouble_lines.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "cli/state_entries.h"

void trouble_words(const struct run_status *status, struct text *out)
{
    if (status->trouble_count == 0)
        return;
    const struct run_trouble *t = &status->troubles[0];
    const char *what = t->code == E_BROKER ? "no answer" : t->code == E_FULL ? "full" : "failing";
    text_printf(out, "%s: %s for %.0f s, ", t->name, what, (double)t->since_us / 1e6);
    if (t->wait_us > 0)
        text_printf(out, "next attempt in %.1f s (attempt %d)", (double)t->wait_us / 1e6, t->attempt);
    else
        text_printf(out, "attempt %d is under way", t->attempt);
    if (status->trouble_count > 1)
        text_printf(out, " (and %d more)", status->trouble_count - 1);
}

/* Changes when a trouble comes, goes, or when its circuit opens or closes; not with every attempt. */
static uint64_t state_of(const struct run_status *status)
{
    uint64_t state = 0;
    for (int32_t i = 0; i < status->trouble_count; i++) {
        const struct run_trouble *t = &status->troubles[i];
        bool open = strcmp(t->circuit, "closed") != 0;
        state = XXH64(t->name, strlen(t->name), state + (open ? 2 : 1));
    }
    return status->trouble_count > 0 && state == 0 ? 1 : state;
}

static void print(const struct run_status *s)
{
    struct text out = {0};
    text_printf(&out,
                "{\"phase\":\"%s\",\"epoch\":%" PRId64 ",\"records_total\":%" PRId64 ",\"rss_bytes\":%" PRId64
                ",\"troubles\":[",
                s->phase, s->epoch, s->records_total, s->rss_bytes);
    for (int32_t i = 0; i < s->trouble_count; i++) {
        const struct run_trouble *t = &s->troubles[i];
        text_add_string(&out, i > 0 ? ",{\"name\":" : "{\"name\":");
        quote_json(&out, t->name);
        text_printf(&out,
                    ",\"circuit\":\"%s\",\"attempt\":%d,\"failing_ms\":%" PRId64 ",\"next_attempt_ms\":%" PRId64
                    ",\"error\":",
                    t->circuit, t->attempt, t->since_us / 1000, t->wait_us / 1000);
        quote_json(&out, t->error);
        text_add_char(&out, '}');
    }
    text_add_string(&out, "]}");
    log_json(out.data);
    text_free(&out);
}

void trouble_line(struct trouble_lines *self, const struct run_status *status)
{
    uint64_t state = state_of(status);
    bool due = state != 0 && status->elapsed_us - self->said_us >= TROUBLE_LINE_US;
    if (state == self->said && !due)
        return;
    self->said = state;
    self->said_us = status->elapsed_us;
    print(status);
}
