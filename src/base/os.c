#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* ---- clocks and chance ---- */

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    always(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t real_clock_wall_us(void) { return clock_us(CLOCK_REALTIME); }

static int64_t real_clock_mono_us(void) { return clock_us(CLOCK_MONOTONIC); }

static void real_sleep_us(int64_t wait_us)
{
    if (wait_us <= 0)
        return;
    struct timespec left = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static void real_random_bytes(void *out, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = getrandom((uint8_t *)out + done, size - done, 0);
        always(got > 0 || errno == EINTR);
        done += got > 0 ? (size_t)got : 0;
    }
}

static int64_t real_process_id(void) { return getpid(); }

/* ---- files ---- */

/* EEXIST and ENOENT are answers, not failures: callers decide by E_EXISTS and E_ABSENT. */
static enum code path_error(struct error *err, const char *call, const char *path)
{
    int sys = errno;
    fail_sys(err, sys, "%s %s", call, path);
    if (sys == EEXIST)
        err->code = E_EXISTS;
    else if (sys == ENOENT)
        err->code = E_ABSENT;
    return err->code;
}

/* Who reads one from offsets gets no further than its first byte, and who opens it waits for a writer who may never come. */
static bool is_pipe(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 && (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode));
}

static enum code real_file_open(const char *path, unsigned flags, int *handle, struct error *err)
{
    int mode = O_CLOEXEC | ((flags & OS_WRITE) ? 0 : O_NONBLOCK);
    if (flags & OS_WRITE)
        mode |= ((flags & OS_READ) ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND;
    if (flags & OS_CREATE_NEW)
        mode |= O_EXCL;
    if (flags & OS_TRUNCATE)
        mode |= O_TRUNC;
    int fd;
    do
        fd = open(path, mode, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return path_error(err, "open", path);
    if (!(flags & OS_WRITE) && is_pipe(fd)) {
        close(fd);
        return fail(err, E_CORRUPT, "%s is a pipe, where a file is expected", path);
    }
    *handle = fd;
    return E_OK;
}

static enum code real_file_read(int handle, int64_t offset, void *out, size_t size, size_t *got, struct error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(handle, (uint8_t *)out + done, size - done, offset + (int64_t)done);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_sys(err, errno, "read %zu bytes at %lld", size, (long long)offset);
        done += (size_t)n;
    }
    *got = done;
    return E_OK;
}

static enum code real_file_write(int handle, const void *data, size_t size, struct error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(handle, (const uint8_t *)data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_sys(err, errno, "write %zu bytes", size);
        done += (size_t)n;
    }
    return E_OK;
}

static enum code real_file_sync(int handle, struct error *err)
{
    // EINTR is not retried: after any failed fsync the kernel may have dropped the dirty pages (rule 5).
    return fsync(handle) == 0 ? E_OK : fail_sys(err, errno, "fsync");
}

static void real_file_write_behind(int handle, int64_t offset, int64_t size)
{
    // Only a hint: a file system that cannot do it loses nothing.
    (void)sync_file_range(handle, offset, size, SYNC_FILE_RANGE_WRITE);
}

static bool real_file_direct(int handle, bool on)
{
    int flags = fcntl(handle, F_GETFL);
    return flags >= 0 && fcntl(handle, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

static enum code real_file_close(int handle, struct error *err)
{
    // On Linux the descriptor is gone even after EINTR; closing again could hit another thread's file.
    return close(handle) == 0 || errno == EINTR ? E_OK : fail_sys(err, errno, "close");
}

static enum code real_dir_sync(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return path_error(err, "open folder", path);
    int sys = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return sys == 0 ? E_OK : fail_sys(err, sys, "fsync folder %s", path);
}

static enum code make_one(const char *path, struct error *err)
{
    if (mkdir(path, 0777) == 0)
        return E_OK;
    struct stat st;
    int sys = errno;
    if (sys == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return E_OK;
    return fail_sys(err, sys, "make folder %s", path);
}

static enum code real_dir_make(const char *path, struct error *err)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof part)
        return fail(err, E_IO, "make folder: the path has %zu bytes, allowed are 1 to %d", size, PATH_MAX - 1);
    memcpy(part, path, size + 1);
    for (size_t i = 1; i < size; i++) {
        if (part[i] != '/')
            continue;
        part[i] = '\0';
        enum code code = make_one(part, err);
        part[i] = '/';
        if (code != E_OK)
            return code;
    }
    return make_one(part, err);
}

static enum code real_link_new(const char *from, const char *to, struct error *err)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0) == 0 ? E_OK : path_error(err, "link", to);
}

