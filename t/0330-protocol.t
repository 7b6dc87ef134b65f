#!/usr/bin/env bash
# The wire as tuxtape-protocol(7) tells it: a client in another language, written from that page alone, gets the same answers.
. t/lib.sh
. t/server.sh
python3 -c 'import ssl' 2>"$scratch/null" || skip_all 'no python3 with ssl'
demo_world
start_httpd --nvd "$world/nvd.jsonl"
db=$scratch/db
run parse --db "$db"
is_exit 0 'a database'
start_server -d "$db"

client() {
  python3 t/protocol_client.py ${secure[@]+"${secure[@]}"} "$server" "$@"
}
secure=()

# same_list VERSION OPTIONS: of the client and of tuxtape; OPTIONS bring tuxtape to the server.
same_list() {
  local version=$1
  shift
  run "$TUXTAPE" cves --kernel "$version" --json --server "$server" "$@"
  is_exit 0 "the CVEs of $version"
  cp "$scratch/out" "$scratch/json"
  jq -r 'def score: if . == null then "-" else . * 10 | round | "\(. / 10 | floor).\(. % 10)" end;
    .[] | "\(.id) \(.severity | score) \(.verdicts[0].verdict)"' "$scratch/json" >"$scratch/want"
  jq -r '[.[].verdicts[0].verdict] | "affected \(map(select(. == "affected")) | length) unknown \(map(select(. == "unknown")) | length)"' \
    "$scratch/json" >>"$scratch/want"
  run client cves "$version"
  is_exit 0 '  by the client'
  ok '  are some' test "$(wc -l <"$scratch/want")" -gt 10
  same "$scratch/out" "$scratch/want" '  with scores, verdicts, order and counts'
}

# Who is who.
run client version
is_exit 0 'the first call'
like "$out" '^program: tuxtape' '  says who answers'
is "$(tail -n +2 <<<"$out")" $'protocol: 1\nyou: local\nrole: admin' '  in which protocol, and who asks'
run client health
is "$(sed -n 's/^cves: //p' <<<"$out")" "$(sqlite3 "$db" 'SELECT count(*) FROM cve')" 'Health counts the CVEs'
like "$out" 'clients: 1'$'\n' '  and the clients'

# CVEs, with and without a minor number of 0.
for version in 6.1.3 5.10.200 6.0; do
  same_list "$version"
done
like "$(client cves 6.1.3)" ' 9\.8 affected' '  some are scored'
like "$(client cves 6.1.3)" ' - affected' '  and some are not'

# Patches.
title=$(sqlite3 "$db" "SELECT title FROM instance WHERE cve_id = 'CVE-2024-90002' AND fixed = '6.1.4'")
"$TUXTAPE" cves patch "$title" --db "$db" >"$scratch/want" 2>"$scratch/null"
run client patch "$title"
is_exit 0 'a patch'
ok '  is there' test -s "$scratch/want"
same "$scratch/out" "$scratch/want" '  byte for byte'

# Errors.
run client patch CVE-1999-0001-6.1-0123456789ab
is_exit 1 'a CVE that there is not'
like "$err" '^not found: ' '  is told by its kind'
is "$(wc -l <"$scratch/err")" 1 '  in one line'
run client patch nonsense
is_exit 1 'a title that is none'
like "$err" '^usage: ' '  makes no sense'

# A call that is stopped: the list is short and may be on its way already.
run client cancel 6.1.3
is_exit 0 'a stopped call is closed'
like "$out" '^(2|22)$' '  by an answer or by an error of the protocol'
stop "$server_pid"

# Mutual TLS.
ca=$scratch/ca
"$TUXTAPE" cert --dir "$ca" init >"$scratch/null" 2>&1
"$TUXTAPE" cert --dir "$ca" issue gate --role server --host 127.0.0.1 >"$scratch/null" 2>&1
"$TUXTAPE" cert --dir "$ca" issue alice --role viewer >"$scratch/null" 2>&1
start_server -d "$db" --tls --tls-cert-path "$ca/gate.crt" --tls-key-path "$ca/gate.key" --tls-ca-path "$ca/ca.crt"
secure=(--ca "$ca/ca.crt" --cert "$ca/alice.crt" --key "$ca/alice.key")
run client version
is_exit 0 'the first call over TLS'
like "$out" $'you: alice\nrole: viewer$' '  knows the client by its certificate'
run client patch "$title"
same "$scratch/out" "$scratch/want" 'the same patch over TLS'
same_list 6.1.3 --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/alice.crt" --tls-key-path "$ca/alice.key"
done_testing
