#!/usr/bin/env bash
# 100,000 connections (or as many as $1 says) to one server plain and one with TLS, each of which asks for a patch and leaves. After each
# round the descriptors and the memory of parents and workers are as they were after the first.
. t/lib.sh
. t/server.sh
demo_world
total=${1:-100000} rounds=10
db=$scratch/db
run parse --db "$db" --no-nvd
is_exit 0 'a database'
title=$(sqlite3 "$db" 'SELECT i.title FROM cve_instance i JOIN fix USING (fix_commit) WHERE patch IS NOT NULL LIMIT 1')

# measure: sets $fds, $memory (KiB), $workers, and the most that one worker has: $worker_fds, $worker_memory.
measure() {
  local p n
  worker_fds=0 worker_memory=0 workers=0
  fds=$(find /proc/"$server_pid"/fd -mindepth 1 | wc -l)
  memory=$(awk '/^RssAnon/ { print $2 }' /proc/"$server_pid"/status)
  for p in $(pgrep -P "$server_pid"); do
    n=$(find /proc/"$p"/fd -mindepth 1 2>"$scratch/null" | wc -l)
    [ "$n" -le "$worker_fds" ] || worker_fds=$n
    n=$(awk '/^RssAnon/ { print $2 }' /proc/"$p"/status 2>"$scratch/null")
    [ "${n:-0}" -le "$worker_memory" ] || worker_memory=$n
    workers=$((workers + 1))
  done
}

# soak NAME N: N connections to $server in rounds.
soak() {
  local name=$1 each=$(($2 / rounds)) i fds1 memory1 worker_fds1 worker_memory1
  for ((i = 1; i <= rounds; i++)); do
    run "$O/t/rpctool" "$server" storm "$each" "$title"
    is_exit 0 "$name, round $i: $each connections, $out"
    measure
    diag "parent: $fds descriptors, $memory KiB; $workers workers: at most $worker_fds descriptors, $worker_memory KiB"
    # The first round is where caches fill.
    [ "$i" != 1 ] || fds1=$fds memory1=$memory worker_fds1=$worker_fds worker_memory1=$worker_memory
  done
  is "$fds" "$fds1" '  the parent has as many descriptors as after the first'
  ok '  and as much memory' test "$memory" -le $((memory1 + 256))
  # A worker that is just being forked or ended may have a descriptor or two more.
  ok '  so have the workers' test "$worker_fds" -le $((worker_fds1 + 2))
  ok '  and their memory' test "$worker_memory" -le $((worker_memory1 + 2048))
  ok '  and there are no more of them than spares' test "$workers" -le 17
  unlike "$(tail -n 1000 "$server_log")" 'killed by signal' '  none of which died'
}

start_server -d "$db"
soak plain $((total / 2))
stop "$server_pid"
for args in init 'issue gate --role server --host 127.0.0.1' 'issue alice --role viewer'; do
  # shellcheck disable=SC2086
  "$TUXTAPE" cert --dir "$scratch/ca" $args >"$scratch/null" 2>&1 || bail "cert $args"
done
start_server -d "$db" -t --tls-cert-path "$scratch/ca/gate.crt" --tls-key-path "$scratch/ca/gate.key" --tls-ca-path "$scratch/ca/ca.crt"
export CERT=$scratch/ca/alice.crt KEY=$scratch/ca/alice.key CA=$scratch/ca/ca.crt
soak TLS $((total / 2))
done_testing
