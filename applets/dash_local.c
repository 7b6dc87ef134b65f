/* Owns what the dashboard does on this machine that takes time: tags and trees of the kernel's clone, checks and differences of patches.
 * Refuses to write anything but trees of its own, and to change the clone otherwise than `tuxtape builder checkout` does. */
#include "applets/dash_end.h"

#include "lib/err.h"
#include "lib/file.h"
#include "lib/kbuild.h"
#include "lib/kver.h"
#include "lib/patch_check.h"
#include "lib/proc.h"
#include "lib/repo.h"
#include "lib/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CACHE_BYTES (8u << 20)
#define PATCH_MOST (64u << 20)
#define TREES_KEPT 3
#define TREES_AGE (7 * 86400)
#define GRACE_MS 500
#define LOOK_MS 100

struct job {
	struct dash_end *end;
	struct frame f;
	const char *message;
	struct arena *arena;
	struct buf result; /* goes with the OK */
};

static void more(struct job *j, const void *p, size_t n)
{
	struct frame f = { .id = j->f.id, .method = j->f.method, .status = FRAME_MORE };

	end_tell(j->end, f, p, n);
}

/* ---- Tags */

struct tag {
	const char *name;
	KernelVersion version;
};

struct tag_list {
	struct arena *arena;
	struct tag *items;
	size_t n;
};

static int add_tag(void *ctx, const char *name)
{
	struct tag_list *l = ctx;
	KernelVersion v;
	struct tag *t;

	if (*name != 'v' || kver_parse(&v, name + 1, strlen(name + 1)) || !v.has_major)
		return 0;
	t = arena_grow(l->arena, (void **)&l->items, &l->n, sizeof(*t));
	t->name = arena_strdup(l->arena, name);
	t->version = v;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct tag *x = a, *y = b;
	int c = kver_cmp(&y->version, &x->version);

	return c ? c : strcmp(x->name, y->name);
}

static int list_tags(struct job *j)
{
	struct tag_list l = { .arena = j->arena };
	struct repo *r = NULL;
	struct buf text = { 0 };
	int err;

	if ((err = repo_open(&r, j->end->how->linux_repo)) || (err = repo_tags(r, add_tag, &l)))
		goto out;
	if (l.n)
		qsort(l.items, l.n, sizeof(*l.items), newest_first);
	for (size_t i = 0; i < l.n; i++)
		if (i == 0 || strcmp(l.items[i].name, l.items[i - 1].name) != 0)
			buf_printf(&text, "%s\n", l.items[i].name);
	more(j, buf_str(&text), text.len);
out:
	buf_free(&text);
	repo_close(r);
	return err;
}

/* ---- Checkout */

/* Whole lines are told, behind the program's name that begins each. */
static void tell_lines(struct job *j, struct buf *said, struct buf *last)
{
	char *at = said->data, *end;

	while (at && (end = memchr(at, '\n', said->len - (size_t)(at - said->data)))) {
		char *text = memmem(at, (size_t)(end - at), ": ", 2);

		text = text ? text + 2 : at;
		more(j, text, (size_t)(end - text));
		buf_reset(last);
		buf_add(last, text, (size_t)(end - text));
		at = end + 1;
	}
	if (at) {
		said->len -= (size_t)(at - said->data);
		memmove(said->data, at, said->len);
	}
}

static int run_checkout(struct job *j, const char *tag, const char *dir)
{
	const char *argv[] = { j->end->how->program,    "builder", "checkout", tag, dir, "--linux-repo",
			       j->end->how->linux_repo, "-v",      NULL };
	struct proc_how how = { .argv = argv, .grace_ms = GRACE_MS };
	struct buf said = { 0 }, last = { 0 };
	struct proc p;
	ssize_t n = 1;
	int err = proc_start(&p, &how);

	while (!err && n > 0 && !j->end->cancelled) {
		if (!end_wait(j->end, p.fd, LOOK_MS))
			continue;
		n = read(p.fd, buf_reserve(&said, 4096), 4096);
		said.len += (size_t)MAX_OF(n, (ssize_t)0);
		tell_lines(j, &said, &last);
		end_flush(j->end);
	}
	if (!err) {
		proc_stop(&p);
		if (j->end->cancelled)
			err = fail(ERR_NOTFOUND, "cancelled");
		else if (p.status)
			err = fail(ERR_GIT, "%s", buf_str(&last));
	}
	buf_free(&said);
	buf_free(&last);
	return err;
}

