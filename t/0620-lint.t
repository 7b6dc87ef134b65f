#!/usr/bin/env bash
# The linter as a verb: with a tree, with a config and its build, with nothing; findings in words and as JSON; exit codes.
. "${TEST_LIB:-t/lib.sh}"
parsed_world
clone=(--linux-repo "$world/linux.git")
patch_of() {
  "$TUXTAPE" cves patch "$(sqlite3 "$db" "SELECT title FROM instance WHERE cve_id = '$1' AND fixed LIKE '6.1.%' LIMIT 1")" --db "$db" 2>/dev/null
}
patch_of CVE-2024-90002 >"$scratch/good.patch"
patch_of CVE-2023-9004 >"$scratch/asm.patch"
patch_of CVE-2024-90003 >"$scratch/header.patch"

run tuxtape lint "$scratch/good.patch"
is_exit 2 'a patch is for some kernel'
run tuxtape lint "$scratch/good.patch" --kernel 6.1.3-generic
is_exit 2 '  whose tree is known: no vendor suffix'
run tuxtape lint --kernel 6.1.3
is_exit 2 '  and there is a patch'
run tuxtape lint "$scratch/nosuch.patch" --kernel 6.1.3
is_exit 4 '  that exists'
is "$err" "tuxtape lint: $scratch/nosuch.patch: No such file or directory" '  which is said once'
run tuxtape lint "$scratch/good.patch" --kernel 6.1.3 "${clone[@]}"
is_exit 0 'a good patch'
like "$out" '^version 6\.1\.3: clean' '  applies'
like "$out" 'findings: 0 block, 0 warn' '  and nothing is found'
run "$TUXTAPE" lint - --kernel 6.1.3 "${clone[@]}"
isnt "$status" 0 'nothing on standard input is no patch'
"$TUXTAPE" lint - --kernel 6.1.3 "${clone[@]}" <"$scratch/good.patch" >"$scratch/piped" 2>&1
is "$?" 0 'a patch on standard input'
run tuxtape lint "$scratch/asm.patch" --kernel 6.1.3 "${clone[@]}"
is_exit 1 'assembly blocks'
like "$out" '1-assembly block arch/x86/entry/entry_64\.S' '  with rule, level and place'
like "$err" 'findings that block: 1' '  and the last line says so'
run tuxtape lint "$scratch/asm.patch" --kernel 6.1.3 "${clone[@]}" --json
is "$(jq -r '.lint.findings[0] | "\(.id) \(.level) \(.file)"' <<<"$out")" '1-assembly lint-block arch/x86/entry/entry_64.S' '  as JSON, too'
is "$(jq -r '.apply.state' <<<"$out")" apply-clean '  with how it applies'

# What cannot be accepted is not, what can is, with a reason.
{ echo 'Lint-ok: 9 only two files include it'; cat "$scratch/header.patch"; } >"$scratch/ok.patch"
run tuxtape lint "$scratch/ok.patch" --kernel 6.1.3 "${clone[@]}"
like "$out" '9-header accepted' 'a Lint-ok line accepts'
like "$out" 'Lint-ok: only two files include it' '  with its reason'

# Without a tree
run tuxtape lint "$scratch/good.patch" --kernel 6.1.3 --linux-repo "$scratch/none"
is_exit 3 'without a clone not all is looked at'
like "$out" 'unchecked: no clone' '  which is said'
like "$out" '7-layout not run: without a tree' '  rule by rule'
run tuxtape lint "$scratch/good.patch" --kernel 6.1.77 "${clone[@]}"
is_exit 3 'nor without the tag'
like "$out" 'there is no tag v6\.1\.77' '  which is said'
run tuxtape lint "$scratch/asm.patch" --kernel 6.1.3 --linux-repo "$scratch/none"
is_exit 1 'what the diff alone shows blocks all the same'

# A config, and what its build compiled
sqlite3 "$db" "INSERT INTO kernel_config (name, version__major, version__minor, version__stable, revision, body)
  VALUES ('web', 6, 1, 3, 1, CAST('CONFIG_SMP=y' || char(10) AS BLOB))"
run tuxtape lint "$scratch/good.patch" --config web --db "$db" "${clone[@]}"
is_exit 1 'a config without livepatching'
like "$out" '31-config block' '  blocks'
sqlite3 "$db" "UPDATE kernel_config SET body = CAST('CONFIG_LIVEPATCH=y' || char(10) || 'CONFIG_DEBUG_INFO=y' || char(10) AS BLOB)"
run tuxtape lint "$scratch/good.patch" --config web --db "$db" "${clone[@]}"
is_exit 0 'one with it'
unlike "$out" '31-config' '  does not'
run tuxtape lint "$scratch/good.patch" --config nosuch --db "$db" "${clone[@]}"
is_exit 4 'a config that there is not'
# The build compiled three files, two of which include the header.
includers=$(git -C "$world/linux.git" grep -l 'include <linux/ringlog.h>' v6.1.3 -- '*.c' | sed 's/[^:]*://')
ok 'the header is included somewhere' test -n "$includers"
{
  echo "INSERT OR IGNORE INTO path (name) VALUES (CAST('fs/tapefs/inode.c' AS BLOB));"
  for file in $includers; do echo "INSERT OR IGNORE INTO path (name) VALUES (CAST('$file' AS BLOB));"; done
  echo "INSERT INTO tree (commit_id, ref) VALUES ('$(git -C "$world/linux.git" rev-parse 'v6.1.3^{commit}')', 'v6.1.3');
    INSERT INTO profile (config, tree, revision) SELECT config, (SELECT tree FROM tree), 1 FROM kernel_config;"
  for file in fs/tapefs/inode.c $includers; do
    echo "INSERT OR IGNORE INTO compiled_file (config, path, kind)
      SELECT (SELECT config FROM kernel_config), path, 1 FROM path WHERE name = CAST('$file' AS BLOB);"
  done
} | sqlite3 -bail "$db" || bail 'the profile'
run tuxtape lint "$scratch/header.patch" --config web --db "$db" "${clone[@]}"
n=$(wc -w <<<"$includers")
like "$out" "9-header warn include/linux/ringlog\.h"$'\n'".*(^|[^0-9])$n " "its includers among the compiled are counted: $n"
unlike "$out" '9-header not run' '  by the build'
for file in $includers; do
  like "$out" "^ +$file$|"$'\n'" +$file"$'\n' "  and named: $file"
