#!/usr/bin/env bash
# bench/dash.sh: the dashboard's engine on 15,000 rows at 200x60: the slowest of many keys from event to drawn cells, and what a move of
# the cursor writes to the terminal. Prints rows of a Markdown table. O names the build's directory.
set -euo pipefail
O=${O:-build}
scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/tuxtape-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export TERM=xterm-256color LC_ALL=C.UTF-8

slowest=$("$O/t/dashtool" --rows 15000 --bench j k '<PgDn>' G g S n / u s e '<Backspace>' '<Esc>' f u s e '<Backspace>' '<Esc>' '<Tab>' L H |
  awk '$3 > most { most = $3 } END { print most }')
"$O/t/ptytool" 200x60 j j k q -- "$O/t/dashtool" --rows 15000 >"$scratch/bytes"
bytes=$(awk '($1 == "j" || $1 == "k") && $2 > most { most = $2 } END { print most }' "$scratch/bytes")
printf '| dash: slowest key, 15,000 rows | %s ms CPU | 5 ms | %s | |\n' "$slowest" "$(awk -v a="$slowest" 'BEGIN { printf "%.2f", a / 5 }')"
printf '| dash: a move of the cursor | %s bytes | 1000 | %s | |\n' "$bytes" "$(awk -v a="$bytes" 'BEGIN { printf "%.2f", a / 1000 }')"

# The whole of it against a server, on a copy of the database that DASH_DB names: from the start of the process to the first rows and to the whole
# list, CPU of a key, and what the one that draws and the three beside it keep in memory.
[ -n "${DASH_DB:-}" ] || exit 0
sqlite3 "$DASH_DB" ".backup $scratch/db"
"$O/tuxtape" server -d "$scratch/db" -s "unix:$scratch/socket" >"$scratch/server" 2>&1 &
server=$!
trap 'kill $server; rm -rf "$scratch"' EXIT
for _ in $(seq 1000); do
  grep -q 'listening on' "$scratch/server" && break
  sleep 0.02
done
dash() {
  "$O/tuxtape" dash -s "unix:$scratch/socket" --kernel 5.15.1 --script "$1"
}
milliseconds() {
  awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}
printf 'size 200x60\nwait\ndump %s\n' "$scratch/screen" >"$scratch/list"
dash "$scratch/list"
began=$(milliseconds)
for _ in 1 2 3 4 5 6 7 8 9 10; do dash "$scratch/list"; done
took=$((($(milliseconds) - began) / 10))
rows=$(sed -n 's,.* 1/\([0-9]*\).*,\1,p' "$scratch/screen" | tail -n 1)
printf '| dash: from start to all of %s CVEs on the screen | %s ms | | | |\n' "$rows" "$took"
# 1000 keys, each with a frame drawn; what it costs without them is taken off.
cpu() {
  python3 -c 'import os, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
r = resource.getrusage(resource.RUSAGE_CHILDREN)
print((r.ru_utime + r.ru_stime) * 1000)' "$O/tuxtape" dash -s "unix:$scratch/socket" --kernel 5.15.1 --script "$1"
}
{ cat "$scratch/list"; for _ in $(seq 1000); do printf 'key j\nexpect CVE\n'; done; } >"$scratch/keys"
awk -v a="$(cpu "$scratch/keys")" -v b="$(cpu "$scratch/list")" \
  'BEGIN { k = (a - b) / 1000; printf "| dash: a key with its frame, all processes | %.2f ms CPU | 5 ms | %.2f | |\n", k, k / 5 }'
# A move of the cursor, and then the details of another CVE in words.
"$O/t/ptytool" 200x60 j j j j k j j q -- "$O/tuxtape" dash -s "unix:$scratch/socket" --kernel 5.15.1 >"$scratch/bytes"
awk '$1 == "j" || $1 == "k" { sum += $2; n++ } END { printf "| dash: a move of the cursor with the details that follow, 200x60 | %d bytes | | | |\n", sum / n }' \
  "$scratch/bytes"
# In a terminal: when the first rows are there, and the memory once all are.
python3 - "$O/tuxtape" dash -s "unix:$scratch/socket" --kernel 5.15.1 <<'END'
import fcntl, os, pty, select, struct, subprocess, sys, termios, time
began = time.monotonic()
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 60, 200, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
text, first = b'', None
while time.monotonic() - began < 3:
    if select.select([fd], [], [], 0.1)[0]:
        text += os.read(fd, 65536)
        if first is None and b'CVE-20' in text:
            first = (time.monotonic() - began) * 1000
children = lambda p: [int(c) for c in subprocess.run(['pgrep', '-P', str(p)], capture_output=True, text=True).stdout.split()]
drawer = children(pid)[0]
pss = 0
for p in [drawer] + children(drawer):
    pss += sum(int(l.split()[1]) for l in open(f'/proc/{p}/smaps_rollup') if l.startswith('Pss:'))
os.write(fd, b'q')
os.waitpid(pid, 0)
print(f'| dash: from start to the first rows in a terminal | {first:.0f} ms | 100 ms | {first / 100:.2f} | |')
print(f'| dash: memory with the list, all processes but the outermost | {pss / 1024:.1f} MB PSS | 50 MB | {pss / 1024 / 50:.2f} | |')
END
