/* Owns the making, marking, locking and sweeping of the repository that a fetch writes. A mirror of our own is bare and says
 * tuxtape.mirror = true in its config; it is marked before it is a repository, so that a kill leaves one that the next run
 * finishes. Refuses to touch anything in a repository without that mark. */
#include "lib/repo_fetch.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME "tuxtape.lock"
#define MARK "tuxtape.mirror"
#define STALE_SECONDS (24 * 3600)
#define ROOM_LEAST (64u << 20) /* bytes; ten times a second the rest of it is looked at */

/* Calls visit for each entry of a directory but "." and "..", with its path. A directory that is missing is an empty one. */
static void each_entry(const char *dir, void (*visit)(void *ctx, const char *path, const char *name), void *ctx)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		char *path;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = xasprintf("%s/%s", dir, e->d_name);
		visit(ctx, path, e->d_name);
		free(path);
	}
	if (d)
		closedir(d);
}

struct leftovers {
	bool own;
	int64_t now;
};

static bool is_old(const char *path, int64_t now)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && now - st.st_mtim.tv_sec > STALE_SECONDS;
}

/* Packs that never became whole: libgit2 calls them pack_git2_*, git tmp_*. In our own mirror we hold the lock, so that the first kind has
 * no owner; git may be at work there all the same. */
static void sweep_pack(void *ctx, const char *path, const char *name)
{
	const struct leftovers *l = ctx;

	if (str_starts(name, "pack_git2_")
		    ? l->own || is_old(path, l->now)
		    : l->own && (str_ends(name, ".lock") || (str_starts(name, "tmp_") && is_old(path, l->now))))
		unlink(path);
}

static void sweep_locks(void *ctx, const char *path, const char *name)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		each_entry(path, sweep_locks, ctx);
	else if (str_ends(name, ".lock"))
		unlink(path);
}

static void sweep(const struct clone *c)
{
	static const char *const locks[] = { "HEAD.lock", "config.lock", "packed-refs.lock" };
	struct leftovers l = { .own = c->own, .now = clock_now() };
	char *packs = xasprintf("%sobjects/pack", c->git ? git_repository_commondir(c->git) : c->path);

	if (c->git)
		each_entry(packs, sweep_pack, &l);
	free(packs);
	if (!c->own)
		return;
	for (size_t i = 0; i < ARRAY_LEN(locks); i++) {
		char *lock = xasprintf("%s/%s", c->path, locks[i]);

		unlink(lock);
		free(lock);
	}
	if (c->git) {
		char *refs = xasprintf("%s/refs", c->path);

		each_entry(refs, sweep_locks, NULL);
		free(refs);
	}
}

/* The lock outlives every kill: it goes with its process. */
static int take_lock(struct clone *c)
{
	char *path = xasprintf("%s/" LOCK_NAME, c->path);
	int err = 0;

	c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (c->lock < 0)
		err = fail(errno == EACCES ? ERR_DENIED : ERR_SYS,
			   "%s: cannot be written: %s; use --no-fetch or a clone of one's own", c->path, strerror(errno));
	else if (flock(c->lock, LOCK_EX | LOCK_NB) < 0)
		err = fail(ERR_SYS, "%s: another process is fetching into it: nothing done", c->path);
	free(path);
	return err;
}

/* The mark is looked for in this one file: a user's own config says nothing about a repository. */
static bool is_marked(const char *path)
{
	char *file = xasprintf("%s/config", path);
	git_config *config = NULL;
	int mark = 0;

	if (git_config_open_ondisk(&config, file) == 0 && git_config_get_bool(&mark, config, MARK) < 0)
		mark = 0;
	git_config_free(config);
	free(file);
	return mark;
}

static void count_foreign(void *ctx, const char *path UNUSED, const char *name)
{
	*(int *)ctx += strcmp(name, LOCK_NAME) != 0;
}

/* True where clone_make may make a mirror: nothing, an empty directory, or one that was begun. */
static bool is_free(const char *path)
{
	int foreign = 0;
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT;
	each_entry(path, count_foreign, &foreign);
	return S_ISDIR(st.st_mode) && (foreign == 0 || is_marked(path));
}

static int check_writable(const struct clone *c)
{
	static const char *const parts[] = { "", "objects", "objects/pack", "refs" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *part = xasprintf("%s%s", git_repository_commondir(c->git), parts[i]);
		int code = access(part, W_OK);
		struct stat st;
		bool other = stat(part, &st) == 0 && st.st_uid != geteuid();

		free(part);
		if (code == 0 || errno == ENOENT)
			continue;
		return fail(errno == EACCES ? ERR_DENIED : ERR_SYS,
			    "%s: %s cannot be written: use --no-fetch or a clone of one's own", c->path,
			    other ? "belongs to another user and" : "it");
	}
	return 0;
}

