#!/usr/bin/env bash
# README's session from CVE to approved patch works as printed, on the demo's world.
. "${TEST_LIB:-t/lib.sh}"
. t/server.sh

session=$(sed -n '/^## From CVE to approved patch/,/^## Speed/s/^    //p' README.md)
ok 'README has the session' test "$(wc -l <<<"$session")" -gt 15

mkdir -p "$scratch/bin"
ln -s "$TUXTAPE" "$scratch/bin/tuxtape"
export PATH=$scratch/bin:$PATH

# the_session PORT: the commands, with a port in the place of README's.
the_session() {
  local port=$1 line
  echo "cd '$scratch'"
  while IFS= read -r line; do
    case $line in
      'make demo') continue ;;
      'demo='*) line=${line/'$PWD/build/demo'/"$scratch/demo"} ;;
    esac
    line=${line//50151/$port}
    printf 'echo %q\n%s\n' "\$ $line" "$line"
    case $line in
      *'&') echo "server=\$!; for i in \$(seq 500); do (: </dev/tcp/localhost/$port) 2>/dev/null && break; sleep 0.02; done" ;;
      *'=$('* | 'as() '*) ;;
      *) echo '[ $? = 0 ] || echo "FAILED: $?"' ;;
    esac
  done <<<"$session"
  echo 'kill $server; wait $server'
}
# A port that nobody has now; when somebody is quicker than the server, all of it begins anew with another.
for try in 1 2 3 4 5; do
  rm -rf "$scratch/demo" "$scratch/livepatch.patch"
  run env O="${O#"$top"/}" t/demo "$scratch/demo"
  is_exit 0 'the demo'
  the_session "$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')" >"$scratch/session"
  run bash "$scratch/session"
  [[ $err =~ 'Address already in use' ]] || break
  diag "try $try: somebody else has the port"
done
unlike "$out" FAILED 'every command of the session works' || diag "$err"
like "$out" 'version 6\.1\.3: clean' 'the draft applies'
like "$out" 'patch 1: revision 1, approved, 1 approval' 'it is approved'
like "$out" 'Livepatch +patch 1, approved' '  which the CVE shows'
like "$out" '2 entries, sound' '  and the audit log, too'
like "$(cat "$scratch/livepatch.patch")" 'Upstream-commit: [0-9a-f]{40}' 'and the patch is there'
# The list that leaves the livepatched out is the last but two of what the session prints.
unlike "$(sed -n '/exclude-livepatched/,/export/p' <<<"$out")" 'CVE-2024-90002' '  and the CVE is no longer open'
done_testing
