/* Owns what a patch may do to a tree: which file each part reads, what must not be there, what is left. The verdicts are those of
 * git apply --check. Refuses to guess: no fuzz, no merge, no binary patch. */
#include "lib/apply.h"
#include "lib/apply_image.h"

#include "lib/err.h"
#include "lib/hash.h"
#include "lib/pb.h"
#include "lib/str.h"

#define MODE_TYPE 0170000u
#define MODE_LINK 0120000u
#define MODE_FILE 0100000u
#define MODE_SUBMODULE 0160000u

#define S(name) APPLY_STATE__APPLY_##name

/* What the patch does to a path. */
struct touched {
	const char *path;
	bool is_old;    /* taken away by some part */
	bool gone;      /* that part has been passed */
	bool there;     /* written by an earlier part: data and mode are what it left */
	bool link_made; /* some part makes a symbolic link of it */
	uint32_t mode;
	const char *data;
	size_t len;
};

/* One judgement of a whole patch, forward or in reverse. */
struct run {
	struct arena *a;
	const struct tree_reader *tree;
	struct touched *touched;
	size_t n_touched;
	uint32_t *slots; /* index + 1 into touched, by hash of the path */
	size_t n_slots;  /* a power of two */
	uint64_t *work;
	bool reverse;
	const char *good_dir; /* the directory last found to be one, all above it included */
};

/* A file of the patch as seen in the direction of the run. */
struct view {
	const struct diff_file *f;
	const char *old_path, *new_path;
	uint32_t old_mode, new_mode;
	enum diff_answer created, deleted;
	bool moved; /* renamed or copied: reads the tree, whatever the order of the parts */
};

static const struct {
	const char *name;
	bool good;
} states[] = {
	[S(CLEAN)] = { "clean", true },
	[S(OFFSET)] = { "offset", true },
	[S(ALREADY)] = { "already applied", false },
	[S(CONFLICT)] = { "conflict", false },
	[S(MISSING)] = { "missing file", false },
	[S(EXISTS)] = { "exists already", false },
	[S(BEYOND_SYMLINK)] = { "beyond a symlink", false },
	[S(BINARY)] = { "binary", false },
	[S(WRONG_TYPE)] = { "wrong type", false },
	[S(LEFTOVER)] = { "leftover", false },
};

bool apply_is_good(ApplyState state)
{
	return state < ARRAY_LEN(states) && states[state].good;
}

const char *apply_state_name(ApplyState state)
{
	return state < ARRAY_LEN(states) && states[state].name ? states[state].name : "unknown";
}

/* ---- The table of touched paths */

static size_t hash_path(const char *s)
{
	uint64_t h = hash_mix(HASH_MIX_START, s, strlen(s));

	return (size_t)(h ^ (h >> 32));
}

static uint32_t *slot_of(struct run *r, const char *path)
{
	size_t i = hash_path(path) & (r->n_slots - 1);

	while (r->slots[i] && strcmp(r->touched[r->slots[i] - 1].path, path) != 0)
		i = (i + 1) & (r->n_slots - 1);
	return &r->slots[i];
}

static struct touched *find_touched(struct run *r, const char *path)
{
	uint32_t at = *slot_of(r, path);

	return at ? &r->touched[at - 1] : NULL;
}

/* The pointer is good until the next call. */
static struct touched *touch(struct run *r, const char *path)
{
	uint32_t *slot = slot_of(r, path);
	struct touched *t;

	if (*slot)
		return &r->touched[*slot - 1];
	t = arena_grow(r->a, (void **)&r->touched, &r->n_touched, sizeof(*t));
	t->path = path;
	*slot = (uint32_t)r->n_touched;
	return t;
}

static struct view view_of(const struct run *r, const struct diff_file *f)
{
	struct view v = { f,           f->old_path, f->new_path, f->old_mode,
			  f->new_mode, f->created,  f->deleted,  f->renamed || f->copied };

	if (!r->reverse)
		return v;
	return (struct view){ f,          v.new_path, v.old_path, v.new_mode ? v.new_mode : v.old_mode,
			      v.old_mode, v.deleted,  v.created,  v.moved };
}

