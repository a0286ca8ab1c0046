/* command_quarantine.c - `leat quarantine`: what is in quarantine, why, and how it comes back. */
#include <string.h>

#include "cli/project_flags.h"
#include "cli/quarantine.h"

struct command_flags {
    struct project_flags project;
    struct quarantine_flags quarantine;
};
#define AT(member) offsetof(struct command_flags, quarantine.member)
static const struct option quarantine_options[] = {
    {.name = "where",
     .kind = OPTION_STRING,
     .help = "SQL condition over the columns of a quarantine, such as \"offset > 1000 AND field = 'amount'\"",
     .offset = AT(where)},
    {.name = "table", .kind = OPTION_STRING, .help = "only rows that this table lost", .offset = AT(table)},
    {.name = "reason", .kind = OPTION_STRING, .help = "only rows with this reason", .offset = AT(reason)},
    {.name = "limit",
     .kind = OPTION_INT,
     .initial = "20",
     .max = 1000000000,
     .help = "show: most rows; 0 = all",
     .offset = AT(limit)},
    {.name = "format",
     .kind = OPTION_ENUM,
     .choices = "table|json|csv",
     .initial = "table",
     .help = "json: an object a line; csv: show alone",
     .offset = AT(format)},
    {.name = "with",
     .kind = OPTION_STRING,
     .help = "replay: file with a SELECT that repairs the rows",
     .offset = AT(with)},
    {.name = "dry-run",
     .kind = OPTION_BOOLEAN,
     .initial = "false",
     .help = "replay: say what would be replayed",
     .offset = AT(dry_run)},
    PROJECT_FLAGS(struct command_flags, project),
    {0},
};

static const struct {
    const char *name;
    enum code (*run)(const struct project *project, const struct quarantine_flags *flags, struct error *err);
} actions[] = {{"list", quarantine_list}, {"show", quarantine_show}, {"replay", quarantine_replay}};
enum { ACTIONS = sizeof actions / sizeof *actions };

static int action_of(const char *word)
{
    for (int i = 0; i < ACTIONS; i++)
        if (strcmp(word, actions[i].name) == 0)
            return i;
    return -1;
}

/* DIR and the action, in either order; both may be left out. */
static enum code words_read(struct command_line *line, int *action, struct error *err)
{
    const char **rest = arena_array(line->arena, const char *, (size_t)line->argument_count + 1);
    int32_t count = 0;
    *action = -1;
    for (int32_t i = 0; i < line->argument_count; i++) {
        int found = action_of(line->arguments[i]);
        if (found >= 0 && *action < 0)
            *action = found;
        else
            rest[count++] = line->arguments[i];
    }
    if (count > 1) {
        const char *names[ACTIONS];
        for (int i = 0; i < ACTIONS; i++)
            names[i] = actions[i].name;
        const char *near = nearest_word(rest[1], names, ACTIONS);
        return fail(err, E_USAGE,
                    "leat quarantine takes a folder and one of list, show and replay; %s is neither%s%s%s", rest[1],
                    near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
    }
    *action = *action < 0 ? 0 : *action;
    line->arguments = rest;
    line->argument_count = count;
    return E_OK;
}

static enum code format_check(const struct quarantine_flags *flags, int action, struct error *err)
{
    if (flags->format == QUARANTINE_AS_CSV && actions[action].run != quarantine_show)
        return fail(err, E_USAGE, "--format csv: only show has it, leat quarantine DIR show --format csv");
    return E_OK;
}

struct work {
    const struct quarantine_flags *flags;
    int action;
};

static int action_do(const struct project *project, const void *settings)
{
    const struct work *work = settings;
    struct error err = {0};
    enum code code = actions[work->action].run(project, work->flags, &err);
    return code == E_OK ? EXIT_OK : report(&err);
}

static int quarantine_run(const struct command_line *given)
{
    struct command_line line = *given;
    const struct command_flags *flags = line.settings;
    struct work work = {.flags = &flags->quarantine};
    struct error err = {0};
    if (words_read(&line, &work.action, &err) != E_OK || format_check(work.flags, work.action, &err) != E_OK)
        return report(&err);
    return project_with(&line, &flags->project, &work, action_do);
}

const struct command quarantine_command = {
    .name = "quarantine",
    .arguments = "[DIR] [list|show|replay]",
    .help = "rows that failed: how many and why, one by one, and back into the tables once they are repaired",
    .examples = "  leat quarantine shop                                   how many, why, since when\n"
                "  leat quarantine shop show --reason CAST_INVALID_INPUT --limit 5\n"
                "  leat quarantine shop show --where \"partition = 3 AND offset BETWEEN 100 AND 200\" --format json\n"
                "  leat quarantine shop replay --table silver             as they are: the SQL was mended\n"
                "  leat quarantine shop replay --with repair.sql          repaired, for example by\n"
                "      SELECT id, replace(CAST(value AS STRING), '12,50', '12.50') AS value FROM quarantine\n",
    .notes =
        "A replayed record goes only where it was lost: the node that rejected it and all behind it, with its topic,\n"
        "partition, offset and timestamp; of an exploded record only the row that failed. It counts once, also when\n"
        "replay is asked twice; the ledger has it as `replayed`. When it fails again it is in quarantine again, with one\n"
        "attempt more. A running pipeline takes a replay up with its next epoch.\n",
    .options = quarantine_options,
    .size = sizeof(struct command_flags),
    .arguments_max = 2,
    .run = quarantine_run,
};
