/* absent.c - functions of Spark that leat does not have, or has in another form, each with the reason: a part of
 * docs/functions.md. A test holds this list and the tables of functions against Spark's own list. */
#include "expr/function.h"

static const struct {
    const char *names, *reason;
} absent[] = {
    {"case when cast grouping grouping_id window session_window",
     "syntax rather than functions: they are there, in the parser"},
    {"row_number rank dense_rank percent_rank cume_dist ntile lag lead nth_value",
     "there with OVER only (`leat sql`), so not in the tables above"},
    {"explode explode_outer posexplode posexplode_outer inline inline_outer stack json_tuple variant_explode "
     "variant_explode_outer range",
     "there as generators of rows, so not in the tables above"},
    {"approx_top_k approx_top_k_accumulate approx_top_k_combine approx_top_k_estimate count_min_sketch hll_sketch_agg "
     "hll_sketch_estimate hll_union hll_union_agg kll_merge_agg_bigint kll_merge_agg_double kll_merge_agg_float "
     "kll_sketch_agg_bigint kll_sketch_agg_double kll_sketch_agg_float kll_sketch_get_n_bigint kll_sketch_get_n_double "
     "kll_sketch_get_n_float kll_sketch_get_quantile_bigint kll_sketch_get_quantile_double kll_sketch_get_quantile_float "
     "kll_sketch_get_rank_bigint kll_sketch_get_rank_double kll_sketch_get_rank_float kll_sketch_merge_bigint "
     "kll_sketch_merge_double kll_sketch_merge_float kll_sketch_to_string_bigint kll_sketch_to_string_double "
     "kll_sketch_to_string_float theta_difference theta_intersection theta_intersection_agg theta_sketch_agg "
     "theta_sketch_estimate theta_union theta_union_agg tuple_difference_double tuple_difference_integer "
     "tuple_difference_theta_double tuple_difference_theta_integer tuple_intersection_agg_double "
     "tuple_intersection_agg_integer tuple_intersection_double tuple_intersection_integer tuple_intersection_theta_double "
     "tuple_intersection_theta_integer tuple_sketch_agg_double tuple_sketch_agg_integer tuple_sketch_estimate_double "
     "tuple_sketch_estimate_integer tuple_sketch_summary_double tuple_sketch_summary_integer tuple_sketch_theta_double "
     "tuple_sketch_theta_integer tuple_union_agg_double tuple_union_agg_integer tuple_union_double tuple_union_integer "
     "tuple_union_theta_double tuple_union_theta_integer",
     "their results are bytes of the DataSketches library, or of Spark's own sketches; `approx_count_distinct` and "
     "`percentile_approx` are there"},
    {"from_xml to_xml schema_of_xml xpath xpath_boolean xpath_double xpath_float xpath_int xpath_long xpath_number xpath_short "
     "xpath_string",
     "need an XML library"},
    {"from_avro to_avro schema_of_avro from_protobuf to_protobuf", "formats that come with the schema registry"},
    {"st_asbinary st_geogfromwkb st_geomfromwkb st_setsrid st_srid", "need a geometry library"},
    {"java_method reflect try_reflect", "call Java"},
    {"python_worker_logs", "about Python's workers"},
    {"collate collations", "collations: leat compares texts by their bytes, as UTF8_BINARY does"},
    {"measure", "reads metric views, which leat does not have"},
    {"sql_keywords", "lists the words of Spark's parser"},
};
enum { ABSENT_COUNT = sizeof absent / sizeof absent[0] };

const char *function_absent(const char *name)
{
    size_t size = strlen(name);
    for (int i = 0; i < ABSENT_COUNT; i++)
        for (const char *at = absent[i].names; *at != '\0'; at += strspn(at, " ")) {
            size_t length = strcspn(at, " ");
            if (length == size && memcmp(at, name, size) == 0)
                return absent[i].reason;
            at += length;
        }
    return NULL;
}

void functions_print_absent(struct text *out)
{
    text_add_string(out, "\n## Not in these tables\n\nEvery other function of Spark 4.2, and why it is not above.\n\n"
                         "| functions | why |\n|---|---|\n");
    for (int i = 0; i < ABSENT_COUNT; i++) {
        text_add_string(out, "| ");
        for (const char *at = absent[i].names; *at != '\0'; at += strspn(at, " ")) {
            size_t length = strcspn(at, " ");
            text_printf(out, "%s`%.*s`", at == absent[i].names ? "" : ", ", (int)length, at);
            at += length;
        }
        text_printf(out, " | %s |\n", absent[i].reason);
    }
}
