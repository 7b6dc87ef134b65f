#!/usr/bin/env bash
# The CA: what it issues, as OpenSSL sees it; revoking and renewing; names, modes, and two at once.
. "${TEST_LIB:-t/lib.sh}"
ca=$scratch/new/place/ca

cert() {
  "$TUXTAPE" cert "$@" --dir "$ca"
}

verify() {
  openssl verify -x509_strict -CAfile "$ca/ca.crt" "$@"
}

field() {
  openssl x509 -in "$1" -noout "${@:2}"
}

# ---- init
run cert init
is_exit 0 'init'
is "$out" "$ca/ca.crt"$'\n'"$ca/ca.key"$'\n'"$ca/ca.crl" '  names what it wrote'
like "$err" 'tuxtape cert issue' '  and what to do next'
is "$(stat -c %a "$ca" "$ca/ca.key" "$ca/ca.crt" "$ca/ca.crl" | tr '\n' ' ')" '700 600 644 644 ' '  modes'
text=$(field "$ca/ca.crt" -text)
like "$text" 'Version: 3' '  version 3'
like "$text" 'Signature Algorithm: ecdsa-with-SHA256' '  ECDSA with SHA-256'
like "$text" 'ASN1 OID: prime256v1' '  P-256'
like "$text" 'X509v3 Basic Constraints: critical'$'\n *''CA:TRUE, pathlen:0' '  a CA'
like "$text" 'X509v3 Key Usage: critical'$'\n *''Certificate Sign, CRL Sign'$'\n' '  for signing certificates and lists'
ok '  self-signed' verify "$ca/ca.crt"
ok '  holds for ten years' field "$ca/ca.crt" -checkend $((3649 * 86400))
not_ok '  but no longer' field "$ca/ca.crt" -checkend $((3651 * 86400))
cp "$ca/ca.key" "$scratch/ca.key"
run cert init
is_exit 1 'a second init is refused'
same "$ca/ca.key" "$scratch/ca.key" '  and the key is the old one'
mv "$ca/ca.crt" "$scratch/ca.crt"
run cert init
is_exit 1 'even where only the key is left'
same "$ca/ca.key" "$scratch/ca.key" '  and the key is the old one'
mv "$scratch/ca.crt" "$ca/ca.crt"

# ---- issue
run cert issue patches --role server --host patches.example.org --host '*.lab' --host 192.0.2.7 --host 2001:db8::7
is_exit 0 'a server'
is "$out" "$ca/patches.crt"$'\n'"$ca/patches.key" '  names what it wrote'
text=$(field "$ca/patches.crt" -text)
like "$text" 'DNS:patches.example.org, DNS:\*.lab, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7' '  its hosts'
like "$text" 'X509v3 Extended Key Usage: '$'\n *''TLS Web Server Authentication'$'\n' '  its use'
like "$text" 'X509v3 Key Usage: critical'$'\n *''Digital Signature'$'\n' '  its key usage'
like "$text" 'X509v3 Basic Constraints: '$'\n *''CA:FALSE' '  no CA'
is "$(field "$ca/patches.crt" -subject -nameopt RFC2253)" 'subject=OU=server,CN=patches' '  its name'
ok '  verifies as a server' verify -purpose sslserver -verify_hostname patches.example.org "$ca/patches.crt"
ok '  by its number' verify -purpose sslserver -verify_ip 2001:db8::7 "$ca/patches.crt"
not_ok '  not as a client' verify -purpose sslclient "$ca/patches.crt"
is "$(stat -c %a "$ca/patches.crt" "$ca/patches.key" | tr '\n' ' ')" '644 600 ' '  modes'
is "$(openssl pkey -in "$ca/patches.key" -pubout)" "$(field "$ca/patches.crt" -pubkey)" '  its key fits'

