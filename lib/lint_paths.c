/* Owns the rules on paths, on the config and on the patch as a whole. They need no C. */
#include "lib/lint_model.h"

#include "lib/kver.h"
#include "lib/str.h"

#include <stdio.h>

/* A module's name is an array of 64 bytes less the pointer's size in the kernel; the builders want room for a suffix, too. */
#define NAME_MOST 55

#define BLOCK LINT_LEVEL__LINT_BLOCK
#define WARN LINT_LEVEL__LINT_WARN
#define REVIEW LINT_LEVEL__LINT_REVIEW

static struct lint_place at_file(const struct lint_file *f)
{
	return (struct lint_place){ f, 0 };
}

static const struct lint_place at_patch = { NULL, 0 };

static bool path_has(const char *path, const char *part)
{
	return strstr(path, part) != NULL;
}

/* The part of arch/NAME/ behind the name, NULL elsewhere. */
static const char *below_arch(const char *path)
{
	const char *slash = str_starts(path, "arch/") ? strchr(path + 5, '/') : NULL;

	return slash ? slash + 1 : NULL;
}

int lint_assembly(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if ((str_ends(l->files[i].path, ".S") || str_ends(l->files[i].path, ".s")) && lint_is_code(l->files[i].path))
			lint_add(l, BLOCK, at_file(&l->files[i]),
				 "Assembly has no ftrace entry to redirect, so both builders refuse it.");
	return 0;
}

int lint_rust(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (str_ends(l->files[i].path, ".rs") && lint_is_code(l->files[i].path))
			lint_add(l, BLOCK, at_file(&l->files[i]), "No builder is known to make livepatches of Rust code.");
	return 0;
}

int lint_lib(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (str_starts(l->files[i].path, "lib/") && lint_is_code(l->files[i].path))
			lint_add(l, BLOCK, at_file(&l->files[i]),
				 "Objects of lib/ are archived in lib.a without ftrace entries, and the builders pass over "
				 "them.");
	return 0;
}

/* Why a path is no text of the running kernel; NULL for one that is. */
static const char *unpatchable(const char *path)
{
	const char *arch = below_arch(path);

	if (path_has(path, "/vdso/") || path_has(path, "/vdso32/") || path_has(path, "/vdso64/"))
		return "The vdso is a library mapped into user space.";
	if (path_has(path, "/realmode/rm/"))
		return "Real-mode code is a blob of its own.";
	if (arch && str_starts(arch, "boot/") && !str_starts(arch, "boot/dts/"))
		return "Boot code has run and is gone.";
	if (path_has(path, "/purgatory/"))
		return "Purgatory is a program of its own between two kernels.";
	if (path_has(path, "/efi/libstub/"))
		return "The EFI stub has run and is gone.";
	if (str_starts(path, "init/version"))
		return "The version's object is made anew at each build, so the builders pass over it.";
	return NULL;
}

int lint_unpatchable(struct lint *l)
{
	bool kernel = false;

	for (size_t i = 0; i < l->n_files; i++)
		kernel |= lint_is_code(l->files[i].path);
	for (size_t i = 0; i < l->n_files; i++) {
		const struct lint_file *f = &l->files[i];
		const char *why = unpatchable(f->path);

		if (why)
			lint_add(l, BLOCK, at_file(f), "%s", why);
		else if (str_starts(f->path, "tools/") || str_starts(f->path, "usr/"))
			lint_add(l, kernel ? WARN : BLOCK, at_file(f),
				 "It is a program for user space, not part of the kernel.");
	}
	return 0;
}

static bool is_kbuild(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return str_starts(name, "Kconfig") || str_starts(name, "Makefile") || str_starts(name, "Kbuild") ||
	       str_ends(name, "config");
}

int lint_kbuild(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (is_kbuild(l->files[i].path) && !str_starts(l->files[i].path, "tools/"))
			lint_add(l, WARN, at_file(&l->files[i]),
				 "The config and the flags of a running kernel do not change.");
	return 0;
}

int lint_nothing(struct lint *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (lint_is_code(l->files[i].path))
			return 0;
	return lint_add(l, BLOCK, at_patch, "None of its files is compiled into the kernel, so there is nothing to patch.");
}

/* Headers whose includers are looked for, one walk through the build each: a patch of more is no livepatch. */
#define HEADERS_MOST 100

/* Names in all findings of a patch: beyond these there is a number. */
#define FILES_NAMED 1000

static int add_includers(struct lint *l, const struct lint_file *f, size_t *named)
{
	size_t n = 0, before = l->n_found;
	const char **files;
	LintFinding *finding;
	int err = l->in->includers(l->in->build_ctx, l->a, f->path, &n, &files);

	if (err)
		return err;
	lint_add(l, WARN, at_file(f),
		 "%zu compiled file%s it, directly or through others, and may differ where nothing was fixed.", n,
		 n == 1 ? " includes" : "s include");
	if (l->n_found == before)
		return 0;
	finding = l->found[before].finding;
	for (size_t i = 0; i < n && *named < FILES_NAMED; i++, ++*named)
		pb_add_bytes(l->a, &finding->n_files, &finding->files, files[i], strlen(files[i]));
	return 0;
}

