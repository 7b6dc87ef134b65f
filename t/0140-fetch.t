#!/usr/bin/env bash
# Clone and fetch: in steps that survive kills, over git:// and HTTP(S), into mirrors of our own and into repositories of others.
. t/lib.sh
. t/dump.sh
own_world
tool=$O/t/repotool
mirror=$scratch/mirror

# start_gitd ARGUMENTS: git over HTTP from $world; sets $gitd_pid, $url; its log is $scratch/log.
start_gitd() {
  rm -f "$scratch/gitd.port"
  : >"$scratch/log"
  background "$O/t/gitd" --root "$world" --port-file "$scratch/gitd.port" --log "$scratch/log" "$@"
  gitd_pid=$pid
  wait_for 20 test -s "$scratch/gitd.port" || bail "gitd does not start: $(tail -n 1 "$scratch/background")"
  url=http://127.0.0.1:$(cat "$scratch/gitd.port")
}

# fetch PATH URL [KIND] [NEED_BYTES [CA_FILE [STALL_MS]]], as an argv for run.
fetch() {
  local path=$1 from=$2
  shift 2
  "$tool" fetch "$path" "$from" "${@-linux}"
}

# refs REPO: its branches and tags.
refs() {
  git -C "$1" for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags
}

# state REPO: all that a fetch must leave alone in a repository that is not ours.
state() {
  local git
  git=$(git -C "$1" rev-parse --absolute-git-dir)
  git -C "$1" for-each-ref | grep -v refs/tuxtape/
  git -C "$1" status --porcelain 2>&1
  (cd "$git" && find . \( -path ./objects -o -path ./refs/tuxtape \) -prune -o -type f -print | LC_ALL=C sort | while read -r f; do
    [ "$f" = ./index ] || sha256sum "$f"
  done)
  git -C "$1" ls-files -s 2>/dev/null
}

# commit_on BRANCH SUBJECT: an empty commit at the origin.
commit_on() {
  git -C "$world/linux.git" update-ref "refs/heads/$1" \
    "$(git -C "$world/linux.git" commit-tree -p "$1" -m "$2" "$1^{tree}")"
}

posts() {
  grep '^POST' "$scratch/log"
}

sum_of_bytes() {
  posts | sed 's/.* bytes=\([0-9]*\) .*/\1/' | awk '{ n += $1 } END { print n + 0 }'
}

# in_packs REPO: how many objects its packs hold, one that is in two packs twice.
in_packs() {
  git -C "$1" count-objects -v | sed -n 's/^in-pack: //p'
}

# is_one_line NAME: what the last run said of its failure, progress left out.
is_one_line() {
  is "$(grep -vc '^step ' "$scratch/err")" 1 "$1"
  err=$(grep -v '^step ' "$scratch/err")
}

# ---- A first clone

start_gitd
run fetch "$mirror" "$url/linux.git"
is_exit 0 'a first clone over HTTP'
is "$out" "changed $(git -C "$world/linux.git" rev-parse HEAD)" 'says that something changed, and the tip'
same <(refs "$mirror") <(refs "$world/linux.git") 'has all branches and tags'
ok 'and all their objects' git -C "$mirror" fsck --connectivity-only --strict
is "$(git -C "$mirror" rev-parse refs/tuxtape/tip)" "$(git -C "$world/linux.git" rev-parse HEAD)" 'the tip is recorded'
is "$(git -C "$mirror" symbolic-ref HEAD)" "$(git -C "$world/linux.git" symbolic-ref HEAD)" 'HEAD is the origin'\''s'
is "$(git -C "$mirror" rev-parse --is-bare-repository) $(git -C "$mirror" config tuxtape.mirror)" 'true true' 'it is bare, and marked as a mirror'
like "$err" 'step v5.15 to v6.3 .*step v6.4 to v6.7 .*step master to linux-6.6.y ' 'release tags come first, then branches'
is "$(posts | grep -c 'haves=0')" 1 'only the first step has nothing to go by'
whole=$(sum_of_bytes)

