#include "expr/signature.h"

#include <ctype.h>

#include "expr/coerce.h"

enum { VARIABLES = 26, COST_NONE = 1 << 20 };

struct match {
    struct arena *arena;
    const char *at; /* where we are in the signature */
    const struct type *variables[VARIABLES];
    int32_t text_args[VARIABLES], args_of[VARIABLES];
    bool ansi, text_wins;
};

/* ---- reading ---- */

static void skip_blanks(struct match *m)
{
    while (*m->at == ' ')
        m->at++;
}

static bool skip_char(struct match *m, char c)
{
    skip_blanks(m);
    if (*m->at != c)
        return false;
    m->at++;
    return true;
}

static size_t read_word(struct match *m, char out[24])
{
    skip_blanks(m);
    size_t size = 0;
    while ((isalnum((unsigned char)*m->at) || *m->at == '_') && size < 23)
        out[size++] = *m->at++;
    out[size] = '\0';
    return size;
}

static void skip_type(struct match *m)
{
    char word[24];
    read_word(m, word);
    if (!skip_char(m, '<'))
        return;
    do
        skip_type(m);
    while (skip_char(m, ','));
    skip_char(m, '>');
}

static const struct type *simple_type(const char *word)
{
    static const struct {
        const char *word;
        enum type_id id;
    } words[] = {
        {"void", TYPE_NULL},
        {"boolean", TYPE_BOOLEAN},
        {"tinyint", TYPE_INT8},
        {"smallint", TYPE_INT16},
        {"int", TYPE_INT32},
        {"bigint", TYPE_INT64},
        {"float", TYPE_FLOAT},
        {"double", TYPE_DOUBLE},
        {"string", TYPE_STRING},
        {"binary", TYPE_BINARY},
        {"date", TYPE_DATE},
        {"timestamp", TYPE_TIMESTAMP},
        {"timestamp_ntz", TYPE_TIMESTAMP_NTZ},
        {"interval_dt", TYPE_INTERVAL_DT},
        {"interval_ym", TYPE_INTERVAL_YM},
        {"time", TYPE_TIME},
        {"variant", TYPE_VARIANT},
        {"interval", TYPE_INTERVAL},
    };
    if (strcmp(word, "interval_day") == 0)
        return type_interval(INTERVAL_DAY, INTERVAL_DAY);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            return type_of(words[i].id);
    return NULL;
}

static bool is_variable(const char *word) { return word[0] >= 'A' && word[0] <= 'Z' && word[1] == '\0'; }

/* ---- pass 1: what the variables stand for ---- */

static bool variable_takes(char name, const struct type *type)
{
    if (type->id == TYPE_NULL)
        return true;
    switch (name) {
    case 'N':
        return (type_is_numeric(type) && type->id != TYPE_DECIMAL) || type->id == TYPE_STRING ||
               type->id == TYPE_DECIMAL; // with a DOUBLE beside it, a DECIMAL becomes one
    case 'I': return type_is_integer(type) || type->id == TYPE_STRING;
    case 'D': return type->id == TYPE_DECIMAL || type_is_integer(type);
    case 'O': return type_is_orderable(type);
    case 'Y': return type_is_interval(type);
    default: return true;
    }
}

static bool bind_variable(struct match *m, char name, const struct type *type)
{
    if (!variable_takes(name, type))
        return false;
    const struct type **variable = &m->variables[name - 'A'];
    m->args_of[name - 'A']++;
    m->text_args[name - 'A'] += type->id == TYPE_STRING;
    if (name == 'D') {
        if (*variable == NULL)
            *variable = decimal_for(m->arena, type);
        return true;
    }
    bool plain = strchr("NIDYO", name) == NULL && m->text_wins;
    const struct type *common = *variable == NULL ? type
                                : plain           ? type_common_text(m->arena, *variable, type)
                                : m->ansi         ? type_common(m->arena, *variable, type)
                                                  : type_common_lossy(m->arena, *variable, type);
    if (common != NULL)
        *variable = common;
    return common != NULL;
}

/* Reads one type of the signature and binds its variables from `type`. */
static bool bind_type(struct match *m, const struct type *type)
{
    char word[24];
    read_word(m, word);
    if (is_variable(word))
        return bind_variable(m, word[0], type);
    if (!skip_char(m, '<'))
        return true;
    enum type_id id = strcmp(word, "map") == 0 ? TYPE_MAP : TYPE_ARRAY;
    bool fits = type->id == id || type->id == TYPE_NULL;
    int32_t child = 0;
    do {
        const struct type *inner = fits && type->id == id ? type->fields[child++].type : type_of(TYPE_NULL);
        fits = bind_type(m, inner) && fits;
    } while (skip_char(m, ','));
    skip_char(m, '>');
    return fits;
}

