#!/usr/bin/env bash
# Builders that lie, and builds that go wrong: nothing of it is believed, and the queue goes on.
. t/lib.sh
. t/server.sh
parsed_world
mini=$scratch/mini
t/make-mini-kernel "$mini" >"$scratch/null" 2>&1 || bail 'make-mini-kernel fails'
start_server -d "$db" --lease 1h
put() {
  printf '%s\n' "${@:3}" >"$scratch/config"
  run "$TUXTAPE" config put "$1" --kernel "$2" "$scratch/config" --server "$server"
  job=$(sed -n 's/.*, job \([0-9]*\) .*/\1/p' <<<"$out")
}
in_state() {
  [ "$(sqlite3 "$db" "SELECT state FROM job WHERE job = $1")" = "$2" ]
}
why() {
  sqlite3 "$db" "SELECT error FROM job WHERE job = $job"
}
# start_builder WORK OPTIONS: sets $builder_pid.
start_builder() {
  "$TUXTAPE" builder --server "$server" --linux-repo "$mini" --work-dir "$1" "${@:2}" --min-files 3 --need-space 1000 --name honest \
    --sign-of-life 300ms --retry-pause 50ms --retry-most 200ms --kill-grace 300ms -j 2 </dev/null >>"$scratch/builder" 2>&1 &
  builder_pid=$!
  processes+=("$builder_pid")
}

# Builders that lie.
lie() {
  put "lie-$1" 6.1.9 CONFIG_NET=y
  timeout 300 python3 t/hostile_builder.py "$server" "$1" >"$scratch/said" 2>&1
}
for kind in parent absolute nothing many; do
  lie "$kind"
  ok "a builder that lies ($kind): its job is failed" wait_for 10 in_state "$job" 5
  is "$(sqlite3 "$db" "SELECT count(*) FROM profile JOIN kernel_config USING (config) WHERE name = 'lie-$kind'")" 0 '  and nothing is stored'
done
like "$(sqlite3 "$db" "SELECT error FROM job WHERE config = 'lie-parent'")" '\.\./\.\./etc/passwd.*no file of a tree' '  with what it said'
lie latin1
ok 'a path that is not UTF-8 is one that a tree may have' wait_for 10 in_state "$job" 4
lie log
ok 'a builder that logs without end is heard to the end' wait_for 30 sh -c "sqlite3 '$db' 'SELECT 1 FROM job WHERE job = $job AND state = 5' | grep -q 1"
ok '  and not all of it is kept' test "$(sqlite3 "$db" "SELECT sum(length(text)) FROM job_line WHERE job = $job")" -le $((65 << 20))
lie twice
is "$(cat "$scratch/said")" 'heard 22' 'a second result for one job breaks the protocol'
run "$TUXTAPE" job list --server "$server"
is_exit 0 'the server goes on'

# What a liar told of a tree, others go by, until all that it made is built anew: its profiles, and theirs of that tree.
paths() {
  sqlite3 "$db" "SELECT count(*) FROM profile JOIN kernel_config USING (config) JOIN tree_path USING (tree) WHERE name = '$1'"
}
all=$(git -C "$mini" ls-tree -r --name-only v6.1.9 | wc -l)
put first 6.1.9 CONFIG_NET=y
timeout 60 python3 t/hostile_builder.py "$server" latin1 "$(git -C "$mini" rev-parse 'v6.1.9^{commit}')" >"$scratch/said" 2>&1
start_builder "$scratch/work"
put apart 6.1.10 CONFIG_NET=y
put second 6.1.9 CONFIG_NET=y
ok 'an honest build of a tree whose paths a liar told' wait_for 20 in_state "$job" 4
is "$(paths second)" 2 '  stands on what it told'
put third 6.1.9 CONFIG_SLOW=y
ok '  and another is under way' wait_for 20 in_state "$job" 3
kill -STOP "$builder_pid"
run "$TUXTAPE" config rebuild --builder nobody --server "$server"
is "$status$out" 4 'a builder that made nothing leaves nothing to build anew'
run "$TUXTAPE" config rebuild --builder mallory --server "$server"
is_exit 0 'what the liar made is dropped'
is "$(wc -l <<<"$out") $(sqlite3 "$db" "SELECT group_concat(config, ' ') FROM (SELECT config FROM job WHERE state = 1 ORDER BY config)")" '3 first lie-latin1 second'   '  and what others made of that tree, and queued'
like "$err" '3 configs are to be built anew' '  which is said'
is "$(sqlite3 "$db" "SELECT group_concat(name) FROM profile JOIN kernel_config USING (config)") $(sqlite3 "$db" "SELECT count(DISTINCT tree) FROM tree_path")" 'apart 1'   '  no other profile and no other tree'
kill -CONT "$builder_pid"
ok 'the build that was under way is handed in' wait_for 30 in_state "$job" 4
is "$(sqlite3 "$db" "SELECT attempt FROM job WHERE job = $job") $(grep -c 'did not come with its first profile' "$server_log")" '1 1'   '  once it has been asked for the paths, too'
ok '  and all the others are built' wait_for 30 sh -c "! sqlite3 '$db' 'SELECT 1 FROM job WHERE state <= 3' | grep -q 1"
is "$(paths first) $(paths second) $(paths third) $(paths lie-latin1)" "$all $all $all $all" '  and stand on all paths of the tree'
stop "$builder_pid"

