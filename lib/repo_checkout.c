/* Owns writing a commit's tree into a directory, and naming its paths. Refuses names that would lead out of the directory, and
 * anything but files, links and folders. */
#include "lib/repo_git.h"

#include "lib/err.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int repo_ref(struct repo *r, const char *ref, char commit[REPO_HEX])
{
	static const char *const places[] = { "refs/tags/", "refs/tuxtape/tags/", "refs/heads/", "refs/tuxtape/heads/" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char name[512];
		git_object *o = NULL, *peeled = NULL;
		git_oid id;
		bool found = (size_t)snprintf(name, sizeof(name), "%s%s", places[i], ref) < sizeof(name) &&
			     git_reference_name_to_id(&id, r->git, name) == 0 &&
			     git_object_lookup(&o, r->git, &id, GIT_OBJECT_ANY) == 0 &&
			     git_object_peel(&peeled, o, GIT_OBJECT_COMMIT) == 0;

		if (found)
			git_oid_tostr(commit, REPO_HEX, git_object_id(peeled));
		git_object_free(peeled);
		git_object_free(o);
		if (found)
			return 0;
	}
	return fail(ERR_NOTFOUND, "%s: there is no tag %s", r->path, ref);
}

/* git itself refuses such names; a tree made by hand may hold them all the same. */
static bool is_safe_path(const char *path)
{
	for (const char *part = path; *part;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && strncmp(part, "..", 2) == 0) ||
		    (n == 4 && strncasecmp(part, ".git", 4) == 0))
			return false;
		part += n + (part[n] == '/');
	}
	return *path && path[strlen(path) - 1] != '/';
}

struct checkout {
	struct repo *repo;
	const char *dir;
	char made[PATH_MAX]; /* the folder that was made last */
	void (*report)(void *ctx, uint64_t files);
	void *ctx;
	uint64_t files;
};

static int make_folder(struct checkout *c, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (strcmp(folder, c->made) == 0)
		return 0;
	snprintf(c->made, sizeof(c->made), "%s", folder);
	return file_make_parents(path);
}

static int write_file(const char *path, unsigned mode, const struct object *o)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0111 ? 0755 : 0644);
	size_t at = 0;
	int err = 0;

	if (fd < 0)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	while (!err && at < o->len) {
		ssize_t n = write(fd, o->data + at, o->len - at);

		if (n < 0 && errno != EINTR)
			err = fail(ERR_SYS, "%s: %s", path, strerror(errno));
		at += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return err;
}

static int write_link(const char *path, const struct object *o)
{
	char target[PATH_MAX];

	if (o->len >= sizeof(target))
		return fail(ERR_GIT, "%s: a link that is too long", path);
	memcpy(target, o->data, o->len);
	target[o->len] = '\0';
	return symlink(target, path) < 0 ? fail(ERR_SYS, "%s: %s", path, strerror(errno)) : 0;
}

static int write_entry(void *ctx, const char *name, const struct tree_entry *old UNUSED, const struct tree_entry *now)
{
	struct checkout *c = ctx;
	struct object o;
	char path[PATH_MAX];
	int err;

	if (!is_safe_path(name))
		return fail(ERR_GIT, "%s: the tree has a path that leads out of it", c->repo->path);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", c->dir, name) >= sizeof(path))
		return fail(ERR_GIT, "%s: a path that is too long", name);
	/* A submodule is a folder that stays empty. */
	if ((now->mode & 0170000) == 0160000)
		return 0;
	if ((err = make_folder(c, path)) || (err = object_read(c->repo, &now->id, GIT_OBJECT_BLOB, &o)))
		return err;
	err = (now->mode & 0170000) == 0120000 ? write_link(path, &o) : write_file(path, now->mode, &o);
	object_release(&o);
	if (c->report && ++c->files % 2000 == 0)
		c->report(c->ctx, c->files);
	return err;
}

int repo_checkout(struct repo *r, const char *commit, const char *dir, void (*report)(void *ctx, uint64_t files), void *ctx)
{
	struct checkout c = { .repo = r, .dir = dir, .report = report, .ctx = ctx };
	struct tree_visit v = { write_entry, &c };
	git_oid tree;
	int err = commit_tree(r, commit, &tree);

	return err ? err : tree_compare(r, NULL, &tree, "", &v);
}
