#!/usr/bin/env bash
# tuxtape-protocol(7) is written for people who have nothing else: its methods, kinds of error and fields are those of the source, and its
# worked example is what a server really answers.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh
page=man/tuxtape-protocol.7

# ---- Methods: number, name, request, answer
awk '/^\.Ss Methods/ { on = 1 } /^\.Ss Messages as/ { on = 0 }
  on && /^\.It [0-9]/ { n = $2 }
  on && /^\.Sy / { method = $2 " " $5; next }
  on && method { gsub(/stream of /, "stream "); gsub(/,.*/, ""); print n, method, $0; method = "" }' "$page" >"$scratch/got"
sed -n 's/^  rpc \([A-Za-z]*\)(\([A-Za-z]*\)) returns (\(.*\));/\1 \2 \3/p' proto/tuxtape.proto | awk '{ print n++, $0 }' >"$scratch/want"
same "$scratch/got" "$scratch/want" 'the methods are those of the service, in its order'

# What closes a stream is told by rpc.c alone.
sed -n '/^\.Ss Methods/,/^\.Ss Messages as/s/.*stream of [A-Za-z]*, //p' "$page" | sed 's/\B[A-Z]/_&/g' | tr '[:upper:]' '[:lower:]' >"$scratch/got"
sed -n 's/.*\.end = &\([a-z_]*\)__descriptor.*/\1/p' lib/rpc.c >"$scratch/want"
same "$scratch/got" "$scratch/want" '  and so is what closes their streams'

# ---- Kinds of error, by their numbers
sed -n '/^\.Ss Frames/,/^\.Ss Calls/s/^\.It \(1[7-9]\|2[0-9]\) Ta \([a-z ]*\) Ta .*/\1 \2/p' "$page" >"$scratch/got"
sed -n 's/^\t\[ERR_[A-Z]*\] = { "\([a-z ]*\)".*/\1/p' lib/err.c | awk '{ print 16 + n++, $0 }' | sed 1d >"$scratch/want"
same "$scratch/got" "$scratch/want" 'the kinds of error are those of lib/err.c'

# ---- Messages that are written out: number, repeated or not, name, type
awk '/^\.Ss Messages$/ { on = 1 } /^\.Sh EXAMPLES/ { on = 0 }
  on && /^\.Sy / { m = $2 }
  on && /^\.It / { star = $3 == "*" ? "*" : "-"; at = $3 == "*" ? 5 : 4; print m, $2, star, $at, $(at + 2) }' "$page" >"$scratch/got"
awk '/^message / { m = $2 } /^enum / { enum[$2] = 1 }
  /^  (optional|repeated) / { sub(/;.*/, ""); type[++n] = $2; line[n] = m " " $5 " " ($1 == "repeated" ? "*" : "-") " " $3; of[n] = m }
  END { for (i = 1; i <= n; i++) print line[i], type[i] in enum ? "enum" : type[i] }' proto/tuxtape.proto >"$scratch/all"
for message in $(awk '{ print $1 }' "$scratch/got" | uniq); do
  grep "^$message " "$scratch/all"
done >"$scratch/want"
same "$scratch/got" "$scratch/want" 'the fields are those of the data dictionary'
ok '  for every message that a simple client needs' test "$(awk '{ print $1 }' "$scratch/got" | uniq | wc -l)" -ge 12

# ---- The example. frame N: the bytes of the Nth block as hexadecimal digits.
frame() {
  awk -v want="$1" '/^\.Sh EXAMPLES/ { on = 1 } on && /^\.Bd/ { n++; next } /^\.Ed/ { next }
    on && n == want && /^ *[0-9a-f][0-9a-f] / { sub(/^ */, ""); sub(/   .*/, ""); gsub(/ /, ""); printf "%s", $0 }' "$page"
}

for n in 1 2 3 4 5 6 7; do
  bytes=$(frame $n)
  is "$((${#bytes} / 2 - 12))" "$((16#${bytes:0:8}))" "frame $n of the example is as long as it says"
done

db=$scratch/db.db3
background "$TUXTAPE" server --db "$db" --allow-empty --listen 127.0.0.1:0
wait_for 20 grep -q 'port [0-9]' "$scratch/background" || bail "no server: $(tail -n 1 "$scratch/background")"
port=$(sed -n 's/.*listening on .*, port \([0-9]*\)$/\1/p' "$scratch/background")
sqlite3 "$db" "INSERT INTO cve (cve, id, title, severity, cvss_version, origin)
    VALUES (20240000001, 'CVE-2024-0001', 'demo: free once', 7.5, '3.1', 'vulns');
  INSERT INTO cve_instance (cve, line, title, introduced__major, introduced__minor)
    VALUES (20240000001, 1, 'CVE-2024-0001-5.10-nofix', 5, 10);"
exec 3<>"/dev/tcp/127.0.0.1/$port" || bail "cannot connect to port $port"

# ask N: sends frame N of the page. take N: as many bytes of answer as frame N has.
ask() {
  printf '%b' "$(frame "$1" | sed 's/../\\x&/g')" >&3
}
take() {
  local bytes
  bytes=$(frame "$1")
  timeout 20 head -c $((${#bytes} / 2)) <&3 | od -An -v -tx1 | tr -d ' \n'
}

ask 1
header=$(timeout 20 head -c 12 <&3 | od -An -v -tx1 | tr -d ' \n')
is "${header:8}" "$(frame 2 | cut -c 9-24)" 'the first frame of the example is taken for Version'
timeout 20 head -c $((16#${header:0:8})) <&3 >"$scratch/version"
like "$(tr -d '\0' <"$scratch/version")" local.*admin '  and answered with who the caller is'
ask 3
is "$(take 4)" "$(frame 4)" 'FetchCves gives the record of the example'
is "$(take 5)" "$(frame 5)" '  and its closing message'
ask 6
is "$(take 7)" "$(frame 7)" 'FetchPatch gives the error of the example'
exec 3>&-
done_testing
