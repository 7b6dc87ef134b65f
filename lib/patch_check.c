/* Owns the joining of a patch with a kernel: its tree from a clone, its config and what its build compiled from the database or a file.
 * Refuses to guess: what was not there to look at is said to be unchecked. */
#include "lib/patch_check.h"

#include "lib/err.h"
#include "lib/kconfig.h"
#include "lib/kver.h"
#include "lib/lint.h"
#include "lib/str.h"

#define FILE_MOST (16u << 20)
#define HEADERS_MOST 100
#define FILES_MOST 1000

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

/* ---- Who includes a header */

struct search {
	struct arena *arena;
	const struct patch_kernel *kernel;
	struct repo *repo;
	const char *commit;
	const struct diff *diff;
	size_t *counts; /* by file of the diff; NULL: not looked yet */
};

/* True when `spelled`, in a file of that folder, is the header: beside the file, or below some folder "include" or "uapi". */
static bool is_header(const char *header, const char *file, const char *spelled, size_t n)
{
	size_t len = strlen(header), dir = strrchr(file, '/') ? (size_t)(strrchr(file, '/') - file) + 1 : 0, rest;

	while (n > 3 && memcmp(spelled, "../", 3) == 0 && dir) {
		for (dir--; dir && file[dir - 1] != '/';)
			dir--;
		spelled += 3;
		n -= 3;
	}
	if (n == 0 || n > len || memcmp(header + len - n, spelled, n) != 0)
		return false;
	rest = len - n;
	if (rest == dir && memcmp(header, file, dir) == 0)
		return true;
	return (rest >= 8 && memcmp(header + rest - 8, "include/", 8) == 0) ||
	       (rest >= 5 && memcmp(header + rest - 5, "uapi/", 5) == 0);
}

static void search_line(struct search *s, const char *file, const char *line, size_t n, bool *met)
{
	size_t at = 0, begin;

	while (at < n && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (at + 8 > n || line[at] != '#')
		return;
	for (at++; at < n && (line[at] == ' ' || line[at] == '\t');)
		at++;
	if (n - at < 8 || memcmp(line + at, "include", 7) != 0)
		return;
	for (at += 7; at < n && line[at] != '<' && line[at] != '"';)
		at++;
	for (begin = ++at; at < n && line[at] != '>' && line[at] != '"';)
		at++;
	for (size_t i = 0; at < n && i < s->diff->n_files; i++)
		met[i] |= is_header(diff_path(&s->diff->files[i]), file, line + begin, at - begin);
}

static int search_file(struct search *s, const char *file, struct buf *text, bool *met)
{
	int err;

	buf_reset(text);
	memset(met, 0, s->diff->n_files * sizeof(*met));
	/* A config's build may have made files that its tree does not have. */
	if ((err = repo_file(s->repo, s->commit, file, FILE_MOST, text)))
		return err == ERR_NOTFOUND || err == ERR_INPUT ? 0 : err;
	for (const char *p = buf_str(text), *end = p + text->len; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol ? eol : end) - p);

		if (n > 8)
			search_line(s, file, p, n, met);
		p += n + 1;
	}
	for (size_t i = 0; i < s->diff->n_files; i++)
		s->counts[i] += met[i];
	return 0;
}

/* One pass over all compiled files, for all headers of the patch. */
static int search_all(struct search *s)
{
	bool *met = arena_alloc(s->arena, s->diff->n_files * sizeof(*met));
	struct buf text = { 0 };
	int err = 0;

	s->counts = arena_alloc(s->arena, s->diff->n_files * sizeof(*s->counts));
	for (size_t i = 0; !err && i < s->kernel->n_compiled; i++)
		err = search_file(s, s->kernel->compiled[i], &text, met);
	buf_free(&text);
	return err;
}

static int count_includers(void *ctx, const char *header, size_t *files)
{
	struct search *s = ctx;
	int err = s->counts ? 0 : search_all(s);

	*files = 0;
	for (size_t i = 0; !err && i < s->diff->n_files; i++)
		if (strcmp(diff_path(&s->diff->files[i]), header) == 0)
			*files = s->counts[i];
	return err;
}

/* Every file of the build is looked at for every header: a patch of more headers than this is no livepatch. */
static bool few_headers(const struct diff *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_files; i++)
		n += str_ends(diff_path(&d->files[i]), ".h");
	return d->n_files <= FILES_MOST && n <= HEADERS_MOST;
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

int patch_check(struct arena *a, const struct diff *d, const struct patch_kernel *k, struct repo *repo, const char *why,
		PatchCheck **result)
{
	PatchCheck *out = pb_new(a, &patch_check__descriptor);
	struct search search = { .arena = a, .kernel = k, .repo = repo, .diff = d };
	struct options options = { a, k };
	struct repo_tree tree = { .repo = repo };
	struct tree_reader reader = { repo_tree_read, &tree };
	struct lint_input in = { .diff = d, .version = k->version, .module_name = module_name(a, d) };
	int err;

	*result = out;
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
		search.commit = tree.commit = out->commit;
		in.tree = &reader;
		out->apply = pb_new(a, &apply_result__descriptor);
		if ((err = apply_check(a, d, &reader, out->apply, NULL)))
			return err;
		in.apply = out->apply;
		if (k->profiled && few_headers(d)) {
			in.includers = count_includers;
			in.includers_ctx = &search;
		}
	}
	return lint_patch(a, &in, out->lint);
}

bool patch_check_is_good(const PatchCheck *c)
{
	return c->apply && apply_is_good(c->apply->state) && c->lint->blocks == 0;
}
