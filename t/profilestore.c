/* profilestore DB CONFIG FILES [FROM]: stores a profile of so many files for a config, as the server does when a build ends, and prints the
 * milliseconds that it took. The files are those of the database's own paths, from number FROM on, and then made-up ones. */
#include "lib/db_config.h"
#include "lib/err.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>

static int take_paths(struct db *db, struct arena *a, BuildProfile *p, unsigned n, unsigned from)
{
	struct db_rows *rows;
	int err = db_query(db, &rows, "SELECT name FROM path ORDER BY path LIMIT ? OFFSET ?", "ii", (int64_t)n,
			   (int64_t)from);

	if (err)
		return err;
	while (db_next(rows)) {
		BuildFile *f = PB_ADD(a, p, files, build_file);
		ProtobufCBinaryData name = db_bytes(rows, 0);

		f->has_path = f->has_kind = true;
		f->path = pb_bytes(a, name.data, name.len);
		f->kind = FILE_KIND__COMPILED;
	}
	for (size_t i = p->n_files; i < n; i++) {
		BuildFile *f = PB_ADD(a, p, files, build_file);
		const char *name = arena_printf(a, "drivers/made/up%u/file%zu.c", from, i);

		f->has_path = f->has_kind = true;
		f->path = pb_bytes(a, name, strlen(name));
		f->kind = FILE_KIND__COMPILED;
	}
	return db_end(rows);
}

static int store(struct db *db, struct arena *a, const char *config, unsigned n, unsigned from)
{
	BuildProfile p = BUILD_PROFILE__INIT;
	KernelConfig *c;
	uint64_t began;
	int err;

	if ((err = db_config_get(db, a, config, &c)) || (err = take_paths(db, a, &p, n, from)))
		return err;
	p.commit = "3333333333333333333333333333333333333333";
	p.has_revision = true;
	p.revision = c->revision;
	for (size_t i = 0; i < p.n_files; i++)
		pb_add_bytes(a, &p.n_tree_paths, &p.tree_paths, p.files[i]->path.data, p.files[i]->path.len);
	began = now_ms();
	if ((err = db_begin(db)))
		return err;
	if ((err = db_profile_put(db, config, &p)) || (err = db_commit(db))) {
		db_rollback(db);
		return err;
	}
	printf("%llu\n", (unsigned long long)(now_ms() - began));
	return 0;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct db *db = NULL;
	int err = argc < 4 ? fail(ERR_USAGE, "profilestore DB CONFIG FILES [FROM]")
			   : db_open(&db, argv[1], DB_WRITE, a, NULL);

	if (!err)
		err = store(db, a, argv[2], (unsigned)atoi(argv[3]), argc > 4 ? (unsigned)atoi(argv[4]) : 0);
	if (err)
		fprintf(stderr, "profilestore: %s\n", err_text());
	db_close(db);
	arena_free(a);
	return err_exit_code(err);
}