: >"$scratch/log"
run fetch "$mirror" "$url/linux.git"
is "$status $out" "0 same $(git -C "$world/linux.git" rev-parse HEAD)" 'a fetch with nothing new says so'
is "$(cut -d ' ' -f 1 "$scratch/log")" GET 'and asks for the list of refs alone'
mv "$mirror" "$scratch/first"

git clone -q --mirror "$url/linux.git" "$scratch/git-clone.git"
is "$(git -C "$scratch/first" rev-list --objects --all | wc -l)" "$(git -C "$scratch/git-clone.git" rev-list --objects --all | wc -l)" \
  'as many objects as git finds there'
stop "$gitd_pid"

# ---- A run that is killed

start_gitd --fault 2:hang:4000
fetch "$mirror" "$url/linux.git" >"$scratch/null" 2>&1 &
victim=$!
wait_for 20 grep -q 'fault=hang' "$scratch/log"
wait_for 20 compgen -G "$mirror/objects/pack/pack_git2_*"
kill -9 "$victim"
wait "$victim" 2>/dev/null
ok 'killed in the second step, an unfinished pack is left' compgen -G "$mirror/objects/pack/pack_git2_*"
is "$(git -C "$mirror" tag -l v5.15 v6.3 v6.4)" $'v5.15\nv6.3' 'the first step is kept'
stop "$gitd_pid"
touch "$mirror/packed-refs.lock" "$mirror/HEAD.lock" "$mirror/refs/heads/master.lock" "$mirror/config.lock" "$mirror/objects/pack/tmp_pack_new"
touch -d '2 days ago' "$mirror/objects/pack/tmp_pack_old"

start_gitd
run fetch "$mirror" "$url/linux.git"
is_exit 0 'the next run goes on'
same <(refs "$mirror") <(refs "$world/linux.git") 'to the same refs'
is "$(posts | grep -c 'haves=0')" 0 'and asks for nothing that it has'
ok 'so that less comes than for a whole clone' test "$(sum_of_bytes)" -lt "$((whole * 3 / 4))"
is "$(cd "$mirror" && find . -name 'pack_git2_*' -o -name '*.lock' ! -name tuxtape.lock -o -name 'tmp_*')" ./objects/pack/tmp_pack_new \
  'what the killed run left is gone; what git may be writing stays'
rm "$mirror/objects/pack/tmp_pack_new"

for n in 1 3; do
  stop "$gitd_pid"
  start_gitd --fault "$n:close"
  run fetch "$scratch/closed" "$url/linux.git"
  is_exit 1 "an origin that hangs up at question $n"
  is "$(git -C "$scratch/closed" tag -l v6.3 v6.7 | wc -l)" "$((n - 1))" 'leaves the steps before it'
done
mkdir "$scratch/begun"
git config -f "$scratch/begun/config" tuxtape.mirror true
touch "$scratch/begun/config.lock"
stop "$gitd_pid"
start_gitd
run fetch "$scratch/begun" "$url/linux.git"
is "$status $(git -C "$scratch/begun" tag | wc -l)" "0 $(git -C "$world/linux.git" tag | wc -l)" 'a mirror that was only begun is made whole'

# ---- What is new

(
  cd "$world/linux.git" || exit
  git update-ref refs/heads/topic master
  git tag v6.1.9 linux-6.1.y
) || bail 'the origin cannot be changed'
commit_on linux-6.1.y one
commit_on linux-6.6.y two
commit_on linux-5.15.y three
git -C "$world/linux.git" tag -a -m annotated v6.1.10 linux-6.1.y
: >"$scratch/log"
before=$(in_packs "$mirror")
run fetch "$mirror" "$url/linux.git"
is "$status $out" "0 changed $(git -C "$world/linux.git" rev-parse HEAD)" 'branches moved, tags came'
same <(refs "$mirror") <(refs "$world/linux.git") 'they are fetched'
is "$(in_packs "$mirror")" $((before + 4)) 'three commits and a tag come, nothing else'
unlike "$(posts)" 'haves=0' 'by what is here'

