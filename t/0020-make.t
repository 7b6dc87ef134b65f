#!/usr/bin/env bash
# make deps asks for what is missing and for nothing else; install and uninstall leave what they should.
. t/lib.sh

# Variables of the make that runs the tests must not reach these.
plain_make() {
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH="$scratch/bin:$PATH" make --no-print-directory O="${O#"$top"/}" "$@"
}

# stub NAME: a program from stdin that stands before the real one.
stub() {
  mkdir -p "$scratch/bin"
  { echo '#!/bin/sh'; cat; } >"$scratch/bin/$1"
  chmod +x "$scratch/bin/$1"
}

stub apt-get <<EOF
echo "\$DEBIAN_FRONTEND \$*" >>"$scratch/apt"
EOF
stub sudo <<'EOF'
exec "$@"
EOF
stub dpkg-query <<'EOF'
echo installed
EOF
stub pkg-config <<EOF
echo asked >>"$scratch/pkg-config"
EOF
run plain_make deps
is_exit 0 'deps with all there'
is "$out$err" '' 'it says nothing'
ok 'apt-get is not run' test ! -e "$scratch/apt"

stub dpkg-query <<'EOF'
case "$*" in *libjansson-dev* | *mandoc*) exit 1 ;; *libgit2-dev*) echo config-files ;; *) echo installed ;; esac
EOF
stub id <<'EOF'
echo 0
EOF
run plain_make deps
is_exit 0 'deps with three missing'
is "$out" 'apt-get install -y --no-install-recommends libgit2-dev libjansson-dev mandoc' 'the line is said before it is run'
is "$(cat "$scratch/apt")" 'noninteractive -qq update
noninteractive -qq install -y --no-install-recommends libgit2-dev libjansson-dev mandoc' 'apt-get gets these and asks nothing'
stub id <<'EOF'
echo 1000
EOF
run plain_make deps
like "$out" '^sudo apt-get install ' 'who is not root goes through sudo'
ok 'pkg-config is not asked before there is something to compile' test ! -e "$scratch/pkg-config"
stub apt-get <<'EOF'
exit 100
EOF
run plain_make deps
isnt "$status" 0 'packages that cannot be had fail the run'
run plain_make check
isnt "$status" 0 'check stops there, too'
rm -r "$scratch/bin"

root=$scratch/root
san=
case ${O##*/} in *-san*) san=SAN=1 ;; esac
run plain_make $san install DESTDIR="$root" PREFIX=/usr
is_exit 0 'install'
same "$TUXTAPE" "$root/usr/bin/tuxtape" 'the binary'
"$TUXTAPE" --list-aliases >"$scratch/aliases"
ok 'there are aliases' test -s "$scratch/aliases"
while read -r alias applet; do
  is "$(readlink "$root/usr/bin/$alias")" tuxtape "$alias is a link"
  "$root/usr/bin/$alias" --help >"$scratch/alias"
  "$TUXTAPE" "$applet" --help >"$scratch/applet"
  same "$scratch/alias" "$scratch/applet" "$alias answers as $applet"
  like "$(head -n 1 "$scratch/applet")" "tuxtape $applet" "  which says its name"
done <"$scratch/aliases"
for page in man/*.[1-8]; do
  same "$page" "$root/usr/share/man/man${page##*.}/${page#man/}" "$page"
done
ok 'the completion is bash' bash -n "$root/usr/share/bash-completion/completions/tuxtape"
ok 'the completion is not empty' test -s "$root/usr/share/bash-completion/completions/tuxtape"

# What another package put in the place of an alias stays.
read -r alias applet <"$scratch/aliases"
ln -sf elsewhere "$root/usr/bin/$alias"
run plain_make $san uninstall DESTDIR="$root" PREFIX=/usr
is_exit 0 'uninstall'
is "$(find "$root" ! -type d)" "$root/usr/bin/$alias" 'leaves nothing of its own'
done_testing
