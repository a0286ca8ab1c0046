#!/usr/bin/env bash
# tools/tidy must catch what it is there for, and nothing else: a tiny tree per case.
set -euo pipefail

TIDY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/tools/tidy
TREE=$(mktemp -d)
trap 'rm -rf "$TREE"' EXIT
passed=0 failed=0

new_tree() {
    rm -rf "${TREE:?}/src"
    mkdir -p "$TREE"/src/{base,data,sink,cli}
    printf '# the law\nbase:\ndata: base\nsink: base data\ncli: all\n' >"$TREE/src/LAYERS"
    for folder in base data sink cli; do echo '/* empty */' >"$TREE/src/$folder/$folder.h"; done
}

verdict() {
    if "${@:2}"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s: %s\n%s\n' "${BASH_SOURCE[0]}" "$1" "$output"
    fi
}

# check NAME WANTED FILE CODE: WANTED is the finding, or "ok".
check() {
    new_tree
    mkdir -p "$TREE/src/${3%/*}"
    printf '%s\n' "$4" >"$TREE/src/$3"
    output=$("$TIDY" "$TREE" 2>&1) && status=0 || status=$?
    if [[ $2 == ok ]]; then
        verdict "$1" test "$status" = 0
    else
        verdict "$1" grep -qE "src/$3:[0-9]+: $2" <<<"$output"
        verdict "$1: exit status" test "$status" = 1
        verdict "$1: closing line" grep -qE '^[0-9]+ passed, 1 failed$' <<<"$output"
    fi
}

check "own folder, base and allowed headers" ok sink/file.c $'#include "sink/inner.h"\n#include "base/x.h"\n#include "data/data.h"'
check "an upward include" "data must not include sink" data/a.c '#include "sink/sink.h"'
check "another folder's inner header" 'include "data/batch.h"' sink/a.c '#include "data/batch.h"'
check "a header without folder" 'include "sink.h"' sink/a.c '#include "sink.h"'
check "an unknown folder" 'include "data2/data2.h"' sink/a.c '#include "data2/data2.h"'
check "cli may use all" ok cli/main.c '#include "sink/sink.h"'
check "a commented include" ok data/a.c $'/*\n#include "sink/sink.h"\n*/'
check "a name taken twice" "the file name is taken" sink/data.h ''
check "a folder without a law" "drawer is not in LAYERS" drawer/a.c ''

check "a banned call, even in base" "strcpy: banned everywhere" base/a.c 'void f(char *a) { strcpy(a, "x"); }'
check "malloc outside base" "malloc: only base/" sink/a.c 'void *p = malloc(3);'
check "malloc in base" ok base/a.c 'void *p = malloc(3);'
check "a space before the bracket" "open: only base/" sink/a.c 'int f = open ("x", 0);'
check "a call on line 4" "rand" sink/a.c $'/* one\ntwo */\n\nint t = rand();'
verdict "its line" grep -q 'src/sink/a.c:4: rand' <<<"$output"
check "a comment" ok sink/a.c '/* malloc(3) */ // free(p)'
check "a string" ok sink/a.c 'const char *s = "a \" malloc(3)"; char c = '"'\"'"';'
check "a member" ok sink/a.c 'int f(struct os *os) { return os->open(os) + os->file.read(1); }'
check "a member's declaration" ok sink/a.c 'struct os { int (*open)(struct os *); };'
check "a longer name" ok sink/a.c 'int x = file_open(1) + reopen(2) + opener(3);'
check "an allowed exception" ok sink/a.c 'free(p); /* tidy: allow free - librdkafka gave it to us */'
check "an exception for another name" "free: only" sink/a.c 'free(p); /* tidy: allow malloc - why */'
check "an exception without a reason" "free: only" sink/a.c 'free(p); /* tidy: allow free */'

new_tree
printf 'base: data\ndata: base\n' >"$TREE/src/LAYERS"
output=$("$TIDY" "$TREE" 2>&1) && status=0 || status=$?
verdict "a cycle in LAYERS" grep -q 'LAYERS:1: base includes data' <<<"$output"
verdict "a cycle in LAYERS: exit status" test "$status" = 1

echo "$passed passed, $failed failed"
((failed == 0))
