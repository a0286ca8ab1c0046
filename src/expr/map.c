/* map.c - maps made of texts, entries and other maps, and what their keys must be. */
#include "expr/coerce.h"
#include "expr/map_keys.h"
#include "expr/order.h"
#include "expr/pick.h"
#include "expr/regex.h"
#include "expr/utf8.h"
#include "expr/value_bytes.h"

/* ---- keys ---- */

/* Up to so many keys each is compared with all before it; of more a set is made. */
enum { FEW_KEYS = 16 };

static bool keys_repeat(const struct column *keys, int64_t first, int64_t last, struct text *item)
{
    if (last - first <= FEW_KEYS) {
        for (int64_t k = first; k < last; k++)
            for (int64_t before = first; before < k; before++)
                if (value_compare(keys, before, keys, k) == 0)
                    return true;
        return false;
    }
    struct value_set seen = {0};
    bool repeated = false;
    for (int64_t k = first; k < last && !repeated; k++) {
        text_clear(item);
        value_save(keys, k, true, item);
        repeated = !value_set_add(&seen, text_view(item));
    }
    value_set_free(&seen);
    return repeated;
}

/* Place of the first that is NULL; `last` when there is none. */
static int64_t first_null(const struct column *keys, int64_t first, int64_t last)
{
    while (first < last && !column_is_null(keys, first))
        first++;
    return first;
}

/* Rejected rows must be empty. */
static void drop_rejected(struct call *call, struct column *out)
{
    struct builder builder;
    struct column tidy;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        if (call_valid(call, i))
            builder_copy(&builder, out, i);
        else
            builder_null(&builder);
    }
    builder_finish(&builder, &tidy);
    column_release(out);
    *out = tidy;
    builder_release(&builder);
}

void map_check_keys(struct call *call, struct column *out)
{
    const struct column *keys = &out->children[0];
    const int32_t *offsets = column_offsets(out);
    struct text item = {0};
    bool bad = false;
    for (int64_t i = 0; i < call->rows; i++) {
        if (!call_valid(call, i))
            continue;
        int64_t last = keys->valid != NULL ? first_null(keys, offsets[i], offsets[i + 1]) : offsets[i + 1];
        bool repeat = keys_repeat(keys, offsets[i], last, &item); // what comes first is said
        if (!repeat && last == offsets[i + 1])
            continue;
        call_reject(call, i, repeat ? REJECT_DUPLICATED_KEY : REJECT_NULL_MAP_KEY);
        bad = true;
    }
    text_free(&item);
    if (bad)
        drop_rejected(call, out);
}

/* ---- of arrays ---- */

static enum code bind_map_of(struct binding *binding, __attribute__((unused)) struct error *err)
{
    const struct field *key = &binding->args[0]->type->fields[0], *value = &binding->args[1]->type->fields[0];
    binding->type = type_map(binding->ctx->arena, key->type, value->type, value->nullable);
    return E_OK;
}

/* The elements of every row that is valid, as the map's keys or values. */
static struct buffer *take_elements(struct call *call, const struct arg *lists, const struct type *type,
                                    struct column *out)
{
    struct picks picks;
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0; picks_end(&picks)) {
        int32_t first, last;
        list_range(lists, i, &first, &last);
        for (int32_t k = first; k < last; k++)
            picks_add(&picks, k);
    }
    if (picks.count == 0)
        column_all_null(out, type, 0);
    else
        column_gather(out, &lists->col->children[0], picks.rows, picks.count);
    mem_free(picks.rows);
    return picks.offsets;
}

SCALAR(fn_map_from_arrays, "map_from_arrays", "(array<K>, array<V>) -> any",
       "A map of an array of keys and one of values.", "map_from_arrays(array('a'), array(1))", "{\"a\":1}",
       .bind = bind_map_of, .flags = FN_FAILS)
{
    for (int64_t i = 0; i < call->rows; i++) {
        int32_t key, key_end, value, value_end;
        list_range(&args[0], i, &key, &key_end);
        list_range(&args[1], i, &value, &value_end);
        if (key_end - key != value_end - value)
            call_reject(call, i, REJECT_MAP_SIZES);
    }
    struct column *children = mem_array(struct column, 2);
    struct buffer *offsets = take_elements(call, &args[0], out->type->fields[0].type, &children[0]);
    buffer_release(take_elements(call, &args[1], out->type->fields[1].type, &children[1]));
    out->offsets = offsets;
    out->children = children;
    out->child_count = 2;
    map_check_keys(call, out);
}

