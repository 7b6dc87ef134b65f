#!/usr/bin/env bash
# The dashboard where things go wrong: servers that answer nonsense, a role that may not, TLS that does not fit, a full disk, and the death of
# the process that draws.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh
. t/dash.sh
. t/tmux.sh
dash_fleet
mkdir "$scratch/here"
cd "$scratch/here" || bail 'no folder'

# dash OPTIONS: runs the script in the array `script`.
dash() {
  printf '%s\n' "${script[@]}" >"$scratch/script"
  run "$TUXTAPE" dash --linux-repo "$world/linux.git" --patches patches --work-dir work "$@" --script "$scratch/script"
}

# Servers whose messages are well formed, and nothing that ours would send. All that a person can do is done to each.
everywhere=(wait 'key j' wait 'key <Enter>' wait dump 'key e' wait 'key <Esc>' wait 'key c' dump 'key <Down>' 'key <Enter>' wait
  'key 2' wait dump 'key <Enter>' wait dump 'key <Esc>' 'key d' 'key <Enter>' wait 'key <Esc>' 'key x' 'key <Esc>' 'key b' wait 'key <Esc>'
  'key s' 'key <Down>' 'key <Enter>' 'key a' wait 'key <Enter>' 'key <Down>' 'key <Enter>' 'key <Enter>' 'key <Esc>' 'key <Esc>'
  'key 3' wait dump 'key <Enter>' wait 'key <Esc>' 'key C' 'key y' wait 'key r' 'key y' wait dump
  'key 4' wait dump 'key o' 'key <Enter>' wait 'key <Enter>' wait dump 'key d' wait 'key <Esc>' 'key A' 'type seen' 'key <Enter>' 'key y' wait
  'key W' 'key <Esc>' 'key <Esc>' dump
  'size 30x8' dump 'key 1' dump 'size 200x60' dump 'key / 3 1' dump)
bad_server() {
  "$O/t/badserver" "$scratch/$1.socket" "$1" >"$scratch/$1.out" 2>&1 &
  processes+=($!)
  wait_for 20 grep -q listening "$scratch/$1.out" || bail "no $1 server: $(cat "$scratch/$1.out")"
}
for kind in bare wild; do
  bad_server "$kind"
  script=("${everywhere[@]}")
  dash --server "unix:$scratch/$kind.socket"
  is_exit 0 "a server that answers with $kind messages"
  is "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <"$scratch/out" | od -An -c)" '' '  no control character is drawn'
done
like "$out" 'x1b\[31m' '  the sequences are shown as text'
not_ok '  and no file has the name that it gave' sh -c "ls -A patches | grep ."
bad_server cut
script=(wait 'expect the server is gone, trying again' 'expect cut.socket: closed' 'key 2' 'key 3' 'key j' 'key <Enter>' 'key ?' dump)
dash --server "unix:$scratch/cut.socket"
is_exit 0 'a server that breaks off in the midst of an answer'
bad_server silent
script=(wait 'expect no answer within' 'key j' dump)
dash --server "unix:$scratch/silent.socket" --timeout 1s
is_exit 0 'a server that never answers'

# TLS, as a viewer: everything can be seen, nothing changed, and that is told.
make_ca
cert issue vera --role viewer
printf 'CONFIG_NET=y\n' >good.config
start_server -d "$db" -t --tls-cert-path "$ca/gate.crt" --tls-key-path "$ca/gate.key" --tls-ca-path "$ca/ca.crt"
script=(wait 'expect as vera (viewer)' 'expect CVE-20'
  'key 2' wait 'expect database' 'key a' wait 'key <Enter>' 'key 4' 'type good.config' 'key <Enter>'
  'type mine' 'key <Enter>' 'expect on the server and have it built' 'key y' wait 'expect Enter tries again' dump 'key <Esc>' 'key <Esc>'
  'key D' 'key y' wait 'expect DeleteKernelConfig'
  'key 3' wait 'key r' 'key <Esc>' 'key G' 'key r' 'key y' wait dump)
dash --server "$server" --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/vera.crt" --tls-key-path "$ca/vera.key"
is_exit 0 'a viewer over TLS'
like "$out" 'PutKernelConfig.*viewer|viewer.*PutKernelConfig' '  may put no config: what was missing is told'
like "$out" 'RetryJob.*viewer|viewer.*RetryJob' '  nor queue a build'
is "$("$TUXTAPE" config list --server "$server" --tls --tls-ca-path "$ca/ca.crt" --tls-cert-path "$ca/vera.crt" --tls-key-path "$ca/vera.key" \
  --json 2>"$scratch/null" | grep -c '"mine"')" 0 '  and nothing is changed'
