/* Owns which refs of an origin are fetched, in which steps, and what is recorded of them. libgit2 can neither go on with a clone that
 * was cut nor clone a part of a history; so what is missing is taken in steps, each of which ends with the refs that it brought, and the
 * next run sees from the refs what is left. Nothing but objects is written by libgit2's own fetching: refs are set here, one by
 * one, so that a repository which is not ours keeps its HEAD, FETCH_HEAD, branches and tags. Refuses origins without a HEAD. */
#include "lib/repo_fetch.h"

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/kver.h"
#include "lib/str.h"

#include <stdlib.h>

#define PACK_REFS_FROM 64 /* loose refs that one step leaves */
#define RELEASES_A_STEP 4
#define HEADS_A_STEP 4
#define TAGS_A_STEP 64
/* Branches that moved are asked for together where each one's old tip is sure to be among the first 20 commits that the origin is told
 * of: libgit2 1.5 tells of the tips before their parents, later ones go by date. */
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR <= 5
#define MOVED_A_STEP 16
#else
#define MOVED_A_STEP 1
#endif

struct ref {
	const char *name;  /* at the origin */
	const char *local; /* here */
	git_oid id;
	git_oid peeled; /* of a tag; else zero */
	KernelVersion version;
	bool tag;
	bool main; /* what the origin's HEAD names */
};

struct fetch {
	const struct repo_sync *how;
	struct arena *arena;
	struct clone clone;
	struct haves haves;
	struct origin origin;
	struct ref *theirs; /* sorted by local name */
	size_t n_theirs;
	struct ref *ours; /* the first n_sorted by name, then what this run added */
	size_t n_ours, n_sorted;
	const char *main_branch; /* "refs/heads/master"; NULL: HEAD is detached */
	bool changed;
	unsigned loose;
};

/* Which release a tag or a stable branch belongs to. */
static void read_version(struct ref *r)
{
	const char *name = strrchr(r->name, '/');
	size_t n;

	kernel_version__init(&r->version);
	name = name ? name + 1 : r->name;
	n = strlen(name);
	if (r->tag && *name == 'v')
		kver_parse(&r->version, name + 1, n - 1);
	else if (!r->tag && str_starts(name, "linux-") && str_ends(name, ".y"))
		kver_parse(&r->version, name + 6, n - 8);
}

static int by_local(const void *a, const void *b)
{
	return strcmp(((const struct ref *)a)->local, ((const struct ref *)b)->local);
}

static void sort(struct ref *list, size_t n)
{
	if (n)
		qsort(list, n, sizeof(*list), by_local);
}

static struct ref *find(struct ref *list, size_t n, const char *local)
{
	struct ref key = { .local = local };

	return n ? bsearch(&key, list, n, sizeof(*list), by_local) : NULL;
}

static void add_theirs(struct fetch *f, const git_remote_head *head)
{
	bool tag = str_starts(head->name, "refs/tags/"), is_head = strcmp(head->name, "HEAD") == 0;
	struct ref *r;

	if (!tag && !is_head && !str_starts(head->name, "refs/heads/"))
		return;
	/* "refs/tags/NAME^{}" says what the tag before it points to. */
	if (str_ends(head->name, "^{}")) {
		if (f->n_theirs)
			f->theirs[f->n_theirs - 1].peeled = head->oid;
		return;
	}
	if (!is_head && git_reference_is_valid_name(head->name) != 1)
		return;
	r = arena_grow(f->arena, (void **)&f->theirs, &f->n_theirs, sizeof(*r));
	r->name = arena_strdup(f->arena, head->name);
	r->id = head->oid;
	r->tag = tag;
	r->main = f->main_branch && strcmp(r->name, f->main_branch) == 0;
	if (!is_head)
		read_version(r);
}

static int dial(struct fetch *f)
{
	return origin_dial(&f->origin, f->origin.local ? f->clone.git : f->haves.git);
}

