#!/usr/bin/env bash
# The demo shows what it promises, and the commands that it ends with work as printed.
. t/lib.sh

demo=$scratch/demo
run env O="${O#"$top"/}" t/demo "$demo"
is_exit 0 'the demo runs'
said=$out
like "$said" 'CVE-2024-90002' 'it lists an open CVE'
unlike "$said" 'CVE-2023-9001' 'it does not list one that is fixed'
like "$said" $'\n--- a/fs/tapefs/inode.c\n' 'it shows a patch'

like "$said" 'CVE-2024-90002 +7\.8' 'with the score that NVD gives, which no other source does'

next=$(sed -n '/^Next, try:/,$ s/^  //p' <<<"$said")
ok 'it ends with commands' test -n "$next"
while IFS= read -r command; do
  ok "as printed: ${command/"$scratch"/}" bash -c "$command"
done <<<"$next"
like "$(cat "$demo/port")" '^[1-9][0-9]*$' 'its server came up on a port of its own'
# By its name, which holds this demo's directory: the port may be another program's by now.
run pgrep -f -- "--nvd $demo/nvd.jsonl"
is "$status $out" '1 ' 'and is gone'

# Without its server there is no demo.
mkdir -p "$scratch/broken/t"
ln -s "$TUXTAPE" "$scratch/broken/tuxtape"
ln -s /bin/false "$scratch/broken/t/httpd"
run env O="$scratch/broken" t/demo "$scratch/second"
is_exit 1 'a server that does not come up ends the demo'
like "$err" 'httpd ended before it listened' 'which is said'
done_testing
