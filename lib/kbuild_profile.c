/* Owns the profile of a build: the files behind every .*.cmd file of a tree, told apart and sorted. Refuses a build that is not
 * complete, and trees beyond all bounds. Never writes. */
#include "lib/kbuild.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/kbuild_cmd.h"
#include "lib/kbuild_elf.h"
#include "lib/kconfig.h"
#include "lib/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A build of everything that Linux has writes some 30,000 .cmd files, the largest of 200 KB, naming some 50,000 files. */
#define CMDS_MOST 500000
#define CMD_BYTES_MOST (16u << 20)
#define NAMES_MOST 2000000
#define DEPTH_MOST 64
#define SMALL_FILE_MOST 65536
#define MODULES_ORDER_MOST (8u << 20)

/* ---- Names: texts, each with a number */

struct name {
	const char *s;
	size_t n;
	uint32_t value;
};

struct names {
	struct arena *arena; /* of the texts */
	struct name *slots;
	size_t cap, n;
};

static size_t name_slot(const struct names *t, const char *s, size_t n)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	size_t i;

	for (i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)s[i]) * 1099511628211u;
	for (i = hash & (t->cap - 1); t->slots[i].s; i = (i + 1) & (t->cap - 1))
		if (t->slots[i].n == n && memcmp(t->slots[i].s, s, n) == 0)
			break;
	return i;
}

static void names_make_room(struct names *t)
{
	struct names more = { t->arena, NULL, t->cap ? t->cap * 2 : 1024, t->n };

	if (t->n < t->cap / 2)
		return;
	more.slots = xcalloc(more.cap, sizeof(*more.slots));
	for (size_t i = 0; i < t->cap; i++)
		if (t->slots[i].s)
			more.slots[name_slot(&more, t->slots[i].s, t->slots[i].n)] = t->slots[i];
	free(t->slots);
	*t = more;
}

/* The place of a name, made with number 0 where it is new. Valid until the next call. */
static struct name *name_of(struct names *t, const char *s, size_t n, bool *is_new)
{
	struct name *slot;

	names_make_room(t);
	slot = &t->slots[name_slot(t, s, n)];
	*is_new = !slot->s;
	if (*is_new) {
		*slot = (struct name){ arena_memdup(t->arena, s, n), n, 0 };
		t->n++;
	}
	return slot;
}

static bool has_name(const struct names *t, const char *s)
{
	return t->cap && t->slots[name_slot(t, s, strlen(s))].s;
}

/* ---- What is collected */

struct seen {
	const char *path;
	bool kernel;
};

struct collection {
	struct arena *arena; /* dropped at the end */
	const char *dir;
	char root[PATH_MAX];  /* dir with its links resolved */
	struct names written; /* paths as they are written -> number in seen + 1, or 0: not in the tree */
	struct names paths;   /* paths in the tree -> number in seen + 1 */
	struct seen *seen;
	size_t n_seen, cmds;
	const char *cmd_dir; /* where the .cmd file stands that is read, relative to dir; "" at the top */
	struct kbuild_cmd cmd;
	struct buf text;
};

/* Programs of the C library's world that are packed into the kernel image and run from there: what they are made of is in the
 * kernel, though it is compiled as for the build machine. (Linux 4.18 to 6.8, 5.10 to 5.17.) */
static const char *const packed_programs[] = { "net/bpfilter", "kernel/bpf/preload" };

static bool is_packed(const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(packed_programs); i++)
		if (str_starts(dir, packed_programs[i]))
			return true;
	return false;
}

/* tools/ is built by makes that went to the directory of their Makefile, and a .cmd file does not say which that was: it is the
 * nearest one above it in which the file exists. What a library's make wrote into another's directory is not found; only host
 * programs are made that way. */
