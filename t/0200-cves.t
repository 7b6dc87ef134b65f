#!/usr/bin/env bash
# tuxtape cves: the list, one CVE, one patch; what people see and what scripts get.
. t/lib.sh
demo_world
start_httpd --nvd "$world/nvd.jsonl"
db=$scratch/db
run parse --db "$db"
is_exit 0 'a database'

cves() {
  run "$TUXTAPE" cves "$@" --db "$db"
}

cves --kernel 6.1.3
is_exit 0 'the list'
like "$err" "database $db, vulns.git [0-9a-f]{12}" '  names the database'
like "$out" $'^CVE +SCORE SEVERITY FIXED IN +TITLE\n' '  has a head'
like "$out" 'CVE-2024-90002 +7\.8 HIGH +6\.1\.[4-9]' '  a CVE with a fix on the branch'
like "$out" 'CVE-2026-90025 +- +- +none' '  one without any fix, and without a score'
like "$out" 'CVE-2025-90018 +5\.5 MEDIUM +mainline 6\.[0-9]+' '  one that is fixed in mainline alone'
unlike "$out" 'CVE-2023-9001' '  none that is fixed'
scores=$(awk 'NR > 1 && $2 != "-" { print $2 }' <<<"$out")
is "$scores" "$(sort -rn <<<"$scores")" '  highest score first'
is "$(tail -n 1 <<<"$out" | awk '{ print $2 }')" - '  unscored last'
all=$(awk 'NR > 1 { print $1 }' <<<"$out" | sort)
table=$out

cves --kernel 6.1.3 --json
is "$(jq -r '.[].id' <<<"$out" | sort)" "$all" 'JSON lists the same'
is "$(jq -r '.[] | select(.id == "CVE-2024-90002") | .verdicts[0].verdict' <<<"$out")" affected '  with the verdict'
is "$(jq -r '.[] | select(.id == "CVE-2024-90002") | .verdicts[0].version' <<<"$out")" 6.1.3 '  for the version'
cves --kernel 6.1.3 --count --json
is "$(jq -c '[.affected > 0, has("unscored")]' <<<"$out")" '[true,false]' '  and its counts say nothing of a least score that nobody asked for'
cves --kernel 6.1.3 --count --json --min-score 5
is "$(jq .unscored <<<"$out")" "$(awk 'NR > 1 && $2 == "-"' <<<"$table" | wc -l)" '  but what one leaves out unscored'
cves --kernel 6.1.3 --fixed-only
some=$(awk 'NR > 1 { print $1 }' <<<"$out")
cves --kernel 6.1.3 --unfixed-only
is "$({ awk 'NR > 1 { print $1 }' <<<"$out"; echo "$some"; } | sort)" "$all" 'fixed and unfixed make the whole'
cves --kernel 6.1.3 --min-score 7
like "$err" 'no score yet' '--min-score tells how many have none'
is "$(awk 'NR > 1 && $2 < 7' <<<"$out")" '' '  and lists nothing lower'
cves --kernel 6.1.3 --sort id
is "$(awk 'NR > 1 { print $1 }' <<<"$out")" "$(sort -t- -k2,2n -k3,3n <<<"$all")" '--sort id sorts numbers as numbers'
cves --kernel 6.1.3 --sort fix
is "$(awk 'NR > 1 { print $4 == "mainline" ? 1 : $4 == "none" ? 2 : 0 }' <<<"$out" | uniq | tr '\n' ' ')" '0 1 2 ' '--sort fix puts the branch first'
cves --kernel 6.1.3 --sort date
like "$out" $'^CVE +SCORE SEVERITY FIXED IN +PUBLISHED +TITLE\n' '--sort date shows the dates'
dates=$(awk 'NR > 1' <<<"$out" | cut -c50-59)
like "$dates" '^2026-04-[0-9]{2}' '  which NVD tells'
is "$dates" "$(sort -r <<<"$dates" | grep -v '^-'; grep '^-' <<<"$dates")" '  newest first, those that are not known last'
like "$dates" '-         $' '  of which there is one'
cves --kernel 6.1.3 --json
is "$(jq -r '.[] | select(.id == "CVE-2024-90002") | .published' <<<"$out")" 2026-04-11T12:15:05.397 '  JSON has them as they are stated'

for version in v6.1.3 6.1.3 v6.1.3-generic; do
  cves --kernel "$version"
  is "$(awk 'NR > 1 { print $1 }' <<<"$out" | sort)" "$all" "$version is 6.1.3"
done
like "$err" "judged as plain 6\.1\.3" '  a suffix is said to be ignored'
cves --kernel 6.1.99
like "$err" 'newer than all the data knows .* guess' 'a version newer than the data is a guess'
cves --kernel 9.9.9
like "$err" 'guess' 'so is one of an unknown branch'
for version in '' 6 6.x 6.1.3.4.5 -1 6.1-rc 'six' '6.1.3;id'; do
  cves --kernel="$version"
  is_exit 2 "'$version' is misuse"
done

cves show CVE-2024-90002 --kernel 6.1.3
is_exit 0 'one CVE'
like "$out" 'Severity +7\.8 HIGH \(CVSS 3\.1, by nvd@nist\.gov' '  its score and who gave it'
like "$out" 'Privileges required +LOW' '  its metrics in words'
like "$out" '6\.1\.3: affected' '  the verdict'
like "$out" 'Because +.*fixed on this branch in 6\.1' '  and its reason'
like "$out" 'fs/tapefs/inode\.c' '  its files'
cves show CVE-2023-9001 --kernel 6.1.3
like "$out" 'not affected' 'why a CVE does not matter'
cves show CVE-2024-90002 --kernel 6.1.9
like "$out" "Instances +$(sqlite3 "$db" "SELECT title FROM instance WHERE cve_id = 'CVE-2024-90002' AND fixed = '6.1.4'")" \
  'of one that is fixed on the branch the fix that the kernel has is named'
