/* tuxtape dash: the dashboard. Owns its options, the config files with keys and colours, the proof of concept's file among them, and the start
 * of its processes. */
#include "applets/dash_pages.h"

#include "applets/dash_script.h"
#include "applets/kernel_clone.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_FILE_MOST (1u << 20)
#define OLD_FILE "tuxtape-dashboard-config.toml"

struct dash_options {
	struct applet_common common;
	struct client_options client;
	const char *config, *kernel, *linux_repo, *work_dir, *patches, *script, *log_file;
	uint64_t refresh, retry_most;
};

#define O(field) offsetof(struct dash_options, field)
static const struct opt options[] = {
	CLIENT_OPTIONS(struct dash_options),
	{ "config", 'c', OPT_STRING, O(config), "NAME", "config to begin with; else all", NULL, .flag_only = true },
	{ "kernel", 'k', OPT_STRING, O(kernel), "VERSION", "kernel version to begin with", NULL, .flag_only = true },
	{ "linux-repo", 0, OPT_PATH, O(linux_repo), "DIR", "clone of the kernel, for new configs and checks",
	  "~/.cache/tuxtape-dashboard/git/linux" },
	{ "work-dir", 0, OPT_PATH, O(work_dir), "DIR", "where trees for new configs are checked out",
	  "~/.cache/tuxtape-dashboard" },
	{ "patches", 0, OPT_PATH, O(patches), "DIR", "one's own patches", "~/.local/share/tuxtape/patches" },
	{ "refresh", 0, OPT_DURATION, O(refresh), "TIME", "look after what changes by itself so often", "2s", .least = 50 },
	{ "retry-most", 0, OPT_DURATION, O(retry_most), "TIME", "longest pause between attempts to connect", "5s",
	  .least = 1 },
	{ "script", 0, OPT_PATH, O(script), "FILE", "take keys from a file, draw on no terminal", NULL, .flag_only = true },
	{ "log-file", 0, OPT_PATH, O(log_file), "FILE", "append to it what happens with the connection", NULL },
	APPLET_COMMON_KERNEL(struct dash_options),
	OPT_END,
};
#undef O

/* ---- Keys and colours, and the proof of concept's settings */

struct looks_and_keys {
	struct look looks[ST_COUNT];
	struct dash_keymap keys;
};

/* Whether anything else than a default or a config file has set the option. */
static bool is_said(const struct dash_options *o, const char *name)
{
	for (size_t i = 0; options[i].name; i++)
		if (strcmp(options[i].name, name) == 0)
			return o->common.sources[i] >= OPT_FROM_ENV;
	return false;
}

static int take_string(const struct toml *table, const char *key, const char *where, const char **into)
{
	const struct toml *t = toml_get(table, key);

	if (t && t->kind != TOML_STRING)
		return fail(ERR_INPUT, "%s:%u: %s: a text in quotes was expected", where, t->line, key);
	if (t)
		*into = t->string;
	return 0;
}

/* [database] of the proof of concept. Flags and environment win. */
static int read_database(struct dash_options *o, const struct toml *root, const char *where)
{
	const struct toml *table = toml_get(root, "database"), *tls = toml_get(table, "use_tls");
	struct client_options *c = &o->client;
	const struct {
		const char *key, *option;
		const char **into;
	} rows[] = {
		{ "server_url", "server", &c->server },
		{ "tls_cert_path", "tls-ca-path", &c->ca_path },
		{ "tls_client_cert_path", "tls-cert-path", &c->cert_path },
		{ "tls_client_key_path", "tls-key-path", &c->key_path },
	};
	bool by_tls = tls && tls->truth;
	int err = 0;

	if (table && table->kind != TOML_TABLE)
		return fail(ERR_INPUT, "%s:%u: database is a table: [database]", where, table->line);
	if (tls && tls->kind != TOML_BOOL)
		return fail(ERR_INPUT, "%s:%u: use_tls: true or false was expected", where, tls->line);
	for (size_t i = 0; i < ARRAY_LEN(rows) && !err; i++)
		/* A CA that is named while TLS is off was never read there. */
		if (!is_said(o, rows[i].option) && (i == 0 || !tls || by_tls))
			err = take_string(table, rows[i].key, where, rows[i].into);
	if (!is_said(o, "tls") && tls)
		c->tls = by_tls;
	/* There, the scheme said nothing of TLS. */
	if (c->tls && !is_said(o, "server") && str_starts(c->server, "http://"))
		c->server += strlen("http://");
	return err;
}

/* wanted: it must be there. */
static int read_config(struct dash_options *o, struct arena *a, const char *path, bool wanted, bool old,
		       struct looks_and_keys *l)
{
	struct buf text = { 0 };
	struct toml *root;
	int err = buf_read_file(&text, path, CONFIG_FILE_MOST);

	if (err == ERR_NOTFOUND && !wanted) {
		err = 0;
	} else if (!err) {
		const char *copy = arena_memdup(a, buf_str(&text), text.len);

		if (!(err = toml_parse(a, copy, text.len, path, &root)) && !(err = dash_keymap_read(&l->keys, root, path)) &&
		    !(err = dash_looks_read(l->looks, root, path)) && old)
			err = read_database(o, root, path);
	}
	buf_free(&text);
	return err;
}

