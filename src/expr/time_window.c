/* time_window.c - windows of time as values: STRUCT<start, end>, half open.
 *
 * window(..) and session_window(..) of the language are typed by sql/: among the keys of a GROUP BY they are
 * the operator's business, elsewhere they become these calls. The rows of a NULL time never get here.
 * window_time(w) is the last instant of a window, end - 1 us: it falls into the window's windows.
 */
#include "expr/cast.h"
#include "expr/coerce.h"
#include "expr/loop.h"

/* Times this far out cannot be moved by a window without overflow. ORDER EVENT_TIME_LIMIT_US of operator.h */
#define TIME_LIMIT_US (INT64_MAX / 4)

static bool is_far(int64_t time_us) { return time_us > TIME_LIMIT_US || time_us < -TIME_LIMIT_US; }

static const struct type *window_type(struct arena *arena, const struct type *time)
{
    struct field fields[2] = {{"start", time, true}, {"end", time, true}};
    return type_struct(arena, fields, 2);
}

static enum code bind_window(struct binding *binding, __attribute__((unused)) struct error *err)
{
    binding->type = window_type(binding->ctx->arena, binding->args[0]->type);
    return E_OK;
}

/* The two children of a struct column, for `rows` windows. */
struct bounds {
    int64_t *starts, *ends;
};
static struct bounds bounds_open(struct call *call, const struct type *type, int64_t rows, struct column *out)
{
    out->children = mem_array(struct column, 2);
    out->child_count = 2;
    for (int i = 0; i < 2; i++) {
        out->children[i] = (struct column){.type = type->fields[i].type, .rows = rows, .nulls = -1};
        out->children[i].values = call_buffer(call, (size_t)rows * sizeof(int64_t));
    }
    return (struct bounds){column_values(&out->children[0], int64_t), column_values(&out->children[1], int64_t)};
}

/* A NULL window has NULL bounds. */
static void bounds_close(struct column *out)
{
    for (int i = 0; i < 2; i++)
        out->children[i].valid = buffer_retain(out->valid);
}

enum { SLIDES_MAX = 1000 }; /* windows that hold one time */

/* How windows lie on the line of time, and the last one that holds a time. */
struct grid {
    int64_t size_us, slide_us, offset_us;
};
static struct grid grid_at(const struct arg *args, bool sliding, int64_t row)
{
    const struct arg *slide = &args[1 + sliding], *offset = &args[2 + sliding];
    return (struct grid){arg_values(&args[1], int64_t)[row * args[1].step],
                         arg_values(slide, int64_t)[row * slide->step],
                         arg_values(offset, int64_t)[row * offset->step]};
}
static bool grid_valid(struct grid grid)
{
    return grid.slide_us > 0 && grid.slide_us <= grid.size_us && (grid.size_us - 1) / grid.slide_us < SLIDES_MAX &&
           !is_far(grid.size_us) && !is_far(grid.offset_us);
}
static int64_t last_start(struct grid grid, int64_t time_us)
{
    return time_us - floor_rest(time_us - grid.offset_us, grid.slide_us);
}

/* Whether the row has a window; it is rejected when it should have one and cannot. */
static bool has_window(struct call *call, int64_t row, struct grid grid, int64_t time_us)
{
    if (!call_valid(call, row))
        return false;
    if (grid_valid(grid) && !is_far(time_us))
        return true;
    call_reject(call, row, grid_valid(grid) ? REJECT_DATETIME : REJECT_ARGUMENT);
    return false;
}

SCALAR(fn_tumbling, "window:tumbling", "(timestamp, bigint, bigint) -> any | (timestamp_ntz, bigint, bigint) -> any",
       "The window of a size and an offset, both in microseconds, that holds the time.", NULL, NULL,
       .bind = bind_window, .flags = FN_FAILS | FN_HIDDEN)
{
    struct bounds bounds = bounds_open(call, out->type, call->rows, out);
    const bool fixed = args[1].step == 0 && args[2].step == 0;
    int64_t start = 0, size_us = 0;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t time = arg_values(&args[0], int64_t)[i * args[0].step];
        if (!fixed || (uint64_t)time - (uint64_t)start >= (uint64_t)size_us) { // mostly the window of the row before
            struct grid grid = grid_at(args, false, i);
            bool has = has_window(call, i, grid, time);
            start = has ? last_start(grid, time) : 0;
            size_us = has ? grid.size_us : 0;
        }
        bounds.starts[i] = start;
        bounds.ends[i] = start + size_us;
    }
    bounds_close(out);
}

static enum code bind_windows(struct binding *binding, __attribute__((unused)) struct error *err)
{
    struct arena *arena = binding->ctx->arena;
    binding->type = type_array(arena, window_type(arena, binding->args[0]->type), false);
    return E_OK;
}

