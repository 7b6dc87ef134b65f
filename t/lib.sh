# shellcheck shell=bash
# Helpers of the shell tests: TAP, a scratch directory, a hermetic environment, the demo world and the HTTP server.
# A test begins with `. t/lib.sh` and ends with done_testing; it runs from the top of the tree, under prove or alone.
# Owns $scratch (the test's directory, removed at exit), $status, $out and $err (of the last `run`).

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 255
O=${O:-build}
case $O in
  /*) ;;
  *) O=$top/$O ;;
esac
TUXTAPE=${TUXTAPE:-$O/tuxtape}
case $TUXTAPE in
  /*) ;;
  *) TUXTAPE=$top/$TUXTAPE ;;
esac
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tuxtape-test.XXXXXX") || exit 255
tests=0 failed=0 finished=0
processes=()

# What the user or the machine has set up must not reach a test.
for variable in $(compgen -e | grep -E '^(TUXTAPE_|GIT_|XDG_|NVD_|[a-z]+_proxy$|[A-Z]+_PROXY$)'); do
  case $variable in TUXTAPE_WORLD) ;; *) unset "$variable" ;; esac
done
unset variable CDPATH NO_COLOR
export O TUXTAPE HOME=$scratch/home TMPDIR=$scratch/tmp LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
export XDG_CONFIG_HOME=$HOME/.config XDG_CACHE_HOME=$HOME/.cache XDG_DATA_HOME=$HOME/.local/share XDG_STATE_HOME=$HOME/.local/state
export XDG_RUNTIME_DIR=$scratch/run
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_SOURCE=4b825dc642cb6eb9a060e54bf8d69288fbee4904
export GIT_AUTHOR_NAME='A U Thor' GIT_AUTHOR_EMAIL=author@example.org GIT_COMMITTER_NAME='C O Mitter' GIT_COMMITTER_EMAIL=committer@example.org
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
mkdir -p "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR"

at_exit() {
  local code=$? p
  for p in ${processes[@]+"${processes[@]}"}; do
    kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
  done
  # A test may have taken its own rights away.
  chmod -R u+rwX "$scratch" 2>/dev/null
  rm -rf "$scratch"
  if [ "$finished" = 0 ]; then
    echo "# ended before done_testing, exit $code"
    exit $((code ? code : 255))
  fi
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- TAP

diag() {
  printf '%s\n' "$*" | sed 's/^/# /'
}

# report GOOD NAME: one line of TAP; returns whether it was good.
report() {
  tests=$((tests + 1))
  if [ "$1" = 0 ]; then
    echo "ok $tests - $2"
  else
    echo "not ok $tests - $2"
    failed=$((failed + 1))
  fi
  return "$1"
}

# ok NAME COMMAND...: the command succeeds.
ok() {
  local name=$1 said code
  shift
  said=$("$@" 2>&1 </dev/null)
  code=$?
  report $((code != 0)) "$name" || diag "exit $code: $*${said:+$'\n'$said}"
}

# not_ok NAME COMMAND...: the command fails.
not_ok() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1 </dev/null); then
    report 1 "$name" || diag "did not fail: $*${said:+$'\n'$said}"
  else
    report 0 "$name"
  fi
}

# is GOT WANT NAME
is() {
  local good=0
  [ "$1" = "$2" ] || good=1
  report $good "$3" || diag "got:  $1"$'\n'"want: $2"
}

isnt() {
  local good=0
  [ "$1" != "$2" ] || good=1
  report $good "$3" || diag "got what was not wanted: $1"
}

# like TEXT REGEX NAME: a bash (extended) regular expression is somewhere in the text.
like() {
  local good=0
  [[ $1 =~ $2 ]] || good=1
  report $good "$3" || diag "text: $1"$'\n'"does not match: $2"
}

unlike() {
  local good=0
  [[ ! $1 =~ $2 ]] || good=1
  report $good "$3" || diag "text: $1"$'\n'"matches: $2"
}

# same FILE FILE NAME: equal bytes. Of <(COMMAND), too, which must say something: whether it worked cannot be seen here.
same() {
  local good=0 files=("$1" "$2") i
  for i in 0 1; do
    [ -p "${files[i]}" ] || continue
    cat "${files[i]}" >"$scratch/same.$i"
    files[i]=$scratch/same.$i
    [ -s "${files[i]}" ] || good=1
  done
  cmp -s "${files[@]}" || good=1
  report $good "$3" || diag "$(diff -a "${files[@]}" 2>&1 | head -20)"$'\n'"$(wc -c "${files[@]}" | head -n 2)"
}

# run COMMAND...: never fails; leaves $status, $out, $err, and the bytes in $scratch/out and $scratch/err.
run() {
  "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
  out=$(tr -d '\0' <"$scratch/out")
  err=$(tr -d '\0' <"$scratch/err")
}

tuxtape() {
  "$TUXTAPE" "$@"
}

# is_exit CODE NAME: of the last run. Shows what it said where it differs.
is_exit() {
  local good=0
  [ "$status" = "$1" ] || good=1
  report $good "$2" || diag "exit $status, want $1"$'\n'"$(tail -n 10 "$scratch/err")"
}

# skip_all WHY, before any test of a file: for what this machine cannot do. CI fails on any but those of a missing download.
skip_all() {
  [ "$tests" = 0 ] || bail "skip_all after $tests tests"
  echo "1..0 # SKIP $*"
  finished=1
  exit 0
}

bail() {
  echo "Bail out! $*"
  finished=1
  exit 255
}

done_testing() {
  echo "1..$tests"
  finished=1
  [ "$failed" = 0 ]
  exit
}

# ---- Processes

# wait_for SECONDS COMMAND...: until the command succeeds; fails when it did not in time, which is five times as long where others use the
# machine, too.
wait_for() {
  local until=$((SECONDS + 5 * $1 + 1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.02
  done
}

# as_nobody COMMAND...: by a user without rights, where the tests run as root; else as who runs them.
as_nobody() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  else
    "$@"
  fi
}

# background COMMAND...: sets $pid; what it says goes to $scratch/background; ended when the test ends.
background() {
  "$@" </dev/null >>"$scratch/background" 2>&1 &
  pid=$!
  processes+=("$pid")
}

# stop PID [SIGNAL]: ends a process of this test; $status is its exit code.
stop() {
  kill "-${2:-TERM}" "$1" 2>/dev/null
  await "$1"
}

# await PID: until a process of this test has ended; $status is its exit code.
await() {
  local p kept=()
  wait "$1" 2>/dev/null
  status=$?
  for p in "${processes[@]}"; do
    [ "$p" = "$1" ] || kept+=("$p")
  done
  processes=(${kept[@]+"${kept[@]}"})
}

# start_httpd ARGUMENTS: t/httpd.c on a free port of loopback; sets $httpd_pid, $httpd_url and $NVD_URL, where it plays NVD.
start_httpd() {
  local port_file
  port_file=$(mktemp "$scratch/port.XXXXXX")
  rm -f "$port_file"
  background "$O/t/httpd" --port 0 --port-file "$port_file" "$@"
  httpd_pid=$pid
  wait_for 20 test -s "$port_file" || bail "httpd does not start: $(tail -n 1 "$scratch/background")"
  httpd_url=http://127.0.0.1:$(cat "$port_file")
  NVD_URL=$httpd_url/rest/json/cves/2.0
}

# ---- The demo world

# demo_world: makes the world once for all tests; sets $world, which is not to be written. Repositories stand in $world/*.git.
demo_world() {
  local key new
  key=$(cat t/make-demo-world t/demo-tree t/demo-fixes t/demo-cves | git hash-object --stdin)
  world=$O/t/demo-world/$key
  [ ! -d "$world" ] || return 0
  mkdir -p "$O/t/demo-world"
  new=$(mktemp -d "$O/t/demo-world/new.XXXXXX")
  chmod 755 "$new"
  t/make-demo-world "$new" || bail "make-demo-world fails"
  # Two tests may make it at once: the first to be ready wins.
  mv -T "$new" "$world" 2>/dev/null || rm -rf "$new"
}

# parsed_world: the demo's world, and its CVEs in the database $db.
parsed_world() {
  demo_world
  db=$scratch/db
  run parse --db "$db" --no-nvd
  is_exit 0 'a database'
}

# own_world: a copy in $scratch/world that the test may write; sets $world.
own_world() {
  demo_world
  cp -r "$world" "$scratch/world"
  world=$scratch/world
}

# parse ARGUMENTS: `tuxtape parse` of $world without any network but the test's own, as an argv for run: `run parse --db F`.
parse() {
  "$TUXTAPE" parse --no-fetch --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --nvd-pause 0 ${NVD_URL:+--nvd-url "$NVD_URL"} "$@"
}
