/* kafka_client.c - the table of client options, and the few that take more than a new name. */
#include "client/client.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/log.h"

enum rule {
    SAME,    /* librdkafka takes it under this or under `other` name */
    KIB,     /* the same, but librdkafka counts KiB where Java counts bytes */
    IGNORED, /* means nothing here; `other` says why */
    OURS,    /* leat decides; `other` says what to use instead */
    REFUSED, /* cannot be done; `other` says what to do instead */
    KEPT,    /* read by kept_apply; `other`, where there is something to say */
};
struct client_option {
    const char *java;
    enum rule rule;
    const char *other;
    bool secret;
    enum kafka_role only; /* the kind of client that it means something to; 0 = both */
};

static const char *const java_store = "librdkafka reads no Java key stores: convert it with keytool -importkeystore "
                                      "-deststoretype PKCS12, or give PEM with kafka.ssl.truststore.type=PEM";

static const struct client_option table[] = {
    {"bootstrap.servers", KEPT, NULL, false, 0},
    {"group.id", KEPT,
     "shows a source's progress; of a sink: has its transaction's offsets, and must be this query's own", false, 0},
    {"isolation.level", KEPT, "read_committed unless it says read_uncommitted", false, KAFKA_CONSUMER},
    {"sasl.jaas.config", KEPT, NULL, true, 0},
    {"sasl.username", KEPT, "instead of `kafka.sasl.jaas.config`", true, 0},
    {"sasl.password", KEPT, "instead of `kafka.sasl.jaas.config`", true, 0},
    {"ssl.truststore.location", KEPT, "with `kafka.ssl.truststore.type` PEM", false, 0},
    {"ssl.truststore.type", KEPT, NULL, false, 0},
    {"ssl.truststore.password", IGNORED, "a PEM trust store has no password", true, 0},
    {"ssl.keystore.location", KEPT, "with `kafka.ssl.keystore.type` PEM or PKCS12", false, 0},
    {"ssl.keystore.type", KEPT, NULL, false, 0},
    {"ssl.keystore.password", SAME, NULL, true, 0},
    {"ssl.key.password", SAME, NULL, true, 0},
    {"ssl.key.pem", SAME, NULL, true, 0},
    {"ssl.truststore.certificates", SAME, "ssl.ca.pem", false, 0},
    {"ssl.keystore.certificate.chain", SAME, "ssl.certificate.pem", false, 0},
    {"ssl.keystore.key", SAME, "ssl.key.pem", true, 0},
    {"ssl.endpoint.identification.algorithm", KEPT, NULL, false, 0},
    {"security.protocol", SAME, NULL, false, 0},
    {"sasl.mechanism", SAME, NULL, false, 0},
    {"sasl.oauthbearer.client.secret", SAME, NULL, true, 0},
    {"sasl.oauthbearer.config", SAME, NULL, true, 0},
    {"sasl.kerberos.service.name", SAME, NULL, false, 0},
    {"fetch.max.wait.ms", SAME, "fetch.wait.max.ms", false, KAFKA_CONSUMER},
    {"fetch.max.bytes", SAME, NULL, false, KAFKA_CONSUMER},
    {"fetch.min.bytes", SAME, NULL, false, KAFKA_CONSUMER},
    {"max.partition.fetch.bytes", SAME, NULL, false, KAFKA_CONSUMER},
    {"receive.buffer.bytes", SAME, "socket.receive.buffer.bytes", false, 0},
    {"send.buffer.bytes", SAME, "socket.send.buffer.bytes", false, 0},
    {"request.timeout.ms", SAME, "socket.timeout.ms", false, 0},
    {"max.poll.records", IGNORED, "leat takes as many records as fit into a batch", false, KAFKA_CONSUMER},
    {"max.poll.interval.ms", IGNORED, "leat joins no group", false, KAFKA_CONSUMER},
    {"session.timeout.ms", IGNORED, "leat joins no group", false, KAFKA_CONSUMER},
    {"heartbeat.interval.ms", IGNORED, "leat joins no group", false, KAFKA_CONSUMER},
    {"default.api.timeout.ms", IGNORED, "leat retries by its own rule", false, 0},
    {"metric.reporters", IGNORED, "it names Java classes", false, 0},
    {"metrics.num.samples", IGNORED, "it belongs to the Java client", false, 0},
    {"metrics.sample.window.ms", IGNORED, "it belongs to the Java client", false, 0},
    {"client.dns.lookup", IGNORED, "librdkafka always tries all addresses", false, 0},
    {"exclude.internal.topics", IGNORED, "a pattern never matches internal topics", false, KAFKA_CONSUMER},
    {"ssl.protocol", IGNORED, "OpenSSL agrees on the newest version", false, 0},
    {"ssl.enabled.protocols", IGNORED, "OpenSSL agrees on the newest version", false, 0},
    {"auto.offset.reset", OURS, "use startingOffsets and failOnDataLoss", false, KAFKA_CONSUMER},
    {"enable.auto.commit", OURS, "leat commits with its own chain", false, KAFKA_CONSUMER},
    {"auto.commit.interval.ms", OURS, "leat commits with its own chain", false, KAFKA_CONSUMER},
    {"key.deserializer", OURS, "keys come as BINARY; use CAST or from_json", false, KAFKA_CONSUMER},
    {"value.deserializer", OURS, "values come as BINARY; use CAST or from_json", false, KAFKA_CONSUMER},
    {"key.serializer", OURS, "keys are written as they are; use CAST or to_json", false, KAFKA_PRODUCER},
    {"value.serializer", OURS, "values are written as they are; use CAST or to_json", false, KAFKA_PRODUCER},
    {"acks", KEPT, "must be all, if given", false, KAFKA_PRODUCER},
    {"enable.idempotence", KEPT, "must be true, if given", false, KAFKA_PRODUCER},
    {"linger.ms", SAME, NULL, false, KAFKA_PRODUCER},
    {"batch.size", SAME, NULL, false, KAFKA_PRODUCER},
    {"buffer.memory", KIB, "queue.buffering.max.kbytes", false, KAFKA_PRODUCER},
    {"max.request.size", SAME, "message.max.bytes", false, KAFKA_PRODUCER},
    {"compression.type", SAME, NULL, false, KAFKA_PRODUCER},
    {"compression.gzip.level", SAME, "compression.level", false, KAFKA_PRODUCER},
    {"compression.lz4.level", SAME, "compression.level", false, KAFKA_PRODUCER},
    {"compression.zstd.level", SAME, "compression.level", false, KAFKA_PRODUCER},
    {"delivery.timeout.ms", SAME, NULL, false, KAFKA_PRODUCER},
    {"transaction.timeout.ms", SAME, NULL, false, KAFKA_PRODUCER},
    {"max.in.flight.requests.per.connection", SAME, NULL, false, KAFKA_PRODUCER},
    {"retries", SAME, NULL, false, KAFKA_PRODUCER},
    {"transactional.id", OURS, "leat makes it from the id of the checkpoint", false, KAFKA_PRODUCER},
    {"partitioner", OURS, "rows go by the key's hash, or use the column `partition`", false, KAFKA_PRODUCER},
    {"partitioner.class", OURS, "it names a Java class; use the column `partition`", false, KAFKA_PRODUCER},
    {"partitioner.ignore.keys", OURS, "use the column `partition`", false, KAFKA_PRODUCER},
    {"delivery.report.only.error", OURS, "leat asks for what it needs", false, KAFKA_PRODUCER},
    {"max.block.ms", IGNORED, "leat.retry.limit says how long leat waits", false, KAFKA_PRODUCER},
    {"metadata.max.idle.ms", IGNORED, "librdkafka remembers the topics that it needs", false, KAFKA_PRODUCER},
    {"partitioner.adaptive.partitioning.enable", IGNORED, "it is the Java client's", false, KAFKA_PRODUCER},
    {"partitioner.availability.timeout.ms", IGNORED, "it is the Java client's", false, KAFKA_PRODUCER},
    {"retry.backoff.max.ms", IGNORED, "this librdkafka waits retry.backoff.ms between tries", false, 0},
    {"interceptor.classes", OURS, "it names Java classes", false, 0},
    {"partition.assignment.strategy", OURS, "leat reads every partition itself", false, KAFKA_CONSUMER},
    {"queued.min.messages", OURS, "leat.source.buffer bounds what is read ahead", false, KAFKA_CONSUMER},
    {"queued.max.messages.kbytes", OURS, "leat.source.buffer bounds it", false, KAFKA_CONSUMER},
    {"enable.partition.eof", OURS, "leat needs it on", false, KAFKA_CONSUMER},
    {"enable.auto.offset.store", OURS, "leat needs it off", false, KAFKA_CONSUMER},
    {"plugin.library.paths", REFUSED, "leat loads no foreign code", false, 0},
    {"sasl.login.class", REFUSED, "it names a Java class", false, 0},
    {"sasl.login.callback.handler.class", REFUSED, "it names a Java class", false, 0},
    {"sasl.client.callback.handler.class", REFUSED,
     "it names a Java class; AWS IAM needs a proxy that speaks SCRAM or TLS", false, 0},
    {"security.providers", REFUSED, "it names Java classes", false, 0},
};
enum { TABLE_COUNT = sizeof table / sizeof table[0], NAMES_MAX = 512, NAME_SIZE_MAX = 200 };

