#!/usr/bin/env bash
# From a raw fix to an approved livepatch, over mutual TLS with two authors and two reviewers: drafts, submission, the server's own check, reviews,
# what the CVE list then says, and what is refused.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh
parsed_world
make_ca
people alice:author anton:author rita:reviewer rolf:reviewer adam:admin vera:viewer
start_server -d "$db" "${tls[@]}" --linux-repo "$world/linux.git"
drafts=$XDG_DATA_HOME/tuxtape/patches
sql() {
  sqlite3 -cmd '.timeout 10000' "$db" "$1"
}
title=$(sql "SELECT title FROM instance WHERE cve_id = 'CVE-2024-90002' AND fixed = '6.1.4'")
clone=(--linux-repo "$world/linux.git")

# ---- Drafts
as alice patch new "$title" --kernel 6.1.3
is_exit 0 'a draft is made of a raw fix'
draft=$drafts/$title.patch
is "$out" "$draft" '  at its place'
head -n 7 "$draft" >"$scratch/header"
for line in 'From: ' 'Subject: tapefs: do not use a block after it was put' 'CVE: CVE-2024-90002' "Title: $title" 'Upstream-commit: [0-9a-f]{40}' \
  'Target: version 6\.1\.3' 'Module: livepatch_6_1_3_CVE_2024_90002'; do
  like "$(cat "$scratch/header")" "(^|"$'\n'")$line" "  with ${line%%:*}"
done
as alice cves patch "$title"
cp "$scratch/out" "$scratch/raw"
same <(tail -n +9 "$draft") "$scratch/raw" '  and then the fix, byte for byte'
echo '# mine' >>"$draft"
as alice patch new "$title" --kernel 6.1.3
is_exit 2 'a draft is never overwritten'
like "$err" 'is there already' '  which is said'
is "$(tail -n 1 "$draft")" '# mine' '  and what was in it stays'
rm "$draft"
as alice patch new CVE-2024-90002 --kernel 6.1.3
is_exit 0 'a draft by the CVE and the kernel'
is "$out" "$draft" '  is the same instance'
as alice patch new CVE-2024-90002
is_exit 2 '  which needs a kernel'
as alice patch new CVE-2023-9001 --kernel 6.1.3
is_exit 4 'no draft for a CVE that the kernel does not have'
as alice patch new ../../etc/passwd --kernel 6.1.3
is_exit 2 'a title that would lead elsewhere'
as alice patch edit ../../etc/passwd
isnt "$status" 0 '  nor is such a draft edited'
as alice patch check "$title" "${clone[@]}"
is_exit 0 'a draft is checked against the tree'
like "$out" 'version 6\.1\.3: clean' '  where it applies'
cat >"$scratch/editor" <<'END'
#!/bin/sh
[ "$1" = -w ] && sed -i 's/truncate_inode_pages_final/truncate_inode_page_final/' "$2"
END
chmod +x "$scratch/editor"
VISUAL="$scratch/editor -w" as alice patch edit "$title" "${clone[@]}"
is_exit 1 'what the editor left is checked at once'
like "$out" 'conflict' '  and the conflict is told'
like "$out" 'wanted: .*truncate_inode_page_final' '  with the line that was wanted'
VISUAL=false as alice patch edit "$title" "${clone[@]}"
is_exit 1 'an editor that fails'
like "$err" 'ended in failure' '  is told'
VISUAL=$scratch/no-editor as alice patch edit "$title" "${clone[@]}"
like "$err" 'cannot be run; set \$VISUAL' '  from one that there is not'
cp "$draft" "$scratch/elsewhere.patch"
(cd "$scratch" && VISUAL="$scratch/editor -w" "$TUXTAPE" patch edit elsewhere.patch --linux-repo "$world/linux.git") >"$scratch/null" 2>&1
is "$?" 1 'a file is edited, too, wherever it is'
sed -i 's/truncate_inode_page_final/truncate_inode_pages_final/' "$draft"

