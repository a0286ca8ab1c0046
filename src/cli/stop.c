#include "cli/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/os.h"
#include "base/thread.h"
#include "cli/cli.h"
#include "runtime/runtime.h"

static struct {
    struct thread thread;
    sigset_t signals;
    int64_t timeout_us; /* 0 = none */
    atomic_bool ended;
} watch;

/* The next signal; 0 when `until_us` passed first (0 = never). */
static int signal_wait(int64_t until_us)
{
    for (;;) {
        int64_t left_us = until_us - os->clock_mono_us();
        if (until_us > 0 && left_us <= 0)
            return 0;
        const struct timespec left = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
        int got = until_us > 0 ? sigtimedwait(&watch.signals, NULL, &left) : sigwaitinfo(&watch.signals, NULL);
        if (got > 0)
            return got;
        if (errno != EINTR && errno != EAGAIN)
            return 0;
    }
}

static void *watch_main(void *argument)
{
    (void)argument;
    (void)signal_wait(0);
    if (atomic_load(&watch.ended))
        return NULL;
    runtime_stop();
    int got = signal_wait(watch.timeout_us > 0 ? os->clock_mono_us() + watch.timeout_us : 0);
    if (atomic_load(&watch.ended))
        return NULL;
    if (got > 0)
        _exit(128 + got);
    dprintf(STDERR_FILENO,
            "leat: the open epoch could not be committed within leat.stop.timeout (%.0f s): left without. "
            "Nothing is lost: the next start finishes it or reads it again\n",
            (double)watch.timeout_us / 1e6);
    _exit(EXIT_UNFINISHED);
}

void stop_watch_begin(int64_t timeout_us)
{
    struct sigaction hangup;
    watch.timeout_us = timeout_us;
    atomic_store(&watch.ended, false);
    sigemptyset(&watch.signals);
    sigaddset(&watch.signals, SIGINT);
    sigaddset(&watch.signals, SIGTERM);
    signal(SIGINT,
           SIG_DFL); // a shell without job control starts what is in its background with SIGINT ignored
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(&watch.signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &watch.signals, NULL);
    thread_start(&watch.thread, "leat-stop", watch_main, NULL);
}

void stop_watch_end(void)
{
    atomic_store(&watch.ended, true);
    pthread_kill(watch.thread.id, SIGTERM);
    thread_join(&watch.thread);
}
