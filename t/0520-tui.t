#!/usr/bin/env bash
# The dashboard's engine in a real terminal: what it shows, resizing, other programs, stopping; and that the terminal is as it was,
# however the process that draws ends.
. "${TEST_LIB:-t/lib.sh}"
command -v tmux >/dev/null || skip_all 'no tmux here'
. t/tmux.sh
on_screen_by=-F
dashtool=$O/t/dashtool

# shell COMMAND: typed into the shell, once it is there; `started` waits until what it prints is there.
shell() {
  keys -l "$1"
  keys Enter
}

number=0
# restored NAME: the terminal is as it was before the first start.
restored() {
  number=$((number + 1))
  if ! wait_for 20 state_is 'alternate 0 cursor 1 mouse 0'; then
    report 1 "$1: $(state)"
    return
  fi
  shell "stty -a >$scratch/stty.$number; echo done-\$((700 + $number))"
  wait_for 20 on_screen "done-$((700 + number))" || diag "$(screen)"
  same "$scratch/stty.$number" "$scratch/stty" "$1"
}

# begin OPTIONS: a fresh screen and the program in it.
begin() {
  shell "clear; $dashtool --guard $*; code=\$?; echo ended-with-\$code"
  wait_for 20 state_is 'alternate 1 cursor 0 mouse 1' && wait_for 20 on_screen 'CVE-2021-00115' || diag "$(screen)"
}

drawer() {
  pgrep -P "$(outermost "^$dashtool --guard")"
}

printf 'set -g default-terminal screen-256color\nset -g escape-time 0\nset -g status off\nset -g remain-on-exit off\n' >"$scratch/tmux.conf"
printf "PS1='prompt> '\nunset PROMPT_COMMAND\nset +o history\nbind 'set enable-bracketed-paste off'\n" >"$scratch/rc"
t new-session -d -x 80 -y 24 "env LC_ALL=C.UTF-8 bash --noprofile --rcfile $scratch/rc -i" || bail 'tmux does not start'
sees 'prompt>' 'a shell in a terminal'
shell "stty -a >$scratch/stty; echo ready-\$((1 + 1))"
sees 'ready-2' '  whose settings are kept'

begin
sees 'Score▼' 'the first screen'
is "$(state)" 'alternate 1 cursor 0 mouse 1' '  on the alternate screen, without a cursor, with the mouse'
sees '日本語のドライバ: fix' '  with wide characters'
keys j Down
sees '3/300' 'keys and arrows'
keys End
sees '300/300' 'End'
keys Home
sees '1/300' 'Home'
keys PageDown
sees '9/300' 'PgDn'
keys F1
sees 'ask for what is shown again' 'F1'
keys Escape
sees '? help' 'Esc alone'
keys -l 'f日本'
sees 'filter: 日本' 'a line is typed in UTF-8'
keys Escape
t resize-window -x 120 -y 40
sees '? help  q quit' 'a larger window'
wait_for 20 sh -c "tmux -S $scratch/tmux capture-pane -p | tail -n 1 | grep -q '^.\{100,\}q quit'"
like "$(screen | sed -n 40p)" '^Enter open .* q quit$' '  is used to its last row and column'
t resize-window -x 40 -y 10
sees '(1/3)' 'a narrow one'
t resize-window -x 80 -y 24
sees 'Details' 'and back'
off_screen() {
  ! on_screen "$1"
}
keys Home
sees 'CVE-2021-00115' 'the first rows'
keys -l $'\033[Ma0%'
ok 'the wheel scrolls' wait_for 20 off_screen 'CVE-2021-00115'
keys -l $'\033[M`0%'
sees 'CVE-2021-00115' '  and back'
keys -l $'\033[M -!'
sees 'no line' 'a click on a tab'
keys -l $'\033[M 0!'
keys 3
sees 'crash' 'a tab by number'
keys C-l
sees 'crash' 'ctrl-l'
keys q
sees 'ended-with-0' 'q ends it'
restored '  and the terminal is as it was'

begin
keys C-z
sees 'Stopped' 'ctrl-z stops it'
restored '  with the terminal as it was'
shell 'clear; fg'
sees 'Score▼' 'fg goes on'
is "$(state)" 'alternate 1 cursor 0 mouse 1' '  with the terminal taken over'
kill -TSTP "$(drawer)"
sees 'Stopped' 'a signal stops it, too'
shell 'clear; fg'
sees 'Score▼' '  and it goes on'
keys q
restored '  to its end'

