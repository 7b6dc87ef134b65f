/* Owns what clients do with kernel configs. Refuses a config that could run programs when it is built. */
#include "applets/server.h"

#include "lib/clock.h"
#include "lib/db_config.h"
#include "lib/err.h"
#include "lib/kconfig.h"
#include "lib/kver.h"
#include "lib/log.h"

#include <ctype.h>

int serve_config_list(void *client, struct rpc_call *call, const ProtobufCMessage *request UNUSED)
{
	struct client *c = client;
	ConfigList list = CONFIG_LIST__INIT;
	struct db *db;
	int err;

	if ((err = server_db(c, &db)) || (err = db_config_list(db, c->arena, NULL, &list)))
		return err;
	return rpc_reply(call, &list.base);
}

int serve_config(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const ConfigName *r = (const ConfigName *)request;
	struct client *c = client;
	KernelConfig *config;
	struct db *db;
	int err;

	if (!r->name)
		return fail(ERR_USAGE, "which config? the request names none");
	if ((err = server_db(c, &db)) || (err = db_config_get(db, c->arena, r->name, &config)))
		return err;
	return rpc_reply(call, &config->base);
}

/* A tag or branch name such as git takes, without what git gives a meaning of its own. */
static bool is_sane_ref(const char *ref)
{
	size_t n = strlen(ref);

	if (n == 0 || n > 200 || ref[0] == '-' || ref[0] == '.' || ref[0] == '/' || ref[n - 1] == '/' || strstr(ref, ".."))
		return false;
	for (const char *p = ref; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._/+-", *p))
			return false;
	return true;
}

static int check_config(const KernelConfig *k)
{
	if (!k || !k->name || !k->version || !k->version->has_major || !kver_is_valid(k->version) || !k->has_body)
		return fail(ERR_USAGE, "a config needs a name, a kernel version and contents");
	if (!kconfig_name_ok(k->name))
		return fail(ERR_USAGE,
			    "'%s' is not a config's name: a letter or digit, then up to 63 letters, digits and . _ + -",
			    k->name);
	if (k->ref && !is_sane_ref(k->ref))
		return fail(ERR_USAGE, "'%s' is not the name of a tag", k->ref);
	return kconfig_check((const char *)k->body.data, k->body.len);
}

/* A build is owed when the contents are new, when it is asked for, or when none is complete or on its way. */
static int queue_build(struct client *c, struct db *db, const KernelConfig *k, bool wanted, PutKernelConfigReply *reply)
{
	struct db_target target;
	uint64_t open;
	int err;

	if ((err = db_job_open(db, k->name, k->revision, &open)) || (err = db_target(db, c->arena, k->name, &target)))
		return err;
	reply->has_job = open > 0;
	reply->job = open;
	if (open || (target.profiled && !wanted))
		return 0;
	reply->has_job = true;
	return db_job_add(db, k, c->name, &reply->job);
}

static int store_config(struct client *c, struct db *db, const PutKernelConfigRequest *r, PutKernelConfigReply *reply)
{
	KernelConfig k = *r->config;
	char now[CLOCK_TEXT];
	bool changed;
	int err;

	k.put_by = c->name;
	k.put_at = clock_print(now, clock_now());
	if ((err = db_config_put(db, &k, &changed)) || (err = queue_build(c, db, &k, r->force || changed, reply)))
		return err;
	reply->has_revision = reply->has_changed = true;
	reply->revision = k.revision;
	reply->changed = changed;
	return db_commit(db);
}

int serve_config_put(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const PutKernelConfigRequest *r = (const PutKernelConfigRequest *)request;
	struct client *c = client;
	PutKernelConfigReply reply = PUT_KERNEL_CONFIG_REPLY__INIT;
	struct db *db;
	int err;

	if ((err = check_config(r->config)) || (err = server_db(c, &db)) || (err = db_begin(db)))
		return err;
	if ((err = store_config(c, db, r, &reply))) {
		db_rollback(db);
		return err;
	}
	server_wrote(c);
	return rpc_reply(call, &reply.base);
}

int serve_config_delete(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const ConfigName *r = (const ConfigName *)request;
	struct client *c = client;
	struct db *db;
	int err;

	if (!r->name)
		return fail(ERR_USAGE, "which config? the request names none");
	if ((err = server_db(c, &db)) || (err = db_begin(db)))
		return err;
	if ((err = db_job_cancel_all(db, r->name, c->name)) || (err = db_config_delete(db, r->name)) ||
	    (err = db_commit(db))) {
		db_rollback(db);
		return err;
	}
	server_wrote(c);
	return rpc_reply(call, NULL);
}

static int rebuild_one(struct client *c, struct db *db, const char *name, RebuildReply *reply)
{
	KernelConfig *k;
	uint64_t job;
	int err;

	if ((err = db_config_get(db, c->arena, name, &k)) || (err = db_profile_drop(db, name)) ||
	    (err = db_job_open(db, name, k->revision, &job)) || (!job && (err = db_job_add(db, k, c->name, &job))))
		return err;
	*(uint64_t *)arena_grow(c->arena, (void **)&reply->jobs, &reply->n_jobs, sizeof(*reply->jobs)) = job;
	return 0;
}

/* The trees whose paths a builder told go last, since it is by them that the configs are found. */
static int rebuild_all(struct client *c, struct db *db, const RebuildRequest *r, RebuildReply *reply)
{
	const char **names = (const char **)(uintptr_t)&r->config;
	size_t n = 1;
	int err;

	if (r->builder && (err = db_profiles_by(db, c->arena, r->builder, &n, &names)))
		return err;
	for (size_t i = 0; i < n; i++)
		if ((err = rebuild_one(c, db, names[i], reply)))
			return err;
	if (r->builder && (err = db_trees_forget(db, r->builder)))
		return err;
	return db_commit(db);
}

int serve_rebuild(void *client, struct rpc_call *call, const ProtobufCMessage *request)
{
	const RebuildRequest *r = (const RebuildRequest *)request;
	RebuildReply reply = REBUILD_REPLY__INIT;
	struct client *c = client;
	struct db *db;
	int err;

	if (!r->config == !r->builder)
		return fail(ERR_USAGE, "name either a config, or a builder all of whose profiles are to be made anew");
	if (r->builder && c->role < ROLE_ADMIN)
		return fail(ERR_DENIED, "%s is %s: dropping all that a builder made takes the role admin", c->name,
			    role_name(c->role));
	if ((err = server_db(c, &db)) || (err = db_begin(db)))
		return err;
	if ((err = rebuild_all(c, db, r, &reply))) {
		db_rollback(db);
		return err;
	}
	server_wrote(c);
	return rpc_reply(call, &reply.base);
}