static bool settle_variables(struct match *m)
{
    for (int i = 0; i < VARIABLES; i++) {
        const struct type **variable = &m->variables[i];
        if (*variable == NULL)
            continue;
        char name = (char)('A' + i);
        enum type_id id = (*variable)->id;
        if (name == 'N' && (id == TYPE_NULL || (id == TYPE_STRING && m->args_of[i] == 1)))
            *variable = type_of(TYPE_DOUBLE);
        else if (name == 'N' && (id == TYPE_STRING || id == TYPE_DECIMAL))
            return false;
        else if (name == 'Y' && id == TYPE_NULL)
            return false;
        else if (name == 'I' && id == TYPE_NULL)
            *variable = type_of(TYPE_INT32);
        else if (name == 'I' && id == TYPE_STRING)
            return false;
        else if (name == 'O' && m->text_args[i] > 0 && id != TYPE_STRING)
            return false;
    }
    return true;
}

/* ---- pass 2: the types to cast to ---- */

static const struct type *literal_decimal(struct arena *arena, const struct expr *arg)
{
    bool whole = type_is_integer(arg->type) && arg->type->id != TYPE_INT8; // Spark leaves TINYINTs as they are
    if (!whole || arg->kind != EXPR_LITERAL || literal_is_null(arg))
        return decimal_for(arena, arg->type);
    int digits = 1;
    for (int64_t value = literal_int(arg) / 10; value != 0; value /= 10)
        digits++;
    return type_decimal(arena, digits, 0);
}

/* Reads one type; `arg` is the argument there, or NULL for the result. `has_null`: elements may be NULL. */
static const struct type *target_type(struct match *m, const struct expr *arg, const struct type *of)
{
    char word[24];
    read_word(m, word);
    if (skip_char(m, '<')) {
        bool map = strcmp(word, "map") == 0;
        const struct type *inner[2] = {NULL, NULL};
        bool known = of != NULL && of->field_count > 0;
        for (int i = 0; i <= map; i++) {
            inner[i] = target_type(m, NULL, known ? of->fields[i].type : NULL);
            skip_char(m, i < map ? ',' : '>');
        }
        if (inner[0] == NULL || (map && inner[1] == NULL))
            return NULL;
        bool has_null = !known || of->fields[map].nullable;
        return map ? type_map(m->arena, inner[0], inner[1], has_null) : type_array(m->arena, inner[0], has_null);
    }
    if (is_variable(word)) {
        if (word[0] == 'D' && arg != NULL)
            return literal_decimal(m->arena, arg);
        return m->variables[word[0] - 'A'];
    }
    if (strcmp(word, "any") == 0)
        return of;
    if (strcmp(word, "text") == 0)
        return of != NULL && of->id == TYPE_BINARY ? of : type_of(TYPE_STRING);
    if (strcmp(word, "struct") == 0)
        return of != NULL && of->id == TYPE_STRUCT ? of : NULL;
    if (strcmp(word, "array") == 0)
        return of != NULL && of->id == TYPE_NULL    ? type_array(m->arena, of, true)
               : of != NULL && of->id == TYPE_ARRAY ? of
                                                    : NULL;
    if (strcmp(word, "map") == 0)
        return of != NULL && of->id == TYPE_MAP ? of : NULL;
    const struct type *simple = simple_type(word);
    bool kin = simple != NULL && of != NULL && (type_is_interval(of) || of->id == TYPE_TIME);
    return kin && of->id == simple->id ? of : simple; // intervals keep their fields, times their digits
}

/* ---- one overload ---- */

