# shellcheck shell=bash
# Sourced by ./dev and the tools: how a script talks. Progress goes to stderr, stdout is for data.
#
#   say TEXT...              a line of progress
#   die TEXT...              an error, and exit 1
#   step TEXT COMMAND...     runs the command with its output in a log: one line with its duration on success, the
#                            log's tail on failure

say() { printf '%s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Milliseconds, for durations only.
now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

seconds_since() {
    local ms=$(($(now_ms) - $1))
    printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# With a terminal the line appears before the command runs, and is completed by its duration.
step() {
    local text=$1 start log status=0
    shift
    start=$(now_ms)
    log=$(mktemp)
    [[ -t 2 ]] && printf '%-60s ' "$text" >&2
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [[ -t 2 ]] || printf '%-60s ' "$text" >&2
    if ((status == 0)); then
        say "$(seconds_since "$start")"
    else
        say "FAILED ($status): $*"
        tail -n "${LOG_TAIL:-60}" "$log" >&2
    fi
    rm -f "$log"
    return "$status"
}