git -C "$world/linux.git" branch -q -D topic
git -C "$world/linux.git" update-ref refs/heads/topic/deep master
git -C "$world/linux.git" tag -f v6.1.9 linux-6.6.y >"$scratch/null" 2>&1
git -C "$world/linux.git" tag -d v5.15.1 >"$scratch/null"
run fetch "$mirror" "$url/linux.git"
is_exit 0 'a branch makes room for another, a tag moves, one goes'
same <(refs "$mirror") <(refs "$world/linux.git") 'this is followed'

git -C "$world/linux.git" symbolic-ref HEAD refs/heads/linux-6.1.y
run fetch "$mirror" "$url/linux.git"
is "$out" "changed $(git -C "$world/linux.git" rev-parse linux-6.1.y)" 'another HEAD is followed'
is "$(git -C "$mirror" symbolic-ref HEAD)" refs/heads/linux-6.1.y 'in HEAD, too'
git -C "$world/linux.git" update-ref --no-deref HEAD "$(git -C "$world/linux.git" commit-tree -p master -m detached 'master^{tree}')"
run fetch "$mirror" "$url/linux.git"
is "$out" "changed $(git -C "$world/linux.git" rev-parse HEAD)" 'a HEAD without a branch is fetched'
is "$(git -C "$mirror" rev-parse HEAD)" "$(git -C "$world/linux.git" rev-parse HEAD)" 'and recorded'
git -C "$world/linux.git" symbolic-ref HEAD refs/heads/master

for ((i = 0; i < 100; i++)); do echo "create refs/tags/many-$i $(git -C "$world/linux.git" rev-parse master)"; done |
  git -C "$world/linux.git" update-ref --stdin
run fetch "$mirror" "$url/linux.git"
same <(refs "$mirror") <(refs "$world/linux.git") 'a hundred tags'
is "$(find "$mirror/refs/tags" -type f | wc -l)" 0 'do not stay a hundred files'

for ((i = 1; i <= 25; i++)); do echo "create refs/heads/linux-8.$i.y $(git -C "$world/linux.git" rev-parse master)"; done |
  git -C "$world/linux.git" update-ref --stdin
for ((i = 1; i <= 25; i++)); do commit_on "linux-8.$i.y" "8.$i"; done
run fetch "$mirror" "$url/linux.git"
same <(refs "$mirror") <(refs "$world/linux.git") 'many branches'
before=$(in_packs "$mirror")
commit_on linux-5.15.y old
commit_on linux-8.1.y new
run fetch "$mirror" "$url/linux.git"
is "$(in_packs "$mirror")" $((before + 2)) 'an old one among them moves at the cost of its one commit'

# ---- Repositories that are not ours

git clone -q --bare "$scratch/first" "$scratch/by-hand.git"
git clone -q "$scratch/first" "$scratch/tree"
git -C "$scratch/tree" config user.note mine
echo changed >>"$scratch/tree/Makefile"
echo new >"$scratch/tree/new"
git -C "$scratch/tree" add new
touch "$scratch/by-hand.git/refs/heads/x.lock" "$scratch/by-hand.git/objects/pack/pack_git2_new"
for kind in by-hand.git tree; do
  state "$scratch/$kind" >"$scratch/before"
  : >"$scratch/log"
  run fetch "$scratch/$kind" "$url/linux.git"
  is "$status $out" "0 changed $(git -C "$world/linux.git" rev-parse HEAD)" "a fetch into $kind"
  same <(state "$scratch/$kind") "$scratch/before" 'leaves HEAD, branches, tags, index, config and files alone'
  unlike "$(posts)" 'haves=0' 'goes by the branches that are there'
  is "$(git -C "$scratch/$kind" for-each-ref --format='%(objectname) %(refname:lstrip=3)' refs/tuxtape/heads)" \
    "$(git -C "$world/linux.git" for-each-ref --format='%(objectname) %(refname:lstrip=2)' refs/heads)" 'branches are in refs/tuxtape'
  is "$(git -C "$scratch/$kind" rev-parse refs/tuxtape/tags/v6.1.10)" "$(git -C "$world/linux.git" rev-parse v6.1.10)" 'and so is a new tag'
  not_ok 'one that was there is not doubled' git -C "$scratch/$kind" rev-parse -q --verify refs/tuxtape/tags/v6.1.8
  is "$(git -C "$scratch/$kind" rev-parse refs/tuxtape/tip)" "$(git -C "$world/linux.git" rev-parse HEAD)" 'and the tip'
