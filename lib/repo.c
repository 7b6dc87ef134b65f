/* Owns libgit2's life in this process and what is read of a repository: objects, commits, files, its tip, its fingerprint. Refuses
 * to search upwards for a repository and to read files larger than its caller allows. Together with repo_tree.c, repo_patch.c and
 * repo_fetch.c it is the house's one door to libgit2, whose header is included by repo_git.h alone. */
#include "lib/repo_git.h"

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "lib/str.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE_TREE (4u << 20)
#define OPEN_PACKS 256 /* each fetch adds a pack, and libgit2 would keep all of them open */

const char *git_said(void)
{
	static char line[512];
	const git_error *e = git_error_last();

	snprintf(line, sizeof(line), "%s", e && e->message ? e->message : "no reason given");
	for (char *p = line; (p = strchr(p, '\n'));)
		*p = ' ';
	return line;
}

int repo_setup(size_t cache_bytes)
{
	static bool done;

	if (!done && git_libgit2_init() < 0)
		return fail(ERR_GIT, "libgit2 does not start: %s", git_said());
	done = true;
	/* Objects are checked when they arrive; hashing each one again at each reading would double the time of a patch. A clone
	 * that belongs to another user is read all the same. */
	if (git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, (size_t)LARGE_TREE) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_MWINDOW_FILE_LIMIT, (size_t)OPEN_PACKS) < 0 ||
	    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)cache_bytes) < 0)
		return fail(ERR_GIT, "libgit2 does not take its settings: %s", git_said());
	return 0;
}

int repo_open(struct repo **out, const char *path)
{
	struct repo *r = xcalloc(1, sizeof(*r));
	int code = git_repository_open_ext(&r->git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
	int err = 0;

	r->path = xstrdup(path);
	if (code == GIT_ENOTFOUND && access(path, F_OK) < 0)
		err = fail(ERR_NOTFOUND, "%s: there is no repository", path);
	else if (code < 0)
		err = fail(ERR_GIT, "%s: not a git repository: %s", path, git_said());
	else if (git_repository_odb(&r->odb, r->git) < 0)
		err = fail(ERR_GIT, "%s: %s", path, git_said());
	if (err) {
		repo_close(r);
		r = NULL;
	}
	*out = r;
	return err;
}

void repo_close(struct repo *r)
{
	if (!r)
		return;
	object_release(&r->folder.tree);
	free(r->folder.dir);
	buf_free(&r->patch);
	git_odb_free(r->odb);
	git_repository_free(r->git);
	free(r->path);
	free(r);
}

int object_read(struct repo *r, const git_oid *id, git_object_t type, struct object *o)
{
	char hex[REPO_HEX];
	int code = git_odb_read(&o->own, r->odb, id);

	git_oid_tostr(hex, sizeof(hex), id);
	if (code == GIT_ENOTFOUND)
		return fail(ERR_NOTFOUND, "%s: object %s is missing", r->path, hex);
	if (code < 0)
		return fail(ERR_GIT, "%s: object %s cannot be read: %s", r->path, hex, git_said());
	if (git_odb_object_type(o->own) != type) {
		object_release(o);
		return fail(ERR_NOTFOUND, "%s: object %s is no %s", r->path, hex, git_object_type2string(type));
	}
	o->data = git_odb_object_data(o->own);
	o->len = git_odb_object_size(o->own);
	return 0;
}

void object_release(struct object *o)
{
	git_odb_object_free(o->own);
	*o = (struct object){ 0 };
}

/* "WORD 40-hex-digits\n" at *p; moves behind it. */
static bool take_id(const char **p, const char *end, const char *word, git_oid *id)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n + GIT_OID_HEXSZ + 1 || memcmp(*p, word, n) != 0 || (*p)[n + GIT_OID_HEXSZ] != '\n' ||
	    git_oid_fromstrn(id, *p + n, GIT_OID_HEXSZ) < 0)
		return false;
	*p += n + GIT_OID_HEXSZ + 1;
	return true;
}

bool commit_parse(const struct object *o, struct commit_head *head)
{
	const char *p = (const char *)o->data, *end = p + o->len, *blank;
	git_oid other;

	*head = (struct commit_head){ .message = "" };
	if (!take_id(&p, end, "tree ", &head->tree))
		return false;
	while (take_id(&p, end, "parent ", head->parents ? &other : &head->parent))
		head->parents++;
	blank = memmem(p, (size_t)(end - p), "\n\n", 2);
	if (blank) {
		head->message = blank + 2;
		head->message_len = (size_t)(end - head->message);
	}
	return true;
}

