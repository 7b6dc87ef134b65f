#!/usr/bin/env bash
# bench/profile.sh WORLD [DB]: build profiles: what making one added to a build, storing one, the answer for many configs, a patch linted for one. DB: a
# database that a parse of the world has made; else one is made. Prints rows of a Markdown table. The first row needs a DB whose newest finished job
# built a real kernel: nothing is built here, the numbers are those that the builder wrote down.
. t/bench.sh
world=${1:?a world made in full}
build=${O:-build}
db=$scratch/db
if [ -n "${2-}" ]; then
  cp "$2" "$db"
  "$tuxtape" parse --no-fetch --no-nvd --quiet --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --db "$db" || true
else
  "$tuxtape" parse --no-fetch --no-nvd --quiet --vulns-repo "$world/vulns.git" --linux-repo "$world/linux.git" --db "$db"
fi

# Builds of a miniature tree would say nothing.
at_least=30 # seconds
cost=$(sqlite3 -separator ' ' "$db" "SELECT CAST(substr(t, instr(t, 'collected in ') + 13) AS REAL), seconds, release
  FROM (SELECT CAST(l.text AS TEXT) AS t, strftime('%s', j.ended_at) - strftime('%s', j.started_at) AS seconds,
               j.version__major || '.' || j.version__minor || coalesce('.' || j.version__stable, '') AS release
          FROM job AS j JOIN job_line AS l USING (job) WHERE j.state = 4 AND CAST(l.text AS TEXT) LIKE 'profile: %collected in %' ORDER BY j.job DESC)
  WHERE seconds >= $at_least LIMIT 1")
if [ -n "$cost" ]; then
  read -r collect build_seconds release <<<"$cost"
  row "a profile made at the end of a build of $release" "$collect s" "the whole build: $build_seconds s" "$(awk -v a="$collect" -v b="$build_seconds" 'BEGIN { printf "%.4f", a / b }')"
else
  echo "bench/profile.sh: no finished build of $at_least s or more in the database: no row for what a profile adds to one" >&2
fi

"$tuxtape" server -d "$db" -s "unix:$scratch/socket" >"$scratch/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do
  [ -S "$scratch/socket" ] && break
  sleep 0.1
done
export TUXTAPE_SERVER=unix:$scratch/socket
echo CONFIG_SMP=y >"$scratch/config"
"$tuxtape" config put large --kernel 6.1.170 "$scratch/config" >/dev/null
store=$("$build/t/profilestore" "$db" large 30000)
insert=$({ time sqlite3 "$db" 'BEGIN; CREATE TEMP TABLE x (c INTEGER, p INTEGER, k INTEGER, PRIMARY KEY (c, p)) WITHOUT ROWID;
  INSERT INTO x SELECT config, path, kind FROM compiled_file; COMMIT'; } 2>&1)
row 'a profile of 30,000 files, stored with its tree' "$store ms" "the shell's copy of the same rows: $insert s" "$(ratio "$store" "$(awk -v s="$insert" 'BEGIN { print s * 1000 }')")"

configs=()
for i in $(seq 50); do
  "$tuxtape" config put "c$i" --kernel 6.1.170 "$scratch/config" >/dev/null
  "$build/t/profilestore" "$db" "c$i" 5000 $((i * 40)) >/dev/null
  configs+=(--config "c$i")
done
all=$({ time "$tuxtape" cves "${configs[@]}" --count --server "$TUXTAPE_SERVER" >/dev/null 2>&1; } 2>&1)
one=$({ time "$tuxtape" cves --config c1 --count --server "$TUXTAPE_SERVER" >/dev/null 2>&1; } 2>&1)
row 'FetchCves for 50 configs of 5,000 files at once' "$all s" "for one of them: $one s" "$(ratio "$all" "$one")"

# What the build's files say of each other, read and found again: a patch of a header, for a config of 5,000 files.
export XDG_CACHE_HOME=$scratch/cache
repo=$world/linux.git
git -C "$repo" log --no-merges --format=%H v6.1.170..HEAD -- include/ | while read -r commit; do
  git -C "$repo" diff-tree -p --no-renames --full-index --no-commit-id "$commit" >"$scratch/$commit.patch"
done
patch=$(find "$scratch" -maxdepth 1 -name '*.patch' -size +0 -printf '%s %p\n' | sort -n | awk '{ n[NR] = $2 } END { print n[int((NR + 1) / 2)] }')
git -C "$repo" ls-tree -r v6.1.170 | awk -F'[ \t]' '$2 == "blob" { print $4 "\t" $3 }' | sort >"$scratch/blobs"
sqlite3 "$db" "SELECT CAST(p.name AS TEXT) FROM compiled_file JOIN path AS p USING (path) JOIN kernel_config AS k USING (config) WHERE k.name = 'c1'" | sort |
  join -t "$(printf '\t')" -o 2.2 - "$scratch/blobs" >"$scratch/ids"
lint() {
  "$tuxtape" lint "$patch" --config c1 --db "$db" --linux-repo "$repo" --quiet >/dev/null 2>&1 || true
}
for _ in 1 2 3 4 5; do
  rm -rf "$XDG_CACHE_HOME"
  first=$({ time lint; } 2>&1)
  again=$({ time lint; } 2>&1)
  peer=$({ time git -C "$repo" cat-file --batch <"$scratch/ids" >/dev/null; } 2>&1)
  echo "$first $again $peer"
done >"$scratch/scans"
peer=$(median "$scratch/scans" "\$3 * 1000" %.0f)
for what in "1:the first time" "2:again (aim: 200 ms)"; do
  took=$(median "$scratch/scans" "\$${what%%:*} * 1000" %.0f)
  row "a patch of a header linted for a build of $(wc -l <"$scratch/ids") files, ${what#*:}" "$took ms" "\`git cat-file --batch\` of the files: $peer ms" "$(ratio "$took" "$peer")"
done
