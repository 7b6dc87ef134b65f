/* Owns the choice between a database on this machine and a server. */
#include "applets/client.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/role.h"

#include <unistd.h>

static int tell(const char *where, const char *commit, const char *time)
{
	char ago[CLOCK_TEXT] = "";
	int64_t when;

	if (!commit)
		return fail(ERR_DB, "%s: no run of `tuxtape parse` has filled it yet", where);
	log_note("%s, vulns.git %.12s, %s old", where, commit,
		 time && clock_parse(time, &when) ? clock_ago(ago, when) : "?");
	return 0;
}

static int open_database(struct source *s, const char *path, struct arena *a)
{
	const char *commit = NULL, *time = NULL;
	int err;

	if ((err = db_open(&s->db, path, DB_READ, a, NULL)) ||
	    (err = db_meta_get(s->db, a, "based_on_vulns_commit", &commit)) ||
	    (err = db_meta_get(s->db, a, "based_on_vulns_time", &time)))
		return err;
	return tell(arena_printf(a, "database %s", path), commit, time);
}

static int open_server(struct source *s, const struct client_options *o, struct arena *a)
{
	Nothing nothing = NOTHING__INIT;
	VersionInfo *you;
	HealthInfo *health;
	int err;

	s->timeout_ms = (int)o->timeout;
	if ((err = client_dial(o, a, NULL, &s->rpc, &you)))
		return err;
	/* What a builder is told of the server's health is that it is there, which must not be taken for a database without data. */
	if (you->role && role_parse(you->role) == ROLE_BUILDER)
		return fail(ERR_DENIED, "%s: %s is builder: reading takes the role viewer", o->server,
			    you->you ? you->you : "?");
	if ((err = rpc_call(s->rpc, RPC_HEALTH, &nothing.base, a, s->timeout_ms, &health)))
		return err;
	return tell(
		arena_printf(a, "server %s as %s (%s)", o->server, you->you ? you->you : "?", you->role ? you->role : "?"),
		health->vulns_commit, health->vulns_time);
}

int source_open(struct source *s, const struct applet *applet, const struct applet_common *common, const char *db,
		const struct client_options *client, struct arena *a)
{
	bool by_db = applet_given(applet, common, "db"), by_server = applet_given(applet, common, "server");
	int err;

	*s = (struct source){ 0 };
	if (by_db && by_server)
		return fail(ERR_USAGE, "--db and --server: say one of them");
	if (by_db || (!by_server && access(db, F_OK) == 0))
		return open_database(s, db, a);
	if ((err = open_server(s, client, a)) && !by_server && err == ERR_NET)
		return fail(err, "there is no database at %s, and %s", db, err_text());
	return err;
}

void source_close(struct source *s)
{
	db_close(s->db);
	rpc_free(s->rpc);
	*s = (struct source){ 0 };
}
