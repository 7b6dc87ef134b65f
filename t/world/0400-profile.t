#!/usr/bin/env bash
# A real kernel built through server and builder: its profile against what the compiler and the assembler were seen to open in that very build,
# and what it makes of the list of CVEs. Takes some minutes. WORLD names a directory with linux.git and vulns.git.
. t/lib.sh
. t/server.sh
world=${WORLD:?names the world}
version=6.1.170
db=$scratch/db
run parse --db "$db" --no-nvd
is_exit 0 'the CVEs'
run "$TUXTAPE" builder checkout "v$version" "$scratch/configure" --linux-repo "$world/linux.git"
is_exit 0 'a tree to make a config in'
make -s -C "$scratch/configure/tree" O="$scratch/config" tinyconfig >"$scratch/null" 2>&1
cat t/world/profile.config >>"$scratch/config/.config"
make -s -C "$scratch/configure/tree" O="$scratch/config" olddefconfig >"$scratch/null" 2>&1
rm -rf "$scratch/configure"

start_server -d "$db"
run "$TUXTAPE" config put tiny --kernel "$version" "$scratch/config/.config" --server "$server"
is_exit 0 'the config is put'
began=$SECONDS
run strace -f --seccomp-bpf -y -s 65536 -e trace=openat,open,execve -o "$scratch/strace" \
  "$TUXTAPE" builder --once --server "$server" --linux-repo "$world/linux.git" --work-dir "$scratch/work"
is_exit 0 "v$version is built"
diag "$((SECONDS - began)) s"
is "$(sqlite3 "$db" 'SELECT state FROM job')" 4 'the job is done'
profile=$(sqlite3 "$db" "SELECT text FROM job_line WHERE CAST(text AS TEXT) LIKE 'profile: %'")
diag "$profile"
took=$(sed -n 's/.*collected in \([0-9.]*\) s.*/\1/p' <<<"$profile")
seconds=$(sqlite3 "$db" "SELECT strftime('%s', ended_at) - strftime('%s', started_at) FROM job")
ok "  and the profile took ${took:-?} s of its $seconds s: less than a hundredth" awk "BEGIN { exit !(0 < $took && $took * 100 < $seconds) }"
tree=$(echo "$scratch"/work/builds/job-*/tree)

git -C "$world/linux.git" ls-tree -r --name-only "v$version" >"$scratch/list"
is "$(sqlite3 "$db" 'SELECT count(*) FROM tree_path')" "$(wc -l <"$scratch/list")" 'every path of the tag came with it'
python3 t/world/profile-truth.py "$scratch/strace" "$tree" "$scratch/list" >"$scratch/truth"
grep -E '^compiled ' "$scratch/truth" | cut -d' ' -f2- | sort >"$scratch/want"
sqlite3 "$db" 'SELECT CAST(name AS TEXT) FROM compiled_file JOIN path USING (path) WHERE kind = 1' | sort >"$scratch/got"
same "$scratch/got" "$scratch/want" "of $(wc -l <"$scratch/want") files that were compiled none is missing, none is one too many"
ok '  and they are more than 500' test "$(wc -l <"$scratch/want")" -gt 500
# Host programs of tools/ that a library's make wrote elsewhere are not found; but nothing is called so that is not.
sqlite3 "$db" 'SELECT CAST(name AS TEXT) FROM compiled_file JOIN path USING (path) WHERE kind = 2' | sort >"$scratch/got"
grep -E '^host ' "$scratch/truth" | cut -d' ' -f2- | sort >"$scratch/want"
is "$(comm -23 "$scratch/got" "$scratch/want")" '' "$(wc -l <"$scratch/got") of $(wc -l <"$scratch/want") files of host programs, none too many"

# What it is for.
run "$TUXTAPE" cves --kernel "$version" --count --server "$server"
before=$out
run "$TUXTAPE" cves --config tiny --count --server "$server"
is_exit 0 'the list for the config'
echo "# before: $before"
echo "# after:  $out"
like "$out" '^tiny: [1-9][0-9]* affected / [1-9][0-9]* not compiled / [0-9]+ unknown$' '  is shorter, and everything is accounted for'
is "$(awk '{ print $2 + $5 + $9 }' <<<"$out")" "$(awk '{ print $2 + $5 + $9 }' <<<"$before")" '  to the last CVE'
run "$TUXTAPE" cves --config tiny --include-not-compiled --json --server "$server"
jq -r '.[] | select(.verdicts[0].verdict == "not-compiled") | .id' <"$scratch/out" | sort >"$scratch/not-compiled"
# By the database and git alone: CVEs of whose files, when it comes to the fix that counts, none is in the tree.
jq -r '.[] | select(.verdicts[0].verdict == "not-compiled") | .id as $id | .verdicts[0] | (.fix_commits // .mainline_commits // [])[] | "\($id) \(.)"' <"$scratch/out" |
  sort >"$scratch/pairs"
sqlite3 -separator ' ' "$db" "SELECT DISTINCT c.id, x.fix_commit FROM cve_instance i JOIN cve c USING (cve) JOIN fix x USING (fix_commit)
  JOIN fix_file f USING (fix) JOIN path p USING (path) WHERE NOT f.created AND NOT EXISTS (SELECT 1 FROM tree_path t WHERE t.path = f.path)" | sort >"$scratch/lacking"
is "$(comm -12 "$scratch/pairs" "$scratch/lacking")" '' 'no CVE is not compiled for a path that the tree lacks'
same <(sqlite3 "$db" "SELECT DISTINCT c.id FROM cve c JOIN cve_file f USING (cve) WHERE c.id IN ($(sed "s/.*/'&'/" "$scratch/not-compiled" | paste -sd,))
  AND EXISTS (SELECT 1 FROM compiled_file k WHERE k.path = f.path AND k.kind = 1)" | grep -vxFf <(cut -d' ' -f1 "$scratch/pairs" | sort -u)
  echo) <(echo) '  and none without a stored fix whose own files are compiled'
done_testing
