#!/usr/bin/env bash
# tuxtape server: the same answers over the wire as from the database; who may do what; limits, signals, restarts.
. t/lib.sh
. t/server.sh
demo_world
start_httpd --nvd "$world/nvd.jsonl"
db=$scratch/db
run parse --db "$db"
is_exit 0 'a database'

# Starting.
run "$TUXTAPE" server -d "$scratch/nothing" -s 127.0.0.1:0
is_exit 4 'a database that is not there'
# Both are what the unit in deploy/ tries again for.
: >"$scratch/hollow"
run "$TUXTAPE" server -d "$scratch/hollow" -s 127.0.0.1:0
is_exit 4 'an empty file'
cp "$db" "$scratch/begun"
sqlite3 "$scratch/begun" "DELETE FROM meta WHERE key = 'last_run'"
run "$TUXTAPE" server -d "$scratch/begun" -s 127.0.0.1:0
is_exit 4 'a database that no parse has filled'
like "$err" 'no parse has filled it: run .tuxtape parse' '  which is said'
sqlite3 "$scratch/other" 'CREATE TABLE x (y)'
run "$TUXTAPE" server -d "$scratch/other" -s 127.0.0.1:0
is_exit 1 'a database of somebody else'
run "$TUXTAPE" server -d "$db" -s 0.0.0.0:0
is_exit 2 'plain on every address is refused'
like "$err" '\-\-insecure' '  with what to do'
run "$TUXTAPE" server -d "$db" -t -s 127.0.0.1:0
is_exit 2 'TLS without a certificate is refused'
like "$err" 'tuxtape cert' '  with what to do'
run "$TUXTAPE" server -d "$db" -s nonsense
is_exit 2 'an address that is none'
run "$TUXTAPE" server -d "$db" --roles 'alice=emperor'
is_exit 2 'a role that there is not'

start_server -d "$db"
like "$(cat "$server_log")" 'serving .*db' 'the first lines name the database'
like "$(cat "$server_log")" 'every user of this machine is trusted' '  and say who is trusted'
like "$(grep -c 'there is no clone of the kernel; patches are stored unchecked' "$server_log")" '^1$' '  and that no patch can be checked'
first=$server_pid
start_server -d "$db" --linux-repo "$world/linux.git"
unlike "$(cat "$server_log")" 'clone' '  which is not said where there is a clone'
stop "$server_pid"
server_pid=$first server=127.0.0.1:$(sed -n 's/.*listening on .*, port \([0-9]*\)$/\1/p' "$scratch/server.1.log" | head -n 1)
server_log=$scratch/server.1.log

# The same bytes as from the database.
for version in 6.1.3 6.6.2 6.5 5.10.200 7.0; do
  for how in '' --json; do
    "$TUXTAPE" cves --kernel "$version" $how --db "$db" >"$scratch/want" 2>"$scratch/want.err"
    "$TUXTAPE" cves --kernel "$version" $how --server "$server" >"$scratch/got" 2>"$scratch/got.err"
    same "$scratch/got" "$scratch/want" "$version $how: the list is the same over the wire"
    same <(tail -n +2 "$scratch/got.err") <(tail -n +2 "$scratch/want.err") '  and so are the counts'
  done
done
for option in --fixed-only --unfixed-only '--min-score 7' '--sort id' --count; do
  "$TUXTAPE" cves --kernel 6.1.3 $option --db "$db" >"$scratch/want" 2>"$scratch/null"
  "$TUXTAPE" cves --kernel 6.1.3 $option --server "$server" >"$scratch/got" 2>"$scratch/null"
  same "$scratch/got" "$scratch/want" "$option: the same"
done
for how in '' --json; do
  "$TUXTAPE" cves show CVE-2024-90002 --kernel 6.1.3 $how --db "$db" >"$scratch/want"
  "$TUXTAPE" cves show CVE-2024-90002 --kernel 6.1.3 $how --server "$server" >"$scratch/got"
  same "$scratch/got" "$scratch/want" "one CVE $how: the same"
  title=$(sqlite3 "$db" "SELECT title FROM instance WHERE cve_id = 'CVE-2024-90002' AND fixed = '6.1.4'")
  "$TUXTAPE" cves patch "$title" $how --db "$db" >"$scratch/want"
  "$TUXTAPE" cves patch "$title" $how --server "$server" >"$scratch/got"
  same "$scratch/got" "$scratch/want" "a patch $how: the same"
