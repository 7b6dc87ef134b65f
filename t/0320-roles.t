#!/usr/bin/env bash
# Who may do what: each method by each role, over mutual TLS, on a Unix socket, on plain loopback and by nameless clients; and the
# certificates that are refused.
. t/lib.sh
. t/server.sh
parsed_world
make_ca
for role in viewer author reviewer admin builder; do
  cert issue "the-$role" --role "$role"
done
start_server -d "$db" -t --tls-cert-path "$ca/gate.crt" --tls-key-path "$ca/gate.key" --tls-ca-path "$ca/ca.crt" --tls-crl-path "$ca/ca.crl"

# The table, written again from what the product promises: the least role, and a + where builders may, too.
methods='Health viewer +
FetchCves viewer
FetchCve viewer
FetchPatch viewer
FetchKernelConfigsMetadata viewer
FetchKernelConfig viewer
PutKernelConfig author
DeleteKernelConfig admin
FetchJobs viewer
RegisterKernelBuilder admin +
BuildKernel nobody
WatchJob viewer
CancelJob author
RetryJob author
FetchBuilders viewer
RebuildConfigs author
SubmitPatch author
ReviewPatch reviewer
WithdrawPatch author
FetchPatches viewer
FetchPatchRecord viewer
FetchAudit viewer'
ladder='viewer author reviewer admin'
rank() {
  case $1 in viewer) echo 1 ;; author) echo 2 ;; reviewer) echo 3 ;; admin) echo 4 ;; *) echo 9 ;; esac
}
expect() {
  local method least builders
  while read -r method least builders; do
    if [ "$method" = BuildKernel ]; then
      # Served at the other end alone.
      echo "$method no"
    elif [ "$1" = builder ]; then
      echo "$method $([ "$builders" = + ] && echo yes || echo no)"
    else
      echo "$method $([ "$(rank "$1")" -ge "$(rank "$least")" ] && echo yes || echo no)"
    fi
  done <<<"$methods"
}
# granted ADDRESS: what the server says to each method, as yes or no.
granted() {
  "$O/t/rpctool" "$1" methods | awk '{ print $1, $2 == "denied" || ($1 == "BuildKernel" && $2 == "usage") ? "no" : "yes" }'
}
export CA=$ca/ca.crt
for role in $ladder builder; do
  CERT=$ca/the-$role.crt KEY=$ca/the-$role.key granted "$server" >"$scratch/got"
  expect "$role" >"$scratch/want"
  same "$scratch/got" "$scratch/want" "each of $(wc -l <"$scratch/want") methods by $role"
done
# in_log NAME REGEX: a line like that comes into the server's log, which may be after the client has left.
in_log() {
  ok "$1" wait_for 10 grep -qE "$2" "$server_log"
}
in_log 'what is denied stands in the log' \
  'who=the-viewer role=viewer .*method=PutKernelConfig .*status=denied error="the-viewer is viewer: PutKernelConfig takes the role author'

# Jobs: authors change their own alone.
tls() {
  local who=$1
  shift
  run "$TUXTAPE" "$@" --server "$server" --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/$who.crt" --tls-key-path "$ca/$who.key"
}
cert issue other-author --role author
echo 'CONFIG_SMP=y' >"$scratch/config"
tls the-author config put web --kernel 6.1.3 "$scratch/config"
is_exit 0 'an author puts a config'
is "$(sqlite3 "$db" "SELECT put_by FROM kernel_config")" the-author '  under the name of the certificate'
tls other-author job cancel 1
is_exit 5 "another author's job cannot be cancelled"
like "$err" "job 1 is the-author's" '  and the line says whose it is'
tls the-author job cancel 1
is_exit 0 'one'"'"'s own can'
tls other-author job retry 1
is_exit 5 'nor queued anew'
tls the-admin job retry 1
is_exit 0 '  but by an admin'
tls the-author config rebuild --builder x
is_exit 5 'dropping what a builder made takes an admin'
tls the-admin config rebuild --builder nosuch
is_exit 4 '  and a builder that made something'
like "$err" "by a builder 'nosuch'" '  which is said'
tls the-viewer cves --kernel 6.1.3
is_exit 0 'a viewer reads'
like "$err" 'as the-viewer \(viewer\)' '  and is told who it is'
for verb in 'cves --kernel 6.1.3 --count' 'config list' 'config get web' 'job list' 'job log 1' 'job builders' 'patch list' 'patch audit'; do
  # shellcheck disable=SC2086
  tls the-builder $verb
  is_exit 5 "a builder is denied '$verb'"
  like "$err" 'the-builder is builder: reading takes the role viewer' '  and told why'