static int checkout(struct job *j)
{
	const char *tag = j->message, *dir = tag + strlen(tag) + 1, *trees;
	int err;

	if (dir > j->message + j->f.length)
		return fail(ERR_USAGE, "checkout takes a tag and a directory");
	/* The commit's name is written last. */
	if (access(arena_printf(j->arena, "%s/commit", dir), F_OK) == 0)
		return 0;
	trees = arena_printf(j->arena, "%.*s", (int)(strrchr(dir, '/') - dir), dir);
	if (((err = kbuild_dir_remove(dir)) && err != ERR_NOTFOUND) || (err = file_make_parents(dir)))
		return err;
	kbuild_dirs_prune(trees, TREES_KEPT, (int64_t)time(NULL) - TREES_AGE, NULL);
	if ((err = kbuild_dir_make(dir)))
		return err;
	return run_checkout(j, tag, dir);
}

/* ---- Patches */

/* The clone is opened anew each time: tags may have come. */
static int check_kernel(struct job *j, const struct diff *d, const KernelConfig *k)
{
	const struct patch_kernel kernel = { .config = k->name,
					     .version = k->version,
					     .ref = k->ref,
					     .body = k->has_body ? (const char *)k->body.data : NULL,
					     .body_len = k->body.len };
	struct repo *r = NULL;
	const char *why = NULL;
	PatchCheck *c;
	int err;

	if (repo_open(&r, j->end->how->linux_repo))
		why = arena_printf(j->arena, "no clone of the kernel: %s; see --linux-repo", err_text());
	err = patch_check(j->arena, d, &kernel, r, why, &c);
	repo_close(r);
	if (!err)
		pb_pack(&j->result, &c->base);
	if (!err && j->result.len > FRAME_MOST)
		err = fail(ERR_INPUT, "more is wrong with it than can be shown");
	return err;
}

static int check(struct job *j)
{
	const char *packed = j->message + strlen(j->message) + 1;
	size_t hunks = 0, n = (size_t)(j->message + j->f.length - packed);
	struct buf text = { 0 };
	KernelConfig *k;
	struct diff d;
	int err;

	if (!(err = buf_read_file(&text, j->message, PATCH_MOST)) &&
	    !(err = patch_read(j->arena, buf_str(&text), text.len, &d))) {
		for (size_t i = 0; i < d.n_files; i++)
			hunks += d.files[i].n_hunks;
		buf_printf(&j->result, "a sound patch of %zu file%s, %zu hunk%s", d.n_files, d.n_files == 1 ? "" : "s",
			   hunks, hunks == 1 ? "" : "s");
		buf_addc(&j->result, '\0');
		k = n ? pb_unpack(j->arena, &kernel_config__descriptor, packed, n) : NULL;
		if (k && k->version)
			err = check_kernel(j, &d, k);
	}
	buf_free(&text);
	return err;
}

static int tell_diff(struct job *j, const char *name, const char *old, size_t old_n, const char *now, size_t now_n)
{
	struct repo_side before = { .data = old, .n = old_n }, after = { .data = now, .n = now_n };
	struct buf out = { 0 };
	int err = repo_diff(&out, name, &before, &after, 0);

	for (size_t at = 0; !err && at < out.len; at += MIN_OF(out.len - at, (size_t)65536))
		more(j, out.data + at, MIN_OF(out.len - at, (size_t)65536));
	buf_free(&out);
	return err;
}

static int differ(struct job *j)
{
	size_t path = strlen(j->message) + 1;
	struct buf text = { 0 };
	const char *name = strrchr(j->message, '/');
	int err = buf_read_file(&text, j->message, PATCH_MOST);

	if (!err)
		err = tell_diff(j, name ? name + 1 : j->message, j->message + path, j->f.length - path, buf_str(&text),
				text.len);
	buf_free(&text);
	return err;
}

static int differ_texts(struct job *j)
{
	const char *size = j->message + strlen(j->message) + 1, *texts = size + strlen(size) + 1;
	size_t n = (size_t)(j->message + j->f.length - texts);
	uint32_t old;

	if (size > j->message + j->f.length || texts > j->message + j->f.length || !str_to_u32(size, &old) || old > n)
		return fail(ERR_USAGE, "two texts were expected");
	return tell_diff(j, j->message, texts, old, texts + old, n - old);
}

/* ---- One after another */

static int run(struct job *j)
{
	static int (*const jobs[])(struct job *) = {
		[LOCAL_TAGS] = list_tags, [LOCAL_CHECKOUT] = checkout,       [LOCAL_CHECK] = check,
		[LOCAL_DIFF] = differ,    [LOCAL_DIFF_TEXTS] = differ_texts,
	};

	return jobs[j->f.method](j);
}

void dash_local_main(struct dash_end *e)
{
	struct arena *a = arena_new(0);
	struct end_request r;
	int ready = repo_setup(CACHE_BYTES);

	for (;;) {
		if (!end_take(e, &r)) {
			end_wait(e, -1, -1);
			continue;
		}
		struct job j = { .end = e, .f = r.f, .message = r.message, .arena = a };
		int err = ready ? ready : run(&j);

		end_close(e, &r.f, err, buf_str(&j.result), j.result.len);
		buf_free(&j.result);
		arena_reset(a);
		free(r.message);
	}
}
