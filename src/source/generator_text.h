/* generator_text.h - write numbers and times into memory that is already there. Each put_* returns
 * the next place. */
#ifndef SOURCE_GENERATOR_TEXT_H
#define SOURCE_GENERATOR_TEXT_H

#include <stdint.h>
#include <string.h>

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                  "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";
static const char hex_pairs[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
    "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
    "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

/* PUT(at, "literal") */
#define PUT(at, literal) put_bytes((at), (literal), sizeof(literal) - 1)
static inline char *put_bytes(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}
static inline char *put_2(char *at, uint32_t value)
{
    memcpy(at, digit_pairs + 2 * value, 2);
    return at + 2;
}
static inline char *put_4(char *at, uint32_t value) { return put_2(put_2(at, value / 100), value % 100); }
static inline char *put_6(char *at, uint32_t value) { return put_2(put_4(at, value / 100), value % 100); }
static inline char *put_8(char *at, uint32_t value) { return put_4(put_4(at, value / 10000), value % 10000); }
static inline char *put_hex16(char *at, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8, at += 2)
        memcpy(at, hex_pairs + 2 * ((value >> shift) & 255), 2);
    return at;
}
static inline char *put_number(char *at, uint64_t value)
{
    char reversed[20];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0)
        *at++ = reversed[--count];
    return at;
}
/* 12345 -> 123.45 */
static inline char *put_cents(char *at, uint64_t cents)
{
    at = put_number(at, cents / 100);
    *at++ = '.';
    return put_2(at, (uint32_t)(cents % 100));
}
/* -1234567 -> -1.234567 */
static inline char *put_millionths(char *at, int64_t value)
{
    if (value < 0) {
        *at++ = '-';
        value = -value;
    }
    at = put_number(at, (uint64_t)value / 1000000);
    *at++ = '.';
    return put_6(at, (uint32_t)((uint64_t)value % 1000000));
}

/* The day written last: consecutive records mostly share it. */
struct day_text {
    int64_t day;
    char text[12]; /* "2026-01-01T"; "" = none yet */
};
enum { ZONE_TEXT_SIZE = 6, TIME_TEXT_MAX = 40 };

#endif