int commit_tree(struct repo *r, const char *commit, git_oid *tree)
{
	struct object o = { 0 };
	struct commit_head head;
	git_oid id;
	int err;

	if (!str_is_hex(commit, GIT_OID_HEXSZ) || git_oid_fromstr(&id, commit) < 0)
		return fail(ERR_NOTFOUND, "%s: '%s' is no commit id", r->path, commit);
	if ((err = object_read(r, &id, GIT_OBJECT_COMMIT, &o)))
		return err;
	if (commit_parse(&o, &head))
		*tree = head.tree;
	else
		err = fail(ERR_GIT, "%s: commit %s is malformed", r->path, commit);
	object_release(&o);
	return err;
}

int repo_tip(struct repo *r, bool head_only, char tip[REPO_HEX])
{
	git_oid id;

	if ((head_only || git_reference_name_to_id(&id, r->git, "refs/tuxtape/tip") < 0) &&
	    git_reference_name_to_id(&id, r->git, "HEAD") < 0)
		return fail(ERR_NOTFOUND, "%s: HEAD names no commit", r->path);
	git_oid_tostr(tip, REPO_HEX, &id);
	return 0;
}

int repo_commit_time(struct repo *r, const char *commit, char iso[32])
{
	git_commit *c = NULL;
	git_oid id;

	if (git_oid_fromstr(&id, commit) < 0 || git_commit_lookup(&c, r->git, &id) < 0)
		return fail(ERR_NOTFOUND, "%s: no commit %s", r->path, commit);
	clock_print(iso, git_commit_time(c));
	git_commit_free(c);
	return 0;
}

bool repo_is_ancestor(struct repo *r, const char *old, const char *now)
{
	git_oid a, b;

	if (git_oid_fromstr(&a, old) < 0 || git_oid_fromstr(&b, now) < 0 || !git_odb_exists(r->odb, &a))
		return false;
	return git_oid_equal(&a, &b) || git_graph_descendant_of(r->git, &b, &a) == 1;
}

static int open_folder(struct repo *r, const char *commit, const char *path, size_t dir_len)
{
	struct folder *f = &r->folder;
	git_oid tree, id;
	int err;

	if (f->dir && strcmp(f->commit, commit) == 0 && strlen(f->dir) == dir_len && memcmp(f->dir, path, dir_len) == 0)
		return 0;
	object_release(&f->tree);
	free(f->dir);
	f->dir = NULL;
	f->at = 0;
	if ((err = commit_tree(r, commit, &tree)))
		return err;
	f->dir = xasprintf("%.*s", (int)dir_len, path);
	memcpy(f->commit, commit, REPO_HEX);
	if ((err = tree_folder(r, &tree, f->dir, &id)) || (err = object_read(r, &id, GIT_OBJECT_TREE, &f->tree))) {
		free(f->dir);
		f->dir = NULL;
	}
	return err;
}

/* Searches on from what was found last, once around. */
static bool find_in_folder(struct folder *f, const char *name, struct tree_entry *e)
{
	const size_t ends[] = { f->tree.len, f->at };
	size_t at = f->at;

	for (size_t round = 0; round < ARRAY_LEN(ends); round++, at = 0)
		for (size_t next = at; at < ends[round] && tree_next(&f->tree, &next, e) > 0; at = next)
			if (strcmp(e->name, name) == 0) {
				f->at = at;
				return true;
			}
	return false;
}

static int find_file(struct repo *r, const char *commit, const char *path, struct tree_entry *e)
{
	const char *slash = strrchr(path, '/');
	int err = open_folder(r, commit, path, slash ? (size_t)(slash - path) : 0);

	if (err)
		return err;
	if (!find_in_folder(&r->folder, slash ? slash + 1 : path, e) || (e->mode & 0170000) != 0100000)
		return fail(ERR_NOTFOUND, "%s: no file %s in commit %.12s", r->path, path, commit);
	return 0;
}

