#!/usr/bin/env bash
# The parser's main job: every published CVE, every patch byte for byte as git prints it, and a second run that leaves what a rebuild leaves.
. t/lib.sh
. t/dump.sh
demo_world
start_httpd --nvd "$world/nvd.jsonl" --log "$scratch/requests"
db=$scratch/db

# at TAG: $scratch/TAG.git is vulns.git as it was at that tag.
at() {
  git clone -q --bare "$world/vulns.git" "$scratch/$1.git"
  git -C "$scratch/$1.git" update-ref refs/heads/master "$(git -C "$world/vulns.git" rev-parse "$1^{commit}")"
}

run parse --db "$db" --json
is_exit 0 'a first run'
summary=$out
is "$(jq .new <<<"$summary")" "$(git -C "$world/vulns.git" ls-tree -r --name-only HEAD cve/published | grep -c 'dyad$')" \
  'every published dyad is new'
is "$(sqlite3 "$db" 'SELECT count(*) FROM cve')" "$(jq .cves <<<"$summary")" 'and stored'
is "$(sqlite3 "$db" "SELECT value FROM meta WHERE key = 'based_on_vulns_commit'")" "$(git -C "$world/vulns.git" rev-parse HEAD)" \
  'the commit it is based on'
is "$(sqlite3 "$db" "SELECT count(*) FROM cve WHERE id IN ('CVE-2026-90040', 'CVE-2026-90041', 'CVE-2026-90042', 'CVE-2024-90007')")" 0 \
  'what is no published CVE is none'

