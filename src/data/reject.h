/* reject.h - the second error plane: bad rows, without formatting a string per row (style.md E3).
 *
 * Shape    a list of {row, column, code, detail}; row is the row of the batch being worked on
 * Owns     its items; rejects_clear keeps the memory
 * Thread   one at a time (each worker has its own)
 */
#ifndef DATA_REJECT_H
#define DATA_REJECT_H

#include <stdint.h>

#include "base/bytes.h"

#define REJECT_CODES(X) /* code, Spark's error condition or the ledger's reason, what it means */                      \
    X(MALFORMED, "MALFORMED_RECORD_IN_PARSING", "the payload is not what the schema says")                             \
    X(CAST, "CAST_INVALID_INPUT", "the text is not a value of the type")                                               \
    X(CAST_OVERFLOW, "CAST_OVERFLOW", "the value does not fit the type")                                               \
    X(ARITHMETIC_OVERFLOW, "ARITHMETIC_OVERFLOW", "the result does not fit the type")                                  \
    X(NUMERIC_RANGE, "NUMERIC_VALUE_OUT_OF_RANGE", "the decimal needs more digits than its precision")                 \
    X(DIVIDE_BY_ZERO, "DIVIDE_BY_ZERO", "division by zero")                                                            \
    X(ARRAY_INDEX, "INVALID_ARRAY_INDEX", "the index is outside the array")                                            \
    X(MAP_KEY, "MAP_KEY_DOES_NOT_EXIST", "the map has no such key")                                                    \
    X(DATETIME, "CANNOT_PARSE_TIMESTAMP", "the text is not a date or time in the pattern")                             \
    X(ARGUMENT, "INVALID_PARAMETER_VALUE", "a function does not take this value")                                      \
    X(RAISED, "USER_RAISED_EXCEPTION", "raise_error or assert_true said so")                                           \
    X(TOO_BIG, "RECORD_TOO_BIG", "the record is larger than a limit")                                                  \
    X(INTERVAL_FORMAT, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "the text is not an interval of the type")   \
    X(INTERVAL_OVERFLOW, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "the result does not fit the interval")       \
    X(INTERVAL_RANGE, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "the value does not fit an interval")         \
    X(INTERVAL_DIVISOR, "INTERVAL_DIVIDED_BY_ZERO", "an interval divided by zero")                                     \
    X(LONG_OVERFLOW, "java.lang.ArithmeticException", "long overflow")                                                 \
    X(FIELD_BOUNDS, "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "a part of the date or time is out of its range")  \
    X(FIELD_BOUNDS_PLAIN, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "a part of the time is out of its range") \
    X(REGEX_GROUP, "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "the pattern has no such group")                       \
    X(REMAINDER_BY_ZERO, "REMAINDER_BY_ZERO", "remainder of a division by zero")                                       \
    X(NULL_MAP_KEY, "NULL_MAP_KEY", "a map's key cannot be NULL")                                                      \
    X(DUPLICATED_KEY, "DUPLICATED_MAP_KEY", "a map has the key twice")                                                 \
    X(NULL_COMPARISON, "COMPARATOR_RETURNS_NULL", "the comparison gave NULL")                                          \
    X(TIME_ZONE, "INVALID_TIMEZONE", "there is no such time zone")                                                     \
    X(TIME_UNIT, "INVALID_PARAMETER_VALUE.TIME_UNIT", "the unit is HOUR, MINUTE, SECOND, MILLISECOND or MICROSECOND")  \
    X(TIME_OVERFLOW, "DATETIME_OVERFLOW", "the result is not within the day")                                          \
    X(INDEX_ZERO, "INVALID_INDEX_OF_ZERO", "places count from 1 or from -1")                                           \
    X(NORM_DEGREE, "INVALID_VECTOR_NORM_DEGREE", "a norm is of degree 1, 2 or infinity")                               \
    X(VECTOR_SIZE, "VECTOR_DIMENSION_MISMATCH", "the vectors have different sizes")                                    \
    X(UTF8, "INVALID_UTF8_STRING", "the bytes are no UTF-8")                                                           \
    X(REGEX, "INVALID_PARAMETER_VALUE.PATTERN", "the text is no regular expression")                                   \
    X(URL, "INVALID_URL", "the text is no URL")                                                                        \
    X(URL_DECODE, "CANNOT_DECODE_URL", "the text is no part of a URL")                                                 \
    X(BIT_POSITION, "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "a value has no bit at that place")                  \
    X(AES_KEY, "INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "the key of AES has 16, 24 or 32 bytes")                      \
    X(AES_IV, "INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "the initialisation vector has another size")                   \
    X(AES_MODE, "UNSUPPORTED_FEATURE.AES_MODE", "AES has the modes GCM, CBC and ECB, with their own padding")          \
    X(AES_IV_MODE, "UNSUPPORTED_FEATURE.AES_MODE_IV", "the mode takes no initialisation vector")                       \
    X(AES_AAD_MODE, "UNSUPPORTED_FEATURE.AES_MODE_AAD", "the mode takes no additional data")                           \
    X(BITMAP_POSITION, "INVALID_BITMAP_POSITION", "a bitmap has 32768 bits")                                           \
    X(VARIANT_KEY, "VARIANT_DUPLICATE_KEY", "an object has a name twice")                                              \
    X(VARIANT_CAST, "INVALID_VARIANT_CAST", "the variant value is none of the type")                                   \
    X(AES_CRYPTO, "INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "the bytes cannot be decrypted")                         \
    X(CONVERSION, "CONVERSION_INVALID_INPUT", "the text cannot be converted")                                          \
    X(FUTURE_TIME, "FUTURE_EVENT_TIME", "the event time is too far ahead of the record's timestamp")                   \
    X(MESSAGE_TOO_LARGE, "MESSAGE_TOO_LARGE", "the Kafka record is larger than its topic takes")                       \
    X(TOPIC, "INVALID_TOPIC", "the column `topic` is NULL or no name of a topic")                                      \
    X(TOPIC_UNKNOWN, "UNKNOWN_TOPIC_OR_PARTITION", "the topic has no such partition, or does not exist")               \
    X(HEADER, "INVALID_HEADER", "a header has no key, or there are too many")                                          \
    X(TIMESTAMP, "INVALID_TIMESTAMP", "the topic does not take a timestamp so far from now")                           \
    X(NO_KEY, "INVALID_RECORD", "the topic is compacted, so every record needs a key")                                 \
    X(PARTITION_VALUE, "PARTITION_VALUE_TOO_LONG", "a partition column's value makes a folder's name too long")        \
    X(NOT_NULL, "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "the table says NOT NULL of a column that is NULL")              \
    X(REPLAY_GONE, "REPLAY_TARGET_GONE", "what had rejected the record is no longer part of the project")              \
    X(NUMBER_FORMAT, "INVALID_FORMAT.MISMATCH_INPUT", "the text does not match the format of a number")                \
    X(WEEKDAY, "ILLEGAL_DAY_OF_WEEK", "there is no such day of the week")                                              \
    X(INTERVAL_FORMAT_DAYS, "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE",                             \
      "the text is not an interval of the type")                                                                       \
    X(SECOND_FRACTION, "INVALID_FRACTION_OF_SECOND", "of second 60 there is no fraction")                              \
    X(TIME_OF_DAY, "CANNOT_PARSE_TIME", "the text is not a time of the day in the pattern")                            \
    X(TIME_PATTERN, "INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "the text is not a pattern of a date or time")         \
    X(TIME_PATTERN_OLDER, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",                          \
      "the pattern meant something else to Spark 2")                                                                   \
    X(TIME_PATTERN_WEEK, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",                            \
      "weeks are no part of a pattern")                                                                                \
    X(DATE_PLUS_TIME, "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", "a DATE takes intervals of months and days")      \
    X(CHARSET, "INVALID_PARAMETER_VALUE.CHARSET", "there is no such charset")                                          \
    X(CODING, "MALFORMED_CHARACTER_CODING", "the charset has no such character, or the bytes are none")                \
    X(ELEMENT_INDEX, "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "the array has no element of that number")                   \
    X(SHORT_OVERFLOW, "BINARY_ARITHMETIC_OVERFLOW", "the result does not fit the type")                                \
    X(NOT_WHOLE, "SECOND_FUNCTION_ARGUMENT_NOT_INTEGER", "the second argument is no whole number")                     \
    X(TIME_PATTERN_LETTER, "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",                                               \
      "the pattern has a letter that means nothing")                                                                   \
    X(TIME_PATTERN_LENGTH, "INVALID_DATETIME_PATTERN.LENGTH", "the pattern has too many letters of a kind")            \
    X(SLICE_START, "INVALID_PARAMETER_VALUE.START", "places count from 1 or from -1")                                  \
    X(SLICE_LENGTH, "INVALID_PARAMETER_VALUE.LENGTH", "a length is not negative")                                      \
    X(MAP_SIZES, "_LEGACY_ERROR_TEMP_2128", "there are not as many keys as values")                                    \
    X(DATETIME_UNIT, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "there is no such unit of time")                         \
    X(INTERVAL_PARSING, "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "a field of the interval is out of its range")     \
    X(REGEXP_REPLACE, "INVALID_REGEXP_REPLACE", "the replacement has a group that the pattern has not, or ends in it") \
    X(NUMERIC_RANGE_ROUNDED, "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION",                                          \
      "the rounded decimal needs more digits than its precision")                                                      \
    X(NUMERIC_SUPPORTED, "NUMERIC_OUT_OF_SUPPORTED_RANGE", "the number has more than 38 digits before the point")

enum reject_code {
#define X(name, condition, text) REJECT_##name,
    REJECT_CODES(X)
#undef X
        REJECT_COUNT
};
struct reject {
    int32_t row;
    int32_t step; /* which expression step, for its source position; -1 = none */
    enum reject_code code;
};
/* More of the first of them, for the error that ends a query. */
struct reject_note {
    int32_t row, step; /* whose it is */
    struct text text;  /* "The value 'a' of the type .."; empty: nothing more is known */
};
struct rejects {
    struct reject *items;
    int32_t count, capacity;
    struct reject_note *note; /* NULL: nobody asks */
};
void rejects_add(struct rejects *rejects, int64_t row, int32_t step, enum reject_code code);
static inline void rejects_clear(struct rejects *rejects) { rejects->count = 0; }
void rejects_free(struct rejects *rejects);
const char *reject_condition(enum reject_code code); /* Spark's condition name */
/* The same with the part behind the point, where there is one that `reason`s leave out. */
const char *reject_condition_full(enum reject_code code);
const char *reject_text(enum reject_code code);

#endif