/* What the origin has. HEAD comes last of all, as refs/tuxtape/tip: a repository that has it was fetched whole at least once. */
static int list_theirs(struct fetch *f)
{
	const git_remote_head **heads;
	git_buf branch = { 0 };
	bool tip = false;
	size_t n;
	int err = dial(f), code;

	if (err)
		return err;
	if ((code = git_remote_ls(&heads, &n, f->origin.remote)) < 0)
		return origin_refused(&f->origin, code);
	if (git_remote_default_branch(&branch, f->origin.remote) == 0)
		f->main_branch = arena_strdup(f->arena, branch.ptr);
	git_buf_dispose(&branch);
	for (size_t i = 0; i < n; i++) {
		tip |= strcmp(heads[i]->name, "HEAD") == 0;
		add_theirs(f, heads[i]);
	}
	if (!tip)
		return fail(ERR_NET, "%s: its HEAD names no commit: nothing was fetched", f->origin.shown);
	return 0;
}

static void name_locally(struct fetch *f)
{
	for (size_t i = 0; i < f->n_theirs; i++) {
		struct ref *r = &f->theirs[i];

		if (strcmp(r->name, "HEAD") == 0)
			r->local = "refs/tuxtape/tip";
		else
			r->local = f->clone.own ? r->name
						: arena_printf(f->arena, "refs/tuxtape/%s", r->name + strlen("refs/"));
	}
	sort(f->theirs, f->n_theirs);
}

static int add_ours(git_reference *ref, void *ctx)
{
	struct fetch *f = ctx;

	if (git_reference_type(ref) == GIT_REFERENCE_DIRECT) {
		struct ref *r = arena_grow(f->arena, (void **)&f->ours, &f->n_ours, sizeof(*r));

		r->name = r->local = arena_strdup(f->arena, git_reference_name(ref));
		r->id = *git_reference_target(ref);
		r->tag = str_starts(r->name, "refs/tags/") || str_starts(r->name, "refs/tuxtape/tags/");
		r->main = f->main_branch && strcmp(r->name, f->main_branch) == 0;
		read_version(r);
	}
	git_reference_free(ref);
	return 0;
}

static int list_ours(struct fetch *f)
{
	if (git_reference_foreach(f->clone.git, add_ours, f) < 0)
		return fail(ERR_GIT, "%s: refs: %s", f->how->path, git_said());
	sort(f->ours, f->n_ours);
	f->n_sorted = f->n_ours;
	return 0;
}

