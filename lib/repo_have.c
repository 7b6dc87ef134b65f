/* Owns what an origin is told to be here. libgit2 tells it of all refs in an order of its own, the oldest tags first, and takes the
 * first 20 commits that the origin knows as all there is in common: a clone of the kernel would get its history again with
 * every fetch. So the fetch goes through a handle of its own on the repository, whose ref database is made up: it holds a few
 * commits, chosen for what is wanted. Refuses to write refs. */
#include "lib/repo_fetch.h"

#include "lib/err.h"

#include <git2/sys/refdb_backend.h>
#include <git2/sys/refs.h>
#include <git2/sys/repository.h>
#include <stdio.h>
#include <stdlib.h>

struct backend {
	git_refdb_backend base;
	struct haves *haves;
};

struct walk {
	git_reference_iterator base;
	const struct haves *haves;
	size_t next;
	char name[32];
};

static const char *name_of(char name[32], size_t i)
{
	snprintf(name, 32, "refs/have/%zu", i);
	return name;
}

static int exists(int *there, git_refdb_backend *base, const char *name)
{
	const struct haves *h = ((struct backend *)base)->haves;
	char own[32];

	*there = 0;
	for (size_t i = 0; i < h->n; i++)
		*there |= strcmp(name, name_of(own, i)) == 0;
	return 0;
}

static int lookup(git_reference **out, git_refdb_backend *base, const char *name)
{
	const struct haves *h = ((struct backend *)base)->haves;
	char own[32];

	*out = NULL;
	for (size_t i = 0; i < h->n && !*out; i++)
		if (strcmp(name, name_of(own, i)) == 0 && !(*out = git_reference__alloc(name, &h->ids[i], NULL)))
			return -1;
	return *out ? 0 : GIT_ENOTFOUND;
}

static int walk_name(const char **name, git_reference_iterator *base)
{
	struct walk *w = (struct walk *)base;

	if (w->next == w->haves->n)
		return GIT_ITEROVER;
	*name = name_of(w->name, w->next++);
	return 0;
}

static int walk_ref(git_reference **ref, git_reference_iterator *base)
{
	struct walk *w = (struct walk *)base;
	const char *name;
	int code = walk_name(&name, base);

	if (code < 0)
		return code;
	*ref = git_reference__alloc(name, &w->haves->ids[w->next - 1], NULL);
	return *ref ? 0 : -1;
}

static void walk_free(git_reference_iterator *base)
{
	free(base);
}

static int iterate(git_reference_iterator **out, git_refdb_backend *base, const char *glob UNUSED)
{
	struct walk *w = xcalloc(1, sizeof(*w));

	w->base.next = walk_ref;
	w->base.next_name = walk_name;
	w->base.free = walk_free;
	w->haves = ((struct backend *)base)->haves;
	*out = &w->base;
	return 0;
}

static int refuse_write(git_refdb_backend *b UNUSED, const git_reference *ref UNUSED, int force UNUSED,
			const git_signature *who UNUSED, const char *message UNUSED, const git_oid *old UNUSED,
			const char *target UNUSED)
{
	return GIT_EUSER;
}

static int refuse_rename(git_reference **out UNUSED, git_refdb_backend *b UNUSED, const char *from UNUSED,
			 const char *to UNUSED, int force UNUSED, const git_signature *who UNUSED,
			 const char *message UNUSED)
{
	return GIT_EUSER;
}

static int refuse_delete(git_refdb_backend *b UNUSED, const char *name UNUSED, const git_oid *old UNUSED,
			 const char *target UNUSED)
{
	return GIT_EUSER;
}

static int no_log(git_refdb_backend *b UNUSED, const char *name UNUSED)
{
	return 0;
}

static int refuse_log_read(git_reflog **out UNUSED, git_refdb_backend *b UNUSED, const char *name UNUSED)
{
	return GIT_ENOTFOUND;
}

static int refuse_log_write(git_refdb_backend *b UNUSED, git_reflog *log UNUSED)
{
	return GIT_EUSER;
}

static int refuse_log_rename(git_refdb_backend *b UNUSED, const char *from UNUSED, const char *to UNUSED)
{
	return GIT_EUSER;
}

static int refuse_log_delete(git_refdb_backend *b UNUSED, const char *name UNUSED)
{
	return GIT_EUSER;
}

static void backend_free(git_refdb_backend *base)
{
	free(base);
}

static git_refdb_backend *backend_new(struct haves *h)
{
	struct backend *b = xcalloc(1, sizeof(*b));

	git_refdb_init_backend(&b->base, GIT_REFDB_BACKEND_VERSION);
	b->base.exists = exists;
	b->base.lookup = lookup;
	b->base.iterator = iterate;
	b->base.write = refuse_write;
	b->base.rename = refuse_rename;
	b->base.del = refuse_delete;
	b->base.has_log = no_log;
	b->base.ensure_log = no_log;
	b->base.reflog_read = refuse_log_read;
	b->base.reflog_write = refuse_log_write;
	b->base.reflog_rename = refuse_log_rename;
	b->base.reflog_delete = refuse_log_delete;
	b->base.free = backend_free;
	b->haves = h;
	return &b->base;
}

int haves_open(struct haves *h, const char *path)
{
	git_refdb *refdb = NULL;
	int err = 0;

	*h = (struct haves){ 0 };
	if (git_repository_open_ext(&h->git, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) < 0 ||
	    git_refdb_new(&refdb, h->git) < 0 || git_refdb_set_backend(refdb, backend_new(h)) < 0 ||
	    git_repository_set_refdb(h->git, refdb) < 0)
		err = fail(ERR_GIT, "%s: %s", path, git_said());
	git_refdb_free(refdb);
	return err;
}

void haves_close(struct haves *h)
{
	git_repository_free(h->git);
	*h = (struct haves){ 0 };
}