done

# Certificates that are refused, each with the reason at both ends.
refused() {
  local name=$1 reason=$2
  is_exit 5 "$name is refused"
  like "$err" "$reason" '  and the line says why'
}
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server" --tls --tls-ca-path "$ca/ca.crt"
is_exit 5 'nobody without a certificate'
like "$err" 'tuxtape cert' '  and the line says how to get one'
ca2=$scratch/ca2
"$TUXTAPE" cert --dir "$ca2" init >"$scratch/null" 2>&1
"$TUXTAPE" cert --dir "$ca2" issue mallory --role admin >"$scratch/null" 2>&1
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server" --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca2/mallory.crt" --tls-key-path "$ca2/mallory.key"
is_exit 5 "another CA's certificate is refused"
in_log '  and the log says why' 'connection ended: denied: .*signed'
tls gate cves --kernel 6.1.3
is_exit 5 "a server's certificate is no client's"
in_log '  and the log says why' 'denied: .*(use|clientAuth)'
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$scratch/self.key" -out "$scratch/self.crt" -subj /CN=self/OU=admin \
  -days 2 -addext extendedKeyUsage=clientAuth >"$scratch/null" 2>&1
chmod 600 "$scratch/self.key"
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server" --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$scratch/self.crt" --tls-key-path "$scratch/self.key"
is_exit 5 'a self-signed certificate is refused'

# signed NAME SUBJECT DAYS: a client's certificate of our CA, made by openssl.
signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$ca/$1.key" -out "$scratch/req" -subj "$2" >"$scratch/null" 2>&1 &&
    openssl x509 -req -in "$scratch/req" -CA "$ca/ca.crt" -CAkey "$ca/ca.key" -set_serial "0x$RANDOM" -days "$3" -out "$ca/$1.crt" \
      -extfile <(echo extendedKeyUsage=clientAuth) >"$scratch/null" 2>&1 && chmod 600 "$ca/$1.key"
}
signed roleless /CN=roleless 2
tls roleless cves --kernel 6.1.3
is_exit 5 'a certificate without a role'
ok '  and the line says so' wait_for 10 grep -q 'roleless has no role' "$scratch/err" "$server_log"
signed emperor /CN=emperor/OU=emperor 2
tls emperor cves --kernel 6.1.3
is_exit 5 'a role that there is not'
signed late /CN=late/OU=admin -1
tls late cves --kernel 6.1.3
is_exit 5 'an expired certificate'
in_log '  and the log says so' 'denied: .*expired'
run "$TUXTAPE" cves --kernel 6.1.3 --server "localhost.localdomain:${server##*:}" --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/the-viewer.crt" --tls-key-path "$ca/the-viewer.key"
isnt "$status" 0 "a server's certificate for another name"
run "$TUXTAPE" cves --kernel 6.1.3 --server "[::1]:${server##*:}" --tls --tls-ca-path "$ca/ca.crt" --timeout 2s
isnt "$status" 0 '  or another number'
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server" --tls --tls-ca-path "$ca2/ca.crt" --tls-cert-path "$ca/the-viewer.crt" --tls-key-path "$ca/the-viewer.key"
refused "a server of another CA" 'signed|trust'
run "$TUXTAPE" cves --kernel 6.1.3 --server "$server" --timeout 3s
isnt "$status" 0 'plain to TLS fails'
run "$TUXTAPE" cves --kernel 6.1.3 --server "http://$server" --tls
is_exit 2 'http and --tls contradict each other'

