#include "runtime/few_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "base/options.h"
#include "sink/sink.h"

enum {
    FILES_LEAST = 100, /* before that nothing is known of the input */
    SMALL_SHARE = 16,  /* files smaller than so much of the target are not what was wished for */
};

const char *table_option(const struct pipeline *pipeline, const struct pipeline_table *table, const char *name)
{
    const struct sink_type *type = sink_find(table->format);
    const struct option *option = type != NULL ? option_find(type->options, name) : NULL;
    if (option == NULL)
        return NULL;
    const char *value = table_property(table, name);
    if (value == NULL)
        value = pipeline_setting(pipeline, name);
    return value != NULL && value[0] != '\0' ? value : option->initial;
}

int64_t table_target_bytes(const struct pipeline *pipeline, const struct pipeline_table *table)
{
    const char *value = table_option(pipeline, table, "leat.files.target_size");
    struct error ignored = {0};
    int64_t bytes = 0;
    return value != NULL && parse_size(value, &bytes, &ignored) == E_OK ? bytes : 0;
}

static bool is_merged(const struct pipeline *pipeline, const struct pipeline_table *table)
{
    const char *value = table_option(pipeline, table, "leat.compact");
    return value != NULL && strcasecmp(value, "true") == 0;
}

static void size_print(int64_t bytes, char *out, size_t room)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1024 && unit < 3; unit++)
        size /= 1024;
    snprintf(out, room, "%.*f %s", unit == 0 || size >= 100 ? 0 : 1, size, units[unit]);
}

/* Whole seconds, minutes or hours. */
static int64_t rounded(double us)
{
    int64_t seconds = us < 1e15 ? (int64_t)(us / 1e6) + 1 : 1000000000;
    int64_t unit = seconds < 120 ? 1 : seconds < 7200 ? 60 : 3600;
    return (seconds + unit - 1) / unit * unit * 1000000;
}

void few_files_look(struct few_files *self, const struct pipeline *pipeline, const struct pipeline_table *table,
                    int64_t files, int64_t bytes, int64_t run_us)
{
    int64_t target = table_target_bytes(pipeline, table);
    if (self->told || files < FILES_LEAST || run_us <= 0 || target == 0 || bytes / files >= target / SMALL_SHARE ||
        is_merged(pipeline, table))
        return;
    char mean[32], want[32];
    struct text wait = {0};
    size_print(bytes / files, mean, sizeof mean);
    size_print(target, want, sizeof want);
    duration_print(rounded((double)target / ((double)bytes + 1) * (double)run_us), &wait);
    log_warn(
        "table %s: %" PRId64
        " files of %s each so far, and leat.files.target_size is %s: at this rate one such file takes %s "
        "to fill. Fewer files and fresh rows do not go together here: set leat.compact to true, and small files are merged; "
        "or raise leat.files.max_staleness (or the interval of leat.trigger); or lower the target",
        table->name, files, mean, want, wait.data);
    text_free(&wait);
    self->told = true;
}
