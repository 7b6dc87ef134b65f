#!/usr/bin/env bash
# backup and restore, and the database of the proof of concept.
. t/lib.sh
. t/dump.sh
demo_world
export NVD_URL=http://127.0.0.1:1/
db=$scratch/db
run parse --db "$db" --no-nvd
is_exit 0 'a database'
dump_db "$db" >"$scratch/want"

run "$TUXTAPE" backup "$scratch/copy" --db "$db"
is_exit 0 'backup'
is "$(stat -c %a "$scratch/copy")" 600 '  has mode 0600'
same <(dump_db "$scratch/copy") "$scratch/want" '  and holds the same'
sqlite3 "$db" 'DELETE FROM cve'
run "$TUXTAPE" restore "$scratch/copy" --db "$db"
is_exit 0 'restore'
same <(dump_db "$db") "$scratch/want" '  brings it back'
is "$(sqlite3 "$db" 'PRAGMA journal_mode')" wal '  in write-ahead mode'
run "$TUXTAPE" restore "$scratch/copy" --db "$scratch/new/place/db"
is_exit 0 'restore makes what is missing'
same <(dump_db "$scratch/new/place/db") "$scratch/want" '  with the same contents'
head -c 30000 "$scratch/copy" >"$scratch/cut"
run "$TUXTAPE" restore "$scratch/cut" --db "$db"
is_exit 1 'a damaged backup is refused'
same <(dump_db "$db") "$scratch/want" '  and the database is as it was'
run "$TUXTAPE" backup "$scratch/nowhere/copy" --db "$db"
is_exit 1 'a place that is not there'
run "$TUXTAPE" backup --db "$db"
is_exit 2 'no file is misuse'

