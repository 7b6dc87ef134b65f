# shellcheck shell=bash
# dump_db FILE: all that a run leaves, ordered by key, without surrogate ids, times of runs and times at which NVD was asked. Where
# there is no database, or a query fails, it fails and its last line is one that no other dump has.
dump_db() {
  sqlite3 -bail -readonly "$1" <<'SQL' || { echo "the dump of $1 failed: $SRANDOM"; return 1; }
.mode quote
SELECT * FROM cve ORDER BY cve;
SELECT * FROM cve_instance ORDER BY cve, line;
SELECT cve, position, name FROM cve_file JOIN path USING (path) ORDER BY cve, position;
SELECT * FROM nvd_record ORDER BY cve_id;
SELECT * FROM score ORDER BY cve_id, origin, position;
SELECT fix_commit, state, subject, message, patch FROM fix ORDER BY fix_commit;
SELECT fix_commit, position, name, created FROM fix_file JOIN fix USING (fix) JOIN path USING (path) ORDER BY fix_commit, position;
SELECT name FROM path ORDER BY name;
SELECT * FROM kernel_config ORDER BY name;
SELECT * FROM meta WHERE key NOT IN ('last_run', 'nvd_complete') ORDER BY key;
SQL
}
