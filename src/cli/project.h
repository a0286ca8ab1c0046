/* project.h - load a project for a command: session, pipeline, problems printed. Shared by check and run. */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "sql/sql.h"

struct project {
    struct arena arena;
    struct session session; /* spark.sql.session.timeZone, spark.sql.ansi.enabled of the spec */
    const struct pipeline *pipeline;
    struct run_settings settings;
    struct problems problems;
};
struct project_request {
    const char *directory, *env_file;
    const struct setting *sets; /* --set K=V */
    int32_t set_count;
};
/* 0, or the exit code after the problems were printed on stderr. */
int project_open(struct project *project, const struct project_request *request);
/* On stderr: what is no error and yet is hardly meant. */
void project_warn(const struct project *project);
void project_close(struct project *project);

#endif
