#!/usr/bin/env bash
# Faults that a run must survive: each gets one clear line, and the database stays sound.
. t/lib.sh
. t/dump.sh
demo_world
export NVD_URL=http://127.0.0.1:1/

sound() {
  [ "$(sqlite3 "$1" 'PRAGMA integrity_check')" = ok ]
}

# one_line REGEX NAME: what the last run, a quiet one, said is one line like that.
one_line() {
  like "$err" "$1" "$2"
  is "$(grep -c . <<<"$err")" 1 '  in one line'
}

run parse --db "$scratch/db" --no-nvd
is_exit 0 'a database'
dump_db "$scratch/db" >"$scratch/want"

# Two at once. The lock is held by one process, which is the one that is ended.
(
  flock -n 9 || exit 1
  echo 4711 >&9
  exec sleep 60
) 9>"$scratch/two.lock" &
holder=$!
processes+=("$holder")
wait_for 5 test -s "$scratch/two.lock"
run parse --db "$scratch/two" --no-nvd -q
is_exit 1 'a second parser leaves at once'
one_line 'process 4711 is filling .*two' '  and says who is at work'
not_ok '  and makes nothing' test -e "$scratch/two"
stop "$holder"
run parse --db "$scratch/two" --no-nvd -q
is_exit 0 'when the first is done, another one works'

# No more room, for files as large as a limit allows: that needs no rights. The limit kills who does not ignore its signal.
limited() {
  env --ignore-signal=XFSZ prlimit --fsize=100000 "$@"
}
not_ok 'a file cannot grow beyond a limit' limited dd if=/dev/zero of="$scratch/fill" bs=1k count=400 status=none
run limited "$TUXTAPE" parse --no-fetch --no-nvd -q --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --db "$scratch/limited"
is_exit 1 '  which ends the run'
one_line 'limited: .*(full|disk I/O error)' '  with a line that names it'
ok '  the database is sound' sound "$scratch/limited"
run parse --db "$scratch/limited" --no-nvd
is_exit 0 '  and with more room the next run completes'
same <(dump_db "$scratch/limited") "$scratch/want" '  what was begun'

# A full disk, where a small one can be mounted; what a run does then is seen above everywhere.
mkdir "$scratch/small"
if mount -t tmpfs -o size=200k tmpfs "$scratch/small" 2>"$scratch/null"; then
  run parse --db "$scratch/small/db" --no-nvd -q
  is_exit 1 'a full disk ends the run'
  one_line 'small/db: .*(full|disk I/O error)' '  with a line that names it'
  not_ok '  and the disk was full' dd if=/dev/zero of="$scratch/small/fill" bs=1k count=400 status=none
  rm -f "$scratch/small/fill"
  mount -o remount,size=20m "$scratch/small"
  ok '  the database is sound' sound "$scratch/small/db"
  run parse --db "$scratch/small/db" --no-nvd
  is_exit 0 '  and with more room the next run completes'
  same <(dump_db "$scratch/small/db") "$scratch/want" '  what was begun'
  umount "$scratch/small"
else
  diag 'no right to mount a small disk'
fi

# A database, or a directory, that cannot be written.
chmod 755 "$scratch"
# What nobody cannot reach, below a home directory of root's perhaps, is copied to where it can.
program=$TUXTAPE readable=$world
if ! as_nobody test -x "$program" || ! as_nobody test -r "$world/vulns.git/HEAD"; then
  program=$scratch/tuxtape readable=$scratch/readable
  cp "$TUXTAPE" "$program"
  cp -r "$world" "$readable"
  chmod -R a+rX "$program" "$readable"
fi
as_nobody test -x "$program" || bail "TMPDIR is closed to others: $scratch"
mkdir "$scratch/closed"
cp "$scratch/db" "$scratch/closed/db"
echo >"$scratch/closed/db.lock"
chmod 666 "$scratch/closed/db.lock"
chmod 444 "$scratch/closed/db"
chmod 555 "$scratch/closed"
not_ok 'a directory that cannot be written' as_nobody touch "$scratch/closed/x"
run as_nobody "$program" parse -q --no-fetch --no-nvd --vulns-repo "$readable/vulns.git" --linux-repo "$readable/linux.git" --db "$scratch/closed/db"
is_exit 1 '  fails the run'
one_line 'closed/db: ' '  with a line that names the file'
run as_nobody "$program" cves -q --kernel 6.1.3 --db "$scratch/closed/db"
is_exit 1 '  and readers, too'
one_line 'tuxtape backup|--server' '  who are told what to do'
chmod 755 "$scratch/closed"
same <(dump_db "$scratch/closed/db") "$scratch/want" '  the database is as it was'

# Versions and strangers.
cp "$scratch/db" "$scratch/newer"
sqlite3 "$scratch/newer" 'PRAGMA user_version = 99'
before=$(sha256sum <"$scratch/newer")
run parse --db "$scratch/newer" --no-nvd -q
is_exit 1 'a database of a newer schema is refused'
one_line 'newer tuxtape' '  by name'
is "$(sha256sum <"$scratch/newer")" "$before" '  and untouched'
head -c 10000 /dev/urandom >"$scratch/noise"
run parse --db "$scratch/noise" --no-nvd -q
is_exit 1 'a file that is no database is refused'
one_line 'noise: ' '  by name'

# Repositories.
run "$TUXTAPE" parse -q --no-fetch --no-nvd --vulns-repo "$scratch/nowhere" --linux-repo "$world/linux.git" --db "$scratch/db"
is_exit 4 'no vulns.git'
one_line 'nowhere' '  is named'
run "$TUXTAPE" parse -q --no-fetch --no-nvd --vulns-repo "$world/vulns.git" --linux-repo "$scratch/nowhere" --db "$scratch/nokernel"
is_exit 4 'no clone of the kernel is an error: its patches are half the work'
one_line 'nowhere' '  that names it'

