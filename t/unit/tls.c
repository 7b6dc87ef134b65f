/* Whom a connection lets in: what holds, every refusal with its reason at either end, and what is said of files. */
#include "tls_world.h"

/* A server and a client that shake hands and part; the client dials `host`. */
static void meet(struct tls_conf *server, struct tls_conf *client, const char *host, struct outcome *at_server,
		 struct outcome *at_client)
{
	struct tls *t;
	int ends[2];
	struct other other = start(ends, server, NULL);
	int err = tls_open(&t, ends[0], client, host);

	if (!err)
		err = tls_handshake(t, PATIENCE);
	note(at_client, err, t);
	tls_close(t);
	finish(other, at_server);
	tls_conf_free(server);
	tls_conf_free(client);
}

/* ---- What holds */

static void test_good(void)
{
	struct outcome s, c;

	meet(conf_of(true, "server", "ca", "bob.crl"), conf_of(false, "alice", "ca", NULL), "localhost", &s, &c);
	has(&s, 0, "", "mutual TLS: server");
	has(&c, 0, "", "mutual TLS: client");
	is_str(s.peer.name, "alice", "  the client's name");
	is_str(s.peer.role, "viewer", "  and role");
	ok(s.peer.named && strlen(s.peer.serial) == 32 && strncmp(s.peer.serial, "41", 2) == 0, "  and serial number");
	ok(llabs(s.peer.not_after - clock_now() - 300LL * DAY) < 100, "  and end");
	is_str(c.peer.name, "server", "  the server's name");
	meet(conf_of(true, "server", NULL, NULL), conf_of(false, NULL, "ca", NULL), "localhost", &s, &c);
	ok(s.err == 0 && c.err == 0 && !s.peer.named && c.peer.named, "a server without a CA takes nameless clients");
	meet(conf_of(true, "server", NULL, NULL), conf_of(false, "stranger", "ca", NULL), "localhost", &s, &c);
	ok(s.err == 0 && c.err == 0 && !s.peer.named && !*s.peer.name,
	   "  and believes no certificate that nobody asked for");
	meet(conf_of(true, "server", "ca", "stale.crl"), conf_of(false, "alice", "ca", "empty.crl"), "localhost", &s, &c);
	ok(s.err == 0 && c.err == 0, "a stale revocation list keeps nobody out");
	meet(conf_of(true, "server", "ca", NULL), conf_of(false, "bob", "ca", NULL), "localhost", &s, &c);
	ok(s.err == 0 && c.err == 0, "without a list nobody is revoked");
	meet(conf_of(true, "bare-server", "ca", NULL), conf_of(false, "nobody", "ca", NULL), "localhost", &s, &c);
	ok(s.err && c.err, "and what does not hold at both ends fails at both");
}

static void test_hosts(void)
{
	static const struct {
		const char *host;
		bool good;
	} hosts[] = {
		{ "localhost", true },
		{ "LOCALHOST", true },
		{ "localhost.", true },
		{ "www.example.org", true },
		{ "127.0.0.1", true },
		{ "::1", true },
		{ "0:0:0:0:0:0:0:1", true },
		{ "::1%lo", true },
		{ "localhost2", false },
		{ "ocalhost", false },
		{ "a.www.example.org", false },
		{ "example.org", false },
		{ ".example.org", false },
		{ "127.0.0.2", false },
		{ "::2", false },
		{ "*.example.com", false },
		{ "server", false },
		{ "", false },
	};
	struct outcome s, c;

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		meet(conf_of(true, "server", NULL, NULL), conf_of(false, NULL, "ca", NULL), hosts[i].host, &s, &c);
		ok((c.err == 0) == hosts[i].good, "'%s' is %sa name of the server", hosts[i].host,
		   hosts[i].good ? "" : "not ");
		if (!hosts[i].good)
			has(&c, ERR_DENIED, "is for Localhost, *.example.org, 127.0.0.1, ::1, not for",
			    "  and that is said");
	}
	meet(conf_of(true, "server", NULL, NULL), conf_of(false, NULL, "ca", NULL), NULL, &s, &c);
	has(&c, ERR_DENIED, "not for a host without a name", "a client must say whom it dialled");
}

