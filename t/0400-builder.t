#!/usr/bin/env bash
# tuxtape builder: good, failing, hanging and cancelled builds; builders and servers that die; leases; results that nobody may hand in.
. t/lib.sh
. t/server.sh
parsed_world
mini=$scratch/mini
t/make-mini-kernel "$mini" >"$scratch/null" 2>&1 || bail 'make-mini-kernel fails'
start_server -d "$db" --lease 4s
mkdir -p "$XDG_CONFIG_HOME/tuxtape"
echo "server = \"$server\"" >"$XDG_CONFIG_HOME/tuxtape/tuxtape.toml"

# start_builder NAME OPTIONS: sets $builder_pid; its log is $scratch/builder.NAME.
start_builder() {
  local name=$1
  shift
  "$TUXTAPE" builder --server "$server" --linux-repo "$mini" --work-dir "$scratch/work.$name" --min-files 3 --need-space 1000 --name "$name" \
    --sign-of-life 500ms --retry-pause 50ms --retry-most 200ms --kill-grace 500ms -j 2 "$@" </dev/null >>"$scratch/builder.$name" 2>&1 &
  builder_pid=$!
  processes+=("$builder_pid")
}
# put NAME VERSION LINES...: a config; sets $job.
put() {
  local name=$1 version=$2
  shift 2
  printf '%s\n' "$@" >"$scratch/config"
  run "$TUXTAPE" config put "$name" --kernel "$version" "$scratch/config"
  job=$(sed -n 's/.*, job \([0-9]*\) .*/\1/p' <<<"$out")
}
state() {
  sqlite3 "$db" "SELECT state FROM job WHERE job = $1"
}
in_state() {
  [ "$(state "$1")" = "$2" ]
}

# Nobody builds yet.
put web 6.1.9 CONFIG_NET=y 'CONFIG_MODULES=n'
is "$(state "$job")" 1 'a job waits in the queue'
start_builder one
run "$TUXTAPE" job watch "$job"
is_exit 0 'a builder comes and builds it; its log is followed to the end'
like "$out" 'CC +net/socket\.o' '  the log is what make said'
like "$out" 'config: [0-9]+ options differ' '  with what became of the config'
is "$("$TUXTAPE" config list --json 2>"$scratch/null" | jq -r '.configs[0] | "\(.job_state) \(.profiled) \(.built_by) \(.release)"')" \
  'done true one 6.1.9' 'the config has a profile'
like "$(sqlite3 "$db" "SELECT group_concat(CAST(name AS TEXT), ' ') FROM compiled_file JOIN path USING (path) WHERE kind = 1")" 'net/socket\.c' \
  '  which names what was compiled'
like "$(sqlite3 "$db" "SELECT group_concat(CAST(name AS TEXT), ' ') FROM compiled_file JOIN path USING (path) WHERE kind = 2")" 'scripts/' \
  '  and apart from it what host programs used'
is "$(sqlite3 "$db" 'SELECT count(*) FROM tree_path')" "$(git -C "$mini" ls-tree -r --name-only v6.1.9 | wc -l)" 'every path of the tag came with it'
run "$TUXTAPE" config put web --kernel 6.1.9 "$scratch/config"
like "$out" 'as before, and built' 'the same config is not built again'
run "$TUXTAPE" config put web --kernel 6.1.9 "$scratch/config" --force
like "$out" 'as before, job [0-9]+' '  but by --force'
job=$(sed -n 's/.*, job \([0-9]*\) .*/\1/p' <<<"$out")
ok '  and done' wait_for 20 in_state "$job" 4
"$TUXTAPE" job log "$job" >"$scratch/log" 2>"$scratch/null"
"$TUXTAPE" job log "$job" --db "$db" >"$scratch/log2" 2>"$scratch/null"
same "$scratch/log" "$scratch/log2" 'a log read from the database is the same'
like "$("$TUXTAPE" job log "$job" --from 3 2>"$scratch/null" | head -n 1)" "$(sed -n 3p "$scratch/log")" '  and can be read from a line on'