/* The options that belong together and are applied at the end. */
struct kept {
    const char *bootstrap, *group_id, *isolation, *jaas, *username, *password;
    const char *acks, *idempotence;
    const char *truststore, *truststore_type, *keystore, *keystore_type, *identification;
};

static const struct client_option *table_find(const char *name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (strcmp(table[i].java, name) == 0)
            return &table[i];
    return NULL;
}

void kafka_client_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    enum { SYSLOG_CRITICAL = 2 };
    (void)client;
    if (level <= SYSLOG_CRITICAL)
        log_warn("librdkafka: %s: %s", facility, text);
    else
        log_debug("librdkafka: %s: %s", facility, text);
}

void kafka_client_complaint(int error, const char *reason, char *out, size_t size)
{
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && out[0] != '\0')
        return;
    const char *tail = strstr(reason, " (after "); // "0ms in state CONNECT, 1 identical error(s) suppressed)"
    snprintf(out, size, "%.*s", (int)(tail != NULL ? (size_t)(tail - reason) : strlen(reason)), reason);
}

void kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        log_warn("librdkafka does not take %s: %s", name, text);
}

void kafka_conf_set_int(rd_kafka_conf_t *conf, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    kafka_conf_set(conf, name, text);
}

static enum code unknown(rd_kafka_conf_t *conf, const char *name, struct error *err)
{
    const char *names[NAMES_MAX];
    size_t count = 0, dump_count;
    const char **dump = rd_kafka_conf_dump(conf, &dump_count);
    for (size_t i = 0; i < TABLE_COUNT; i++)
        names[count++] = table[i].java;
    for (size_t i = 0; i < dump_count && count < NAMES_MAX; i += 2)
        names[count++] = dump[i];
    const char *near = nearest_word(name, names, count);
    enum code code =
        fail(err, E_SPEC, "unknown option kafka.%s%s%s%s", name, near == NULL ? "" : "; did you mean kafka.",
             near == NULL ? "" : near, near == NULL ? "" : "?");
    rd_kafka_conf_dump_free(dump, dump_count);
    return code;
}