"$TUXTAPE" cert --dir "$scratch/other" init >"$scratch/null" 2>&1
script=(wait 'expect not connected, trying again (-s names another server)' dump)
dash --server "$server" --tls --tls-ca-path "$scratch/other/ca.crt" --tls-cert-path "$ca/vera.crt" --tls-key-path "$ca/vera.key"
is_exit 0 'a server whose certificate comes from another CA is not spoken to'
like "$out" 'not trusted|certificate' '  and why is told'
dash --server "$server" --tls --tls-ca-path "$ca/ca.crt"
is_exit 0 'without a certificate, where one is demanded'
dash --server "$server"
is_exit 0 'without TLS'
like "$out" 'TLS' '  what is wrong is told'
stop "$server_pid"

# A full disk. The log is lost, the dashboard is not.
start_server -d "$db"
not_ok '/dev/full is full' sh -c 'echo >/dev/full' 2>"$scratch/null"
script=(wait 'expect CVE-20' dump)
dash --server "$server" --log-file /dev/full
is_exit 0 'a log file on a full disk'

# Files that may not grow stand for it: first, that they do not.
title=$(sqlite3 "$db" "SELECT title FROM instance WHERE cve_id = 'CVE-2024-90002' AND fixed = '6.1.4'")
full() {
  run bash -c '(ulimit -f 0; exec "$@") 2>&1 | cat; exit ${PIPESTATUS[0]}' full "$@"
}
full cp "$scratch/script" "$scratch/here/copy"
unlike "$status" '^0$' 'a file that may not grow does not'
rm -f copy
printf '%s\n' 'env VISUAL true' wait 'type /90002' 'key <Enter>' wait 'key e' wait 'expect File too large' dump 'key <Esc>' 'key <Esc>' \
  'key 2' wait 'key x' 'key <Enter>' wait 'expect File too large' dump >"$scratch/script"
full "$TUXTAPE" dash --server "$server" --patches patches --kernel 6.1.3 --script "$scratch/script"
is_exit 0 'a patch and a config that cannot be written: that is told'
is "$(find patches . -name '*.patch*' -o -name '*.config*' | grep -v '^./good.config$')" '' '  and leave no half of a file'
echo 'mine' >"patches/$title.patch"
printf '%s\n' 'env VISUAL true' wait 'type /90002' 'key <Enter>' wait 'key e' wait 'expect edited this patch before' 'key 3' \
  wait 'expect File too large' 'absent is kept as' dump >"$scratch/script"
full "$TUXTAPE" dash --server "$server" --patches patches --kernel 6.1.3 --script "$scratch/script"
is_exit 0 'a fresh start that cannot be written'
is "$(cat "patches/$title.patch")" 'mine' "  leaves the user's patch where it was"
is "$(ls patches)" "$title.patch" '  and nothing beside it'

# The process that draws dies: the terminal is as it was. By a signal that asks, by its own fault, by force.
if command -v tmux >/dev/null; then
  printf 'set -g default-terminal screen-256color\nset -g escape-time 0\nset -g status off\n' >"$scratch/tmux.conf"
  printf "PS1='prompt> '\nunset PROMPT_COMMAND\nset +o history\nbind 'set enable-bracketed-paste off'\n" >"$scratch/rc"
  t new-session -d -x 100 -y 30 "env LC_ALL=C.UTF-8 bash --noprofile --rcfile $scratch/rc -i" || bail 'tmux does not start'
  sees 'prompt>' 'a shell'
  t send-keys -l "stty -a >$scratch/stty; echo ready-\$((1 + 1))"
  t send-keys Enter
  sees 'ready-2' '  in a terminal'
  bad_server brief
  t send-keys -l "clear; $TUXTAPE dash --server unix:$scratch/brief.socket"
  t send-keys Enter
  sees '││loading\.\.\.' 'a server that says nothing of a CVE: it is loading'
  t send-keys q
  sees '^prompt>' '  and nothing keeps q waiting'
  for death in TERM:0 SEGV:1 KILL:1; do
    signal=${death%:*}
    t send-keys -l "clear; $TUXTAPE dash --server $server --patches patches; echo $signal-ended-with-\$?"
    t send-keys Enter
    sees 'CVEs of all configs' "a dashboard, to be ended by SIG$signal"
    kill -"$signal" "$(pgrep -P "$(outermost "^$TUXTAPE dash --server $server")")"
    sees "$signal-ended-with-${death#*:}" '  the shell is back'
    ok '  the terminal is as it was' wait_for 20 state_is 'alternate 0 cursor 1 mouse 0'
    t send-keys -l "stty -a >$scratch/stty.$signal; echo $signal-done-\$((1 + 1))"
    t send-keys Enter
    sees "$signal-done-2" '  and goes on'
    same "$scratch/stty.$signal" "$scratch/stty" '  with its settings'
    ok '  no process is left' wait_for 20 sh -c "! pgrep -f 'tuxtape [d]ash --server $server'"
  done
fi
done_testing
