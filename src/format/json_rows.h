/* json_rows.h - the reader of records itself, to be included once for each width of machine word.
 *
 * Before the include stand
 *     JSON_BLOCK                       bytes that are looked at together
 *     struct json_block                { special, high }: a bit, or a byte's high bit, per byte
 *     json_block_load(p)               the marks of the block at p
 *     json_block_copy(p, out)          the same, and the block's bytes are stored to out
 *     json_block_index(mask)           which byte the lowest bit means
 *     json_gap_holds(key, p)           do the bytes of the key's guess stand at p?
 *     JSON_RECORDS                     the name of the function to define
 * special: a quote, a backslash or a control character, where a string may end. high: not ASCII.
 *
 * A fast reader below handles the shape that nearly all values have and gives anything else to
 * json_leaf_read, which starts again at the value's first byte. Fast readers may look past the
 * record's end (the payload may be read 64 bytes past its own), but what they accept lies before
 * it.
 */
#include "format/json_records.h"
#include "format/json_skip.h"
#include "format/json_text.h"

static const uint8_t *broken(struct json_reader *reader)
{
    reader->broken = true;
    return NULL;
}

/* ---- strings ---- */

INLINE uint64_t bits_below(uint64_t mask, uint64_t special) { return mask & ((special & -special) - 1); }

/* p is behind the quote. The closing quote of a string without escapes and, unless `any` is set,
 * without bytes past ASCII; else NULL. */
INLINE const uint8_t *find_quote(const uint8_t *p, const uint8_t *end, bool any, struct json_habit *habit)
{
    for (; p < end; p += JSON_BLOCK) {
        struct json_block block = json_block_load(p);
        if (LIKELY(block.special != 0)) {
            p += json_habitual(habit, json_block_index(block.special));
            return p < end && *p == '"' && (any || bits_below(block.high, block.special) == 0) ? p : NULL;
        }
        if (block.high != 0 && !any)
            return NULL;
    }
    return NULL;
}

/* Copies while it looks, so the bytes are touched once. */
INLINE const uint8_t *read_string(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    const uint8_t *end = reader->end;
    int64_t used = col->used;
    uint64_t high = 0;
    for (; p < end; p += JSON_BLOCK, used += JSON_BLOCK) {
        if (!json_column_room(col, used, JSON_BLOCK))
            return NULL;
        struct json_block block = json_block_copy(p, col->values + used);
        if (UNLIKELY(block.special == 0)) {
            high |= block.high;
            continue;
        }
        int64_t size = json_habitual(&col->habit, json_block_index(block.special));
        p += size, used += size;
        if (UNLIKELY(p >= end || *p != '"'))
            return NULL;
        if (UNLIKELY(block.high != 0))
            high |= bits_below(block.high, block.special);
        if (UNLIKELY(high != 0) && !utf8_valid(col->values + col->used, (size_t)(used - col->used)))
            return NULL;
        json_put_end(col, used);
        return p + 1;
    }
    return NULL;
}

static __attribute__((noinline)) const uint8_t *read_timestamp(struct json_reader *reader, struct json_column *col,
                                                               const uint8_t *p)
{
    int64_t us;
    const uint8_t *quote = find_quote(p, reader->end, false, &col->habit);
    if (UNLIKELY(quote == NULL || !timestamp_parse(bytes_of(p, (size_t)(quote - p)), reader->zone, &us)))
        return NULL;
    json_put_int64(col, us);
    return quote + 1;
}

/* ---- numbers: up to fifteen digits, and eight behind the point ---- */

static const int64_t integer_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
static const double double_powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

struct scanned {
    const uint8_t *p; /* behind the number; NULL: not that simple */
    int64_t digits;   /* all of them as one integer */
    int scale;        /* how many of them stand behind the point */
};

INLINE bool ends_number(uint8_t c)
{
    return c == ',' || (c | 0x20) == '}' || (c != '.' && (c | 0x20) != 'e' && !json_is_digit(c));
}

/* p is behind a '-', if there is one. */
INLINE struct scanned scan_integer(const uint8_t *p, const uint8_t *end)
{
    struct json_digits digits = json_digits8(p);
    if (UNLIKELY(digits.count == 0 || (*p == '0' && digits.count > 1)))
        return (struct scanned){0};
    p += digits.count;
    if (digits.count == 8) {
        struct json_digits more = json_digits8(p);
        digits.value = digits.value * (uint64_t)integer_powers[more.count] + more.value;
        p += more.count;
    }
    return (struct scanned){LIKELY(p < end && ends_number(*p)) ? p : NULL, (int64_t)digits.value, 0};
}

INLINE struct scanned scan_fraction(const uint8_t *p, const uint8_t *end)
{
    struct json_digits digits = json_digits8(p), fraction = {0, 0};
    if (UNLIKELY(digits.count == 0 || digits.count == 8 || (*p == '0' && digits.count > 1)))
        return (struct scanned){0};
    p += digits.count;
    if (LIKELY(*p == '.')) {
        fraction = json_digits8(p + 1);
        if (UNLIKELY(fraction.count == 0))
            return (struct scanned){0};
        p += 1 + fraction.count;
        digits.value = digits.value * (uint64_t)integer_powers[fraction.count] + fraction.value;
    }
    return (struct scanned){LIKELY(p < end && ends_number(*p)) ? p : NULL, (int64_t)digits.value, fraction.count};
}

