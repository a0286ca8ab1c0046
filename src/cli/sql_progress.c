#include "cli/sql_progress.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/os.h"
#include "cli/quantity.h"

enum { FIRST_US = 1000000, NEXT_US = 200000, BAR_WIDTH = 30 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void line_show(struct progress *self, int64_t now_us)
{
    struct query_progress progress;
    char read[QUANTITY_TEXT_MAX], size[QUANTITY_TEXT_MAX], bar[BAR_WIDTH + 1];
    query_progress(self->run->running, &progress);
    if (progress.size_bytes <= 0)
        return;
    double share = (double)progress.read_bytes / (double)progress.size_bytes;
    int filled = (int)(share * BAR_WIDTH);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f %%  %s of %s, %.1f s ", bar, 100 * share, quantity_size(progress.read_bytes, read),
            quantity_size(progress.size_bytes, size), (double)(now_us - self->begun_us) / 1e6);
    fflush(stderr);
    self->shown = true;
}

static bool tick(void *context)
{
    struct progress *self = context;
    if (interrupted)
        return true;
    if (!self->terminal || self->run->running == NULL)
        return false;
    int64_t now_us = os->clock_mono_us();
    if (now_us >= self->next_us) {
        self->next_us = now_us + NEXT_US;
        line_show(self, now_us);
    }
    return false;
}

void progress_open(struct progress *self, struct sql_run *run, bool talks)
{
    *self = (struct progress){.run = run, .terminal = isatty(STDERR_FILENO) == 1};
    run->stopped = tick;
    run->stopped_context = self;
    self->talks = talks;
    // Of a script, the second Ctrl-C does not ask. At a terminal a read of stdin ends, too: no SA_RESTART.
    const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = talks ? 0 : (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
}

void progress_begin(struct progress *self)
{
    if (self->talks)
        interrupted = 0; // it ended the statement before
    self->begun_us = os->clock_mono_us();
    self->next_us = self->begun_us + FIRST_US;
    self->shown = false;
}

int64_t progress_end(struct progress *self)
{
    if (self->shown)
        fputs("\r\033[K", stderr);
    self->shown = false;
    return os->clock_mono_us() - self->begun_us;
}
