#!/usr/bin/env bash
# bench/patch.sh WORLD: one patch applied and linted, without a tree and with one, and every patch of 6.1.y so; compared with git apply --check
# --cached of the same patches on an index of the whole tree. Prints rows of a Markdown table.
. t/bench.sh
world=${1:?a world}
repo=$world/linux.git
from=v6.1.170
tuxtape=$(realpath "$tuxtape")

mkdir "$scratch/p" "$scratch/home"
export HOME=$scratch/home XDG_CACHE_HOME=$scratch/home TUXTAPE_OPTION_QUIET=1
unset XDG_CONFIG_HOME XDG_DATA_HOME
git -C "$repo" rev-list --no-merges "$from..HEAD" | while read -r commit; do
  git -C "$repo" diff-tree -p --no-renames --full-index --no-commit-id "$commit" >"$scratch/p/$commit"
done
find "$scratch/p" -type f -size +0 | sort >"$scratch/all"
n=$(wc -l <"$scratch/all")
# The fixes that people make livepatches of: what fits a screen or ten, not the whole releases that the world holds as one commit.
find "$scratch/p" -type f -size +0 -size -32k | sort | awk -v n="$n" 'NR % int(n / 50 + 1) == 0' >"$scratch/some"

export GIT_DIR=$repo GIT_INDEX_FILE=$scratch/index
git read-tree "$from"
peer() {
  git apply --check --cached "$1" 2>/dev/null || true
}
bare() {
  "$tuxtape" lint "$1" --kernel "${from#v}" --linux-repo "$scratch/none" >/dev/null 2>&1 || true
}
whole() {
  "$tuxtape" lint "$1" --kernel "${from#v}" --linux-repo "$repo" >/dev/null 2>&1 || true
}
export -f peer bare whole
export tuxtape scratch repo from

# Milliseconds of each patch, taken in turns.
while read -r patch; do
  line=
  for what in bare whole peer; do
    took=$({ time "$what" "$patch"; } 2>&1)
    line="$line $took"
  done
  echo "$line"
done <"$scratch/some" >"$scratch/times"
worst() {
  awk "{ print $1 * 1000 }" "$scratch/times" | sort -g | tail -n 1
}
ms=$(median "$scratch/times" "\$3 * 1000" %.0f)
for what in 'bare:without a tree:1:30' 'whole:with a tree:2:200'; do
  IFS=: read -r _ words column aim <<<"$what"
  took=$(median "$scratch/times" "\$$column * 1000" %.0f)
  row "a patch applied and linted, $words (aim: $aim ms)" "$took ms, at most $(worst "\$$column") ms" "\`git apply --check --cached\`: $ms ms" "$(ratio "$took" "$ms")"
done
all=$({ time xargs -P 2 -I{} bash -c 'whole {}' <"$scratch/all"; } 2>&1)
git_all=$({ time xargs -P 2 -I{} bash -c 'peer {}' <"$scratch/all"; } 2>&1)
row "$n patches of 6.1.y, two at a time (aim: 60 s)" "$all s" "\`git apply --check --cached\`: $git_all s" "$(ratio "$all" "$git_all")"
