# shellcheck shell=bash
# A small fleet for the tests of the dashboard, after t/server.sh: the demo world's CVEs, configs, jobs and builders whose times stand still.

# dash_fleet: makes the database $db with it.
dash_fleet() {
  demo_world
  start_httpd --nvd "$world/nvd.jsonl"
  db=$scratch/db
  run parse --db "$db"
  [ "$status" = 0 ] || bail "parse: $err"
  # What is said of the clone stands on screens: its name is the same everywhere.
  ln -s "$world/linux.git" "$scratch/linux.git"
  cd "$scratch" || bail 'no scratch directory'
  start_server -d "$db" --linux-repo linux.git --allow-self-review
  cd "$OLDPWD" || bail 'no way back'
  printf 'CONFIG_NET=y\nCONFIG_MODULES=y\nCONFIG_LIVEPATCH=y\nCONFIG_DEBUG_INFO=y\n' >"$scratch/config"
  "$TUXTAPE" config put web --server "$server" --kernel 6.1.3 "$scratch/config" >"$scratch/null" 2>&1 || bail 'config put fails'
  printf 'CONFIG_NET=y\nCONFIG_USB=m\nCONFIG_SMP=y\n' >"$scratch/config"
  "$TUXTAPE" config put database --server "$server" --kernel 6.6.2 "$scratch/config" >"$scratch/null" 2>&1
  "$TUXTAPE" config put edge --server "$server" --kernel 6.1.3 "$scratch/config" >"$scratch/null" 2>&1
  dash_livepatches
  stop "$server_pid"
  # One is built, one failed, one waits. What "web" compiles is all of its tree but drivers/.
  git -C "$world/linux.git" ls-tree -r --name-only v6.1.3 >"$scratch/paths"
  sqlite3 "$db" <<END || bail 'the fleet cannot be made'
CREATE TEMP TABLE one (name);
.import $scratch/paths one
INSERT OR IGNORE INTO path (name) SELECT CAST(name AS BLOB) FROM one WHERE CAST(name AS BLOB) NOT IN (SELECT name FROM path);
INSERT INTO tree (tree, commit_id, ref) VALUES (1, '$(git -C "$world/linux.git" rev-parse 'v6.1.3^{commit}')', 'v6.1.3');
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
UPDATE patch SET submitted_at = '2026-08-19T12:00:00Z';
UPDATE patch_revision SET submitted_at = '2026-08-19T12:00:00Z';
UPDATE patch_review SET reviewed_at = '2026-08-20T12:00:00Z';
INSERT INTO builder (name, cores, compiler, connected, seen_at) VALUES ('forge', 32, 'gcc 12.2.0', 0, '2026-08-20T10:00:00Z');
END
}

# dash_again FILE: a copy of $db whose first livepatch went on: its second revision, with what a terminal must not see, is approved; its third is to
# be reviewed.
dash_again() {
  local draft drafts=$scratch/drafts before=$db
  draft=$(echo "$drafts"/CVE-2024-90002-*.patch)
  db=$1
  cp "$before" "$db"
  cd "$scratch" || bail 'no scratch directory'
  start_server -d "$db" --linux-repo linux.git --allow-self-review
  cd "$OLDPWD" || bail 'no way back'
  sed -i $'1i Note: \e[31mred\e[0m \u202e\u65e5\u672c\xff\r' "$draft"
  lp submit "$draft" --config web -m 'says more'
  lp review 1 --approve --revision 2 -m 'no code was touched'
  sed -i '1d; 0,/^+\t[a-z].*/s//& \/* now *\//' "$draft"
  lp submit "$draft" --config web -m 'and a word in the code'
  stop "$server_pid"
  sqlite3 "$db" <<END || bail 'the times cannot be set'
UPDATE patch SET submitted_at = '2026-08-20T18:00:00Z' WHERE patch = 1;
UPDATE patch_revision SET submitted_at = '2026-08-20T18:00:00Z' WHERE patch = 1 AND revision > 1;
UPDATE patch_review SET reviewed_at = '2026-08-20T20:00:00Z' WHERE patch = 1 AND revision > 1;
END
  db=$before
}

# Four livepatches: one approved, one that conflicts and came twice, one rejected, one that nobody could apply.
dash_livepatches() {
  local drafts=$scratch/drafts
  lp() {
    "$TUXTAPE" patch "$@" --server "$server" --drafts "$drafts" >"$scratch/null" 2>&1 || bail "patch $*: $(cat "$scratch/null")"
  }
  for id in 90002 90003 90005 90006; do
    lp new "CVE-2024-$id" --kernel 6.1.3
    # The author's name is this machine's.
    sed -i 's/^From: .*/From: the fleet/' "$drafts/CVE-2024-$id"-*.patch
  done
  lp submit "$drafts"/CVE-2024-90002-*.patch --config web -m 'as upstream: the put moves behind the truncation'
  lp review 1 --approve -m 'read it; nothing looks at the block in between'
  lp submit "$drafts"/CVE-2024-90003-*.patch -m 'as upstream'
  sed -i '0,/^ \t[a-z].*/s//&  \/* not in the tree *\//' "$drafts"/CVE-2024-90003-*.patch
  lp submit "$drafts"/CVE-2024-90003-*.patch -m $'with a comment that helps \e[31mmuch\e[0m'
  lp submit "$drafts"/CVE-2024-90005-*.patch --config edge -m 'bounds the slot'
  lp review 3 --reject -m 'edge has no courier: why this one?'
  lp submit "$drafts"/CVE-2024-90006-*.patch --kernel 6.1.77 -m 'for the image that is coming'
}
