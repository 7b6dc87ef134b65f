#!/usr/bin/env bash
# The server under bad clients, locks, kills and limits: a good client gets its answer meanwhile, and afterwards all is as it was.
. t/lib.sh
. t/server.sh
parsed_world
# So much that no socket's buffer holds the answer about 5.10.
sqlite3 "$db" "
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
INSERT INTO cve (cve, id, title, description, origin) SELECT 20190050000 + i, 'CVE-2019-' || (50000 + i), 'many', hex(zeroblob(2000)), 'vulns' FROM n;
INSERT INTO cve_instance (cve, line, title, introduced__major, introduced__minor, introduced_commit)
SELECT cve, 1, id || '-5.4-nofix', 5, 4, '$(printf '1%.0s' {1..40})' FROM cve WHERE title = 'many';"

# ---- Helpers

# good NAME [OPTION...]: a client that behaves gets its answer, and soon.
good() {
  local name=$1 began=$SECONDS
  shift
  run "$TUXTAPE" cves show CVE-2024-90002 --kernel 6.1.3 --server "$server" --timeout 15s "$@"
  is_exit 0 "$name"
  [ $((SECONDS - began)) -le 15 ] || ok '  soon' false
}

# attack KIND N: N clients of t/hostile.c at $server, until `release`.
attack() {
  rm -f "$scratch/pipe" "$scratch/said"
  mkfifo "$scratch/pipe"
  "$O/t/hostile" "$server" "$1" "$2" <"$scratch/pipe" >"$scratch/said" 2>"$scratch/hostile" &
  hostile_pid=$!
  processes+=("$hostile_pid")
  exec 9>"$scratch/pipe"
  wait_for 20 grep -q ready "$scratch/said" || diag "$1: $(head -n 3 "$scratch/hostile")"
}
release() {
  exec 9>&-
  stop "$hostile_pid" 0
}

# hold N: N greeted connections, idle until `release`.
hold() {
  rm -f "$scratch/pipe" "$scratch/said"
  mkfifo "$scratch/pipe"
  "$O/t/rpctool" "$server" pool "$1" <"$scratch/pipe" >"$scratch/said" 2>"$scratch/hostile" &
  hostile_pid=$!
  processes+=("$hostile_pid")
  exec 9>"$scratch/pipe"
  wait_for 20 grep -q ready "$scratch/said" || diag "pool: $(head -n 3 "$scratch/hostile")"
}

