#!/usr/bin/env bash
# The house stands on its floors: nothing includes upward, each foreign library has one door, and no rule of structure is broken.
# Each rule is first seen to bite, on a small house where it alone is broken.
. t/lib.sh

# house: a sound one in $scratch/house, made anew.
house() {
  rm -rf "$scratch/house"
  mkdir -p "$scratch"/house/{lib,applets,proto,t/unit}
  cd "$scratch/house" || exit
  cat >ARCHITECTURE.md <<'END'
| floor | files | what |
|---|---|---|
| 5 | tuxtape.c | main |
| 4 | applets/applet.h applets/one.c applets/two.h | applets |
| 3 | lib/answer.c lib/answer.h | both |
| 2 | lib/db.c lib/db.h lib/db_cve.c lib/schema.sql | SQL |
| 2 | lib/repo.c lib/repo.h lib/repo_git.h lib/http.c lib/tls.c | others |
| 1 | proto/tuxtape.proto lib/pb.h lib/kver.h | nouns |
| 0 | lib/base.h lib/err.c lib/err.h lib/str.c lib/str.h | ground |
END
  local file
  for file in $(grep -o '[a-z]*/[a-z_]*\.[chpsqlroto]*' ARCHITECTURE.md) tuxtape.c t/unit/str.c; do
    echo '/* Owns something. */' >"$file"
  done
  add tuxtape.c '#include "applets/applet.h"' '#include "version.h"' '#include <stdio.h>' '#include <sys/stat.h>'
  add applets/one.c '#include "applets/two.h"' '#include "lib/answer.h"' '/* SELECT #ifdef system( */ // popen('
  add lib/answer.h '#ifndef ANSWER_H' '#define ANSWER_H' '#include "lib/db.h"' '#endif'
  add lib/db_cve.c '#include "lib/db.h"' '#include <sqlite3.h>' 'const char *q = "SELECT 1";'
  add lib/db.c '#include "lib/schema.inc"'
  add lib/repo_git.h '#include "lib/repo.h"' '#include <git2.h>'
  add lib/repo.c '#include "lib/repo_git.h"' '#include <git2/sys/refs.h>' '#ifdef LIBGIT2' '#endif'
  add lib/http.c '#include <curl/curl.h>' '#include <zlib.h>'
  add lib/pb.h '#include "proto/tuxtape.pb-c.h"' '#include "lib/kver.h"' '#include <protobuf-c/protobuf-c.h>'
  add lib/str.c '#include "lib/err.h"' 'int filesystem(void);' "char c = '\"', *s = \"\\\"\", d = '\"';"
  add lib/tls.c '#include <mbedtls/ssl.h>' '#if MBEDTLS > 2' '#endif'
}

# add FILE LINE...: lines put behind what the file has.
add() {
  local file=$1
  shift
  printf '%s\n' "$@" >>"$file"
}

# breaks WANT NAME COMMAND...: after the command the sound house has this one finding.
breaks() {
  local want=$1 name=$2
  shift 2
  house
  "$@"
  cd "$top" || exit
  run perl t/floors.pl "$scratch/house"
  is "$status $out$err" "1 $want" "$name"
}

house
cd "$top" || exit
run perl t/floors.pl "$scratch/house"
is "$status $out$err" '0 ' 'a sound house'

breaks 'lib/str.c:5: includes upward: lib/pb.h, from floor 0 to 1' 'ground that includes a noun' add lib/str.c '#include "lib/pb.h"'
breaks 'lib/db.h:2: includes upward: lib/answer.h, from floor 2 to 3' 'a header counts' add lib/db.h ' # include "lib/answer.h"'
breaks 'lib/answer.c:2: includes upward: applets/two.h, from floor 3 to 4' 'lib does not know applets' \
  add lib/answer.c '#include "applets/two.h"'
breaks 'lib/http.c:4: includes its neighbour lib/repo.h on floor 2' 'doors do not know each other' add lib/http.c '#include "lib/repo.h"'
breaks 'lib/kver.h:2: includes lib/none.h, which the table does not name' 'an include that leads nowhere' \
  add lib/kver.h '#include "lib/none.h"'
