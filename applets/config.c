/* tuxtape config: the kernel configs of the fleet. Owns the verbs; the server decides what is stored. */
#include "applets/client.h"

#include "applets/words.h"
#include "lib/db_config.h"
#include "lib/err.h"
#include "lib/kconfig.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <stdio.h>
#include <unistd.h>

struct config_options {
	struct applet_common common;
	struct client_options client;
	const char *db, *kernel, *ref, *builder;
	bool force, json;
};

#define O(field) offsetof(struct config_options, field)
static const struct opt options[] = {
	{ "kernel", 'k', OPT_STRING, O(kernel), "VERSION", "version that CVEs are judged by", NULL, .flag_only = true,
	  .verbs = "put" },
	{ "ref", 0, OPT_STRING, O(ref), "TAG", "tag that is built, where it is not v and the version", NULL,
	  .flag_only = true, .verbs = "put" },
	{ "force", 0, OPT_FLAG, O(force), NULL, "build again though nothing changed", .flag_only = true, .verbs = "put" },
	{ "builder", 0, OPT_STRING, O(builder), "NAME", "every config that this builder built", NULL, .flag_only = true,
	  .verbs = "rebuild" },
	{ "db", 0, OPT_PATH, O(db), "FILE", "database to read", "~/.cache/tuxtape-server/db.db3", .alias = "db-path",
	  .verbs = "list get diff" },
	CLIENT_OPTIONS(struct config_options),
	{ "json", 0, OPT_FLAG, O(json), NULL, "print JSON", .flag_only = true, .verbs = "put get list diff rebuild" },
	APPLET_COMMON(struct config_options),
	OPT_END,
};
#undef O

struct run {
	struct arena *arena;
	const struct config_options *o;
	struct source source; /* of verbs that read */
	const char *args[2];  /* behind the verb */
};

static int put(struct run *r)
{
	PutKernelConfigRequest q = PUT_KERNEL_CONFIG_REQUEST__INIT;
	KernelConfig config = KERNEL_CONFIG__INIT;
	PutKernelConfigReply *reply;
	KernelVersion version;
	struct buf body = { 0 };
	const char *suffix;
	int err;

	if (!r->o->kernel)
		return fail(ERR_USAGE, "say which kernel the config is for: --kernel VERSION");
	if (kver_parse_user(&version, r->o->kernel, &suffix))
		return ERR_USAGE;
	if (*suffix)
		return fail(ERR_USAGE, "--kernel %s: CVEs are judged by plain versions; name your own tree's tag with --ref",
			    r->o->kernel);
	err = strcmp(r->args[1], "-") == 0 ? buf_read_fd(&body, STDIN_FILENO, KCONFIG_MOST)
					   : buf_read_file(&body, r->args[1], KCONFIG_MOST);
	if (err || (err = kconfig_check(buf_str(&body), body.len))) {
		buf_free(&body);
		return fail_in(err, "%s", r->args[1]);
	}
	config.name = r->args[0];
	config.version = &version;
	config.ref = r->o->ref;
	config.has_body = true;
	config.body = pb_bytes(r->arena, body.data, body.len);
	buf_free(&body);
	q.config = &config;
	q.has_force = q.force = r->o->force;
	if ((err = client_ask(&r->o->client, r->arena, RPC_PUT_KERNEL_CONFIG, &q.base, &reply)))
		return err;
	if (r->o->json)
		applet_print_json(&reply->base);
	else if (reply->has_job)
		printf("%s: revision %u%s, job %llu builds it: tuxtape job watch %llu\n", r->args[0], reply->revision,
		       reply->changed ? "" : " as before", (unsigned long long)reply->job, (unsigned long long)reply->job);
	else
		printf("%s: revision %u as before, and built\n", r->args[0], reply->revision);
	return 0;
}

static int fetch(struct run *r, const char *name, KernelConfig **config)
{
	ConfigName q = CONFIG_NAME__INIT;

	if (r->source.db)
		return db_config_get(r->source.db, r->arena, name, config);
	q.name = name;
	return rpc_call(r->source.rpc, RPC_FETCH_KERNEL_CONFIG, &q.base, r->arena, r->source.timeout_ms, config);
}

static int get(struct run *r)
{
	KernelConfig *config;
	int err = fetch(r, r->args[0], &config);

	if (err)
		return err;
	if (r->o->json)
		applet_print_json(&config->base);
	else
		fwrite(config->body.data, 1, config->body.len, stdout);
	return 0;
}

static void print_configs(const ConfigList *list)
{
	if (list->n_configs)
		printf("%-24s %-12s %4s %-10s %6s  %s\n", "CONFIG", "VERSION", "REV", "BUILD", "FILES", "RELEASE");
	for (size_t i = 0; i < list->n_configs; i++) {
		const ConfigInfo *c = list->configs[i];
		char version[KVER_TEXT_MAX], files[24] = "-";
		struct buf release = { 0 };

		if (c->has_compiled_files)
			snprintf(files, sizeof(files), "%llu", (unsigned long long)c->compiled_files);
		if (c->release)
			str_printable(&release, c->release, strlen(c->release));
		printf("%-24s %-12s %4u %-10s %6s  %s\n", c->name, kver_text(version, c->version), c->revision,
		       c->has_job_state ? job_state_word(c->job_state) : "-", files, buf_str(&release));
		buf_free(&release);
	}
}

