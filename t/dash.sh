# shellcheck shell=bash
# A small fleet for the tests of the dashboard, after t/server.sh: the demo world's CVEs, configs, jobs and builders whose times stand still.

# dash_fleet: makes the database $db with it.
dash_fleet() {
  demo_world
  start_httpd --nvd "$world/nvd.jsonl"
  db=$scratch/db
  run parse --db "$db"
  [ "$status" = 0 ] || bail "parse: $err"
  start_server -d "$db"
  printf 'CONFIG_NET=y\nCONFIG_MODULES=y\n' >"$scratch/config"
  "$TUXTAPE" config put web --server "$server" --kernel 6.1.3 "$scratch/config" >"$scratch/null" 2>&1 || bail 'config put fails'
  printf 'CONFIG_NET=y\nCONFIG_USB=m\nCONFIG_SMP=y\n' >"$scratch/config"
  "$TUXTAPE" config put database --server "$server" --kernel 6.6.2 "$scratch/config" >"$scratch/null" 2>&1
  "$TUXTAPE" config put edge --server "$server" --kernel 6.1.3 "$scratch/config" >"$scratch/null" 2>&1
  stop "$server_pid"
  # One is built, one failed, one waits. What "web" compiles is all of its tree but drivers/.
  git -C "$world/linux.git" ls-tree -r --name-only v6.1.3 >"$scratch/paths"
  sqlite3 "$db" <<END || bail 'the fleet cannot be made'
CREATE TEMP TABLE one (name);
.import $scratch/paths one
INSERT OR IGNORE INTO path (name) SELECT CAST(name AS BLOB) FROM one WHERE CAST(name AS BLOB) NOT IN (SELECT name FROM path);
INSERT INTO tree VALUES (1, '$(git -C "$world/linux.git" rev-parse 'v6.1.3^{commit}')', 'v6.1.3');
INSERT INTO tree_path SELECT 1, path FROM path WHERE name IN (SELECT CAST(name AS BLOB) FROM one);
INSERT INTO compiled_file (config, path, kind) SELECT config, path, 1 FROM kernel_config, tree_path JOIN path USING (path)
  WHERE kernel_config.name = 'web' AND CAST(path.name AS TEXT) NOT LIKE 'drivers/%';
INSERT INTO profile (config, tree, revision, builder, built_at, release, compiler, compiled_files)
  SELECT config, 1, 1, 'forge', '2026-08-20T10:00:00Z', '6.1.3', 'gcc 12.2.0', (SELECT count(*) FROM compiled_file) FROM kernel_config WHERE name = 'web';
UPDATE kernel_config SET put_at = '2026-08-19T10:00:00Z';
UPDATE config_revision SET put_at = '2026-08-19T10:00:00Z';
UPDATE job SET queued_at = '2026-08-19T10:00:00Z';
UPDATE job SET state = 4, builder = 'forge', attempt = 1, started_at = '2026-08-19T10:00:05Z', ended_at = '2026-08-20T10:00:00Z', lines = 30
  WHERE config = 'web';
UPDATE job SET state = 5, builder = 'forge', attempt = 1, lines = 2, error = 'building failed: exit 2' WHERE config = 'database';
INSERT INTO job_line SELECT (SELECT job FROM job WHERE config = 'web'), value, CAST('  CC      kernel/file' || value || '.o' AS BLOB)
  FROM generate_series(1, 30);
INSERT INTO job_line SELECT job, 1, CAST('  CC      init/main.o' AS BLOB) FROM job WHERE config = 'database';
INSERT INTO job_line SELECT job, 2, CAST('init/main.c:7: error: ' || char(27) || '[31m#error' || char(27) || '[0m' AS BLOB) FROM job WHERE config = 'database';
INSERT INTO builder (name, cores, compiler, connected, seen_at) VALUES ('forge', 32, 'gcc 12.2.0', 0, '2026-08-20T10:00:00Z');
END
}
