#include "base/memory.h"

#include "base/bytes.h"
#include "kit.h"

TEST(an_arena_gives_zeroed_aligned_memory)
{
    struct arena arena = {0};
    for (size_t i = 1; i < 2000; i++) {
        uint8_t *at = arena_alloc(&arena, i);
        CHECK(((uintptr_t)at & 15) == 0);
        for (size_t j = 0; j < i; j++)
            if (at[j] != 0)
                CHECK(at[j] == 0);
        memset(at, 0xee, i);
    }
    CHECK(arena.used_bytes >= 1999 * 1000);
    arena_reset(&arena);
    CHECK_INT(arena.used_bytes, 0);
    CHECK_INT(*(uint8_t *)arena_alloc(&arena, 100000), 0);
    CHECK_STR(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    CHECK_STR(arena_strndup(&arena, "abcdef", 3), "abc");
    arena_free(&arena);
}

TEST(a_budget_refuses_what_passes_it)
{
    struct error err = {0};
    struct budget budget = {.limit_bytes = 100};
    CHECK_INT(budget_take(&budget, 60, "groups", &err), E_OK);
    CHECK_INT(budget_take(&budget, 60, "groups", &err), E_MEMORY);
    CHECK(strstr(err.text, "groups") != NULL);
    budget_give(&budget, 60);
    CHECK_INT(budget_take(&budget, 100, "groups", &err), E_OK);
    budget_give(&budget, 100);
    CHECK_INT(budget.used_bytes, 0);
}

/* Give 30 bytes back, three times. */
static bool relieve_some(void *context, size_t need)
{
    struct budget *budget = context;
    CHECK(need > 0);
    if (budget->used_bytes < 30)
        return false;
    budget_give(budget, 30);
    return true;
}

TEST(a_full_budget_asks_for_relief_before_it_refuses)
{
    struct error err = {0};
    struct budget budget = {.limit_bytes = 100, .relieve = relieve_some};
    budget.relieve_context = &budget;
    CHECK_INT(budget_take(&budget, 90, "groups", &err), E_OK);
    CHECK_INT(budget_take(&budget, 60, "groups", &err), E_OK); // after two times 30
    CHECK_INT(budget.used_bytes, 90);
    CHECK_INT(budget_take(&budget, 101, "groups", &err), E_MEMORY); // never fits: nothing is given back for it
    CHECK_INT(budget.used_bytes, 90);
    CHECK_INT(budget_take(&budget, 85, "groups", &err), E_OK);
    CHECK_INT(budget.used_bytes, 85);
}

TEST(a_block_keeps_its_bytes_from_the_heap_into_pages_and_back)
{
    static const size_t sizes[] = {1, 100, MEM_BLOCK_LARGE - 1, MEM_BLOCK_LARGE, 3000001, 9000000, 4000000, 70000, 10};
    uint8_t *block = NULL;
    size_t held = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        block = mem_block_resize(block, held, sizes[i]);
        CHECK(((uintptr_t)block & 63) == 0);
        size_t kept = held < sizes[i] ? held : sizes[i];
        for (size_t at = 0; at < kept; at += 997)
            if (block[at] != (uint8_t)(at % 251))
                CHECK_INT(block[at], at % 251);
        held = sizes[i];
        for (size_t at = 0; at < held; at++)
            block[at] = (uint8_t)(at % 251);
    }
    mem_block_free(block, held);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *zeroed = mem_block_zero(sizes[i]);
        CHECK_INT(zeroed[0] | zeroed[sizes[i] / 2] | zeroed[sizes[i] - 1], 0);
        zeroed[sizes[i] - 1] = 1;
        mem_block_free(zeroed, sizes[i]);
    }
}

TEST(a_text_grows_and_stops_at_its_ceiling)
{
    struct text text = {.limit = 10};
    text_add_string(&text, "hello ");
    CHECK(!text.overflow);
    text_add_string(&text, "world");
    CHECK(text.overflow);
    CHECK_STR(text.data, "hello worl");
    text_clear(&text);
    text_printf(&text, "%d", 42);
    char *taken = text_take(&text);
    CHECK_STR(taken, "42");
    CHECK(text.data == NULL);
    mem_free(taken);
    taken = text_take(&text);
    CHECK_STR(taken, "");
    mem_free(taken);
}

TEST(near_words_are_found)
{
    static const char *const words[] = {"parquet", "csv", "json", "console"};
    CHECK_INT(edit_distance("parquet", "parquet"), 0);
    CHECK_INT(edit_distance("parquet", "PARQUET"), 0);
    CHECK_INT(edit_distance("parqeut", "parquet"), 1);
    CHECK_INT(edit_distance("", "abc"), 3);
    CHECK_INT(edit_distance("kitten", "sitting"), 3);
    CHECK_STR(nearest_word("parkuet", words, 4), "parquet");
    CHECK_STR(nearest_word("jsno", words, 4), "json");
    CHECK(nearest_word("zebra", words, 4) == NULL);
    CHECK(nearest_word("x", words, 0) == NULL);
}