begin "--run 'echo from-\$((40 + 2)); stty -a >$scratch/stty.run; cat; exit 3'"
keys Enter
sees 'diff --git' 'a view'
keys Enter
sees 'from-42' 'a program has the terminal'
wait_for 20 test -s "$scratch/stty.run"
same "$scratch/stty.run" "$scratch/stty" '  in its usual state'
is "$(state)" 'alternate 0 cursor 1 mouse 0' '  with cursor and without mouse'
keys -l 'typed'
keys Enter
sees 'typed' '  and what is typed'
keys C-z
sees 'Stopped' 'ctrl-z there stops everything'
restored '  with the terminal as it was'
shell 'clear; fg'
keys Enter
keys -l 'again'
keys Enter
sees 'again' 'fg goes on with the program'
keys C-c
sees 'the program ended with -1' 'ctrl-c ends the program, not the dashboard'
is "$(state)" 'alternate 1 cursor 0 mouse 1' '  which has the terminal again'
keys Enter
sees 'from-42' 'once more'
keys C-d
sees 'the program ended with 3' '  to its end'
keys Enter
sees 'from-42' 'and again'
kill -KILL "$(drawer)"
sees 'ended by signal 9' 'SIGKILL while a program has the terminal'
restored '  ends that, too, and is no harm'
begin "--run /nowhere/editor"
keys Enter Enter
sees 'the program ended with 127' 'a program that is not there'
keys Q
sees 'ended-with-0' '  is no harm'

for signal in KILL TERM HUP ABRT; do
  begin
  kill -$signal "$(drawer)"
  sees 'ended-with-' "the drawing process gets SIG$signal"
  case $signal in
    KILL | ABRT) sees "ended by signal $(kill -l $signal)" '  which is told' ;;
    *) sees 'ended-with-0' '  which it takes for a wish' ;;
  esac
  restored '  and the terminal is as it was'
done
begin
keys 3
sees 'crash' 'a page with a bug'
keys End Enter
sees 'ended-with-1' '  crashes'
restored '  and the terminal is as it was'
begin
kill -TERM "$(outermost "^$dashtool --guard")"
sees 'ended-with-0' 'SIGTERM to the outermost process is passed on'
restored '  and the terminal is as it was'
begin
kill -KILL "$(outermost "^$dashtool --guard")"
# What the shell says now may go to the alternate screen, which the other one then leaves.
restored 'SIGKILL to the outermost process ends the other one, too, which cleans up itself'
shell 'echo code-$code'
sees 'code-137' '  and the shell hears of it'
ok '  nothing is left' wait_for 20 sh -c "! pgrep -f '^$dashtool --guard'"

shell "clear; $dashtool --guard --nonsense; echo ended-with-\$?"
sees 'ended-with-2' 'an exit code comes through'
coloured() {
  t capture-pane -p -e | grep -qP '\x1b\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])[;m]'
}
begin
ok 'colours' wait_for 20 coloured
keys q
sees 'ended-with-0' '  end'
shell "clear; NO_COLOR=1 $dashtool --guard"
sees 'Score▼' 'NO_COLOR'
not_ok '  has none' coloured
keys q
shell 'clear; export LC_ALL=C'
shell "$dashtool --guard; clear; echo ended-with-\$?"
sees '+ CVEs ----' 'LC_ALL=C: ASCII alone'
is "$(screen | LC_ALL=C tr -d '\n\40-\176')" '' '  nothing else is on the screen'
keys q
sees 'ended-with-0' '  end'
shell "clear; LC_ALL=xx_YY.UTF-8 $dashtool --guard; clear; echo ended-with-\$?"
sees '┌ CVEs ──' 'a locale that is not installed, but UTF-8'
keys q
sees 'ended-with-0' '  end'
shell "clear; TERM=nonsense $dashtool --guard; echo ended-with-\$?"
sees "the terminal type 'nonsense' (TERM) is not known here" 'TERM names nothing'
sees 'ended-with-2' '  which is misuse'
shell "clear; TERM= $dashtool --guard; echo ended-with-\$?"
sees 'TERM is not set' 'no TERM'
shell "clear; TERM=dumb $dashtool --guard; echo ended-with-\$?"
sees 'cannot move its cursor' 'a terminal that is too simple'
shell "clear; $dashtool --guard | cat"
sees 'standard output is none' 'no terminal behind standard output'
shell "clear; echo | $dashtool --guard"
sees 'standard input is none' 'nor before standard input'
shell 'export LC_ALL=C.UTF-8'
begin
process=$(drawer)
t kill-server
ok 'a terminal that goes away ends it' wait_for 20 sh -c "! kill -0 $process"

export TERM=xterm-256color
for size in 80x24 200x60; do
  most=0
  while read -r key bytes; do
    case $key in
      j | k) [ "$bytes" -le $most ] || most=$bytes ;;
    esac
  done < <("$O/t/ptytool" $size j j k j q -- "$dashtool" --rows 15000)
  ok "a move of the cursor at $size writes $most bytes" test "$most" -gt 0 -a "$most" -lt 1000
done
done_testing
