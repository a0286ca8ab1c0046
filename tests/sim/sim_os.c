#include "sim_os.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/thread.h"

enum {
    HANDLES_MAX = 512,
    DECISIVE = 4, /* so many times as often such calls fail */
    CALL_COST_MAX_US = 40,
    CLOCK_COST_US = 1,    /* looking at the clock takes time too: who only looks must get on */
    START_S = 1767225600, /* 2026-01-01 */
};

struct process {
    int32_t number;
    struct sim_plan plan;
    int64_t calls, records; /* records: put into the chain */
    bool died;
    bool failed; /* plan.fail_at was reached, by a call.. */
    enum sim_call failed_call;
    enum sim_place failed_place;
};
struct handle {
    bool open;
    int32_t file, process;
    char path[256];
};
struct file_lock {
    int32_t file, process;
};
/* Two threads, of which one runs: the world's, and the zombie's. */
struct zombie {
    struct thread thread;
    struct lock lock;
    bool its_turn, frozen;
    void (*run)(void *argument);
    void *argument;
    struct process process;
};
struct sim {
    struct sim_disk *disk;
    struct sim_hooks hooks;
    struct sim_chance chance; /* of what goes wrong */
    struct sim_chance bytes;  /* what programs get for random */
    int64_t now_us, calls;
    XXH64_state_t trace;
    bool print;
    struct process world, *process;
    int32_t processes;
    struct handle handles[HANDLES_MAX];
    struct file_lock locks[8];
    int32_t lock_count;
    struct zombie zombie;
};
static struct sim *sim;

/* ---- names of things ---- */

static const struct {
    const char *name;
    bool changes;
} calls[SIM_CALL_COUNT] = {
#define X(call, name, changes) {name, changes},
    SIM_CALLS(X)
#undef X
};
static const char *const failures[SIM_FAILURE_COUNT] = {
#define X(failure, name) name,
    SIM_FAILURES(X)
#undef X
};
static const char *const places[SIM_PLACE_COUNT] = {
#define X(place, name) name,
    SIM_PLACES(X)
#undef X
};

const char *sim_call_name(enum sim_call call) { return calls[call].name; }
bool sim_call_changes(enum sim_call call) { return calls[call].changes; }
const char *sim_failure_name(enum sim_failure failure) { return failures[failure]; }
const char *sim_place_name(enum sim_place place) { return places[place]; }

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcmp(text + size - tail, end) == 0;
}

enum sim_place sim_place_of(const char *path)
{
    static const struct {
        const char *part, *end;
        enum sim_place place;
    } rules[] = {
        {"/project", "", SIM_PLACE_PROJECT},
        {"", ".tmp", SIM_PLACE_TEMPORARY},
        {"", "/query.json", SIM_PLACE_QUERY},
        {"/checkpoint/lock", "", SIM_PLACE_LOCKFILE},
        {"/_staging/", ".lock", SIM_PLACE_LOCKFILE},
        {"/checkpoint/chain/", ".json", SIM_PLACE_RECORD},
        {"/checkpoint/state/", ".state", SIM_PLACE_STATE},
        {"/checkpoint/spill", "", SIM_PLACE_SPILL},
        {"/checkpoint/sources/", "", SIM_PLACE_SOURCES},
        {"/checkpoint", "", SIM_PLACE_CHECKPOINT},
        {"/_staging/", ".staged", SIM_PLACE_STAGED},
        {"", "/_staging", SIM_PLACE_STAGING},
        {"/part-", "", SIM_PLACE_PART},
        {"/tables", "", SIM_PLACE_TABLE},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strstr(path, rules[i].part) != NULL && ends_with(path, rules[i].end))
            return rules[i].place;
    return SIM_PLACE_WORLD;
}

/* ---- the trace ---- */

void sim_note(struct sim *self, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    XXH64_update(&self->trace, line, strlen(line) + 1);
    if (self->print)
        fprintf(stderr, "%6" PRId64 " %d.%" PRId64 " %s\n", self->now_us / 1000 % 1000000, self->process->number,
                self->process->calls, line);
}

/* ---- hand-over ---- */

static void turn_give(struct zombie *zombie, bool to_zombie)
{
    lock_take(&zombie->lock);
    zombie->its_turn = to_zombie;
    lock_wake(&zombie->lock);
    lock_give(&zombie->lock);
}

static void turn_await(struct zombie *zombie, bool of_zombie)
{
    lock_take(&zombie->lock);
    while (zombie->its_turn != of_zombie)
        lock_wait(&zombie->lock, -1);
    lock_give(&zombie->lock);
}