done
run "$TUXTAPE" cves show CVE-1999-0001 --server "$server"
is_exit 4 'a CVE that there is not'
run "$TUXTAPE" cves patch "CVE-2024-90002-6.1-0123456789ab" --server "$server"
is_exit 4 'a patch that there is not'
run "$TUXTAPE" cves --config nothing --server "$server"
is_exit 4 'a config that there is not'
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server" --db "$db"
is_exit 2 'both at once is misuse'
run "$TUXTAPE" cves --kernel 6.1.3 --server 127.0.0.1:1
is_exit 1 'nobody at the address'
like "$err" '127\.0\.0\.1:1: .*refused' '  is said with the address'

# Without either flag: the local database when there is one, else the server that is configured.
mkdir -p "$XDG_CONFIG_HOME/tuxtape"
echo "server = \"$server\"" >"$XDG_CONFIG_HOME/tuxtape/tuxtape.toml"
run "$TUXTAPE" cves --kernel 6.1.3
is_exit 0 'neither flag: the configured server'
like "$err" "server $server as local \\(admin\\)" '  which the first line says'
mkdir -p "$XDG_CACHE_HOME/tuxtape-server"
cp "$db" "$XDG_CACHE_HOME/tuxtape-server/db.db3"
run "$TUXTAPE" cves --kernel 6.1.3
is_exit 0 'neither flag, a local database'
like "$err" "database $XDG_CACHE_HOME/tuxtape-server/db.db3" '  is what is read'
rm -r "$XDG_CACHE_HOME/tuxtape-server"

