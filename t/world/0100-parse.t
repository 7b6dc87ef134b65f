#!/usr/bin/env bash
# The real world: every published CVE is stored, every fix commit that the clone has gives git's own patch, and two steps leave what one
# leaves. WORLD names a directory with vulns.git, linux.git and nvd.jsonl.
. t/lib.sh
. t/dump.sh
world=${WORLD:?names the world}
start_httpd --nvd "$world/nvd.jsonl"
db=$scratch/db

run parse --db "$db" --json
is_exit 0 'the newest snapshot is parsed'
diag "$err"
summary=$out
published=$(git -C "$world/vulns.git" ls-tree -r --name-only HEAD cve/published | grep -c 'dyad$')
is "$(jq .cves <<<"$summary")" "$published" "all $published published CVEs are stored"
is "$(jq .complaints <<<"$summary")" 0 'nothing is malformed'
is "$(jq .nvd_records <<<"$summary")" "$(wc -l <"$world/nvd.jsonl")" 'every record of NVD is read'

# What the clone has is found by git, not by tuxtape.
sqlite3 "$db" 'SELECT DISTINCT fix_commit FROM cve_instance WHERE fix_commit IS NOT NULL ORDER BY 1' >"$scratch/commits"
git -C "$world/linux.git" cat-file --batch-check <"$scratch/commits" | awk '$2 == "commit" { print $1 }' >"$scratch/there"
sqlite3 "$db" 'SELECT fix_commit FROM fix WHERE state <> 2 ORDER BY 1' >"$scratch/stored"
same "$scratch/stored" "$scratch/there" "each of $(wc -l <"$scratch/there") fix commits in the clone is stored"
mkdir "$scratch/patches"
sqlite3 "$db" "SELECT writefile('$scratch/patches/' || fix_commit, patch) FROM fix WHERE state = 1" >"$scratch/null"
sqlite3 "$db" 'SELECT fix_commit FROM fix WHERE state = 1 ORDER BY 1' >"$scratch/made"
git -C "$world/linux.git" diff-tree --stdin -p --no-renames --full-index <"$scratch/made" >"$scratch/want"
while read -r commit; do
  echo "$commit"
  cat "$scratch/patches/$commit"
done <"$scratch/made" >"$scratch/got"
same "$scratch/got" "$scratch/want" "and $(wc -l <"$scratch/made") patches are byte for byte git's"

# The rule, against one written from its description in another language.
git -C "$world/vulns.git" archive HEAD cve/published | tar -x -C "$scratch"
for version in 6.1.170 6.5.3 5.10.200 6.12 7.2-rc4; do
  python3 t/world/judge.py "$scratch/cve/published" "$version" | grep -v ' not-affected ' | sort >"$scratch/want"
  run "$TUXTAPE" cves --kernel "$version" --json --db "$db"
  jq -r '.[] | .verdicts[0] as $v | "\(.id) \($v.verdict) \($v.fixed // "-") \($v.mainline_fixed // "-")"' <"$scratch/out" | sort >"$scratch/got"
  same "$scratch/got" "$scratch/want" "$version: $(wc -l <"$scratch/want") CVEs, each verdict and fix by the rule"
done

git clone -q --bare "$world/vulns.git" "$scratch/steps.git"
for snapshot in $(git -C "$world/vulns.git" tag --list 'snapshot-*' --sort=creatordate); do
  git -C "$scratch/steps.git" update-ref HEAD "$snapshot^{commit}"
  run parse --db "$scratch/steps" --vulns-repo "$scratch/steps.git" --json
  is_exit 0 "step by step: $snapshot"
done
is "$(jq .rebuilt <<<"$out")" false 'the last step is incremental'
dump_db "$db" >"$scratch/want"
dump_db "$scratch/steps" >"$scratch/got"
ok 'and leaves the same database' cmp "$scratch/got" "$scratch/want"
run parse --db "$db" --json
is "$(jq -c '[.new, .changed, .withdrawn, .patches, .nvd_records]' <<<"$out")" '[0,0,0,0,0]' 'a run with nothing new does nothing'
diag "$(jq -c '[.seconds]' <<<"$out") seconds"
done_testing