children() {
  pgrep -c -P "$server_pid"
}
descriptors() {
  local fds=(/proc/"$server_pid"/fd/*)
  echo "${#fds[@]}"
}
memory() {
  awk '/^RssAnon/ { print $2 }' "/proc/$server_pid/status"
}

# unread N: at least so many of the server's connections hold bytes that their clients do not take.
unread() {
  local port
  port=$(printf '%04X' "${server##*:}")
  [ "$(awk -v port=":$port\$" '$2 ~ port && $5 !~ /^00000000:/' /proc/net/tcp | wc -l)" -ge "$1" ]
}

mark() {
  seen=$(wc -l <"$server_log")
}
# logged N REGEX: so many lines of the log since `mark`.
logged() {
  [ "$(tail -n "+$((seen + 1))" "$server_log" | grep -cE "$2")" -ge "$1" ]
}
few_children() {
  [ "$(children)" -le "$1" ]
}

# survives KIND N REGEX [OPTION...]: N bad clients at once, each of which leaves a line in the log.
survives() {
  local kind=$1 n=$2 regex=$3
  shift 3
  mark
  attack "$kind" "$n"
  good "$n of $kind: a good client is answered" "$@"
  ok "  each has a line in the log: $regex" wait_for 10 logged "$n" "$regex"
  release
}

as_before() {
  ok "$1: spare workers and no more stay" wait_for 10 few_children 17
  is "$(descriptors)" "$fds_before" '  the parent has as many descriptors as before'
  ok "  and no more memory ($memory_before, now $(memory) KiB)" test "$(memory)" -le $((memory_before + 1024))
}

# ---- Bad clients, plain

start_server -d "$db" --max-clients 260 --handshake-timeout 800ms --idle-timeout 5s --stall-timeout 1s
good 'before'
fds_before=$(descriptors) memory_before=$(memory)
survives slow 200 'connection ended: network: silent for 800 ms'
survives half 200 'connection ended: network: silent for 800 ms'
survives huge 200 'ended: .*a frame of 4294967295 bytes'
survives unknown 200 'status=usage error="there is no method number 4711'
survives garbage 200 'ended: .*a frame of 2135247942 bytes'
survives http 200 'ended: .*a frame of 1195725856 bytes'
survives hello 200 'ended: .*TLS where plain text was expected'
survives unread 200 'method=FetchCves .*status=network error="the other end takes nothing for 1000 ms'
survives dies 200 'method=FetchCves .*status=network error=closed'
survives second 200 'method=FetchCves .*status=protocol error="a second call while one is open'
survives early 200 'ended: .*the first frame is not Version'
survives bomb 200 'method=FetchCves .*status=input error="FetchCves: the request cannot be read, or would take too much'
as_before 'after all of them'
unlike "$(cat "$server_log")" 'killed by signal' '  and no worker died of it'

# Readers that stall hold no snapshot: what is written meanwhile can be checkpointed to the last page.
stop "$server_pid"
start_server -d "$db" --stall-timeout 1h
attack unread 8
ok 'readers stall in the middle of an answer' wait_for 10 unread 8
run parse --db "$db" --no-nvd
is_exit 0 'a parse writes meanwhile'
is "$(sqlite3 "$db" '.timeout 5000' "UPDATE cve SET title = 'changed' WHERE title = 'many'; PRAGMA wal_checkpoint(TRUNCATE)")" '0|0|0' \
  '  and its log is emptied: no reader holds an old state'
good '  and others are answered'

# A lock: readers go on, a writer waits, and is told when it waited too long.
coproc lock { sqlite3 "$db" 2>&1; }
printf '.timeout 10000\nBEGIN IMMEDIATE;\nSELECT 1;\n' >&"${lock[1]}"
read -r said <&"${lock[0]}"
is "$said" 1 'somebody writes for long'
good '  readers go on'
echo 'CONFIG_SMP=y' >"$scratch/config"
run "$TUXTAPE" config put locked --kernel 6.1.3 "$scratch/config" --server "$server" --timeout 700ms
is_exit 1 '  a writer gives up after its time-out'
is "$(grep -c . "$scratch/err")" 1 '  with one line'
like "$err" "$server.*no answer|no answer" '  that says so'
"$TUXTAPE" config put waits --kernel 6.1.3 "$scratch/config" --server "$server" >"$scratch/waits" 2>&1 9>&- &
waits=$!
good '  readers still go on'
ok '  a writer waits' kill -0 "$waits"
printf 'COMMIT;\n.quit\n' >&"${lock[1]}"
wait "$waits"
is "$?" 0 '  until the lock is gone'
like "$(cat "$scratch/waits")" 'revision 1' '  and is served then'
release

# Killed under load: what was promised is there.
"$O/t/rpctool" "$server" storm 1000000 CVE-2024-90002-6.1-nofix >"$scratch/null" 2>&1 &
storm=$!
processes+=("$storm")
for i in {1..1000}; do
  "$TUXTAPE" config put "load-$i" --kernel 6.1.3 "$scratch/config" --server "$server" >"$scratch/null" 2>&1 || break
  echo "load-$i"
done >"$scratch/promised" &
putter=$!
processes+=("$putter")
ok 'configs are put under load' wait_for 20 grep -q load-6 "$scratch/promised"
workers=$(pgrep -P "$server_pid" | tr '\n' ' ')
stop "$server_pid" KILL
wait "$putter" "$storm"
gone() {
  # shellcheck disable=SC2086
  ! kill -0 $workers
}
ok 'killed: its workers end with it' wait_for 10 gone
start_server -d "$db" -s "$server"
good 'started again, it answers'
is "$(sqlite3 "$db" 'PRAGMA integrity_check')" ok '  the database is sound'
sqlite3 "$db" "SELECT k.name FROM kernel_config k JOIN job j ON j.config = k.name ORDER BY k.name" >"$scratch/stored"
is "$(sort "$scratch/promised" | comm -23 - <(sort "$scratch/stored"))" '' '  and every config that was promised is there, with its job'
stop "$server_pid"

# ---- Limits

# Few workers and many bad clients: the good one waits for its turn, which comes. The time to greet is its own, too.
start_server -d "$db" --max-clients 10 --handshake-timeout 1s --stall-timeout 1s
survives half 60 'silent for 1000 ms'
like "$(cat "$server_log")" '10 clients, as many as --max-clients allows: others wait' '  the limit is logged'
mark
hold 10
"$TUXTAPE" cves show CVE-2024-90002 --kernel 6.1.3 --server "$server" >"$scratch/waits" 2>&1 9>&- &
waits=$!
ok 'at the limit of clients' wait_for 5 logged 1 'as many as --max-clients'
ok '  the next one waits' kill -0 "$waits"
release
wait "$waits"
is "$?" 0 '  and is served when one leaves'
stop "$server_pid"

start_server -d "$db" --max-per-address 2 --idle-timeout 300ms
mark
hold 5
ok 'loopback knows no limit for one address' wait_for 5 logged 5 'method=Version .*status=ok'
ok 'silent clients are dropped' wait_for 10 logged 5 'connection ended: network: silent for 300 ms'
release
stop "$server_pid"

# Addresses that are not loopback: this machine's own, where it has one. The kernel finds it; nothing is sent.
own=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("198.51.100.1", 9))
print(s.getsockname()[0])' 2>"$scratch/null")
if [ -n "$own" ]; then
  start_server -d "$db" -s "$own:0" --insecure --max-per-address 2
  server=$own:${server##*:}
  mark
  hold 2
  run "$TUXTAPE" cves show CVE-2024-90002 --kernel 6.1.3 --server "$server" --timeout 5s
  isnt "$status" 0 'one address has as many connections as --max-per-address says'
  ok '  which is logged' wait_for 5 logged 1 "from=$own connection refused: more than 2 at once"
  release
  ok '  and another one when they have left' wait_for 10 "$TUXTAPE" cves show CVE-2024-90002 --kernel 6.1.3 --server "$server"
  stop "$server_pid"
fi

# ---- A crash takes one client with it; only a build with sanitizers has the call for it.
start_server -d "$db"
mark
hold 3
if grep -q __asan_init "$TUXTAPE"; then
  "$O/t/rpctool" "$server" crash >"$scratch/null" 2>&1
  ok 'a worker that crashes is buried' wait_for 10 logged 1 'the worker of 127.0.0.1 was killed by signal 6'
else
  not_ok 'no client can make a worker crash' "$O/t/rpctool" "$server" crash
fi
good '  others go on'
is "$(tail -n "+$((seen + 1))" "$server_log" | grep -c 'connection ended')" 0 '  and no other connection ended'
release

# ---- TLS

stop "$server_pid"
cert init
cert issue gate --role server --host 127.0.0.1
cert issue gate2 --role server --host 127.0.0.1
cert issue alice --role viewer
cp "$scratch/ca/gate.crt" "$scratch/ca/gate.key" "$scratch"
tls=(--tls --tls-ca-path "$scratch/ca/ca.crt" --tls-cert-path "$scratch/ca/alice.crt" --tls-key-path "$scratch/ca/alice.key")
start_server -d "$db" -t --tls-cert-path "$scratch/gate.crt" --tls-key-path "$scratch/gate.key" --tls-ca-path "$scratch/ca/ca.crt" \
  --max-clients 260 --handshake-timeout 1500ms
good 'TLS, before' "${tls[@]}"
fds_before=$(descriptors) memory_before=$(memory)
survives slow 200 'ended: protocol: plain text where TLS was expected' "${tls[@]}"
survives garbage 200 'ended: protocol: neither TLS nor text: the first byte is 0x7f' "${tls[@]}"
survives http 200 'ended: protocol: plain text where TLS was expected' "${tls[@]}"
survives hello 200 'ended: network: no TLS handshake within 1500 ms' "${tls[@]}"
as_before 'TLS, after them'

# Certificates replaced while it runs.
shown() {
  openssl s_client -connect "$server" </dev/null 2>&1 | openssl x509 -noout -subject 2>&1
}
like "$(shown)" 'CN ?= ?gate,|CN ?= ?gate$|OU.*CN ?= ?gate$' 'the certificate that is shown'
cp "$scratch/ca/gate2.crt" "$scratch/gate.crt"
cp "$scratch/ca/gate2.key" "$scratch/gate.key"
kill -HUP "$server_pid"
ok 'certificates are read again' wait_for 10 grep -q 'certificates and revocations were read again' "$server_log"
renewed() {
  [[ $(shown) =~ gate2 ]]
}
ok '  and new connections see the new one' wait_for 10 renewed
good '  and are served' "${tls[@]}"
stop "$server_pid"

# ---- systemd's two protocols

python3 t/sdtool.py notify "$scratch/told" "$TUXTAPE" server -d "$db" -s 127.0.0.1:0 >"$scratch/pid" 2>"$scratch/sd.log" &
notified=$!
processes+=("$notified")
ok 'READY=1 when it serves' wait_for 10 grep -qx 'READY=1' "$scratch/told"
kill "$(cat "$scratch/pid")"
wait "$notified"
is "$?" 0 '  SIGTERM ends it'
is "$(tail -n 1 "$scratch/told")" 'STOPPING=1' '  and STOPPING=1 is the last that is told'

python3 t/sdtool.py activate "$scratch/port" "$TUXTAPE" server -d "$db" -s 127.0.0.1:1 >"$scratch/sd.log" 2>&1 &
server_pid=$!
processes+=("$server_pid")
wait_for 10 test -s "$scratch/port"
server=127.0.0.1:$(cat "$scratch/port")
good 'a socket that was passed is served'
like "$(cat "$scratch/sd.log")" '1 sockets come from systemd' '  in place of the options'"'"
stop "$server_pid"
is "$status" 0 '  and it ends as any other'
done_testing
