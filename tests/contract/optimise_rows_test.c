/* The optimiser must not change a row: queries are run as they were analysed and as they were optimised, and the rows are
 * compared. Batches are literal rows.
 */
#include "plan_runner.h"

static const char ROWS[] =
    "WITH t AS (SELECT * FROM VALUES"
    " (1, 'a', '{\"x\":1,\"y\":\"p\",\"z\":[1,2],\"s\":{\"u\":5}}', array(1, 2), TIMESTAMP '2024-01-01 00:00:00'),"
    " (2, NULL, '{\"x\":-7,\"z\":[]}', array(3, NULL), NULL),"
    " (NULL, 'b', 'broken', NULL, TIMESTAMP '2024-01-02 00:00:00'),"
    " (4, 'c', '', array(), TIMESTAMP '2024-01-03 00:00:00'),"
    " (5, 'd', '{\"x\":\"bad\",\"y\":1.50,\"s\":null}', array(9), TIMESTAMP '2024-01-04 00:00:00')"
    " AS t(i, k, j, a, at)),"
    " d AS (SELECT *, from_json(j, 'x INT, y STRING, z ARRAY<INT>, s STRUCT<u: INT>, _corrupt_record STRING') AS o FROM t),"
    " v AS (SELECT d.*, o.x + i AS sum, CASE WHEN o IS NULL THEN 'none' WHEN o._corrupt_record IS NOT NULL THEN 'bad' END AS why,"
    " upper(k) AS big FROM d) ";

TEST(optimising_keeps_the_rows)
{
    static const char *const queries[] = {
        "SELECT i FROM t",
        "SELECT * FROM t",
        "SELECT * FROM v",
        "SELECT k, i + 1 AS n FROM t WHERE i > 1",
        "SELECT o.x, o.s.u FROM v WHERE why IS NULL",
        "SELECT why, j FROM v WHERE why IS NOT NULL",
        "SELECT o._corrupt_record AS c, i FROM v",
        "SELECT o IS NULL AS n, o.y FROM v WHERE o IS NOT NULL",
        "SELECT big FROM v WHERE sum > 0 AND k <> 'zz'",
        "SELECT 1 AS one FROM v WHERE why = 'bad'",
        "SELECT i, c FROM t LATERAL VIEW explode(a) e AS c",
        "SELECT k, p, c FROM t LATERAL VIEW OUTER posexplode(a) e AS p, c WHERE k > 'a'",
        "SELECT big, z FROM v LATERAL VIEW explode(o.z) e AS z WHERE i = 1",
        "SELECT explode(array(i, o.x)) AS e FROM v WHERE why IS NULL",
        "SELECT at, o FROM v WHERE at > TIMESTAMP '2024-01-01 12:00:00'",
        "SELECT stack(2, i, k, o.x, big) FROM v",
        "SELECT i FROM v WHERE why IS NULL UNION ALL SELECT length(k) FROM v WHERE why IS NOT NULL",
        "SELECT x, m FROM (SELECT o.x AS x, i * 2 AS m, k FROM v WHERE i IS NOT NULL) WHERE m > 2 AND x IS NOT NULL",
        "SELECT inline(array(o.s)) FROM v WHERE o.s IS NOT NULL",
        "SELECT count, i FROM (SELECT size(a) AS count, i, j FROM t) WHERE count >= 0",
        "SELECT w.o.y AS y, w.o.s AS s FROM (SELECT o, i FROM v WHERE i > 0) w WHERE w.o.x IS NOT NULL OR w.i = 4",
        "SELECT b, c FROM (SELECT i + 1 AS b, i + 1 AS c, uuid() AS u FROM t) WHERE b IS NOT NULL",
        "SELECT from_json(o.y, 'q INT') AS q FROM (SELECT * FROM v WHERE i = -1)",
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct runner runner = {.session = {.zone = zone_utc(), .ansi = true}};
        struct expr_context ctx = {&runner.arena, &runner.session};
        struct plan_list nodes;
        struct group_list groups;
        char *sql = arena_printf(&runner.arena, "%s%s", ROWS, queries[i]);
        char *before = rows_of(&runner, analysed(&runner, sql));
        struct plan *plan = analysed(&runner, sql);
        const struct type *schema = plan->schema;
        optimise(&ctx, &plan, 1, &nodes, &groups);
        char *after = rows_of(&runner, plan);
        CHECK(type_equal(schema, plan->schema));
        if (strcmp(before, after) != 0)
            kit_fail(__FILE__, __LINE__, "%s\nanalysed:\n%soptimised:\n%s", queries[i], before, after);
        arena_free(&runner.arena);
    }
}