# What fails is failed, says why, and its builder stays.
put bad 6.1.10 CONFIG_FAIL=y
run "$TUXTAPE" job watch "$job"
is_exit 1 'a build that fails'
like "$err" 'building failed: exit 2' '  says so'
like "$(sqlite3 "$db" "SELECT error FROM job WHERE job = $job")" 'CONFIG_FAIL is set' '  with the tail of the log'
is "$(sqlite3 "$db" "SELECT count(*) FROM profile JOIN kernel_config USING (config) WHERE name = 'bad'")" 0 '  and leaves no profile'
put notag 6.1.99 CONFIG_NET=y
run "$TUXTAPE" job watch "$job"
is_exit 1 'a tag that there is not'
like "$(sqlite3 "$db" "SELECT error FROM job WHERE job = $job")" 'v6\.1\.99' '  is named'
put own 6.1.3 CONFIG_NET=y
"$TUXTAPE" config put own --kernel 6.1.3 --ref v6.1.10 "$scratch/config" >"$scratch/null" 2>&1
job=$(sqlite3 "$db" "SELECT max(job) FROM job")
ok 'another tag than the version names' wait_for 20 in_state "$job" 4
is "$(sqlite3 "$db" "SELECT tree.ref FROM tree JOIN profile USING (tree) JOIN kernel_config USING (config) WHERE name = 'own'")" v6.1.10 '  is what is built'

# Cancelling kills everything that the build started.
put hang 6.1.10 CONFIG_HANG=y
hang_pids=$scratch/work.one/builds/job-$job-1/tree/.hang.pids
all_hang() {
  [ "$(wc -l <"$hang_pids")" = 2 ]
}
ok 'a build hangs' wait_for 20 all_hang
pids=$(cat "$hang_pids")
run "$TUXTAPE" job cancel "$job"
is_exit 0 '  and is cancelled'
none_left() {
  local p
  for p in $pids; do
    [ ! -d "/proc/$p" ] || return 1
  done
}
ok '  nothing of it stays' wait_for 10 none_left
put web 6.1.10 CONFIG_NET=y
ok '  and the builder builds on' wait_for 20 in_state "$job" 4

# The server is killed in the middle of a build and comes again: the result is handed in.
put slow 6.1.10 CONFIG_SLOW=y
ok 'a slow build' wait_for 20 in_state "$job" 3
stop "$server_pid" KILL
start_server -d "$db" --lease 4s -s "$server"
ok 'the server is killed and comes again; the result is handed in' wait_for 20 in_state "$job" 4
is "$(sqlite3 "$db" "SELECT attempt FROM job WHERE job = $job")" 1 '  of the first attempt'
is "$(sqlite3 "$db" "SELECT count(*) = max(line) AND count(*) = (SELECT lines FROM job WHERE job = $job) FROM job_line WHERE job = $job")" 1 \
  '  with each line of the log once'

# Logs of old jobs go, but for those that are still being written; and whoever watches a log that has lost its head gets each line once.
put old 6.1.10 CONFIG_SLOW=y CONFIG_MODULES=n
old=$job
ok 'a job that gets old' wait_for 20 sh -c "sqlite3 '$db' 'SELECT 1 FROM job WHERE job = $old AND lines >= 8' | grep -q 1"
sqlite3 "$db" "UPDATE sqlite_sequence SET seq = seq + 60 WHERE name = 'job'"
put young 6.1.10 CONFIG_NET=y
is "$(sqlite3 "$db" "SELECT min(line) FROM job_line WHERE job = $old")" 1 '  keeps its log until it is over'
is "$(sqlite3 "$db" "SELECT count(*) FROM job_line WHERE job < $old")" 0 '  while those of older jobs are gone'
sqlite3 "$db" "DELETE FROM job_line WHERE job = $old AND line <= 5"
"$TUXTAPE" job watch "$old" >"$scratch/watched" 2>"$scratch/null"
sqlite3 "$db" "SELECT CAST(text AS TEXT) FROM job_line WHERE job = $old ORDER BY line" >"$scratch/log"
same "$scratch/watched" "$scratch/log" '  what is left of a log is watched with each line once'
is "$(sqlite3 "$db" "SELECT max(line) = lines AND count(*) = lines - 5 FROM job JOIN job_line USING (job) WHERE job = $old")" 1 '  under its own number'
"$TUXTAPE" job log "$old" --db "$db" >"$scratch/log2" 2>"$scratch/null"
same "$scratch/log2" "$scratch/log" '  from the database, too'
ok '  and the next job is done' wait_for 20 in_state "$job" 4