/* Deletions and links that some part of the patch makes count from the start, whatever the order: so patches may swap names. */
static void prepare(struct run *r, const struct diff *d)
{
	for (r->n_slots = 16; r->n_slots < d->n_files * 4; r->n_slots *= 2)
		;
	r->slots = arena_alloc(r->a, r->n_slots * sizeof(*r->slots));
	for (size_t i = 0; i < d->n_files; i++) {
		struct view v = view_of(r, &d->files[i]);
		bool goes = v.deleted == DIFF_YES || d->files[i].renamed;

		if (v.old_path && goes)
			touch(r, v.old_path)->is_old = true;
		if (v.new_path && (v.new_mode & MODE_TYPE) == MODE_LINK)
			touch(r, v.new_path)->link_made = true;
	}
}

/* ---- Verdicts */

static int say(struct run *r, ApplyFile *out, ApplyState state, const char *reason)
{
	out->has_state = true;
	out->state = state;
	out->reason = reason ? arena_strdup(r->a, reason) : NULL;
	return 0;
}

/* One directory above a path: may anything be below it? */
static int check_directory(struct run *r, const char *dir, ApplyFile *out)
{
	const struct touched *t = find_touched(r, dir);
	struct tree_file found = { 0 };
	int err;

	if (t && t->link_made)
		return say(r, out, S(BEYOND_SYMLINK), "a directory of its path is a symbolic link made by this patch");
	if (t && t->is_old)
		return 0;
	if ((err = r->tree->read(r->tree->ctx, r->a, dir, &found)))
		return err;
	if (found.kind == TREE_SYMLINK)
		return say(r, out, S(BEYOND_SYMLINK), "a directory of its path is a symbolic link");
	if (found.kind == TREE_FILE || found.kind == TREE_SUBMODULE)
		return say(r, out, S(WRONG_TYPE), "a directory of its path is no directory");
	return 0;
}

