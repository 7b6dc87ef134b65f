/* Owns the joining of a patch with a kernel: its tree from a clone, its config and what its build compiled from the database or a file.
 * Refuses to guess: what was not there to look at is said to be unchecked. */
#include "lib/patch_check.h"

#include "lib/blob_notes.h"
#include "lib/build_scan.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/kconfig.h"
#include "lib/kver.h"
#include "lib/lint.h"

#define FILE_MOST (16u << 20)

/* What a scan takes from each blob, from earlier runs: reading all that a build compiled is nearly all of the time of a check. The number
 * goes up when build_scan_reduce finds more or less than before. Some tens of thousands of blobs fit. */
#define NOTES_NAME "tuxtape/build-scan"
#define NOTES_TITLE "build-scan 1"
#define NOTES_MOST (16u << 20)

int patch_kernel_read(struct db *db, struct arena *a, const char *config, const KernelVersion *version,
		      struct patch_kernel *out)
{
	struct db_target target;
	KernelConfig *k;
	int err;

	*out = (struct patch_kernel){ .config = config, .version = version };
	if (!config)
		return 0;
	if ((err = db_config_get(db, a, config, &k)) || (err = db_target(db, a, config, &target)))
		return err;
	out->version = k->version;
	out->ref = k->ref;
	out->body = (const char *)k->body.data;
	out->body_len = k->body.len;
	out->profiled = target.profiled;
	return target.profiled ? db_compiled_files(db, a, target.id, &out->n_compiled, &out->compiled) : 0;
}

static bool is_marker(const struct diff_line *l)
{
	return l->kind == DIFF_ADD && l->len > 8 &&
	       (memcmp(l->text, "<<<<<<< ", 8) == 0 || memcmp(l->text, ">>>>>>> ", 8) == 0);
}

int patch_read(struct arena *a, const char *text, size_t n, struct diff *d)
{
	int err = diff_parse(a, text, n, d);

	for (size_t i = 0; !err && i < d->n_files; i++)
		for (size_t k = 0; k < d->files[i].n_hunks; k++)
			for (size_t j = 0; j < d->files[i].hunks[k].n_lines; j++)
				if (is_marker(&d->files[i].hunks[k].lines[j]))
					return fail(ERR_INPUT, "line %u of the patch: a conflict that is not resolved",
						    d->files[i].hunks[k].lines[j].line);
	return err;
}

/* ---- What the build compiled */

struct build {
	struct arena *arena;
	const struct patch_kernel *kernel;
	struct repo *repo;
	const char *commit;
	const struct diff *diff;
	struct blob_notes *notes;
	struct buf text;
	struct build_scan *scan; /* NULL: not made yet */
};

static int read_source(void *ctx, const char *path, struct buf *out)
{
	struct build *b = ctx;
	size_t before = out->len;
	uint8_t id[REPO_ID];
	int err = repo_file_id(b->repo, b->commit, path, id);

	if (err || blob_notes_find(b->notes, id, out))
		return err;
	buf_reset(&b->text);
	if ((err = repo_blob(b->repo, id, FILE_MOST, &b->text)))
		return err;
	build_scan_reduce(out, buf_str(&b->text), b->text.len);
	blob_notes_add(b->notes, id, buf_str(out) + before, out->len - before);
	return 0;
}

/* One pass over all compiled files serves all questions; it is made when the first comes. */
static int scan_build(struct build *b)
{
	struct build_scan_input in = {
		.read = read_source,
		.ctx = b,
		.n_files = b->kernel->n_compiled,
		.files = b->kernel->compiled,
	};
	const struct blob_notes_how notes = { file_cache_path(b->arena, NOTES_NAME), NOTES_TITLE, NOTES_MOST };
	const char **headers = arena_alloc(b->arena, (b->diff->n_files + 1) * sizeof(*headers));
	int err;

	if (b->scan)
		return 0;
	for (size_t i = 0; i < b->diff->n_files; i++)
		headers[in.n_headers++] = diff_path(&b->diff->files[i]);
	in.headers = headers;
	b->notes = blob_notes_open(&notes);
	/* Without a place to write, the next check reads all again, and finds the same. */
	if (!(err = build_scan_run(b->arena, &in, &b->scan)))
		blob_notes_save(b->notes);
	blob_notes_free(b->notes);
	buf_free(&b->text);
	return err;
}

