#!/usr/bin/env bash
# apply-compare.sh REPO FROM APPLYTOOL [TAG...]: every patch of FROM..HEAD on the tree of each tag (all of them when none is named), judged by
# git apply --check --cached and by lib/apply. Prints a line for each difference and a line of counts for each tag; fails on a difference.
set -euo pipefail
repo=$1 from=$2 tool=$3
shift 3
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_DIR=$repo
[ $# -gt 0 ] || mapfile -t tags < <(git tag --sort=version:refname)
[ $# -eq 0 ] || tags=("$@")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/apply-compare.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/p"

git rev-list --no-merges "$from..HEAD" >"$scratch/commits"
while read -r commit; do
  git diff-tree -p --no-renames --full-index --no-commit-id "$commit" >"$scratch/p/$commit"
  [ -s "$scratch/p/$commit" ] || rm "$scratch/p/$commit"
done <"$scratch/commits"
git diff-tree --stdin -r --name-only --no-renames --no-commit-id <"$scratch/commits" | sort -u >"$scratch/paths"

# git judges one patch; what can be taken away again is there already.
judge() {
  local verdict=bad
  if git apply --check --cached "$1" 2>/dev/null; then
    verdict=good
  elif git apply --check --cached -R "$1" 2>/dev/null; then
    verdict=already
  fi
  echo "$1 $verdict"
}
export -f judge

differences=0
for tag in "${tags[@]}"; do
  # An index of the paths that any patch touches is as good as one of the whole tree, and read a hundred times as fast.
  export GIT_INDEX_FILE=$scratch/index.$tag
  git ls-tree -r --full-tree "$tag" | awk -F'\t' 'NR == FNR { want[$0]; next } $2 in want' "$scratch/paths" - |
    git update-index --index-info
  find "$scratch/p" -type f | sort >"$scratch/names"
  xargs -P 2 -I{} bash -c 'judge {}' <"$scratch/names" | sort >"$scratch/want"
  "$tool" commit "$repo" "$(git rev-parse "$tag^{commit}")" <"$scratch/names" >"$scratch/said"
  sed -E 's/ (clean|offset)$/ good/; t; s/ already applied$/ already/; t; s/ .*$/ bad/' "$scratch/said" | sort >"$scratch/got"
  if ! diff "$scratch/want" "$scratch/got"; then
    differences=$((differences + 1))
  fi
  echo "$tag: $(sed 's/^[^ ]* //' "$scratch/said" | sort | uniq -c | awk '{ n = $1; $1 = ""; printf "%s%s %d", (NR > 1 ? "," : ""), $0, n }')"
done
[ $differences = 0 ]
