/* signature.h - inside expr/: do these arguments fit "(T, array<T>, int?) -> T", and cast to what?
 *
 * Words      boolean tinyint smallint int bigint float double string binary date timestamp timestamp_ntz interval_dt
 *            interval_ym: that type; any: as it is; text: STRING or BINARY as it is, else cast to STRING;
 *            struct, array, map: any such; array<w>, map<w,w>
 * Variables  a capital letter stands for one type, the common type of all arguments at its places:
 *            N any number but DECIMAL, I an integer, O orderable and text stays text, Y an interval (of fields that hold all), other letters anything.
 *            D is a DECIMAL, each D its own; integers become DECIMALs
 * Places     type! takes nothing to be cast but elements, and NULL; type!! not even NULL without a type. type? may be
 *            missing, type... any number of times, both only at the end
 * Overloads  "(..) -> .. | (..) -> .."
 * Thread     any
 */
#ifndef EXPR_SIGNATURE_H
#define EXPR_SIGNATURE_H

#include "expr/function.h"

struct fit {
    int cost;                  /* 0 = no cast needed */
    const struct type **types; /* per argument, in the arena */
    const struct type *result; /* NULL: bind's to say */
    /* When it does not fit: */
    bool wrong_count;
    int32_t misfit;     /* first argument that does not fit */
    const char *wanted; /* what its place wants, upper case */
};
/* The best overload of the signature; false when none fits. Without ansi: type_common_lossy. text_wins: a variable that
 * stands for a text and something else is a text (type_common_text). */
bool signature_fit(struct arena *arena, const char *signature, const struct expr *const *args, int32_t count, bool ansi,
                   bool text_wins, struct fit *out);
/* Least and most arguments over all overloads; INT32_MAX = any number. */
void signature_counts(const char *signature, int32_t *least, int32_t *most);

#endif
