#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum code error_set(struct error *err, enum code code, int sys, const char *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (sys != 0 && used >= 0 && (size_t)used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", strerror(sys));
    if (sys == ENOSPC || sys == EDQUOT)
        code = E_FULL;
    err->code = code;
    err->sys = sys;
    err->where = where;
    err->about[0] = '\0';
    return code;
}

enum code error_note(struct error *err, const char *format, ...)
{
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", old);
    return err->code;
}

enum code error_about(struct error *err, const char *format, ...)
{
    if (err->about[0] != '\0')
        return err->code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->about, sizeof err->about, format, args);
    va_end(args);
    return err->code;
}

void error_clear(struct error *err)
{
    err->code = E_OK;
    err->sys = 0;
    err->where = NULL;
    err->text[0] = err->about[0] = '\0';
}

enum error_class error_class(enum code code)
{
    switch (code) {
    case E_OK: return CLASS_NONE;
#define X(name, class, text) \
    case E_##name: return CLASS_##class;
        ERROR_CODES(X)
#undef X
    }
    return CLASS_fatal;
}

const char *code_name(enum code code)
{
    switch (code) {
    case E_OK: return "OK";
#define X(name, class, text) \
    case E_##name: return #name;
        ERROR_CODES(X)
#undef X
    }
    return "?";
}

void assert_failed(const char *condition, const char *where)
{
    fprintf(stderr, "leat: assertion failed at %s: %s\n", where, condition);
    abort();
}