/* All directories of a path, from the top: below a link nothing may be asked. */
static int check_parents(struct run *r, const char *path, ApplyFile *out)
{
	char *dir = arena_strdup(r->a, path), *slash = strrchr(dir, '/');
	int err;

	if (!slash)
		return 0;
	*slash = '\0';
	if (r->good_dir && strcmp(r->good_dir, dir) == 0)
		return 0;
	for (slash = strchr(dir, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if ((err = check_directory(r, dir, out)) || out->has_state)
			return err;
		*slash = '/';
	}
	if (!(err = check_directory(r, dir, out)) && !out->has_state)
		r->good_dir = dir;
	return err;
}

static uint32_t mode_of(const struct tree_file *t)
{
	static const uint32_t types[] = {
		[TREE_FILE] = MODE_FILE | 0644, [TREE_SYMLINK] = MODE_LINK, [TREE_SUBMODULE] = MODE_SUBMODULE
	};

	return t->mode ? t->mode : t->kind < ARRAY_LEN(types) ? types[t->kind] : 0;
}

/* The contents that the part starts from, and the mode. */
static int read_old(struct run *r, struct view *v, struct tree_file *old, ApplyFile *out)
{
	struct touched *t = v->moved ? NULL : find_touched(r, v->old_path);
	int err;

	if (t && t->gone)
		return say(r, out, S(MISSING), "an earlier part of the patch takes it away");
	if (t && t->there) {
		*old = (struct tree_file){ TREE_FILE, t->mode, t->data, t->len };
		return 0;
	}
	if ((err = check_parents(r, v->old_path, out)) || out->has_state)
		return err;
	if ((err = r->tree->read(r->tree->ctx, r->a, v->old_path, old)))
		return err;
	if (old->kind == TREE_ABSENT && v->created == DIFF_PERHAPS) {
		v->created = DIFF_YES;
		v->deleted = DIFF_NO;
		v->old_path = NULL;
		return 0;
	}
	if (old->kind == TREE_ABSENT)
		return say(r, out, S(MISSING), "no such file");
	if (old->kind == TREE_DIRECTORY)
		return say(r, out, S(WRONG_TYPE), "it is a directory");
	return 0;
}

static int check_old(struct run *r, struct view *v, struct tree_file *old, ApplyFile *out)
{
	uint32_t mode;
	int err;

	if ((err = read_old(r, v, old, out)) || out->has_state || !v->old_path)
		return err;
	v->created = v->created == DIFF_PERHAPS ? DIFF_NO : v->created;
	mode = mode_of(old);
	if (!v->old_mode)
		v->old_mode = mode;
	if (mode && ((mode ^ v->old_mode) & MODE_TYPE))
		return say(r, out, S(WRONG_TYPE), "a file, link or submodule of another kind than the patch has");
	if (!v->new_mode && v->deleted != DIFF_YES)
		v->new_mode = mode;
	return 0;
}

static int check_new(struct run *r, struct view *v, ApplyFile *out)
{
	struct touched *t = find_touched(r, v->new_path);
	struct tree_file there = { 0 };
	int err;

	if (v->created == DIFF_YES || v->moved) {
		if (t && t->there)
			return say(r, out, S(EXISTS), "an earlier part of the patch made it");
		if (!(t && t->is_old) && (err = r->tree->read(r->tree->ctx, r->a, v->new_path, &there)))
			return err;
		if (there.kind != TREE_ABSENT)
			return say(r, out, S(EXISTS),
				   there.kind == TREE_DIRECTORY ? "a directory of that name is there"
								: "a file of that name is there");
		if (!v->new_mode)
			v->new_mode = v->created == DIFF_YES ? MODE_FILE | 0644 : v->old_mode;
	}
	if (v->old_path && v->new_mode && ((v->old_mode ^ v->new_mode) & MODE_TYPE))
		return say(r, out, S(WRONG_TYPE), "the patch makes another kind of thing of it without deleting it first");
	return 0;
}

/* ---- Hunks */

static ProtobufCBinaryData line_bytes(struct arena *a, const struct image_line *l)
{
	return pb_bytes(a, l->text, l->len);
}

static void describe(struct run *r, const struct diff_hunk *h, const struct placement *p, ApplyHunk *out)
{
	out->has_state = out->has_patch_line = out->has_line = true;
	out->state = p->state;
	out->patch_line = h->line;
	out->line = p->at + 1;
	if (p->state == S(OFFSET)) {
		out->has_offset = true;
		out->offset = p->offset;
	}
	if (p->state != S(CONFLICT) || !p->wanted)
		return;
	out->patch_line = p->wanted->from;
	out->has_wanted = true;
	out->wanted = line_bytes(r->a, p->wanted);
	if (p->has_found) {
		out->has_found = true;
		out->found = line_bytes(r->a, &p->found);
	}
}

/* Places every hunk, those behind one that does not fit included. */
static int place_hunks(struct run *r, const struct diff_file *f, struct image *im, ApplyFile *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < f->n_hunks; i++) {
		ApplyHunk *h = PB_ADD(r->a, out, hunks, apply_hunk);
		struct hunk_sides sides;
		struct placement where;

		hunk_sides_load(&sides, &f->hunks[i], r->reverse);
		h->has_number = true;
		h->number = (uint32_t)i + 1;
		if (!(err = image_place(im, &sides, &where)))
			describe(r, &f->hunks[i], &where, h);
		hunk_sides_free(&sides);
	}
	return err;
}

static const char *hunk_sentence(struct arena *a, const ApplyHunk *h)
{
	if (h->state == S(ALREADY))
		return arena_printf(a, "hunk %u is there already, at line %llu", h->number, (unsigned long long)h->line);
	if (!h->has_wanted)
		return arena_printf(a, "hunk %u would fit at line %llu, but belongs to the beginning or the end of the file",
				    h->number, (unsigned long long)h->line);
	if (!h->has_found)
		return arena_printf(a, "hunk %u does not fit: the file ends at line %llu", h->number,
				    (unsigned long long)h->line);
	return arena_printf(a, "hunk %u does not fit: line %llu differs from line %llu of the patch", h->number,
			    (unsigned long long)h->line, (unsigned long long)h->patch_line);
}