run cert issue alice --role reviewer
is_exit 0 'a person'
is "$(field "$ca/alice.crt" -subject -nameopt RFC2253)" 'subject=OU=reviewer,CN=alice' '  name and role'
unlike "$(field "$ca/alice.crt" -text)" 'Alternative Name' '  no hosts'
ok '  verifies as a client' verify -purpose sslclient -crl_check -CRLfile "$ca/ca.crl" "$ca/alice.crt"
not_ok '  not as a server' verify -purpose sslserver "$ca/alice.crt"
ok '  holds for 397 days' field "$ca/alice.crt" -checkend $((396 * 86400))
not_ok '  but no longer' field "$ca/alice.crt" -checkend $((398 * 86400))
run cert issue bob --role builder --days 5
is_exit 0 '--days'
not_ok '  is obeyed' field "$ca/bob.crt" -checkend $((6 * 86400))
isnt "$(field "$ca/alice.crt" -serial)" "$(field "$ca/bob.crt" -serial)" 'serial numbers differ'

# ---- list
run cert list
is_exit 0 'list'
like "$out" 'alice +reviewer +valid +20' '  shows name, role and state'
is "$(tail -n +2 <<<"$out" | wc -l)" 3 '  all of them'
serial=$(field "$ca/alice.crt" -serial | sed 's/.*=//' | tr A-F a-f)
like "$out" "alice .* $serial" '  with their serial numbers'
run cert list --json
is "$(perl -MJSON::PP -e 'my $l = decode_json(join("", <STDIN>)); print join " ", map { "$_->{name}/$_->{role}/" . join(",", @{$_->{hosts} // []}) } @$l' <<<"$out")" \
  'patches/server/patches.example.org,*.lab,192.0.2.7,2001:db8::7 alice/reviewer/ bob/builder/' '  as JSON, too'

