#!/usr/bin/env bash
# The man pages say what the tables hold: each option, in order, with its letter and argument, and no other.
. t/lib.sh

documented() {
  sed -n 's/^\.It \(Fl \(.\) , \)\?Fl Fl \([a-z-]*\)\( Ar \(.*\)\)\?$/\3 \2 \5/p' "$1" | awk '{ print $1, (NF > 1 && length($2) == 1 && $2 ~ /[a-zA-Z]/ && $2 !~ /^[A-Z]$/ ? $2 : "-") , (NF > 1 && $NF ~ /^[A-Z=-]+$/ ? $NF : "-") }'
}

applets=$("$TUXTAPE" --list)
like "$applets" 'parse' 'there are applets'
for applet in $applets; do
  page=man/tuxtape-$applet.1
  [ "$applet" != restore ] || page=man/tuxtape-backup.1
  ok "$applet has a man page" test -f "$page"
  documented "$page" >"$scratch/got"
  "$TUXTAPE" --list-options "$applet" | awk -F'\t' '{ print $1, $2, $3 }' >"$scratch/want"
  ok '  it has options' test -s "$scratch/want"
  same "$scratch/got" "$scratch/want" '  which the page has, in order, and no other'
  # ".Cm list , log :" below an option is the verbs that it is for.
  awk '/^\.It/ { name = $0; sub(/.*Fl Fl /, "", name); sub(/ .*/, "", name); on = /Fl Fl/ }
    on && /^\.Cm .* :$/ { sub(/^\.Cm /, ""); sub(/ :$/, ""); gsub(/ ,/, ","); print name ": " $0 } !/^\.It/ { on = 0 }' "$page" >"$scratch/verbs"
  "$TUXTAPE" --list-options "$applet" | sed -n 's/^\([a-z-]*\)\t[^\t]*\t[^\t]*\t\(\([a-z]*, \)*[a-z]*\): .*/\1: \2/p' >"$scratch/verbs.want"
  is "$(cat "$scratch/verbs")" "$(cat "$scratch/verbs.want")" '  with the verbs that each is for'
  ok '  and is listed in tuxtape(1)' grep -qx -e ".It Cm $applet" -e ".It Cm $applet .*" man/tuxtape.1
  "$TUXTAPE" "$applet" --help >"$scratch/help"
  sed -n 's/^ *\(-., \)\?--\([a-z-]*\).*/\2/p' "$scratch/help" >"$scratch/helped"
  awk '{ print $1 }' "$scratch/want" >"$scratch/names"
  same "$scratch/helped" "$scratch/names" '  and --help, too'
done
# Tables too wide for 80 columns have their words broken one a line.
for page in man/*.[1-8]; do
  is "$(groff -t -mandoc -Tutf8 -rLL=78n -wbreak "$page" 2>&1 >"$scratch/null" | grep "can't break")" '' "$page fits into 80 columns"
done
for page in man/*.[1-8]; do
  is "$(mandoc -Tlint -Wwarning "$page" 2>&1)" '' "$page is sound"
done
tables=$(cat lib/schema*.sql | sqlite3 -bail "$scratch/schema" && sqlite3 "$scratch/schema" \
  "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name")
# All of what one paragraph tells of: "Sy a", "Sy a , b", "Sy a Ns ( columns )".
documented=$(sed -n 's/^\.It Sy \([a-z_]*\).*/\1/p' man/tuxtape-database.5 | sort)
like "$tables" 'cve_instance' 'there are tables'
is "$documented" "$tables" 'the tables are documented, each and no other'
like "$(tr '\n' ' ' <man/tuxtape-database.5)" "is the version of its schema, $(sed -n 's/^#define DB_VERSION \([0-9]*\).*/\1/p' lib/db.h) now" \
  'and its version is the one that is written'
done_testing