static int64_t windows_of(struct grid grid, int64_t time_us)
{
    return (grid.size_us - (time_us - last_start(grid, time_us)) + grid.slide_us - 1) / grid.slide_us;
}

/* The lists' offsets; how many windows there are in all. */
static int64_t sliding_offsets(struct call *call, const struct arg *args, struct column *out)
{
    out->offsets = call_buffer(call, ((size_t)call->rows + 1) * sizeof(int32_t));
    int32_t *offsets = (int32_t *)(void *)out->offsets->data;
    int64_t total = 0;
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t time = arg_values(&args[0], int64_t)[i * args[0].step];
        struct grid grid = grid_at(args, true, i);
        offsets[i] = (int32_t)total;
        total += has_window(call, i, grid, time) ? windows_of(grid, time) : 0;
        always(total <= INT32_MAX);
    }
    offsets[call->rows] = (int32_t)total;
    return total;
}

SCALAR(fn_sliding, "window:sliding",
       "(timestamp, bigint, bigint, bigint) -> any | (timestamp_ntz, bigint, bigint, bigint) -> any",
       "The windows of a size, slide and offset, in microseconds, that hold the time: the last one first.", NULL, NULL,
       .bind = bind_windows, .flags = FN_FAILS | FN_HIDDEN)
{
    int64_t total = sliding_offsets(call, args, out);
    struct column *windows = mem_new(struct column);
    *windows = (struct column){.type = out->type->fields[0].type, .rows = total};
    out->children = windows;
    out->child_count = 1;
    struct bounds bounds = bounds_open(call, windows->type, total, windows);
    const int32_t *offsets = column_offsets(out);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t time = arg_values(&args[0], int64_t)[i * args[0].step];
        struct grid grid = grid_at(args, true, i);
        int64_t start = offsets[i] < offsets[i + 1] ? last_start(grid, time) : 0;
        for (int32_t k = offsets[i]; k < offsets[i + 1]; k++, start -= grid.slide_us) {
            bounds.starts[k] = start;
            bounds.ends[k] = start + grid.size_us;
        }
    }
}

SCALAR(fn_session, "window:session", "(timestamp, interval_dt) -> any | (timestamp_ntz, interval_dt) -> any",
       "The session of one row: it ends a gap later.", NULL, NULL, .bind = bind_window, .flags = FN_FAILS | FN_HIDDEN)
{
    struct bounds bounds = bounds_open(call, out->type, call->rows, out);
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t time = arg_values(&args[0], int64_t)[i * args[0].step];
        int64_t gap = arg_values(&args[1], int64_t)[i * args[1].step];
        if (is_far(time) || is_far(gap)) {
            call_reject(call, i, REJECT_DATETIME);
            time = gap = 0;
        }
        bounds.starts[i] = time;
        bounds.ends[i] = time + gap;
    }
    bounds_close(out);
}

/* Months have no fixed length: a session cannot be that long here. */
SCALAR(fn_gap, "window:gap", "(string) -> interval_dt",
       "The gap of a session as text; NULL when it is no interval, as in Spark.", NULL, NULL,
       .flags = FN_FAILS | FN_NULLABLE | FN_HIDDEN)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int64_t months = 0, us = 0;
        if (!interval_parse(arg_bytes(&args[0], i), false, &months, &us))
            call_null(call, i);
        else if (months != 0)
            call_reject(call, i, REJECT_ARGUMENT);
        column_values(out, int64_t)[i] = us;
    }
}

static bool is_window(const struct type *type)
{
    return type->id == TYPE_STRUCT && type->field_count == 2 && strcmp(type->fields[0].name, "start") == 0 &&
           strcmp(type->fields[1].name, "end") == 0 && type_equal(type->fields[0].type, type->fields[1].type) &&
           (type->fields[1].type->id == TYPE_TIMESTAMP || type->fields[1].type->id == TYPE_TIMESTAMP_NTZ);
}

static enum code bind_window_time(struct binding *binding, struct error *err)
{
    const struct type *type = binding->args[0]->type;
    if (!is_window(type))
        return fail(err, E_SQL,
                    "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] window_time takes a window, STRUCT<start, end> of "
                    "timestamps, not \"%s\"",
                    type_sql(binding->ctx->arena, type));
    binding->type = type->fields[1].type;
    return E_OK;
}

SCALAR(fn_window_time, "window_time", "(any) -> any", "The last instant of a window: its end - 1 microsecond.", NULL,
       NULL, .bind = bind_window_time)
{
    const struct arg end = {&args[0].col->children[1], args[0].step};
    int64_t *r = column_values(out, int64_t);
    for (int64_t i = 0; i < call->rows; i++)
        r[i] = wrap_add(arg_values(&end, int64_t)[i * end.step], -1);
}

const struct function *const time_window_functions[] = {
    &fn_tumbling, &fn_sliding, &fn_session, &fn_gap, &fn_window_time, NULL,
};
