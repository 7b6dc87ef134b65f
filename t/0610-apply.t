#!/usr/bin/env bash
# lib/apply against git apply: on random files, patches and targets both accept the same, place hunks on the same lines and leave the same
# bytes; what git can take away again is what is called applied already.
. "${TEST_LIB:-t/lib.sh}"
count=${APPLY_CASES:-300} seed=${APPLY_SEED:-20250601}
cases=$scratch/cases

ok "$count random cases" "$O/t/applytool" random "$seed" "$count" "$cases"

# Patches with 0 to 3 lines of context; every fourth changes the file twice.
for ((i = 0; i < count; i++)); do
  cd "$cases/$i" || bail "no case $i"
  git diff --no-index --no-prefix "-U$((i / 4 % 4))" a b >p
  if ((i % 4 == 0)); then
    git diff --no-index --no-prefix "-U$((i / 4 % 4))" b c >>p
  fi
  cd "$top" || exit
done

"$O/t/applytool" cases "$cases" "$count" >"$scratch/mine" 2>"$scratch/err"
is $? 0 'every case is judged'

git_verdict() {
  if ! [ -s p ]; then
    verdict=refused
  elif (cd t && git apply --check -v ../p >../said 2>&1); then
    verdict=good
  elif grep -q 'patch with only garbage\|corrupt patch\|No valid patches\|depends on old\|still has contents' said; then
    verdict=refused
  elif (cd t && git apply --check -R ../p) >/dev/null 2>&1; then
    verdict=already
  else
    verdict=bad
  fi
}

declare -A seen=()
wrong=() placed=() bytes=()
while read -r i state; do
  cd "$cases/$i" || bail "no case $i"
  git_verdict
  case $state in
    clean | offset) mine=good ;;
    'already applied') mine=already ;;
    refused) mine=refused ;;
    *) mine=bad ;;
  esac
  seen[$state]=$((${seen[$state]:-0} + 1))
  [ "$mine" = "$verdict" ] || wrong+=("$i: git $verdict, here $state")
  if [ "$verdict" = good ] && [ "$mine" = good ]; then
    grep '^Hunk' said >want
    "$O/t/applytool" check t p 2>/dev/null | sed 1d >got
    cmp -s want got || placed+=("$i")
    # A file changed by one part and deleted by a later one is left behind by git, which deletes first and writes then.
    if ((i % 4 == 0)) && [ -e b/f ] && ! [ -e c/f ]; then
      cd "$top" || exit
      continue
    fi
    cp -r t theirs && (cd theirs && git apply --whitespace=nowarn ../p) || bytes+=("$i: git does not apply")
    mkdir -p mine
    touched=theirs/f
    [ -e theirs/f ] || touched=/dev/null
    result=mine/f
    [ -e mine/f ] || result=/dev/null
    cmp -s $touched $result || bytes+=("$i")
  fi
  cd "$top" || exit
done <"$scratch/mine"

is "${wrong[*]:-}" '' 'git says the same of each'
is "${placed[*]:-}" '' 'and puts each hunk on the same line'
is "${bytes[*]:-}" '' 'and leaves the same bytes'
for state in clean offset 'already applied' conflict 'missing file' 'exists already'; do
  isnt "${seen[$state]:-0}" 0 "some are: $state"
done
diag "$(for s in "${!seen[@]}"; do printf '%s %s; ' "$s" "${seen[$s]}"; done)"
done_testing