static bool find_in_tools(const struct collection *c, const char *path, size_t n, char out[PATH_MAX])
{
	size_t dir = strlen(c->cmd_dir);

	while (dir) {
		if (snprintf(out, PATH_MAX, "%s/%.*s/%.*s", c->root, (int)dir, c->cmd_dir, (int)n, path) < PATH_MAX &&
		    access(out, F_OK) == 0)
			return true;
		while (dir && c->cmd_dir[--dir] != '/')
			;
	}
	return false;
}

static bool in_tools(const struct collection *c)
{
	return strcmp(c->cmd_dir, "tools") == 0 || str_starts(c->cmd_dir, "tools/");
}

/* What a path of a .cmd file means to the program that read it, absolute. False where that cannot be told. */
static bool locate(const struct collection *c, const char *path, size_t n, char out[PATH_MAX])
{
	if (*path != '/' && in_tools(c))
		return find_in_tools(c, path, n, out);
	if (*path == '/')
		return snprintf(out, PATH_MAX, "%.*s", (int)n, path) < PATH_MAX;
	return snprintf(out, PATH_MAX, "%s/%.*s", c->root, (int)n, path) < PATH_MAX;
}

/* The same with all links resolved, as a path in the tree. False: outside, or no regular file. A file that the build has removed
 * again keeps the path under which it was read. */
static bool resolve(const struct collection *c, const char *given, size_t n, char out[PATH_MAX])
{
	size_t root = strlen(c->root);
	char real[PATH_MAX], *path = out;
	struct stat st;

	if (!locate(c, given, n, out))
		return false;
	if (realpath(out, real)) {
		path = real;
		if (stat(real, &st) < 0 || !S_ISREG(st.st_mode))
			return false;
	} else if (!kbuild_path_tidy(out)) {
		return false;
	}
	if (strncmp(path, c->root, root) != 0 || path[root] != '/')
		return false;
	memmove(out, path + root + 1, strlen(path + root + 1) + 1);
	return true;
}

/* The number + 1 of the file that a path leads to, 0 where it leads out of the tree. */
static uint32_t number_of(struct collection *c, const char *path, size_t n)
{
	char file[PATH_MAX];
	struct name *name;
	bool is_new;

	if (!resolve(c, path, n, file))
		return 0;
	name = name_of(&c->paths, file, strlen(file), &is_new);
	if (is_new) {
		struct seen *s = arena_grow(c->arena, (void **)&c->seen, &c->n_seen, sizeof(*s));

		s->path = name->s;
		name->value = (uint32_t)c->n_seen;
	}
	return name->value;
}

/* Most files are named by thousands of .cmd files, so each is resolved once; but in tools/, where the same words mean another file
 * in each directory. */
static uint32_t number_of_written(struct collection *c, const char *path, size_t n)
{
	struct name *name;
	bool is_new;

	if (in_tools(c))
		return number_of(c, path, n);
	name = name_of(&c->written, path, n, &is_new);
	if (is_new)
		name->value = number_of(c, path, n);
	return name->value;
}

/* The script that links vmlinux has its options tracked as if it were a source; no compiler reads it. */
static bool is_script(const char *path, size_t n)
{
	return n > 3 && memcmp(path + n - 3, ".sh", 3) == 0;
}

static void take_source(void *ctx, const char *path, size_t n)
{
	struct collection *c = ctx;
	uint32_t number = 0;

	if (n < PATH_MAX && c->written.n < NAMES_MOST && !is_script(path, n))
		number = number_of_written(c, path, n);
	if (number)
		c->seen[number - 1].kernel |= c->cmd.kernel || is_packed(c->cmd_dir);
}

/* ---- The walk */

static int read_cmd(struct collection *c, const char *path)
{
	int err;

	if (++c->cmds > CMDS_MOST)
		return fail(ERR_INPUT, "%s: more than %d .cmd files", c->dir, CMDS_MOST);
	buf_reset(&c->text);
	if ((err = buf_read_file(&c->text, path, CMD_BYTES_MOST)))
		return err;
	c->cmd = (struct kbuild_cmd){ .source = take_source, .ctx = c };
	kbuild_cmd_read(&c->cmd, buf_str(&c->text), c->text.len);
	return c->written.n < NAMES_MOST ? 0 : fail(ERR_INPUT, "%s: more than %d source files", c->dir, NAMES_MOST);
}