static const char *place_text(struct arena *arena, const char *from, const char *to)
{
    char *text = arena_strndup(arena, from, (size_t)(to - from));
    for (char *c = text; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    if (text[0] != '\0' && text[1] == '\0')
        return text[0] == 'N' ? "NUMERIC" : text[0] == 'I' ? "INTEGRAL" : text[0] == 'D' ? "DECIMAL" : "ANY";
    return text;
}

/* Steps over the marks behind a type; true when the place repeats. */
static bool read_marks(struct match *m, bool *optional)
{
    while (skip_char(m, '!'))
        continue;
    *optional = skip_char(m, '?');
    if (strncmp(m->at, "...", 3) != 0)
        return false;
    m->at += 3;
    return true;
}

typedef bool place_fn(struct match *m, struct fit *fit, const struct expr *arg, int32_t index);

static bool place_bind(struct match *m, struct fit *fit, const struct expr *arg, int32_t index)
{
    const char *start = m->at;
    bool fits = bind_type(m, arg->type);
    if (!fits && fit->misfit < 0) {
        fit->misfit = index;
        fit->wanted = place_text(m->arena, start + strspn(start, " "), m->at);
    }
    return fits;
}

static bool place_target(struct match *m, struct fit *fit, const struct expr *arg, int32_t index)
{
    const char *start = m->at;
    const struct type *target = target_type(m, arg, arg->type);
    fit->types[index] = target;
    bool as_is = *m->at == '!', null = arg->type->id == TYPE_NULL;
    bool strange = as_is && (null ? m->at[1] == '!' : target != NULL && arg->type->id != target->id);
    bool words = strncmp(start + strspn(start, " "), "boolean", 7) == 0 && arg->type->id == TYPE_STRING,
         calendar = arg->type->id == TYPE_INTERVAL && target != NULL && target->id == TYPE_STRING;
    if (target != NULL && !strange && (m->ansi || !(words || calendar)) && cast_implied(arg->type, target)) {
        fit->cost += cast_cost(arg->type, target);
        return true;
    }
    if (fit->misfit < 0) {
        fit->misfit = index;
        fit->wanted = place_text(m->arena, start + strspn(start, " "), m->at);
    }
    return false;
}

/* Walks the places of one overload over the arguments. m->at is left behind the ')'. */
static bool walk_places(struct match *m, struct fit *fit, const struct expr *const *args, int32_t count,
                        place_fn *place)
{
    bool fits = true;
    int32_t index = 0;
    skip_char(m, '(');
    while (!skip_char(m, ')')) {
        const char *start = m->at;
        bool optional = false, repeated = false;
        skip_type(m);
        repeated = read_marks(m, &optional);
        const char *behind = m->at;
        if (index >= count && !optional && !repeated) {
            fit->wrong_count = true;
            return false;
        }
        for (bool first = true; index < count && (first || repeated); first = false) {
            m->at = start;
            fits = place(m, fit, args[index], index) && fits;
            index++;
        }
        m->at = behind;
        skip_char(m, ',');
    }
    if (index < count)
        fit->wrong_count = true;
    return fits && index == count;
}

static bool overload_fit(struct match *m, const struct expr *const *args, int32_t count, struct fit *fit)
{
    const char *start = m->at;
    fit->types = arena_array(m->arena, const struct type *, (size_t)count + 1);
    fit->misfit = -1;
    bool fits = walk_places(m, fit, args, count, place_bind) && settle_variables(m);
    if (!fits)
        return false;
    m->at = start;
    if (!walk_places(m, fit, args, count, place_target))
        return false;
    m->at = strstr(m->at, "->") + 2;
    fit->result = target_type(m, NULL, NULL);
    return true;
}

bool signature_fit(struct arena *arena, const char *signature, const struct expr *const *args, int32_t count, bool ansi,
                   bool text_wins, struct fit *out)
{
    bool found = false;
    struct fit best = {.cost = COST_NONE, .wrong_count = true, .misfit = -1};
    for (const char *at = signature; at != NULL; at = strstr(at, " | ")) {
        struct match m = {.arena = arena, .at = at + strspn(at, " |"), .ansi = ansi, .text_wins = text_wins};
        at = m.at;
        struct fit fit = {0};
        if (overload_fit(&m, args, count, &fit)) {
            if (fit.cost < best.cost)
                best = fit;
            found = true;
        } else if (!found && (!fit.wrong_count && best.wrong_count)) {
            best = fit;
            best.cost = COST_NONE;
        }
    }
    *out = best;
    return found;
}

void signature_counts(const char *signature, int32_t *least, int32_t *most)
{
    *least = INT32_MAX;
    *most = 0;
    for (const char *at = signature; at != NULL; at = strstr(at, " | ")) {
        struct match m = {.at = at + strspn(at, " |")};
        at = m.at;
        int32_t needed = 0, places = 0;
        bool optional, any = false;
        skip_char(&m, '(');
        while (!skip_char(&m, ')')) {
            skip_type(&m);
            bool repeated = read_marks(&m, &optional);
            needed += !optional && !repeated;
            places++;
            any = any || repeated;
            skip_char(&m, ',');
        }
        *least = needed < *least ? needed : *least;
        places = any ? INT32_MAX : places;
        *most = places > *most ? places : *most;
    }
}
