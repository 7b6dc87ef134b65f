#!/usr/bin/env bash
# A livepatch in the dashboard, over mutual TLS: one person edits and submits, another reviews, a third submits anew meanwhile; what each may not
# do is said. `tuxtape patch` then tells the same.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh
parsed_world
make_ca
people alice:author rita:reviewer rolf:reviewer vera:viewer
start_server -d "$db" "${tls[@]}" --linux-repo "$world/linux.git"
printf '#!/bin/sh\nsed -i "s,^+[^+].*,& /* ours */," "$1"\n' >"$scratch/editor"
chmod 755 "$scratch/editor"

# dash WHO: the dashboard, driven by the lines of standard input. It looks for nothing new by itself.
dash() {
  cat >"$scratch/script"
  as "$1" dash --kernel 6.1.3 --script "$scratch/script" --linux-repo "$world/linux.git" --patches "$scratch/patches" --refresh 1h
}

dash alice <<END
size 120x40
wait
key 4
wait
expect nobody has handed in a livepatch yet
key 1 /
type 90002
key <Enter>
wait
env VISUAL $scratch/editor
key e
wait
expect clean on v6.1.3
key i <Enter>
type nothing but a comment is ours
key <Enter>
wait
expect submitted: patch 1, revision 1, clean
key <Esc>
wait
expect livepatch: patch 1, submitted
expect 6.1.4          submitted
key 4
wait
expect alice
key <Enter>
wait
expect nothing but a comment is ours
expect /* ours */
key A
type my own
key <Enter> y
wait
expect takes the role reviewer
END
is_exit 0 'an author edits and submits, and cannot approve'
as vera patch list
like "$out" ' 1 submitted +1 clean .*version 6\.1\.3 +alice' '  the server has it'
as vera patch export 1 --revision 1
same "$scratch/out" "$(echo "$scratch"/patches/CVE-2024-90002-*.patch)" '  byte for byte'

dash vera <<'END'
size 120x40
key 4
wait
key <Enter>
wait
key W
type not mine
key <Enter> y
wait
expect takes the role author
END
is_exit 0 'a viewer may read, and no more'

dash rita <<'END'
size 120x40
key 4
wait
key o
type mine
key <Enter>
absent alice
key o
type to review
key <Enter>
expect alice
key <Enter>
wait
key A
key <Enter>
expect a review says why
type read beside the upstream fix
key <Enter>
expect Approve revision 1 of patch 1?
expect read beside the upstream fix
key n
expect submitted, 0 approvals
key A
type read beside the upstream fix
key <Enter> y
wait
expect approved, 1 approval
expect approved by rita
key <Esc> 1 /
type 90002
key <Enter>
wait
expect livepatch: patch 1, approved
key o
wait
absent CVE-2024-90002
END
is_exit 0 'a reviewer approves'
as vera patch list
like "$out" ' 1 approved +1 clean' '  which the server keeps'
as vera patch show 1
like "$out" 'Approval of revision 1 by rita' '  with who it was'
like "$out" 'read beside the upstream fix' '  and the comment'
sha=$(sqlite3 "$db" "SELECT sha256 FROM patch_review WHERE patch = 1 AND revision = 1")
is "$sha" "$(sha256sum "$scratch"/patches/CVE-2024-90002-*.patch | cut -d' ' -f1)" '  and the SHA-256 of what was submitted'

# A revision comes while another one is read: the editor of this reviewer hands it in, as its author.
own=$(echo "$scratch"/patches/CVE-2024-90002-*.patch)
submit=(patch submit "$own" --kernel 6.1.3 --server "$server" --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/alice.crt"
  --tls-key-path "$ca/alice.key")
title=$(basename "$own" .patch)
sed -i "1i Title: $title" "$own"
run "$TUXTAPE" "${submit[@]}" -m 'second thoughts'
is_exit 0 'a second revision'
cat >"$scratch/meanwhile" <<END
#!/bin/sh
sed -i '1i Subject: third thoughts' "$own"
exec "$TUXTAPE" $(printf "'%s' " "${submit[@]}") -m 'third thoughts'
END
chmod 755 "$scratch/meanwhile"
dash rita <<END
size 120x40
key 4
wait
expect submitted    2
key <Enter>
wait
expect second thoughts
absent Approved:
key t
expect Approved: revision 1
absent Upstream fix
key t
size 150x40
expect Upstream fix
expect Approved: revision 1
size 120x40
key 1 /
type 90002
key <Enter>
wait
env VISUAL $scratch/meanwhile
key e
wait
key <Enter>
wait
key 4
absent third thoughts
key A
type read it
key <Enter> y
wait
expect outdated: read revision 3, by alice
key R
wait
expect revision 3 has come, by alice
expect third thoughts
key t
expect Approved: revision 1
key X
type one revision too many
key <Enter> y
wait
expect revision 3, rejected
key <Esc>
expect rejected     3
END
is_exit 0 'what was not read is not approved'
as vera patch show 1
like "$out" 'Rejection of revision 3 by rita' '  and the newest is rejected'
unlike "$out" 'Approval of revision [23]' '  without an approval before'