done
ok 'locks and packs of others stay' test -e "$scratch/by-hand.git/refs/heads/x.lock" -a -e "$scratch/by-hand.git/objects/pack/pack_git2_new"
touch -d '2 days ago' "$scratch/by-hand.git/objects/pack/pack_git2_new"
git -C "$world/linux.git" branch -q -D topic/deep
run fetch "$scratch/by-hand.git" "$url/linux.git"
not_ok 'a branch that the origin dropped is dropped in refs/tuxtape' git -C "$scratch/by-hand.git" rev-parse -q --verify refs/tuxtape/heads/topic/deep
not_ok 'an unfinished pack of two days is gone' test -e "$scratch/by-hand.git/objects/pack/pack_git2_new"
run fetch "$scratch/by-hand.git" "$url/linux.git"
is "$out" "same $(git -C "$world/linux.git" rev-parse HEAD)" 'then there is nothing new'

git clone -q --bare --depth 1 "file://$scratch/first" "$scratch/shallow.git"
run fetch "$scratch/shallow.git" "$url/linux.git"
is_exit 1 'a shallow clone'
like "$err" 'shallow.git: a shallow clone .*--no-fetch' 'is refused with what helps'
mkdir "$scratch/full"
touch "$scratch/full/letter"
run fetch "$scratch/full" "$url/linux.git"
is "$status $(ls "$scratch/full")" '1 letter' 'a directory with something else in it is left alone'
like "$err" 'not a git repository' 'which is said'

if [ "$(id -u)" = 0 ]; then
  chmod 755 "$scratch"
else
  chmod -R a-w "$scratch/by-hand.git" "$scratch/first"
fi
run as_nobody env HOME=/nonexistent "$tool" fetch "$scratch/by-hand.git" "$url/linux.git" linux
is_exit 5 'a repository that cannot be written'
like "$err" 'by-hand.git: .*cannot be written: use --no-fetch or a clone' 'is named, with what to do'
run as_nobody env HOME=/nonexistent "$tool" fetch "$scratch/first" "$url/linux.git" linux
is_exit 5 'nor can a mirror that is another user'\''s'
chmod -R u+w "$scratch/by-hand.git" "$scratch/first"

# ---- What goes wrong

exec {held}>"$mirror/tuxtape.lock"
flock "$held"
run fetch "$mirror" "$url/linux.git"
is_exit 1 'two fetches at once'
like "$err" 'another process is fetching into it' 'are one too many'
exec {held}>&-

run fetch "$scratch/none" "$url/linux.git" linux 1000000000000000000
is_exit 1 'too little room for a first clone'
is_one_line 'is one line'
like "$err" 'system: .*/none: a first clone wants 1000000000.0 GB free there' 'with what it wants'
not_ok 'and nothing is made' test -e "$scratch/none"
run fetch "$mirror" "$url/linux.git" linux 1000000000000000000
is_exit 0 'a clone that is whole wants nothing'

run fetch "$scratch/none" "$url/nothing.git"
is_exit 1 'an origin that is not there'
is_one_line 'is one line'
like "$err" "network: $url/nothing.git: .*404" 'with the URL and the reason'
not_ok 'and nothing is made' test -e "$scratch/none"
stop "$gitd_pid"
run fetch "$scratch/none" "$url/linux.git"
is_one_line 'a server that is down is one line'
like "$err" "network: $url/linux.git: .*refused" 'with the reason'
run fetch "$scratch/none" "${url/:\/\//:\/\/ada:secret@}/linux.git"
like "$err" 'network: http://\*\*\*@127' 'who one is stays hidden'
unlike "$err" 'secret|ada' 'and the password'
run env https_proxy="$url" "$tool" fetch "$scratch/none" https://git.example.invalid/linux.git linux
like "$err" 'network: https://git.example.invalid/linux.git: .*127.0.0.1.*refused' 'a proxy of the environment is asked'
run fetch "$scratch/none" "$scratch/nowhere"
like "$err" "network: $scratch/nowhere: No such file" 'a path that is not there'
git init -q --bare "$scratch/empty.git"
run fetch "$scratch/none" "$scratch/empty.git"
like "$err" 'network: .*empty.git: its HEAD names no commit' 'an empty origin'
git -C "$scratch/first" for-each-ref >"$scratch/before"
run fetch "$scratch/first" "$scratch/empty.git"
is_exit 1 'an origin that lost everything'
same <(git -C "$scratch/first" for-each-ref) "$scratch/before" 'takes nothing with it'

