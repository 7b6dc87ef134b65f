#!/usr/bin/env bash
# A run that is killed, in every phase of it, then one that completes, leaves the database of an undisturbed run. t/killat.c kills
# tuxtape itself, at the mark and before its next line, and sees its workers end.
. t/lib.sh
. t/dump.sh
demo_world
start_httpd --nvd "$world/nvd.jsonl" --log "$scratch/requests"

# CVEs of one's own, so many that their phase has points.
mkdir "$scratch/extra"
for n in 9900 9901 9902; do
  for ending in dyad json; do
    sed "s/CVE-2023-9900/CVE-2023-$n/g" "$world/extra/CVE-2023-9900.$ending" >"$scratch/extra/CVE-2023-$n.$ending"
  done
done

# Mirrors as they were some time ago, for runs that fetch; a first clone would want 9 GB of room.
cp -r "$world" "$scratch/origin"
git -C "$scratch/origin/vulns.git" update-ref refs/heads/master "$(git -C "$world/vulns.git" rev-parse 'snapshot-1^{commit}')"
git -C "$scratch/origin/linux.git" for-each-ref --format='delete %(refname)' refs/heads/linux-6.6.y 'refs/tags/v6.6.*' |
  git -C "$scratch/origin/linux.git" update-ref --stdin
for repo in vulns linux; do
  ok "a mirror of $repo" "$O/t/repotool" fetch "$scratch/mirrors/$repo" "$scratch/origin/$repo.git" "$repo"
done

# Sets argv: the run of the phase. One that fetches works on mirrors of its own, all others read the world as it is.
compose() {
  argv=("$TUXTAPE" parse --db "$scratch/db" --extra "$scratch/extra" --batch 1 --nvd-page 4 --nvd-pause 0 --nvd-url "$NVD_URL")
  if [ "$1" = fetch ]; then
    rm -rf "$scratch/own"
    cp -r "$scratch/mirrors" "$scratch/own"
    argv+=(--vulns-repo "$scratch/own/vulns" --linux-repo "$scratch/own/linux" --vulns-url "$world/vulns.git" --linux-url "$world/linux.git")
  else
    argv+=(--no-fetch --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git")
  fi
}

# dump: of $scratch/db, but for the number that the clone's files make.
dump() {
  dump_db "$scratch/db" >"$scratch/dumped" || return
  grep -av kernel_print "$scratch/dumped"
}

# look SQL: what the database says. Asks a copy: to open it is to recover it, which is the next run's to do.
look() {
  rm -f "$scratch"/look*
  cp "$scratch/db" "$scratch/look"
  [ ! -e "$scratch/db-wal" ] || cp "$scratch/db-wal" "$scratch/look-wal"
  sqlite3 "$scratch/look" "$1"
}

compose fetch
run "${argv[@]}" -v
is_exit 0 'an undisturbed run that fetches'
grep -o 'mark fetch .*' "$scratch/err" >"$scratch/marks"
dump >"$scratch/fetched"
rm -f "$scratch"/db*
compose read
run "${argv[@]}" -v
is_exit 0 'one that does not'
grep -o 'mark .*' "$scratch/err" >>"$scratch/marks"
ok 'the database' dump
dump >"$scratch/want"
ok '  has something in it' test "$(grep -ac . "$scratch/want")" -gt 300
same "$scratch/fetched" "$scratch/want" '  and is the same either way'
fixes=$(look 'SELECT count(*) FROM fix WHERE state = 1')

# points PHASE N: the N marks of a phase that split it evenly, first and last among them; all where there are fewer.
points() {
  grep "^mark $1 " "$scratch/marks" | sort -u -V |
    awk -v n="$2" '{ l[NR] = $0 } END { n = n < NR ? n : NR; for (i = 0; i < n; i++) print l[1 + int(i * (NR - 1) / (n - 1))] }'
}

# based_after MARK: whether the run had moved the commit that the database is based on: its last transaction ends between two marks.
based_after() {
  case $1 in
    'mark end 3/3') echo 1 ;;
    'mark end 2/3') echo '[01]' ;;
    *) echo 0 ;;
  esac
}

