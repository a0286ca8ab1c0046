#!/usr/bin/env bash
# Every C file stands as `./dev fmt` leaves it. Without clang-format, or with another than Debian 12's, nothing can be said.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! clang-format --version 2>/dev/null | grep -q ' 14\.'; then
    echo "skip layout: clang-format 14 is not there (tools/setup format)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
if findings=$(git ls-files -- 'src/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]' | xargs clang-format --dry-run -Werror 2>&1); then
    echo "1 passed, 0 failed"
else
    grep -F 'error:' <<<"$findings" | cut -d: -f1 | uniq -c | head -20
    echo "these files (with places that differ) are not as ./dev fmt leaves them"
    echo "0 passed, 1 failed"
    exit 1
fi