# ---- Submission
as vera patch submit "$title" -m 'please'
is_exit 5 'a viewer submits nothing'
as alice patch submit "$title"
is_exit 2 'a submission tells the reviewers what it is'
as alice patch submit "$title" -m 'moves the put behind the truncation'
is_exit 0 'an author submits'
like "$out" 'patch 1: revision 1, clean' '  and the server says how it applies'
is "$(sql "SELECT cve_id, target, state, revision, author, apply, blocks FROM patch")" 'CVE-2024-90002|version 6.1.3|1|1|alice|1|0' '  it is stored'
is "$(sql "SELECT length(fix_commit) FROM patch")" 40 '  under the full fix commit'
as alice patch list
like "$out" ' 1 submitted +1 clean .*version 6\.1\.3 +alice' '  and listed'
as rita patch list --mine
unlike "$out" alice '  --mine lists the own alone'
as vera cves show CVE-2024-90002 --kernel 6.1.3
like "$out" 'Livepatch +patch 1, submitted' 'the CVE shows the state'
as alice patch submit "$title" -m 'once more'
is_exit 1 'the same again is no new revision'
like "$err" 'very bytes as its revision 1, which is submitted' '  which is said'
as vera patch export 1
is_exit 4 'nothing is deployable yet'
as alice patch diff "$title" --approved
is_exit 4 'and no revision was approved yet'
as alice patch diff 1
like "$out" $'\n\\+Upstream-commit' 'the raw fix and the patch are compared'

# A draft without a header, such as the dashboard leaves, is known by its name, wherever it is.
mkdir "$scratch/plain"
sed '1,/^$/d' "$draft" >"$scratch/plain/$title.patch"
unlike "$(head -n 3 "$scratch/plain/$title.patch")" 'Title:' 'a draft without a header'
as alice patch check "$scratch/plain/$title.patch" --kernel 6.1.3 --linux-repo "$scratch/none"
is_exit 0 '  is checked by the server as the fix that its name says'
like "$(cat "$server_log")" 'who=alice .*method=SubmitPatch check_only=true records=0 .*status=ok' '  which the log tells from a submission'
as alice patch diff "$scratch/plain/$title.patch"
is_exit 0 '  and compared with it'
cp "$scratch/plain/$title.patch" "$scratch/plain/mine.patch"
as alice patch submit "$scratch/plain/mine.patch" -m x --kernel 6.1.3
is_exit 1 '  but not under any name'
like "$err" "mine\.patch: neither a 'Title:' line in its header nor its name says" '  which is said'

# ---- Two people
as alice patch review 1 --approve -m 'my own'
is_exit 5 'an author is no reviewer'
as rita patch review 1 --approve
is_exit 2 'a review says why'
as rita patch review 1 --approve --reject -m x
is_exit 2 '  and is one or the other'
as rita patch review 1 --approve -m 'looks right'
is_exit 0 'a reviewer approves'
is "$out" 'patch 1: revision 1, approved, 1 approval' '  which is told'
as rolf patch review 1 --approve -m 'me too'
is_exit 1 'what is approved needs no second one'
is "$(sql "SELECT state, approvals, self_reviewed FROM patch")" '2|1|0' '  it is approved, and by two people'
as vera cves --kernel 6.1.3
like "$out" CVE-2024-90002 'the CVE is still open in the kernel'
as vera cves --kernel 6.1.3 --exclude-livepatched
unlike "$out" CVE-2024-90002 '  but not for those who ask without the livepatched'
as vera cves --kernel 6.1.2 --exclude-livepatched
like "$out" CVE-2024-90002 '  the livepatch is for 6.1.3 alone'
as vera patch export 1
same "$scratch/out" "$draft" 'what is exported is what was approved'
as vera patch export "$title" --kernel 6.1.3
same "$scratch/out" "$draft" '  by number and by title'
as vera patch export "$title" --kernel 6.1.2
is_exit 4 '  but for that kernel alone'
run "$TUXTAPE" patch export "$title" --kernel 6.1.3 --db "$db"
same "$scratch/out" "$draft" '  from a database, too'
as alice patch submit "$title" -m 'once more'
is_exit 1 'what is approved is not undone by the same again'
as rita patch show 1
like "$out" 'Approval of revision 1 by rita' 'the review is shown'
like "$out" 'looks right' '  with its comment'

