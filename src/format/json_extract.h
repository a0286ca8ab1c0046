/* json_extract.h - parts of JSON texts as text: what get_json_object, json_tuple, json_array_length and json_object_keys
 * take out of one value.
 *
 * In       any bytes; what is no JSON gives nothing. What stands behind the first value is not looked at
 * Out      a string without its quotes, anything else as JSON without blanks, numbers with a fraction as Java prints them
 * Path     $, then .name ['name'] [3] [*] in any number; a name is what stands up to the next . or [
 * Thread   any; a path is read-only
 * Limits   JSON_PATH_STEPS_MAX; JSON_DEPTH_MAX levels of JSON
 * Spec     Spark's GetJsonObject and JsonTuple, observed on 4.2.0
 */
#ifndef FORMAT_JSON_EXTRACT_H
#define FORMAT_JSON_EXTRACT_H

#include "data/data.h"

enum { JSON_PATH_STEPS_MAX = 100 };
struct json_path;
/* NULL: the text is no path. In the arena. */
const struct json_path *json_path_parse(struct arena *arena, struct bytes text);
/* Appends what the path leads to; false, and nothing lasting appended: nowhere. */
bool json_path_get(const struct json_path *path, struct bytes json, struct text *out);

/* The first value of the text, without blanks before it and what stands behind it; a broken one goes on to the end. */
struct bytes json_first_value(struct bytes json);
/* How many elements the array has; -1: the text is none. */
int64_t json_array_count(struct bytes json);
/* Adds the names of the object's members to a builder of STRING; false, and nothing added: the text is no object. */
bool json_object_names(struct bytes json, struct builder *out);

/* Values of an object's members by name, each into its text; found[i] stays false where it is NULL or missing. What was
 * found before the text broke is lost. False: the text is no object. */
bool json_members_get(struct bytes json, const struct bytes *names, int32_t count, struct text *values, bool *found);

#endif
