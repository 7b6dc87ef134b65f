# shellcheck shell=bash
# A real terminal for tests: the shell functions of one tmux server, which ends with the test. Own $on_screen_by, how `sees` looks: -E or -F.

on_screen_by=-E

t() {
  tmux -u -S "$scratch/tmux" -f "$scratch/tmux.conf" "$@"
}

end_tmux() {
  t kill-server 2>/dev/null
  at_exit
}
trap end_tmux EXIT

screen() {
  t capture-pane -p
}

# outermost REGEX: of the processes that began with such a command line, the one that the others come from. Numbers of processes wrap,
# so the lowest need not be the first.
outermost() {
  local p pids
  pids=" $(pgrep -f "$1" | tr '\n' ' ')"
  for p in $pids; do
    case $pids in
      *" $(awk '/^PPid:/ { print $2 }' "/proc/$p/status") "*) ;;
      *) echo "$p" ;;
    esac
  done
}

on_screen() {
  screen | grep -q "$on_screen_by" -e "$1"
}

# sees PATTERN NAME: the screen comes to show it.
sees() {
  if wait_for 20 on_screen "$1"; then
    report 0 "$2"
  else
    report 1 "$2"
    diag "no '$1' in:"$'\n'"$(screen)"
  fi
}

keys() {
  t send-keys "$@"
}

state() {
  t display-message -p 'alternate #{alternate_on} cursor #{cursor_flag} mouse #{mouse_any_flag}'
}

state_is() {
  [ "$(state)" = "$1" ]
}
