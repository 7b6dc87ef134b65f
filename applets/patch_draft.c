/* Owns the drafts: files in a directory of the author's own. Refuses to overwrite one. */
#include "applets/patch.h"

#include "lib/dyad.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/kver.h"
#include "lib/log.h"
#include "lib/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

/* A name becomes a file's: nothing that leads elsewhere. */
static int check_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._@", *p))
			return fail(ERR_USAGE, "'%s' is not the title of an instance, nor the name of a draft", name);
	return *name == '.' || *name == '\0' || strlen(name) > 200 ? fail(ERR_USAGE, "'%s' is not the name of a draft", name)
								   : 0;
}

static const char *header_value(struct arena *a, const struct diff *d, const char *key)
{
	struct diff_text value;
	size_t at = 0;

	return diff_header_value(d, key, &at, &value) ? arena_memdup(a, value.text, value.len) : NULL;
}

/* An operand that is a file, not the name of a draft. */
static bool is_file(const char *operand)
{
	return strchr(operand, '/') || str_ends(operand, ".patch") || str_ends(operand, ".diff");
}

int draft_path(struct patch_run *r, const char *operand, const char **path)
{
	int err = is_file(operand) ? 0 : check_name(operand);

	*path = is_file(operand) ? operand : arena_printf(r->arena, "%s/%s.patch", r->o->drafts, operand);
	return err;
}

/* A draft says it in its header, or like those of the dashboard by its name: TITLE.patch, TITLE@6.6.2.patch. */
static const char *title_of(struct arena *a, const struct draft *d)
{
	const char *title = header_value(a, &d->diff, "Title"), *slash = strrchr(d->path, '/'), *id, *commit;
	const char *name = slash ? slash + 1 : d->path, *end = strrchr(name, '.');

	if (title)
		return title;
	title = arena_memdup(a, name, MIN_OF(strcspn(name, "@"), end ? (size_t)(end - name) : strlen(name)));
	return dyad_split_title(a, title, &id, &commit) ? NULL : title;
}

int draft_title(const struct draft *d)
{
	return d->title ? 0
			: fail(ERR_INPUT,
			       "%s: neither a 'Title:' line in its header nor its name says which instance it fixes",
			       d->path);
}

int draft_read(struct patch_run *r, const char *operand, struct draft *out)
{
	bool file = is_file(operand);
	struct buf text = { 0 };
	int err;

	*out = (struct draft){ .name = operand };
	if ((err = draft_path(r, operand, &out->path)))
		return err;
	if ((err = buf_read_file(&text, out->path, DIFF_MOST)) == ERR_NOTFOUND && !file)
		err = fail(ERR_NOTFOUND, "there is no draft %s; `tuxtape patch new %s` makes it", out->path, operand);
	out->len = text.len;
	out->text = arena_memdup(r->arena, buf_str(&text), text.len);
	buf_free(&text);
	if (err)
		return err;
	if ((err = patch_read(r->arena, out->text, out->len, &out->diff)))
		return fail_in(err, "%s", out->path);
	out->title = title_of(r->arena, out);
	return 0;
}

static int add_version(struct patch_run *r, const char *text, size_t *n, KernelVersion ***versions)
{
	return patch_version(r->arena, text, arena_grow(r->arena, (void **)versions, n, sizeof(**versions)));
}

/* "config NAME" or "version 6.1.3". */
static int take_target(struct patch_run *r, const struct draft *d, struct diff_text value, size_t *n_configs,
		       const char ***configs, size_t *n_versions, KernelVersion ***versions)
{
	const char *text = arena_memdup(r->arena, value.text, value.len);

	if (str_starts(text, "version "))
		return add_version(r, text + strlen("version "), n_versions, versions);
	if (!str_starts(text, "config "))
		return fail(ERR_INPUT, "%s: 'Target: %s': say config NAME or version VERSION", d->path, text);
	*(const char **)arena_grow(r->arena, (void **)configs, n_configs, sizeof(**configs)) = text + strlen("config ");
	return 0;
}

int draft_targets(struct patch_run *r, const struct draft *d, size_t *n_configs, const char ***configs, size_t *n_versions,
		  KernelVersion ***versions)
{
	struct diff_text value;
	size_t at = 0;
	int err = 0;

	*n_configs = r->o->configs.n;
	*configs = r->o->configs.items;
	*n_versions = 0;
	*versions = NULL;
	for (size_t i = 0; !err && i < r->o->kernels.n; i++)
		err = add_version(r, r->o->kernels.items[i], n_versions, versions);
	if (err || *n_configs + *n_versions)
		return err;
	*configs = NULL;
	while (!err && diff_header_value(&d->diff, "Target", &at, &value))
		err = take_target(r, d, value, n_configs, configs, n_versions, versions);
	if (!err && *n_configs + *n_versions == 0)
		err = fail(ERR_USAGE,
			   "say which kernel the patch is for: --kernel VERSION or --config NAME, or Target lines in %s",
			   d->path);
	return err;
}

int draft_write(struct patch_run *r, const char *name, const struct buf *text, const char **path)
{
	int fd, err;
	ssize_t n;

	if ((err = check_name(name)))
		return err;
	*path = arena_printf(r->arena, "%s/%s.patch", r->o->drafts, name);
	if ((err = file_make_parents(*path)))
		return err;
	fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return fail(ERR_USAGE, "%s is there already, and may hold work: `tuxtape patch edit %s`, or move it away",
			    *path, name);
	if (fd < 0)
		return fail(ERR_SYS, "%s: %s", *path, strerror(errno));
	/* The name is taken; the contents come whole or not at all. */
	n = close(fd);
	if (n < 0 || (err = file_replace(*path, buf_str(text), text->len, 0644)))
		unlink(*path);
	return err;
}

static const char *author_name(void)
{
	const struct passwd *p = getpwuid(getuid());

	return p && p->pw_name && *p->pw_name ? p->pw_name : "unknown";
}

static void add_module_name(struct buf *out, const struct draft_header *h, const char *id)
{
	size_t from = out->len;

	buf_printf(out, "livepatch_%s", h->n_targets ? strchr(h->targets[0], ' ') + 1 : "");
	buf_printf(out, "_%s", id);
	for (size_t i = from; i < out->len; i++)
		if (strchr("-.+", out->data[i]))
			out->data[i] = '_';
	if (out->len - from > 55)
		out->len = from + 55;
	out->data[out->len] = '\0';
}

void draft_add_header(struct patch_run *r, struct buf *out, const struct draft_header *h)
{
	const char *id = NULL, *commit;

	if (dyad_split_title(r->arena, h->title, &id, &commit))
		id = "";
	buf_printf(out, "From: %s\nSubject: ", author_name());
	buf_add(out, h->subject.data, h->subject.len);
	buf_printf(out, "\nCVE: %s\nTitle: %s\n", id, h->title);
	for (size_t i = 0; i < h->n_commits; i++)
		buf_printf(out, "Upstream-commit: %s\n", h->commits[i]);
	for (size_t i = 0; i < h->n_targets; i++)
		buf_printf(out, "Target: %s\n", h->targets[i]);
	buf_adds(out, "Module: ");
	add_module_name(out, h, id);
	buf_adds(out, "\n\n");
}