# The builder is killed: its lease runs out and another one builds. No job is lost, none runs twice at once.
put slow2 6.1.10 CONFIG_SLOW=y CONFIG_NET=y
ok 'another slow build' wait_for 20 in_state "$job" 3
started=$(now_ms)
stop "$builder_pid" KILL
start_builder two
ok 'its builder is killed: another gets the job' wait_for 30 in_state "$job" 4
ok '  not before the lease was over' test $(($(now_ms) - started)) -ge 3500
is "$(sqlite3 "$db" "SELECT builder || ' ' || attempt || ' ' || lost FROM job WHERE job = $job")" 'two 2 1' '  as its second attempt'

# A builder that cannot reach the server kills its build in time.
put slow3 6.1.9 CONFIG_HANG=y
ok 'a build that hangs' wait_for 20 in_state "$job" 3
stop "$server_pid" KILL
ok 'without the server for two thirds of the lease the build is killed' wait_for 15 grep -q 'the lease could not be renewed' "$scratch/builder.two"
start_server -d "$db" --lease 4s -s "$server"
ok '  and the job is failed or queued anew when the server is back' wait_for 20 sh -c "sqlite3 '$db' 'SELECT 1 FROM job WHERE job = $job AND (state = 5 OR attempt > 1)' | grep -q 1"
"$TUXTAPE" job cancel "$job" >"$scratch/null" 2>&1
out_of_the_way() {
  [ "$(sqlite3 "$db" "SELECT count(*) FROM job WHERE job IN ($1) AND state <= 3")" = 0 ]
}
ok '  (it is out of the way)' wait_for 10 out_of_the_way "$job"

# A builder that is lost again and again.
put doomed 6.1.10 CONFIG_HANG=y
for attempt in 1 2 3; do
  ok "attempt $attempt begins" wait_for 20 sh -c "sqlite3 '$db' 'SELECT 1 FROM job WHERE job = $job AND state = 3 AND attempt = $attempt' | grep -q 1"
  stop "$builder_pid" KILL
  start_builder two
done
ok 'after three lost attempts the job is failed' wait_for 20 in_state "$job" 5
like "$(sqlite3 "$db" "SELECT error FROM job WHERE job = $job")" 'builder was lost 3 times' '  and says so'

# Two builders take two jobs.
two_pid=$builder_pid
start_builder three
ok 'two builders are there' wait_for 10 sh -c "[ \$(sqlite3 '$db' 'SELECT count(*) FROM builder WHERE connected') = 2 ]"
run timeout 60 "$TUXTAPE" server -d "$db" -s "$server"
isnt "$status" 0 'a second server does not get the address'
like "$err" 'in use' '  and says why'
is "$(sqlite3 "$db" 'SELECT count(*) FROM builder WHERE connected')" 2 '  and leaves the builders of the first alone'
put pair1 6.1.9 CONFIG_HANG=y
first=$job
put pair2 6.1.10 CONFIG_HANG=y
second=$job
both() {
  in_state "$first" 3 && in_state "$second" 3
}
ok 'two jobs run at once' wait_for 10 both
run "$TUXTAPE" job builders
is "$(awk '$2 == "connected" { print $1, $4 }' <<<"$out" | sort | tr '\n' ' ')" "$(sqlite3 "$db" "SELECT builder || ' ' || job FROM job WHERE job IN ($first, $second) ORDER BY builder" | tr '\n' ' ')" \
  '  which the list of builders shows'
