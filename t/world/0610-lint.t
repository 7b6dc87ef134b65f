#!/usr/bin/env bash
# The real world: every patch of 6.1.y is placed as git apply places it, every one can be linted, and those that people have read get the
# findings that they have. WORLD names a directory with linux.git; APPLY_TAGS the trees to try (default: two of them, a minute).
. "${TEST_LIB:-t/lib.sh}"
repo=${WORLD:?names the world}/linux.git
from=v6.1.170
read -ra tags <<<"${APPLY_TAGS:-$from v6.1.176}"

run bash t/world/apply-compare.sh "$repo" $from "$O/t/applytool" "${tags[@]}"
is_exit 0 "each patch is judged as git does, on ${tags[*]}"
diag "$out"

mkdir "$scratch/p"
git -C "$repo" rev-list --no-merges "$from..HEAD" | while read -r commit; do
  git -C "$repo" diff-tree -p --no-renames --full-index --no-commit-id "$commit" >"$scratch/p/$commit"
done
find "$scratch/p" -type f -size +0 | sort >"$scratch/names"
run bash -c '"$1" -s -k 6.1.170 <"$2"' - "$O/t/linttool" "$scratch/names"
is_exit 0 'every patch can be linted'
is "$(wc -l <"$scratch/out")" "$(wc -l <"$scratch/names")" 'each has its line'
diag "$err"
diag "$(awk '{ for (i = 2; i <= NF; i++) n[$i]++ } END { for (r in n) printf "rule %s: %d; ", r, n[r] }' "$scratch/out")"
cp "$scratch/out" "$scratch/found"

git -C "$repo" log --no-merges --format='%H%x09%s' "$from..HEAD" >"$scratch/subjects"
while IFS= read -r line; do
  case $line in '#'*) continue ;; esac
  rules=${line%%$'\t'*} subject=${line#*$'\t'}
  commit=$(awk -F'\t' -v s="$subject" '$2 == s { print $1; exit }' "$scratch/subjects")
  is "$(awk -v c="$commit" '$1 == c { $1 = ""; sub(/^ /, ""); print }' "$scratch/found")" "$rules" "${rules:-nothing}: $subject"
done <t/world/lint-expected
done_testing