static bool is_dir(const char *path, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int walk(struct collection *c, const char *rel, unsigned depth);

static int visit(struct collection *c, const char *rel, const struct dirent *d, unsigned depth)
{
	char path[PATH_MAX];
	size_t dir = strlen(c->root) + 1;

	if (snprintf(path, sizeof(path), "%s/%s%s%s", c->root, rel, *rel ? "/" : "", d->d_name) >= (int)sizeof(path))
		return fail(ERR_INPUT, "%s/%.100s...: the path is too long", c->dir, rel);
	if (is_dir(path, d))
		return strcmp(d->d_name, ".git") == 0 ? 0 : walk(c, path + dir, depth + 1);
	if (*d->d_name != '.' || !str_ends(d->d_name, ".cmd"))
		return 0;
	c->cmd_dir = rel;
	return read_cmd(c, path);
}

static int walk(struct collection *c, const char *rel, unsigned depth)
{
	char path[PATH_MAX];
	struct dirent *d;
	int err = 0;
	DIR *dir;

	if (depth > DEPTH_MOST || snprintf(path, sizeof(path), "%s/%s", c->root, rel) >= (int)sizeof(path))
		return fail(ERR_INPUT, "%s/%.100s...: more than %d directories deep", c->dir, rel, DEPTH_MOST);
	dir = opendir(path);
	if (!dir)
		return fail(ERR_SYS, "%s: %s", path, strerror(errno));
	while (!err && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			err = visit(c, rel, d, depth);
	closedir(dir);
	return err;
}

/* ---- The result */

const char *kbuild_kind_name(enum kbuild_kind kind)
{
	static const char *const names[] = {
		[KBUILD_COMPILED] = "compiled", [KBUILD_GENERATED] = "generated", [KBUILD_HOST] = "host"
	};

	return names[kind];
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct kbuild_file *)a)->path, ((const struct kbuild_file *)b)->path);
}

static void take_files(struct arena *a, const struct collection *c, const struct kbuild_tree *tree,
		       struct kbuild_profile *out)
{
	struct names tracked = { c->arena, NULL, 0, 0 };
	bool is_new;

	for (size_t i = 0; i < tree->n_tracked; i++)
		name_of(&tracked, tree->tracked[i], strlen(tree->tracked[i]), &is_new);
	out->files = arena_alloc(a, c->n_seen * sizeof(*out->files));
	for (size_t i = 0; i < c->n_seen; i++) {
		struct kbuild_file *f = &out->files[i];

		f->path = arena_strdup(a, c->seen[i].path);
		if (!has_name(&tracked, f->path))
			f->kind = KBUILD_GENERATED;
		else
			f->kind = c->seen[i].kernel ? KBUILD_COMPILED : KBUILD_HOST;
		out->n_compiled += f->kind == KBUILD_COMPILED;
	}
	out->n_files = c->n_seen;
	qsort(out->files, out->n_files, sizeof(*out->files), by_path);
	free(tracked.slots);
}

static int collect_files(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out)
{
	struct collection c = { .arena = arena_new(0), .dir = tree->dir };
	int err;

	c.written.arena = c.paths.arena = c.arena;
	if (!realpath(tree->dir, c.root))
		err = fail(errno == ENOENT ? ERR_NOTFOUND : ERR_SYS, "%s: %s", tree->dir, strerror(errno));
	else if (!(err = walk(&c, "", 0)))
		take_files(a, &c, tree, out);
	free(c.written.slots);
	free(c.paths.slots);
	buf_free(&c.text);
	arena_free(c.arena);
	return err;
}

/* ---- What else the tree tells */

