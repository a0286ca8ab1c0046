/* run.h - `leat run`: drive a loaded project, show its progress, turn its end into an exit code. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <stdbool.h>

struct project;
int run_project(const struct project *project, bool once, bool accept);

#endif
