/* log.h - one line per event on stderr: time, level, message.
 *
 * Level    LEAT_LOG=error|warn|info|debug (default warn); log_level() asks, log_set_level() sets
 * Escapes  control characters in the message are written as \xNN: a record cannot forge a line
 * Terminal log_status() draws one self-refreshing line when stderr is a terminal; a log line first wipes it
 * Thread   any
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
void log_set_level(enum log_level level);
enum log_level log_level(void);
void log_error(const char *format, ...) PRINTF(1, 2);
void log_warn(const char *format, ...) PRINTF(1, 2);
void log_info(const char *format, ...) PRINTF(1, 2);
void log_debug(const char *format, ...) PRINTF(1, 2);
/* Replace the status line; NULL wipes it. Does nothing when stderr is not a terminal. */
void log_status(const char *line);
bool log_is_terminal(void);
/* A line of JSON for machines, as it is, on stderr. */
void log_json(const char *line);

#endif