static bool is_there(const struct fetch *f, const git_oid *id)
{
	return git_odb_exists_ext(f->clone.odb, id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
}

/* Another's repository needs no second tag beside its own. */
static bool is_current(const struct fetch *f, const struct ref *r)
{
	const struct ref *now = find(f->ours, f->n_sorted, r->local);

	if (!now && r->tag && !f->clone.own)
		now = find(f->ours, f->n_sorted, r->name);
	return now && git_oid_equal(&now->id, &r->id);
}

static int set_ref(struct fetch *f, const struct ref *r)
{
	struct ref *now = find(f->ours, f->n_sorted, r->local);
	git_reference *ref = NULL;

	if (git_reference_create(&ref, f->clone.git, r->local, &r->id, 1, NULL) < 0)
		return fail(ERR_GIT, "%s: set %s: %s", f->how->path, r->local, git_said());
	git_reference_free(ref);
	if (!now) {
		now = arena_grow(f->arena, (void **)&f->ours, &f->n_ours, sizeof(*now));
		*now = *r;
	}
	now->id = r->id;
	f->changed = true;
	f->loose++;
	return 0;
}

/* Drops what the origin dropped. It comes first: a branch "a" that is gone makes room for a branch "a/b". */
static int prune(struct fetch *f)
{
	const char *heads = f->clone.own ? "refs/heads/" : "refs/tuxtape/heads/";
	const char *tags = f->clone.own ? "refs/tags/" : "refs/tuxtape/tags/";

	for (size_t i = 0; i < f->n_ours; i++) {
		const char *name = f->ours[i].name;

		if ((!str_starts(name, heads) && !str_starts(name, tags)) || find(f->theirs, f->n_theirs, name))
			continue;
		if (git_reference_remove(f->clone.git, name) < 0)
			return fail(ERR_GIT, "%s: drop %s: %s", f->how->path, name, git_said());
		f->changed = true;
	}
	return 0;
}

static void add_have(struct fetch *f, const git_oid *id)
{
	struct haves *h = &f->haves;

	for (size_t i = 0; i < h->n; i++)
		if (git_oid_equal(&h->ids[i], id))
			return;
	if (h->n < HAVES_MOST && is_there(f, id))
		h->ids[h->n++] = *id;
}

/* What is here of a ref that is wanted: where it was before, a branch of that name in another's repository, what a tag points to. */
static bool add_own_haves(struct fetch *f, const struct ref *want)
{
	const struct ref *now = find(f->ours, f->n_sorted, want->local);
	const char *tail = strrchr(want->name, '/');
	size_t before = f->haves.n;

	add_have(f, now ? &now->id : &want->peeled);
	if (f->haves.n > before)
		return true;
	for (size_t i = 0; !want->tag && tail && i < f->n_ours; i++)
		if (!f->ours[i].tag && str_ends(f->ours[i].name, tail))
			add_have(f, &f->ours[i].id);
	return f->haves.n > before;
}

/* The main branch first, then stable branches and mainline releases from the newest on, then the rest. */
static int rank(const struct ref *r)
{
	if (r->main)
		return 0;
	if (!r->tag && r->version.has_major)
		return 1;
	if (r->tag)
		return r->version.has_major && kver_is_mainline(&r->version) && !r->version.has_rc ? 2 : 4;
	return 3;
}

static int by_rank(const void *a, const void *b)
{
	const struct ref *x = *(const struct ref *const *)a, *y = *(const struct ref *const *)b;
	int order = rank(x) - rank(y);

	if (order == 0)
		order = kver_cmp(&y->version, &x->version);
	return order ? order : strcmp(x->name, y->name);
}

static void add_newest_haves(struct fetch *f)
{
	const struct ref **list = xcalloc(f->n_ours + 1, sizeof(*list));

	for (size_t i = 0; i < f->n_ours; i++)
		list[i] = &f->ours[i];
	qsort(list, f->n_ours, sizeof(*list), by_rank);
	for (size_t i = 0; i < f->n_ours && f->haves.n < HAVES_MOST; i++)
		add_have(f, &list[i]->id);
	free(list);
}

struct dated_id {
	int64_t when;
	git_oid id;
};

static int oldest_first(const void *a, const void *b)
{
	const struct dated_id *x = a, *y = b;

	return (x->when > y->when) - (x->when < y->when);
}

/* Oldest first: in this order libgit2 1.5 tells of all of them before it comes to their parents. */
static void sort_haves(struct fetch *f)
{
	struct dated_id list[HAVES_MOST];
	struct haves *h = &f->haves;

	for (size_t i = 0; i < h->n; i++) {
		git_object *o = NULL, *commit = NULL;

		list[i] = (struct dated_id){ .id = h->ids[i] };
		if (git_object_lookup(&o, f->clone.git, &h->ids[i], GIT_OBJECT_ANY) == 0 &&
		    git_object_peel(&commit, o, GIT_OBJECT_COMMIT) == 0)
			list[i].when = git_commit_time((git_commit *)commit);
		git_object_free(commit);
		git_object_free(o);
	}
	qsort(list, h->n, sizeof(*list), oldest_first);
	for (size_t i = 0; i < h->n; i++)
		h->ids[i] = list[i].id;
}

static void choose_haves(struct fetch *f, struct ref *const *wants, size_t n)
{
	bool all_known = true;

	f->haves.n = 0;
	for (size_t i = 0; i < n; i++)
		all_known &= add_own_haves(f, wants[i]);
	if (!all_known)
		add_newest_haves(f);
	sort_haves(f);
}

static const char *short_name(const struct ref *r)
{
	const char *slash = r->name;

	for (int i = 0; i < 2 && strchr(slash, '/'); i++)
		slash = strchr(slash, '/') + 1;
	return slash;
}

/* Asks for the refs that are missing here. */
static int download(struct fetch *f, struct ref *const *wants, size_t n)
{
	char **names = arena_alloc(f->arena, n * sizeof(*names));
	git_strarray list = { names, 0 };
	const char *step = short_name(wants[0]);
	int err;

	for (size_t i = 0; i < n; i++)
		if (!is_there(f, &wants[i]->id))
			names[list.count++] = arena_strdup(f->arena, wants[i]->name);
	if (n > 1)
		step = arena_printf(f->arena, "%s to %s", step, short_name(wants[n - 1]));
	choose_haves(f, wants, n);
	if (!(err = dial(f)))
		err = origin_get(&f->origin, &list, step);
	git_odb_refresh(f->clone.odb);
	return err;
}

/* Thousands of loose refs would be thousands of files to read at each run. */
static int pack_refs(struct fetch *f)
{
	git_refdb *refdb = NULL;
	int err = 0;

	if (!f->clone.own || f->loose < PACK_REFS_FROM)
		return 0;
	f->loose = 0;
	if (git_repository_refdb(&refdb, f->clone.git) < 0 || git_refdb_compress(refdb) < 0)
		err = fail(ERR_GIT, "%s: pack refs: %s", f->how->path, git_said());
	git_refdb_free(refdb);
	return err;
}

static int take(struct fetch *f, struct ref *const *wants, size_t n)
{
	int err = 0;
	bool all = true;

	for (size_t i = 0; i < n; i++)
		all &= is_there(f, &wants[i]->id);
	if (!all && (err = download(f, wants, n)))
		return err;
	/* A ref that moved at the origin since its list was read waits for the next run. */
	for (size_t i = 0; !err && i < n; i++)
		if (is_there(f, &wants[i]->id))
			err = set_ref(f, wants[i]);
	return err ? err : pack_refs(f);
}

static bool is_release(const struct fetch *f, const struct ref *r)
{
	return strcmp(f->how->need, "linux") == 0 && r->tag && r->version.has_major && kver_is_mainline(&r->version) &&
	       !r->version.has_rc;
}

static bool is_branch(const struct ref *r)
{
	return !r->tag && strcmp(r->name, "HEAD") != 0;
}

static bool is_new_branch(const struct fetch *f, const struct ref *r)
{
	return is_branch(r) && !find(f->ours, f->n_sorted, r->local);
}

static bool is_moved_branch(const struct fetch *f, const struct ref *r)
{
	return is_branch(r) && !is_new_branch(f, r);
}

/* Most tags come along with the commits that they name. */
static bool is_tag_with_object(const struct fetch *f, const struct ref *r)
{
	return r->tag && is_there(f, &r->id);
}

static bool is_tag_of_commit(const struct fetch *f, const struct ref *r)
{
	return r->tag && is_there(f, &r->peeled);
}

static bool is_tag(const struct fetch *f UNUSED, const struct ref *r)
{
	return r->tag;
}

static bool is_tip(const struct fetch *f UNUSED, const struct ref *r)
{
	return strcmp(r->name, "HEAD") == 0;
}

static int in_order(const void *a, const void *b)
{
	const struct ref *x = *(const struct ref *const *)a, *y = *(const struct ref *const *)b;
	int order = y->main - x->main;

	if (order == 0)
		order = y->version.has_major - x->version.has_major;
	if (order == 0)
		order = kver_cmp(&x->version, &y->version);
	return order ? order : strcmp(x->name, y->name);
}

/* Takes all that is wanted and not current, at most so many a step. */
static int take_in_steps(struct fetch *f, bool (*wanted)(const struct fetch *, const struct ref *), size_t most)
{
	struct ref **list = arena_alloc(f->arena, f->n_theirs * sizeof(*list));
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; i < f->n_theirs; i++)
		if (wanted(f, &f->theirs[i]) && !is_current(f, &f->theirs[i]))
			list[n++] = &f->theirs[i];
	qsort(list, n, sizeof(*list), in_order);
	for (size_t i = 0; !err && i < n; i += most)
		err = take(f, list + i, MIN_OF(most, n - i));
	/* What was added is looked for by name from here on. */
	sort(f->ours, f->n_ours);
	f->n_sorted = f->n_ours;
	return err;
}