# ---- A new revision
sed -i 's/^Subject: /Subject: [v2] /' "$draft"
as rita patch submit "$title" -m 'a better subject'
is_exit 0 'a reviewer may write, too'
is "$(sql "SELECT state, revision, approvals, author FROM patch")" '1|2|0|rita' 'a new revision cancels the approval'
as vera cves --kernel 6.1.3 --exclude-livepatched
like "$out" CVE-2024-90002 '  and is not deployable'
as rita patch diff 1 --approved
like "$out" $'\n-Subject: tapefs.*\n\\+Subject: \\[v2\\]' '  it is compared with the one that was approved last'
cp "$scratch/out" "$scratch/by-number"
as rita patch diff "$title" --approved
same "$scratch/out" "$scratch/by-number" '  and so is the draft'
as rita patch diff 1 --approved --since 1
is_exit 2 '  with one at a time'
as rita patch review 1 --approve --revision 2 -m 'my own'
is_exit 5 'who wrote the last revision does not approve it'
like "$err" 'another person' '  which is said'
as rolf patch review 1 --approve -m 'read it'
is_exit 2 'with several revisions a reviewer says which was read'
as rolf patch review 1 --approve --revision 1 -m 'read it'
is_exit 1 'an outdated one cannot be approved'
like "$err" 'outdated: read revision 2, by rita' '  and the line says which is the newest'
as rolf patch review 1 --reject --revision 2 -m 'the subject says nothing'
is_exit 0 'it is rejected'
as rolf patch review 1 --approve --revision 2 -m 'no, it is fine'
is_exit 1 '  and not approved any more'
as anton patch withdraw 1
is_exit 5 "another's patch cannot be withdrawn"
as adam patch withdraw 1 -m 'cleaning up'
is_exit 0 '  but by an admin'
is "$out" 'patch 1: revision 2, withdrawn, 0 approvals' '  who is told'
as adam patch withdraw 1
is_exit 1 '  and once'
like "$err" 'patch 1: it is withdrawn, so there is nothing to withdraw' '  which is said'
as alice patch submit "$title" -m 'again'
is_exit 0 'what was withdrawn may come back'
is "$(sql "SELECT count(*), count(DISTINCT sha256) FROM patch_revision")" '3|2' 'every revision is kept'
as alice patch diff 1 --since 1
like "$out" '\+Subject: \[v2\]' '  and two are compared'
as rolf patch show 1 --revision 1 --json
is "$(jq -r '.revisions[0].body_base64' <<<"$out" | base64 -d | sha256sum | cut -d' ' -f1)" "$(sql "SELECT sha256 FROM patch_revision WHERE revision = 1")" \
  'an old revision is what its SHA-256 says'

# Two reviewers at once: one of them is first, and the other is told.
as rolf patch show 1
racers=()
for who in rita rolf; do
  "$TUXTAPE" patch review 1 --approve --revision 3 -m "by $who" --server "$server" --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/$who.crt" \
    --tls-key-path "$ca/$who.key" >"$scratch/race.$who" 2>&1 &
  processes+=("$!")
  racers+=("$!")
done
codes=
for p in "${racers[@]}"; do
  await "$p"
  codes+="$status "
done
like "$codes" '^(0 1|1 0) $' 'of two reviewers at once one approves'
is "$(sql "SELECT count(*) FROM patch_review WHERE revision = 3")|$(sql "SELECT state, approvals FROM patch")" '1|2|1' '  and counts'
as rolf patch review 1 --reject --revision 3 -m 'seen a bug'
is_exit 0 'an approval is taken back'