/* The files that the options were read from, then the proof of concept's. */
static int read_configs(struct dash_options *o, struct arena *a, struct looks_and_keys *l)
{
	const char *one = o->common.config ? o->common.config : getenv("TUXTAPE_CONFIG"),
		   *old = getenv("TUXTAPE_DASHBOARD_CONFIG");
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int err = 0;

	dash_keymap_default(&l->keys);
	dash_looks_default(l->looks);
	if (one)
		err = read_config(o, a, one, true, false, l);
	else if (!(err = read_config(o, a, "/etc/tuxtape/tuxtape.toml", false, false, l)) && (xdg || home))
		err = read_config(o, a,
				  xdg && *xdg ? arena_printf(a, "%s/tuxtape/tuxtape.toml", xdg)
					      : arena_printf(a, "%s/.config/tuxtape/tuxtape.toml", home ? home : ""),
				  false, false, l);
	if (!err && old && *old)
		err = read_config(o, a, arena_printf(a, "%s/%s", old, OLD_FILE), true, true, l);
	return err;
}

/* ---- Start */

static int read_kernel(const struct dash_options *o, KernelVersion *version)
{
	const char *suffix;
	int err;

	if (o->kernel && o->config)
		return fail(ERR_USAGE, "--config and --kernel: say one of them");
	if (!o->kernel)
		return 0;
	if (!(err = kver_parse_user(version, o->kernel, &suffix)) && *suffix)
		log_note("'%s' is judged as the plain version: backports of '%s' are not known", o->kernel, suffix);
	return err;
}

static int open_log(const struct dash_options *o, int *fd)
{
	*fd = -1;
	if (o->log_file && (*fd = open(o->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) < 0)
		return fail(ERR_SYS, "%s: %s", o->log_file, strerror(errno));
	return 0;
}

static int run(const struct dash_options *o, const struct link_how *how, const KernelVersion *version,
	       const struct looks_and_keys *l, struct arena *a)
{
	struct dash_data data = { .server = o->client.server,
				  .trees = arena_printf(a, "%s/trees", o->work_dir),
				  .patches = o->patches };
	struct dash_server server = dash_data_server;
	struct dash *d;
	int err = dash_link_start(&data.link, how);

	if (err)
		return err;
	server.self = &data;
	dash_data_init(&data);
	d = dash_new(&l->keys);
	dash_set_status(d, ST_DIM, "%s: connecting...", o->client.server);
	dash_add_tab(d, &dash_cves_page, dash_cves_new(&data, o->config, version));
	dash_add_tab(d, &dash_configs_page, dash_configs_new(&data));
	dash_add_tab(d, &dash_builds_page, dash_builds_new(&data));
	dash_add_tab(d, &dash_patches_page, dash_patches_new(&data));
	err = o->script ? dash_script(d, o->script, &server) : dash_term(d, l->looks, &server);
	dash_free(d);
	dash_data_free(&data);
	return err;
}

/* Everything that may be wrong with options and files is said before the terminal is taken over. */
static int start(struct dash_options *o, struct arena *a, int *code)
{
	struct looks_and_keys *l = arena_alloc(a, sizeof(*l));
	struct link_how how = {
		.client = &o->client, .refresh_ms = o->refresh, .retry_ms = o->retry_most, .program = "/proc/self/exe"
	};
	KernelVersion version = KERNEL_VERSION__INIT;
	bool drawer = true, lent;
	int err;

	if ((err = read_kernel(o, &version)) || (err = read_configs(o, a, l)))
		return err;
	how.linux_repo = kernel_clone_find(a, o->linux_repo, &lent);
	if (!o->script && (err = dash_divide(&drawer, code)))
		return err;
	if (!drawer)
		return APPLET_DONE;
	if ((err = open_log(o, &how.log_fd)))
		return err;
	return run(o, &how, o->kernel ? &version : NULL, l, a);
}

static int dash_main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct dash_options o = { 0 };
	int err = applet_begin(&applet_dash, &o, &argc, argv, a), code = EXIT_DONE;

	if (!err && argc > 1)
		err = fail(ERR_USAGE, "operand '%s' is not understood; see tuxtape dash --help", argv[1]);
	if (!err)
		err = start(&o, a, &code);
	if (err != APPLET_DONE || code == EXIT_DONE)
		code = applet_end(err);
	arena_free(a);
	return code;
}

static const char *const aliases[] = { "tuxtape-dashboard", NULL };
static const char *const tables[] = { "colors", "keybindings", NULL };

const struct applet applet_dash = {
	.name = "dash",
	.aliases = aliases,
	.tables = tables,
	.summary = "the dashboard: CVEs, configs, builds and livepatches in a terminal",
	.synopsis = "[OPTION]...",
	.options = options,
	.options_size = sizeof(struct dash_options),
	.common = offsetof(struct dash_options, common),
	.run = dash_main,
};
