/* The kernel configs of the fleet, their revisions and build profiles. No row here refers to the parser's tables. */
#ifndef TUXTAPE_DB_CONFIG_H
#define TUXTAPE_DB_CONFIG_H

#include "lib/db.h"

/* A kernel that CVEs are judged for. */
struct db_target {
	const char *config; /* name, NULL for a bare version */
	KernelVersion version;
	int64_t id;    /* of the config's row; 0 for a bare version */
	int64_t tree;  /* that its profile was made from */
	bool profiled; /* a complete build profile of this revision is there */
};

/* The target that a config is. ERR_NOTFOUND, with the names that exist when they are few. */
int db_target(struct db *db, struct arena *a, const char *config, struct db_target *target);

/* Every config as a target, by name. */
int db_targets(struct db *db, struct arena *a, size_t *n, struct db_target **targets);

/* Every config with the state of its build, by name; or the one of that name (NULL: all). */
int db_config_list(struct db *db, struct arena *a, const char *name, ConfigList *list);

/* A config with its contents. ERR_NOTFOUND. */
int db_config_get(struct db *db, struct arena *a, const char *name, KernelConfig **out);

/* Stores a config: contents, version or ref other than before make a new revision and drop the profile. config->revision is set.
 * Needs an open transaction. */
int db_config_put(struct db *db, KernelConfig *config, bool *changed);

/* Deletes a config and its profile; its revisions and jobs stay. ERR_NOTFOUND. Needs an open transaction. */
int db_config_delete(struct db *db, const char *name);

/* Drops the profile, so that the config is built anew. Needs an open transaction. */
int db_profile_drop(struct db *db, const char *config);

/* Stores the profile of a config's revision with everything in it, replacing the one before. ERR_NOTFOUND when the config has another
 * revision by now. Needs an open transaction. */
int db_profile_put(struct db *db, const char *config, const BuildProfile *profile);

/* Commits whose path lists are stored. */
int db_tree_commits(struct db *db, struct arena *a, size_t *n, const char ***commits);

/* The files that a config's build compiled, assembled or included, by name. */
int db_compiled_files(struct db *db, struct arena *a, int64_t config, size_t *n, const char ***files);

/* Paths by number, a bit each. */
struct db_path_set {
	const uint8_t *bits;
	int64_t most; /* the last that has a bit */
};

static inline bool db_path_set_has(const struct db_path_set *set, int64_t path)
{
	return path > 0 && path <= set->most && (set->bits[path / 8] >> (path % 8) & 1);
}

/* The paths of the same files as a set, to hold many against it; its bits are NULL when the target's profile is there no more. */
int db_compiled_set(struct db *db, struct arena *a, const struct db_target *target, struct db_path_set *set);

/* Whether a path is one of them. */
int db_is_compiled(struct db *db, int64_t config, int64_t path, bool *compiled);

/* Names of the configs whose profile that builder made, or that was made from a tree whose paths it told: with them every verdict on
 * files that were not compiled stands or falls. */
int db_profiles_by(struct db *db, struct arena *a, const char *builder, size_t *n, const char ***configs);

/* Forgets the paths that it told, so that the next to build such a tree tells them anew. The profiles that db_profiles_by names have to
 * be dropped with them. Needs an open transaction. */
int db_trees_forget(struct db *db, const char *builder);

#endif