static int list(struct run *r)
{
	ConfigList *list = pb_new(r->arena, &config_list__descriptor);
	Nothing q = NOTHING__INIT;
	int err;

	if (r->source.db)
		err = db_config_list(r->source.db, r->arena, NULL, list);
	else
		err = rpc_call(r->source.rpc, RPC_FETCH_KERNEL_CONFIGS_METADATA, &q.base, r->arena, r->source.timeout_ms,
			       &list);
	if (err)
		return err;
	if (r->o->json)
		applet_print_json(&list->base);
	else
		print_configs(list);
	return 0;
}

static void print_diff(const ConfigDiff *d)
{
	for (size_t i = 0; i < d->n_changes; i++) {
		const ConfigChange *c = d->changes[i];
		struct buf line = { 0 }, shown = { 0 };

		buf_printf(&line, "%s: %s -> %s", c->option, c->from, c->to);
		str_printable(&shown, line.data, line.len);
		puts(buf_str(&shown));
		buf_free(&line);
		buf_free(&shown);
	}
}

static int diff(struct run *r)
{
	ConfigDiff d = CONFIG_DIFF__INIT;
	struct kconfig_change *changes;
	KernelConfig *a, *b;
	size_t n;
	int err;

	if ((err = fetch(r, r->args[0], &a)) || (err = fetch(r, r->args[1], &b)))
		return err;
	n = kconfig_diff(r->arena, (const char *)a->body.data, a->body.len, (const char *)b->body.data, b->body.len,
			 &changes);
	for (size_t i = 0; i < n; i++) {
		ConfigChange *c = PB_ADD(r->arena, &d, changes, config_change);

		c->option = changes[i].option;
		c->from = changes[i].before ? changes[i].before : "n";
		c->to = changes[i].after ? changes[i].after : "n";
	}
	if (r->o->json)
		applet_print_json(&d.base);
	else
		print_diff(&d);
	log_note("%zu option%s", n, n == 1 ? " differs" : "s differ");
	return 0;
}

static int delete (struct run *r)
{
	ConfigName q = CONFIG_NAME__INIT;
	Nothing *reply;

	q.name = r->args[0];
	return client_ask(&r->o->client, r->arena, RPC_DELETE_KERNEL_CONFIG, &q.base, &reply);
}

static int rebuild(struct run *r)
{
	RebuildRequest q = REBUILD_REQUEST__INIT;
	RebuildReply *reply;
	int err;

	q.config = r->args[0];
	q.builder = r->o->builder;
	if ((err = client_ask(&r->o->client, r->arena, RPC_REBUILD_CONFIGS, &q.base, &reply)))
		return err;
	if (reply->n_jobs == 0)
		return fail(ERR_NOTFOUND,
			    "no build of a config is by a builder '%s'; `tuxtape job builders` shows who builds",
			    r->o->builder ? r->o->builder : "");
	if (r->o->json)
		applet_print_json(&reply->base);
	for (size_t i = 0; !r->o->json && i < reply->n_jobs; i++)
		printf("job %llu\n", (unsigned long long)reply->jobs[i]);
	log_note("%zu config%s to be built anew", reply->n_jobs, reply->n_jobs == 1 ? " is" : "s are");
	return 0;
}

static const struct verb {
	struct applet_verb words;
	bool reads;
	int (*run)(struct run *r);
} verbs[] = {
	{ { "put", 2, 2, "NAME FILE" }, false, put },   { { "get", 1, 1, "NAME" }, true, get },
	{ { "list", 0, 0, "no operand" }, true, list }, { { "diff", 2, 2, "NAME NAME" }, true, diff },
	{ { "delete", 1, 1, "NAME" }, false, delete },  { { "rebuild", 0, 1, "NAME, or --builder NAME" }, false, rebuild },
};

static int run_verb(struct run *r, int argc, char **argv)
{
	size_t verb;
	int err = applet_find_verb(&applet_config, &r->o->common, verbs, ARRAY_LEN(verbs), sizeof(verbs[0]), argc, argv,
				   &verb);

	if (err)
		return err;
	r->args[0] = argc > 2 ? argv[2] : NULL;
	r->args[1] = argc > 3 ? argv[3] : NULL;
	if (verbs[verb].reads)
		err = source_open(&r->source, &applet_config, &r->o->common, r->o->db, &r->o->client, r->arena);
	if (!err)
		err = verbs[verb].run(r);
	source_close(&r->source);
	return err;
}

static int config_main(int argc, char **argv)
{
	struct config_options o = { 0 };
	struct run r = { .arena = arena_new(0), .o = &o };
	int err = applet_begin(&applet_config, &o, &argc, argv, r.arena);
	int code;

	if (!err)
		err = run_verb(&r, argc, argv);
	code = applet_end(err);
	arena_free(r.arena);
	return code;
}

const struct applet applet_config = {
	.name = "config",
	.summary = "the kernel configs of the fleet: put, get, list, diff, delete, rebuild",
	.synopsis = "put NAME --kernel VERSION [--ref TAG] FILE [OPTION]...\nconfig get NAME [OPTION]...\nconfig list "
		    "[OPTION]...\nconfig diff NAME NAME [OPTION]...\nconfig delete NAME [OPTION]...\nconfig rebuild NAME | "
		    "--builder NAME [OPTION]...",
	.options = options,
	.options_size = sizeof(struct config_options),
	.common = offsetof(struct config_options, common),
	.run = config_main,
};