static enum code pass_on(rd_kafka_conf_t *conf, const char *name, const struct client_option *row, const char *value,
                         struct error *err)
{
    char text[512];
    bool secret = row != NULL ? row->secret : strstr(name, "password") != NULL || strstr(name, "secret") != NULL;
    bool renamed = row != NULL && row->other != NULL && (row->rule == SAME || row->rule == KIB);
    const char *native = renamed ? row->other : name;
    switch (rd_kafka_conf_set(conf, native, value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK: return E_OK;
    case RD_KAFKA_CONF_UNKNOWN: return unknown(conf, name, err);
    default: return fail(err, E_SPEC, "option kafka.%s: %s", name, secret ? "librdkafka refuses the value" : text);
    }
}

static void keep(struct kept *kept, const char *name, const char *value)
{
    static const struct {
        const char *name;
        size_t offset;
    } places[] = {
        {"bootstrap.servers", offsetof(struct kept, bootstrap)},
        {"group.id", offsetof(struct kept, group_id)},
        {"isolation.level", offsetof(struct kept, isolation)},
        {"acks", offsetof(struct kept, acks)},
        {"enable.idempotence", offsetof(struct kept, idempotence)},
        {"sasl.jaas.config", offsetof(struct kept, jaas)},
        {"sasl.username", offsetof(struct kept, username)},
        {"sasl.password", offsetof(struct kept, password)},
        {"ssl.truststore.location", offsetof(struct kept, truststore)},
        {"ssl.truststore.type", offsetof(struct kept, truststore_type)},
        {"ssl.keystore.location", offsetof(struct kept, keystore)},
        {"ssl.keystore.type", offsetof(struct kept, keystore_type)},
        {"ssl.endpoint.identification.algorithm", offsetof(struct kept, identification)},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].name, name) == 0)
            memcpy((char *)kept + places[i].offset, &value, sizeof value);
}