/* The file's verdict from those of its hunks. */
static void sum_hunks(struct run *r, ApplyFile *out)
{
	const ApplyHunk *bad = NULL;
	size_t already = 0;
	int64_t offset = 0;

	for (size_t i = 0; i < out->n_hunks; i++) {
		const ApplyHunk *h = out->hunks[i];

		already += h->state == S(ALREADY);
		if (!apply_is_good(h->state) && (!bad || (bad->state == S(ALREADY) && h->state == S(CONFLICT))))
			bad = h;
		if (h->state == S(OFFSET) && !offset)
			offset = h->offset;
	}
	if (already && already == out->n_hunks)
		say(r, out, S(ALREADY), "every hunk is there already");
	else if (bad)
		say(r, out, S(CONFLICT), hunk_sentence(r->a, bad));
	else if (offset)
		say(r, out, S(OFFSET),
		    arena_printf(r->a, "applies %lld line%s %s the place that the patch names",
				 (long long)(offset < 0 ? -offset : offset), offset == 1 || offset == -1 ? "" : "s",
				 offset < 0 ? "above" : "below"));
	else
		say(r, out, S(CLEAN), NULL);
}

/* Later parts of the patch see what this one left. */
static void keep(struct run *r, const struct view *v, const char *data, size_t len)
{
	if (v->new_path) {
		struct touched *t = touch(r, v->new_path);

		t->there = true;
		t->gone = false;
		t->mode = v->new_mode;
		t->data = data;
		t->len = len;
	}
	if (v->old_path && (!v->new_path || v->f->renamed)) {
		struct touched *t = touch(r, v->old_path);

		t->gone = true;
		t->there = false;
	}
}

static int change_contents(struct run *r, const struct view *v, const struct tree_file *old, ApplyFile *out)
{
	struct buf text = { 0 };
	struct image im;
	int err;

	image_load(&im, old->data, old->len, r->work);
	if (!(err = place_hunks(r, v->f, &im, out)))
		sum_hunks(r, out);
	if (!err && apply_is_good(out->state)) {
		image_text(&im, &text);
		keep(r, v, v->deleted == DIFF_YES ? NULL : arena_memdup(r->a, buf_str(&text), text.len), text.len);
		if (v->deleted == DIFF_YES && text.len)
			say(r, out, S(LEFTOVER), "the patch deletes it, but the file has more than that");
	}
	buf_free(&text);
	image_free(&im);
	return err;
}

static int check_file(struct run *r, const struct diff_file *f, ApplyFile *out)
{
	struct view v = view_of(r, f);
	struct tree_file old = { .data = "" };
	int err;

	out->has_path = true;
	out->path = pb_bytes(r->a, diff_path(f), strlen(diff_path(f)));
	if (v.created == DIFF_YES)
		v.old_path = NULL;
	if (v.deleted == DIFF_YES)
		v.new_path = NULL;
	if (v.old_path && ((err = check_old(r, &v, &old, out)) || out->has_state))
		return err;
	if (v.new_path && ((err = check_parents(r, v.new_path, out)) || out->has_state))
		return err;
	if (v.new_path && ((err = check_new(r, &v, out)) || out->has_state))
		return err;
	if (f->binary)
		return say(r, out, S(BINARY), "a binary patch; it is not applied here");
	return change_contents(r, &v, &old, out);
}

/* ---- The whole patch */

static int check_all(struct run *r, const struct diff *d, ApplyResult *out)
{
	int err = 0;

	prepare(r, d);
	/* What came last goes first. */
	for (size_t i = 0; !err && i < d->n_files; i++)
		err = check_file(r, &d->files[r->reverse ? d->n_files - 1 - i : i], PB_ADD(r->a, out, files, apply_file));
	return err;
}

static bool all_good(const ApplyResult *result)
{
	for (size_t i = 0; i < result->n_files; i++)
		if (!apply_is_good(result->files[i]->state))
			return false;
	return true;
}

/* True when what the patch makes is there: it can be taken away again. */
static int is_reversible(struct run *forward, const struct diff *d, bool *yes)
{
	struct run back = { .a = forward->a, .tree = forward->tree, .work = forward->work, .reverse = true };
	ApplyResult result = APPLY_RESULT__INIT;
	int err = check_all(&back, d, &result);

	*yes = !err && all_good(&result);
	return err;
}

