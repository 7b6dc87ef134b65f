#!/usr/bin/env bash
# The dashboard as a person uses it, in a real terminal against a real server and builder: a CVE is found and its patch edited, a config made and
# its build followed; the window changes its size, the server dies and comes back; the terminal is as it was afterwards.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh
command -v tmux >/dev/null || skip_all 'no tmux here'

. t/tmux.sh

parsed_world
mini=$scratch/mini
t/make-mini-kernel "$mini" >"$scratch/null" 2>&1 || bail 'make-mini-kernel fails'
start_server -d "$db"
port=${server##*:}
background "$TUXTAPE" builder --server "$server" --linux-repo "$mini" --work-dir "$scratch/work" --min-files 3 --need-space 1000 --name forge \
  --sign-of-life 500ms --retry-pause 50ms --retry-most 200ms -j 2

cat >"$scratch/editor" <<'END'
#!/bin/sh
# What is edited is seen to be so by the test, which then lets the editor end.
echo "editing $(basename "$1")"
read -r answer
sed -i 's/^+[^+].*/& \/* by hand *\//' "$1"
END
cat >"$scratch/menu" <<'END'
#!/bin/sh
echo "choices, please"
read -r answer
echo 'CONFIG_NET=y' >>.config
END
chmod 755 "$scratch/editor" "$scratch/menu"
printf 'set -g default-terminal screen-256color\nset -g escape-time 0\nset -g status off\n' >"$scratch/tmux.conf"
printf "PS1='prompt> '\nunset PROMPT_COMMAND\nset +o history\nbind 'set enable-bracketed-paste off'\nexport VISUAL='%s' MENUCONFIG='%s'\n" \
  "$scratch/editor" "$scratch/menu" >"$scratch/rc"
t new-session -d -x 200 -y 60 "env LC_ALL=C.UTF-8 bash --noprofile --rcfile $scratch/rc -i" || bail 'tmux does not start'
sees 'prompt>' 'a shell in a terminal'
keys -l "stty -a >$scratch/stty; echo ready-\$((1 + 1))"
keys Enter
sees 'ready-2' '  whose settings are kept'
keys -l "clear; $TUXTAPE dash --server $server --linux-repo $mini --refresh 200ms --retry-most 200ms; echo ended-with-\$?"
keys Enter

# Nothing is there yet: the screen says what to do.
sees 'no config on the server yet' 'the first screen'
sees "127\\.0\\.0\\.1:$port as local \\(admin\\)" '  says who one is'
keys c
sees 'a kernel version\.\.\.' 'c'
keys -l 'version'
keys Enter
sees 'such as 6\.1\.170' '  asks for a version'
keys -l '6.1.3'
keys Enter
sees 'CVEs of 6\.1\.3: [0-9]+ open' '  whose CVEs come'

# A CVE is found, opened, and its patch edited.
keys -l '/90002'
keys Enter
sees 'Details.*' 'a search'
sees 'tapefs: do not use a block after it was put.*' '  finds it'
keys Enter
sees '^│diff --git|│diff --git a/fs/tapefs' 'Enter shows the diff'
keys e
sees 'editing CVE-2024-90002-' 'e hands the terminal to the editor'
keys Enter
sees 'a sound patch of 1 file' '  and takes it back; the patch is checked'
patch=$(echo "$XDG_DATA_HOME"/tuxtape/patches/CVE-2024-90002-*.patch)
like "$(cat "$patch")" 'by hand' '  which is in the user'"'"'s directory'
keys e
sees 'go on with your patch' 'once more: it asks'
keys Escape
keys q
sees 'CVEs of 6\.1\.3' 'back'

# A config is made, and its build followed.
keys 2
sees 'no config yet: a makes one' 'the page of configs'
keys a
sees '6\.1\.10' 'kernel versions'
keys Enter
sees 'make menuconfig, from the version' 'what to begin with'
keys Enter
sees 'Name of the new config' 'a name'
keys -l 'web'
keys Enter
sees 'choices, please' 'the tree is checked out, and menuconfig has the terminal'
keys Enter
sees 'Put web of 6\.1\.10' '  and gives it back'
keys y
sees 'Job 1: web of 6\.1\.10' 'the build is followed'
sees 'CC +net/socket\.o' '  line by line'
sees '^│done' '  to its end'
sees 'web of 6\.1\.10, done' '  which the title tells'
keys Escape
sees 'web +6\.1\.10 +1 +done' 'the config is there, and built'
keys 3
sees '1 +web +6\.1\.10 +done' 'the page of builds'
sees 'waits for work' '  and the builder'
keys r
sees 'Queue web of 6\.1\.10 again' 'r asks'
keys y
sees '2 +web +6\.1\.10 +done' '  and it is built again'
keys 1
keys c
sees '│ web ' 'the new config can be looked at'
keys -l 'web'
keys Enter
sees 'CVEs of web: [0-9]+ open' '  in the list'

# Sizes.
t resize-window -x 40 -y 10
sees '^┌ CVEs of web.{20,30}$' 'a small window'
keys 2 3 1
sees 'CVE-20' '  shows the list'
t resize-window -x 200 -y 60
sees 'In the kernels' 'and back'

# The server dies and comes back.
keys -l '/90018'
keys Enter
sees 'init: the old trace interface is off unless asked for' 'a CVE'
stop "$server_pid" KILL
sees 'the server is gone, trying again' 'the server is killed: that is told'
like "$(screen)" '│CVE-2025-90018 ' '  and what was on the screen is still there'
keys j k
keys -l '?'
sees 'show all keys' '  keys do what they did'
keys Escape
start_server -d "$db" -s "127.0.0.1:$port"
sees 'as local \(admin\)' 'it comes back by itself'
keys G
sees 'CVE-202' '  with its answers'
keys Enter
sees 'Upstream fix' '  all of them'
keys q
sees 'CVEs of web' '  as before'

# A livepatch that somebody else hands in.
keys 4
sees 'nobody has handed in a livepatch yet' 'the page of livepatches'
{
  echo "Title: $(basename "$patch" .patch)"
  cat "$patch"
} >"$scratch/handed-in.patch"
run "$TUXTAPE" patch submit "$scratch/handed-in.patch" --kernel 6.1.3 -m 'by hand' --server "$server"
is_exit 0 'somebody hands one in'
sees '1 +CVE-2024-90002 +6\.1\.3 +submitted' '  which shows by itself'
keys Enter
sees 'Revision 1' '  and opens'
keys q 1
sees 'CVEs of web' 'back at the list'

# One of the processes beside the one that draws dies.
drawer=$(pgrep -P "$(outermost "^$TUXTAPE dash --server $server")")
kill -KILL "$(pgrep -o -P "$drawer")"
sees 'the process that speaks to the server has ended: leave the dashboard' 'the process that speaks to the server dies: that is told'
keys R
sees 'has ended' '  asking for more is no harm'
keys 3
sees 'Builders' '  nor is looking elsewhere'
keys q
sees 'ended-with-0' 'q leaves'
ok '  and the terminal is as it was' wait_for 20 state_is 'alternate 0 cursor 1 mouse 0'
keys -l "stty -a >$scratch/stty.after; echo done-\$((1 + 1))"
keys Enter
sees 'done-2' '  the shell goes on'
same "$scratch/stty.after" "$scratch/stty" '  with its settings'
ok '  no process is left' wait_for 20 sh -c "! pgrep -f 'tuxtape [d]ash --server $server'"
done_testing
