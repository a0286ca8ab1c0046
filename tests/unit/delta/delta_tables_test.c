/* Every table of the conformance data: its version and its rows, or the feature for which it is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "base/os.h"
#include "delta/delta_internal.h"
#include "format/format.h"
#include "kit.h"

enum { NOT_COUNTED = -1 };

struct expected {
    const char *path;
    int64_t version, rows; /* version -1: refused */
    bool log_only;         /* rows are counted from the log's statistics */
    const char *refused;
};
static const struct expected tables[] = {
    {"tables/app-txn-checkpoint", 1, 22, false, NULL},
    {"tables/app-txn-no-checkpoint", 1, 22, false, NULL},
    {"tables/app-txn-with-last-updated", 3, 8, true, NULL},
    {"tables/cdc_ict_table", 3, 2, false, NULL},
    {"tables/cdf-table", 3, 9, false, NULL},
    {"tables/cdf-table-non-partitioned", 4, 11, false, NULL},
    {"tables/cdf-table-with-cdc-and-dvs", 25, 5, false, NULL},
    {"tables/checkpoint-cdf-table", 5, 13, false, NULL},
    {"tables/checkpoint-v2-table", 9, 44, false, NULL},
    {"tables/checkpoint_with_partitions", 2, NOT_COUNTED, true, NULL},
    {"tables/checkpoints", 12, 12, true, NULL},
    {"tables/checkpoints_vacuumed", 12, 12, true, NULL},
    {"tables/concurrent_workers", 0, 0, false, NULL},
    {"tables/delta-0.2.0", 3, 6, false, NULL},
    {"tables/delta-0.8-empty", 1, 0, false, NULL},
    {"tables/delta-0.8.0", 1, 4, false, NULL},
    {"tables/delta-0.8.0-date", 0, 5, false, NULL},
    {"tables/delta-0.8.0-null-partition", 0, 2, false, NULL},
    {"tables/delta-0.8.0-numeric-partition", 0, 2, false, NULL},
    {"tables/delta-0.8.0-partitioned", 0, 7, false, NULL},
    {"tables/delta-0.8.0-special-partition", 0, 2, false, NULL},
    {"tables/delta-1.2.1-only-struct-stats", 12, 12, false, NULL},
    {"tables/delta-2.2.0-partitioned-types", 0, 3, false, NULL},
    {"tables/delta-checkpoint-stats-optional", 2, 2, false, NULL},
    {"tables/delta-live-table", 1, 0, false, NULL},
    {"tables/delta-stats-optional", 2, 2, false, NULL},
    {"tables/golden/data-reader-array-primitives", 0, 10, false, NULL},
    {"tables/http_requests", 1, 1581, false, NULL},
    {"tables/issue-2152", 0, 0, false, NULL},
    {"tables/issue_1374", 1, 20, false, NULL},
    {"tables/latest_not_checkpointed", 3, 5, true, NULL},
    {"tables/partition-type-primitives", 0, 16, false, NULL},
    {"tables/python-0.25.5-checkpoint", 1, 6, false, NULL},
    {"tables/simple_commit", 0, 0, false, NULL},
    {"tables/simple_table", 4, 3, false, NULL},
    {"tables/simple_table_features", -1, 0, false, "a reader of version 5"},
    {"tables/simple_table_with_cdc", 2, 1, false, NULL},
    {"tables/simple_table_with_checkpoint", 10, 11, false, NULL},
    {"tables/spark-shredded-variant-preview-delta", 2, 102, false, NULL},
    {"tables/spark-variant-checkpoint", 2, 102, false, NULL},
    {"tables/spark-variant-stable-feature-checkpoint", 1, 20000, true, NULL},
    {"tables/table-with-domain-metadata", 108, 436, true, NULL},
    {"tables/table-with-dv-small", 1, 8, false, NULL},
    {"tables/table-without-dv-small", 0, 10, false, NULL},
    {"tables/table_failed_last_checkpoint_update", 3, 20, false, NULL},
    {"tables/table_with_column_mapping", 0, 5, false, NULL},
    {"tables/table_with_deletion_logs", 20, 98, false, NULL},
    {"tables/table_with_edge_timestamps", 0, 2, false, NULL},
    {"tables/table_with_liquid_clustering", 0, 10, false, NULL},
    {"tables/table_with_null_stats_in_notnull_struct", 1, 2, false, NULL},
    {"tables/table_with_partitioning_mapping", 4, 2, false, NULL},
    {"tables/with_checkpoint_no_last_checkpoint", 3, 5, true, NULL},
    {"err-logs/table_a", 13, 130, true, NULL},
    {"err-logs/table_b", 13, 130, true, NULL},
    {"err-logs/table_c", -1, 0, false, "version 12 of the log is missing"},
    {"err-logs/table_d", -1, 0, false, "catalogOwned"},
    {"err-logs/table_e", -1, 0, false, "catalogOwned"},
    {"err-logs/table_f", -1, 0, false, "catalogOwned"},
    {"err-logs/table_g", 9999, 100, true, NULL},
    {"err-logs/table_h", -1, 0, false, "catalogOwned"},
    {"err-logs/table_i", -1, 0, false, "catalogOwned"},
};

