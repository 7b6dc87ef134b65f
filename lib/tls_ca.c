/* Owns a CA's directory: its index, who has a certificate that holds, and in which order its files change. What is issued stands in the
 * index before it exists, so that whatever exists can be revoked. Refuses a second valid certificate of a name, and names and hosts that
 * need quoting anywhere. */
#include "lib/tls_ca.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/str.h"
#include "lib/tls_sign.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX_MOST (64u << 20)
#define INDEX_HEAD "# tuxtape cert: serial name role end revoked hosts\n"
#define CRL_DAYS 30
#define EARLY 600 /* seconds that a certificate holds before it is made: clocks differ */
#define DAY 86400

const char *const ca_roles[] = { "viewer", "author", "reviewer", "admin", "builder", "server", NULL };

/* A directory while it is locked. */
struct ca {
	const char *dir;
	struct arena *a;
	int lock;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
	Certificate **all;
	size_t n;
};

static const char *path_in(const struct ca *ca, const char *name, const char *suffix)
{
	return arena_printf(ca->a, "%s/%s%s", ca->dir, name, suffix);
}

static bool is_role(const char *role)
{
	for (const char *const *r = ca_roles; *r; r++)
		if (strcmp(*r, role) == 0)
			return true;
	return false;
}

static bool is_server(const char *role)
{
	return strcmp(role, "server") == 0;
}

static bool is_name(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n && *name != '.' &&
	       *name != '-' && *name != '_' && strcmp(name, "ca") != 0;
}

static bool is_host(const char *host)
{
	unsigned char raw[16];
	size_t n, label;

	if (inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1)
		return true;
	if (str_starts(host, "*."))
		host += 2;
	n = strlen(host);
	for (; n && n <= 253; host += label + 1) {
		label = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
		if (label == 0 || label > 63 || *host == '-')
			return false;
		if (!host[label])
			return true;
		if (host[label] != '.')
			return false;
	}
	return false;
}

/* ---- The index */

static bool is_serial(const char *text)
{
	size_t n = strlen(text);

	return n >= 2 && n <= 64 && n % 2 == 0 && str_is_hex(text, n);
}

static bool add_hosts(struct ca *ca, Certificate *c, char *text)
{
	char *rest = text, *host;

	if (strcmp(text, "-") == 0)
		return true;
	while ((host = strsep(&rest, ","))) {
		if (!is_host(host))
			return false;
		PB_ADD_STR(ca->a, c, hosts, host);
	}
	return true;
}

static bool read_line(struct ca *ca, char *line)
{
	char *part[6] = { NULL };
	Certificate *c = pb_new(ca->a, &certificate__descriptor);
	int64_t when;

	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		part[i] = strsep(&line, " ");
	if (line || !part[5] || !is_serial(part[0]) || !is_name(part[1]) || !is_role(part[2]) ||
	    !clock_parse(part[3], &when) || (strcmp(part[4], "-") != 0 && !clock_parse(part[4], &when)) ||
	    !add_hosts(ca, c, part[5]))
		return false;
	c->serial = part[0];
	c->name = part[1];
	c->role = part[2];
	c->not_after = part[3];
	c->revoked = strcmp(part[4], "-") == 0 ? NULL : part[4];
	*(Certificate **)arena_grow(ca->a, (void **)&ca->all, &ca->n, sizeof(*ca->all)) = c;
	return true;
}

static int read_index(struct ca *ca)
{
	const char *path = path_in(ca, "index", "");
	struct buf text = { 0 };
	unsigned number = 0;
	char *rest, *line;
	int err = buf_read_file(&text, path, INDEX_MOST);

	rest = err ? NULL : arena_memdup(ca->a, buf_str(&text), text.len);
	while (!err && (line = strsep(&rest, "\n"))) {
		number++;
		if (*line && *line != '#' && !read_line(ca, line))
			err = fail(ERR_INPUT, "%s:%u: not a certificate's line", path, number);
	}
	buf_free(&text);
	return err;
}

static int write_index(struct ca *ca)
{
	struct buf text = { 0 };
	int err;

	buf_adds(&text, INDEX_HEAD);
	for (size_t i = 0; i < ca->n; i++) {
		const Certificate *c = ca->all[i];

		buf_printf(&text, "%s %s %s %s %s ", c->serial, c->name, c->role, c->not_after,
			   c->revoked ? c->revoked : "-");
		for (size_t h = 0; h < c->n_hosts; h++)
			buf_printf(&text, "%s%s", h ? "," : "", c->hosts[h]);
		buf_adds(&text, c->n_hosts ? "\n" : "-\n");
	}
	err = file_replace(path_in(ca, "index", ""), buf_str(&text), text.len, 0644);
	buf_free(&text);
	return err;
}