# ---- What the server finds
broken=$scratch/broken.patch
sed 's/truncate_inode_pages_final/truncate_nothing/' "$draft" >"$broken"
as alice patch submit "$broken" -m 'conflicts' --kernel 6.1.2
is_exit 0 'a patch that does not apply is taken'
like "$out" 'conflict' '  and said to conflict'
as rolf patch review 2 --approve -m x
is_exit 1 '  but never approved'
like "$err" 'does not apply' '  which is said'
as alice patch submit "$draft" -m 'already there' --kernel 6.1.4
like "$out" 'already applied: good news' 'a fix that is in the tree is good news'
as rolf patch review 3 --approve -m x
is_exit 1 '  and nothing to deploy'
as alice patch submit "$draft" -m 'no such tag' --kernel 6.1.77
like "$out" 'revision 1, unchecked' 'without the tree nothing is checked'
as rolf patch review 4 --approve -m x
is_exit 1 '  which a reviewer must accept'
like "$err" 'accept-unchecked' '  by name'
as rolf patch review 4 --approve --accept-unchecked -m 'built it by hand'
is_exit 0 '  and can'
is "$(sql "SELECT accepted_unchecked FROM patch_review WHERE patch = 4")" 1 '  which is recorded'
asm=$(sql "SELECT title FROM instance WHERE cve_id = 'CVE-2023-9004' AND fixed = '6.1.5'")
as alice patch new "$asm" --kernel 6.1.3
as alice patch submit "$asm" -m 'assembly'
as rolf patch review 5 --approve -m x
is_exit 1 'what the linter blocks is not approved'
like "$err" ' 1 finding that blocks' '  which is said'

# A config: its own tag, its own record, and no livepatch once it has moved on.
printf 'CONFIG_SMP=y\nCONFIG_LIVEPATCH=y\nCONFIG_DEBUG_INFO=y\n' >"$scratch/config"
as alice config put web --kernel 6.1.3 "$scratch/config"
as alice patch submit "$title" -m 'for web' --config web
is_exit 0 'a patch for a config'
is "$(sql "SELECT target, ref FROM patch WHERE patch = 6")" 'config web|v6.1.3' '  has a record of its own'
is "$(sql "SELECT blocks FROM patch WHERE patch = 6")" 0 '  linted by its options'
as rolf patch review 6 --approve -m fine
is_exit 0 '  and is approved'
as vera cves show CVE-2024-90002 --config web
like "$out" 'Livepatch +patch 6, approved' '  the config has it'
as alice config put web --kernel 6.1.2 "$scratch/config"
as vera cves show CVE-2024-90002 --config web
unlike "$out" 'Livepatch' '  and no longer once it is another kernel'
as alice patch submit "$title" -m x --config nosuch
is_exit 4 'a config that there is not'

# ---- Hostile and odd patches
hostile() {
  local name=$1 path=$2
  sed "s,fs/tapefs/inode.c,$path,g" "$draft" >"$scratch/hostile.patch"
  as alice patch submit "$scratch/hostile.patch" -m x
  is_exit "$3" "$name"
}
before=$(sql "SELECT count(*) FROM patch_revision")
hostile 'a path that leads out of the tree' ../../../etc/passwd 1
hostile 'an absolute path' /etc/passwd 1
hostile 'a path into .git' .git/hooks/pre-commit 1
is "$(sql "SELECT count(*) FROM patch_revision")" "$before" '  nothing of it is stored'
printf 'From: x\nTitle: %s\n\ndiff --git a/fs/tapefs/inode.c b/fs/tapefs/inode.c\nindex 1111111..2222222 100644\nBinary files a/fs/tapefs/inode.c and b/fs/tapefs/inode.c differ\n' "$title" >"$scratch/binary.patch"
as alice patch submit "$scratch/binary.patch" -m x --kernel 6.6.2
is_exit 0 'a binary patch'
like "$out" ': binary' '  is named'
sed 's/^\([ +-]\t.*\)$/\1\r/' "$draft" >"$scratch/crlf.patch"
as alice patch check "$scratch/crlf.patch" "${clone[@]}" --kernel 6.1.3
is_exit 1 'a patch with CRLF does not apply'
like "$out" 'conflict' '  and does so with a word'
{
  cat "$draft"
  printf 'diff --git a/big.c b/big.c\nnew file mode 100644\n--- /dev/null\n+++ b/big.c\n@@ -0,0 +1,60000 @@\n'
  awk 'BEGIN { for (i = 0; i < 60000; i++) printf "+static const int number_%06d = %06d; /* a line of a hundred bytes or so, as long as such lines are here */\n", i, i }'
} >"$scratch/big.patch"
ok 'a patch of 5 MB' test "$(wc -c <"$scratch/big.patch")" -gt 5000000
as anton patch submit "$scratch/big.patch" -m big --kernel 6.1.3
is_exit 0 '  is taken'
is "$(sql "SELECT length(body) FROM patch_revision ORDER BY rowid DESC LIMIT 1")" "$(wc -c <"$scratch/big.patch")" '  whole'
as anton patch export 1 --revision 4
same "$scratch/out" "$scratch/big.patch" '  and comes back'
head -c 9000000 /dev/zero | tr '\0' x >"$scratch/huge"
{
  cat "$draft"
  sed 's/^/# /' "$scratch/huge"
} >"$scratch/huge.patch"
as alice patch submit "$scratch/huge.patch" -m x
isnt "$status" 0 'one of 9 MB is refused'
sed 's/^ {$/+<<<<<<< 6.1.3/' "$draft" >"$scratch/conflict.patch"
as alice patch submit "$scratch/conflict.patch" -m x
isnt "$status" 0 'conflicts that a merge has left are refused'
as alice patch submit "$title" -m "$(printf 'a\033[31mb')"
as vera patch show 1
unlike "$out" $'\033' 'a note reaches the terminal without its escapes'