static void *zombie_main(void *argument)
{
    struct sim *self = argument;
    struct zombie *zombie = &self->zombie;
    zombie->run(zombie->argument);
    turn_give(zombie, false);
    return NULL;
}

static void zombie_freeze(struct sim *self)
{
    sim_note(self, "freezes");
    self->zombie.frozen = true;
    self->process = &self->world;
    turn_give(&self->zombie, false);
    turn_await(&self->zombie, true);
    self->process = &self->zombie.process;
    self->zombie.frozen = false;
    sim_note(self, "goes on");
}

static void process_begin(struct sim *self, struct process *process, const struct sim_plan *plan)
{
    *process = (struct process){.number = ++self->processes, .plan = *plan};
    self->process = process;
}

bool sim_zombie_run(struct sim *self, const struct sim_plan *plan, void (*run)(void *argument), void *argument)
{
    struct zombie *zombie = &self->zombie;
    *zombie = (struct zombie){.run = run, .argument = argument, .its_turn = true};
    lock_init(&zombie->lock);
    process_begin(self, &zombie->process, plan);
    thread_start(&zombie->thread, "zombie", zombie_main, self);
    turn_await(zombie, false);
    if (zombie->frozen)
        return true;
    thread_join(&zombie->thread);
    lock_close(&zombie->lock);
    return false;
}

void sim_zombie_resume(struct sim *self, const struct sim_plan *plan)
{
    struct zombie *zombie = &self->zombie;
    zombie->process.plan = *plan;
    zombie->process.calls = 0;
    turn_give(zombie, true);
    turn_await(zombie, false);
    thread_join(&zombie->thread);
    lock_close(&zombie->lock);
    self->process = &zombie->process;
}

/* ---- processes ---- */

void sim_process_begin(struct sim *self, const struct sim_plan *plan) { process_begin(self, &self->world, plan); }

bool sim_process_died(const struct sim *self) { return self->process->died; }

int64_t sim_process_calls(const struct sim *self) { return self->process->calls; }

bool sim_process_failed(const struct sim *self, enum sim_call *call, enum sim_place *place)
{
    *call = self->process->failed_call;
    *place = self->process->failed_place;
    return self->process->failed;
}

static void locks_drop(struct sim *self, int32_t process, int32_t file)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < self->lock_count; i++)
        if ((process >= 0 && self->locks[i].process != process) || (file >= 0 && self->locks[i].file != file))
            self->locks[kept++] = self->locks[i];
    self->lock_count = kept;
}

void sim_locks_release(struct sim *self) { self->lock_count = 0; }

static void process_die(struct sim *self)
{
    sim_note(self, "dies");
    self->process->died = true;
    locks_drop(self, self->process->number, -1);
    for (int32_t i = 0; i < HANDLES_MAX; i++)
        if (self->handles[i].open && self->handles[i].process == self->process->number)
            self->handles[i].open = false;
}

void sim_power_loss(struct sim *self)
{
    sim_note(self, "the power is gone");
    disk_power_loss(self->disk);
    memset(self->handles, 0, sizeof self->handles);
    self->lock_count = 0;
}

/* ---- a call ---- */

struct call {
    enum sim_call call;
    const char *path;
    enum sim_failure failure;
    bool dead; /* it must do nothing */
    bool dies_after;
};

bool sim_can_fail(enum sim_call call, enum sim_failure failure)
{
    switch (failure) {
    case SIM_FAIL_NONE: return false;
    case SIM_FAIL_EIO: return true;
    case SIM_FAIL_ENOSPC:
        return call == SIM_OPEN || call == SIM_WRITE || call == SIM_SYNC || call == SIM_FOLDER_MAKE ||
               call == SIM_LINK || call == SIM_RENAME || call == SIM_RENAME_OVER || call == SIM_LOCK;
    case SIM_FAIL_EINTR: return call == SIM_SYNC || call == SIM_FOLDER_SYNC || call == SIM_LOCK;
    case SIM_FAIL_EMFILE: return call == SIM_OPEN || call == SIM_FOLDER_SYNC || call == SIM_LIST || call == SIM_LOCK;
    case SIM_FAIL_SHORT: return call == SIM_WRITE;
    case SIM_FAIL_LOST: return sim_call_changes(call);
    case SIM_FAILURE_COUNT: break;
    }
    return false;
}