/* ---- of entries ---- */

static enum code bind_from_entries(struct binding *binding, struct error *err)
{
    const struct type *array = binding->args[0]->type;
    const struct type *entry = array->id == TYPE_ARRAY ? array->fields[0].type : array;
    if (array->id != TYPE_ARRAY || entry->id != TYPE_STRUCT || entry->field_count != 2)
        return binding_wrong_type(binding, 0, "ARRAY of pair STRUCT", err);
    binding->type =
        type_map(binding->ctx->arena, entry->fields[0].type, entry->fields[1].type, entry->fields[1].nullable);
    return E_OK;
}

SCALAR(fn_map_from_entries, "map_from_entries", "(array) -> any",
       "A map of an array of structs of key and value; NULL when an entry is NULL.",
       "map_from_entries(array(struct('a', 1), struct('b', 2)))", "{\"a\":1,\"b\":2}", .bind = bind_from_entries,
       .flags = FN_FAILS | FN_NULLABLE)
{
    const struct column *entries = &args[0].col->children[0];
    struct picks picks;
    for (int64_t i = 0; entries->valid != NULL && i < call->rows; i++) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        if (call_valid(call, i) && first_null(entries, first, last) < last)
            call_null(call, i);
    }
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0; picks_end(&picks)) {
        int32_t first, last;
        list_range(&args[0], i, &first, &last);
        for (int32_t k = first; k < last; k++)
            picks_add(&picks, k);
    }
    picks_close(&picks, entries->children, 2);
    map_check_keys(call, out);
}

/* ---- of maps ---- */

static enum code bind_map_concat(struct binding *binding, struct error *err)
{
    for (int32_t i = 0; i < binding->count; i++)
        if (binding->args[i]->type->id != TYPE_MAP)
            return fail(err, E_SQL,
                        "[DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES] The `map_concat` should all be of type map, but "
                        "there is a \"%s\".",
                        type_sql(binding->ctx->arena, binding->args[i]->type));
    if (binding->count == 0)
        binding->type = type_map(binding->ctx->arena, type_of(TYPE_STRING), type_of(TYPE_STRING), false);
    return E_OK;
}

SCALAR(fn_map_concat, "map_concat", "(M...) -> M", "The entries of all the maps.",
       "map_concat(map('a', 1), map('b', 2))", "{\"a\":1,\"b\":2}", .bind = bind_map_concat,
       .flags = FN_FAILS | FN_IN_ORDER)
{
    struct column pools[2] = {{0}};
    int64_t *starts = mem_array(int64_t, (size_t)call->arg_count + 1);
    struct picks picks;
    for (int32_t a = 0; a < call->arg_count; a++)
        for (int32_t side = 0; side < 2; side++)
            starts[a] = pool_add(&pools[side], &args[a].col->children[side]);
    picks_open(&picks, call);
    for (int64_t i; (i = picks_next(&picks)) >= 0; picks_end(&picks))
        for (int32_t a = 0; a < call->arg_count; a++) {
            int32_t first, last;
            list_range(&args[a], i, &first, &last);
            for (int32_t k = first; k < last; k++)
                picks_add(&picks, starts[a] + k);
        }
    for (int32_t side = 0; side < 2 && call->arg_count == 0; side++)
        column_all_null(&pools[side], out->type->fields[side].type, 0);
    picks_close(&picks, pools, 2);
    column_release(&pools[0]);
    column_release(&pools[1]);
    mem_free(starts);
    map_check_keys(call, out);
}

/* ---- of text ---- */

/* A separator is a regular expression, compiled anew when it is another one than in the row before. A single plain
 * character needs no matcher. */
struct separator {
    struct arena arena;
    struct bytes pattern;
    bool each;     /* no pattern: between any two characters */
    uint8_t plain; /* the character; 0: `matcher` finds it */
    struct regex_matcher *matcher;
    int64_t spans[2 * (REGEX_GROUPS_MAX + 1)];
};