done
run tuxtape lint "$scratch/header.patch" --config web --db "$db" "${clone[@]}" --json
is "$(jq -r '.lint.findings[] | select(.rule == 9) | .files[]' <<<"$out")" "$(sort <<<"${includers// /$'\n'}")" '  in JSON, too'

# What a build's files say of each other is kept: a clone that lacks one of them shows whether it was read.
notes=$XDG_CACHE_HOME/tuxtape/build-scan
cp "$scratch/out" "$scratch/found"
ok 'what was found in the files is kept' test -s "$notes"
cp "$notes" "$scratch/notes"
git init -q --bare "$scratch/lacking.git"
git -C "$world/linux.git" pack-objects -q --stdout --revs <<<'v6.1.3' | git -C "$scratch/lacking.git" unpack-objects -q
git -C "$scratch/lacking.git" tag v6.1.3 "$(git -C "$world/linux.git" rev-parse 'v6.1.3^{commit}')"
blob=$(git -C "$world/linux.git" rev-parse v6.1.3:fs/tapefs/inode.c)
rm -f "$scratch/lacking.git/objects/${blob:0:2}/${blob:2}"
header() {
  run tuxtape lint "$scratch/header.patch" --config web --db "$db" --linux-repo "$1" --json
}
header "$scratch/lacking.git"
is_exit 0 'what was read once is not read again'
same "$scratch/out" "$scratch/found" '  and the same is found'
same "$notes" "$scratch/notes" '  nothing new is kept'
rm "$notes"
header "$scratch/lacking.git"
is_exit 1 'what is not kept is read'
like "$err" "$blob" '  and is missing'
not_ok '  a check that failed keeps nothing' test -e "$notes"
for what in damaged short empty other; do
  case $what in
    damaged) sed 's/ringlog/ringl0g/' "$scratch/notes" >"$notes" ;;
    short) head -c 100 "$scratch/notes" >"$notes" ;;
    empty) : >"$notes" ;;
    other) { printf 'build-scan 0'; tail -c +13 "$scratch/notes"; } >"$notes" ;;
  esac
  not_ok "notes that are $what" cmp -s "$notes" "$scratch/notes"
  header "$world/linux.git"
  same "$scratch/out" "$scratch/found" '  are not believed'
  same "$notes" "$scratch/notes" '  but made anew'
done
rm "$notes"
mkdir "$notes"
header "$world/linux.git"
same "$scratch/out" "$scratch/found" 'a folder in the way'
is "$(ls -A "${notes%/*}")" build-scan '  with nothing left beside it'
rmdir "$notes" "${notes%/*}"
: >"${notes%/*}"
header "$world/linux.git"
same "$scratch/out" "$scratch/found" 'a file in the way of the folder'
rm "${notes%/*}"
run env -u XDG_CACHE_HOME -u HOME "$TUXTAPE" lint "$scratch/header.patch" --config web --db "$db" --linux-repo "$world/linux.git" --json
same "$scratch/out" "$scratch/found" 'no home'
run tuxtape lint "$scratch/header.patch" --kernel 6.1.3 "${clone[@]}"
not_ok 'without a build nothing is kept' test -e "${notes%/*}"

# Hostile patches
printf -- '--- a/../../../etc/passwd\n+++ b/../../../etc/passwd\n@@ -1 +1 @@\n-root\n+toor\n' >"$scratch/hostile"
run tuxtape lint "$scratch/hostile" --kernel 6.1.3 "${clone[@]}"
is_exit 1 'a path out of the tree'
like "$err" 'etc/passwd' '  is named'
head -c 100000 /dev/urandom >"$scratch/noise"
run tuxtape lint "$scratch/noise" --kernel 6.1.3 "${clone[@]}"
is_exit 1 'noise is no patch'

# A link in the way
own=$scratch/links.git
git init -q --bare "$own"
tree=$(printf 'target' | git -C "$own" hash-object -w --stdin)
link=$(printf '120000 blob %s\tdir\n' "$tree" | git -C "$own" mktree)
git -C "$own" tag v6.1.3 "$(git -C "$own" commit-tree -m x "$link")"
printf -- '--- a/dir/f.c\n+++ b/dir/f.c\n@@ -1 +1 @@\n-root\n+toor\n' >"$scratch/through"
run tuxtape lint "$scratch/through" --kernel 6.1.3 --linux-repo "$own"
is_exit 1 'a path through a symbolic link'
like "$out" 'symbolic link|symlink' '  is said to be one'
done_testing