static enum sim_failure any_failure(struct sim *self, enum sim_call call)
{
    for (;;) {
        enum sim_failure failure = (enum sim_failure)chance_below(&self->chance, SIM_FAILURE_COUNT);
        if (sim_can_fail(call, failure))
            return failure;
    }
}

static bool decides(enum sim_call call)
{
    return call == SIM_SYNC || call == SIM_FOLDER_SYNC || call == SIM_RENAME || call == SIM_BROKER;
}

static enum sim_failure planned_failure(struct sim *self, enum sim_call call)
{
    const struct sim_plan *plan = &self->process->plan;
    int64_t at = self->process->calls;
    if (at == plan->fail_at && sim_can_fail(call, plan->failure))
        return plan->failure;
    if (at >= plan->outage_from && at < plan->outage_to && sim_call_changes(call))
        return sim_can_fail(call, plan->outage) ? plan->outage : SIM_FAIL_EIO;
    // what makes things durable is rare among all calls, and the most interesting
    int32_t one_in = decides(call) && plan->fail_one_in > DECISIVE ? plan->fail_one_in / DECISIVE : plan->fail_one_in;
    if (one_in > 0 && chance_one_in(&self->chance, one_in))
        return any_failure(self, call);
    return SIM_FAIL_NONE;
}

static struct call call_begin(enum sim_call kind, const char *path)
{
    struct process *process = sim->process;
    struct call call = {.call = kind, .path = path, .dead = process->died};
    sim->now_us += 1 + chance_below(&sim->bytes, CALL_COST_MAX_US);
    if (call.dead)
        return call;
    process->calls++;
    sim->calls++;
    if (process->calls == process->plan.freeze_at) {
        zombie_freeze(sim);
        process->calls = 1; // the plan that it was resumed with counts from here
    }
    if (kind == SIM_RENAME && sim_place_of(path) == SIM_PLACE_RECORD &&
        ++process->records == process->plan.die_at_record)
        process->plan.die_at = process->calls + process->plan.die_later;
    if (process->calls == process->plan.die_at) {
        call.dies_after = process->plan.die_after;
        call.dead = !call.dies_after;
        if (call.dead)
            process_die(sim);
        return call;
    }
    call.failure = planned_failure(sim, kind);
    if (process->calls == process->plan.fail_at && call.failure != SIM_FAIL_NONE) {
        process->failed = true;
        process->failed_call = kind;
        process->failed_place = sim_place_of(path);
    }
    return call;
}

/* The call is to have its effect. */
static bool call_does(const struct call *call)
{
    return !call->dead && (call->failure == SIM_FAIL_NONE || call->failure == SIM_FAIL_LOST);
}

static int failure_errno(enum sim_failure failure)
{
    return failure == SIM_FAIL_ENOSPC   ? ENOSPC
           : failure == SIM_FAIL_EINTR  ? EINTR
           : failure == SIM_FAIL_EMFILE ? EMFILE
                                        : EIO;
}

/* `sys`: how it went on the disk. */
static enum code call_end(const struct call *call, int sys, struct error *err)
{
    if (call->dead)
        return fail(err, E_BUG, "%s %s: this process is dead", calls[call->call].name, call->path);
    sim_note(sim, "%s %s%s%s: %d", calls[call->call].name, call->path, call->failure != SIM_FAIL_NONE ? ", " : "",
             call->failure != SIM_FAIL_NONE ? failures[call->failure] : "", sys);
    if (sys == 0 && calls[call->call].changes && call->failure != SIM_FAIL_EIO && sim->hooks.changed != NULL)
        sim->hooks.changed(sim->hooks.context, call->call, call->path);
    if (call->dies_after) {
        process_die(sim);
        return fail(err, E_BUG, "%s %s: this process died", calls[call->call].name, call->path);
    }
    if (call->failure != SIM_FAIL_NONE)
        return fail_sys(err, failure_errno(call->failure), "%s %s (simulated)", calls[call->call].name, call->path);
    if (sys == 0)
        return E_OK;
    fail_sys(err, sys, "%s %s", calls[call->call].name, call->path);
    if (sys == EEXIST)
        err->code = E_EXISTS;
    else if (sys == ENOENT)
        err->code = E_ABSENT;
    return err->code;
}

enum code sim_call_other(enum sim_call kind, const char *what, bool *done, struct error *err)
{
    struct call call = call_begin(kind, what);
    *done = call_does(&call);
    enum code code = call_end(&call, 0, err);
    if (code == E_IO || code == E_FULL)
        err->code = code = E_BROKER;
    return code;
}

/* ---- struct os: clocks and chance ---- */