int lint_header(struct lint *l)
{
	size_t named = 0, asked = 0;
	int err;

	for (size_t i = 0; i < l->n_files; i++) {
		const struct lint_file *f = &l->files[i];

		if (!lint_is_header(f->path) || !lint_is_code(f->path))
			continue;
		if (!l->in->includers || asked++ >= HEADERS_MOST)
			lint_add(l, WARN, at_file(f),
				 "Every file that includes it is built anew, and may differ where nothing was fixed.");
		else if ((err = add_includers(l, f, &named)))
			return err;
	}
	return l->in->includers
		       ? 0
		       : lint_skip(l, "which files include a header is not known: the build's list of files is missing");
}

int lint_apply(struct lint *l)
{
	const ApplyResult *r = l->apply;
	const char *reason;

	if (!r)
		return lint_skip(l, "needs the target's tree");
	reason = r->reason ? r->reason : "";
	if (r->state == APPLY_STATE__APPLY_CLEAN)
		return 0;
	if (r->state == APPLY_STATE__APPLY_OFFSET)
		return lint_add(l, WARN, at_patch, "It applies, but not where it says: %s.", reason);
	if (r->state == APPLY_STATE__APPLY_ALREADY)
		return lint_add(l, WARN, at_patch, "The target has the fix already.");
	return lint_add(l, BLOCK, at_patch, "It does not apply to the target: %s.", reason);
}

/* ---- Config */

enum wants {
	MUST_BE_SET,
	MUST_NOT_BE_SET,
};

/* Which builder looks at an option. */
enum builder {
	ANY_BUILDER,
	KPATCH,
	KLP,
};

static const struct {
	const char *option;
	enum wants wants;
	enum builder builder;
	const char *why;
} options[] = {
	{ "LIVEPATCH", MUST_BE_SET, ANY_BUILDER, "the kernel cannot load a livepatch" },
	{ "DEBUG_INFO", MUST_BE_SET, KPATCH, "kpatch-build finds the changed functions by their debug information" },
	{ "KLP_BUILD", MUST_BE_SET, KLP, "klp-build needs a kernel made for it" },
	{ "GCC_PLUGIN_RANDSTRUCT", MUST_NOT_BE_SET, ANY_BUILDER, "two builds lay structs out differently" },
	{ "RANDSTRUCT", MUST_NOT_BE_SET, ANY_BUILDER, "two builds lay structs out differently" },
	{ "GCC_PLUGIN_LATENT_ENTROPY", MUST_NOT_BE_SET, ANY_BUILDER, "two builds of one function differ" },
	{ "DEBUG_INFO_SPLIT", MUST_NOT_BE_SET, KPATCH, "kpatch-build does not read split debug information" },
	{ "X86_KERNEL_IBT", MUST_NOT_BE_SET, KPATCH, "kpatch-build does not know the ENDBR instructions" },
	{ "LD_DEAD_CODE_DATA_ELIMINATION", MUST_NOT_BE_SET, KLP, "klp-build refuses it" },
};

static bool is_set(const struct lint *l, const char *option)
{
	const char *value = l->in->config(l->in->config_ctx, option);

	return value && (strcmp(value, "y") == 0 || strcmp(value, "m") == 0);
}

static void check_clang(struct lint *l)
{
	const char *version = l->in->config(l->in->config_ctx, "CLANG_VERSION");
	uint32_t number;

	if (is_set(l, "CC_IS_CLANG") && version && str_to_u32(version, &number) && number < 200000)
		lint_add(l, BLOCK, at_patch, "CONFIG_CLANG_VERSION is %u: klp-build needs Clang 20 or later.", number);
}

int lint_config(struct lint *l)
{
	bool klp = lint_uses_klp_build(l);

	if (!l->in->config)
		return lint_skip(l, "needs the kernel's config");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		bool set = is_set(l, options[i].option);

		if (options[i].builder != ANY_BUILDER && (options[i].builder == KLP) != klp)
			continue;
		if (set != (options[i].wants == MUST_BE_SET))
			lint_add(l, BLOCK, at_patch, "CONFIG_%s is %s: %s.", options[i].option, set ? "set" : "not set",
				 options[i].why);
	}
	if (klp)
		check_clang(l);
	return 0;
}

int lint_module_name(struct lint *l)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	const char *name = l->in->module_name;
	size_t n;

	if (!name)
		return lint_skip(l, "needs the module's name");
	n = strlen(name);
	if (n == 0)
		return lint_add(l, BLOCK, at_patch, "The module's name is empty.");
	if (n > NAME_MOST)
		return lint_add(l, BLOCK, at_patch,
				"The module's name has %zu characters, %d are the most: it would be cut.", n, NAME_MOST);
	if (strspn(name, allowed) != n)
		return lint_add(l, BLOCK, at_patch, "The module's name has characters other than letters, digits, _ and -.");
	return 0;
}
