#include "failing_os.h"

#include <errno.h>

#include "base/os.h"

static int countdown;
static enum failing_how how_armed;
static bool reached;
static struct os fake;

/* True when this operation is the one to fail. */
static bool strikes(void)
{
    if (--countdown != 0)
        return false;
    reached = true;
    return true;
}

static enum code strike_code(struct error *err, const char *what)
{
    return fail_sys(err, how_armed == FAILING_ENOSPC ? ENOSPC : EIO, "%s (made to fail)", what);
}

/* Do it when only the answer is to be lost. */
#define OPERATION(what, call)                                  \
    do {                                                       \
        if (!strikes())                                        \
            return os_system()->call;                          \
        struct error ignored = {0};                            \
        struct error *told = err;                              \
        err = &ignored;                                        \
        if (how_armed == FAILING_LOST && os_system()->call) {} \
        return strike_code(told, what);                        \
    } while (0)

static enum code fail_open(const char *path, unsigned flags, int *handle, struct error *err)
{
    if (!(flags & OS_WRITE) || !strikes())
        return os_system()->file_open(path, flags, handle, err);
    int lost;
    struct error ignored = {0};
    if (how_armed == FAILING_LOST && os_system()->file_open(path, flags, &lost, &ignored) == E_OK)
        (void)os_system()->file_close(lost, &ignored);
    return strike_code(err, "open");
}

static enum code fail_write(int handle, const void *data, size_t size, struct error *err)
{
    if (!strikes())
        return os_system()->file_write(handle, data, size, err);
    struct error ignored = {0};
    size_t part = how_armed == FAILING_SHORT ? size / 2 : how_armed == FAILING_LOST ? size : 0;
    if (part > 0)
        (void)os_system()->file_write(handle, data, part, &ignored);
    return strike_code(err, "write");
}

static enum code fail_sync(int handle, struct error *err) { OPERATION("fsync", file_sync(handle, err)); }

static enum code fail_close(int handle, struct error *err)
{
    bool strike = strikes();
    enum code code = os_system()->file_close(handle, err); // a real close() that fails has closed, too
    return strike ? strike_code(err, "close") : code;
}

static enum code fail_dir_sync(const char *path, struct error *err) { OPERATION("fsync folder", dir_sync(path, err)); }

static enum code fail_dir_make(const char *path, struct error *err) { OPERATION("make folder", dir_make(path, err)); }

static enum code fail_link(const char *from, const char *to, struct error *err)
{
    OPERATION("link", link_new(from, to, err));
}

static enum code fail_rename_over(const char *from, const char *to, struct error *err)
{
    OPERATION("rename", rename_over(from, to, err));
}

static enum code fail_exchange(const char *a, const char *b, struct error *err)
{
    OPERATION("exchange", exchange(a, b, err));
}

static enum code fail_dir_make_like(const char *path, const char *model, struct error *err)
{
    OPERATION("make folder", dir_make_like(path, model, err));
}

static enum code fail_rename_new(const char *from, const char *to, struct error *err)
{
    OPERATION("rename", rename_new(from, to, err));
}

static enum code fail_remove(const char *path, struct error *err) { OPERATION("remove", remove(path, err)); }

static enum code fail_stat(const char *path, struct os_stat *out, struct error *err)
{
    OPERATION("stat", stat(path, out, err));
}

static enum code fail_list(const char *path, void (*each)(void *context, const char *name, bool is_dir), void *context,
                           struct error *err)
{
    OPERATION("list", list(path, each, context, err));
}

void failing_os_arm(int k, enum failing_how how)
{
    countdown = k;
    how_armed = how;
    reached = false;
    fake = *os_system();
    fake.name = "failing";
    fake.file_open = fail_open;
    fake.file_write = fail_write;
    fake.file_sync = fail_sync;
    fake.file_close = fail_close;
    fake.dir_sync = fail_dir_sync;
    fake.dir_make = fail_dir_make;
    fake.link_new = fail_link;
    fake.rename_over = fail_rename_over;
    fake.rename_new = fail_rename_new;
    fake.exchange = fail_exchange;
    fake.dir_make_like = fail_dir_make_like;
    fake.remove = fail_remove;
    fake.stat = fail_stat;
    fake.list = fail_list;
    os_install(&fake);
}

bool failing_os_disarm(void)
{
    os_install(NULL);
    return reached;
}
