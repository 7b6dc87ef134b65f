# shellcheck shell=bash
# Helpers of the tests that need a server. Own $server (its address), $server_pid and $server_log.

server_count=0

# start_server OPTIONS: a server on a free port of loopback unless an address is given; returns when it listens.
start_server() {
  local address port
  server_count=$((server_count + 1))
  server_log=$scratch/server.$server_count.log
  case " $* " in
    *' -s '*) address= ;;
    *) address='-s 127.0.0.1:0' ;;
  esac
  # shellcheck disable=SC2086
  "$TUXTAPE" server $address "$@" </dev/null >"$server_log" 2>&1 &
  server_pid=$!
  processes+=("$server_pid")
  wait_for 20 grep -q 'listening on' "$server_log" || bail "the server does not start: $(tail -n 3 "$server_log")"
  port=$(sed -n 's/.*listening on .*, port \([0-9]*\)$/\1/p' "$server_log" | head -n 1)
  if [ -n "$port" ]; then
    server=127.0.0.1:$port
  else
    server=$(sed -n 's/.*listening on //p' "$server_log" | head -n 1)
  fi
}

# now_ms: milliseconds of a clock that runs on.
now_ms() {
  local up
  read -r up _ </proc/uptime
  up=${up/./}
  echo $((10#$up * 10))
}

# The server's last connection to leave folds the log in, for which it locks everybody else out for a moment.
sqlite3() {
  command sqlite3 -cmd '.timeout 10000' "$@"
}

# cert ARGUMENTS: tuxtape cert in $ca. make_ca: a CA there with a certificate for a server here; $tls is what that server is started with.
ca=$scratch/ca
tls=(-t --tls-cert-path "$ca/gate.crt" --tls-key-path "$ca/gate.key" --tls-ca-path "$ca/ca.crt")
cert() {
  "$TUXTAPE" cert --dir "$ca" "$@" >"$scratch/null" 2>&1 || bail "cert $*"
}
make_ca() {
  cert init
  cert issue gate --role server --host localhost --host 127.0.0.1
}

# people NAME:ROLE...: certificates for them. as NAME ARGUMENTS: tuxtape, run by one of them.
people() {
  local who
  for who; do
    cert issue "${who%:*}" --role "${who#*:}"
  done
}
as() {
  local who=$1
  shift
  run "$TUXTAPE" "$@" --server "$server" --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/$who.crt" --tls-key-path "$ca/$who.key"
}