static int take_all(struct fetch *f)
{
	static const struct {
		bool (*wanted)(const struct fetch *, const struct ref *);
		size_t most;
	} phases[] = {
		{ is_release, RELEASES_A_STEP },
		{ is_new_branch, HEADS_A_STEP },
		{ is_moved_branch, MOVED_A_STEP },
		{ is_tag_with_object, SIZE_MAX },
		{ is_tag_of_commit, MOVED_A_STEP },
		{ is_tag, TAGS_A_STEP },
		{ is_tip, 1 },
	};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_LEN(phases); i++)
		err = take_in_steps(f, phases[i].wanted, phases[i].most);
	return err;
}

/* HEAD of a mirror is the origin's, for those who read it with --no-fetch. */
static int set_head(struct fetch *f, const git_oid *tip)
{
	git_reference *now = NULL, *set = NULL;
	const char *target = NULL;
	bool same;
	int code;

	if (git_reference_lookup(&now, f->clone.git, "HEAD") == 0)
		target = git_reference_symbolic_target(now);
	if (f->main_branch)
		same = target && strcmp(target, f->main_branch) == 0;
	else
		same = now && !target && git_oid_equal(git_reference_target(now), tip);
	git_reference_free(now);
	if (same)
		return 0;
	if (f->main_branch)
		code = git_reference_symbolic_create(&set, f->clone.git, "HEAD", f->main_branch, 1, NULL);
	else
		code = git_reference_create(&set, f->clone.git, "HEAD", tip, 1, NULL);
	git_reference_free(set);
	if (code < 0)
		return fail(ERR_GIT, "%s: set HEAD: %s", f->how->path, git_said());
	f->changed = true;
	return 0;
}

