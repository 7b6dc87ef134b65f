#!/usr/bin/env bash
# Screens of the dashboard's pages, driven by scripts against a server: each of t/dash/pages prints what its golden file holds. GENERATE=1
# rewrites those, to be looked through as a diff.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh
. t/dash.sh
dash_fleet
cp "$db" "$scratch/before"
dash_again "$scratch/again"
run parse --db "$scratch/fresh" --no-nvd
is_exit 0 'a database without configs'
mkdir "$scratch/bin" "$scratch/here"
ln -s "$world/linux.git" "$scratch/here/linux.git"
PATH=$scratch/bin:$PATH
cat >"$scratch/bin/editor" <<'END'
#!/bin/sh
# editor HOW FILE
case $1 in
  good) sed -i 's/^+[^+].*/& \/* ours *\//' "$2" ;;
  bad) sed -i 's/^@@ -\([0-9]*\),[0-9]*/@@ -\1,99/' "$2" ;;
  wrong) sed -i 's/^ \t[a-z].*/& \/* not there *\//' "$2" ;;
  fail) exit 3 ;;
esac
END
chmod 755 "$scratch/bin/editor"
printf 'CONFIG_NET=y\nCONFIG_LOCALVERSION="$(touch pwned)"\n' >"$scratch/here/hostile.config"
printf 'CONFIG_NET=y\nCONFIG_SMP=y\n' >"$scratch/here/good.config"

# What differs from machine to machine and from run to run, in as many columns.
mask() {
  sed -E -e 's/127\.0\.0\.1:[0-9]{5}/127.0.0.1:PORT./g' -e "s,$scratch,SCRATCH,g"
}

# A server whose port has five digits, so that the columns stay.
serve() {
  start_server "$@"
  while [ ${#server} != 15 ]; do
    stop "$server_pid"
    start_server "$@"
  done
}

for script in "$PWD"/t/dash/pages/*.script; do
  name=$(basename "$script" .script)
  golden=${script%.script}.golden
  options=$(sed -n 's/^# options: //p' "$script")
  which=$(sed -n 's/^# server: //p' "$script")
  case $which in
    none)
      serve -d "$scratch/fresh"
      stop "$server_pid"
      ;;
    empty) serve -d "$scratch/fresh" ;;
    *)
      # What the server before has left beside its database is not of this one.
      rm -f "$db" "$db"-*
      cp "$scratch/${which:-before}" "$db"
      # shellcheck disable=SC2046
      serve -d "$db" $(sed -n "s,CLONE,$world/linux.git,; s/^# serve: //p" "$script")
      ;;
  esac
  # shellcheck disable=SC2086
  (cd "$scratch/here" && exec "$TUXTAPE" dash --server "$server" --linux-repo linux.git --patches patches \
    --work-dir work $options --script "$script") >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
  is_exit 0 "$name"
  mask <"$scratch/out" >"$scratch/masked"
  [ -z "${GENERATE:-}" ] || cp "$scratch/masked" "$golden"
  same "$scratch/masked" "$golden" '  is as it was'
  is "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <"$scratch/out" | od -An -c)" '' '  and holds no control character'
  stop "$server_pid"
done

# What the scripts did besides.
same "$scratch/here/out.config" <("$TUXTAPE" config get edge --db "$scratch/before" 2>"$scratch/null") 'an exported config is the config'
not_ok 'a config ran no program' test -e "$scratch/here/pwned"
like "$(ls "$scratch/here/patches")" '\.patch\.bak' 'a fresh start keeps what was edited'
like "$(cat "$scratch"/here/patches/*.bak)" 'ours' '  as it was'
unlike "$(cat "$scratch"/here/patches/*.patch)" 'ours' '  and begins with the upstream fix'

# Settings.
dash() {
  printf '%s\n' "${script[@]}" >"$scratch/script"
  run "$TUXTAPE" dash "$@" --script "$scratch/script"
}
script=(wait dump)
serve -d "$db"
mkdir -p "$scratch/poc" "$XDG_CONFIG_HOME/tuxtape"
cat >"$scratch/poc/tuxtape-dashboard-config.toml" <<END
[database]
server_url = "http://$server"
use_tls = false
tls_cert_path = "/nowhere/ca.pem"
[keybindings.Normal]
q = "Quit"
shift-h = "TabLeft"
x = "TabRight"
"<Enter>" = "Select"
END
export TUXTAPE_DASHBOARD_CONFIG=$scratch/poc
script=(wait 'key x' wait 'expect Configs' 'expect web' dump)
dash
is_exit 0 "the proof of concept's file works as it is"
like "$out" 'as local \(admin\)' '  and names the server'
dash -s 127.0.0.1:1
is_exit 1 '  a flag wins'
echo 'nonsense' >>"$scratch/poc/tuxtape-dashboard-config.toml"
dash
is_exit 1 '  what is wrong in it'
like "$err" 'tuxtape-dashboard-config.toml:10: ' '  is told with its line'
printf '[database]\nuse_tls = "yes"\n' >"$scratch/poc/tuxtape-dashboard-config.toml"
dash
like "$err" 'config.toml:2: use_tls: true or false was expected' '  in words'
TUXTAPE_DASHBOARD_CONFIG=$scratch/nowhere dash
is_exit 4 '  a file that is not there'
unset TUXTAPE_DASHBOARD_CONFIG
printf '[keybindings.Normal]\nx = "TabRight"\n[colors]\ncritical = "white on red"\n' >"$XDG_CONFIG_HOME/tuxtape/tuxtape.toml"
dash -s "$server"
is_exit 0 'keys in tuxtape.toml'
dash -s "$server" --config web --kernel 6.1.3
is_exit 2 'a config and a version'
dash -s "$server" --kernel banana
is_exit 1 'a version that is none'
dash -s "$server" operand
is_exit 2 'an operand'
script=(wait 'expect nothing')
dash -s "$server" --config nothing
is_exit 0 'a config that there is not'
run env TERM=dumb "$TUXTAPE" dash -s "$server"
is_exit 2 'without a terminal'
script=('key 3' wait)
dash -s "$server" --log-file "$scratch/log"
like "$(cat "$scratch/log")" "$server: connected" '--log-file'

# Every action and its keys stand in the man page, in the list's order, and no other.
"$O/t/dashtool" --actions | awk -F'\t' '{ print $1 "\t" $2 }' >"$scratch/want"
sed -n 's/^\.It Sy \([A-Za-z0-9]*\) Pq Li \(.*\)$/\1\t\2/p' man/tuxtape-dash.1 | sed 's/\\&//g' >"$scratch/got"
same "$scratch/got" "$scratch/want" 'the man page has every action with its keys'
sed -n 's/^	X([A-Z_]*, "\([a-z_]*\)", .*/\1/p' applets/dash_style.h >"$scratch/want"
sed -n '/^\.Sh COLOURS/,/^\.Sh ENVIRONMENT/s/^\.It Cm \([a-z_]*\)$/\1/p' man/tuxtape-dash.1 >"$scratch/got"
same "$scratch/got" "$scratch/want" '  and every colour'
done_testing
