/* elsewhere.c - statements of Delta Lake, of Databricks and of databases that leat has in another place: what to do instead. */
#include <strings.h>

#include "sql/parser.h"

struct elsewhere {
    const char *first, *then; /* words: at the statement's begin, and where the error is; then NULL: first itself */
    const char *in_session, *in_project; /* NULL: the parser's own hint */
};

static const char of_sources[] = "nothing changes rows but a project: they are what its SQL makes of its sources";
static const char of_projects[] =
    "tables that go on being filled are a project's: leat init NAME makes one, leat run fills it";
static const char spark_words[] = "Spark's words are CREATE STREAMING TABLE and CREATE MATERIALIZED VIEW";
static const char no_users[] = "leat has no users: who may read a folder may read its tables";
static const char vacuum[] = "leat vacuum DIR removes files that Delta tables no longer have";

// clang-format off
static const struct elsewhere elsewhere[] = {
    {"ALTER", NULL, "a project's tables are what its SQL says: change that, and leat plan tells what becomes of the rows",
     "change what CREATE says: leat plan tells what becomes of the rows"},
    {"APPLY", NULL, of_projects, "leat.dedup keeps the first row of a key; a materialized view can keep the last"},
    {"COPY", NULL, "read files with SELECT * FROM csv.`path`, or give a project a source of them",
     "FROM STREAM read_files('file:///data/in', format => 'csv', schema => '..') reads files as they come"},
    {"CREATE", "FLOW", of_projects, NULL},
    {"CREATE", "FUNCTION", NULL, "functions in SQL are leat sql's; a project says the same by a TEMPORARY VIEW with a column of that expression"},
    {"CREATE", "LIVE", of_projects, spark_words},
    {"CREATE", "MATERIALIZED", of_projects, NULL},
    {"CREATE", "STREAMING", of_projects, NULL},
    {"DECLARE", NULL, NULL, "${name} in the SQL stands for a setting of the spec, or of --set name=value"},
    {"DELETE", NULL, of_sources, of_sources},
    {"DESC", "DETAIL", "DESCRIBE t gives the columns; what a Delta table is else stands in its _delta_log", NULL},
    {"DESC", "HISTORY", "leat audit DIR tells what a project has committed; the versions of a Delta table are the files in _delta_log", NULL},
    {"DESCRIBE", "DETAIL", "DESCRIBE t gives the columns; what a Delta table is else stands in its _delta_log", NULL},
    {"DESCRIBE", "HISTORY", "leat audit DIR tells what a project has committed; the versions of a Delta table are the files in _delta_log", NULL},
    {"DROP", NULL, NULL, "leave its CREATE out: leat writes it no longer, and its files stay where they are"},
    {"GRANT", NULL, no_users, no_users},
    {"INSERT", "DIRECTORY", "leat sql prints rows, with --format csv or json; files are written by a project's tables", NULL},
    {"INSERT", NULL, NULL, "a further query for a table is CREATE FLOW name AS INSERT INTO table BY NAME SELECT .."},
    {"MERGE", NULL, "nothing changes rows but a project: leat.dedup or a materialized view keeps one row a key",
     "leat.dedup or a materialized view keeps one row a key"},
    {"OPTIMIZE", NULL, "leat compact DIR merges the small files of a project's tables", "leat.compact merges small files while leat runs"},
    {"RESTORE", NULL, "delta.`path` WITH (versionAsOf = 3) reads an old version; none is made the newest again", NULL},
    {"REVOKE", NULL, no_users, no_users},
    {"SHOW", "CREATE", "DESCRIBE t gives columns and types", NULL},
    {"SHOW", "PARTITIONS", "folders name=value are columns: SELECT DISTINCT name FROM t", NULL},
    {"SHOW", "TBLPROPERTIES", "a project's SQL has them; DESCRIBE t gives columns and types", NULL},
    {"UPDATE", NULL, of_sources, of_sources},
    {"VACUUM", NULL, vacuum, vacuum},
};
// clang-format on

static bool token_is(const struct parser *self, int32_t index, const char *word)
{
    if (index < 0 || index >= self->count)
        return false;
    const struct token *token = &self->tokens[index];
    size_t size = strlen(word);
    return (size_t)(token->end - token->start) == size &&
           strncasecmp((const char *)self->file->text.data + token->start, word, size) == 0;
}

static int32_t statement_start(const struct parser *self)
{
    int32_t start = self->at;
    while (start > 0 && self->tokens[start - 1].symbol != SYM_SEMICOLON)
        start--;
    return start;
}

enum { NEAR_TOKENS = 3 }; // CREATE OR REPLACE TEMPORARY FUNCTION

/* The second word is what the parser stumbled over, or stands near that. */
static bool is_meant(const struct parser *self, const struct elsewhere *e, int32_t start)
{
    if (!token_is(self, start, e->first))
        return false;
    if (e->then == NULL)
        return self->at == start;
    for (int32_t i = self->at - 1; i <= self->at + NEAR_TOKENS; i++)
        if (i > start && token_is(self, i, e->then))
            return true;
    return false;
}

const char *elsewhere_hint(const struct parser *self)
{
    int32_t start = statement_start(self);
    bool session = self->identifiers != NULL;
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (is_meant(self, &elsewhere[i], start))
            return session ? elsewhere[i].in_session : elsewhere[i].in_project;
    return NULL;
}

enum code statement_refuse(struct parser *self, const char *what)
{
    fail(self->err, E_UNSUPPORTED, "[UNSUPPORTED_FEATURE] leat cannot do this yet: %s", what);
    return message_at(self->notes, position_here(self), elsewhere_hint(self), self->err);
}