# Hostile records: named with file and line, the rest goes in.
git clone -q --bare "$world/vulns.git" "$scratch/hostile.git"
git -C "$scratch/hostile.git" update-ref refs/heads/master "$(git -C "$world/vulns.git" rev-parse 'hostile^{commit}')"
run parse --vulns-repo "$scratch/hostile.git" --db "$scratch/hostile" --no-nvd
is_exit 3 'hostile records degrade the run'
for bad in 99001.dyad:1 99002.dyad:2 99004.dyad:2 99005.dyad:2 99007.dyad:2 99008.dyad 99012.dyad 99009.json 99010.json 99011.json 99013.cvss 99014.dyad:1 99016.json; do
  like "$err" "CVE-2026-${bad}" "  $bad is named"
done
unlike "$(cat -v "$scratch/err")" '\^\[' '  no escape sequence reaches the terminal'
is "$(sqlite3 "$scratch/hostile" "SELECT count(*) FROM cve_instance JOIN cve USING (cve) WHERE id = 'CVE-2026-99001'")" 1 \
  '  the good line beside a bad one goes in'
is "$(sqlite3 "$scratch/hostile" "SELECT count(*) FROM cve WHERE id IN ('CVE-2026-99008', 'CVE-2026-99012', 'CVE-2026-99014')")" 3 \
  '  a dyad without a valid pair is a CVE'
run "$TUXTAPE" cves --kernel 6.1.3 --db "$scratch/hostile"
like "$out" 'CVE-2026-99008 +- +- +unknown' '  that is listed as unknown'
is "$(sqlite3 "$scratch/hostile" "SELECT count(*) FROM cve WHERE id IN ('CVE-2025-99015', 'CVE-2026-99017')")" 0 \
  '  a dyad in the wrong year, and a link, are none'
same <(dump_db "$scratch/hostile" | grep -av 2026-99 | grep -av 202600990 | grep -av -e based_on -e patches_complete) \
  <(dump_db "$scratch/db" | grep -av -e based_on -e patches_complete) '  everything else is as without them'

# begin_parse ARGUMENTS: a run with one worker and NVD's on $scratch/dies, left at work; sets $parser, the process that is tuxtape.
begin_parse() {
  "$TUXTAPE" parse -q --jobs 1 --db "$scratch/dies" --no-fetch --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" "$@" \
    >"$scratch/dies.out" 2>&1 </dev/null &
  parser=$!
  processes+=("$parser")
}
# end_parse: waits for it, as run would have.
end_parse() {
  await "$parser"
  out='' err=$(cat "$scratch/dies.out")
}

# Workers that die at work. The database is held, so that the run stands at its first write with work left to give out.
cp "$scratch/db" "$scratch/dies"
mkfifo "$scratch/release"
background sqlite3 "$scratch/dies" 'BEGIN IMMEDIATE' ".shell touch $scratch/held; cat $scratch/release" COMMIT
holder=$pid
wait_for 20 test -e "$scratch/held" || bail 'the database is not held'
begin_parse --no-nvd --full --batch 1
two_workers() {
  workers=$(pgrep -P "$parser") && [ "$(wc -l <<<"$workers")" = 2 ]
}
ok 'a run has a worker, and one for NVD' wait_for 20 two_workers
two_workers
for worker in $workers; do
  is "$(readlink -f "/proc/$worker/exe")" "$(readlink -f "$TUXTAPE")" '  which is tuxtape'
  kill -9 "$worker"
done
echo >"$scratch/release"
await "$holder"
end_parse
is_exit 1 '  their death ends the run'
one_line 'a worker process was killed by signal 9$' '  which says how they died'
ok '  the database is sound' sound "$scratch/dies"
run parse --db "$scratch/dies" --no-nvd --full
is_exit 0 '  and the next run completes'
same <(dump_db "$scratch/dies") "$scratch/want" '  as if nothing had been'

# NVD's worker may die: its scores stay for the next run. It waits for an answer that does not come.
start_httpd --nvd "$world/nvd.jsonl" --fault 1-999:hang --log "$scratch/asked"
rm -f "$scratch"/dies*
begin_parse --nvd-timeout 60s --nvd-url "$NVD_URL"
wait_for 20 test -s "$scratch/asked" || bail 'NVD is not asked'
# nvd_worker: sets $worker, the child of the parser's that has a connection beside the socket to its owner.
nvd_worker() {
  local pid
  worker=
  for pid in $(pgrep -P "$parser"); do
    [ "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" -lt 2 ] || worker=$pid
  done
  [ -n "$worker" ]
}
ok 'a worker waits for NVD' nvd_worker
nvd_worker
kill -9 "${worker:-$parser}"
end_parse
is_exit 3 '  its death degrades the run'
one_line 'NVD: a worker process was killed by signal 9; scores stay as they are' '  which says so'
stop "$httpd_pid"
NVD_URL=http://127.0.0.1:1/
same <(dump_db "$scratch/dies") "$scratch/want" '  and all else is stored'

# Misuse.
run "$TUXTAPE" parse --no-fetch --no-nvd --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --db "$scratch/db" --jobs 300
is_exit 2 'a number out of range is misuse'
like "$err" 'jobs' '  that names the option'
run parse --db "$scratch/db" --no-fech
is_exit 2 'an unknown option'
like "$err" 'did you mean --no-fetch' '  gets the nearest one'
done_testing
