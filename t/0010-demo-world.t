#!/usr/bin/env bash
# The demo world is the same at every run, sound, and true to itself.
. t/lib.sh

refs() {
  git -C "$1/linux.git" show-ref
  git -C "$1/vulns.git" show-ref
  cat "$1/nvd.jsonl" "$1"/extra/*
}

demo_world
ok 'a second run' t/make-demo-world "$scratch/again"
is "$(refs "$scratch/again")" "$(refs "$world")" 'two runs give the same refs and records'
run t/make-demo-world "$scratch/again"
is_exit 1 'a world that stands is not written over'
for repo in linux vulns; do
  ok "$repo.git is sound" git -C "$world/$repo.git" fsck --strict
done
is "$(git -C "$world/vulns.git" rev-parse HEAD)" "$(git -C "$world/vulns.git" rev-parse snapshot-2)" 'HEAD is the second snapshot'

git -C "$world/vulns.git" archive HEAD | tar -x -C "$scratch" --one-top-level=cves
published=$scratch/cves/cve/published
count=$(find "$published" -name '*.dyad' | wc -l)
ok "20 to 30 CVEs are published ($count)" test "$count" -ge 20 -a "$count" -le 30
run perl -MJSON::PP -e 'local $/; for (@ARGV) { open my $f, "<", $_ or die; decode_json(<$f>) }' "$published"/*/*.json
is_exit 0 'every record is JSON'
run perl -MJSON::PP -ne 'decode_json($_)->{cve}{id} or die' "$world/nvd.jsonl"
is_exit 0 'every line of NVD is JSON'

# Each fix that the clone has is in the first release that its dyad names; the rest is counted.
linux=$world/linux.git
here=0 missing=0 wrong=''
while IFS=: read -r introduced introduced_commit fixed fix; do
  [ "$fix" != 0 ] || continue
  if ! git -C "$linux" cat-file -e "$fix^{commit}" 2>/dev/null; then
    missing=$((missing + 1))
    continue
  fi
  here=$((here + 1))
  first=$(git -C "$linux" tag --contains "$fix" --sort=creatordate | grep -v -e '-rc' | head -n 1)
  first=${first:-$(git -C "$linux" tag --contains "$fix" --sort=creatordate | head -n 1)}
  [ "$first" = "v$fixed" ] || wrong+=" $introduced:$introduced_commit:$fixed:$fix(is in $first)"
done < <(grep -h -v '^#' "$published"/*/*.dyad)
is "$wrong" '' "the versions of $here fixes"
ok 'fixes are there' test "$here" -ge 40
ok 'fixes are missing' test "$missing" -ge 5

# The oddities that tests lean on.

# find_fix WORDS: sets $commit, the newest one that has the words in its message, or empty.
find_fix() {
  commit=$(git -C "$linux" log --all -1 --format=%H --grep="$1")
  isnt "$commit" '' "a fix says '$1'"
}
# parents: how many the commit has.
parents() {
  git -C "$linux" cat-file -p "${commit:-none}" | sed -n '1,/^$/p' | grep -c -e '^tree' -e '^parent'
}
find_fix 'net: heron: lab'
is "$(parents)" 1 'it is a root: a tree, and no parent'
find_fix "Merge branch 'heron-import'"
is "$(parents)" 3 'it is a merge: a tree and two parents'
find_fix 'mark the walk'
is "$(parents) $(git -C "$linux" diff-tree -r --no-commit-id "$commit" | wc -l)" '2 0' 'it has one parent and changes nothing'
find_fix 'believe the length'
git -C "$linux" cat-file -p "${commit:-none}" >"$scratch/message"
git -C "$linux" diff-tree -p --no-commit-id "${commit:-none}" >>"$scratch/message"
ok 'it changes something' grep -q '^diff --git' "$scratch/message"
not_ok 'and is not UTF-8' iconv -f utf-8 "$scratch/message"
ok 'one fix touches a binary file, a link and a path to be quoted' sh -c '
  git -C "$1" diff-tree -p v6.6.3 v6.6.4 >"$2"
  grep -q "^Binary files" "$2" && grep -q "No newline at end of file" "$2" && grep -q "index.* 120000" "$2" && grep -qF "perch\303\251.rst\"" "$2"' - "$linux" "$scratch/diff"
done_testing