static int64_t sim_clock_us(void) { return sim->now_us += CLOCK_COST_US; }

static int64_t sim_wall_us(void) { return (int64_t)START_S * 1000000 + sim_clock_us(); }

static void sim_sleep_us(int64_t wait_us) { sim->now_us += wait_us > 0 ? wait_us : 0; }

static void sim_random_bytes(void *out, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
        uint64_t value = chance_next(&sim->bytes);
        memcpy((uint8_t *)out + at, &value, size - at < sizeof value ? size - at : sizeof value);
    }
}

static int64_t sim_process_id(void) { return 1000 + sim->process->number; }

/* ---- struct os: files ---- */

static int handle_new(int32_t file, const char *path)
{
    for (int i = 0; i < HANDLES_MAX; i++)
        if (!sim->handles[i].open) {
            sim->handles[i] = (struct handle){.open = true, .file = file, .process = sim->process->number};
            snprintf(sim->handles[i].path, sizeof sim->handles[i].path, "%s", path);
            return i;
        }
    always(false);
}

/* A dead process's handles are void: whose they are now is no business of its calls. */
static const struct handle *handle_get(int handle)
{
    static const struct handle closed = {.path = "a closed file"};
    always(handle >= 0 && handle < HANDLES_MAX);
    const struct handle *found = &sim->handles[handle];
    return found->open && found->process == sim->process->number ? found : &closed;
}

static enum code sim_file_open(const char *path, unsigned flags, int *handle, struct error *err)
{
    int32_t file = -1;
    struct call call = call_begin(flags & OS_WRITE ? SIM_OPEN : SIM_READ, path);
    int sys = call_does(&call) ? disk_open(sim->disk, path, flags, sim_wall_us(), &file) : 0;
    enum code code = call_end(&call, sys, err);
    if (code == E_OK)
        *handle = handle_new(file, path);
    return code;
}

static enum code sim_file_read(int handle, int64_t offset, void *out, size_t size, size_t *got, struct error *err)
{
    const struct handle *at = handle_get(handle);
    struct call call = call_begin(SIM_READ, at->path);
    bool does = call_does(&call);
    always(!does || at->open);
    size_t done = does ? disk_read(sim->disk, at->file, offset, out, size) : 0;
    TRY(call_end(&call, 0, err));
    *got = done;
    return E_OK;
}

static enum code sim_file_write(int handle, const void *data, size_t size, struct error *err)
{
    const struct handle *at = handle_get(handle);
    struct call call = call_begin(SIM_WRITE, at->path);
    bool partly = call.failure == SIM_FAIL_SHORT || call.failure == SIM_FAIL_ENOSPC;
    always(call.dead || at->open);
    if (call_does(&call) || (partly && !call.dead)) {
        size_t done = partly ? (size_t)chance_below(&sim->chance, (int64_t)size + 1) : size;
        XXH64_update(&sim->trace, data, done);
        disk_append(sim->disk, at->file, data, done, sim_wall_us());
    }
    return call_end(&call, 0, err);
}

static enum code sim_file_sync(int handle, struct error *err)
{
    const struct handle *at = handle_get(handle);
    struct call call = call_begin(SIM_SYNC, at->path);
    always(call.dead || at->open);
    if (call_does(&call))
        disk_sync(sim->disk, at->file);
    else if (!call.dead)
        disk_sync_failed(sim->disk, at->file);
    return call_end(&call, 0, err);
}

static enum code sim_file_close(int handle, struct error *err)
{
    const struct handle *at = handle_get(handle);
    struct call call = call_begin(SIM_CLOSE, at->path);
    if (!call.dead) {
        always(at->open);
        locks_drop(sim, -1, at->file);
        sim->handles[handle].open = false;
    }
    return call_end(&call, 0, err);
}

static enum code sim_dir_sync(const char *path, struct error *err)
{
    struct call call = call_begin(SIM_FOLDER_SYNC, path);
    return call_end(&call, call_does(&call) ? disk_folder_sync(sim->disk, path) : 0, err);
}

static enum code sim_dir_make(const char *path, struct error *err)
{
    struct call call = call_begin(SIM_FOLDER_MAKE, path);
    return call_end(&call, call_does(&call) ? disk_folder_make(sim->disk, path) : 0, err);
}

static enum code sim_link_new(const char *from, const char *to, struct error *err)
{
    struct call call = call_begin(SIM_LINK, to);
    return call_end(&call, call_does(&call) ? disk_link(sim->disk, from, to) : 0, err);
}