for fault in cut:4000 cut:0 cut:20 503; do
  start_gitd --fault "1:$fault"
  run fetch "$scratch/none" "$url/linux.git"
  is_exit 1 "an answer that is $fault"
  is_one_line 'is one line'
  like "$err" "^network: $url/linux.git: ." 'with the URL'
  not_ok 'no ref names what did not come' git -C "$scratch/none" rev-parse -q --verify v5.15
  stop "$gitd_pid"
  rm -rf "$scratch/none"
done
start_gitd --fault 1:hang:4000
run timeout 20 "$tool" fetch "$scratch/none" "$url/linux.git" linux 0 - 300
is_exit 1 'an answer that stops'
like "$err" "network: $url/linux.git: silent for 1 s" 'is given up'
stop "$gitd_pid"
rm -rf "$scratch/none"

start_gitd --user ada:secret
run fetch "$scratch/none" "${url/:\/\//:\/\/ada:secret@}/linux.git"
is_exit 0 'a name and a password in the URL'
unlike "$(cat "$scratch/none/config")" secret 'are not written down'
rm -rf "$scratch/none"
run fetch "$scratch/none" "$url/linux.git"
like "$err" "network: $url/linux.git: .*auth" 'without them it is refused'
stop "$gitd_pid"

# ---- Certificates

certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$2" -addext "subjectAltName=DNS:$2" \
    -keyout "$scratch/$1.key" -out "$scratch/$1.pem" 2>"$scratch/null"
}
ok 'a certificate' certificate good localhost
ok 'and another' certificate other localhost
start_gitd --cert "$scratch/good.pem" --key "$scratch/good.key"
url=https://localhost:$(cat "$scratch/gitd.port")
run fetch "$scratch/none" "$url/linux.git"
is_exit 1 'a certificate that the machine does not trust'
is_one_line 'is one line'
like "$err" "^network: $url/linux.git: its certificate is not trusted by this machine \(see --ca-file\)" 'with what to do'
run fetch "$scratch/none" "$url/linux.git" linux 0 "$scratch/other.pem"
like "$err" "not trusted by $scratch/other.pem" 'nor does another one vouch for it'
run fetch "$scratch/none" "$url/linux.git" linux 0 "$scratch/nothing.pem"
like "$err" "$scratch/nothing.pem: No such file" 'a missing file is named'
run fetch "$scratch/none" "$url/linux.git" linux 0 "$scratch/good.key"
like "$err" "$scratch/good.key: no certificates to trust" 'so is one without certificates'
not_ok 'nothing was made' test -e "$scratch/none"
run fetch "$scratch/none" "$url/linux.git" linux 0 "$scratch/good.pem"
is_exit 0 'the right one lets it through'
same <(refs "$scratch/none") <(refs "$world/linux.git") 'over HTTPS'
stop "$gitd_pid"

# ---- Other ways