static struct budget budget = {.limit_bytes = 256 << 20};

/* ---- rows of data files ---- */

static int64_t file_rows(struct store *store, const struct delta_file *file)
{
    char path[DELTA_PATH_SIZE];
    struct error err = {0};
    struct parquet_reader *reader = NULL;
    int64_t size_bytes = 0, rows = 0, *gone = NULL, gone_count = 0;
    CHECK_INT(delta_path(file->path, store_root(store), path, &err), E_OK);
    CHECK_INT(store_size(store, path, &size_bytes, &err), E_OK);
    struct store_file where = {store, path};
    const struct parquet_input input = {path, size_bytes, &where, store_file_read};
    if (parquet_reader_new(&input, &budget, &reader, &err) != E_OK)
        kit_fail(__FILE__, __LINE__, "%s: %s", path, err.text);
    else
        rows = parquet_reader_rows(reader);
    parquet_reader_free(reader);
    if (file->vector.storage != '\0') {
        if (delta_vector_read(&file->vector, store, &budget, &gone, &gone_count, &err) != E_OK)
            kit_fail(__FILE__, __LINE__, "%s: %s", path, err.text);
        for (int64_t i = 0; i < gone_count; i++)
            CHECK(gone[i] >= 0 && gone[i] < rows);
        mem_free(gone);
    }
    return rows - gone_count;
}

/* ---- rows that the log tells ---- */

struct told {
    struct arena arena;
    struct delta_set set;
};

static enum code told_visit(void *context, int64_t version, const struct delta_action *action, struct error *err)
{
    struct told *self = context;
    (void)version;
    if (action->kind != DELTA_ADD && action->kind != DELTA_REMOVE)
        return E_OK;
    return delta_set_put(&self->set, &action->file, action->kind == DELTA_ADD, err);
}

static int64_t told_rows(struct store *store, int64_t version)
{
    struct told told = {0};
    struct delta_listing listing = {0};
    struct error err = {0};
    int64_t rows = 0;
    const struct delta_visitor visitor = {.visit = told_visit, .context = &told, .whole_files = true};
    told.set = (struct delta_set){.arena = &told.arena, .budget = &budget};
    CHECK_INT(delta_listing_read(store, &listing, &err), E_OK);
    CHECK_INT(delta_replay(store, &listing, version, &budget, &visitor, &err), E_OK);
    for (int32_t i = 0; i < told.set.count; i++) {
        const char *stats = told.set.entries[i].file.stats;
        const char *at = stats != NULL ? strstr(stats, "\"numRecords\":") : NULL;
        rows += told.set.entries[i].active && at != NULL ? strtoll(at + 13, NULL, 10) : 0;
    }
    delta_set_free(&told.set);
    arena_free(&told.arena);
    delta_listing_free(&listing);
    return rows;
}

/* ---- the tables ---- */

static void table_read(const struct expected *table, struct store *store)
{
    const struct delta_at newest = {.version = -1};
    struct delta_snapshot *snapshot = NULL;
    struct error err = {0};
    enum code code = delta_snapshot_open(store, &newest, &budget, &snapshot, &err);
    if (table->version < 0) {
        if (code == E_OK || strstr(err.text, table->refused) == NULL)
            kit_fail(__FILE__, __LINE__, "%s is not refused for %s: %s", table->path, table->refused, err.text);
        delta_snapshot_free(snapshot);
        return;
    }
    if (code != E_OK) {
        kit_fail(__FILE__, __LINE__, "%s: %s", table->path, err.text);
        return;
    }
    int64_t rows = 0;
    struct arena arena = {0};
    struct delta_schema schema;
    for (int32_t i = 0; !table->log_only && i < snapshot->file_count; i++)
        rows += file_rows(store, &snapshot->files[i]);
    if (table->log_only)
        rows = told_rows(store, snapshot->version);
    if (snapshot->version != table->version || (table->rows != NOT_COUNTED && rows != table->rows))
        kit_fail(__FILE__, __LINE__, "%s: version %" PRId64 ", %" PRId64 " rows; expected %" PRId64 ", %" PRId64,
                 table->path, snapshot->version, rows, table->version, table->rows);
    CHECK_INT(delta_schema_parse(&snapshot->metadata, &arena, &schema, &err), E_OK);
    for (int32_t i = 0; i < schema.count; i++)
        if (schema.columns[i].type == NULL || schema.columns[i].stored_type == NULL)
            kit_fail(__FILE__, __LINE__, "%s: column %s has no type", table->path, schema.columns[i].name);
    arena_free(&arena);
    delta_snapshot_free(snapshot);
}

TEST(all_tables_are_read_or_refused_by_name)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char name[256];
        struct store *store = NULL;
        struct error err = {0};
        snprintf(name, sizeof name, "delta/%s", tables[i].path);
        const char *path = kit_conformance(name);
        if (path == NULL)
            return;
        CHECK_INT(store_look(path, &store, &err), E_OK);
        table_read(&tables[i], store);
        store_close(store);
        CHECK_INT(budget.used_bytes, 0);
    }
}