# The author has all three at once.
dash alice <<'END'
size 200x60
wait
key /
type 90002
key <Enter> <Enter>
wait
expect Upstream fix
expect Approved: revision 1 for version 6.1.3
expect Your patch
expect Subject: third thoughts
END
is_exit 0 'an author sees the fix, what was approved, and the own patch'
sqlite3 "$db" "UPDATE patch_revision SET body = CAST(body || 'x' AS BLOB) WHERE patch = 1 AND revision = 1"
dash alice <<'END'
size 300x40
key 4
wait
key <Enter>
wait
expect revision 1 of patch 1 was changed
END
is_exit 0 '  or why it cannot be shown'
sqlite3 "$db" "UPDATE patch_revision SET body = CAST(substr(body, 1, length(body) - 1) AS BLOB) WHERE patch = 1 AND revision = 1"

# Another livepatch that holds the same commit, and that nobody has approved, hides none.
twin='CREATE TEMP TABLE twin AS SELECT * FROM'
sqlite3 "$db" <<END
$twin patch WHERE patch = 1;
UPDATE twin SET patch = 99, fix_commit = '$(printf '%040d' 7)', submitted_at = '2999-01-01T00:00:00Z';
INSERT INTO patch SELECT * FROM twin;
INSERT INTO patch_commit SELECT 99, fix_commit FROM patch_commit WHERE patch = 1;
DROP TABLE twin;
$twin patch_revision WHERE patch = 1;
UPDATE twin SET patch = 99;
INSERT INTO patch_revision SELECT * FROM twin;
END
dash alice <<'END'
size 200x60
wait
key /
type 90002
key <Enter> <Enter>
wait
expect Approved: revision 1 for version 6.1.3
key 4
wait
expect 99
END
is_exit 0 'of two livepatches, the approved one is shown'
sqlite3 "$db" <<'END'
DELETE FROM patch_revision WHERE patch = 99;
DELETE FROM patch_commit WHERE patch = 99;
DELETE FROM patch WHERE patch = 99;
UPDATE sqlite_sequence SET seq = 1 WHERE name = 'patch';
END

# Without the tree, who approves says so.
as alice patch submit "$own" --kernel 6.1.77 -m 'for a kernel to come'
is_exit 0 'a livepatch that nobody can apply'
dash rolf <<'END'
size 120x40
key 4
wait
expect not checked
key <Enter>
wait
key A
type accept
key <Enter>
expect 'accept' is not accept-unchecked
key ctrl-u
type accept-unchecked
key <Enter>
type built and loaded by hand
key <Enter>
expect accepted unchecked
key y
wait
expect approved by rolf
END
is_exit 0 'is approved by one who accepts that by name'
is "$(sqlite3 "$db" 'SELECT accepted_unchecked FROM patch_review WHERE patch = 2')" 1 '  which is recorded'

# The author takes it back.
dash alice <<'END'
size 120x40
key 4
wait
key <Enter>
wait
key W <Enter> y
wait
expect patch 2: revision 1, withdrawn
END
is_exit 0 'an author withdraws'
as vera patch list
like "$out" ' 2 withdrawn' '  which the server keeps'

# The server goes and comes back: what is on the screen stays, and is asked for again.
cat >"$scratch/restart" <<END
#!/bin/sh
kill "$server_pid"
END
chmod 755 "$scratch/restart"
dash vera <<END
size 120x40
key 4
wait
key G <Enter>
wait
expect rejected
key t
expect Approved: revision 1
key 1 /
type 90002
key <Enter>
wait
env VISUAL $scratch/restart
key e
wait
key <Enter>
wait
key 4
key R
wait
expect rejected
expect Approved: revision 1
END
is_exit 0 'without a server the review stays on the screen'
done_testing
