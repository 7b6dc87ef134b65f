#!/usr/bin/env bash
# A kernel in miniature is configured, built, cancelled, and its profile compared with what its sources say was compiled.
. "${TEST_LIB:-t/lib.sh}"

tool=$O/t/profiletool
t/make-mini-kernel "$scratch/linux" || bail 'make-mini-kernel fails'
mkdir "$scratch/build-home"

# checkout VERSION: a new tree; sets $tree and $list.
checkout() {
  tree=$scratch/tree-$1
  list=$scratch/list-$1
  rm -rf "$tree"
  mkdir "$tree"
  git -C "$scratch/linux" archive "$1" | tar -x -C "$tree"
  git -C "$scratch/linux" ls-tree -r --name-only "$1" >"$list"
}

build() {
  run "$tool" make "$tree" "$scratch/build-home" 2
}

# lines KIND: the paths of a kind in the last profile.
lines() {
  sed -n "s/^$1 //p" <<<"$out"
}

checkout v6.1.9
export MAKEFLAGS=--no-such-flag ARCH=none
build
is_exit 0 'a build without a config, whatever the environment says'
unset MAKEFLAGS ARCH
like "$out" 'olddefconfig: exit 0.*  CC      kernel/fork.o.*-j2: exit 0' 'both steps are seen'
run "$tool" profile "$tree" "$list" 12
is_exit 0 'its profile'
is "$(lines compiled)" 'arch/x86/entry.S
arch/x86/include/asm/linkage.h
arch/x86/include/asm/sections.h
arch/x86/include/linked/deep.h
arch/x86/vmlinux.lds.S
include/linux/fork.h
include/linux/kconfig.h
include/linux/shared.h
init/main.c
init/part.c
kernel/fork.c
lib/helper.c
lib/helper.h' '  what was compiled'
is "$(lines host)" 'scripts/fixdep.c
scripts/gen.c
scripts/gen.h
tools/check.c
tools/check.h' '  what is for the build machine'
is "$(lines generated)" 'include/generated/numbers.h' '  what was generated'
is "$(lines module:)" '' '  no modules'
is "$(lines release:)" '6.1.9' '  the release'
is "$(lines compiler:)" "$(LC_ALL=C gcc --version | head -n 1)" '  the compiler'
like "$(lines 'build id:')" '^[0-9a-f]{40}$' '  the build id'
is "$(lines vmlinux:)" "$(stat -c %s "$tree/vmlinux")" '  the size'
run "$tool" profile "$tree" "$list" 14
is_exit 1 'too few files'
is "$err" "input: $tree: the build is not complete: 13 files compiled, 14 are the least that is plausible" '  are told'

checkout v6.1.10
printf '%s\n' CONFIG_NET=y CONFIG_MOD=m 'CONFIG_LOCALVERSION="-web"' CONFIG_NONE=y >"$tree/.config"
build
is_exit 0 'a build with a config'
not_ok '  from which kconfig has dropped what it does not know' grep CONFIG_NONE "$tree/.config"
run "$tool" profile "$tree" "$list" 12
is "$(lines compiled | grep -E '^(net|drivers|lib)/')" 'drivers/mod.c
lib/helper.c
lib/helper.h
lib/later.c
net/internal.h
net/socket.c' '  compiles what it asks for, modules too'
is "$(lines module:)" 'drivers/mod.ko' '  and lists the module'
is "$(lines release:)" '6.1.10-web' '  in the release that it names'

checkout v6.1.10
echo CONFIG_FAIL=y >"$tree/.config"
build
is_exit 1 'a build that fails'
is "$err" 'system: make: exit 2' '  ends with the status of make'
like "$out" 'kernel/fail.c:1:2: error: #error CONFIG_FAIL is set' '  and shows why'
run "$tool" profile "$tree" "$list" 5
is "$err" "input: $tree: the build is not complete: there is no vmlinux" '  and has no profile'

checkout v6.1.10
echo CONFIG_HANG=y >"$tree/.config"
background "$tool" make "$tree" "$scratch/build-home" 2
ok 'a build hangs' wait_for 20 grep -q hanging "$scratch/background"
stop "$pid" INT
is "$status" 1 '  is cancelled'
# What hangs ignores SIGTERM: make leaves it behind, or waits for it until SIGKILL ends both after the grace.
like "$(tail -n 1 "$scratch/background")" '^-j2: (killed by signal (15|9)|exit 2)$' '  and says so'
is "$(wc -l <"$tree/.hang.pids")" 2 '  it had started two processes that hide'
gone() {
  local p
  for p in $(cat "$tree/.hang.pids"); do
    ! grep -qsE '^State:\s*[^ZX]' "/proc/$p/status" || return 1
  done
}
ok '  which are gone' gone

checkout v6.1.10
echo CONFIG_SLOW=y >"$tree/.config"
background "$tool" make "$tree" "$scratch/build-home" 2
ok 'a slow build shows its log as it goes' wait_for 20 grep -q '3 of 30' "$scratch/background"
stop "$pid" INT
done_testing
