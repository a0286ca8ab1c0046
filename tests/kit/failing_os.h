/* failing_os.h - a struct os that makes the k-th file operation fail, for loops over k = 1, 2, 3, ...
 *
 * Use      for (int k = 1; ; k++) { failing_os_arm(k, HOW); ...; if (!failing_os_disarm()) break; }
 *          the loop ends with the first k that no operation reached
 * Counts   open for writing, write, sync, close, folder sync and make, link, rename, remove, stat, list, lock
 * Thread   one
 */
#ifndef FAILING_OS_H
#define FAILING_OS_H

#include <stdbool.h>

enum failing_how {
    FAILING_EIO,    /* not done, EIO */
    FAILING_ENOSPC, /* not done, ENOSPC */
    FAILING_SHORT,  /* a write: half of it is done, then EIO; others: as FAILING_EIO */
    FAILING_LOST,   /* done, but the answer is EIO */
    FAILING_HOW_COUNT
};
void failing_os_arm(int k, enum failing_how how);
/* Back to the real one; true when the fault was reached. */
bool failing_os_disarm(void);

#endif
