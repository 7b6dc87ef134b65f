#!/usr/bin/env bash
# Every fuzz target has seeds and survives them.
. t/lib.sh

for source in t/fuzz/fuzz_*.c; do
  name=$(basename "$source" .c)
  seeds=(t/fuzz/corpus/"${name#fuzz_}"/*)
  ok "$name has seeds" test -e "${seeds[0]}"
  ok "$name survives ${#seeds[@]} inputs" "$O/fuzz/$name" "${seeds[@]}"
done
done_testing
