# shellcheck shell=bash
# Helpers of t/bench: rows of the table, medians, what processes hold and use. A benchmark begins with `. t/bench.sh`. Owns $scratch (removed
# at exit) and $tuxtape.

set -euo pipefail
tuxtape=${TUXTAPE:-build/tuxtape}
scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/tuxtape-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 TIMEFORMAT=%R

# row WHAT MEASURED COMPARED RATIO [MEMORY]
row() {
  printf '| %s | %s | %s | %s | %s |\n' "$1" "$2" "$3" "$4" "${5-}"
}

ratio() {
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

# median FILE EXPRESSION [FORMAT]: of an awk expression over the file's lines, one for each repetition.
median() {
  awk "{ print $2 }" "$1" | sort -g | awk -v f="${3:-%.2f}" '{ v[NR] = $1 } END { printf f, NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# held PID...: private dirty memory and PSS of processes together, in KiB.
held() {
  local p
  for p in "$@"; do cat "/proc/$p/smaps_rollup" 2>/dev/null || true; done |
    awk '/^Private_Dirty/ { d += $2 } /^Pss:/ { p += $2 } END { print d + 0, p + 0 }'
}

# family PID: it and its children.
family() {
  echo "$1"
  pgrep -P "$1" || true
}

# used_ms PID: processor time of a process and its children, the ended ones, too.
used_ms() {
  local p
  for p in $(family "$1"); do cat "/proc/$p/stat" 2>/dev/null || true; done |
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); s += $12 + $13 + (NR == 1 ? $14 + $15 : 0) } END { print s * 1000 / tick }'
}