# start_daemon: git:// on a free port; sets $url. Another one may take the port first: try again.
start_daemon() {
  local port tries
  for tries in 1 2 3 4 5; do
    port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
    background "$(git --exec-path)/git-daemon" --reuseaddr --export-all --base-path="$world" --listen=127.0.0.1 --port="$port" "$world"
    url=git://127.0.0.1:$port
    wait_for 5 git ls-remote "$url/linux.git" && return
    stop "$pid"
  done
  bail "git daemon does not start ($tries tries)"
}
start_daemon
run fetch "$scratch/daemon" "$url/linux.git"
is_exit 0 'a clone over git://'
same <(refs "$scratch/daemon") <(refs "$world/linux.git") 'has all branches and tags'
commit_on linux-6.6.y four
run fetch "$scratch/daemon" "$url/linux.git"
same <(refs "$scratch/daemon") <(refs "$world/linux.git") 'and what came later'
for from in "$world/linux.git" "file://$world/linux.git"; do
  rm -rf "$scratch/local"
  run fetch "$scratch/local" "$from"
  is_exit 0 "a clone of ${from%%/*}/..."
  commit_on master five
  run fetch "$scratch/local" "$from"
  same <(refs "$scratch/local") <(refs "$world/linux.git") 'has what it should'
  ok 'and all objects' git -C "$scratch/local" fsck --connectivity-only
done

# ---- The parser

start_gitd
# own ARGUMENTS: a run of the parser on mirrors of its own.
own() {
  "$TUXTAPE" parse --no-nvd --vulns-repo "$scratch/own/vulns" --linux-repo "$scratch/own/linux" --vulns-url "$url/vulns.git" \
    --linux-url "$url/linux.git" --db "$scratch/own/db" "$@"
}
run own --dry-run
is "$(wc -l <"$scratch/log")" 0 'a dry run asks for nothing'
not_ok 'and makes nothing' test -e "$scratch/own"
vulns=$world/vulns.git
newest=$(git -C "$vulns" rev-parse snapshot-2)
git -C "$vulns" update-ref refs/heads/master "$(git -C "$vulns" rev-parse 'snapshot-1^{commit}')"
# What a first clone wants, 9 GB for both, may not be there.
mkdir -p "$scratch/own"
fetch "$scratch/own/vulns" "$url/vulns.git" vulns >"$scratch/null" 2>&1
fetch "$scratch/own/linux" "$url/linux.git" >"$scratch/null" 2>&1
run own --json
is_exit 0 'the parser fetches and reads'
is "$(jq .vulns_commit <<<"$out")" "\"$(git -C "$vulns" rev-parse master)\"" 'the commit that it fetched'
git -C "$vulns" update-ref refs/heads/master "$newest"
run own --json
is "$status $(jq -c '[.rebuilt, .withdrawn, .vulns_commit]' <<<"$out")" "0 [false,1,\"$newest\"]" 'the next day it takes what is new'
newest=$(git -C "$vulns" commit-tree -m rewritten "$newest^{tree}")
git -C "$vulns" update-ref refs/heads/master "$newest"
run own --json
is "$status $(jq -c '[.rebuilt, .vulns_commit]' <<<"$out")" "0 [true,\"$newest\"]" 'rewritten history is followed'
run parse --no-nvd --db "$scratch/fresh"
same <(dump_db "$scratch/own/db" | grep -av kernel_print) <(dump_db "$scratch/fresh" | grep -av kernel_print) 'to the database that a first run makes'
: >"$scratch/log"
run own --no-fetch
is "$status $(wc -l <"$scratch/log")" '0 0' 'without fetching nothing is asked'
if [ "$(id -u)" = 0 ]; then
  chown -R nobody "$scratch/own/vulns" "$scratch/own/linux"
  run own --no-fetch --full --json
  is "$status $(jq .vulns_commit <<<"$out")" "0 \"$newest\"" 'repositories of another user are read'
  chown -R root "$scratch/own/vulns" "$scratch/own/linux"
fi
run own --json --db "$scratch/own/nokernel" --linux-repo "$scratch/own/none" --linux-url http://127.0.0.1:1/linux.git
is_exit 3 'a kernel that was never cloned and cannot be had degrades the run'
like "$err" 'without a clone there are no patches today' '  which is said'
is "$(jq '[.cves > 0, .patches]' <<<"$out" | tr -d ' \n')" '[true,0]' '  and everything else is stored'
stop "$gitd_pid"
run own --json
is_exit 1 'without vulns.git nothing is read'
like "$err" "$url/vulns.git: .*refused" 'which is said'
done_testing
