/* gather_bench.c - nanoseconds per picked row of column_gather, for the shapes a filter meets.
 *
 * Use      gather_bench        prints a line per type and selectivity
 */
#include <stdio.h>

#include "base/os.h"
#include "data/data.h"

enum { ROWS = BATCH_ROWS_MAX, ROUNDS = 2000 };

static uint64_t random_state = 1;
static uint64_t next_random(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

static struct column column_of(const struct type *type, size_t text_bytes)
{
    char letters[512];
    memset(letters, 'x', sizeof letters);
    struct builder builder;
    struct column col;
    builder_init(&builder, type);
    for (int i = 0; i < ROWS; i++) {
        if (i % 100 == 7)
            builder_null(&builder);
        else if (type->id == TYPE_BOOLEAN)
            builder_boolean(&builder, next_random() & 1);
        else if (type_is_varlen(type))
            builder_bytes(&builder, bytes_of(letters, text_bytes - next_random() % 4));
        else
            builder_int(&builder, (int64_t)next_random());
    }
    builder_finish(&builder, &col);
    builder_release(&builder);
    return col;
}

static void measure(const char *name, const struct column *col, double percent)
{
    static int32_t rows[ROWS];
    int64_t count = 0;
    for (int32_t i = 0; i < ROWS; i++)
        if (next_random() % 1000 < (uint64_t)(percent * 10))
            rows[count++] = i;
    int64_t start = os->clock_mono_us();
    for (int round = 0; round < ROUNDS; round++) {
        struct column out;
        column_gather(&out, col, rows, count);
        column_release(&out);
    }
    double ns = (double)(os->clock_mono_us() - start) * 1000 / ROUNDS / (double)count;
    printf("%-12s %5.1f %% kept  %6.2f ns/row\n", name, percent, ns);
}

int main(void)
{
    static const struct {
        const char *name;
        enum type_id id;
        size_t text_bytes;
    } shapes[] = {{"boolean", TYPE_BOOLEAN, 0}, {"int", TYPE_INT32, 0},         {"bigint", TYPE_INT64, 0},
                  {"string 8", TYPE_STRING, 8}, {"string 36", TYPE_STRING, 36}, {"string 290", TYPE_STRING, 290}};
    static const double percents[] = {1, 50, 99, 99.9};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct column col = column_of(type_of(shapes[i].id), shapes[i].text_bytes);
        for (int p = 0; p < 4; p++)
            measure(shapes[i].name, &col, percents[p]);
        column_release(&col);
    }
    return 0;
}