static enum code sim_rename_over(const char *from, const char *to, struct error *err)
{
    struct call call = call_begin(SIM_RENAME_OVER, to);
    sim_note(sim, "from %s", from);
    return call_end(&call, call_does(&call) ? disk_rename(sim->disk, from, to, true) : 0, err);
}

static enum code sim_rename_new(const char *from, const char *to, struct error *err)
{
    struct call call = call_begin(SIM_RENAME, to);
    sim_note(sim, "from %s", from);
    return call_end(&call, call_does(&call) ? disk_rename(sim->disk, from, to, false) : 0, err);
}

static enum code sim_remove(const char *path, struct error *err)
{
    struct call call = call_begin(SIM_REMOVE, path);
    return call_end(&call, call_does(&call) ? disk_remove(sim->disk, path) : 0, err);
}

static enum code sim_stat(const char *path, struct os_stat *out, struct error *err)
{
    struct call call = call_begin(SIM_STAT, path);
    return call_end(&call, call_does(&call) ? disk_stat(sim->disk, path, out) : 0, err);
}

static enum code sim_list(const char *path, void (*each)(void *context, const char *name, bool is_dir), void *context,
                          struct error *err)
{
    struct call call = call_begin(SIM_LIST, path);
    return call_end(&call, call_does(&call) ? disk_list(sim->disk, path, each, context) : 0, err);
}

static enum code sim_lock_file(const char *path, int *handle, struct error *err)
{
    int32_t file = -1;
    struct call call = call_begin(SIM_LOCK, path);
    int sys = call_does(&call) ? disk_open(sim->disk, path, OS_WRITE, sim_wall_us(), &file) : 0;
    bool held = false;
    for (int32_t i = 0; i < sim->lock_count; i++)
        held |= file >= 0 && sim->locks[i].file == file;
    TRY(call_end(&call, sys, err));
    if (held)
        return fail(err, E_EXISTS, "lock %s: another process holds it", path);
    always(sim->lock_count < (int32_t)(sizeof sim->locks / sizeof *sim->locks));
    sim->locks[sim->lock_count++] = (struct file_lock){file, sim->process->number};
    *handle = handle_new(file, path);
    return E_OK;
}

static enum code sim_free_bytes(const char *path, int64_t *out, struct error *err)
{
    struct call call = call_begin(SIM_STAT, path);
    TRY(call_end(&call, 0, err));
    *out = (int64_t)1 << 40;
    return E_OK;
}

static const struct os sim_table = {
    .name = "simulated",
    .clock_wall_us = sim_wall_us,
    .clock_mono_us = sim_clock_us,
    .sleep_us = sim_sleep_us,
    .random_bytes = sim_random_bytes,
    .process_id = sim_process_id,
    .file_open = sim_file_open,
    .file_read = sim_file_read,
    .file_write = sim_file_write,
    .file_sync = sim_file_sync,
    .file_close = sim_file_close,
    .dir_sync = sim_dir_sync,
    .dir_make = sim_dir_make,
    .link_new = sim_link_new,
    .rename_over = sim_rename_over,
    .rename_new = sim_rename_new,
    .remove = sim_remove,
    .stat = sim_stat,
    .list = sim_list,
    .lock_file = sim_lock_file,
    .free_bytes = sim_free_bytes,
};

/* ---- life ---- */

struct sim *sim_new(uint64_t seed, const struct sim_hooks *hooks)
{
    struct sim *self = mem_new(struct sim);
    self->disk = sim_disk_new(seed);
    if (hooks != NULL)
        self->hooks = *hooks;
    self->chance = chance_of(seed, 1);
    self->bytes = chance_of(seed, 2);
    XXH64_reset(&self->trace, 0);
    self->print = getenv("SIM_TRACE") != NULL;
    self->process = &self->world;
    return self;
}

void sim_free(struct sim *self)
{
    if (self == NULL)
        return;
    if (sim == self)
        sim_install(NULL);
    sim_disk_free(self->disk);
    mem_free(self);
}

void sim_install(struct sim *self)
{
    sim = self;
    os_install(self != NULL ? &sim_table : NULL);
}

struct sim_disk *sim_disk(struct sim *self) { return self->disk; }
struct sim_chance *sim_chance(struct sim *self) { return &self->chance; }
int64_t sim_now_us(const struct sim *self) { return self->now_us; }
uint64_t sim_trace(const struct sim *self) { return XXH64_digest(&self->trace); }
int64_t sim_calls_all(const struct sim *self) { return self->calls; }