/* ---- What does not hold: the end that refuses says why, and the other end says what the alert can tell */

static void test_refusals(void)
{
	static const struct {
		const char *server, *server_ca, *server_crl, *client, *client_ca, *client_crl;
		const char *at_server, *at_client;
	} refusals[] = {
		{ "server", "ca", "bob.crl", "bob", "ca", NULL, "the certificate of CN=bob, OU=author has been revoked",
		  "the server refused this end's certificate: it has been revoked" },
		{ "server", "ca", "stale.crl", "bob", "ca", NULL, "has been revoked", "it has been revoked" },
		{ "server", "ca", NULL, "old", "ca", NULL, "expired at 2", "it has expired" },
		{ "server", "ca", NULL, "early", "ca", NULL, "is not yet valid, but from 2", "not yet valid" },
		{ "server", "ca", NULL, "stranger", "ca", NULL, "is signed by somebody else (CN=tuxtape CA ",
		  "does not trust" },
		{ "server", "ca", NULL, "server", "ca", NULL, "is not made for a client (extended key usage clientAuth)",
		  "not made for this use" },
		{ "server", "ca", NULL, "nobody", "ca", NULL, "has no common name", "access denied" },
		{ "server", "ca", NULL, NULL, "ca", NULL, "the client has no certificate; `tuxtape cert issue",
		  "demands a client certificate; whoever keeps its CA makes one with `tuxtape cert issue" },
		{ "server", "ca", NULL, "alice", "ca", "server.crl", "it has been revoked", "has been revoked" },
		{ "old-server", "ca", NULL, "alice", "ca", NULL, "the client refused this end's certificate: it has expired",
		  "expired at 2" },
		{ "early-server", "ca", NULL, "alice", "ca", NULL, "not yet valid", "is not yet valid, but from 2" },
		{ "strange-server", "ca", NULL, "alice", "ca", NULL, "does not trust", "is signed by somebody else" },
		{ "bare-server", "ca", NULL, "alice", "ca", NULL, "not for the name that was dialled",
		  "is for no host at all (it has no subject alternative name), not for localhost" },
	};
	struct outcome s, c;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		meet(conf_of(true, refusals[i].server, refusals[i].server_ca, refusals[i].server_crl),
		     conf_of(false, refusals[i].client, refusals[i].client_ca, refusals[i].client_crl), "localhost", &s, &c);
		has(&s, ERR_DENIED, refusals[i].at_server, refusals[i].at_server);
		has(&c, ERR_DENIED, refusals[i].at_client, refusals[i].at_client);
		ok(!s.peer.named && !c.peer.named, "  and nobody is taken for anybody");
	}
}

/* What mbedtls would neither write nor send is judged without a connection. */
static void test_verdict(void)
{
	static unsigned char eve[] = "eve", alice[] = "al\0ice", cn[] = MBEDTLS_OID_AT_CN, ou[] = MBEDTLS_OID_AT_ORG_UNIT;
	struct tls_conf *conf = conf_of(false, NULL, "ca", NULL);
	struct tls_verdict v = { .conf = conf, .host = "localhost" };
	mbedtls_x509_name second = { .oid = { 0, 3, cn }, .val = { 0, 3, eve } };
	mbedtls_x509_crt cert;
	struct tls_peer peer;
	const char *wrong;
	uint32_t flags = 0;
	int bad;

	mbedtls_x509_crt_init(&cert);
	if (tls_load_certs(&cert, in("alice.crt"), &bad))
		ok(false, "%s", err_text());
	tls_judge(&v, &cert, 0, &flags);
	ok(flags & MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, "a client's certificate as a server's");
	is_str(v.reason, "the certificate of CN=alice, OU=viewer is not made for a server (extended key usage serverAuth)",
	       "  that is said");
	mbedtls_x509_crt_free(&cert);

	mbedtls_x509_crt_init(&cert);
	cert.subject = (mbedtls_x509_name){ .oid = { 0, 3, cn }, .val = { 0, 3, eve } };
	ok(tls_read_peer(&peer, &cert, &wrong) && strcmp(peer.name, "eve") == 0, "one common name");
	cert.subject.next = &second;
	ok(!tls_read_peer(&peer, &cert, &wrong) && strcmp(wrong, "has two common names") == 0, "two common names");
	second.oid.p = ou;
	ok(tls_read_peer(&peer, &cert, &wrong) && strcmp(peer.role, "eve") == 0, "one organisational unit");
	cert.subject.oid.p = ou;
	ok(!tls_read_peer(&peer, &cert, &wrong) && strstr(wrong, "no common name"), "two units and no name");
	cert.subject.oid.p = cn;
	cert.subject.val = (mbedtls_x509_buf){ 0, 6, alice };
	ok(!tls_read_peer(&peer, &cert, &wrong), "a NUL in the name");
	cert.subject.val.len = 0;
	ok(!tls_read_peer(&peer, &cert, &wrong), "an empty name");
	cert.subject = (mbedtls_x509_name){ 0 };
	mbedtls_x509_crt_free(&cert);
	tls_conf_free(conf);
}

