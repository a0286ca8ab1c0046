#include "sink/transaction.h"

#include <string.h>
#include <strings.h>

static const struct transaction_type *installed;

const struct transaction_type *transaction_type(void) { return installed != NULL ? installed : &kafka_transaction; }

void transaction_install(const struct transaction_type *fake) { installed = fake; }

const char *transaction_option(const char *const *names, const char *const *values, int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0 && values[i][0] != '\0')
            return values[i];
    return NULL;
}

/* The next "host:port" of a list, without blanks around it. */
static bool server_next(const char **at, struct bytes *out)
{
    *at += strspn(*at, ", \t");
    size_t size = strcspn(*at, ", \t");
    *out = bytes_of(*at, size);
    *at += size;
    return size > 0;
}

bool transaction_same_cluster(const char *bootstrap, const char *other)
{
    struct bytes a, b;
    for (const char *left = bootstrap; server_next(&left, &a);)
        for (const char *right = other; server_next(&right, &b);)
            if (a.size == b.size && strncasecmp((const char *)a.data, (const char *)b.data, a.size) == 0)
                return true;
    return false;
}

const char *transaction_group(const struct transaction_spec *spec, struct arena *arena)
{
    const char *named =
        transaction_option(spec->option_names, spec->option_values, spec->option_count, "kafka.group.id");
    return named != NULL ? arena_strdup(arena, named) : arena_printf(arena, "leat-%.8s", spec->query_id);
}