static int read_blob(struct repo *r, const git_oid *id, const char *name, size_t most, struct buf *out)
{
	struct object o = { 0 };
	int err = 0;

	if (object_read(r, id, GIT_OBJECT_BLOB, &o))
		return fail(ERR_GIT, "%s", err_text());
	if (o.len > most)
		err = fail(ERR_INPUT, "%s: larger than %zu bytes", name, most);
	else
		buf_add(out, o.data, o.len);
	object_release(&o);
	return err;
}

int repo_file(struct repo *r, const char *commit, const char *path, size_t most, struct buf *out)
{
	struct tree_entry e;
	int err = find_file(r, commit, path, &e);

	return err ? err : read_blob(r, &e.id, path, most, out);
}

int repo_file_id(struct repo *r, const char *commit, const char *path, uint8_t id[REPO_ID])
{
	struct tree_entry e;
	int err = find_file(r, commit, path, &e);

	if (!err)
		memcpy(id, e.id.id, REPO_ID);
	return err;
}

int repo_blob(struct repo *r, const uint8_t id[REPO_ID], size_t most, struct buf *out)
{
	char hex[REPO_HEX];
	git_oid blob;

	git_oid_fromraw(&blob, id);
	return read_blob(r, &blob, git_oid_tostr(hex, sizeof(hex), &blob), most, out);
}

/* A fingerprint is a sum over names, sizes and times. */
static void mix(uint64_t *print, const void *p, size_t n)
{
	*print = hash_mix(*print, p, n);
}

static bool mix_stat(uint64_t *print, const char *path, bool *folder)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return false;
	*folder = S_ISDIR(st.st_mode);
	mix(print, path, strlen(path));
	mix(print, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
	mix(print, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
	mix(print, &st.st_ino, sizeof(st.st_ino));
	mix(print, &st.st_size, sizeof(st.st_size));
	return true;
}

/* A new entry changes its folder's time, so that the files of object folders need no look; refs are rewritten by renaming, which
 * does so, too. */
static void mix_folder(uint64_t *print, const char *path, unsigned depth)
{
	bool folder = false;
	struct dirent *e;
	uint64_t sum = 0;
	DIR *d;

	if (!mix_stat(print, path, &folder) || !folder || depth == 0 || !(d = opendir(path)))
		return;
	while ((e = readdir(d))) {
		uint64_t one = HASH_MIX_START;
		char *inner;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
			continue;
		inner = xasprintf("%s/%s", path, e->d_name);
		mix_folder(&one, inner, depth - 1);
		sum += one;
		free(inner);
	}
	closedir(d);
	/* readdir has no order, a sum needs none. */
	mix(print, &sum, sizeof(sum));
}

int repo_fingerprint(const char *path, uint64_t *print)
{
	static const struct {
		const char *name;
		unsigned depth;
	} parts[] = {
		{ "objects", 1 }, { "refs", 16 }, { "packed-refs", 0 }, { "HEAD", 0 }, { "objects/info/alternates", 0 }
	};
	struct repo *r;
	int err = repo_open(&r, path);

	if (err)
		return err;
	*print = HASH_MIX_START;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *part = xasprintf("%s%s", git_repository_commondir(r->git), parts[i].name);

		mix_folder(print, part, parts[i].depth);
		free(part);
	}
	repo_close(r);
	return 0;
}

struct dated {
	int64_t when;
	char commit[REPO_HEX];
};

static int newest_first(const void *a, const void *b)
{
	const struct dated *x = a, *y = b;

	return x->when != y->when ? (x->when < y->when) - (x->when > y->when) : strcmp(x->commit, y->commit);
}

void repo_sort_for_reading(struct repo *r, char (*commits)[REPO_HEX], size_t n)
{
	struct dated *list = xcalloc(n, sizeof(*list));

	/* Packs hold the newest version whole and older ones as deltas of it. */
	for (size_t i = 0; i < n; i++) {
		git_commit *c = NULL;
		git_oid id;

		memcpy(list[i].commit, commits[i], REPO_HEX);
		list[i].when = INT64_MIN;
		if (git_oid_fromstr(&id, commits[i]) == 0 && git_commit_lookup(&c, r->git, &id) == 0)
			list[i].when = git_commit_time(c);
		git_commit_free(c);
	}
	qsort(list, n, sizeof(*list), newest_first);
	for (size_t i = 0; i < n; i++)
		memcpy(commits[i], list[i].commit, REPO_HEX);
	free(list);
}
