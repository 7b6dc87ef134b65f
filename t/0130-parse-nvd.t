#!/usr/bin/env bash
# NVD's every mood: pages, throttling, errors, half answers. The run ends, degraded at worst, and the next one goes on.
. t/lib.sh
. t/dump.sh
demo_world

nvd_run() {
  run parse --db "$scratch/db" --nvd-backoff 10ms --nvd-timeout 1s --nvd-page 4 --nvd-tries 3 --json "$@"
}

start_httpd --nvd "$world/nvd.jsonl"
run parse --db "$scratch/want"
is_exit 0 'what a calm NVD says'
dump_db "$scratch/want" >"$scratch/want.txt"
stop "$httpd_pid"

for fault in 403 429now 503 520 half halfjson junk close; do
  rm -f "$scratch"/db*
  start_httpd --nvd "$world/nvd.jsonl" --fault "2-3:$fault" --log "$scratch/log"
  nvd_run
  is_exit 0 "$fault twice is overcome"
  same <(dump_db "$scratch/db") "$scratch/want.txt" '  with the same result'
  stop "$httpd_pid"

  rm -f "$scratch"/db*
  start_httpd --nvd "$world/nvd.jsonl" --fault "3-999:$fault" --log "$scratch/log2.$fault"
  nvd_run
  is_exit 3 "$fault for ever ends degraded"
  is "$(jq .nvd_complete <<<"$out")" false '  which the summary says'
  like "$err" 'NVD: ' '  and a line'
  is "$(wc -l <"$scratch/log2.$fault")" 5 '  after two pages and three tries'
  stop "$httpd_pid"
  start_httpd --nvd "$world/nvd.jsonl" --log "$scratch/log3.$fault"
  nvd_run
  is_exit 0 '  and the next run goes on'
  same <(dump_db "$scratch/db") "$scratch/want.txt" '  to the same result'
  like "$(head -n 1 "$scratch/log3.$fault")" 'startIndex=8' '  from the page it had come to'
  stop "$httpd_pid"
done

rm -f "$scratch"/db*
start_httpd --nvd "$world/nvd.jsonl" --fault 1-999:hang
began=$SECONDS
nvd_run --nvd-timeout 300ms
is_exit 3 'an NVD that never answers ends degraded'
ok '  in bounded time' test $((SECONDS - began)) -lt 20
is "$(sqlite3 "$scratch/db" 'SELECT count(*) FROM cve')" "$(sqlite3 "$scratch/want" 'SELECT count(*) FROM cve')" '  with every CVE stored'
stop "$httpd_pid"

rm -f "$scratch"/db*
start_httpd --nvd "$world/nvd.jsonl" --page-max 3 --log "$scratch/log4"
run parse --db "$scratch/db" --nvd-page 1000 --nvd-backoff 10ms
is_exit 3 'a 404 above some page size halves the page, down to a limit'
stop "$httpd_pid"
rm -f "$scratch"/db*
start_httpd --nvd "$world/nvd.jsonl" --page-max 1000 --log "$scratch/log5"
run parse --db "$scratch/db" --nvd-backoff 10ms
is_exit 0 'a 404 above 1,000 records is overcome'
like "$(cat "$scratch/log5")" 'resultsPerPage=1000' '  by a page half as long'
stop "$httpd_pid"

rm -f "$scratch"/db*
start_httpd --nvd "$world/nvd.jsonl" --key right --log "$scratch/log6"
NVD_API_KEY=wrong-one nvd_run
is_exit 3 'a bad key ends degraded'
like "$err" 'Invalid apiKey' '  with what NVD says'
unlike "$err" 'wrong-one' '  and without the key'
echo right >"$scratch/key"
chmod 644 "$scratch/key"
nvd_run --nvd-key-file "$scratch/key"
is_exit 1 'a key file that others can read is refused'
like "$err" 'chmod 600' '  with what to do'
chmod 600 "$scratch/key"
nvd_run --nvd-key-file "$scratch/key"
is_exit 0 'the right key'
like "$(tail -n 1 "$scratch/log6")" 'key=yes' '  is sent'
stop "$httpd_pid"

# Later syncs ask for what has changed since, less an hour.
start_httpd --nvd "$world/nvd.jsonl" --log "$scratch/log7"
nvd_run --nvd-fresh 0
is_exit 0 'a later sync'
like "$(head -n 1 "$scratch/log7")" 'lastModStartDate=2026-06-03T00:02:03Z' '  asks from the newest change it knows, less an hour'
stop "$httpd_pid"
sed 's/"vulnStatus": "Received"/"vulnStatus": "Analyzed"/; s/2026-06-0.T16:45:24.592/2026-06-20T00:00:00.000/' "$world/nvd.jsonl" |
  sed '/CVE-2024-90003/s/C:H.I:H.A:H/C:N\/I:N\/A:N/g' >"$scratch/newer.jsonl"
start_httpd --nvd "$scratch/newer.jsonl"
before=$(sqlite3 "$scratch/db" "SELECT count(*) FROM score WHERE origin = 'nvd'")
nvd_run --nvd-fresh 0
is_exit 0 'a score changes after it was stored'
is "$(sqlite3 "$scratch/db" "SELECT base_score FROM score WHERE origin = 'nvd' AND cve_id = 'CVE-2024-90003'")" 0.0 '  and is refreshed'
is "$(sqlite3 "$scratch/db" "SELECT count(*) FROM score WHERE origin = 'nvd'")" "$before" '  without doubling the others'

# A database from before NVD's times were kept: all is asked for again, at the pace of a first sync.
stop "$httpd_pid"
rm -f "$scratch"/db*
start_httpd --nvd "$world/nvd.jsonl"
nvd_run
sqlite3 "$scratch/db" 'ALTER TABLE cve DROP COLUMN published; DROP TABLE nvd_record; ALTER TABLE tree DROP COLUMN builder; PRAGMA user_version = 3'
stop "$httpd_pid"
start_httpd --nvd "$world/nvd.jsonl" --fault 3-999:503 --log "$scratch/log8"
nvd_run --nvd-fresh 0
is_exit 3 'an older database, and NVD fails after two pages'
unlike "$(cat "$scratch/log8")" 'lastModStartDate' '  of a sync from the beginning'
stop "$httpd_pid"
start_httpd --nvd "$world/nvd.jsonl" --log "$scratch/log9"
nvd_run --nvd-fresh 0
is_exit 0 '  and the next run goes on'
like "$(head -n 1 "$scratch/log9")" 'startIndex=8$|startIndex=8[^0-9]' '  from the page it had come to'
unlike "$(cat "$scratch/log9")" 'lastModStartDate' '  in the same sync'
same <(dump_db "$scratch/db") "$scratch/want.txt" '  to the same result'
done_testing
