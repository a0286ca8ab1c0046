/* query_kit.h - what the tests of query/ share: a script of statements in, the last one's answer out.
 *
 * An answer is its rows, a line each, columns joined by ", "; or "[CONDITION]" of the statement that failed. */
#ifndef QUERY_KIT_H
#define QUERY_KIT_H

#include <stddef.h>

void check_answer(const char *file, int line, const char *script, size_t memory_bytes, const char *want);
enum { KIT_MEMORY_BYTES = 64 * 1024 * 1024 };
#define CHECK_ANSWER(script, want) check_answer(__FILE__, __LINE__, (script), KIT_MEMORY_BYTES, (want))
/* With a ceiling of its own on what the rows may take. */
#define CHECK_ANSWER_WITHIN(memory_bytes, script, want) \
    check_answer(__FILE__, __LINE__, (script), (memory_bytes), (want))
/* The answer is the same when little memory makes rows go to disk. */
void check_spills(const char *file, int line, const char *script, size_t memory_bytes);
#define CHECK_SPILLS(memory_bytes, script) check_spills(__FILE__, __LINE__, (script), (memory_bytes))
/* A query of many seconds ends soon after it was asked to. */
void check_stops(const char *file, int line, const char *script, size_t memory_bytes);
/* Of CPU time; without sanitizers it is a fraction of this. That of threads costs most. */
#ifdef __SANITIZE_THREAD__
enum { KIT_STOP_MOST_US = 10000000 };
#else
enum { KIT_STOP_MOST_US = 1000000 };
#endif
#define CHECK_STOPS(script) check_stops(__FILE__, __LINE__, (script), (size_t)2 << 30)

#endif