# ---- Porting
as alice patch port 6 --to 5.15 "${clone[@]}"
is_exit 0 'a patch is ported to a sibling branch'
like "$out" '@5\.15\.patch$' '  as a new draft'
as alice patch check "$title@5.15" "${clone[@]}"
is_exit 0 '  which applies there'
like "$(cat "$drafts/$title@5.15.patch")" 'Target: version 5\.15' '  and is for it'
as alice patch port 6 --to 5.15 "${clone[@]}"
is_exit 2 '  and is not overwritten'
as alice patch port 6 --to 6.1.4 "${clone[@]}"
is_exit 4 'what is there already leaves nothing to port'

printf 'int courier(void)\n{\n\treturn 1;\n}\n' >"$scratch/one"
printf 'int courier(void)\n{\n\treturn 2;\n}\n' >"$scratch/two"
printf 'int courier(void)\n{\n\treturn 3;\n}\n' >"$scratch/three"
own=$scratch/own.git
git init -q --bare "$own"
for n in one:6.1.3 two:6.6.2; do
  blob=$(git -C "$own" hash-object -w "$scratch/${n%:*}")
  tree=$(printf '100644 blob %s\tc.c\n' "$blob" | git -C "$own" mktree)
  git -C "$own" tag "v${n#*:}" "$(git -C "$own" commit-tree -m x "$tree")"
done
{
  printf 'Title: %s\nTarget: version 6.1.3\n\n' "$title"
  diff -u --label a/c.c --label b/c.c "$scratch/one" "$scratch/three"
} >"$scratch/clash.patch"
as alice patch port "$scratch/clash.patch" --to 6.6.2 --linux-repo "$own"
is_exit 1 'a port that clashes'
like "$err" 'conflicts in 1 file,' '  says so'
clash=$drafts/$title@6.6.2.patch
like "$(cat "$clash")" $'\n\\+<<<<<<< 6\.6\.2\n.*return 3' '  and marks where'
as alice patch check "$clash" --linux-repo "$own"
is_exit 1 '  which is refused until it is resolved'
like "$err" 'a conflict that is not resolved' '  with the line'

# A config's own tag is where its patch comes from, whatever the version says.
git -C "$own" tag own-1 v6.1.3
as alice config put own --kernel 6.1.77 --ref own-1 "$scratch/config"
sed -i 's/^Target: .*/Target: config own/' "$scratch/clash.patch"
as alice patch port "$scratch/clash.patch" --to 6.6.2 --linux-repo "$own"
is_exit 2 "a patch for a config is ported from the config's own tag, here onto a draft that is there"
rm "$clash"
as alice patch port "$scratch/clash.patch" --to 6.6.2 --linux-repo "$own"
is_exit 1 '  and clashes as before'