# ---- revoke, renew
run openssl crl -inform DER -in "$ca/ca.crl" -noout -text -CAfile "$ca/ca.crt"
like "$err" 'verify OK' 'the list is signed by the CA'
like "$out" 'No Revoked Certificates' '  and revokes nobody'
unlike "$(openssl asn1parse -inform DER -in "$ca/ca.crl")" 'l= +0 cons: SEQUENCE' '  in a list without that field'
like "$out" 'Version 2' '  version 2'
like "$out" 'X509v3 CRL Number' '  numbered'
like "$out" 'X509v3 Authority Key Identifier' '  and says whose it is'
number() {
  openssl crl -inform DER -in "$ca/ca.crl" -noout -crlnumber | sed 's/.*=0x//'
}
before=$(number)
run cert revoke alice
is_exit 0 'revoke'
is "$out" "$ca/ca.crl" '  names the list'
run verify -crl_check -CRLfile "$ca/ca.crl" "$ca/alice.crt"
like "$out$err" 'certificate revoked' '  OpenSSL refuses her'
ok '  but not bob' verify -crl_check -CRLfile "$ca/ca.crl" "$ca/bob.crt"
ok '  the list has a higher number' test $((16#$(number))) -gt $((16#$before))
next=$(date -d "$(openssl crl -inform DER -in "$ca/ca.crl" -noout -nextupdate | sed 's/.*=//')" +%s)
ok '  and is good for 30 days' test $((next - $(date +%s))) -gt $((29 * 86400)) -a $((next - $(date +%s))) -le $((30 * 86400))
like "$(cert list)" 'alice +reviewer +revoked' '  list says so'
run cert revoke alice
is_exit 4 'a second time there is nothing to revoke'
like "$err" 'revoked at 20' '  and it is said since when'
run cert revoke carol
is_exit 4 'nor of somebody unknown'
run cert issue alice --role viewer
is_exit 0 'the name is free again'
ok '  and verifies' verify -crl_check -CRLfile "$ca/ca.crl" "$ca/alice.crt"
run cert issue alice --role viewer
is_exit 1 'a second certificate of one name is refused'
like "$err" '--renew' '  and --renew named'
cp "$ca/patches.crt" "$scratch/old.crt"
run cert issue patches --renew
is_exit 0 '--renew'
not_ok '  revokes the old one' verify -crl_check -CRLfile "$ca/ca.crl" "$scratch/old.crt"
ok '  the new one verifies' verify -crl_check -CRLfile "$ca/ca.crl" -verify_ip 192.0.2.7 "$ca/patches.crt"
like "$(field "$ca/patches.crt" -text)" 'DNS:patches.example.org, DNS:\*.lab, IP' '  for the same hosts'
run cert issue bob --renew --role admin
is "$(field "$ca/bob.crt" -subject -nameopt RFC2253)" 'subject=OU=admin,CN=bob' '  a role may change'
run cert issue dora --renew --role admin
is_exit 4 'nothing to renew'
before=$(number)
run cert crl
is_exit 0 'crl'
ok '  makes a new list' test $((16#$(number))) -gt $((16#$before))
not_ok '  that still revokes' verify -crl_check -CRLfile "$ca/ca.crl" "$scratch/old.crt"

# ---- What is refused
for name in '' Alice 'al ice' '../alice' .alice -- ca "$(printf 'a%.0s' {1..65})" 'a/b' $'a\nb' 'ä'; do
  run cert issue --role viewer --dir "$ca" -- "$name"
  is_exit 2 "the name '${name@Q}'"
done
for host in '' 'a b' 'a,b' -a 'a..b' '*' 'a.*.b' '*.*.b' 1.2.3.4/24 '[::1]' 'host:1' "$(printf 'a%.0s' {1..64})"; do
  run cert issue x --role server "--host=$host"
  is_exit 2 "the host '${host@Q}'"
done
run cert issue x --role server
is_exit 2 'a server without hosts'
like "$err" '--host' '  is told what is missing'
run cert issue x --role viewer --host a.b
is_exit 2 'a person with hosts'
run cert issue x
is_exit 2 'no role'
run cert issue x --role king
is_exit 2 'no such role'
run cert issue x --role viewer --days 0
is_exit 2 'no day at all'
run cert issue x --role viewer --days 4000
is_exit 2 'a certificate that would outlive its CA'
like "$err" '--days 3649 is the most' '  is told how long it may live'
run cert issue
is_exit 2 'no name'
run cert
is_exit 2 'no verb'
run cert burn
is_exit 2 'no such verb'
unlike "$(cert list)" ' x ' 'none of these was issued'
chmod 640 "$ca/ca.key"
run cert issue x --role viewer
is_exit 1 'a CA key that others can read'
like "$err" 'chmod 600' '  and what to do'
chmod 600 "$ca/ca.key"
cp "$ca/index" "$scratch/index"
echo "00zz mallory admin 2099-01-01T00:00:00Z - -" >>"$ca/index"
run cert list
is_exit 1 'a broken index'
like "$err" "index:$(wc -l <"$ca/index"): " '  with its line'
cp "$scratch/index" "$ca/index"
run "$TUXTAPE" cert list --dir "$scratch/nowhere"
is_exit 4 'no such CA'
like "$err" 'tuxtape cert init' '  and how to make one'
mkdir "$scratch/empty"
run "$TUXTAPE" cert issue x --role viewer --dir "$scratch/empty"
is_exit 4 'a directory that is no CA'
run "$TUXTAPE" cert init
is_exit 0 'without --dir'
ok '  it is in ~/.config' test -f "$HOME/.config/tuxtape/ca/ca.crt"
isnt "$(field "$HOME/.config/tuxtape/ca/ca.crt" -subject)" "$(field "$ca/ca.crt" -subject)" '  no two CAs have one name'

# ---- Two at once: everything that was issued is in the index and in no other's place.
for i in 1 2 3 4 5 6 7 8; do
  cert issue "many$i" --role viewer --quiet >/dev/null 2>&1 &
  cert issue one --role viewer --quiet >>"$scratch/one" 2>/dev/null &
done
wait
is "$(cert list | grep -c '^many')" 8 'eight at once are all in the index'
is "$(cert list | grep -c '^one ')" 1 'of eight for one name, one is issued'
is "$(wc -l <"$scratch/one")" 2 '  and one says so'
for i in 1 2 3 4 5 6 7 8; do
  verify "$ca/many$i.crt" >/dev/null || ok "many$i verifies" false
done
is "$(find "$ca" -name '*.??????' ! -name '*.crt' ! -name '*.key' ! -name '*.crl' | wc -l)" 0 'no temporary file is left'
done_testing