static enum code real_rename_over(const char *from, const char *to, struct error *err)
{
    return rename(from, to) == 0 ? E_OK : path_error(err, "rename to", to);
}

static enum code real_rename_new(const char *from, const char *to, struct error *err)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? E_OK : path_error(err, "rename to", to);
}

static enum code real_exchange(const char *a, const char *b, struct error *err)
{
    struct stat st;
    if (lstat(a, &st) == 0 && S_ISLNK(st.st_mode))
        return fail(err, E_UNSUPPORTED, "exchange %s and %s: the first is a symbolic link", a, b);
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
        return E_OK;
    if (errno == EINVAL || errno == ENOSYS || errno == EXDEV || errno == EBUSY)
        return fail(err, E_UNSUPPORTED, "exchange %s and %s: %s", a, b,
                    errno == EBUSY ? "one of them is a mount point" : "the file system cannot");
    return path_error(err, "exchange", a);
}

static enum code real_dir_make_like(const char *path, const char *model, struct error *err)
{
    struct stat st;
    if (stat(model, &st) != 0)
        return path_error(err, "stat", model);
    if (mkdir(path, 0700) != 0)
        return path_error(err, "make folder", path);
    if (chown(path, st.st_uid, st.st_gid) != 0 && errno != EPERM)
        return path_error(err, "give away folder", path);
    return chmod(path, st.st_mode & 07777) == 0 ? E_OK : path_error(err, "set the mode of", path);
}

static enum code real_file_dated(const char *path, int64_t modified_us, struct error *err)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = modified_us / 1000000, .tv_nsec = modified_us % 1000000 * 1000},
    };
    return utimensat(AT_FDCWD, path, times, 0) == 0 ? E_OK : path_error(err, "date", path);
}

static enum code real_remove(const char *path, struct error *err)
{
    return remove(path) == 0 ? E_OK : path_error(err, "remove", path);
}

static enum code real_stat(const char *path, struct os_stat *out, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return path_error(err, "stat", path);
    *out = (struct os_stat){.size_bytes = st.st_size,
                            .modified_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000,
                            .device = st.st_dev,
                            .is_dir = S_ISDIR(st.st_mode)};
    return E_OK;
}

static bool entry_is_dir(DIR *dir, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    struct stat st;
    return fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static enum code real_list(const char *path, void (*each)(void *context, const char *name, bool is_dir), void *context,
                           struct error *err)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return path_error(err, "list", path);
    int sys;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        sys = errno;
        if (entry == NULL)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            each(context, entry->d_name, entry_is_dir(dir, entry));
    }
    closedir(dir);
    return sys == 0 ? E_OK : fail_sys(err, sys, "list %s", path);
}

static enum code real_lock_file(const char *path, int *handle, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return path_error(err, "open lock", path);
    int locked;
    do
        locked = flock(fd, LOCK_EX | LOCK_NB);
    while (locked != 0 && errno == EINTR); // a network's file system may wait for its server
    if (locked != 0) {
        int sys = errno;
        close(fd);
        if (sys == EWOULDBLOCK)
            return fail(err, E_EXISTS, "lock %s: another process holds it", path);
        return fail_sys(err, sys, "lock %s", path);
    }
    *handle = fd;
    return E_OK;
}

static enum code real_free_bytes(const char *path, int64_t *out, struct error *err)
{
    struct statvfs vfs;
    if (statvfs(path, &vfs) != 0)
        return path_error(err, "ask for free space of", path);
    *out = (int64_t)(vfs.f_bavail * vfs.f_frsize);
    return E_OK;
}

static const struct os real_os = {
    .name = "linux",
    .clock_wall_us = real_clock_wall_us,
    .clock_mono_us = real_clock_mono_us,
    .sleep_us = real_sleep_us,
    .random_bytes = real_random_bytes,
    .process_id = real_process_id,
    .file_open = real_file_open,
    .file_read = real_file_read,
    .file_write = real_file_write,
    .file_sync = real_file_sync,
    .file_write_behind = real_file_write_behind,
    .file_direct = real_file_direct,
    .file_close = real_file_close,
    .dir_sync = real_dir_sync,
    .dir_make = real_dir_make,
    .link_new = real_link_new,
    .rename_over = real_rename_over,
    .rename_new = real_rename_new,
    .exchange = real_exchange,
    .dir_make_like = real_dir_make_like,
    .file_dated = real_file_dated,
    .remove = real_remove,
    .stat = real_stat,
    .list = real_list,
    .lock_file = real_lock_file,
    .free_bytes = real_free_bytes,
};
const struct os *os = &real_os;