# A fix of several commits, and one that they do not all hold
as alice patch new CVE-2025-90019 --kernel 6.6.2
is_exit 0 'a draft of several fix commits'
like "$err" 'the fix is 2 commits' '  says so'
several=$(basename "$out" .patch)
is "$(grep -c '^Upstream-commit' "$drafts/$several.patch")" 2 '  and names them'
as alice patch check "$several" --kernel 6.6.2 --linux-repo "$scratch/none"
like "$out" 'version 6\.6\.2: clean' '  and applies, as a server says that has a clone'
is "$(sql "SELECT count(*) FROM patch WHERE cve_id = 'CVE-2025-90019'")" 0 '  which stores nothing'
sed '/^Upstream-commit/{x;s/^/x/;/^xx/{x;d};x}' "$drafts/$several.patch" >"$scratch/half.patch"
as alice patch submit "$scratch/half.patch" -m half
half=$(sed -n 's/^patch \([0-9]*\):.*/\1/p' <<<"$out")
as rita patch review "$half" --approve -m half
is_exit 0 'one that holds half of the fix may be approved'
as vera cves --kernel 6.6.2 --exclude-livepatched
like "$out" CVE-2025-90019 '  but leaves the CVE open'
mainline=$(sql "SELECT fix_commit FROM instance WHERE cve_id = 'CVE-2025-90019' AND fixed NOT LIKE '6.6.%' ORDER BY line DESC LIMIT 1")
sed "s/^Upstream-commit:.*/&\nUpstream-commit: $mainline/" "$scratch/half.patch" >"$scratch/named.patch"
as alice patch submit "$scratch/named.patch" -m "half, with mainline's commit named"
as rita patch review "$half" --approve --revision 2 -m half
is "$(sql "SELECT count(*) FROM patch_commit WHERE patch = $half AND fix_commit = '$mainline'")$status" 10 "  and if mainline's commit is named, too"
as vera cves --kernel 6.6.2 --exclude-livepatched
like "$out" CVE-2025-90019 '  it is still half'
as alice patch submit "$several" -m whole
as rita patch review "$half" --approve --revision 3 -m whole
as vera cves --kernel 6.6.2 --exclude-livepatched
unlike "$out" CVE-2025-90019 '  until it holds all of it'

# ---- The audit log
as vera patch audit --verify
is_exit 0 'the audit log is sound'
head=$(sed -n 's/.*head //p' <<<"$out")
like "$(cat "$server_log")" "audit entry=[0-9]* head=$head" '  its newest head stands in the log of the server'
first=$(sql "SELECT head FROM audit WHERE entry = 1")
as vera patch audit --verify --head "$first"
is_exit 0 '  and an older head is found'
as vera patch audit --verify --head "${first//[0-9]/a}"
is_exit 1 '  another is not'
as vera patch audit
like "$out" 'action=approve who=rita role=reviewer patch=1 .*revision=1 sha256=[0-9a-f]{64} from=submitted to=approved' 'it says who approved what'
like "$(sqlite3 "$db" "UPDATE audit SET what = 'x'" 2>&1)" 'append-only' 'its rows cannot be changed in passing'
like "$(sqlite3 "$db" "DELETE FROM audit" 2>&1)" 'append-only' '  nor dropped'
cp "$db" "$scratch/tampered"
cp "$db-wal" "$scratch/tampered-wal"
sqlite3 "$scratch/tampered" "DROP TRIGGER audit_is_final; UPDATE audit SET what = replace(what, 'rolf', 'rita') WHERE what LIKE '%rolf%'"
run "$TUXTAPE" patch audit --verify --db "$scratch/tampered"
is_exit 1 'one who does it all the same is found out'
like "$err" 'audit entry [0-9]+ was changed' '  with the entry'
cp "$db" "$scratch/cut"
cp "$db-wal" "$scratch/cut-wal"
sqlite3 "$scratch/cut" "DROP TRIGGER audit_stays; DELETE FROM audit WHERE entry > 3"
run "$TUXTAPE" patch audit --verify --db "$scratch/cut"
is_exit 1 'a log that was cut off tells nothing of later patches'
sqlite3 "$scratch/cut" "DELETE FROM audit; DELETE FROM patch"
run "$TUXTAPE" patch audit --verify --db "$scratch/cut"
is_exit 0 '  and one that was cut off with them is sound by itself'
run "$TUXTAPE" patch audit --verify --head "$head" --db "$scratch/cut"
is_exit 1 '  but not for one who knows a later head'

