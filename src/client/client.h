/* client.h - Java's client options, as Spark takes them, to librdkafka's configuration.
 *
 * In       option names with their prefix `kafka.`, case ignored; others are passed over
 * Mapping  one table in kafka_client.c: the same name, another name, ignored with a note, leat's
 *          own, or refused with what to write instead. What the table does not know is asked of
 *          librdkafka. An option of the other kind of client has no effect, with a note, as in Java
 * Secrets  values of secret options never reach a message or a log
 * Fails    E_SPEC names the option and the nearest known one; E_UNSUPPORTED names the way out
 * Thread   any
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <librdkafka/rdkafka.h>

#include <stdbool.h>

#include "base/bytes.h"
#include "base/memory.h"

enum kafka_role { KAFKA_CONSUMER = 1, KAFKA_PRODUCER = 2 };
struct kafka_client_options {
    const char *const *names, *const *values;
    int32_t count;
};
/* What leat itself must know of the options. Strings live in the arena. */
struct kafka_client_facts {
    const char *bootstrap;
    const char *username, *password; /* SASL; "" when none */
    const char *group_id;            /* NULL when not given */
    bool read_uncommitted;
};

/* Put the options into `conf`, over what the caller set there as defaults; `facts` may be NULL. */
MUST_CHECK enum code kafka_client_conf(rd_kafka_conf_t *conf, enum kafka_role role,
                                       const struct kafka_client_options *options, struct arena *arena,
                                       struct kafka_client_facts *facts, struct error *err);
/* One option by itself, before a client is made: is there one of this name, and can it have this value? Logs nothing. */
MUST_CHECK enum code kafka_client_check(enum kafka_role role, const char *name, const char *value, struct error *err);
/* rd_kafka_conf_set_log_cb's: what is critical is a warning, the rest is for debugging. Any thread. */
void kafka_client_log(const rd_kafka_t *client, int level, const char *facility, const char *text);
/* What rd_kafka_conf_set_error_cb is given, as one should read it, over what `out` held. That all brokers are down says less
 * than what brought them down, so it never takes the place of that. */
void kafka_client_complaint(int error, const char *reason, char *out, size_t size);
/* Set one of librdkafka's own properties, which must be known and right. */
void kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
void kafka_conf_set_int(rd_kafka_conf_t *conf, const char *name, int64_t value);

/* The table of options as one of Markdown: name, of which kind of client, what becomes of it. */
void kafka_client_table(struct text *out);

/* The parts of sasl.jaas.config: `module required key="value" ...;` */
struct jaas {
    const char *module; /* class without its package */
    const char *username, *password, *keytab, *principal;
};
MUST_CHECK enum code jaas_parse(const char *text, struct arena *arena, struct jaas *out, struct error *err);

#endif