# A backup is written over an older backup, and over nothing else.
run "$TUXTAPE" backup "$scratch/copy" --db "$db"
is_exit 0 'an older backup is replaced'
: >"$scratch/hollow"
run "$TUXTAPE" backup "$scratch/hollow" --db "$db"
is_exit 0 'an empty file, too'
# refused PLACE REGEX NAME: backup does not write there, and changes nothing.
refused() {
  local before
  before=$(find "$scratch" -maxdepth 1 -name "${1##*/}*" -type f -exec sha256sum {} + | sort)
  run "$TUXTAPE" backup "$1" --db "$db"
  is_exit 2 "$3"
  like "$err" "$2" '  with the reason'
  is "$(find "$scratch" -maxdepth 1 -name "${1##*/}*" -type f -exec sha256sum {} + | sort)" "$before" '  and nothing has changed'
}
ln "$db" "$scratch/hard"
ln -s db "$scratch/soft"
refused "$db" 'the database itself' 'the database is no place for its backup'
refused "$scratch/hard" 'the database itself' '  nor by another name'
refused "$scratch/soft" 'the database itself' '  nor by a link'
rm "$scratch/hard" "$scratch/soft"
cp "$db" "$scratch/live"
refused "$scratch/live" 'live is a database that is worked on' 'another database in use is not replaced'
echo 'some words, more than a header is long' >"$scratch/letter"
refused "$scratch/letter" 'letter is there and is no backup' 'nor is a file of another kind'
mkdir "$scratch/folder"
refused "$scratch/folder" 'folder is a directory' 'a directory is none, either'
run "$TUXTAPE" restore "$db" --db "$db"
is_exit 2 'restoring a database from itself is misuse'
run "$TUXTAPE" restore "$scratch/absent" --db "$db"
is_exit 4 'a backup that is not there'

# What can no longer be read as a database gives way, and stays.
# damaged NAME: the last file made below $scratch/bad is replaced by the backup.
damaged() {
  run "$TUXTAPE" restore "$scratch/copy" --db "$scratch/bad"
  is_exit 0 "$1 gives way to a backup"
  same <(dump_db "$scratch/bad") "$scratch/want" '  which is there in full'
  is "$(sqlite3 "$scratch/bad" 'PRAGMA journal_mode')" wal '  in write-ahead mode'
}
head -c 30000 "$db" >"$scratch/bad"
cp "$scratch/bad" "$scratch/bad.first"
chmod 640 "$scratch/bad"
damaged 'a database that was cut off'
like "$err" 'damaged database is kept as .*/bad\.bad; restart' '  and says where the other is'
same "$scratch/bad.bad" "$scratch/bad.first" '  the other is as it was'
is "$(stat -c %a "$scratch/bad")" 640 '  the new one has the mode of the old'
head -c 50000 /dev/urandom >"$scratch/bad"
cp "$scratch/bad" "$scratch/bad.second"
rm -f "$scratch/bad"-*
damaged 'a file of random bytes'
same "$scratch/bad.bad" "$scratch/bad.first" '  what was kept before stays'
same "$scratch/bad.bad.2" "$scratch/bad.second" '  what is kept now has the next name'
rm "$scratch/bad"
cp "$db" "$scratch/walled"
sqlite3 "$scratch/walled" >"$scratch/null" <<SQL
PRAGMA wal_autocheckpoint = 0;
DELETE FROM cve;
.shell cp $scratch/walled-wal $scratch/bad-wal
SQL
ok 'a log that nobody folded in' test -s "$scratch/bad-wal"
damaged 'the log of a database that is gone'
is "$(ls "$scratch/bad.bad.3"*)" "$scratch/bad.bad.3-wal" '  and is not played into the new one'
cp "$scratch/bad.second" "$scratch/bad"
run "$TUXTAPE" restore "$scratch/cut" --db "$scratch/bad"
is_exit 1 'a damaged database and a damaged backup'
same "$scratch/bad.second" "$scratch/bad" '  change nothing'
sqlite3 "$scratch/foreign" 'CREATE TABLE x (y)'
run "$TUXTAPE" restore "$scratch/copy" --db "$scratch/foreign"
is_exit 1 'a database of something else is not replaced'

# What cannot be opened is said in words.
run "$TUXTAPE" cves --kernel 6.1 --db "$scratch/folder"
is_exit 1 'a directory is no database'
like "$err" 'folder: a directory, where the file of a database is wanted' '  which is said'
chmod 755 "$scratch"
cp "$TUXTAPE" "$scratch/program"
cp "$scratch/copy" "$scratch/locked"
chmod 0 "$scratch/locked"
mkdir -m 777 "$scratch/open"
mkdir -m 0 "$scratch/closed"
run as_nobody "$scratch/program" cves --kernel 6.1 --db "$scratch/locked"
is_exit 1 'a database that may not be read'
like "$err" 'locked: Permission denied$' '  is called so'
run as_nobody "$scratch/program" restore "$scratch/locked" --db "$scratch/open/db"
is_exit 1 'a backup that may not be read'
like "$err" 'locked: Permission denied$' '  is called so'
run as_nobody "$scratch/program" cves --kernel 6.1 --db "$scratch/closed/db"
is_exit 1 'a directory that may not be entered'
like "$err" 'closed/db: Permission denied$' '  is called so'

# What root makes beside a service's files is the service's.
if [ "$(id -u)" = 0 ]; then
  mkdir "$scratch/service"
  chown 4711:4712 "$scratch/service"
  run "$TUXTAPE" restore "$scratch/copy" --db "$scratch/service/db"
  is_exit 0 'root restores a database'
  is "$(stat -c '%u:%g %a' "$scratch/service/db" "$scratch/service/db.lock" | tr '\n' ' ')" '4711:4712 644 4711:4712 644 ' \
    '  for the owner of the directory'
  head -c 30000 "$db" >"$scratch/service/db"
  chown 4713:4714 "$scratch/service/db"
  rm -f "$scratch/service/db.lock"
  run "$TUXTAPE" restore "$scratch/copy" --db "$scratch/service/db"
  is "$(stat -c %u:%g "$scratch/service/db" "$scratch/service/db.lock" "$scratch/service/db.bad" | tr '\n' ' ')" \
    '4713:4714 4713:4714 4713:4714 ' '  or for that of the old one'
else
  diag 'who is not root gives no files away'
fi

# Each version that there was comes up to date, and is kept as it was.
for version in 1 2 3; do
  old=$scratch/of-$version
  for step in lib/schema.sql lib/schema_2.sql lib/schema_3.sql; do
    [ "$step" = lib/schema.sql ] || [ "${step//[!0-9]/}" -le "$version" ] || break
    sqlite3 "$old" <"$step"
  done
  sqlite3 "$old" "PRAGMA journal_mode = WAL; PRAGMA user_version = $version;
    INSERT INTO kernel_config (name, version__major, version__minor, revision, body) VALUES ('web', 6, 1, 1, 'CONFIG_SMP=y')" >"$scratch/null"
  run "$TUXTAPE" cves --kernel 6.1 --db "$old"
  is_exit 1 "a database of version $version is not read"
  like "$err" "of version $version; run .tuxtape parse" '  and what to do is said'
  run "$TUXTAPE" backup "$old.copy" --db "$old"
  is_exit 0 '  it can be copied'
  is "$(sqlite3 "$old.copy" 'PRAGMA user_version')" "$version" '  as it is'
  run "$TUXTAPE" restore "$scratch/cut" --db "$old"
  is_exit 1 '  a backup that is damaged'
  is "$(sqlite3 "$old" 'PRAGMA user_version') $(ls "$old".v* 2>"$scratch/null")" "$version " '  does not bring it up to date'
  cp "$scratch/copy" "$scratch/again"
  sqlite3 "$scratch/again" "INSERT INTO kernel_config (name, version__major, version__minor, revision, body) VALUES ('x', 6, 1, 1, '')"
  cp "$old" "$old.over"
  run "$TUXTAPE" restore "$scratch/again" --db "$old.over"
  is_exit 0 '  nor does one that takes its place'
  is "$(sqlite3 "$old.over" 'SELECT name FROM kernel_config') $(ls "$old".over.v* 2>"$scratch/null")" 'x ' '  in full'
  run parse --db "$old" --no-nvd
  is_exit 0 '  parse brings it up to date'
  like "$err" "brought from version $version to" '  and says so'
  is "$(sqlite3 "$old.v$version" 'PRAGMA user_version')" "$version" '  it is kept as it was'
  is "$(sqlite3 "$old" 'SELECT name FROM kernel_config')" web '  its config is there'
  same <(dump_db "$old" | grep -av "'web'") "$scratch/want" '  and the rest is as if it were new'
done

# A disk that is full when the old database is to be kept.
mkdir "$scratch/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=16m tmpfs "$scratch/small" 2>"$scratch/null"; then
  sqlite3 "$scratch/small/db" <lib/schema.sql
  # More than SQLite keeps in memory, so that the copy has a journal when the disk is full.
  sqlite3 "$scratch/small/db" 'PRAGMA user_version = 1; CREATE TABLE filler AS SELECT randomblob(8000000) AS x' >"$scratch/null"
  not_ok 'a disk is full' dd if=/dev/zero of="$scratch/small/fill" bs=1M count=16 status=none
  truncate -s -4M "$scratch/small/fill"
  run parse --db "$scratch/small/db" --no-nvd
  is_exit 1 '  which ends bringing a database up to date'
  like "$err" 'full' '  with the reason'
  is "$(ls "$scratch/small" | tr '\n' ' ')" 'db db.lock fill ' '  and leaves nothing half done'
  umount "$scratch/small"
else
  diag 'no right to mount a small disk'
fi

# The tables that the proof of concept makes.
sqlite3 "$scratch/poc" <<'SQL'
CREATE TABLE cve (name TEXT NOT NULL PRIMARY KEY, severity REAL, attack_vector TEXT, description TEXT);
CREATE TABLE cve_instance (title TEXT NOT NULL PRIMARY KEY, cve TEXT NOT NULL, patch BLOB);
CREATE TABLE meta (based_on_vulns_commit TEXT NOT NULL PRIMARY KEY, last_run_utc TEXT NOT NULL);
CREATE TABLE kernel_config (config_name TEXT NOT NULL PRIMARY KEY, major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER,
  config_file BLOB NOT NULL);
CREATE TABLE kernel_file (file_path TEXT NOT NULL, config_name TEXT NOT NULL);
INSERT INTO cve VALUES ('CVE-2020-0001', 1.0, NULL, NULL);
INSERT INTO meta VALUES ('0123', 'then');
INSERT INTO kernel_config VALUES ('web', 6, 1, 7, 'CONFIG_SMP=y'), ('edge', 6, 6, NULL, x'ff00');
SQL
cp "$scratch/poc" "$scratch/poc.before"
run "$TUXTAPE" cves --kernel 6.1 --db "$scratch/poc"
is_exit 1 'a database of the proof of concept is not read'
like "$err" 'proof of concept.*tuxtape parse' '  and what to do is said'
run parse --db "$scratch/poc" --no-nvd
is_exit 0 'parse takes it over'
like "$err" '2 kernel configs imported, the old file kept' '  and says so'
same "$scratch/poc.poc" "$scratch/poc.before" '  the old file is kept'
is "$(sqlite3 "$scratch/poc" "SELECT name, version__major, version__minor, version__stable, hex(body) FROM kernel_config ORDER BY name")" \
  $'edge|6|6||FF00\nweb|6|1|7|434F4E4649475F534D503D79' '  its configs are there'
same <(dump_db "$scratch/poc" | grep -av -e "'web'" -e "'edge'") "$scratch/want" '  and the rest is made anew'
cp "$scratch/poc.before" "$scratch/third"
run "$TUXTAPE" restore "$scratch/copy" --db "$scratch/third"
is_exit 0 'a backup takes its place, too'
same "$scratch/third.poc" "$scratch/poc.before" '  and it is kept'
same <(dump_db "$scratch/third") "$scratch/want" '  with the contents of the backup alone'
cp "$scratch/poc.before" "$scratch/other"
echo >"$scratch/other.poc"
run parse --db "$scratch/other" --no-nvd
is_exit 1 'a file in the way of the old one'
like "$err" 'in the way' '  is named'
same "$scratch/other" "$scratch/poc.before" '  and nothing is lost'
done_testing