copy() {
  rm -f "$scratch/copy" && command sqlite3 "$db" ".backup '$scratch/copy'" && sqlite3 "$scratch/copy" "$1"
}
copy "UPDATE patch SET state = 2 WHERE patch = 2"
run "$TUXTAPE" patch audit --verify --db "$scratch/copy"
is_exit 1 'a patch that was approved by hand is found out'
like "$err" 'patch 2 is not what entry [0-9]+ of the audit log left' '  with its entry'
copy "INSERT INTO patch SELECT 'version 9.9', 900, cve_id, fix_commit, title, config, 9, 9, NULL, NULL, NULL, ref, 2, 1, sha256, author, submitted_at,
  1, apply, blocks, warns, reviews, self_reviewed FROM patch WHERE patch = 1"
run "$TUXTAPE" patch audit --verify --db "$scratch/copy"
like "$err" 'is about patch 900: it was not made by a server' '  and one that was put there'
copy "UPDATE patch_revision SET body = CAST('x' || CAST(body AS TEXT) AS BLOB) WHERE patch = 6"
run "$TUXTAPE" patch export 6 --db "$scratch/copy" --revision 1
is_exit 1 'contents that were changed are not given out'
like "$err" 'do not give its SHA-256' '  which is said'
run "$TUXTAPE" patch audit --verify --db "$db"
is_exit 0 'all this on copies'

# What the parser does leaves it alone.
run parse --db "$db" --no-nvd --full
as vera patch list
like "$out" ' 6 approved' 'a full parse touches no patch'
stop "$server_pid"

# ---- Killed in the middle of a submission, at marks that it says: nothing of it is there.
counts() {
  sql "SELECT (SELECT count(*) FROM patch), (SELECT count(*) FROM patch_revision), (SELECT count(*) FROM patch_commit), (SELECT count(*) FROM audit)"
}
kernels=()
for n in $(seq 0 9); do kernels+=(--kernel "6.6.$((n + 100))"); done
before=$(counts)
for mark in 0 4 8; do
  socket=$scratch/kill.$mark
  background "$O/t/killat" "mark submit $mark/10" "$TUXTAPE" server -d "$db" -s "unix:$socket" --linux-repo "$world/linux.git" -v
  wait_for 20 test -S "$socket" || bail 'the server does not start'
  run "$TUXTAPE" patch submit "$draft" -m kill "${kernels[@]}" --server "unix:$socket"
  is_exit 1 "the client of a server that is killed at target $mark is told"
  await "$pid"
  is "$status" 0 '  it was killed there'
  is "$(counts)" "$before" '  and nothing of the submission is there'
done

# ---- Two servers on one database, and many authors at once: the chain holds, and each finds its own revision.
start_server -d "$db" "${tls[@]}" --linux-repo "$world/linux.git"
servers=("$server")
pids=("$server_pid")
start_server -d "$db" "${tls[@]}" --linux-repo "$world/linux.git"
servers+=("$server")
pids+=("$server_pid")
before=$(sql "SELECT revision FROM patch WHERE patch = 1")
writers=()
for n in $(seq 0 9); do
  sed "s/^Subject: /Subject: [writer $n] /" "$draft" >"$scratch/writer.$n.patch"
  "$TUXTAPE" patch submit "$scratch/writer.$n.patch" -m "$n" --server "${servers[n % 2]}" --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/alice.crt" \
    --tls-key-path "$ca/alice.key" >"$scratch/writer.$n" 2>&1 &
  processes+=("$!")
  writers+=("$!")
done
codes=
for p in "${writers[@]}"; do
  await "$p"
  codes+=$status
done
is "$codes" 0000000000 'ten submissions at once through two servers'
is "$(sed -n 's/^patch 1: revision \([0-9]*\),.*/\1/p' "$scratch"/writer.? | sort -n | tr '\n' ' ')" "$(seq -s ' ' $((before + 1)) $((before + 10))) " \
  '  are ten revisions'
