#!/usr/bin/env bash
# bench/server.sh WORLD [DB]: the server over mutual TLS on loopback, each number as a ratio to a peer of the same run: sqlite3's shell, and a gRPC
# server and client in C++ (t/bench/grpc) where they are built. Client and server have a core each, and repetitions of both alternate;
# shown are medians. Prints rows of a Markdown table. DB: a database that a parse of the world has made; else one is made.
. t/bench.sh
world=${1:?a world made in full}
build=${O:-build}
client=$build/t/rpctool
peer=$build/bench/peer
repeat=${BENCH_REPEAT:-5}
version=5.15
title=
processes=()
cores=$(nproc)
ulimit -n "$(ulimit -H -n)"

at_end() {
  local p
  for p in ${processes[@]+"${processes[@]}"}; do
    kill "$p" 2>/dev/null && wait "$p" 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap at_end EXIT

# on CORE COMMAND...: where there is but one core there is nothing to choose.
on() {
  local core=$1
  shift
  if [ "$cores" -gt 1 ]; then set -- taskset -c "$core" "$@"; fi
  "$@"
}
# In the place of the shell that calls it, so that the shell's number is the server's.
as_server() {
  if [ "$cores" -gt 1 ]; then set -- taskset -c 0 "$@"; fi
  CERT=$scratch/ca/server.crt KEY=$scratch/ca/server.key CA=$scratch/ca/ca.crt exec "$@"
}
as_client() {
  CERT=$scratch/ca/viewer.crt KEY=$scratch/ca/viewer.key CA=$scratch/ca/ca.crt on 1 "$@"
}

wait_until() {
  local end=$((SECONDS + 600))
  until "$@" 2>/dev/null; do
    [ "$SECONDS" -lt "$end" ] || { echo "bench/server.sh: waited in vain for: $*" >&2; exit 1; }
    sleep 0.05
  done
}

# ---- What is compared

make_database() {
  local given=$1
  if [ -n "$given" ]; then
    # Whatever configs it has: CVEs alone are asked for.
    sqlite3 "$given" "VACUUM INTO '$scratch/db'"
    sqlite3 "$scratch/db" 'PRAGMA journal_mode = WAL; DELETE FROM kernel_config' >/dev/null
  else
    [ -d "$world/linux-full.git" ] || { echo "bench/server.sh: $world has no linux-full.git: make-world --full" >&2; exit 1; }
    "$tuxtape" parse --no-fetch --no-nvd --db "$scratch/db" --vulns-repo "$world/vulns-full.git" --linux-repo "$world/linux-full.git" --quiet
  fi
  title=$(sqlite3 "$scratch/db" 'SELECT i.title FROM cve_instance AS i JOIN fix AS f USING (fix_commit)
    WHERE f.state = 1 AND length(f.patch) BETWEEN 2000 AND 3000 LIMIT 1')
}

make_certificates() {
  "$tuxtape" cert init --dir "$scratch/ca" --quiet >/dev/null
  "$tuxtape" cert issue server --role server --host localhost --host 127.0.0.1 --dir "$scratch/ca" --quiet >/dev/null
  "$tuxtape" cert issue viewer --role viewer --dir "$scratch/ca" --quiet >/dev/null
}

# start_server OPTION...
start_server() {
  as_server "$tuxtape" server -d "$scratch/db" -s 127.0.0.1:0 --tls --tls-cert-path "$scratch/ca/server.crt" \
    --tls-key-path "$scratch/ca/server.key" --tls-ca-path "$scratch/ca/ca.crt" "$@" </dev/null >"$scratch/log" 2>&1 &
  server=$!
  processes[0]=$server
  wait_until grep -q 'listening on' "$scratch/log"
  address=localhost:$(sed -n 's/.*, port \([0-9]*\)$/\1/p' "$scratch/log")
}

# The peer runs until its standard input ends.
start_peer() {
  mkfifo "$scratch/peer.in"
  as_server "$peer" server 0 <"$scratch/peer.in" >"$scratch/peer.out" &
  grpc=$!
  processes+=("$grpc")
  exec 8>"$scratch/peer.in"
  wait_until test -s "$scratch/peer.out"
  port=$(cat "$scratch/peer.out")
}

# Its standard input is at its end, unless it is to stay.
ours() {
  as_client "$client" "$address" "$@" </dev/null
}
stay() {
  as_client "$client" "$address" "$@"
}
theirs() {
  local command=$1
  shift
  as_client "$peer" "$command" "$port" "$@"
}

# both FILE OURS -- THEIRS: the two in turn, their output side by side on a line for each repetition. Without the peer ours alone.
both() {
  local file=$scratch/$1 mine=() other
  shift
  while [ "$1" != -- ]; do
    mine+=("$1")
    shift
  done
  shift
  for ((i = 0; i < repeat; i++)); do
    other=
    ! have_peer || other=$("$@")
    echo "$("${mine[@]}") $other"
  done >"$file"
}
have_peer() {
  [ -x "$peer" ]
}

# compare WHAT FILE OURS THEIRS FORMAT UNIT [MEMORY]: a row; OURS and THEIRS are awk expressions over the file's lines.
compare() {
  local file=$scratch/$2
  if have_peer; then
    row "$1" "$(median "$file" "$3" "$5") $6" "gRPC: $(median "$file" "$4" "$5") $6" "$(median "$file" "($3) / ($4)")" "${7-}"
  else
    row "$1" "$(median "$file" "$3" "$5") $6" '' '' "${7-}"
  fi
}

# ---- FetchCves against sqlite3's shell

shell_scan() (
  set -- "$(sqlite3 "$scratch/db" "SELECT group_concat(name) FROM pragma_table_info('cve') WHERE name <> 'description'")"
  time on 0 sqlite3 -readonly "$scratch/db" "SELECT $1 FROM cve ORDER BY rank;
    SELECT i.* FROM cve AS c CROSS JOIN cve_instance AS i USING (cve) ORDER BY c.rank" >/dev/null
)

# most_held FILE ARGUMENTS...: of rpctool's cves: what its worker holds when it has answered, and held at most.
most_held() {
  local file=$scratch/$1 w dirty pss worker=
  shift
  crowd held stay "$@"
  for w in $(pgrep -P "$server"); do
    read -r dirty pss < <(held "$w")
    worker+="$dirty $pss $(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$w/status")"$'\n'
  done
  disperse
  sort -rn <<<"$worker" |
    awk 'NR == 1 { printf "worker: %.1f MB private dirty, %.1f MB PSS; at most %.1f MB resident", $1 / 1024, $2 / 1024, $3 / 1024 }' >"$file"
}

bench_cves() {
  local n all what
  all=$(sqlite3 "$scratch/db" 'SELECT count(*) FROM cve')
  shell_scan 2>/dev/null
  for ((i = 0; i < repeat; i++)); do
    echo "$(ours cves "$version") $({ shell_scan; } 2>&1)"
  done >"$scratch/cves"
  most_held cves.memory cves "$version"
  n=$(median "$scratch/cves" '$3' %d)
  what="FetchCves for $version, brief: $n of $all CVEs"
  row "$what, to the first" "$(median "$scratch/cves" '$1') ms" "the shell's scan: $(median "$scratch/cves" '$5 * 1000' %.0f) ms" \
    "$(median "$scratch/cves" '$1 / ($5 * 1000)' %.3f)"
  row "$what, to the last" "$(median "$scratch/cves" '$2' %.0f) ms" "sqlite3's shell, all CVEs and pairs in order: $(median "$scratch/cves" '$5 * 1000' %.0f) ms" \
    "$(median "$scratch/cves" '$2 / ($5 * 1000)')" "$(cat "$scratch/cves.memory")"
}

# ---- Against gRPC

# bench_stream WHAT ARGUMENTS...: every CVE, against as many records of the same mean size that the peer has in memory.
bench_stream() {
  local what=$1 n size
  shift
  read -r _ _ n size < <(ours cves all "$@")
  both stream ours cves all "$@" -- theirs stream "$n" "$size"
  most_held stream.memory cves all "$@"
  compare "$n $what records of $size bytes, to the first" stream '$1' '$5' %.2f ms
  compare "$n $what records of $size bytes, to the last" stream '$2' '$6' %.0f ms "$(cat "$scratch/stream.memory")"
}

# timed PID COMMAND...: what it prints, and the server's milliseconds of processor time.
timed() {
  local pid=$1 before said
  shift
  before=$(used_ms "$pid")
  said=$("$@")
  echo "$said $(awk -v a="$before" -v b="$(used_ms "$pid")" 'BEGIN { print b - a }')"
}

bench_calls() {
  local n=20000
  both calls timed "$server" ours health $n -- timed "${grpc-}" theirs calls $n
  compare 'Health calls over one connection' calls '$1' '$3' %.0f 'a second'
  compare "  the server's processor time for each" calls "\$2 * 1000 / $n" "\$4 * 1000 / $n" %.1f us
}

# The numbers alone of what rpctool says of a storm.
storm() {
  ours "$@" | sed 's/ a second, 99th percentile / /; s/ ms$//'
}

bench_connections() {
  local n=400
  both connect timed "$server" storm connect $n -- timed "${grpc-}" theirs connect $n
  compare 'connections, a call on each, two clients at a time' connect '$1' '$4' %.0f 'a second'
  compare '  99th percentile' connect '$2' '$5' %.1f ms
  compare "  the server's processor time for each" connect "\$3 / $n" "\$6 / $n" %.2f ms
  n=1000
  both storm storm storm $n "$title" -- theirs connect $n
  compare '1,000 clients that connect, ask for a patch and leave (gRPC: an empty call)' storm '$1' '$3' %.0f 'a second'
  compare '  99th percentile' storm '$2' '$4' %.1f ms
}

# mb PID: what it and its children hold.
mb() {
  # shellcheck disable=SC2046
  held $(family "$1") | awk '{ printf "%.1f MB private dirty, %.1f MB PSS", $1 / 1024, $2 / 1024 }'
}
pss() {
  # shellcheck disable=SC2046
  held $(family "$1") | awk '{ print $2 }'
}

# crowd FILE COMMAND...: one that has said something, and stays until `disperse`.
crowd() {
  local file=$scratch/$1
  shift
  rm -f "$file" "$file.in"
  mkfifo "$file.in"
  "$@" <"$file.in" >"$file" 8>&- &
  crowd=$!
  exec 9>"$file.in"
  wait_until test -s "$file"
}
disperse() {
  exec 9>&-
  wait "$crowd"
}

# bench_crowd WHAT ARGUMENTS...: 2,000 clients that do nothing more.
bench_crowd() {
  local what=$1 n=2000 mine other= memory
  shift
  crowd pool stay pool $n "$@"
  mine=$(($(pss "$server") / n))
  memory="together $(mb "$server")"
  disperse
  if have_peer; then
    crowd pool theirs pool $n
    other=$(($(pss "$grpc") / n))
    disperse
  fi
  row "$what, PSS for each" "$mine KB" "${other:+gRPC: $other KB}" "${other:+$(ratio "$mine" "$other")}" "$memory"
}

# bench_idle OURS THEIRS: what the servers held before anybody had come.
bench_idle() {
  local mine=$1 other=$2
  row 'idle server' "$mine" "${other:+gRPC: $other}" "${other:+$(ratio "$(awk '{ print $5 }' <<<"$mine")" "$(awk '{ print $5 }' <<<"$other")")}"
  bench_crowd '2,000 idle clients that were greeted'
  bench_crowd '2,000 idle clients, each of which has asked once' asked
}

make_database "${2-}"
make_certificates
start_server
! have_peer || start_peer
# Idle is what it is before anybody has come.
sleep 1
idle=$(mb "$server")
peer_idle=$(! have_peer || mb "$grpc")
bench_cves
bench_stream brief brief
bench_stream whole
bench_calls
bench_connections
kill "$server"
wait "$server"
start_server --max-clients 2100
bench_idle "$idle" "$peer_idle"
