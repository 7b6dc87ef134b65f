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
  run parse --db "$old" --no-nvd
  is_exit 0 '  parse brings it up to date'
  like "$err" "brought from version $version to" '  and says so'
  is "$(sqlite3 "$old.v$version" 'PRAGMA user_version')" "$version" '  it is kept as it was'
  is "$(sqlite3 "$old" 'SELECT name FROM kernel_config')" web '  its config is there'
  same <(dump_db "$old" | grep -av "'web'") "$scratch/want" '  and the rest is as if it were new'
done

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
cp "$scratch/poc.before" "$scratch/other"
echo >"$scratch/other.poc"
run parse --db "$scratch/other" --no-nvd
is_exit 1 'a file in the way of the old one'
like "$err" 'in the way' '  is named'
same "$scratch/other" "$scratch/poc.before" '  and nothing is lost'
done_testing