/* At least one KiB, so that a small number of bytes does not become "no limit". */
static enum code kib_apply(rd_kafka_conf_t *conf, const char *name, const struct client_option *row, const char *value,
                           struct error *err)
{
    char text[32], *end;
    long long size = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || size < 1)
        return fail(err, E_SPEC, "option kafka.%s: write a number of bytes", name);
    snprintf(text, sizeof text, "%lld", size < 1024 ? 1 : size / 1024);
    return pass_on(conf, name, row, text, err);
}

static enum code option_apply(rd_kafka_conf_t *conf, enum kafka_role role, struct kept *kept, const char *name,
                              const char *value, struct error *err)
{
    const struct client_option *row = table_find(name);
    if (row == NULL)
        return pass_on(conf, name, NULL, value, err);
    if (row->only != 0 && row->only != role) {
        log_info("option kafka.%s has no effect: it is one of a %s", name,
                 row->only == KAFKA_PRODUCER ? "producer" : "consumer");
        return E_OK;
    }
    switch (row->rule) {
    case SAME: return pass_on(conf, name, row, value, err);
    case KIB: return kib_apply(conf, name, row, value, err);
    case IGNORED: log_info("option kafka.%s has no effect: %s", name, row->other); return E_OK;
    case OURS: return fail(err, E_SPEC, "option kafka.%s cannot be set: %s", name, row->other);
    case REFUSED: return fail(err, E_UNSUPPORTED, "option kafka.%s: %s", name, row->other);
    case KEPT: keep(kept, name, value); return E_OK;
    }
    return fail(err, E_BUG, "option kafka.%s has no rule", name);
}

static enum code login_apply(rd_kafka_conf_t *conf, struct kept *kept, struct arena *arena, struct error *err)
{
    struct jaas jaas = {0};
    if (kept->jaas != NULL)
        TRY(jaas_parse(kept->jaas, arena, &jaas, err));
    if (jaas.module != NULL && strcmp(jaas.module, "PlainLoginModule") != 0 &&
        strcmp(jaas.module, "ScramLoginModule") != 0 && strcmp(jaas.module, "Krb5LoginModule") != 0)
        return fail(
            err, E_UNSUPPORTED,
            "kafka.sasl.jaas.config: %s is not known here; PlainLoginModule, ScramLoginModule and Krb5LoginModule are",
            jaas.module);
    if (kept->username == NULL)
        kept->username = jaas.username;
    if (kept->password == NULL)
        kept->password = jaas.password;
    const char *const pairs[][2] = {{"sasl.username", kept->username},
                                    {"sasl.password", kept->password},
                                    {"sasl.kerberos.keytab", jaas.keytab},
                                    {"sasl.kerberos.principal", jaas.principal}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i][1] != NULL)
            TRY(pass_on(conf, pairs[i][0], table_find("sasl.password"), pairs[i][1],
                        err)); // all four as secrets
    return E_OK;
}

static bool is_type(const char *type, const char *wanted) { return type != NULL && strcasecmp(type, wanted) == 0; }

static enum code files_apply(rd_kafka_conf_t *conf, const struct kept *kept, struct error *err)
{
    if (kept->truststore != NULL && !is_type(kept->truststore_type, "PEM"))
        return fail(err, E_UNSUPPORTED, "option kafka.ssl.truststore.location: %s", java_store);
    if (kept->truststore != NULL)
        TRY(pass_on(conf, "ssl.ca.location", NULL, kept->truststore, err));
    if (kept->keystore != NULL && is_type(kept->keystore_type, "PEM")) {
        TRY(pass_on(conf, "ssl.certificate.location", NULL, kept->keystore, err));
        TRY(pass_on(conf, "ssl.key.location", NULL, kept->keystore, err));
    } else if (kept->keystore != NULL) {
        if (!is_type(kept->keystore_type, "PKCS12"))
            return fail(err, E_UNSUPPORTED, "option kafka.ssl.keystore.location: %s", java_store);
        TRY(pass_on(conf, "ssl.keystore.location", NULL, kept->keystore, err));
    }
    /* Java checks host names unless this is empty; librdkafka 2.0.2 does only when told to. */
    const char *check = kept->identification == NULL ? "https" : kept->identification;
    return pass_on(conf, "ssl.endpoint.identification.algorithm", NULL, *check == '\0' ? "none" : check, err);
}