# A config that came past the server's check.
sqlite3 "$db" "UPDATE kernel_config SET body = CAST('CONFIG_LOCALVERSION=\"\$(touch $scratch/F)\"' AS BLOB) WHERE name = 'lie-parent'"
run "$TUXTAPE" config rebuild lie-parent --server "$server"
job=$(awk '{ print $2 }' <<<"$out")
start_builder "$scratch/work"
ok 'a hostile config in the database is refused by the builder' wait_for 20 in_state "$job" 5
like "$(why)" 'CONFIG_LOCALVERSION' '  by name'
not_ok '  and nothing was run' test -e "$scratch/F"

# The network is gone for longer than the lease: the server stands still.
stop "$builder_pid"
stop "$server_pid"
start_server -d "$db" --lease 3s
start_builder "$scratch/work"
put cut 6.1.9 CONFIG_HANG=y
ok 'a build' wait_for 20 in_state "$job" 3
# Once it stands still it makes no more workers.
kill -STOP "$server_pid"
group=$(pgrep -P "$server_pid" | tr '\n' ' ')
# shellcheck disable=SC2086
kill -STOP $group 2>"$scratch/null"
ok 'a server that is out of reach for two thirds of the lease: the build is killed' wait_for 15 grep -q 'could not be renewed' "$scratch/builder"
# Until the rest of the lease is over, at least.
sleep 2
# shellcheck disable=SC2086
kill -CONT "$server_pid" $group 2>"$scratch/null"
ok '  and the job is out again when it is back' wait_for 20 sh -c "sqlite3 '$db' 'SELECT 1 FROM job WHERE job = $job AND attempt > 1' | grep -q 1"
"$TUXTAPE" job cancel "$job" --server "$server" >"$scratch/null" 2>&1
put after 6.1.9 CONFIG_NET=y
ok '  and the builder builds on' wait_for 30 in_state "$job" 4
stop "$builder_pid"

# A builder that comes back with its job late in the lease has a whole one again.
in_the_past() {
  sqlite3 "$db" "UPDATE job SET state = 3, builder = 'mallory', attempt = 1, lease_at = lease_at - 60000 WHERE job = $job"
}
lease_at() {
  sqlite3 "$db" "SELECT lease_at FROM job WHERE job = $job"
}
stop "$server_pid"
start_server -d "$db" --lease 1h
put late 6.1.9 CONFIG_NET=y
timeout 60 python3 t/hostile_builder.py "$server" nothing >"$scratch/said" 2>&1
in_the_past
before=$(lease_at)
like "$(python3 t/hostile_builder.py "$server" hold "$job")" '1001$' 'a builder that comes back still has its job'
ok '  and its lease begins anew' test "$(lease_at)" -ge $((before + 60000))
like "$(python3 t/hostile_builder.py "$server" hold 999999)" '1000$' '  what is not its own it does not get'

# A builder that is told to go leaves its job to others, long before the lease is over.
"$TUXTAPE" job cancel "$job" --server "$server" >"$scratch/null" 2>&1
start_builder "$scratch/work"
put left 6.1.9 CONFIG_HANG=y
ok 'a build' wait_for 20 in_state "$job" 3
stop "$builder_pid"
is "$status" 0 'SIGTERM ends its builder'
ok '  and the job waits for another' wait_for 20 in_state "$job" 1
"$TUXTAPE" job cancel "$job" --server "$server" >"$scratch/null" 2>&1
stop "$server_pid"
start_server -d "$db" --lease 3s

# A build that never ends, whose builder is well and renews the lease.
start_builder "$scratch/work" --build-timeout 3s
put endless 6.1.10 CONFIG_HANG=y
ok 'a build that hangs is ended by its builder' wait_for 30 in_state "$job" 5
like "$(why)" '^the build was not over after 3s \(--build-timeout\): killed while building'$'\n' '  by the limit that its job names'
pids=$(cat "$scratch/work/builds/job-$job-1/tree/.hang.pids")
none_left() {
  local p
  for p in $pids; do
    [ ! -d "/proc/$p" ] || return 1
  done
}
ok '  with all that it had started' test -n "$pids"
ok '  which is gone' none_left
put timely 6.1.10 CONFIG_NET=y
ok '  and a build that ends in time is none of its business' wait_for 20 in_state "$job" 4
stop "$builder_pid"

# No room.
run "$TUXTAPE" builder --server "$server" --linux-repo "$mini" --work-dir "$scratch/work" --need-space 999999999999999 --name honest --once --retry-pause 50ms &
put big 6.1.9 CONFIG_NET=y CONFIG_SMP=y
ok 'a disk with too little room is seen before the build' wait_for 20 in_state "$job" 5
like "$(why)" 'free|room|space' '  and said'
wait $! 2>"$scratch/null"
if [ "$(id -u)" = 0 ] && mkdir "$scratch/small" && mount -t tmpfs -o size=200k tmpfs "$scratch/small" 2>"$scratch/null"; then
  start_builder "$scratch/small"
  put full 6.1.9 CONFIG_NET=y
  ok 'a disk that fills up fails the job' wait_for 20 in_state "$job" 5
  like "$(why)" 'No space left' '  with the reason'
  stop "$builder_pid"
  umount "$scratch/small"
else
  diag 'a disk that fills up needs the right to mount a tmpfs'
fi
done_testing