const struct os *os_system(void) { return &real_os; }

void os_install(const struct os *fake) { os = fake != NULL ? fake : &real_os; }

/* ---- conveniences ---- */

enum { READ_BLOCK_BYTES = 256 * 1024 };

enum code os_read_file(const char *path, size_t limit_bytes, struct text *out, struct error *err)
{
    int handle;
    TRY(os->file_open(path, OS_READ, &handle, err));
    struct text content = {0};
    size_t got = 1;
    enum code code = E_OK;
    while (code == E_OK && got > 0) {
        uint8_t *at = (uint8_t *)text_reserve(&content, READ_BLOCK_BYTES);
        code = os->file_read(handle, (int64_t)content.size, at, READ_BLOCK_BYTES, &got, err);
        if (code != E_OK)
            error_note(err, "%s", path);
        else if ((content.size += got) > limit_bytes)
            code = fail(err, E_CORRUPT, "%s is larger than the %zu bytes allowed here", path, limit_bytes);
    }
    struct error ignored = {0};
    (void)os->file_close(handle, &ignored); // nothing was written: a failing close loses nothing
    if (code == E_OK)
        text_add(out, content.data, content.size);
    text_free(&content);
    return code;
}

/* Everything up to and including the last '/', without it; "." when there is none. */
static void folder_of(const char *path, char *out, size_t capacity)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(out, capacity, ".");
    else if (slash == path)
        snprintf(out, capacity, "/");
    else
        snprintf(out, capacity, "%.*s", (int)(slash - path), path);
}

static enum code write_and_sync(const char *path, struct bytes content, struct error *err)
{
    int handle;
    TRY(os->file_open(path, OS_WRITE | OS_CREATE_NEW, &handle, err));
    enum code code = os->file_write(handle, content.data, content.size, err);
    if (code == E_OK)
        code = os->file_sync(handle, err);
    struct error second = {0};
    if (os->file_close(handle, code == E_OK ? err : &second) != E_OK && code == E_OK)
        code = err->code;
    return code == E_OK ? E_OK : error_note(err, "%s", path);
}

enum code os_absolute(const char *path, struct text *out, struct error *err)
{
    char folder[PATH_MAX];
    if (path[0] != '/') {
        if (getcwd(folder, sizeof folder) == NULL)
            return fail_sys(err, errno, "the working directory");
        text_printf(out, "%s/", strcmp(folder, "/") == 0 ? "" : folder);
    }
    text_add_string(out, path);
    return E_OK;
}

enum code os_replace_file(const char *path, struct bytes content, struct error *err)
{
    char temporary[PATH_MAX], folder[PATH_MAX];
    if (strlen(path) + sizeof ".0123456789abcdef.tmp" > sizeof temporary)
        return fail(err, E_IO, "replace %s: the path is too long", path);
    snprintf(temporary, sizeof temporary, "%s.%016llx.tmp", path, (unsigned long long)os_random());
    folder_of(path, folder, sizeof folder);
    enum code code = write_and_sync(temporary, content, err);
    if (code == E_OK)
        code = os->rename_over(temporary, path, err);
    if (code != E_OK) {
        struct error ignored = {0};
        (void)os->remove(temporary, &ignored); // the first error is the one to tell
        return code;
    }
    return os->dir_sync(folder, err);
}

const char *os_env(const char *name) { return getenv(name); }

int32_t os_terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int64_t os_handles_max(void)
{
    enum { HANDLES_MAX = 1 << 16, HANDLES_AT_LEAST = 256 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return HANDLES_AT_LEAST;
    rlim_t most = limit.rlim_max < HANDLES_MAX ? limit.rlim_max : HANDLES_MAX;
    if (limit.rlim_cur < most) {
        const struct rlimit raised = {.rlim_cur = most, .rlim_max = limit.rlim_max};
        limit.rlim_cur = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? most : limit.rlim_cur;
    }
    return limit.rlim_cur < HANDLES_MAX ? (int64_t)limit.rlim_cur : HANDLES_MAX;
}

uint64_t os_random(void)
{
    uint64_t value;
    os->random_bytes(&value, sizeof value);
    return value;
}

int64_t os_process_id(void) { return os->process_id(); }
