/* shuffle.c - arrays in an order by chance; with a seed in Spark's, which takes another generator for it than for numbers.
 *
 * Source   Matsumoto, Nishimura, "Mersenne Twister", 1998, with initialisation by array (2002)
 */
#include "expr/pick.h"
#include "expr/random.h"

enum { WORDS = 624, MIDDLE = 397 };
struct twister {
    uint32_t words[WORDS];
    int32_t at;
    bool started;
};

static void twister_start(struct twister *twister, int64_t seed)
{
    uint32_t key[2] = {(uint32_t)((uint64_t)seed >> 32), (uint32_t)seed}, *w = twister->words;
    w[0] = 19650218;
    for (uint32_t i = 1; i < WORDS; i++)
        w[i] = 1812433253u * (w[i - 1] ^ w[i - 1] >> 30) + i;
    uint32_t i = 1;
    for (uint32_t k = 0; k < WORDS; k++) {
        w[i] = (w[i] ^ (w[i - 1] ^ w[i - 1] >> 30) * 1664525u) + key[k % 2] + k % 2;
        if (++i == WORDS) {
            w[0] = w[WORDS - 1];
            i = 1;
        }
    }
    for (uint32_t k = 1; k < WORDS; k++) {
        w[i] = (w[i] ^ (w[i - 1] ^ w[i - 1] >> 30) * 1566083941u) - i;
        if (++i == WORDS) {
            w[0] = w[WORDS - 1];
            i = 1;
        }
    }
    w[0] = 0x80000000u;
    twister->at = WORDS;
    twister->started = true;
}

static uint32_t twister_next(struct twister *twister)
{
    uint32_t *w = twister->words;
    if (twister->at == WORDS) {
        for (int32_t k = 0; k < WORDS; k++) {
            uint32_t mixed = (w[k] & 0x80000000u) | (w[(k + 1) % WORDS] & 0x7fffffffu);
            w[k] = w[(k + MIDDLE) % WORDS] ^ mixed >> 1 ^ ((mixed & 1) != 0 ? 0x9908b0dfu : 0);
        }
        twister->at = 0;
    }
    uint32_t x = w[twister->at++];
    x ^= x >> 11;
    x ^= x << 7 & 0x9d2c5680u;
    x ^= x << 15 & 0xefc60000u;
    return x ^ x >> 18;
}

/* From 0 up to below `bound`, each as likely. */
static int32_t twister_below(struct twister *twister, int32_t bound)
{
    int32_t bits, value;
    if ((bound & -bound) == bound)
        return (int32_t)((int64_t)bound * (twister_next(twister) >> 1) >> 31);
    do {
        bits = (int32_t)(twister_next(twister) >> 1);
        value = bits % bound;
    } while ((int64_t)bits - value + bound - 1 > INT32_MAX);
    return value;
}

static enum code bind_shuffle(struct binding *binding, struct error *err)
{
    int64_t *seed = arena_new(binding->ctx->arena, int64_t);
    TRY(bind_seed(binding, 1, seed, err));
    binding->bound = seed;
    binding->count = 1;
    return E_OK;
}

SCALAR(fn_shuffle, "shuffle", "(array<T>, any?) -> array<T>",
       "The elements in an order by chance; with a seed always the same one.", "shuffle(array(1, 2, 3, 4), 7)",
       "[1,2,4,3]", .bind = bind_shuffle, .flags = FN_PER_ROW | FN_FAILS)
{
    struct twister *twister = call_memory(call, sizeof *twister);
    bool again;
    int64_t seed = chance_seed(call, *(const int64_t *)call->bound, &again);
    struct picks picks;
    if (again || !twister->started)
        twister_start(twister, seed);
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0; picks_end(&picks)) {
        int32_t first, last;
        int64_t start = picks.count;
        list_range(&args[0], i, &first, &last);
        for (int32_t k = first; k < last; k++)
            picks_add(&picks, k);
        int32_t *picked = picks.rows + start;
        for (int64_t k = 0; k < picks.count - start; k++) { // inside out: an element takes the place of an earlier one
            int64_t other = twister_below(twister, (int32_t)k + 1);
            picked[k] = picked[other];
            picked[other] = first + (int32_t)k;
        }
    }
    picks_close(&picks, &args[0].col->children[0], 1);
}

const struct function *const shuffle_functions[] = {&fn_shuffle, NULL};