INLINE const uint8_t *read_integer(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    int64_t sign = -(int64_t)(*p == '-');
    struct scanned number = scan_integer(p - sign, reader->end);
    if (UNLIKELY(number.p == NULL))
        return NULL;
    int64_t value = (number.digits ^ sign) - sign;
    if (col->id == TYPE_INT64) {
        json_put_int64(col, value);
    } else {
        if (UNLIKELY(value != (int32_t)value))
            return NULL;
        json_put_int32(col, (int32_t)value);
    }
    return number.p;
}

INLINE const uint8_t *read_double(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    int64_t sign = -(int64_t)(*p == '-');
    struct scanned number = scan_fraction(p - sign, reader->end);
    if (UNLIKELY(number.p == NULL || (number.digits == 0 && sign != 0))) // -0 and -0.0 differ
        return NULL;
    double value = (double)((number.digits ^ sign) - sign) / double_powers[number.scale]; // both exact, so rounded once
    json_put_double(col, value);
    return number.p;
}

INLINE const uint8_t *read_decimal(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    int64_t sign = -(int64_t)(*p == '-');
    struct scanned number = scan_fraction(p - sign, reader->end);
    int missing = col->type->scale - number.scale;
    if (UNLIKELY(number.p == NULL || missing < 0 || missing > 2 ||
                 col->type->precision > 18)) // 15 digits and two zeros fit
        return NULL;
    int64_t value = number.digits * integer_powers[missing];
    if (UNLIKELY(value >= (int64_t)decimal_power10(col->type->precision)))
        return NULL;
    json_put_int64(col, (value ^ sign) - sign);
    return number.p;
}

/* ---- one value ---- */

/* The shapes that nearly all values have. NULL: another one; nothing was put. */
INLINE const uint8_t *read_fast(struct json_reader *reader, struct json_column *col, const uint8_t *p)
{
    if (LIKELY(col->id == TYPE_STRING)) // most fields are: not worth a jump table
        return LIKELY(*p == '"') ? read_string(reader, col, p + 1) : NULL;
    switch (col->id) {
    case TYPE_INT32:
    case TYPE_INT64: return read_integer(reader, col, p);
    case TYPE_DOUBLE: return read_double(reader, col, p);
    case TYPE_DECIMAL: return read_decimal(reader, col, p);
    case TYPE_TIMESTAMP: return LIKELY(*p == '"') ? read_timestamp(reader, col, p + 1) : NULL;
    default: return NULL;
    }
}

static const uint8_t *read_nested(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth);

/* NULL without reader->broken: not a value of the column's type. */
static __attribute__((noinline)) const uint8_t *read_other(struct json_reader *reader, struct json_column *col,
                                                           const uint8_t *p, int depth)
{
    p = json_blanks(p, reader->end); // a guessed gap may be followed by more of them
    if (p >= reader->end)
        return broken(reader);
    return type_is_nested(col->type) ? read_nested(reader, col, p, depth) : json_leaf_read(reader, col, p, depth);
}

INLINE const uint8_t *read_value(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    const uint8_t *behind = read_fast(reader, col, p);
    return LIKELY(behind != NULL) ? behind : read_other(reader, col, p, depth);
}

/* ---- lists and objects ---- */

static __attribute__((noinline)) const uint8_t *skip_other(struct json_reader *reader, const uint8_t *p, int depth)
{
    p = p < reader->end ? json_skip(p, reader->end, depth) : NULL;
    return p == NULL ? broken(reader) : p;
}

INLINE const uint8_t *skip_value(struct json_reader *reader, const uint8_t *p, int depth, struct json_habit *habit)
{
    if (*p == '"') {
        const uint8_t *quote = find_quote(p + 1, reader->end, true, habit);
        if (LIKELY(quote != NULL))
            return quote + 1;
    } else if (*p <= '9') {
        struct scanned number = scan_fraction(p + (*p == '-'), reader->end);
        if (LIKELY(number.p != NULL))
            return number.p;
    }
    return skip_other(reader, p, depth);
}

static const uint8_t *read_array(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    const uint8_t *end = reader->end;
    struct json_column *element = &col->children[0];
    p = json_blanks(p, end);
    if (p < end && *p == ']') {
        p++;
    } else {
        for (;; p++) {
            p = json_blanks(p, end);
            if (p == end)
                return broken(reader);
            json_column_reserve_element(col);
            p = read_value(reader, element, p, depth);
            if (p == NULL)
                return NULL;
            p = json_blanks(p, end);
            if (p < end && *p == ',')
                continue;
            if (p == end || *p != ']')
                return broken(reader);
            p++;
            break;
        }
    }
    col->offsets[++col->rows] = (int32_t)element->rows;
    return p;
}