# kill_at PHASE MARK: a run that is killed, and one that completes what it left.
kill_at() {
  local phase=$1 mark=$2 patches page based
  rm -f "$scratch"/db*
  compose "$phase"
  run "$O/t/killat" "$mark" "${argv[@]}" -v
  is_exit 0 "killed at '$mark'" || return
  patches=$(look 'SELECT count(*) FROM fix WHERE state = 1')
  page=$(look "SELECT value FROM meta WHERE key = 'nvd_checkpoint_start'")
  based=$(look "SELECT count(*) FROM meta WHERE key = 'based_on_vulns_commit'")
  like "$based" "^$(based_after "$mark")\$" '  the commit it is based on moves at the end'
  : >"$scratch/requests"
  run "${argv[@]}" --json
  is_exit 0 '  the next run completes' || return
  is $((patches + $(jq .patches <<<"$out"))) "$fixes" '  no patch is made twice'
  dump >"$scratch/got"
  same "$scratch/got" "$scratch/want" '  the same database'
  [ -z "$page" ] ||
    is "$(sed 's/.*startIndex=\([0-9]*\).*/\1/' "$scratch/requests" | sort -n | head -n 1)" "$page" '  NVD is asked from the checkpoint on'
}

# PHASE POINTS
kills=0
while read -r phase n; do
  points "$phase" "$n" >"$scratch/points"
  ok "three points or more in the phase $phase" test "$(wc -l <"$scratch/points")" -ge 3
  while IFS= read -r mark; do
    kill_at "$phase" "$mark"
    kills=$((kills + 1))
  done <"$scratch/points"
done <<'END'
fetch 5
list 3
read 4
extra 3
sort 3
patches 4
nvd 3
end 4
END
# What a run that was killed has stored is of no commit that the next run reads the changes since.
own_world
anew() {
  rm -f "$scratch"/db*
  run parse --db "$scratch/db" --no-nvd "$@"
}
# killed MARK [OPTION...]
killed() {
  local mark=$1
  shift
  run "$O/t/killat" "$mark" "$TUXTAPE" parse --no-fetch --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --db "$scratch/db" --no-nvd -v "$@"
}
as_a_new_one() {
  dump >"$scratch/got"
  rm -f "$scratch"/db*
  run parse --db "$scratch/db" --no-nvd "$@"
  dump >"$scratch/want"
  same "$scratch/got" "$scratch/want" '  the same database as a new one'
}
git clone -q "$world/vulns.git" "$scratch/vulns"
vulns() {
  git -C "$scratch/vulns" -c user.name=x -c user.email=x@y "$@" >"$scratch/null" 2>&1
}
anew
mkdir -p "$scratch/vulns/cve/rejected/2024"
vulns mv cve/published/2024/CVE-2024-90002.dyad cve/published/2024/CVE-2024-90002.json cve/rejected/2024
vulns commit -m 'reject one'
vulns push origin HEAD:master
killed 'mark end 0/3'
is_exit 0 'a run that withdraws a CVE is killed at its end'
vulns revert --no-edit HEAD
vulns push origin HEAD:master
run parse --db "$scratch/db" --no-nvd
is_exit 0 '  which comes back before the next one'
like "$err" 'did not come to its end: reading everything' '  that reads everything'
is "$(sqlite3 "$scratch/db" "SELECT count(*) FROM cve WHERE id = 'CVE-2024-90002'")" 1 '  the CVE is there'
run parse --db "$scratch/db" --no-nvd
unlike "$err" 'reading everything' '  and the one after it does not'
as_a_new_one

# Nothing but a fix commit of one's own is new.
anew --extra "$scratch/extra"
own=$(sed -n 's/^[^#].*://p' "$scratch/extra/CVE-2023-9900.dyad")
other=$(git -C "$world/linux.git" rev-list --no-merges --min-parents=1 --all | while read -r commit; do
  [ "$(sqlite3 "$scratch/db" "SELECT count(*) FROM fix WHERE fix_commit = '$commit'")" = 1 ] || { echo "$commit"; break; }
done)
sed -i "s/$own/$other/" "$scratch/extra/CVE-2023-9900.dyad"
killed 'mark sort 0/2' --extra "$scratch/extra"
is_exit 0 'a run is killed before it makes the patch of a CVE of one'"'"'s own'
run parse --db "$scratch/db" --no-nvd --extra "$scratch/extra"
is "$(sqlite3 "$scratch/db" "SELECT state FROM fix WHERE fix_commit = '$other'")" 1 '  the next one makes it'
as_a_new_one --extra "$scratch/extra"
ok "killed at $kills points" test "$kills" -ge 25
done_testing