cp "$scratch/out" "$scratch/show"
cves show cve-2024-90002 --kernel 6.1.9
same "$scratch/out" "$scratch/show" '  by its id in lower case, too'
cves --kernel 6.1.3 --kernel 6.6.2
is_exit 2 'two kernels are misuse'
like "$err" '--kernel is given twice' '  which is said'
cves show CVE-2024-90002 --json
is "$(jq -r '.scores | length' <<<"$out")" 3 'JSON has all scores'
cves show CVE-2024-11111
is_exit 4 'an unknown CVE is not found'
cves show nonsense
is_exit 2 'what is no CVE id is misuse'

title=$(sqlite3 "$db" "SELECT title FROM instance WHERE cve_id = 'CVE-2024-90009' AND fixed LIKE '6.1.%'")
commit=$(sqlite3 "$db" "SELECT fix_commit FROM instance WHERE title = '$title'")
git -C "$world/linux.git" diff-tree -p --no-renames --full-index --no-commit-id "$commit" >"$scratch/want"
run "$TUXTAPE" cves patch "$title" --db "$db"
is_exit 0 'a patch'
same "$scratch/out" "$scratch/want" '  byte for byte, Latin-1 and all'
git clone -q "$world/linux.git" "$scratch/tree"
git -C "$scratch/tree" checkout -q "$commit^"
cp "$scratch/want" "$scratch/patch"
ok '  that git applies' git -C "$scratch/tree" apply --check "$scratch/patch"
run "$TUXTAPE" cves patch "CVE-2024-90009-whatever-stands-here-${commit:0:12}" --db "$db"
same "$scratch/out" "$scratch/want" 'only the CVE and twelve digits count'
run "$TUXTAPE" cves patch "${title/CVE/cve}" --db "$db"
same "$scratch/out" "$scratch/want" '  also in lower case'
run "$TUXTAPE" cves patch "$title" --json --db "$db"
is "$(jq -r .patch_base64 <<<"$out" | base64 -d | sha256sum)" "$(sha256sum <"$scratch/want")" 'JSON has it in base64'
run script -qec "$TUXTAPE cves patch $title --db $db" /dev/null
like "$out" '\\x[0-9a-f]{2}' 'a terminal gets what is not UTF-8 as text'
cves patch CVE-2026-90025-4.12-nofix
is_exit 4 'an instance without a fix has no patch'
cves patch "CVE-2026-90026-5.10-$(sqlite3 "$db" "SELECT substr(fix_commit, 1, 12) FROM instance WHERE cve_id = 'CVE-2026-90026'" | head -n 1)"
is_exit 4 'nor has one whose commit is missing'
like "$err" 'clone' '  which is said'
for title in nonsense CVE-2024-90009 CVE-2024-90009-6.1.3-xyz; do
  cves patch "$title"
  is_exit 2 "'$title' is no title: misuse"
  like "$err" "\"$title\" is no title" '  which is said'
done
cves patch CVE-2024-90009
like "$err" 'but a CVE: .*`tuxtape cves show CVE-2024-90009` lists' 'with a CVE alone it is said where its titles are'

# A file of settings for all applets.
cat >"$scratch/tuxtape.toml" <<END
db = "$db"
vulns-repo = "$scratch/none"
tls_capath = "x"
[server]
listen = "127.0.0.1:1"
[roles]
somebody = "author"
[colors]
[keybindings.Normal]
[sevrer]
listen = "127.0.0.1:1"
END
run "$TUXTAPE" cves --kernel 6.1.3 --count --config-file "$scratch/tuxtape.toml"
is_exit 0 'settings of other applets are fine'
is "$(sed -n 's/^tuxtape cves: .*tuxtape\.toml:\([0-9]*: .*\) is the name of no setting.*/\1/p' <<<"$err" | tr '\n' ';')" "3: 'tls_capath';10: 'sevrer';" \
  '  and those of none are told'
run "$TUXTAPE" cves --kernel 6.1.3 --count --config-file "$scratch/tuxtape.toml" -q
unlike "$err" 'sevrer' '  unless quiet'

cves
is_exit 2 'without a kernel or a verb it is misuse'
cves frobnicate
is_exit 2 'so is an unknown verb'
run "$TUXTAPE" cves --kernel 6.1 --db "$scratch/none"
is_exit 4 'a database that is not there'
like "$err" 'tuxtape parse' '  and what makes one'
run bash -c "'$TUXTAPE' cves --kernel 6.1.3 --db '$db' >/dev/full"
is_exit 1 'an answer that cannot be written is a failure'
run script -qec "NO_COLOR=1 TERM=xterm $TUXTAPE cves --kernel 6.1.3 --db $db" /dev/null
unlike "$(cat -v "$scratch/out")" '\^\[\[3' 'NO_COLOR is heeded'
run script -qec "TERM=xterm $TUXTAPE cves --kernel 6.1.3 --db $db" /dev/null
like "$(cat -v "$scratch/out")" '\^\[\[31m' 'colour on a terminal'
done_testing