# What lists prints a list, if an empty one.
for list in 'config list:configs' 'job list:jobs' 'job builders:builders' 'patch list:patches' 'patch audit:entries'; do
  for where in "--db $db" "--server $server"; do
    # shellcheck disable=SC2086
    run "$TUXTAPE" ${list%:*} --json $where
    is "$(jq -c ".${list#*:}" <<<"$out")" '[]' "nothing yet: ${list%:*} as JSON, $where"
  done
done

# The log is not flooded by those who poll.
before=$(wc -l <"$server_log")
"$O/t/rpctool" "$server" health 5 >"$scratch/null"
logged_repeats() {
  tail -n "+$((before + 1))" "$server_log" | grep -q 'method=Health repeats='
}
ok 'calls that repeat have a line together' wait_for 5 logged_repeats
is "$(tail -n "+$((before + 1))" "$server_log" | sed -n 's/.*method=Health \(repeats=4 records=0\|records=0\) ms=[0-9]* status=ok$/\1/p' | tr '\n' ';')" \
  'records=0;repeats=4 records=0;' '  behind the first'

# Configs.
printf 'CONFIG_SMP=y\n' >"$scratch/config"
run "$TUXTAPE" config put web --kernel 6.1.3 "$scratch/config"
is_exit 0 'a config is put'
like "$out" 'revision 1, job 1 builds it' '  and its build is queued'
run "$TUXTAPE" config put web --kernel 6.1.3 "$scratch/config"
like "$out" 'revision 1 as before, job 1' '  the same again changes nothing'
printf 'CONFIG_SMP=n\n' >"$scratch/config2"
run "$TUXTAPE" config put web --kernel 6.1.3 "$scratch/config2"
like "$out" 'revision 2, job 2' '  other contents are a new revision, built anew'
is "$(sqlite3 "$db" 'SELECT state FROM job ORDER BY job' | tr '\n' ' ')" '6 1 ' '  and the older job is superseded'
is "$(sqlite3 "$db" "SELECT body FROM config_revision WHERE name = 'web' AND revision = 1")" 'CONFIG_SMP=y' '  the old revision is kept'
run "$TUXTAPE" config get web
same "$scratch/out" "$scratch/config2" 'a config is got as it was put'
"$TUXTAPE" config get web --db "$db" >"$scratch/got" 2>"$scratch/null"
same "$scratch/got" "$scratch/config2" '  from the database, too'
for verb in 'config list' 'config list --json' 'job list' 'job list --json'; do
  same <("$TUXTAPE" $verb --db "$db" 2>"$scratch/null") <("$TUXTAPE" $verb 2>"$scratch/null") "$verb: the same over the wire"
done
run "$TUXTAPE" cves --config web
is_exit 0 'CVEs of a config'
like "$out" 'CVE-2024-90002' '  are listed while its build is not known'
like "$err" 'web: not built yet, so that of 6\.1\.3 [1-9][0-9]* CVEs cannot be told' '  which is said in place of what is compiled'
unlike "$err" 'does not compile|CVEs open' '  about which nothing is known'
run "$TUXTAPE" cves --config web --count --json
is "$(jq .built <<<"$out")" false '  in JSON, too'
run "$TUXTAPE" cves --config web --json
is "$(jq -r '[.[].verdicts[0].verdict] | unique | join(" ")' <<<"$out")" unknown '  as unknown'
like "$(jq -r '.[0].verdicts[0].reason' <<<"$out")" 'no complete build profile yet' '  with the reason'
for line in 'CONFIG_LOCALVERSION="$(touch x)"' 'CONFIG_LOCALVERSION="`id`"' 'CONFIG_INITRAMFS_SOURCE="/etc/shadow"' \
  'CONFIG_SYSTEM_TRUSTED_KEYS="../../x"' 'CONFIG_X="a;b"' 'rm -rf /' 'CONFIG_X=$(id)'; do
  printf 'CONFIG_SMP=y\n%s\n' "$line" >"$scratch/hostile"
  run "$TUXTAPE" config put evil --kernel 6.1.3 "$scratch/hostile"
  is_exit 1 "a hostile config is refused: $line"
  like "$err" '(line |:)2' '  with its line'
done
is "$(sqlite3 "$db" "SELECT count(*) FROM kernel_config WHERE name = 'evil'")" 0 '  and not stored'
for name in '' ../x 'a b' -x "$(printf 'x%.0s' {1..65})"; do
  run "$TUXTAPE" config put --kernel 6.1.3 -- "$name" "$scratch/config"
  is_exit 2 "'$name' is no config's name"
done
for ref in ../x -x 'v6 1' 'v6.1:'; do
  run "$TUXTAPE" config put other --kernel 6.1.3 --ref="$ref" "$scratch/config"
  is_exit 2 "'$ref' is no tag"
done
run "$TUXTAPE" config put other --kernel six "$scratch/config"
is_exit 2 'what is no version at all'
run "$TUXTAPE" config put other --kernel 6.1.3-generic "$scratch/config"
is_exit 2 'a vendor version is not what CVEs are judged by'
run "$TUXTAPE" config diff web web --json
is "$(jq -c . <<<"$out")" '{"changes":[]}' 'as JSON no difference is an empty list'
run "$TUXTAPE" config diff web web
is "$out" '' 'a config does not differ from itself'
run "$TUXTAPE" config put web2 --kernel 6.1.3 "$scratch/config"
run "$TUXTAPE" config diff web web2
is "$out" 'CONFIG_SMP: n -> y' 'what differs is shown'
run "$TUXTAPE" config diff web web2 --json
is "$(jq -c . <<<"$out")" '{"changes":[{"option":"CONFIG_SMP","from":"n","to":"y"}]}' '  as JSON, too'

# An option is for some verbs, and the others say so.
for misuse in 'config delete web --json' 'config list --force' 'config put web f --builder x' 'job watch 1 --json' 'job cancel 1 --json' 'job builders --open' \
  'patch list --approve' 'patch diff 1 --json' 'patch export 1 --json' 'patch review 1 --state approved' 'cert list --renew' 'cert init --json'; do
  # shellcheck disable=SC2086
  run "$TUXTAPE" $misuse
  is_exit 2 "misuse: $misuse"
  like "$err" ': --[a-z]+ is an option of [a-z, ]+ alone$' '  and told which verbs take it'
done
TUXTAPE_DB=$db run "$TUXTAPE" job cancel 99
is_exit 4 'a setting that a verb does not need is none'
for where in "--db $db" "--server $server"; do
  # shellcheck disable=SC2086
  run timeout 20 "$TUXTAPE" job log 2 $where
  is_exit 0 "what there is of a queued job's log, $where"
  is "$out" '' '  is nothing, and is not waited for'
  # shellcheck disable=SC2086
  run "$TUXTAPE" job log 99 $where
  is_exit 4 '  of a job that there is not'
done
run "$TUXTAPE" job cancel 2
is_exit 0 'a job is cancelled'
for where in "--db $db" "--server $server"; do
  # shellcheck disable=SC2086
  run "$TUXTAPE" job log 2 $where
  is_exit 0 "its log can be read, $where"
done
run "$TUXTAPE" job watch 2
is_exit 1 '  watching it fails'
like "$err" 'cancelled by local' '  with who did it'
run "$TUXTAPE" job cancel 2
is_exit 1 '  once only'
run "$TUXTAPE" job retry 2
like "$out" 'job 4' '  and it can be queued anew'
run "$TUXTAPE" job retry 2
is_exit 1 '  but not while that job is open'
like "$err" 'has an open job already: 4' '  which is said'
run "$TUXTAPE" job cancel 99
is_exit 4 'a job that there is not'
run "$TUXTAPE" config delete web
is_exit 0 'a config is deleted'
is "$(sqlite3 "$db" "SELECT count(*) FROM job WHERE config = 'web' AND state <= 3")" 0 '  with its open jobs'
run "$TUXTAPE" config get web
is_exit 4 '  and gone'
like "$err" 'there is web2' '  those that exist are named'
run "$TUXTAPE" config put web --kernel 6.1.3 "$scratch/config"
like "$out" 'revision 3' '  its name goes on counting'

# What somebody looks at is logged one by one, over one connection, too.
before=$(wc -l <"$server_log")
printf '%s\n' 'size 80x24' wait 'key j' wait 'key j' wait 'key j' wait >"$scratch/script"
"$TUXTAPE" dash --config web --script "$scratch/script" >"$scratch/null" 2>&1 </dev/null
is "$?" 0 'a look at four CVEs'
logged_each() {
  [ "$(tail -n "+$((before + 1))" "$server_log" | grep -c 'method=FetchCve records=[0-9]* ms=')" -ge 4 ]
}
ok '  leaves a line for each' wait_for 5 logged_each

# Profiles put in by hand: the filter is in force at once.
profile() {
  sqlite3 "$db" <<SQL
PRAGMA foreign_keys = ON;
INSERT OR IGNORE INTO tree (commit_id, ref) VALUES ('$(printf '1%.0s' {1..40})', 'v6.1.3');
INSERT OR IGNORE INTO tree_path (tree, path) SELECT (SELECT tree FROM tree), path FROM path WHERE CAST(name AS TEXT) NOT LIKE '$2';
INSERT INTO profile (config, tree, revision, compiled_files) SELECT config, (SELECT tree FROM tree), revision, 1 FROM kernel_config WHERE name = 'web';
INSERT INTO compiled_file (config, path, kind) SELECT (SELECT config FROM kernel_config WHERE name = 'web'), path, $3 FROM path
  WHERE CAST(name AS TEXT) LIKE '$1';
SQL
}
unprofile() {
  sqlite3 "$db" 'DELETE FROM profile; DELETE FROM compiled_file; DELETE FROM tree_path; DELETE FROM tree'
}
verdict() {
  jq -r --arg id "$1" '.[] | select(.id == $id) | .verdicts[0] | .verdict + ": " + .reason' <<<"$out"
}
file=$(sqlite3 "$db" "SELECT CAST(p.name AS TEXT) FROM cve_instance i JOIN cve c USING (cve) JOIN fix USING (fix_commit) JOIN fix_file f USING (fix)
  JOIN path p USING (path) WHERE c.id = 'CVE-2024-90002' AND i.fixed__minor = 1 AND CAST(p.name AS TEXT) LIKE '%.c' LIMIT 1")
profile "$file" '' 1
run "$TUXTAPE" cves --config web --json
like "$(verdict CVE-2024-90002)" "affected: $file is compiled" 'a compiled file makes a CVE affected'
run "$TUXTAPE" cves --config web --include-not-compiled --json
ok '  others are not compiled' test "$(jq '[.[] | select(.verdicts[0].verdict == "not-compiled")] | length' <<<"$out")" -gt 0
like "$(jq -r '[.[] | select(.verdicts[0].verdict == "not-compiled")][0].verdicts[0].reason' <<<"$out")" 'none of the [0-9]+ files' '  with the reason'
run "$TUXTAPE" cves --config web --count
like "$out" '^web: [0-9]+ affected / [1-9][0-9]* not compiled / [0-9]+ unknown$' '  and are counted'
like "$err" 'config web: [1-9][0-9]* CVEs of 6\.1\.3 are in files that it does not compile' '  as the sum says'
unprofile
profile "$file" '' 2
run "$TUXTAPE" cves --config web --include-not-compiled --json
like "$(verdict CVE-2024-90002)" '^not-compiled' 'a file that only host programs used is not compiled'
unprofile
profile 'nothing' "$file" 1
run "$TUXTAPE" cves --config web --json
like "$(verdict CVE-2024-90002)" "^unknown: path not in this tree: $file" 'a path that is not in the tree leaves it unknown'

# A fix of two commits, of which the clone lacks the second: half of its files prove nothing.
unprofile
profile 'nothing' '' 1
key=$(sqlite3 "$db" "SELECT cve FROM cve WHERE id = 'CVE-2024-90002'")
first=$(sqlite3 "$db" "SELECT fix_commit FROM cve_instance WHERE cve = $key AND fixed__minor = 1")
second=$(printf 'e%.0s' {1..40})
sqlite3 "$db" "CREATE TEMP TABLE one AS SELECT * FROM cve_instance WHERE cve = $key AND fixed__minor = 1;
  UPDATE one SET line = 90, title = title || 'x', fix_commit = '$second'; INSERT INTO cve_instance SELECT * FROM one"
all_of_web() {
  run "$TUXTAPE" cves --config web --include-not-compiled --json
}
all_of_web
like "$(verdict CVE-2024-90002)" '^not-compiled: none of the 1 files' 'the files that the record names stand in for a commit that is missing'
sqlite3 "$db" "DELETE FROM cve_file WHERE cve = $key"
all_of_web
like "$(verdict CVE-2024-90002)" '^affected: cannot be told from files' '  where it names none there is no proof'

# The first commit makes a file that the second changes.
sqlite3 "$db" "INSERT INTO path (name) VALUES (CAST('fs/new.c' AS BLOB));
  INSERT INTO fix (fix, fix_commit, state) VALUES (9999, '$second', 1);
  INSERT INTO fix_file SELECT 9999, 0, path, 0 FROM path WHERE name = CAST('fs/new.c' AS BLOB);
  INSERT INTO fix_file SELECT (SELECT fix FROM fix WHERE fix_commit = '$first'), 9, path, 1 FROM path WHERE name = CAST('fs/new.c' AS BLOB)"
all_of_web
like "$(verdict CVE-2024-90002)" '^not-compiled: none of the 1 files' 'a file that the fix itself creates is not missed in the tree'
sqlite3 "$db" "DELETE FROM fix_file WHERE fix = 9999 OR created = 0 AND fix = (SELECT fix FROM fix WHERE fix_commit = '$first');
  INSERT INTO cve_file SELECT $key, 0, path FROM path WHERE name = CAST('fs/new.c' AS BLOB)"
all_of_web
like "$(verdict CVE-2024-90002)" '^affected: cannot be told from files' '  nor where there is no other'
like "$err" '[0-9]+ CVEs open' 'the numbers are said'
ok '  of those open not more have a fix than are open' test "$(sed -n 's/.*: \([0-9]*\) CVEs open, .*/\1/p' <<<"$err")" -ge "$(sed -n 's/.* open, \([0-9]*\) of.*/\1/p' <<<"$err")"
run "$TUXTAPE" config rebuild web
is_exit 0 'a rebuild'
run "$TUXTAPE" cves --config web --count
like "$out" '0 affected / 0 not compiled' '  drops the profile at once'

# Going down and coming up.
before=$(sqlite3 "$db" 'SELECT count(*) FROM job')
stop "$server_pid" KILL
start_server -d "$db" -s "$server" -v
is "$(sqlite3 "$db" 'SELECT count(*) FROM job')" "$before" 'killed and started again: no job is lost'
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server"
is_exit 0 '  and it answers'
"$O/t/rpctool" "$server" health 3 >"$scratch/null"
each_logged() {
  [ "$(grep -c 'method=Health records=0 .*status=ok' "$server_log")" = 4 ]
}
ok '  with -v each call has its line, one of them of cves' wait_for 5 each_logged
began=$SECONDS
stop "$server_pid"
is "$status" 0 'SIGTERM ends it'
ok '  in bounded time' test $((SECONDS - began)) -lt 12
like "$(cat "$server_log")" 'down$' '  with a last line'
none_stay() {
  ! pgrep -f "$db"
}
ok '  and no process stays' wait_for 10 none_stay
done_testing