/* Two queries at once, so that nodes are shared and narrowed for both. */
static void check_pair(const char *with, const char *left, const char *right)
{
    struct runner runner = {.session = {.zone = zone_utc(), .ansi = true}};
    struct expr_context ctx = {&runner.arena, &runner.session};
    struct plan_list nodes;
    struct group_list groups;
    struct plan *plans[2];
    char *before[2];
    // one query over both, so that they read the same views
    char *sql = arena_printf(&runner.arena, "%s, l AS (%s), r AS (%s) SELECT * FROM l, r", with, left, right);
    struct plan *join = analysed(&runner, sql);
    while (join->kind != PLAN_JOIN)
        join = join->inputs[0];
    for (int j = 0; j < 2; j++) {
        plans[j] = join->inputs[j];
        before[j] = rows_of(&runner, plans[j]);
    }
    optimise(&ctx, plans, 2, &nodes, &groups);
    for (int j = 0; j < 2; j++) {
        char *after = rows_of(&runner, plans[j]);
        if (strcmp(before[j], after) != 0)
            kit_fail(__FILE__, __LINE__, "%s\nquery %d analysed:\n%soptimised:\n%s", sql, j + 1, before[j], after);
    }
    arena_free(&runner.arena);
}

TEST(optimising_together_keeps_the_rows)
{
    static const char *const pairs[][2] = {
        {"SELECT o.x, o.y, big FROM v WHERE why IS NULL", "SELECT j, why FROM v WHERE why IS NOT NULL"},
        {"SELECT * FROM v", "SELECT o.s.u FROM v WHERE o IS NOT NULL"},
        {"SELECT k FROM v", "SELECT i, c FROM v LATERAL VIEW explode(o.z) e AS c"},
        {"SELECT i, c FROM v LATERAL VIEW explode(a) e AS c", "SELECT big, c FROM v LATERAL VIEW explode(a) e AS c"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        check_pair(ROWS, pairs[i][0], pairs[i][1]);
}

/* ---- random views over views ---- */

enum { COLUMNS_MAX = 40, LAYERS_MAX = 6, RUNS = 150 };
enum kind { INTEGER, STRING, STRUCTURE, LIST };
enum { JOINS_MAX = 2 };

struct layer {
    char names[COLUMNS_MAX][8];
    enum kind kinds[COLUMNS_MAX];
    int count;
};
struct generator {
    struct text sql;
    struct layer layers[LAYERS_MAX + 1];
    int count, fresh, unions, joins;
};

static int pick_one(int count) { return (int)(kit_random() % (uint64_t)count); }

static void layer_add(struct layer *layer, const char *name, enum kind kind)
{
    if (layer->count == COLUMNS_MAX)
        return;
    snprintf(layer->names[layer->count], sizeof layer->names[0], "%s", name);
    layer->kinds[layer->count++] = kind;
}

static void add_predicate(struct generator *self, const struct layer *from, const char *qualifier)
{
    static const char *const shapes[][3] = {
        [INTEGER] = {"%s > 0", "%s IS NOT NULL", "%s IS NULL OR %s < 5"},
        [STRING] = {"%s <> 'a'", "%s IS NULL", "length(%s) < 3"},
        [STRUCTURE] = {"%s IS NOT NULL", "%s.x > 0", "%s.s IS NULL AND %s.y IS NOT NULL"},
        [LIST] = {"%s IS NOT NULL", "size(%s) > 0", "%s IS NULL"},
    };
    int c = pick_one(from->count);
    const char *shape = shapes[from->kinds[c]][pick_one(3)];
    for (const char *at = shape; *at != '\0'; at++)
        if (at[0] == '%') {
            text_printf(&self->sql, "%s%s", qualifier, from->names[c]);
            at++;
        } else {
            text_add_char(&self->sql, *at);
        }
}

static int integer_column(const struct layer *layer)
{
    int first = pick_one(layer->count);
    for (int i = 0; i < layer->count; i++)
        if (layer->kinds[(first + i) % layer->count] == INTEGER)
            return (first + i) % layer->count;
    return -1;
}

/* Some columns of a side under new names. */
static void add_side(struct generator *self, const struct layer *from, const char *qualifier, struct layer *to)
{
    for (int n = 1 + pick_one(3); n > 0; n--) {
        int c = pick_one(from->count);
        char name[8];
        snprintf(name, sizeof name, "n%d", self->fresh++);
        text_printf(&self->sql, "%s%s%s AS %s", to->count > 0 ? ", " : "", qualifier, from->names[c], name);
        layer_add(to, name, from->kinds[c]);
    }
}

/* A join of two layers on integers; false when one of them has none. */
static bool add_join(struct generator *self)
{
    static const char *const kinds[] = {"", "LEFT", "RIGHT", "FULL", "LEFT SEMI", "LEFT ANTI"};
    int kind = pick_one((int)(sizeof kinds / sizeof kinds[0])), x = pick_one(self->count), y = pick_one(self->count);
    const struct layer *left = &self->layers[x], *right = &self->layers[y];
    struct layer *to = &self->layers[self->count];
    int left_key = integer_column(left), right_key = integer_column(right);
    if (left_key < 0 || right_key < 0)
        return false;
    text_printf(&self->sql, ", q%d AS (SELECT ", self->count);
    to->count = 0;
    add_side(self, left, "x.", to);
    if (kind < 4)
        add_side(self, right, "y.", to);
    text_printf(&self->sql, " FROM q%d x %s JOIN q%d y ON x.%s %s y.%s", x, kinds[kind], y, left->names[left_key],
                pick_one(4) == 0 ? "<=>" : "=", right->names[right_key]);
    for (int side = 0; side < 2; side++) {
        text_add_string(&self->sql, " AND (");
        add_predicate(self, side == 0 ? left : right, side == 0 ? "x." : "y.");
        text_add_char(&self->sql, ')');
    }
    if (pick_one(2) == 0) {
        bool of_left = kind >= 4 || pick_one(2) == 0;
        text_add_string(&self->sql, " WHERE ");
        add_predicate(self, of_left ? left : right, of_left ? "x." : "y.");
    }
    text_add_char(&self->sql, ')');
    self->count++;
    self->joins++;
    return true;
}

/* A column as it is, or something of it under a new name. */
static void add_item(struct generator *self, const struct layer *from, struct layer *to)
{
    static const struct {
        const char *shape;
        enum kind of, gives;
    } items[] = {{"%s + 1", INTEGER, INTEGER}, {"upper(%s)", STRING, STRING},
                 {"%s.x", STRUCTURE, INTEGER}, {"%s.y", STRUCTURE, STRING},
                 {"%s.z", STRUCTURE, LIST},    {"%s.s.u", STRUCTURE, INTEGER},
                 {"size(%s)", LIST, INTEGER},  {"coalesce(%s.x, 7)", STRUCTURE, INTEGER}};
    int c = pick_one(from->count), i = pick_one((int)(sizeof items / sizeof items[0]));
    char name[8];
    snprintf(name, sizeof name, "n%d", self->fresh++);
    text_add_string(&self->sql, to->count > 0 ? ", " : "");
    const char *at = items[i].of == from->kinds[c] ? items[i].shape : "%s";
    layer_add(to, name, items[i].of == from->kinds[c] ? items[i].gives : from->kinds[c]);
    for (; *at != '\0'; at++)
        if (at[0] == '%') {
            text_add_string(&self->sql, from->names[c]);
            at++;
        } else {
            text_add_char(&self->sql, *at);
        }
    text_printf(&self->sql, " AS %s", name);
}

static void add_layer(struct generator *self)
{
    if (self->joins < JOINS_MAX && pick_one(3) == 0 && add_join(self))
        return;
    int below = pick_one(self->count);
    const struct layer *from = &self->layers[below];
    struct layer *to = &self->layers[self->count];
    int list = -1;
    for (int c = 0; c < from->count; c++)
        list = from->kinds[c] == LIST && (list < 0 || pick_one(2) == 0) ? c : list;
    text_printf(&self->sql, ", q%d AS (SELECT ", self->count);
    to->count = 0;
    if (list >= 0 && pick_one(3) == 0) {
        *to = *from;
        char name[8];
        snprintf(name, sizeof name, "n%d", self->fresh++);
        layer_add(to, name, INTEGER);
        text_printf(&self->sql, "* FROM q%d LATERAL VIEW %sexplode(%s) g AS %s", below, pick_one(2) ? "OUTER " : "",
                    from->names[list], name);
    } else if (self->unions < 2 && pick_one(4) == 0) {
        *to = *from;
        self->unions++;
        text_printf(&self->sql, "* FROM q%d UNION ALL SELECT * FROM q%d WHERE ", below, below);
        add_predicate(self, from, "");
        text_add_char(&self->sql, ')');
        self->count++;
        return;
    } else {
        for (int n = 1 + pick_one(6); n > 0; n--)
            add_item(self, from, to);
        text_printf(&self->sql, " FROM q%d", below);
    }
    if (pick_one(2) == 0) {
        text_add_string(&self->sql, " WHERE ");
        add_predicate(self, from, "");
    }
    text_add_char(&self->sql, ')');
    self->count++;
}

TEST(optimising_random_views_keeps_the_rows)
{
    for (int run_count = 0; run_count < RUNS; run_count++) {
        struct generator *self = mem_new(struct generator);
        struct layer *first = &self->layers[0];
        text_printf(&self->sql, "%s, q0 AS (SELECT i, k, j, a, o, big FROM v)", ROWS);
        layer_add(first, "i", INTEGER);
        layer_add(first, "k", STRING);
        layer_add(first, "j", STRING);
        layer_add(first, "a", LIST);
        layer_add(first, "o", STRUCTURE);
        layer_add(first, "big", STRING);
        self->count = 1;
        for (int layers = 1 + pick_one(LAYERS_MAX); self->count <= layers && self->count <= LAYERS_MAX;)
            add_layer(self);
        char left[32], right[32];
        snprintf(left, sizeof left, "SELECT * FROM q%d", self->count - 1);
        snprintf(right, sizeof right, "SELECT * FROM q%d", pick_one(self->count));
        check_pair(self->sql.data, left, right);
        text_free(&self->sql);
        mem_free(self);
    }
}