static int list_includers(void *ctx, struct arena *a, const char *header, size_t *n, const char ***files)
{
	struct build *b = ctx;
	int err = scan_build(b);

	if (!err)
		build_scan_includers(b->scan, a, header, n, files);
	return err;
}

static int find_space(void *ctx, const char *symbol, const char **space)
{
	struct build *b = ctx;
	int err = scan_build(b);

	*space = err ? NULL : build_scan_space(b->scan, symbol);
	return err;
}

/* ---- The check */

struct options {
	struct arena *arena;
	const struct patch_kernel *kernel;
};

static const char *get_option(void *ctx, const char *option)
{
	struct options *o = ctx;

	return kconfig_get(o->arena, o->kernel->body, o->kernel->body_len, arena_printf(o->arena, "CONFIG_%s", option));
}

/* Names the tree; where it is not there, out->unchecked says why. */
static int find_tree(struct arena *a, const struct patch_kernel *k, struct repo *repo, const char *why, PatchCheck *out)
{
	char text[KVER_TEXT_MAX], commit[REPO_HEX];
	int err;

	out->ref = k->ref ? k->ref : arena_printf(a, "v%s", kver_text(text, k->version));
	if (!repo) {
		out->unchecked = why;
		return 0;
	}
	if ((err = repo_ref(repo, out->ref, commit)) == ERR_NOTFOUND) {
		out->unchecked = arena_strdup(a, err_text());
		return 0;
	}
	if (!err)
		out->commit = arena_strdup(a, commit);
	return err;
}

static const char *module_name(struct arena *a, const struct diff *d)
{
	struct diff_text value;
	size_t at = 0;

	return diff_header_value(d, "Module", &at, &value) ? arena_memdup(a, value.text, value.len) : NULL;
}

static int fill_check(struct arena *a, const struct diff *d, const struct patch_kernel *k, struct repo *repo,
		      const char *why, PatchCheck *out)
{
	struct build build = { .arena = a, .kernel = k, .repo = repo, .diff = d };
	struct options options = { a, k };
	struct repo_tree tree = { .repo = repo };
	struct tree_reader reader = { repo_tree_read, &tree };
	struct lint_input in = { .diff = d, .version = k->version, .module_name = module_name(a, d) };
	int err;

	out->config = k->config;
	out->version = (KernelVersion *)(uintptr_t)k->version; /* protobuf-c's fields are not const */
	out->lint = pb_new(a, &lint_result__descriptor);
	if ((err = find_tree(a, k, repo, why, out)))
		return err;
	if (k->body) {
		in.config = get_option;
		in.config_ctx = &options;
	}
	if (out->commit) {
		build.commit = tree.commit = out->commit;
		in.tree = &reader;
		out->apply = pb_new(a, &apply_result__descriptor);
		if ((err = apply_check(a, d, &reader, out->apply, NULL)))
			return err;
		in.apply = out->apply;
		if (k->profiled) {
			in.includers = list_includers;
			in.export_space = find_space;
			in.build_ctx = &build;
		}
	}
	return lint_patch(a, &in, out->lint);
}

/* What was read for it is many times what was found, and a patch may be for many kernels: an arena of its own takes it. */
int patch_check(struct arena *a, const struct diff *d, const struct patch_kernel *k, struct repo *repo, const char *why,
		PatchCheck **result)
{
	struct arena *own = arena_new(0);
	PatchCheck *check = pb_new(own, &patch_check__descriptor);
	int err = fill_check(own, d, k, repo, why, check);

	*result = err ? NULL : pb_copy(a, &check->base);
	arena_free(own);
	return err;
}

bool patch_check_is_good(const PatchCheck *c)
{
	return c->apply && apply_is_good(c->apply->state) && c->lint->blocks == 0;
}
