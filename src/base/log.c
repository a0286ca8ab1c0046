#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/thread.h"

static enum log_level level_now = LOG_LEVEL_WARN;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;
static bool status_shown;

void log_set_level(enum log_level level) { level_now = level; }

enum log_level log_level(void) { return level_now; }

bool log_is_terminal(void)
{
    static int known = -1;
    if (known < 0)
        known = isatty(STDERR_FILENO) && getenv("NO_COLOR_STATUS") == NULL;
    return known == 1;
}

static void wipe(void)
{
    if (status_shown)
        fputs("\r\033[K", stderr);
    status_shown = false;
}

/* Newlines stay: a caret message has several lines. Everything else below 0x20 is escaped. */
static void print_escaped(const char *message)
{
    for (const char *c = message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t')
            fprintf(stderr, "\\x%02x", (unsigned char)*c);
        else
            fputc(*c, stderr);
}

static void print(enum log_level level, const char *format, va_list args)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > level_now)
        return;
    char message[4096];
    vsnprintf(message, sizeof message, format, args);
    char stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    pthread_mutex_lock(&output);
    wipe();
    fprintf(stderr, "%s %s: ", stamp, names[level]);
    print_escaped(message);
    fputc('\n', stderr);
    pthread_mutex_unlock(&output);
}

#define LOG_FUNCTION(name, level)      \
    void name(const char *format, ...) \
    {                                  \
        va_list args;                  \
        va_start(args, format);        \
        print(level, format, args);    \
        va_end(args);                  \
    }
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void log_status(const char *line)
{
    if (!log_is_terminal())
        return;
    pthread_mutex_lock(&output);
    wipe();
    if (line != NULL) {
        fputs(line, stderr);
        status_shown = true;
    }
    fflush(stderr);
    pthread_mutex_unlock(&output);
}

void log_json(const char *line)
{
    pthread_mutex_lock(&output);
    wipe();
    fputs(line, stderr);
    fputc('\n', stderr);
    pthread_mutex_unlock(&output);
}