same <("$TUXTAPE" job builders --json 2>"$scratch/null") <("$TUXTAPE" job builders --json --db "$db" 2>"$scratch/null") '  from the database, too'
isnt "$(sqlite3 "$db" "SELECT builder FROM job WHERE job = $first")" "$(sqlite3 "$db" "SELECT builder FROM job WHERE job = $second")" '  by two builders'
"$TUXTAPE" job cancel "$first" >"$scratch/null" 2>&1
"$TUXTAPE" job cancel "$second" >"$scratch/null" 2>&1
ok '  (they are out of the way)' wait_for 10 out_of_the_way "$first, $second"
stop "$two_pid"
put pair1 6.1.9 CONFIG_NET=y
ok 'the one that is left builds' wait_for 20 in_state "$job" 4
run "$TUXTAPE" config rebuild --builder three
is_exit 0 'all that one builder made is built anew'
ok '  that is something' test -n "$out"

# One job and out; wrong flags; refusals.
stop "$builder_pid"
is "$status" 0 'SIGTERM ends a builder'
put once 6.1.9 CONFIG_NET=y
run "$TUXTAPE" builder --server "$server" --linux-repo "$mini" --work-dir "$scratch/work.once" --min-files 100000 --need-space 1000 --name once --once \
  --retry-pause 50ms -a 0.0.0.0:1 -u http://x
like "$err" 'no effect' "the proof of concept's flags are accepted with a warning"
if [ "$status" = 1 ]; then
  like "$err" 'the job failed' '--once: one job, and a failure is one'
  like "$(sqlite3 "$db" "SELECT error FROM job WHERE state = 5 ORDER BY job DESC LIMIT 1")" '100000' '  an implausible profile is not believed'
else
  bail "builder --once: $status $err"
fi
run "$TUXTAPE" builder --server "$server" --work-dir "$scratch/w" --linux-repo "$mini" --name 'a b' --once
isnt "$status" 0 'a name that is none'
run "$TUXTAPE" builder checkout v6.1.9 "$scratch/checkout" --linux-repo "$mini"
is_exit 0 'a checkout by hand'
same <(cd "$scratch/checkout/tree" && find . -type f -o -type l | sed 's/^..//' | sort) <(git -C "$mini" ls-tree -r --name-only v6.1.9 | sort) '  has every file of the tag'
same <(cd "$scratch/checkout/tree" && git hash-object $(git -C "$mini" ls-tree -r v6.1.9 | awk '$1 != "120000" { print $4 }')) \
  <(git -C "$mini" ls-tree -r v6.1.9 | awk '$1 != "120000" { print $3 }') '  byte for byte'
is "$(git -C "$mini" status --porcelain | wc -l)" 0 "  and nobody's work tree was touched"

# --once leaves when the result is stored, not when it is sent: here the database is locked while it comes in.
stop "$server_pid"
start_server -d "$db" -s "$server"
sqlite3 "$db" 'UPDATE job SET state = 6 WHERE state <= 3'
put last 6.1.10 CONFIG_SLOW=y CONFIG_NET=y
"$TUXTAPE" builder --server "$server" --linux-repo "$mini" --work-dir "$scratch/work.last" --min-files 3 --need-space 1000 --name last --once \
  >"$scratch/builder.last" 2>&1 &
last_pid=$!
processes+=("$last_pid")
ok 'the last build runs' wait_for 20 in_state "$job" 3
(echo 'BEGIN IMMEDIATE;'; sleep 8; echo 'COMMIT;') | sqlite3 "$db" &
ok '  and is over while the database is locked' wait_for 20 grep -q 'complete' "$scratch/builder.last"
wait "$last_pid"
is "$? $(sqlite3 "$db" "SELECT state FROM job WHERE job = $job")" '0 4' '--once leaves with the result stored'
done_testing
