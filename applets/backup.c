/* tuxtape backup and restore: the whole database into one file and back. Refuse a damaged backup, and to write
 * over what is no backup. */
#include "applets/applet.h"

#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"

struct backup_options {
	struct applet_common common;
	const char *db;
};

static const struct opt options[] = {
	{ "db", 0, OPT_PATH, offsetof(struct backup_options, db), "FILE", "database", "~/.cache/tuxtape-server/db.db3",
	  .alias = "db-path" },
	APPLET_COMMON(struct backup_options),
	OPT_END,
};

static int backup(const struct backup_options *o, struct arena *a UNUSED, const char *file)
{
	int err = db_backup(o->db, file);

	if (!err)
		log_note("%s copied to %s and checked", o->db, file);
	return err;
}

static int restore(const struct backup_options *o, struct arena *a, const char *file)
{
	const char *note;
	int err = db_restore(file, o->db, a, &note);

	if (!err && note)
		log_note("%s", note);
	if (!err)
		log_note("%s now holds what %s holds", o->db, file);
	return err;
}

static int run(const struct applet *applet, int argc, char **argv,
	       int (*act)(const struct backup_options *, struct arena *, const char *))
{
	struct arena *a = arena_new(0);
	struct backup_options o = { 0 };
	int err = applet_begin(applet, &o, &argc, argv, a);
	int code;

	if (!err)
		err = argc == 2 ? act(&o, a, argv[1]) : fail(ERR_USAGE, "%s takes one FILE", applet->name);
	code = applet_end(err);
	arena_free(a);
	return code;
}

static int backup_main(int argc, char **argv)
{
	return run(&applet_backup, argc, argv, backup);
}

static int restore_main(int argc, char **argv)
{
	return run(&applet_restore, argc, argv, restore);
}

const struct applet applet_backup = {
	.name = "backup",
	.summary = "copy the database into a file, while others use it",
	.synopsis = "FILE [OPTION]...",
	.options = options,
	.options_size = sizeof(struct backup_options),
	.common = offsetof(struct backup_options, common),
	.run = backup_main,
};

const struct applet applet_restore = {
	.name = "restore",
	.summary = "put a backup in the place of the database",
	.synopsis = "FILE [OPTION]...",
	.options = options,
	.options_size = sizeof(struct backup_options),
	.common = offsetof(struct backup_options, common),
	.run = restore_main,
};
