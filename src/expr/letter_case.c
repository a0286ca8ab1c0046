/* letter_case.c - letters in the other case. Single letters come from the C library's Unicode tables, which every glibc has as
 * C.UTF-8; what those cannot say stands here: letters that become several, and what a word begins with.
 *
 * Spec  Unicode 15, SpecialCasing.txt without its rows for languages, and the rule for a final sigma (3.13, table 3-17)
 */
#include "expr/letter_case.h"

#include <locale.h>
#include <wctype.h>

#include "expr/utf8.h"

enum { SIGMA = 0x3a3, FINAL_SIGMA = 0x3c2, I_WITH_DOT = 0x130 };

static locale_t unicode(void)
{
    static _Atomic(locale_t) made;
    if (made == (locale_t)0)
        made = newlocale(LC_CTYPE_MASK, "C.UTF-8",
                         (locale_t)0); // two threads may make it twice; both are right
    return made;
}

static uint32_t single_upper(uint32_t code)
{
    locale_t locale = unicode();
    return locale == (locale_t)0 ? code : (uint32_t)towupper_l((wint_t)code, locale);
}

static uint32_t single_lower(uint32_t code)
{
    locale_t locale = unicode();
    return locale == (locale_t)0 ? code : (uint32_t)towlower_l((wint_t)code, locale);
}

/* ---- letters that become several ---- */

struct special_case {
    uint32_t code, upper[CASE_CODES_MAX], title[CASE_CODES_MAX]; /* 0 ends them */
};

// clang-format off
static const struct special_case specials[] = {
    {0x00df, {0x0053, 0x0053}, {0x0053, 0x0073}},
    {0x0149, {0x02bc, 0x004e}, {0x02bc, 0x004e}},
    {0x01f0, {0x004a, 0x030c}, {0x004a, 0x030c}},
    {0x0390, {0x0399, 0x0308, 0x0301}, {0x0399, 0x0308, 0x0301}},
    {0x03b0, {0x03a5, 0x0308, 0x0301}, {0x03a5, 0x0308, 0x0301}},
    {0x0587, {0x0535, 0x0552}, {0x0535, 0x0582}},
    {0x1e96, {0x0048, 0x0331}, {0x0048, 0x0331}},
    {0x1e97, {0x0054, 0x0308}, {0x0054, 0x0308}},
    {0x1e98, {0x0057, 0x030a}, {0x0057, 0x030a}},
    {0x1e99, {0x0059, 0x030a}, {0x0059, 0x030a}},
    {0x1e9a, {0x0041, 0x02be}, {0x0041, 0x02be}},
    {0x1f50, {0x03a5, 0x0313}, {0x03a5, 0x0313}},
    {0x1f52, {0x03a5, 0x0313, 0x0300}, {0x03a5, 0x0313, 0x0300}},
    {0x1f54, {0x03a5, 0x0313, 0x0301}, {0x03a5, 0x0313, 0x0301}},
    {0x1f56, {0x03a5, 0x0313, 0x0342}, {0x03a5, 0x0313, 0x0342}},
    {0x1fb2, {0x1fba, 0x0399}, {0x1fba, 0x0345}},
    {0x1fb3, {0x0391, 0x0399}, {0x1fbc}},
    {0x1fb4, {0x0386, 0x0399}, {0x0386, 0x0345}},
    {0x1fb6, {0x0391, 0x0342}, {0x0391, 0x0342}},
    {0x1fb7, {0x0391, 0x0342, 0x0399}, {0x0391, 0x0342, 0x0345}},
    {0x1fbc, {0x0391, 0x0399}, {0x1fbc}},
    {0x1fc2, {0x1fca, 0x0399}, {0x1fca, 0x0345}},
    {0x1fc3, {0x0397, 0x0399}, {0x1fcc}},
    {0x1fc4, {0x0389, 0x0399}, {0x0389, 0x0345}},
    {0x1fc6, {0x0397, 0x0342}, {0x0397, 0x0342}},
    {0x1fc7, {0x0397, 0x0342, 0x0399}, {0x0397, 0x0342, 0x0345}},
    {0x1fcc, {0x0397, 0x0399}, {0x1fcc}},
    {0x1fd2, {0x0399, 0x0308, 0x0300}, {0x0399, 0x0308, 0x0300}},
    {0x1fd3, {0x0399, 0x0308, 0x0301}, {0x0399, 0x0308, 0x0301}},
    {0x1fd6, {0x0399, 0x0342}, {0x0399, 0x0342}},
    {0x1fd7, {0x0399, 0x0308, 0x0342}, {0x0399, 0x0308, 0x0342}},
    {0x1fe2, {0x03a5, 0x0308, 0x0300}, {0x03a5, 0x0308, 0x0300}},
    {0x1fe3, {0x03a5, 0x0308, 0x0301}, {0x03a5, 0x0308, 0x0301}},
    {0x1fe4, {0x03a1, 0x0313}, {0x03a1, 0x0313}},
    {0x1fe6, {0x03a5, 0x0342}, {0x03a5, 0x0342}},
    {0x1fe7, {0x03a5, 0x0308, 0x0342}, {0x03a5, 0x0308, 0x0342}},
    {0x1ff2, {0x1ffa, 0x0399}, {0x1ffa, 0x0345}},
    {0x1ff3, {0x03a9, 0x0399}, {0x1ffc}},
    {0x1ff4, {0x038f, 0x0399}, {0x038f, 0x0345}},
    {0x1ff6, {0x03a9, 0x0342}, {0x03a9, 0x0342}},
    {0x1ff7, {0x03a9, 0x0342, 0x0399}, {0x03a9, 0x0342, 0x0345}},
    {0x1ffc, {0x03a9, 0x0399}, {0x1ffc}},
    {0xfb00, {0x0046, 0x0046}, {0x0046, 0x0066}},
    {0xfb01, {0x0046, 0x0049}, {0x0046, 0x0069}},
    {0xfb02, {0x0046, 0x004c}, {0x0046, 0x006c}},
    {0xfb03, {0x0046, 0x0046, 0x0049}, {0x0046, 0x0066, 0x0069}},
    {0xfb04, {0x0046, 0x0046, 0x004c}, {0x0046, 0x0066, 0x006c}},
    {0xfb05, {0x0053, 0x0054}, {0x0053, 0x0074}},
    {0xfb06, {0x0053, 0x0054}, {0x0053, 0x0074}},
    {0xfb13, {0x0544, 0x0546}, {0x0544, 0x0576}},
    {0xfb14, {0x0544, 0x0535}, {0x0544, 0x0565}},
    {0xfb15, {0x0544, 0x053b}, {0x0544, 0x056b}},
    {0xfb16, {0x054e, 0x0546}, {0x054e, 0x0576}},
    {0xfb17, {0x0544, 0x053d}, {0x0544, 0x056d}},
};
// clang-format on