breaks 'lib/answer.c:2: lib/repo_git.h is for the files behind its door' 'what stands behind a door stays there' \
  add lib/answer.c '#include "lib/repo_git.h"'
breaks 'applets/one.c:5: lib/schema.sql is for the files behind its door' 'so does the schema' \
  add applets/one.c '#include "lib/schema.inc"'

breaks 'lib/new.c: is not in the table of ARCHITECTURE.md' 'a file without a floor' add lib/new.c '/* Owns news. */'
breaks 'proto/new.proto: is not in the table of ARCHITECTURE.md' 'whatever its kind' add proto/new.proto '// News.'
breaks 'ARCHITECTURE.md: lib/gone.c stands in the table and not in the tree' 'a floor without its file' \
  add ARCHITECTURE.md '| 1 | lib/gone.c | gone |'
breaks 'ARCHITECTURE.md: lib/str.h stands on two floors' 'a file on two floors' add ARCHITECTURE.md '| 1 | lib/str.h | again |'

for library in git2.h:lib/repo.c:6 git2/sys/refs.h:lib/http.c:4 sqlite3.h:lib/answer.c:2 curl/easy.h:lib/repo.h:2 jansson.h:applets/one.c:5 mbedtls/sha256.h:lib/db.h:2 \
  curses.h:applets/two.h:2 ncursesw/curses.h:tuxtape.c:6 protobuf-c/protobuf-c.h:lib/db.c:3; do
  IFS=: read -r header file line <<<"$library"
  breaks "$file:$line: $header is not included here but by its door" "$header by $file" add "$file" "#include <$header>"
done
breaks 'lib/repo.c:6: zlib.h is included by lib/http.c and lib/repo.c: one is its door' 'zlib has one door, whichever' \
  add lib/repo.c '#include <zlib.h>'
breaks 'lib/http.c:4: uv.h belongs to no library that has a door' 'a library that nobody has thought of' add lib/http.c '#include <uv.h>'

for verb in SELECT INSERT UPDATE DELETE CREATE; do
  breaks "lib/answer.c:3: SQL ($verb) outside lib/db*.c and lib/schema.sql" "$verb beyond the database's door" \
    add lib/answer.c 'const char *q =' "\"  $verb x\";"
done
breaks 'applets/one.c:5: system(): programs are run from an argv' 'system' add applets/one.c 'int x = system ("ls");'
breaks 'lib/str.c:5: popen(): programs are run from an argv' 'popen' add lib/str.c 'void *x = popen("ls", "r");'
breaks 'lib/err.c:2: printf: lib/ never prints and never exits' 'lib prints' add lib/err.c 'int x = printf("");'
breaks 'lib/err.c:2: exit: lib/ never prints and never exits' 'lib exits' add lib/err.c 'void f(void) { exit(1); }'
breaks 'lib/str.c:5: #ifdef outside lib/base.h, lib/tls* and lib/repo*' '#ifdef' add lib/str.c '#ifdef X' '#endif'
breaks 'applets/two.h:2: #ifndef outside lib/base.h, lib/tls* and lib/repo*' 'a guard that guards nothing' add applets/two.h '#ifndef X' '#endif'
breaks 'lib/answer.h:6: #if outside lib/base.h, lib/tls* and lib/repo*' 'one beside the guard' add lib/answer.h '# if 0' '#endif'

# Makes a file of so many lines.
long() {
  yes '/* Owns length. */' | head -n "$2" >"$1"
}
breaks 'lib/err.c: 801 lines, 800 are the most' 'a file that is too long' long lib/err.c 801
breaks 't/unit/str.c: 801 lines, 800 are the most' 'a test, too' long t/unit/str.c 801
first() {
  sed -i '1i #include <stdio.h>' "$1"
}
breaks 'lib/err.c:1: opens without a comment that says what it owns' 'a file that does not say what it owns' first lib/err.c
breaks 't/unit/str.c:1: opens without a comment that says what it owns' 'a test that does not' first t/unit/str.c

run perl t/floors.pl .
is "$out$err" '' 'this house'
is "$status" 0 '  stands'
done_testing