# The dyads in line order are the pairs.
git -C "$world/vulns.git" archive HEAD cve/published | tar -x -C "$scratch"
for dyad in "$scratch"/cve/published/*/*.dyad; do
  id=$(basename "$dyad" .dyad)
  grep -v '^#' "$dyad" | sed "s/^/$id /"
done | sort -s -k1,1 >"$scratch/want"
sqlite3 -separator ' ' "$db" "SELECT cve_id, introduced || ':' || coalesce(introduced_commit, '0') || ':' || coalesce(fixed, '0') || ':' ||
  coalesce(fix_commit, '0') FROM instance ORDER BY cve_id, line" | sort -s -k1,1 >"$scratch/got"
same "$scratch/got" "$scratch/want" 'the pairs are those of the dyads, in line order'

stored=0 good=0
for commit in $(sqlite3 "$db" 'SELECT fix_commit FROM fix WHERE state = 1'); do
  stored=$((stored + 1))
  sqlite3 "$db" "SELECT writefile('$scratch/got', patch) FROM fix WHERE fix_commit = '$commit'" >"$scratch/null"
  git -C "$world/linux.git" diff-tree -p --no-renames --full-index --no-commit-id "$commit" >"$scratch/want"
  cmp -s "$scratch/got" "$scratch/want" && good=$((good + 1))
done
is "$good" "$stored" "each of $stored patches is byte for byte git's"
ok 'there are many' test "$stored" -gt 25
is "$(sqlite3 "$db" 'SELECT count(*) FROM fix WHERE state = 3')" 1 'a root commit is noted'
is "$(sqlite3 "$db" 'SELECT count(*) FROM fix WHERE state = 4')" 1 'a merge commit is noted'
is "$(sqlite3 "$db" 'SELECT count(*) FROM fix WHERE state = 2')" "$(jq .missing <<<"$summary")" 'missing commits are counted'
is "$(sqlite3 "$db" "SELECT group_concat(name) FROM cve_file JOIN path USING (path) JOIN cve USING (cve) WHERE id = 'CVE-2026-90026'")" \
  fs/tapefs/dir.c 'their files come from the record'

run parse --db "$scratch/again" --jobs 1 --batch 1
is_exit 0 'one worker and batches of one'
same <(dump_db "$db") <(dump_db "$scratch/again") '  leave the same'

ok 'NVD was asked by each of these runs' test "$(wc -l <"$scratch/requests")" -ge 2
: >"$scratch/requests"
run parse --db "$db" --json
is_exit 0 'a run with nothing new'
is "$(jq -c '[.new, .changed, .withdrawn, .patches, .nvd_records]' <<<"$out")" '[0,0,0,0,0]' 'does nothing'
is "$(cat "$scratch/requests")" '' 'and does not ask NVD again'

at snapshot-1
at snapshot-2
run parse --db "$scratch/steps" --vulns-repo "$scratch/snapshot-1.git"
is_exit 0 'a run over the older snapshot'
is "$(sqlite3 "$scratch/steps" "SELECT count(*) FROM cve WHERE id = 'CVE-2024-90007'")" 1 'a CVE is published'
is "$(sqlite3 "$scratch/steps" "SELECT count(*) FROM cve WHERE id = 'CVE-2023-9004'")" 0 'another is not yet'
before=$(sqlite3 "$scratch/steps" "SELECT severity FROM cve WHERE id = 'CVE-2024-90003'")
git -C "$scratch/snapshot-1.git" fetch -q "$world/vulns.git" '+refs/heads/master:refs/heads/master'
run parse --db "$scratch/steps" --vulns-repo "$scratch/snapshot-1.git" --json
is_exit 0 'then the newer one'
is "$(jq -c '[.rebuilt, .withdrawn]' <<<"$out")" '[false,1]' 'incrementally, one withdrawn'
is "$(sqlite3 "$scratch/steps" "SELECT count(*) FROM cve WHERE id = 'CVE-2023-9004'")" 1 'what was rejected is back'
isnt "$(sqlite3 "$scratch/steps" "SELECT severity FROM cve WHERE id = 'CVE-2024-90003'")" "$before" 'a score changed while its dyad stayed'
same <(dump_db "$scratch/steps") <(dump_db "$db") 'the same database as from a rebuild'

git -C "$scratch/snapshot-2.git" update-ref refs/heads/master \
  "$(git -C "$scratch/snapshot-2.git" commit-tree -m rewritten 'HEAD^{tree}')"
sqlite3 "$scratch/steps" "INSERT INTO cve (cve, id, origin) VALUES (20200000001, 'CVE-2020-0001', 'vulns')"
run parse --db "$scratch/steps" --vulns-repo "$scratch/snapshot-2.git" --json
is_exit 0 'history was rewritten'
is "$(jq -c '[.rebuilt, .withdrawn]' <<<"$out")" '[true,1]' 'everything is read anew, and what is gone is withdrawn'
like "$err" 'no longer holds commit' 'which is said'
same <(dump_db "$scratch/steps" | grep -av based_on_vulns | grep -av patches_complete) \
  <(dump_db "$db" | grep -av based_on_vulns | grep -av patches_complete) 'with the same result'

run parse --db "$db" --extra "$world/extra" --json --no-nvd
is_exit 0 'dyads of one'\''s own'
is "$(jq .extra <<<"$out")" 1 'are counted'
is "$(sqlite3 "$db" "SELECT origin FROM cve WHERE id = 'CVE-2023-9900'")" extra 'and stored'
mkdir "$scratch/own"
sed 's/^6.1:/6.2:/' "$scratch/cve/published/2023/CVE-2023-9001.dyad" >"$scratch/own/CVE-2023-9001.dyad"
run parse --db "$db" --extra "$scratch/own" --no-nvd
is "$(sqlite3 "$db" "SELECT origin FROM cve WHERE id = 'CVE-2023-9001'")" extra 'one of one'\''s own wins'
is "$(sqlite3 "$db" "SELECT count(*) FROM cve WHERE id = 'CVE-2023-9900'")" 0 'one that was taken away is gone'
run parse --db "$db" --full
is_exit 0 'without them, everything anew'
same <(dump_db "$db") <(dump_db "$scratch/again") 'leaves what was there before'

run parse --db "$db" --dry-run
is_exit 0 'a dry run'
like "$out" '0 CVEs would be read' 'says that there is nothing to do'
run parse --db "$scratch/none" --dry-run
like "$out" 'all of them' 'or everything'
not_ok 'and makes no database' test -e "$scratch/none"

run parse --db "$scratch/cna" --prefer-score cna
is_exit 0 'the CNA'\''s scores are preferred'
is "$(sqlite3 "$scratch/cna" "SELECT severity FROM cve WHERE id = 'CVE-2024-90002'")" 8.8 'shown'
run parse --db "$scratch/cna"
is "$(sqlite3 "$scratch/cna" "SELECT severity FROM cve WHERE id = 'CVE-2024-90002'")" 7.8 'a changed preference reaches every CVE'

ln -s "$TUXTAPE" "$scratch/tuxtape-cve-parser"
run "$scratch/tuxtape-cve-parser" --no-fetch --no-nvd --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --db "$scratch/alias" -q
is_exit 0 'the older name works'
is "$out$err" '' 'and --quiet is quiet'
done_testing
