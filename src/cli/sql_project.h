/* sql_project.h - a project's tables under their names in a session: `leat sql DIR`.
 *
 * In       an opened project, which outlives the session
 * Out      relations: tables and materialized views of files, `_quarantine` and `<table>_late`, sources of files
 */
#ifndef CLI_SQL_PROJECT_H
#define CLI_SQL_PROJECT_H

#include "cli/project.h"

void sql_project_relations(struct sql_session *session, struct arena *arena, const struct project *project);

#endif