/* ---- Files */

static void test_conf(void)
{
	struct tls_conf *conf = NULL;
	struct tls_how how = { .server = true, .ca_path = in("ca/ca.crt") };

	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_USAGE, "a server without certificate");
	how.cert_path = in("server.crt");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_USAGE, "a certificate without key");
	ok(strstr(err_text(), "server.crt") && !conf, "  the file is named");
	how.key_path = in("alice.key");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "another certificate's key");
	ok(strstr(err_text(), "alice.key is not the key of"), "  that is said");
	how.key_path = in("server.crt");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "a certificate where a key should be");
	ok(strstr(err_text(), "server.crt: no private key"), "  that is said");
	how.key_path = in("absent");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_NOTFOUND, "no such key");
	how.key_path = in("server.key");
	how.ca_path = in("server.key");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "a key where a CA should be");
	ok(strstr(err_text(), "server.key: no certificate"), "  that is said");
	how.ca_path = in("ca/ca.crt");
	how.cert_path = in("alice.crt");
	how.key_path = in("alice.key");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "a client's certificate at a server");
	ok(strstr(err_text(), "alice.crt is not made for a server"), "  that is said");
	how.cert_path = in("server.crt");
	how.key_path = in("server.key");
	how.crl_path = in("server.crt");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "a certificate where a revocation list should be");
	how.crl_path = in("other.crl");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "another CA's revocation list");
	ok(strstr(err_text(), "not signed by one of the CAs"), "  that is said");
	how.crl_path = in("leaf.crl");
	how.ca_path = in("leaf/ca.crt");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_INPUT, "a revocation list signed by who may not");
	how.ca_path = in("ca/ca.crt");
	how.crl_path = in("absent.crl");
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_NOTFOUND, "no such revocation list");
	how.ca_path = NULL;
	is_int(tls_conf_new(&conf, &how, arena, &warning), ERR_USAGE, "a revocation list without CA");
	ok(!conf, "nothing is left behind");
}

static void warns(bool server, const char *name, const char *crl, const char *text, const char *what)
{
	tls_conf_free(conf_of(server, name, "ca", crl));
	ok(text ? warning && strstr(warning, text) : !warning, "%s", what);
	if (warning)
		printf("# %s\n", warning);
}

static void test_warnings(void)
{
	warns(true, "server", "bob.crl", NULL, "nothing to warn of");
	warns(true, "server", "stale.crl", "stale.crl: this revocation list should have been renewed by",
	      "a stale revocation list");
	warns(true, "brief-server", NULL, "ends soon", "an end in three days");
	warns(false, "old", NULL, "expired at", "an end that is past");
	warns(false, "server", NULL, "not made for a client", "a server's certificate at a client");
	chmod(in("alice.key"), 0644);
	warns(false, "alice", NULL, "others can read this key", "a key that others can read");
	chmod(in("alice.key"), 0600);
}

int main(void)
{
	begin();
	test_good();
	test_hosts();
	test_refusals();
	test_verdict();
	test_conf();
	test_warnings();
	return end();
}
