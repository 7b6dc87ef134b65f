#!/usr/bin/env bash
# bench/parse.sh WORLD: the parser on a full world (vulns-full.git, linux-full.git), each number as a ratio to a peer of the same run.
# Prints rows of a Markdown table. TUXTAPE names the executable.
. t/bench.sh
world=${1:?a world made in full}
[ -d "$world/linux-full.git" ] || { echo "bench/parse.sh: $world has no linux-full.git: make-world --full" >&2; exit 1; }

# watch_memory PID FILE: the most that a process and its children hold together, in KiB: Private_Dirty and PSS.
watch_memory() {
  local pid=$1 dirty=0 pss=0 d p
  while kill -0 "$pid" 2>/dev/null; do
    # shellcheck disable=SC2046
    read -r d p < <(held $(family "$pid"))
    [ "$d" -le "$dirty" ] || dirty=$d
    [ "$p" -le "$pss" ] || pss=$p
    sleep 0.3
  done
  echo "$((dirty / 1024)) MB private dirty, $((pss / 1024)) MB PSS" >"$2"
}

parse() {
  "$tuxtape" parse --no-fetch --no-nvd --vulns-repo "$world/vulns-full.git" --linux-repo "$world/linux-full.git" "$@"
}

parse --db "$scratch/db" 2>"$scratch/log" &
watch_memory $! "$scratch/memory"
wait $!
sqlite3 "$scratch/db" 'SELECT fix_commit FROM fix WHERE state <> 2' >"$scratch/commits"
n=$(wc -l <"$scratch/commits")
ours=$(sed -n 's/.*patches: .* in \([0-9.]*\) s:.*/\1/p' "$scratch/log")
git_s=$({ time git -C "$world/linux-full.git" diff-tree --stdin -p --no-renames --full-index <"$scratch/commits" >/dev/null; } 2>&1)
row "patches of $n fix commits, stored" "$ours s" "\`git diff-tree --stdin -p\`: $git_s s" "$(ratio "$ours" "$git_s")"
row 'memory of all processes together at its highest' "$(cat "$scratch/memory")" '' ''
row 'database' "$(du -m --apparent-size "$scratch/db" | cut -f1) MB" \
  "the patches alone: $(sqlite3 "$scratch/db" 'SELECT sum(length(patch)) / 1048576 FROM fix') MB" ''

nothing=$({ time parse --db "$scratch/db" --quiet; } 2>&1)
whole=$(sed -n 's/.* stored in \([0-9.]*\) s;.*/\1/p' "$scratch/log")
row 'a run with nothing new' "$nothing s" "the first run: $whole s" "$(ratio "$nothing" "$whole")"

git clone -q --bare "$world/vulns-full.git" "$scratch/steps.git"
old=$(git -C "$scratch/steps.git" tag --list 'snapshot-*' --sort=creatordate | head -n 1)
git -C "$scratch/steps.git" update-ref HEAD "$old^{commit}"
parse --db "$scratch/steps" --vulns-repo "$scratch/steps.git" --quiet
git -C "$scratch/steps.git" fetch -q "$world/vulns-full.git" '+refs/heads/master:refs/heads/master'
step=$({ time parse --db "$scratch/steps" --vulns-repo "$scratch/steps.git" --quiet; } 2>&1)
row "from $old to the newest snapshot" "$step s" "a rebuild: $whole s" "$(ratio "$step" "$whole")"
