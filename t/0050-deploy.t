#!/usr/bin/env bash
# deploy/: who may read what, what a failed start leads to, what cron mails. And the system's config where it may not be read.
. t/lib.sh
demo_world

# setting UNIT NAME: its values, a line each.
setting() {
  sed -n "s/^$2=//p" "deploy/$1"
}

if type systemd-analyze >"$scratch/null" 2>&1; then
  mkdir "$scratch/units"
  cp deploy/*.service deploy/*.socket deploy/*.timer "$scratch/units"
  run systemd-analyze verify --man=no "$scratch"/units/*
  is "$status $out$err" '0 ' 'systemd takes the units'
else
  diag 'no systemd to read the units'
fi

# ---- cron
line=$(sed -n 's/^17 [^ ]* \* \* \* tuxtape //p' deploy/tuxtape.cron)
ok 'there is a line for cron' test -n "$line"
unlike "$line" '(^|[^\])%' '  without a sign that cron takes for a line end'
command=${line//\\%/%}
mkdir "$scratch/bin"
cat >"$scratch/bin/tuxtape" <<'SH'
#!/bin/sh
printf '%s\n' "tuxtape parse: what $1 did, \n and all" >&2
exit "$CODE"
SH
cat >"$scratch/bin/logger" <<SH
#!/bin/sh
{ echo "\$*"; cat; } >"$scratch/syslog"
SH
chmod +x "$scratch/bin/tuxtape" "$scratch/bin/logger"
for code in 0 1 3; do
  rm -f "$scratch/syslog"
  run env PATH="$scratch/bin:$PATH" CODE=$code sh -c "$command"
  is_exit $code "cron: the exit code of a run that ends with $code is kept"
  is "$(cat "$scratch/syslog")" $'-t tuxtape-parse\ntuxtape parse: what parse did, \\n and all' '  what it says goes to syslog'
  [ $code = 0 ] || {
    is "$out" 'tuxtape parse: what parse did, \n and all' '  and is mailed'
    continue
  }
  is "$out$err" '' '  and nothing is mailed'
done

# ---- Who may read what
like "$(cat deploy/tuxtape.tmpfiles)" 'd /etc/tuxtape 0755 ' 'every user reads the config'
like "$(cat deploy/tuxtape.tmpfiles)" 'd /var/lib/tuxtape 0750 tuxtape tuxtape' '  and only the group what the parser makes'
run "$TUXTAPE" cves --config deploy/tuxtape.toml --help
is_exit 0 'the config is one'
for unit in parse server builder; do
  like "$(setting tuxtape-$unit.service Environment)" 'TUXTAPE_LINUX_REPO=/var/lib/tuxtape/git/linux' "$unit uses the clone without a config"
done
is "$(setting tuxtape-builder.service BindReadOnlyPaths)" -/var/lib/tuxtape/git/linux 'the builder sees it, and starts where it is not there'
is "$(setting tuxtape-builder.service SupplementaryGroups)" '' '  and is in no group'
mkdir -p "$scratch/var/git"
(
  umask "$(setting tuxtape-parse.service UMask)"
  "$TUXTAPE" parse -q --no-nvd --db "$scratch/var/db" --vulns-url "$world/vulns.git" --vulns-repo "$scratch/var/git/vulns" \
    --linux-url "$world/linux.git" --linux-repo "$scratch/var/git/linux"
)
is $? 0 'a first run with the umask of the unit'
is "$(find "$scratch/var/git/linux" -type f ! -perm -o+r -o -type d ! -perm -o+rx)" '' '  leaves a clone that the builder can read'
like "$(setting tuxtape-builder.service RestartPreventExitStatus)" '(^| )5( |$)' 'a builder that may not read is not started again'
unlike "$(setting tuxtape-server.service RestartPreventExitStatus)" '(^| )[14]( |$)' 'a server without a database is'
is "$(setting tuxtape-server.service Restart) $(setting tuxtape-server.service StartLimitIntervalSec)" 'on-failure 0' '  without end'

# ---- A clone that cannot be read
chmod 755 "$scratch"
program=$scratch/program
cp "$TUXTAPE" "$program"
mkdir -m 777 "$scratch/nobody"
clone=$scratch/var/git/linux
# unreadable NAME FILE: the builder ends at its start and says which file it may not read.
unreadable() {
  run as_nobody env HOME="$scratch/nobody" timeout 60 "$program" builder --server 127.0.0.1:1 --linux-repo "$clone" --work-dir "$scratch/nobody/work"
  is_exit 5 "$1: a builder ends at its start"
  like "$err" "^tuxtape builder: [^ ]*$2: Permission denied: let this user read the clone, as by .chmod -R a\\+rX $clone.\$" '  and says what to do'
}
chmod 700 "$clone"
unreadable 'a clone of somebody else' /linux
chmod 755 "$clone"
pack=$(find "$clone/objects/pack" -name '*.pack' | head -n 1)
chmod 200 "$pack"
unreadable 'a pack of somebody else' '\.pack'
chmod 444 "$pack"
chmod 700 "$scratch/var"
unreadable 'a directory of somebody else' /linux
chmod 755 "$scratch/var"
mkdir -m 555 "$scratch/fixed"
run as_nobody env HOME="$scratch/nobody" timeout 60 "$program" builder --server 127.0.0.1:1 --linux-repo "$scratch/fixed/git/linux" --work-dir "$scratch/nobody/work"
is_exit 1 'no clone, and no place to make one: a builder ends at its start'
like "$err" 'no clone of the kernel, and none can be made: .*/fixed: Permission denied' '  and says where'
as_nobody env HOME="$scratch/nobody" "$program" builder --server 127.0.0.1:1 --linux-repo "$clone" --work-dir "$scratch/nobody/work" </dev/null >"$scratch/log" 2>&1 &
processes+=($!)
ok 'with one that can be read it dials' wait_for 20 grep -q refused "$scratch/log"
stop $!

