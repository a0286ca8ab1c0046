/* stop.h - how a run is asked to end, and how long that may take.
 *
 * SIGTERM, SIGINT, SIGHUP   the open epoch ends where it stands and is committed; exit 0
 * a second one              leaves at once, exit 128 + signal: like a crash, which recovery mends
 * leat.stop.timeout         passed before the commit is done: leaves at once, exit 4
 * SIGHUP                    is the terminal that goes away: nohup keeps it from us. There is nothing to
 *                           reload: settings stand for a whole run
 * Thread   one of its own takes the signals: nothing has to be async-signal-safe, and it works whatever the
 *          others wait for
 */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdint.h>

/* Before any other thread is started: they inherit that signals are not theirs. */
void stop_watch_begin(int64_t timeout_us);
void stop_watch_end(void);

#endif
