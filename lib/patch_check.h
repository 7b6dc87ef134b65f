/* Checking a patch for one kernel: does it apply to that kernel's tree, and what does the linter say. */
#ifndef TUXTAPE_PATCH_CHECK_H
#define TUXTAPE_PATCH_CHECK_H

#include "lib/db_config.h"
#include "lib/diff.h"
#include "lib/repo.h"

/* A kernel that a patch is for. */
struct patch_kernel {
	const char *config; /* NULL: a bare version */
	const KernelVersion *version;
	const char *ref;  /* tag of its tree; NULL: "v" and the version */
	const char *body; /* the .config; NULL: not known */
	size_t body_len;
	bool profiled; /* the next two are known */
	size_t n_compiled;
	const char **compiled; /* files that its build compiled, by name */
};

/* A config as a kernel, with what its build compiled; or a version (config NULL). ERR_NOTFOUND. */
int patch_kernel_read(struct db *db, struct arena *a, const char *config, const KernelVersion *version,
		      struct patch_kernel *out);

/* Reads a patch; beyond what diff_parse refuses, conflicts that a merge has left in it. ERR_INPUT. */
int patch_read(struct arena *a, const char *text, size_t n, struct diff *out);

/* Applies and lints; all in the arena. repo NULL: there is no clone, and `why` says so. A clone without the kernel's tag is none. Findings and
 * conflicts are no errors. */
int patch_check(struct arena *a, const struct diff *d, const struct patch_kernel *k, struct repo *repo, const char *why,
		PatchCheck **out);

/* True when nothing in the check keeps the patch from being approved. */
bool patch_check_is_good(const PatchCheck *c);

#endif