/* What leat writes is neither lost nor doubled by a retry, whatever was asked for. */
static enum code safety_check(const struct kept *kept, struct error *err)
{
    bool all = kept->acks == NULL || strcmp(kept->acks, "all") == 0 || strcmp(kept->acks, "-1") == 0;
    if (!all)
        return fail(err, E_SPEC, "option kafka.acks=%s: what leat writes must not get lost, which needs all",
                    kept->acks);
    if (kept->idempotence != NULL && strcasecmp(kept->idempotence, "true") != 0)
        return fail(err, E_SPEC, "option kafka.enable.idempotence=%s: a retry must not write twice, so it must be true",
                    kept->idempotence);
    return E_OK;
}

static enum code kept_apply(rd_kafka_conf_t *conf, enum kafka_role role, struct kept *kept, struct arena *arena,
                            struct error *err)
{
    if (kept->bootstrap == NULL)
        return fail(err, E_SPEC,
                    "option kafka.bootstrap.servers is missing; it names the brokers, like localhost:9092");
    TRY(pass_on(conf, "bootstrap.servers", NULL, kept->bootstrap, err));
    if (kept->group_id != NULL && role == KAFKA_CONSUMER)
        TRY(pass_on(conf, "group.id", NULL, kept->group_id, err));
    if (kept->isolation != NULL)
        TRY(pass_on(conf, "isolation.level", NULL, kept->isolation, err));
    TRY(safety_check(kept, err));
    TRY(login_apply(conf, kept, arena, err));
    return files_apply(conf, kept, err);
}

/* "kafka.Fetch.Min.Bytes" -> "fetch.min.bytes"; false when the option is not the client's. */
static bool client_name(const char *name, char *out)
{
    if (strncasecmp(name, "kafka.", 6) != 0)
        return false;
    size_t size = 0;
    for (name += 6; *name != '\0' && size < NAME_SIZE_MAX - 1; name++)
        out[size++] = (char)tolower((unsigned char)*name);
    out[size] = '\0';
    return true;
}

enum code kafka_client_conf(rd_kafka_conf_t *conf, enum kafka_role role, const struct kafka_client_options *options,
                            struct arena *arena, struct kafka_client_facts *facts, struct error *err)
{
    char name[NAME_SIZE_MAX];
    struct kept kept = {0};
    for (int32_t i = 0; i < options->count; i++)
        if (client_name(options->names[i], name) && options->values[i][0] != '\0')
            TRY(option_apply(conf, role, &kept, name, options->values[i], err));
    TRY(kept_apply(conf, role, &kept, arena, err));
    if (facts != NULL)
        *facts = (struct kafka_client_facts){
            .bootstrap = arena_strdup(arena, kept.bootstrap),
            .username = arena_strdup(arena, kept.username == NULL ? "" : kept.username),
            .password = arena_strdup(arena, kept.password == NULL ? "" : kept.password),
            .group_id = kept.group_id == NULL ? NULL : arena_strdup(arena, kept.group_id),
            .read_uncommitted = kept.isolation != NULL && strcmp(kept.isolation, "read_uncommitted") == 0,
        };
    return E_OK;
}

enum code kafka_client_check(enum kafka_role role, const char *name, const char *value, struct error *err)
{
    char own[NAME_SIZE_MAX];
    struct kept kept = {0};
    if (!client_name(name, own))
        return E_OK;
    const struct client_option *row = table_find(own);
    if (row != NULL && (row->rule == IGNORED || (row->only != 0 && row->only != role)))
        return E_OK;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum code code = option_apply(conf, role, &kept, own, value, err);
    rd_kafka_conf_destroy(conf);
    return code;
}

/* ---- the table, for people ---- */

static void fate_print(const struct client_option *row, struct text *out)
{
    switch (row->rule) {
    case SAME:
        if (row->other != NULL)
            text_printf(out, "librdkafka's `%s`", row->other);
        else
            text_add_string(out, "as in Java");
        break;
    case KIB: text_printf(out, "librdkafka's `%s`, counted in KiB", row->other); break;
    case IGNORED: text_printf(out, "no effect: %s", row->other); break;
    case OURS:
    case REFUSED: text_printf(out, "refused: %s", row->other); break;
    case KEPT: text_add_string(out, row->other != NULL ? row->other : "as in Java"); break;
    }
}

void kafka_client_table(struct text *out)
{
    text_add_string(out, "\n| option | of | here |\n|---|---|---|\n");
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct client_option *row = &table[i];
        text_printf(out, "| `kafka.%s` | %s | ", row->java,
                    row->only == 0                ? "source, sink"
                    : row->only == KAFKA_PRODUCER ? "sink"
                                                  : "source");
        fate_print(row, out);
        text_add_string(out, " |\n");
    }
}