static int write_crl(struct ca *ca)
{
	struct buf list = { 0 };
	int64_t now = clock_now();
	int err = sign_crl(&list, &ca->cert, &ca->key, ca->all, ca->n, now - EARLY, now + (int64_t)CRL_DAYS * DAY);

	if (!err)
		err = file_replace(path_in(ca, "ca", ".crl"), list.data, list.len, 0644);
	buf_free(&list);
	return err;
}

/* ---- The directory */

static void close_ca(struct ca *ca)
{
	mbedtls_x509_crt_free(&ca->cert);
	mbedtls_pk_free(&ca->key);
	/* Closing gives the lock back. */
	if (ca->lock >= 0)
		close(ca->lock);
}

static int lock_dir(struct ca *ca, const char *dir, struct arena *a)
{
	*ca = (struct ca){ .dir = dir, .a = a };
	mbedtls_x509_crt_init(&ca->cert);
	mbedtls_pk_init(&ca->key);
	ca->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ca->lock < 0)
		return errno == ENOENT ? fail(ERR_NOTFOUND, "%s: no CA; `tuxtape cert init` makes one", dir)
				       : fail(ERR_SYS, "%s: %s", dir, strerror(errno));
	while (flock(ca->lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return fail(ERR_SYS, "lock %s: %s", dir, strerror(errno));
	return 0;
}

static int load_signer(struct ca *ca)
{
	const char *cert_path = path_in(ca, "ca", ".crt"), *key_path = path_in(ca, "ca", ".key");
	bool open_to_others;
	int bad, err;

	if ((err = tls_load_certs(&ca->cert, cert_path, &bad)) || (err = tls_load_key(&ca->key, key_path, &open_to_others)))
		return err;
	if (open_to_others)
		return fail(ERR_INPUT, "%s: others can read the CA's key; chmod 600, and if they may have, make a new CA",
			    key_path);
	if (!tls_key_fits(&ca->cert, &ca->key))
		return fail(ERR_INPUT, "%s is not the key of %s", key_path, cert_path);
	return 0;
}

static int open_ca(struct ca *ca, const char *dir, struct arena *a, bool to_sign)
{
	int err = lock_dir(ca, dir, a);

	if (!err && access(path_in(ca, "ca", ".crt"), F_OK) < 0)
		err = fail(ERR_NOTFOUND, "%s: no CA; `tuxtape cert init` makes one", dir);
	if (!err)
		err = read_index(ca);
	return err || !to_sign ? err : load_signer(ca);
}

/* The certificate of that name that holds, or NULL. *last is the last one that it ever had. */
static Certificate *find(const struct ca *ca, const char *name, Certificate **last)
{
	Certificate *valid = NULL;
	int64_t end;

	*last = NULL;
	for (size_t i = 0; i < ca->n; i++) {
		Certificate *c = ca->all[i];

		if (strcmp(c->name, name) != 0)
			continue;
		*last = c;
		if (!c->revoked && clock_parse(c->not_after, &end) && end > clock_now())
			valid = c;
	}
	return valid;
}

static const char *time_text(struct arena *a, int64_t seconds)
{
	char text[CLOCK_TEXT];

	return arena_strdup(a, clock_print(text, seconds));
}

/* The first bits are 01, so that the number is positive and every one is equally long. */
static void new_serial(unsigned char serial[SIGN_SERIAL])
{
	tls_random(NULL, serial, SIGN_SERIAL);
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
}

/* ---- init */

static int make_dir(const char *dir)
{
	int err = file_make_parents(dir);

	if (!err && mkdir(dir, 0700) < 0 && errno != EEXIST)
		err = fail(ERR_SYS, "make the directory %s: %s", dir, strerror(errno));
	return err;
}

static int make_ca(struct ca *ca, struct sign_order *order)
{
	struct buf key = { 0 }, cert = { 0 };
	int err;

	order->subject_key = &ca->key;
	if ((err = sign_new_key(&ca->key)) || (err = sign_key_pem(&key, &ca->key)) || (err = sign_cert(&cert, order)) ||
	    (err = file_replace(path_in(ca, "ca", ".key"), key.data, key.len, 0600)) || (err = write_index(ca)))
		goto out;
	/* What makes the directory a CA's comes last. */
	if (mbedtls_x509_crt_parse(&ca->cert, (const unsigned char *)buf_str(&cert), cert.len + 1))
		err = fail(ERR_SYS, "the CA's new certificate cannot be read back");
	else if (!(err = write_crl(ca)))
		err = file_replace(path_in(ca, "ca", ".crt"), cert.data, cert.len, 0644);
out:
	if (key.data)
		explicit_bzero(key.data, key.cap);
	buf_free(&key);
	buf_free(&cert);
	return err;
}

int ca_init(const char *dir, unsigned days, struct arena *a, const char **end)
{
	struct sign_order order = { 0 };
	char serial[2 * SIGN_SERIAL + 1];
	int64_t now = clock_now();
	struct ca ca = { .lock = -1 };
	int err;

	if ((err = make_dir(dir)) || (err = lock_dir(&ca, dir, a)))
		goto out;
	if (access(path_in(&ca, "ca", ".crt"), F_OK) == 0 || access(path_in(&ca, "ca", ".key"), F_OK) == 0) {
		err = fail(ERR_INPUT, "%s: a CA, or its key, is there already; who trusts it would not trust another", dir);
		goto out;
	}
	new_serial(order.serial);
	/* Two CAs of one name would be hard to tell apart in an error's text. */
	order.subject = arena_printf(a, "CN=tuxtape CA %.8s", str_hex(serial, order.serial, SIGN_SERIAL));
	order.not_before = now - EARLY;
	order.not_after = now + (int64_t)(days ? days : CA_DAYS) * DAY;
	*end = time_text(a, order.not_after);
	err = make_ca(&ca, &order);
out:
	close_ca(&ca);
	return err;
}

/* ---- issue */

static int check_hosts(const struct ca_request *r)
{
	if (is_server(r->role) && r->n_hosts == 0)
		return fail(ERR_USAGE, "%s: a server's certificate needs --host with each name and number that clients dial",
			    r->name);
	if (!is_server(r->role) && r->n_hosts)
		return fail(ERR_USAGE, "%s: --host is for servers; %s dials", r->name, r->role);
	if (r->n_hosts > CA_HOSTS_MOST)
		return fail(ERR_USAGE, "%s: more than %u hosts", r->name, CA_HOSTS_MOST);
	for (size_t i = 0; i < r->n_hosts; i++)
		if (!is_host(r->hosts[i]))
			return fail(ERR_USAGE,
				    "'%s' is no host; write a DNS name such as tuxtape.example.org, or a number such as "
				    "192.0.2.1",
				    r->hosts[i]);
	return 0;
}

/* Fills what a renewal takes from the old certificate, and refuses what cannot be issued. */
static int check_request(const struct ca *ca, struct ca_request *r, Certificate **old)
{
	Certificate *last;

	*old = find(ca, r->name, &last);
	if (r->renew && !last)
		return fail(ERR_NOTFOUND, "%s: nothing to renew; issue it without --renew", r->name);
	if (*old && !r->renew)
		return fail(ERR_INPUT, "%s has a certificate that holds until %s; --renew revokes it and issues another",
			    r->name, (*old)->not_after);
	if (r->renew && !r->role)
		r->role = last->role;
	if (r->renew && !r->n_hosts && is_server(r->role)) {
		r->hosts = last->hosts;
		r->n_hosts = last->n_hosts;
	}
	if (!r->role)
		return fail(ERR_USAGE, "%s: say its role with --role", r->name);
	if (!is_role(r->role))
		return fail(ERR_USAGE, "'%s' is no role", r->role);
	return check_hosts(r);
}

static int check_end(const struct ca *ca, int64_t end, int64_t now)
{
	int64_t ca_end = tls_seconds(&ca->cert.valid_to);
	char text[CLOCK_TEXT];

	if (end <= ca_end)
		return 0;
	clock_print(text, ca_end);
	if (ca_end <= now)
		return fail(ERR_INPUT, "%s: the CA itself expired at %s; make a new one in another directory", ca->dir,
			    text);
	return fail(ERR_USAGE, "it would outlive its CA, which ends at %s; --days %lld is the most", text,
		    (long long)((ca_end - now) / DAY));
}

static Certificate *add_certificate(struct ca *ca, const struct ca_request *r, const struct sign_order *order)
{
	Certificate *c = pb_new(ca->a, &certificate__descriptor);
	char serial[2 * SIGN_SERIAL + 1];

	c->name = arena_strdup(ca->a, r->name);
	c->role = arena_strdup(ca->a, r->role);
	c->serial = arena_strdup(ca->a, str_hex(serial, order->serial, SIGN_SERIAL));
	c->not_after = time_text(ca->a, order->not_after);
	for (size_t i = 0; i < r->n_hosts; i++)
		PB_ADD_STR(ca->a, c, hosts, r->hosts[i]);
	*(Certificate **)arena_grow(ca->a, (void **)&ca->all, &ca->n, sizeof(*ca->all)) = c;
	return c;
}

/* The index and the list of the revoked first: see the top of this file. */
static int make_leaf(struct ca *ca, const struct ca_request *r, struct sign_order order)
{
	struct buf key_text = { 0 }, cert = { 0 };
	mbedtls_pk_context key;
	int err;

	mbedtls_pk_init(&key);
	order.subject_key = &key;
	if ((err = sign_new_key(&key)) || (err = sign_key_pem(&key_text, &key)) || (err = sign_cert(&cert, &order)) ||
	    (err = write_index(ca)) || (err = write_crl(ca)) ||
	    (err = file_replace(path_in(ca, r->name, ".key"), key_text.data, key_text.len, 0600)))
		goto out;
	err = file_replace(path_in(ca, r->name, ".crt"), cert.data, cert.len, 0644);
out:
	if (key_text.data)
		explicit_bzero(key_text.data, key_text.cap);
	buf_free(&key_text);
	buf_free(&cert);
	mbedtls_pk_free(&key);
	return err;
}

int ca_issue(const char *dir, const struct ca_request *request, struct arena *a, Certificate **made)
{
	struct ca_request r = *request;
	struct sign_order order = { 0 };
	struct ca ca = { .lock = -1 };
	int64_t now = clock_now();
	Certificate *old;
	int err;

	if (!is_name(r.name))
		return fail(ERR_USAGE, "'%s' cannot be a certificate's name; 1 to 64 of a-z 0-9 . _ - will do, but not 'ca'",
			    r.name);
	order.not_before = now - EARLY;
	order.not_after = now + (int64_t)(r.days ? r.days : CA_LEAF_DAYS) * DAY;
	if ((err = open_ca(&ca, dir, a, true)) || (err = check_request(&ca, &r, &old)) ||
	    (err = check_end(&ca, order.not_after, now)))
		goto out;
	new_serial(order.serial);
	order.subject = arena_printf(a, "CN=%s,OU=%s", r.name, r.role);
	order.ca = &ca.cert;
	order.ca_key = &ca.key;
	order.server = is_server(r.role);
	order.hosts = r.hosts;
	order.n_hosts = r.n_hosts;
	if (old)
		old->revoked = time_text(a, now);
	*made = add_certificate(&ca, &r, &order);
	err = make_leaf(&ca, &r, order);
out:
	close_ca(&ca);
	return err;
}

/* ---- revoke, refresh, list */

int ca_revoke(const char *dir, const char *name, struct arena *a, Certificate **revoked)
{
	struct ca ca = { .lock = -1 };
	Certificate *last;
	int err = open_ca(&ca, dir, a, true);

	if (err)
		goto out;
	*revoked = find(&ca, name, &last);
	if (!*revoked) {
		err = fail(ERR_NOTFOUND, "%s: no certificate of that name holds%s%s", name,
			   last && last->revoked ? "; the last one was revoked at " : "",
			   last && last->revoked ? last->revoked : "");
		goto out;
	}
	(*revoked)->revoked = time_text(a, clock_now());
	if (!(err = write_index(&ca)))
		err = write_crl(&ca);
out:
	close_ca(&ca);
	return err;
}

int ca_refresh(const char *dir, struct arena *a)
{
	struct ca ca = { .lock = -1 };
	int err = open_ca(&ca, dir, a, true);

	if (!err)
		err = write_crl(&ca);
	close_ca(&ca);
	return err;
}

int ca_list(const char *dir, struct arena *a, Certificate ***all, size_t *n)
{
	struct ca ca = { .lock = -1 };
	int err = open_ca(&ca, dir, a, false);

	*all = ca.all;
	*n = ca.n;
	close_ca(&ca);
	return err;
}
