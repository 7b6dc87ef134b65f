#!/usr/bin/env bash
# Screens of the dashboard's engine: each script of t/dash prints what its golden file holds. GENERATE=1 rewrites those, to be looked through as
# a diff.
. "${TEST_LIB:-t/lib.sh}"
dashtool=$O/t/dashtool

# What names and messages from outside may hold.
{
  printf 'plain\n\033[31mred\033[0m \033]0;title\007 \033[2J\n'
  printf 'tab\there, carriage\rreturn, nul \001 and delete \177\n'
  printf 'wide 日本語 한국어 😀, combining e\xcc\x81 a\xcc\x8a\xcc\x81\xcc\x82 \xcc\x81alone\n'
  printf 'right to left \xe2\x80\xae override, zero\xe2\x80\x8bwidth, not UTF-8 \xff\xfe \xc3\n'
  printf '%010000d\n' 0
  for i in $(seq 2000); do printf '日本 '; done
  printf '\nend\n'
} >"$scratch/hostile"
cat >"$scratch/config" <<'EOT'
[keybindings.Normal]
x = "ScrollDown"
"<F2>" = "Help"
"?" = ""
shift-h = "TabLeft"
[colors]
critical = "bold white on red"
EOT

for script in t/dash/*.script; do
  name=$(basename "$script" .script)
  golden=${script%.script}.golden
  options=$(sed -n 's/^# options: //p' "$script" | sed -e "s,HOSTILE,$scratch/hostile," -e "s,CONFIG,$scratch/config,")
  # shellcheck disable=SC2086
  run "$dashtool" $options --script "$script"
  is_exit 0 "$name"
  [ -z "${GENERATE:-}" ] || cp "$scratch/out" "$golden"
  same "$scratch/out" "$golden" '  is as it was'
  is "$(LC_ALL=C tr -d '\n\40-\176\200-\377' <"$scratch/out" | od -An -c)" '' '  and holds no control character'
done

run "$dashtool" --script <(echo)
is_exit 1 'a script that is no file'
script() {
  printf '%s\n' "$@" >"$scratch/script"
  run "$dashtool" --script "$scratch/script"
}
script 'wait' 'expect CVE-1999-0001'
is_exit 1 'an expectation that is not met'
like "$err" "script:2: the screen does not show 'CVE-1999-0001'" '  says which'
like "$out" 'CVE-2021-00115' '  and shows the screen'
script 'wait' 'absent CVEs'
is_exit 1 'nor may what is unwanted be there'
for line in 'frobnicate' 'size 80' 'size 0x0' 'size 80x9999' 'key' 'key <Nope>' 'click 1' 'wheel 1 1 sideways' 'tick soon' 'styles maybe'; do
  script "$line"
  is_exit 1 "'$line'"
  like "$err" 'script:1: ' '  is told with its line'
done
script 'wait' "dump $scratch/nowhere/file"
is_exit 1 'a dump that cannot be written'
script 'key q' 'frobnicate'
is_exit 0 'nothing behind the end of the dashboard is run'
printf '[keybindings.Normal]\nq = "Quti"\n' >"$scratch/bad"
run "$dashtool" --config "$scratch/bad" --script t/dash/empty.script
is_exit 1 'a binding to nothing'
like "$err" "bad:2: there is no action 'Quti'; did you mean 'Quit'\?" '  is told with its place'
is "$("$dashtool" --actions | cut -f1 | sort | uniq -d)" '' 'each action has a name of its own'
is "$("$dashtool" --actions | cut -f2 | tr ' ' '\n' | sort | uniq -d)" '' 'and keys of its own'
done_testing