/* A file that cannot be patched because the patch is in it, in a patch of which other parts are missing. */
static int find_already(struct run *r, const struct diff *d, ApplyResult *out)
{
	int err = 0;

	for (size_t i = 0; !err && i < d->n_files; i++) {
		struct diff one = { .files = &d->files[i], .n_files = 1 };
		bool yes = false;

		if (apply_is_good(out->files[i]->state) || out->files[i]->state == S(BINARY))
			continue;
		if (!(err = is_reversible(r, &one, &yes)) && yes)
			say(r, out->files[i], S(ALREADY), "what the patch makes of it is there already");
	}
	return err;
}

/* "path: reason", fit for a terminal. */
static const char *file_sentence(struct run *r, const ApplyFile *f)
{
	struct buf text = { 0 };
	const char *s;

	str_printable(&text, (const char *)f->path.data, f->path.len);
	s = arena_printf(r->a, "%s: %s", buf_str(&text), f->reason);
	buf_free(&text);
	return s;
}

static void set_result(struct run *r, ApplyResult *out, ApplyState state, const char *reason)
{
	out->has_state = true;
	out->state = state;
	out->reason = reason ? arena_strdup(r->a, reason) : NULL;
}

static void sum_files(struct run *r, ApplyResult *out)
{
	const ApplyFile *bad = NULL, *moved = NULL;
	size_t n_bad = 0;

	for (size_t i = 0; i < out->n_files; i++) {
		const ApplyFile *f = out->files[i];

		if (f->state == S(OFFSET) && !moved)
			moved = f;
		if (apply_is_good(f->state))
			continue;
		n_bad++;
		if (!bad || (bad->state == S(ALREADY) && f->state != S(ALREADY)))
			bad = f;
	}
	if (bad && bad->state == S(ALREADY))
		set_result(r, out, S(CONFLICT),
			   arena_printf(r->a, "%zu of its %zu files have it already", n_bad, out->n_files));
	else if (bad)
		set_result(r, out, bad->state, file_sentence(r, bad));
	else if (moved)
		set_result(r, out, S(OFFSET), file_sentence(r, moved));
	else
		set_result(r, out, S(CLEAN), NULL);
}

static void give_tree(struct run *r, struct apply_tree *after)
{
	for (size_t i = 0; i < r->n_touched; i++) {
		const struct touched *t = &r->touched[i];
		struct apply_output *o;

		if (!t->there && !t->gone)
			continue;
		o = arena_grow(r->a, (void **)&after->outputs, &after->n_outputs, sizeof(*o));
		*o = (struct apply_output){
			.path = t->path, .data = t->there ? t->data : NULL, .len = t->there ? t->len : 0, .mode = t->mode
		};
	}
}

int apply_check(struct arena *a, const struct diff *d, const struct tree_reader *tree, ApplyResult *out,
		struct apply_tree *tree_after)
{
	uint64_t work = 0;
	struct run r = { .a = a, .tree = tree, .work = &work };
	bool reversible = false;
	int err;

	if (tree_after)
		*tree_after = (struct apply_tree){ 0 };
	if ((err = check_all(&r, d, out)))
		return err;
	if (!all_good(out)) {
		if ((err = is_reversible(&r, d, &reversible)) || (err = find_already(&r, d, out)))
			return err;
	}
	if (reversible)
		set_result(&r, out, S(ALREADY), "what the patch makes is there already, every hunk of it");
	else
		sum_files(&r, out);
	for (size_t i = 0; reversible && i < out->n_files; i++)
		say(&r, out->files[i], S(ALREADY), "what the patch makes of it is there already");
	if (tree_after && apply_is_good(out->state))
		give_tree(&r, tree_after);
	return 0;
}

int apply_patch_to_text(const struct diff_file *f, const char *text, size_t n, struct buf *out)
{
	uint64_t work = 0;
	struct arena *a = arena_new(0);
	struct run r = { .a = a, .work = &work };
	ApplyFile verdict = APPLY_FILE__INIT;
	struct image im;
	int err = f->binary ? fail(ERR_INPUT, "%s: a binary patch; it is not applied here", diff_path(f)) : 0;

	image_load(&im, text, n, &work);
	if (!err && !(err = place_hunks(&r, f, &im, &verdict))) {
		sum_hunks(&r, &verdict);
		if (apply_is_good(verdict.state))
			image_text(&im, out);
		else
			err = fail(ERR_INPUT, "%s: %s", diff_path(f), verdict.reason);
	}
	image_free(&im);
	arena_free(a);
	return err;
}