static int record(struct fetch *f, char tip[REPO_HEX])
{
	const struct ref *r = find(f->theirs, f->n_theirs, "refs/tuxtape/tip");

	if (!is_current(f, r))
		return fail(ERR_NET, "%s: its HEAD moved while it was fetched: the next run goes on from here",
			    f->origin.shown);
	git_oid_tostr(tip, REPO_HEX, &r->id);
	return f->clone.own ? set_head(f, &r->id) : 0;
}

/* Everything that can be refused is refused before a first clone makes anything. */
static int prepare(struct fetch *f)
{
	bool first;
	git_oid id;
	int err;

	if ((err = clone_open(&f->clone, f->how->path)))
		return err;
	if (f->clone.git && (err = haves_open(&f->haves, f->how->path)))
		return err;
	if ((err = list_theirs(f)))
		return err;
	first = !f->clone.git || (f->clone.own && git_reference_name_to_id(&id, f->clone.git, "refs/tuxtape/tip") < 0);
	if (first && (err = clone_has_room(&f->clone, f->how->need_bytes)))
		return err;
	if (!f->clone.git) {
		origin_hang_up(&f->origin);
		if ((err = clone_make(&f->clone, f->origin.shown)) || (err = haves_open(&f->haves, f->how->path)))
			return err;
	} else if (f->clone.own && (err = clone_note_url(&f->clone, f->origin.shown))) {
		return err;
	}
	name_locally(f);
	return list_ours(f);
}

int repo_fetch(const struct repo_sync *how, bool *changed, char tip[REPO_HEX])
{
	struct fetch f = { .how = how, .arena = arena_new(0), .clone.lock = -1 };
	int err = origin_open(&f.origin, how, f.arena);

	if (!err && !(err = prepare(&f)) && !(err = prune(&f)) && !(err = take_all(&f)))
		err = record(&f, tip);
	*changed = f.changed;
	origin_close(&f.origin);
	haves_close(&f.haves);
	clone_close(&f.clone);
	arena_free(f.arena);
	return err;
}
