/* path_set.h - a set of strings in order, owned. Zeroed = empty. A look costs log n; an add moves what is behind it. */
#ifndef BASE_PATH_SET_H
#define BASE_PATH_SET_H

#include <stdbool.h>
#include <stdint.h>

struct path_set {
    char **items; /* ascending */
    int32_t count, capacity;
};
bool path_set_has(const struct path_set *set, const char *path);
void path_set_add(struct path_set *set, const char *path);
void path_set_free(struct path_set *set);

#endif
