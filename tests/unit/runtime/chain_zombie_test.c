/* What a process may still do to a chain when another one, which it knows nothing of, has gone on with it. */
#include "runtime/chain.h"

#include <stdio.h>

#include "kit.h"

static struct chain_record plain_record(int64_t epoch)
{
    return (struct chain_record){.epoch = epoch, .timezone = "UTC"};
}

static void append(struct chain *chain, int64_t epoch)
{
    struct error err = {0};
    struct chain_record record = plain_record(epoch);
    CHECK_INT(chain_append(chain, &record, &err), E_OK);
}

static struct chain *opened(struct store **store, const char *root)
{
    struct chain *chain = NULL;
    struct error err = {0};
    CHECK_INT(store_open(root, store, &err), E_OK);
    CHECK_INT(chain_open(*store, "0", "orders", &chain, &err), E_OK);
    return chain;
}

/* Two processes on one checkpoint, as after a lost lock: `first` stands at epoch `at`, `second` goes on from there. */
struct pair {
    char root[512];
    struct store *first_store, *second_store;
    struct chain *first, *second;
};

static void pair_open(struct pair *pair, int64_t at)
{
    char lock[600];
    snprintf(pair->root, sizeof pair->root, "%s", kit_tmpdir());
    snprintf(lock, sizeof lock, "%s/lock", pair->root);
    pair->first = opened(&pair->first_store, pair->root);
    for (int64_t epoch = 0; epoch <= at; epoch++)
        append(pair->first, epoch);
    CHECK_INT(remove(lock), 0);
    pair->second = opened(&pair->second_store, pair->root);
}

static void pair_close(struct pair *pair)
{
    chain_close(pair->first);
    chain_close(pair->second);
    store_close(pair->first_store);
    store_close(pair->second_store);
}

static void fenced_by_what_is_gone(int64_t at)
{
    struct pair pair;
    struct error err = {0};
    struct store_list list;
    pair_open(&pair, at);
    for (int64_t epoch = at + 1; epoch < at + 9; epoch++)
        append(pair.second, epoch);
    CHECK_INT(chain_trim(pair.second, at + 5, &err), E_OK);
    struct chain_record record = plain_record(at + 1);
    CHECK_INT(chain_append(pair.first, &record, &err), E_FENCED);
    CHECK(strstr(err.text, "another leat") != NULL);
    CHECK_INT(chain_head(pair.first), at);
    CHECK_INT(store_list(pair.second_store, "chain/0", false, &list, &err), E_OK);
    CHECK_INT(list.count, 4);
    store_list_free(&list);
    append(pair.second, at + 9);
    pair_close(&pair);
}

TEST(a_zombie_is_fenced_by_records_that_are_trimmed) { fenced_by_what_is_gone(3); }

TEST(a_zombie_before_its_first_record_is_fenced_too) { fenced_by_what_is_gone(-1); }

/* ---- state files without record ---- */

static void state_put(struct pair *pair, const char *path)
{
    struct error err = {0};
    CHECK_INT(store_put_over(pair->first_store, path, bytes_of_string("state"), &err), E_OK);
}

/* A frozen process may wake up and put the record of the next epoch: what it staged for that stays. */
TEST(state_that_no_record_names_goes_when_its_epoch_has_one)
{
    struct pair pair;
    struct error err = {0};
    struct store_list list;
    pair_open(&pair, 3);
    state_put(&pair, "state/0/0000000000000002-1-0000000a.state");
    state_put(&pair, "state/0/0000000000000003-1-0000000b.state");
    state_put(&pair, "state/0/0000000000000004-1-0000000c.state");
    chain_close(pair.second);
    store_close(pair.second_store);
    pair.second = opened(&pair.second_store, pair.root);
    CHECK_INT(store_list(pair.second_store, "state/0", false, &list, &err), E_OK);
    CHECK_INT(list.count, 1);
    CHECK_STR(list.entries[0].path, "state/0/0000000000000004-1-0000000c.state");
    store_list_free(&list);
    pair_close(&pair);
}