as vera patch audit --verify
is_exit 0 '  and the log is sound'
for p in "${pids[@]}"; do stop "$p"; done

# ---- A full disk, where a small one can be mounted: the author is told, and nothing of the submission is there.
mkdir "$scratch/small"
if mount -t tmpfs -o size=8m tmpfs "$scratch/small" 2>"$scratch/null"; then
  command sqlite3 "$db" "VACUUM INTO '$scratch/small/db'"
  start_server -d "$scratch/small/db" -s "unix:$scratch/small.socket" --linux-repo "$world/linux.git"
  dd if=/dev/zero of="$scratch/small/fill" bs=4k status=none 2>"$scratch/null"
  before=$(sqlite3 "$scratch/small/db" "SELECT count(*) FROM patch_revision; SELECT count(*) FROM audit")
  sed 's/^Subject: /Subject: [full] /' "$draft" >"$scratch/full.patch"
  run "$TUXTAPE" patch submit "$scratch/big.patch" -m full --kernel 6.1.2 --server "unix:$scratch/small.socket"
  is_exit 1 'a submission onto a full disk'
  like "$err" 'full|disk I/O error' '  says so'
  rm "$scratch/small/fill"
  is "$(sqlite3 "$scratch/small/db" "SELECT count(*) FROM patch_revision; SELECT count(*) FROM audit")" "$before" '  and leaves nothing'
  run "$TUXTAPE" patch submit "$scratch/full.patch" -m full --server "unix:$scratch/small.socket"
  is_exit 0 '  with space again the same server takes one'
  stop "$server_pid"
  umount "$scratch/small"
else
  diag 'no right to mount a small disk'
fi

# ---- Two approvals
start_server -d "$db" "${tls[@]}" --linux-repo "$world/linux.git" --approvals 2
sed -i 's/^Subject: /Subject: [v3] /' "$draft"
as alice patch submit "$title" -m two
stop "$server_pid"
cert revoke alice
start_server -d "$db" "${tls[@]}" --linux-repo "$world/linux.git" --approvals 2 --tls-crl-path "$ca/ca.crl"
as alice patch list
isnt "$status" 0 'an author who is gone cannot ask any more'
as rolf patch review 1 --approve --revision "$(sql "SELECT revision FROM patch WHERE patch = 1")" -m one
like "$out" 'submitted, 1 approval' 'of two approvals one is not enough'
as rolf patch review 1 --approve --revision "$(sql "SELECT revision FROM patch WHERE patch = 1")" -m again
is_exit 1 '  and one person counts once'
as rita patch review 1 --approve --revision "$(sql "SELECT revision FROM patch WHERE patch = 1")" -m two
like "$out" 'approved, 2 approvals' '  two are'
is "$(sql "SELECT author FROM patch WHERE patch = 1")" alice '  of a patch whose author is gone'
stop "$server_pid"

# ---- Plain loopback, where nobody is told apart
start_server -d "$db" --linux-repo "$world/linux.git"
sed -i 's/^Subject: /Subject: [v4] /' "$draft"
run "$TUXTAPE" patch submit "$title" -m plain --server "$server"
revision=$(sql "SELECT revision FROM patch WHERE patch = 1")
run "$TUXTAPE" patch review 1 --approve --revision "$revision" -m me --server "$server"
is_exit 5 'on plain loopback nobody approves'
like "$err" 'allow-self-review' '  unless the server was told so'
stop "$server_pid"
start_server -d "$db" --linux-repo "$world/linux.git" --allow-self-review
run "$TUXTAPE" patch review 1 --approve --revision "$revision" -m me --server "$server"
is_exit 0 'a server that was told so takes it'
like "$out" 'self-review' '  and says what it is'
is "$(sql "SELECT self_reviewed FROM patch WHERE patch = 1")$(sql "SELECT self_review FROM patch_review ORDER BY review DESC LIMIT 1")" 11 '  in the review'
like "$(sql "SELECT what FROM audit ORDER BY entry DESC LIMIT 1")" 'self-review=yes' '  and in the audit log'
done_testing