static int read_in_tree(const struct kbuild_tree *tree, const char *name, size_t most, struct buf *out)
{
	char path[PATH_MAX];

	buf_reset(out);
	if (snprintf(path, sizeof(path), "%s/%s", tree->dir, name) >= (int)sizeof(path))
		return fail(ERR_INPUT, "%.100s...: the path is too long", tree->dir);
	return buf_read_file(out, path, most);
}

static int incomplete(const struct kbuild_tree *tree, const char *why)
{
	return fail(ERR_INPUT, "%s: the build is not complete: %s", tree->dir, why);
}

static int take_vmlinux(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out)
{
	char path[PATH_MAX], id[KBUILD_ID_TEXT];
	struct stat st;
	int fd = -1, err = 0;

	if (snprintf(path, sizeof(path), "%s/vmlinux", tree->dir) < (int)sizeof(path))
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return incomplete(tree, "there is no vmlinux");
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !kbuild_elf_id(fd, id))
		err = incomplete(tree, "vmlinux is no ELF file");
	close(fd);
	if (err)
		return err;
	out->vmlinux_size = (uint64_t)st.st_size;
	out->build_id = arena_strdup(a, id);
	return 0;
}

static const char *first_line(struct arena *a, const char *text)
{
	return arena_memdup(a, text, strcspn(text, "\n"));
}

static int take_release(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out)
{
	struct buf text = { 0 };
	int err = read_in_tree(tree, "include/config/kernel.release", SMALL_FILE_MOST, &text);

	out->release = first_line(a, buf_str(&text));
	buf_free(&text);
	if (err == ERR_NOTFOUND || (!err && !*out->release))
		err = incomplete(tree, "include/config/kernel.release names no release");
	return err;
}

/* "net/foo.ko" up to 6.1, "net/foo.o" since. (Up to 5.2 there was a "kernel/" before each; it is left there.) */
static void take_module(struct arena *a, const char *line, size_t n, struct kbuild_profile *out)
{
	bool is_object = n > 2 && memcmp(line + n - 2, ".o", 2) == 0;
	const char **to = arena_grow(a, (void **)&out->modules, &out->n_modules, sizeof(*to));

	*to = is_object ? arena_printf(a, "%.*s.ko", (int)n - 2, line) : arena_memdup(a, line, n);
}

static int take_modules(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out)
{
	struct buf text = { 0 };
	int err = read_in_tree(tree, "modules.order", MODULES_ORDER_MOST, &text);

	if (err == ERR_NOTFOUND)
		err = incomplete(tree, "CONFIG_MODULES is set and there is no modules.order");
	for (const char *at = buf_str(&text); !err && *at; at += strcspn(at, "\n") + (strchr(at, '\n') != NULL))
		if (*at != '\n')
			take_module(a, at, strcspn(at, "\n"), out);
	buf_free(&text);
	return err;
}

static int take_config(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out)
{
	struct buf text = { 0 };
	const char *compiler;
	int err = read_in_tree(tree, ".config", KCONFIG_MOST, &text);

	if (err) {
		buf_free(&text);
		return err == ERR_NOTFOUND ? incomplete(tree, "there is no .config") : err;
	}
	compiler = kconfig_get(a, buf_str(&text), text.len, "CONFIG_CC_VERSION_TEXT");
	out->compiler = compiler ? compiler : "";
	if (kconfig_get(a, buf_str(&text), text.len, "CONFIG_MODULES"))
		err = take_modules(a, tree, out);
	buf_free(&text);
	return err;
}

int kbuild_profile(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out)
{
	int err;

	*out = (struct kbuild_profile){ 0 };
	if ((err = take_vmlinux(a, tree, out)) || (err = take_release(a, tree, out)) || (err = take_config(a, tree, out)) ||
	    (err = collect_files(a, tree, out)))
		return err;
	if (out->n_compiled < tree->min_files)
		return fail(ERR_INPUT,
			    "%s: the build is not complete: %zu files compiled, %zu are the least that is plausible",
			    tree->dir, out->n_compiled, tree->min_files);
	return 0;
}
