/* Numbers of requests for a replay: none is given twice, and one that was removed is told. */
#include "runtime/replayed.h"

#include <stdio.h>

#include "kit.h"
#include "runtime/chain.h"
#include "store/store.h"

TEST(a_removed_request_is_told_and_its_number_not_reused)
{
    char folder[300], path[REPLAY_PATH_MAX];
    struct arena arena = {0};
    struct error err = {0};
    struct store *store;
    struct chain *chain;
    struct batch none;
    struct replayed replayed;
    snprintf(folder, sizeof folder, "%s", kit_tmpdir());
    CHECK(store_open(folder, &store, &err) == E_OK);
    CHECK(chain_open(store, "0", "orders", &chain, &err) == E_OK);
    chain_close(chain);
    batch_init(&none, replay_schema(&arena), 0);
    for (int32_t c = 0; c < none.schema->field_count; c++)
        column_all_null(&none.columns[c], none.schema->fields[c].type, 0);
    for (int64_t number = 0; number < 3; number++)
        CHECK(replay_write(store, number, &none, &err) == E_OK);
    CHECK(store_put_new(store, "replay/7.parquet", bytes_of_string("no name of ours"), &err) == E_OK);
    CHECK(replayed_read(&replayed, folder, &err) == E_OK);
    CHECK(replayed.next == 3 && replayed.missing == -1);
    replayed_close(&replayed);
    replay_path(1, path);
    CHECK(store_remove(store, path, &err) == E_OK);
    CHECK(replayed_read(&replayed, folder, &err) == E_OK);
    CHECK(replayed.next == 3 && replayed.missing == 1);
    replayed_close(&replayed);
    batch_release(&none);
    store_close(store);
    arena_free(&arena);
}
