#!/usr/bin/env bash
# Leases: whatever holds a builder up, no build goes on when another may have its job; and what takes long is no reason to lose one.
. t/lib.sh
. t/server.sh
parsed_world
mini=$scratch/mini
t/make-mini-kernel "$mini" >"$scratch/null" 2>&1 || bail 'make-mini-kernel fails'

# start_builder NAME ADDRESS OPTIONS: sets $builder_pid; its log is $scratch/builder.NAME.
start_builder() {
  local name=$1 address=$2
  shift 2
  "$TUXTAPE" builder --server "$address" --linux-repo "$mini" --work-dir "$scratch/work.$name" --min-files 3 --need-space 1000 --name "$name" \
    --sign-of-life 300ms --retry-pause 50ms --retry-most 200ms -j 2 "$@" </dev/null >>"$scratch/builder.$name" 2>&1 &
  builder_pid=$!
  processes+=("$builder_pid")
}
put() {
  printf '%s\n' "${@:2}" >"$scratch/config"
  run "$TUXTAPE" config put "$1" --kernel 6.1.9 "$scratch/config" --server "$server"
  job=$(sed -n 's/.*, job \([0-9]*\) .*/\1/p' <<<"$out")
}
of_job() {
  sqlite3 "$db" "SELECT $1 FROM job WHERE job = $job"
}
in_state() {
  [ "$(of_job state)" = "$1" ]
}
# hanging NAME ATTEMPT: the processes of a build that hangs; empty until they all run.
hanging() {
  local file=$scratch/work.$1/builds/job-$job-$2/tree/.hang.pids
  [ ! -e "$file" ] || [ "$(wc -l <"$file")" -lt 2 ] || cat "$file"
}
all_hang() {
  [ -n "$(hanging "$@")" ]
}

# A builder that is held up, here by a signal: it may as well wait for a server that does not answer, or for a name.
start_server -d "$db" --lease 6s
start_builder one "$server" --kill-grace 20s
one=$builder_pid
put web CONFIG_HANG=y
ok 'a build' wait_for 20 all_hang one 1
pids=$(hanging one 1)
kill -STOP "$one"
start_builder two "$server"
two=$builder_pid
ok 'its builder is held up: another gets the job' wait_for 30 all_hang two 2
left=
for p in $pids; do
  # What is killed may wait for its parent to hear of it.
  [ ! -d "/proc/$p" ] || grep -q '^State:.*[ZX]' "/proc/$p/status" || left+=" $p"
done
is "$left" '' '  when nothing of the first attempt runs any more'
kill -CONT "$one"
ok '  which the builder finds when it goes on' wait_for 20 grep -q 'could not be renewed' "$scratch/builder.one"
not_ok '  and which is no failure to hand in' grep -q "job $job, config" "$scratch/builder.one"
"$TUXTAPE" job cancel "$job" --server "$server" >"$scratch/null" 2>&1
stop "$one"
stop "$two"

# A job whose lease is over by the time that it is read.
background python3 t/late_server.py "$scratch/late.port" 2000
late=$pid
wait_for 20 test -s "$scratch/late.port" || bail "the late server does not start: $(tail -n 1 "$scratch/background")"
start_builder three "127.0.0.1:$(cat "$scratch/late.port")"
await "$late"
is "$(tail -n 1 "$scratch/background")" 'status 21' 'a job that was long on its way is given up'
stop "$builder_pid"

# Removing an old tree takes longer than a lease. The process that does it is stopped for that long, which needs a tree that takes a moment.
stop "$server_pid"
start_server -d "$db" --lease 3s
start_builder four "$server" --keep 0
put old CONFIG_NET=y
ok 'a build that leaves its tree' wait_for 30 in_state 4
old=$scratch/work.four/builds/job-$job-1/tree
find_remover() {
  local dirs
  until dirs=("$old"/big/*) && [ ${#dirs[@]} -lt 200 ]; do
    [ "$(of_job "state <= 3")" = 1 ] || return 1
  done
  remover=$(pgrep -P "$(pgrep -P "$builder_pid")") && kill -STOP "$remover" && [ -d "$old" ]
}
for try in 1 2 3 4 5; do
  mkdir -p "$old/big"
  (cd "$old/big" && seq -f '%03g' 0 199 | xargs mkdir -p && for d in *; do (cd "$d" && seq 150 | xargs touch); done)
  put "new$try" CONFIG_NET=y
  ! find_remover || break
  wait_for 30 in_state 4
  old=$scratch/work.four/builds/job-$job-1/tree
done
ok 'an old tree is being removed' test -d "$old"
before=$(of_job lease_at)
lease_went_on() {
  [ "$(of_job lease_at)" -gt $((before + 4000)) ]
}
ok '  for longer than a lease, which is renewed' wait_for 20 lease_went_on
kill -CONT "$remover"
ok '  and the build goes on' wait_for 30 in_state 4
is "$(of_job "attempt || ' ' || lost")" '1 0' '  in its first attempt'
not_ok '  without the old tree' test -e "$old"
like "$("$TUXTAPE" job log "$job" --db "$db" 2>"$scratch/null")" 'profile: [0-9]+ files of the tree are compiled' '  and says what it collected'

# What cannot be removed is told to whoever runs the builder, and hinders nobody.
mkdir "$scratch/work.four/builds/stuck" "$scratch/work.four/builds/stuck/.tuxtape-build"
put stuck CONFIG_SMP=y
ok 'what cannot be removed hinders no build' wait_for 30 in_state 4
ok '  and is said' grep -q 'old builds: .*stuck' "$scratch/builder.four"
done_testing