static void separator_close(struct separator *separator)
{
    regex_matcher_free(separator->matcher);
    arena_free(&separator->arena);
}

static bool separator_set(struct separator *separator, struct bytes pattern)
{
    const struct regex *regex;
    struct error ignored;
    bool known = separator->each || separator->plain != 0 || separator->matcher != NULL;
    if (known && bytes_equal(separator->pattern, pattern))
        return true;
    separator_close(separator);
    *separator = (struct separator){.pattern = pattern, .each = pattern.size == 0};
    if (separator->each)
        return true;
    if (pattern.size == 1 && strchr(".$|()[{^?*+\\", pattern.data[0]) == NULL) {
        separator->plain = pattern.data[0];
        return true;
    }
    if (regex_compile(&separator->arena, pattern, &regex, &ignored) != E_OK)
        return false;
    separator->matcher = regex_matcher_new(regex);
    return true;
}

/* The part of `text` up to the first separator at or behind `from`, and where the next part starts: text.size + 1 when
 * this was the last. As Java's split has it, an empty match at the start or the end separates nothing. */
static struct bytes separator_part(struct separator *separator, struct bytes text, size_t from, size_t *next)
{
    size_t start = text.size, end = text.size + 1;
    if (separator->each) {
        size_t size = from < text.size ? utf8_size(text.data[from], text.size - from) : 0;
        if (from + size < text.size)
            start = end = from + size;
    } else if (separator->plain != 0) {
        const uint8_t *at = from < text.size ? memchr(text.data + from, separator->plain, text.size - from) : NULL;
        if (at != NULL) {
            start = (size_t)(at - text.data);
            end = start + 1;
        }
    } else {
        for (size_t at = from; at < text.size && regex_find(separator->matcher, text, at, separator->spans);) {
            size_t first = (size_t)separator->spans[0], last = (size_t)separator->spans[1];
            if (last > from && first < text.size) {
                start = first;
                end = last;
                break;
            }
            at = last + 1;
        }
    }
    *next = end;
    return bytes_of(text.data + from, start - from);
}

static void build_pairs(struct separator separators[2], struct bytes text, struct builder *out)
{
    for (size_t at = 0, next; at <= text.size; at = next) {
        struct bytes pair = separator_part(&separators[0], text, at, &next);
        size_t value;
        builder_bytes(&out->children[0], separator_part(&separators[1], pair, 0, &value));
        if (value <= pair.size)
            builder_bytes(&out->children[1], bytes_of(pair.data + value, pair.size - value));
        else
            builder_null(&out->children[1]);
    }
}

SCALAR(fn_str_to_map, "str_to_map", "(string, string?, string?) -> map<string, string>",
       "A map of a text of pairs; what separates pairs (',') and a key from its value (':') are regular expressions.",
       "str_to_map('a:1,b:2,c')", "{\"a\":\"1\",\"b\":\"2\",\"c\":null}", .flags = FN_FAILS)
{
    struct separator separators[2] = {0};
    struct builder builder;
    builder_init(&builder, out->type);
    for (int64_t i = 0; i < call->rows; i++) {
        bool usable = call_valid(call, i);
        for (int32_t k = 0; k < 2 && usable; k++) {
            struct bytes pattern =
                k + 1 < call->arg_count ? arg_bytes(&args[k + 1], i) : bytes_of_string(k == 0 ? "," : ":");
            usable = separator_set(&separators[k], pattern);
        }
        if (!usable) {
            call_reject(call, i, REJECT_REGEX);
            builder_null(&builder);
            continue;
        }
        build_pairs(separators, arg_bytes(&args[0], i), &builder);
        builder_close_list(&builder);
    }
    struct buffer *valid = out->valid;
    builder_finish(&builder, out);
    buffer_release(valid);
    builder_release(&builder);
    separator_close(&separators[0]);
    separator_close(&separators[1]);
    map_check_keys(call, out);
}

const struct function *const map_functions[] = {
    &fn_map_from_arrays, &fn_map_from_entries, &fn_map_concat, &fn_str_to_map, NULL,
};