# Revocation reaches connections that are open.
coproc idle { CERT=$ca/the-viewer.crt KEY=$ca/the-viewer.key "$O/t/rpctool" "$server" pool 1; }
read -r said <&"${idle[0]}"
is "$said" ready 'a connection is open'
cert revoke the-viewer
kill -HUP "$server_pid"
ok 'after revocation and SIGHUP it ends' wait_for 5 grep -q 'who=the-viewer .*denied: .*revoked' "$server_log"
# An idle worker may be told a moment later than the one that has ended the connection.
shut_out() {
  tls the-viewer cves --kernel 6.1.3
  [ "$status" = 5 ]
}
ok 'and cannot come back' wait_for 10 shut_out
tls the-author cves --kernel 6.1.3
is_exit 0 'others go on'
exec {idle[1]}>&-
# Files that are broken leave what was read before in force.
cp "$ca/gate.crt" "$scratch/gate.crt"
echo nonsense >"$ca/gate.crt"
kill -HUP "$server_pid"
ok 'a broken certificate at SIGHUP is said' wait_for 5 grep -q 'certificates are kept as they were' "$server_log"
tls the-author cves --kernel 6.1.3
is_exit 0 '  and the old one serves on'
cp "$scratch/gate.crt" "$ca/gate.crt"
stop "$server_pid"
mv "$ca/ca.crl" "$scratch/crl"
run "$TUXTAPE" server -d "$db" -s 127.0.0.1:0 -t --tls-cert-path "$ca/gate.crt" --tls-key-path "$ca/gate.key" --tls-ca-path "$ca/ca.crt" --tls-crl-path "$ca/ca.crl"
isnt "$status" 0 'a revocation list that cannot be read stops the start'
like "$err" 'ca\.crl' '  and is named'
mv "$scratch/crl" "$ca/ca.crl"

# TLS without a CA: nameless viewers.
start_server -d "$db" -t --tls-cert-path "$ca/gate.crt" --tls-key-path "$ca/gate.key"
granted "$server" >"$scratch/got"
expect viewer >"$scratch/want"
same "$scratch/got" "$scratch/want" 'TLS without a CA: nameless clients are viewers'
stop "$server_pid"
unset CA

# Plain loopback and a Unix socket, at once.
start_server -d "$db" -s 127.0.0.1:0 -s "unix:$scratch/socket" --roles nobody=author
granted "$server" >"$scratch/got"
expect admin >"$scratch/want"
same "$scratch/got" "$scratch/want" 'plain loopback: local is admin'
is "$(stat -c %a "$scratch/socket")" 660 'a Unix socket has mode 0660'
granted "unix:$scratch/socket" >"$scratch/got"
same "$scratch/got" "$scratch/want" "  the server's own user is admin"
run "$TUXTAPE" cves --kernel 6.1.3 --server "unix:$scratch/socket"
like "$err" "as $(id -un) \\(admin\\)" '  and known by name'
if [ "$(id -u)" = 0 ]; then
  cp "$O/t/rpctool" "$scratch/rpctool"
  chmod 755 "$scratch" "$scratch/rpctool"
  chmod 666 "$scratch/socket"
  as() {
    setpriv --reuid="$1" --regid="$2" --clear-groups "$scratch/rpctool" "unix:$scratch/socket" methods |
      awk '{ print $1, $2 == "denied" || ($1 == "BuildKernel" && $2 == "usage") ? "no" : "yes" }'
  }
  as "$(id -u nobody)" "$(id -g nobody)" >"$scratch/got"
  expect author >"$scratch/want"
  same "$scratch/got" "$scratch/want" '  a user that [roles] names has that role'
  as 61234 61234 >"$scratch/got"
  expect viewer >"$scratch/want"
  same "$scratch/got" "$scratch/want" '  and any other is a viewer'
else
  ok 'other users are tried where this one is root' test "$(id -u)" != 0
fi
done_testing
