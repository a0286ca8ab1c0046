/* error.h - what went wrong, what to do about it, and where.
 *
 * Shape    a function that can fail returns `enum code` (E_OK is 0) and takes `struct error *err`
 *          as its last argument; results go through out-parameters, untouched on failure
 * Class    the reaction: data -> quarantine; user -> message with a caret, exit 2;
 *          transient -> back off and retry (retry.h); fatal -> stop, restart from the chain
 * Text     set once with fail(), where it happens; callers add context with error_note()
 * About    what is to blame, when who calls knows: error_about(); of several the innermost counts
 * Owns     nothing; the text is inline. A zeroed struct error is "no error"
 * Thread   an error object belongs to one thread
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

#define ERROR_CODES(X) /* code, class, what it means */                           \
    X(DATA, data, "the record is bad")                                            \
    X(USAGE, user, "the command line is wrong")                                   \
    X(SPEC, user, "the project's spec or an option is wrong")                     \
    X(SQL, user, "the query is wrong")                                            \
    X(UNSUPPORTED, user, "right, but this version cannot do it")                  \
    X(IO, transient, "a file or the network failed")                              \
    X(BROKER, transient, "the broker does not answer or refuses")                 \
    X(FULL, transient, "no space left")                                           \
    X(MEMORY, transient, "the memory budget is reached")                          \
    X(STOPPED, transient, "asked to stop")                                        \
    X(EXISTS, transient, "somebody else created it first")                        \
    X(ABSENT, transient, "it does not exist")                                     \
    X(FENCED, fatal, "another instance took over")                                \
    X(LOST, fatal, "input that was promised is gone")                             \
    X(CHANGED, fatal, "the query changed in a way its checkpoint does not allow") \
    X(CORRUPT, fatal, "stored bytes fail their check")                            \
    X(BUG, fatal, "leat itself is wrong")

enum code {
    E_OK = 0,
#define X(name, class, text) E_##name,
    ERROR_CODES(X)
#undef X
};

enum error_class { CLASS_NONE, CLASS_data, CLASS_user, CLASS_transient, CLASS_fatal };

struct error {
    enum code code;
    int sys;           /* errno at the time, or 0 */
    const char *where; /* source file:line of fail(), for the log at debug level */
    char text[1024];   /* one line, or several for a caret message; no trailing newline */
    char about[160];   /* "kafka 127.0.0.1:9092", the folder of a disk (it begins with '/'), or "": nobody said */
};

#define ERROR_STRING_(x) #x
#define ERROR_STRING(x) ERROR_STRING_(x)
#define ERROR_HERE __FILE__ ":" ERROR_STRING(__LINE__)

/* Set the error and return its code: `return fail(err, E_DATA, "row %d", row);` */
#define fail(err, code_, ...) error_never_ok(error_set((err), (code_), 0, ERROR_HERE, __VA_ARGS__))
/* The same for a failed system call: appends ": " and strerror(sys). ENOSPC and EDQUOT become E_FULL. */
#define fail_sys(err, sys_, ...) error_never_ok(error_set((err), E_IO, (sys_), ERROR_HERE, __VA_ARGS__))
/* Tells the compiler that a failure is one: results that only success sets are then seen to be set. */
static inline enum code error_never_ok(enum code code)
{
    if (code == E_OK)
        __builtin_unreachable();
    return code;
}

enum code error_set(struct error *err, enum code code, int sys, const char *where, const char *format, ...)
    PRINTF(5, 6);
/* Put "context: " in front of the text; returns err->code, so `return error_note(err, ..)` works. */
enum code error_note(struct error *err, const char *format, ...) PRINTF(2, 3);
/* Say what failed, unless somebody nearer to it has; returns err->code. */
enum code error_about(struct error *err, const char *format, ...) PRINTF(2, 3);
void error_clear(struct error *err);
enum error_class error_class(enum code code);
const char *code_name(enum code code);

/* Return from the calling function with the code when the call failed. */
#define TRY(call)                     \
    do {                              \
        enum code try_code_ = (call); \
        if (try_code_ != E_OK)        \
            return try_code_;         \
    } while (0)

/* Programmer errors. `always` stays on in release; `dassert` is for kernels and goes away with NDEBUG. */
#define always(condition) ((condition) ? (void)0 : assert_failed(#condition, ERROR_HERE))
#ifdef NDEBUG
#define dassert(condition) ((void)sizeof(condition))
#else
#define dassert(condition) always(condition)
#endif
_Noreturn void assert_failed(const char *condition, const char *where);

#endif