/* Duplicate names stay, as on Spark. */
static const uint8_t *read_map(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    const uint8_t *end = reader->end;
    struct json_column *key = &col->children[0], *value = &col->children[1];
    p = json_blanks(p, end);
    if (p < end && *p == '}') {
        p++;
    } else {
        for (;; p++) {
            p = json_blanks(p, end);
            const uint8_t *behind = json_skip_name(p, end);
            if (behind == NULL)
                return broken(reader);
            json_column_reserve_element(col);
            if (json_leaf_read(reader, key, p, depth) == NULL)
                return NULL;
            p = json_blanks(behind, end);
            if (p == end)
                return broken(reader);
            p = read_value(reader, value, p, depth);
            if (p == NULL)
                return NULL;
            p = json_blanks(p, end);
            if (p < end && *p == ',')
                continue;
            if (p == end || *p != '}')
                return broken(reader);
            p++;
            break;
        }
    }
    col->offsets[++col->rows] = (int32_t)key->rows;
    return p;
}

/* A second value for the same name replaces the first, but only when it is good. */
static __attribute__((noinline)) const uint8_t *read_again(struct json_reader *reader, struct json_column *child,
                                                           const uint8_t *p, int depth)
{
    int64_t row = child->rows - 1;
    json_column_truncate(child, row);
    const uint8_t *behind = read_value(reader, child, p, depth);
    if (behind != NULL) {
        child->source = p;
        return behind;
    }
    if (reader->broken)
        return NULL;
    reader->bad = true;
    json_column_truncate(child, row);
    if (read_value(reader, child, child->source, depth) == NULL)
        return NULL;
    return skip_other(reader, p, depth);
}

/* The value was not of its type: the field stays without a row, the reader goes on behind the
 * value. */
static __attribute__((noinline)) const uint8_t *pass_bad_value(struct json_reader *reader, struct json_column *child,
                                                               int64_t row, const uint8_t *p, int depth)
{
    if (reader->broken)
        return NULL;
    reader->bad = true;
    json_column_truncate(child, row);
    return skip_other(reader, p, depth);
}

/* p is behind the '{'. Every child gets a row; the struct's own is the caller's to count. */
static const uint8_t *read_object(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    const uint8_t *end = reader->end;
    struct json_key *key = json_keys_start(&col->keys);
    int64_t row = col->rows;
    int32_t filled = 0;
    for (;;) {
        if (UNLIKELY(p >= end))
            return broken(reader);
        if (*p == '}') {
            p++;
            break;
        }
        if (LIKELY(json_gap_holds(key, p))) {
            p += key->gap_size; // perhaps past the end: every reader looks
            key = key->next;
        } else {
            p = json_keys_next(&col->keys, p, end, &key);
            if (UNLIKELY(p == NULL))
                return broken(reader);
            if (key == NULL)
                break;
        }
        struct json_column *child = key->column;
        const uint8_t *value = p;
        if (UNLIKELY(child == NULL)) {
            key->met++;
            p = skip_value(reader, value, depth, &key->habit);
        } else if (UNLIKELY(child->rows != row)) {
            p = read_again(reader, child, value, depth);
        } else {
            child->source = value;
            p = read_value(reader, child, value, depth);
            if (UNLIKELY(p == NULL))
                p = pass_bad_value(reader, child, row, value, depth);
            else
                filled++;
        }
        if (UNLIKELY(p == NULL))
            return NULL;
    }
    if (filled != col->child_count)
        for (int32_t i = 0; i < col->child_count; i++)
            if (col->children[i].rows == row)
                json_put_null(&col->children[i]);
    return p;
}

static const uint8_t *read_nested(struct json_reader *reader, struct json_column *col, const uint8_t *p, int depth)
{
    bool list = col->id == TYPE_ARRAY;
    if (*p != (list ? '[' : '{'))
        return *p == 'n' ? json_leaf_read(reader, col, p, depth) : NULL;
    if (depth == JSON_DEPTH_MAX)
        return broken(reader);
    if (list)
        return read_array(reader, col, p + 1, depth + 1);
    if (col->id == TYPE_MAP)
        return read_map(reader, col, p + 1, depth + 1);
    p = read_object(reader, col, p + 1, depth + 1);
    col->rows += p != NULL;
    return p;
}

/* ---- records ---- */

void JSON_RECORDS(struct json_records *self, const struct column *payload)
{
    const int32_t *offsets = column_offsets(payload);
    struct json_reader *reader = &self->reader;
    for (int64_t row = 0; row < payload->rows; row++) {
        if (UNLIKELY(!column_valid_at(payload, row))) {
            json_record_absent(self);
            continue;
        }
        const uint8_t *first = payload->values->data + offsets[row], *end = payload->values->data + offsets[row + 1];
        const uint8_t *p = json_blanks(first, end);
        reader->end = end;
        reader->broken = reader->bad = false;
        p = p < end && *p == '{' ? read_object(reader, &self->root, p + 1, 1) : NULL;
        if (UNLIKELY(p == NULL || reader->bad)) {
            json_record_malformed(self, bytes_of(first, (size_t)(end - first)), p != NULL);
            continue;
        }
        self->root.rows++;
        if (self->corrupt != NULL)
            json_put_null(self->corrupt);
    }
}