static int adopt(struct clone *c)
{
	int err;

	if (git_repository_odb(&c->odb, c->git) < 0)
		return fail(ERR_GIT, "%s: %s", c->path, git_said());
	if (git_repository_is_shallow(c->git))
		return fail(ERR_GIT,
			    "%s: a shallow clone cannot be fetched into: use --no-fetch, or `git fetch --unshallow` once",
			    c->path);
	c->own = git_repository_is_bare(c->git) && is_marked(c->path);
	if ((err = c->own ? take_lock(c) : check_writable(c)))
		return err;
	sweep(c);
	return 0;
}

int clone_open(struct clone *c, const char *path)
{
	*c = (struct clone){ .path = path, .lock = -1 };
	if (git_repository_open_ext(&c->git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) == 0)
		return adopt(c);
	c->git = NULL;
	if (is_free(path))
		return 0;
	return fail(ERR_GIT, "%s: not a git repository: %s", path, git_said());
}

static int mark(const struct clone *c)
{
	char *file = xasprintf("%s/config", c->path);
	git_config *config = NULL;
	int err = 0;

	if (git_config_open_ondisk(&config, file) < 0 || git_config_set_bool(config, MARK, 1) < 0)
		err = fail(ERR_GIT, "%s: %s", file, git_said());
	git_config_free(config);
	free(file);
	return err;
}

int clone_note_url(struct clone *c, const char *url)
{
	git_config *config = NULL;
	git_buf now = { 0 };
	int err = 0;

	if (git_repository_config(&config, c->git) < 0)
		return fail(ERR_GIT, "%s: config: %s", c->path, git_said());
	if (git_config_get_string_buf(&now, config, "remote.origin.url") == 0 && strcmp(now.ptr, url) == 0)
		goto out;
	if (git_config_set_string(config, "remote.origin.url", url) < 0 ||
	    git_config_set_string(config, "remote.origin.fetch", "+refs/heads/*:refs/heads/*") < 0 ||
	    git_config_set_string(config, "remote.origin.tagOpt", "--tags") < 0)
		err = fail(ERR_GIT, "%s: config: %s", c->path, git_said());
out:
	git_buf_dispose(&now);
	git_config_free(config);
	return err;
}

int clone_make(struct clone *c, const char *url)
{
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	int err = file_make_parents(c->path);

	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR;
	if (err)
		return err;
	if (mkdir(c->path, 0755) < 0 && errno != EEXIST)
		return fail(ERR_SYS, "make %s: %s", c->path, strerror(errno));
	if ((err = take_lock(c)))
		return err;
	c->own = true;
	sweep(c);
	if ((err = mark(c)))
		return err;
	if (git_repository_init_ext(&c->git, c->path, &options) < 0 || git_repository_odb(&c->odb, c->git) < 0)
		return fail(ERR_GIT, "make %s: %s", c->path, git_said());
	return clone_note_url(c, url);
}

static void add_size(void *ctx, const char *path, const char *name UNUSED)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		*(uint64_t *)ctx += (uint64_t)st.st_size;
}

/* The file system of the nearest directory above that is there. */
static bool file_system(const char *path, struct statvfs *fs)
{
	char *dir = file_nearest(path);
	int code = statvfs(dir, fs);

	free(dir);
	return code == 0;
}

int clone_has_room(const struct clone *c, uint64_t need_bytes)
{
	uint64_t there = 0, free_bytes;
	struct statvfs fs;

	if (need_bytes == 0)
		return 0;
	if (c->git) {
		char *packs = xasprintf("%s/objects/pack", c->path);

		each_entry(packs, add_size, &there);
		free(packs);
	}
	if (!file_system(c->path, &fs))
		return fail(ERR_SYS, "%s: %s", c->path, strerror(errno));
	free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (there + free_bytes >= need_bytes)
		return 0;
	return fail(ERR_SYS, "%s: a first clone wants %.1f GB free there, %.1f GB are: make room, or name another place",
		    c->path, (double)(need_bytes - there) / 1e9, (double)free_bytes / 1e9);
}

bool clone_is_cramped(const char *path)
{
	struct statvfs fs;
	uint64_t least;

	if (statvfs(path, &fs) < 0)
		return false;
	least = MIN_OF((uint64_t)fs.f_blocks * fs.f_frsize / 16, (uint64_t)ROOM_LEAST);
	return (uint64_t)fs.f_bavail * fs.f_frsize < least;
}

void clone_close(struct clone *c)
{
	git_odb_free(c->odb);
	git_repository_free(c->git);
	if (c->lock >= 0)
		close(c->lock);
	*c = (struct clone){ .lock = -1 };
}
