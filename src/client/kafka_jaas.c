/* kafka_jaas.c - read Java's login configuration, the form in which Kafka users keep their
 * password.
 *
 * Grammar  class-name flag (name = value)* ';'    value: "..", '..' or a bare word; \ escapes
 *          inside quotes
 * Spec     javax.security.auth.login.Configuration
 */
#include "client/client.h"

#include <ctype.h>
#include <string.h>

#include "base/bytes.h"

enum { JAAS_WORD_MAX = 4096 };

static const char *blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* The word at `at`, unquoted, into the arena; NULL when there is none or it has no end. */
static const char *word_take(const char *at, struct arena *arena, const char **out)
{
    at = blanks(at);
    struct text word = {.limit = JAAS_WORD_MAX};
    char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
    for (; *at != '\0'; at++) {
        if (quote != '\0' ? *at == quote : isspace((unsigned char)*at) || *at == '=' || *at == ';')
            break;
        if (quote != '\0' && *at == '\\' && at[1] != '\0')
            at++;
        text_add_char(&word, *at);
    }
    bool good = quote != '\0' ? *at == quote : word.size > 0;
    if (good)
        *out = arena_strndup(arena, word.data == NULL ? "" : word.data, word.size);
    good &= !word.overflow;
    text_free(&word);
    return good ? at + (quote != '\0') : NULL;
}

static void option_store(struct jaas *jaas, const char *name, const char *value)
{
    if (strcmp(name, "username") == 0)
        jaas->username = value;
    else if (strcmp(name, "password") == 0)
        jaas->password = value;
    else if (strcasecmp(name, "keyTab") == 0)
        jaas->keytab = value;
    else if (strcmp(name, "principal") == 0)
        jaas->principal = value;
}

/* The text may hold a password, so no message repeats any of it. */
static enum code broken(struct error *err)
{
    return fail(err, E_SPEC,
                "kafka.sasl.jaas.config cannot be read; it looks like: "
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"..\" password=\"..\";");
}

enum code jaas_parse(const char *text, struct arena *arena, struct jaas *out, struct error *err)
{
    struct jaas jaas = {0};
    const char *flag, *at = word_take(text, arena, &jaas.module);
    if (at == NULL || (at = word_take(at, arena, &flag)) == NULL)
        return broken(err);
    const char *dot = strrchr(jaas.module, '.');
    if (dot != NULL)
        jaas.module = dot + 1;
    while (*(at = blanks(at)) != ';') {
        const char *name, *value;
        at = word_take(at, arena, &name);
        if (at == NULL || *(at = blanks(at)) != '=')
            return broken(err);
        at = word_take(at + 1, arena, &value);
        if (at == NULL)
            return broken(err);
        option_store(&jaas, name, value);
    }
    *out = jaas;
    return E_OK;
}