# ---- The system's config
# with_etc MODE COMMAND...: run by nobody, where /etc/tuxtape/tuxtape.toml has this mode.
with_etc() {
  # shellcheck disable=SC2016
  unshare --mount sh -c 'mount -t tmpfs tmpfs /etc && mkdir -m 755 /etc/tuxtape && printf "$2" >/etc/tuxtape/tuxtape.toml &&
    chmod "$1" /etc/tuxtape/tuxtape.toml && shift 2 && exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$0" "$@"' \
    "$scratch/nobody" "$@"
}
if with_etc 644 '' true 2>"$scratch/null"; then
  cp "$scratch/var/db" "$scratch/nobody/db"
  chown 65534:65534 "$scratch/nobody/db"
  unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME
  said='^tuxtape cves: /etc/tuxtape/tuxtape.toml may not be read by this user, and is left out'
  run with_etc 640 '[cves]\nsort = "id"\n' "$program" cves --kernel 6.1.3 --db "$scratch/nobody/db"
  is_exit 0 'a config that may not be read is left out by a client'
  like "$err" "$said" '  which is said'
  is "$(grep -c left.out <<<"$err")" 1 '  once'
  unlike "$(head -n 2 "$scratch/out")" CVE-2023-9004 '  and does not count'
  run with_etc 644 '[cves]\nsort = "id"\n' "$program" cves --kernel 6.1.3 --db "$scratch/nobody/db"
  is_exit 0 'one that may be read'
  unlike "$err" 'left out' '  is not'
  like "$(head -n 2 "$scratch/out")" CVE-2023-9004 '  and counts'
  run with_etc 640 '' "$program" --show-config
  is_exit 0 'settings can be shown without it'
  is "$(grep -c left.out <<<"$err")" 1 '  with one line, too'
  for applet in server builder parse; do
    run with_etc 640 '' timeout 20 "$program" $applet
    is_exit 5 "$applet ends without it"
    like "$err" "^tuxtape $applet: /etc/tuxtape/tuxtape.toml: Permission denied\$" '  with the reason'
    run with_etc 640 '' "$program" $applet --help
    is_exit 0 '  and gives help all the same'
    run with_etc 640 '' "$program" $applet --version
    is_exit 0 '  and its version'
  done
  run with_etc 644 'this is not TOML' "$program" cves --help
  is_exit 0 'help is given where the config is broken'
else
  diag 'no right to mount another /etc'
fi
export XDG_CONFIG_HOME=$HOME/.config
mkdir -p "$XDG_CONFIG_HOME/tuxtape"
echo 'this is not TOML' >"$XDG_CONFIG_HOME/tuxtape/tuxtape.toml"
run "$TUXTAPE" cves -h
is_exit 0 'help is given where the user'\''s is broken'
like "$out" '^Usage: tuxtape cves' '  in full'
run "$TUXTAPE" cves --kernel 6.1
is_exit 1 '  and nothing else'
done_testing