static const struct special_case *special_of(uint32_t code)
{
    size_t low = 0, high = sizeof specials / sizeof specials[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (specials[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof specials / sizeof specials[0] && specials[low].code == code ? &specials[low] : NULL;
}

/* Greek vowels with an iota below, in rows of eight small and eight capital ones: 1f80, 1f90 and 1fa0. */
static bool has_iota_below(uint32_t code) { return code >= 0x1f80 && code <= 0x1faf; }

static uint32_t without_iota(uint32_t code)
{
    static const uint32_t capitals[] = {0x1f08, 0x1f28, 0x1f68};
    return capitals[(code - 0x1f80) / 16] + code % 8;
}

static size_t put_all(const uint32_t codes[CASE_CODES_MAX], uint8_t *to)
{
    size_t size = 0;
    for (int i = 0; i < CASE_CODES_MAX && codes[i] != 0; i++)
        size += utf8_encode(codes[i], to + size);
    return size;
}

size_t letter_upper(uint32_t code, uint8_t *to)
{
    const struct special_case *special = special_of(code);
    if (special != NULL)
        return put_all(special->upper, to);
    if (has_iota_below(code))
        return put_all((const uint32_t[CASE_CODES_MAX]){without_iota(code), 0x0399}, to);
    return utf8_encode(single_upper(code), to);
}

/* ---- the first letter of a word ---- */

/* Two letters in one, with a form of its own for the start of a word: DŽ Dž dž, LJ Lj lj, NJ Nj nj; DZ Dz dz. */
static uint32_t digraph_title(uint32_t code)
{
    if (code >= 0x1c4 && code <= 0x1cc)
        return code - (code - 0x1c4) % 3 + 1;
    return code >= 0x1f1 && code <= 0x1f3 ? 0x1f2 : 0;
}

size_t letter_title(uint32_t code, uint8_t *to)
{
    const struct special_case *special = special_of(code);
    uint32_t digraph = digraph_title(code);
    bool georgian = code >= 0x10d0 && code <= 0x10ff; // its capitals are for whole words
    if (special != NULL)
        return put_all(special->title, to);
    if (has_iota_below(code))
        return utf8_encode(code | 8, to);
    return utf8_encode(digraph != 0 ? digraph : georgian ? code : single_upper(code), to);
}

/* ---- small letters ---- */

static bool is_cased(uint32_t code) { return single_lower(code) != code || single_upper(code) != code; }

/* Marks, and signs within words: a sigma is looked at as if they were not there. */
static bool is_ignored(uint32_t code)
{
    return code == '\'' || code == '.' || code == ':' || code == '^' || code == '`' || code == 0xad || code == 0xb7 ||
           code == 0x2018 || code == 0x2019 || (code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0xfe00 && code <= 0xfe0f);
}

static bool cased_behind(struct bytes text, size_t at)
{
    for (size_t size; at < text.size; at += size) {
        uint32_t code = utf8_decode(text, at, &size);
        if (!is_ignored(code))
            return is_cased(code);
    }
    return false;
}

static bool cased_before(struct bytes text, size_t at)
{
    while (at > 0) {
        size_t size;
        do
            at--;
        while (at > 0 && (text.data[at] & 0xc0) == 0x80);
        uint32_t code = utf8_decode(text, at, &size);
        if (!is_ignored(code))
            return is_cased(code);
    }
    return false;
}

size_t letter_lower(struct bytes text, size_t at, uint8_t *to)
{
    size_t size;
    uint32_t code = utf8_decode(text, at, &size);
    if (code == I_WITH_DOT) // an i, and a dot that combines with it
        return put_all((const uint32_t[CASE_CODES_MAX]){'i', 0x307}, to);
    if (code == SIGMA && cased_before(text, at) && !cased_behind(text, at + size))
        return utf8_encode(FINAL_SIGMA, to);
    return utf8_encode(single_lower(code), to);
}
