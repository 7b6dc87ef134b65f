/* tuxtape cert: the CA that says who may do what on a server. Owns options, verbs and what is said about the files; lib/tls_ca.h does the
 * work. */
#include "applets/applet.h"

#include "lib/tls_ca.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>

struct cert_options {
	struct applet_common common;
	const char *dir, *role;
	struct opt_list hosts;
	uint64_t days;
	bool renew, json;
};

#define O(field) offsetof(struct cert_options, field)
static const struct opt options[] = {
	{ "dir", 0, OPT_PATH, O(dir), "DIR", "the CA's directory", "~/.config/tuxtape/ca" },
	{ "role", 0, OPT_WORD, O(role), "ROLE", "viewer, author, reviewer, admin, builder or server", .words = ca_roles,
	  .flag_only = true, .verbs = "issue" },
	{ "host", 0, OPT_LIST, O(hosts), "HOST", "name or number that clients dial; servers only, may be repeated",
	  .flag_only = true, .verbs = "issue" },
	{ "days", 0, OPT_NUMBER, O(days), "DAYS", "how long it holds (3650 for the CA, 397 for others)", .least = 1,
	  .most = 7300, .verbs = "init issue" },
	{ "renew", 0, OPT_FLAG, O(renew), NULL, "revoke the one that holds and issue another", .flag_only = true,
	  .verbs = "issue" },
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true, .verbs = "list" },
	APPLET_COMMON(struct cert_options),
	OPT_END,
};

/* What a verb wrote goes to stdout, a path a line, for scripts that copy it; what to do next is for people. */

static int init(const struct cert_options *o, const char *name UNUSED, struct arena *a)
{
	const char *end;
	int err = ca_init(o->dir, (unsigned)o->days, a, &end);

	if (err)
		return err;
	printf("%s/ca.crt\n%s/ca.key\n%s/ca.crl\n", o->dir, o->dir, o->dir);
	log_note("a CA until %s; its key never leaves this directory. Next: tuxtape cert issue NAME --role server --host "
		 "HOST",
		 end);
	return 0;
}

static int issue(const struct cert_options *o, const char *name, struct arena *a)
{
	struct ca_request r = {
		.name = name,
		.role = o->role,
		.hosts = o->hosts.items,
		.n_hosts = o->hosts.n,
		.days = (unsigned)o->days,
		.renew = o->renew,
	};
	Certificate *c;
	int err = ca_issue(o->dir, &r, a, &c);

	if (err)
		return err;
	printf("%s/%s.crt\n%s/%s.key\n", o->dir, name, o->dir, name);
	if (strcmp(c->role, "server") == 0)
		log_note("%s until %s. Next: tuxtape server --tls --tls-cert-path %s.crt --tls-key-path %s.key "
			 "--tls-ca-path ca.crt "
			 "--tls-crl-path ca.crl, with these files from %s",
			 name, c->not_after, name, name, o->dir);
	else
		log_note("%s (%s) until %s. Next: bring %s.crt, %s.key and ca.crt, all from %s, to where %s works", name,
			 c->role, c->not_after, name, name, o->dir, name);
	if (o->renew)
		log_note("the old certificate is revoked: bring ca.crl to the server");
	return 0;
}

static int revoke(const struct cert_options *o, const char *name, struct arena *a)
{
	Certificate *c;
	int err = ca_revoke(o->dir, name, a, &c);

	if (err)
		return err;
	printf("%s/ca.crl\n", o->dir);
	log_note("%s (%s) is revoked. Next: bring ca.crl to the server", name, c->role);
	return 0;
}

static int refresh(const struct cert_options *o, const char *name UNUSED, struct arena *a)
{
	int err = ca_refresh(o->dir, a);

	if (!err)
		printf("%s/ca.crl\n", o->dir);
	return err;
}

static const char *state_of(const Certificate *c)
{
	int64_t end;

	return c->revoked ? "revoked" : clock_parse(c->not_after, &end) && end > clock_now() ? "valid" : "expired";
}

static void print_json(Certificate *const *all, size_t n)
{
	struct buf out = { 0 };

	putchar('[');
	for (size_t i = 0; i < n; i++) {
		buf_reset(&out);
		json_print(&out, &all[i]->base, 0);
		printf("%s\n%s", i ? "," : "", buf_str(&out));
	}
	puts(n ? "\n]" : "]");
	buf_free(&out);
}

static int list(const struct cert_options *o, const char *name UNUSED, struct arena *a)
{
	Certificate **all;
	size_t n;
	int err = ca_list(o->dir, a, &all, &n);

	if (err)
		return err;
	if (o->json) {
		print_json(all, n);
		return 0;
	}
	if (n)
		printf("%-16s %-8s %-7s %-20s %s\n", "NAME", "ROLE", "STATE", "ENDS", "SERIAL");
	for (size_t i = 0; i < n; i++)
		printf("%-16s %-8s %-7s %-20s %s\n", all[i]->name, all[i]->role, state_of(all[i]), all[i]->not_after,
		       all[i]->serial);
	return 0;
}

static const struct verb {
	struct applet_verb words;
	int (*act)(const struct cert_options *, const char *, struct arena *);
} verbs[] = {
	{ { "init", 0, 0, "no operand" }, init },   { { "issue", 1, 1, "one NAME" }, issue },
	{ { "revoke", 1, 1, "one NAME" }, revoke }, { { "crl", 0, 0, "no operand" }, refresh },
	{ { "list", 0, 0, "no operand" }, list },
};

static int act(const struct cert_options *o, int argc, char **argv, struct arena *a)
{
	size_t verb;
	int err = applet_find_verb(&applet_cert, &o->common, verbs, ARRAY_LEN(verbs), sizeof(verbs[0]), argc, argv, &verb);

	return err ? err : verbs[verb].act(o, argc > 2 ? argv[2] : NULL, a);
}

static int cert_main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct cert_options o = { 0 };
	int err = applet_begin(&applet_cert, &o, &argc, argv, a);
	int code;

	if (!err)
		err = act(&o, argc, argv, a);
	code = applet_end(err);
	arena_free(a);
	return code;
}

const struct applet applet_cert = {
	.name = "cert",
	.summary = "keep a CA: certificates for servers, people and builders",
	.synopsis = "init [OPTION]...\nissue NAME --role ROLE [--host HOST]... [OPTION]...\nrevoke NAME [OPTION]...\ncrl "
		    "[OPTION]...\n"
		    "list [--json] [OPTION]...",
	.options = options,
	.options_size = sizeof(struct cert_options),
	.common = offsetof(struct cert_options, common),
	.run = cert_main,
};
