/* A kernel's build: what it needs, the steps of it, the files that it compiled, and the directories it leaves. */
#ifndef TUXTAPE_KBUILD_H
#define TUXTAPE_KBUILD_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/proc.h"

/* ---- Before */

/* Something that a build needs and this machine lacks. */
struct kbuild_need {
	const char *name;    /* "flex", "libelf.h" */
	const char *package; /* Debian's name for what brings it */
};

/* What a build of the config needs and is not found here: commands in PATH, headers by asking gcc. The list is the arena's;
 * *n is 0 where all is there. ERR_SYS where gcc cannot be run. */
int kbuild_missing_tools(struct arena *a, const char *config, size_t config_n, struct kbuild_need **list, size_t *n);

/* The same list as one line: "flex (package flex), libelf.h (package libelf-dev)". */
const char *kbuild_needs_text(struct arena *a, const struct kbuild_need *list, size_t n);

/* ERR_SYS with one line (what is free, what is needed) when the file system of dir has less than `need` bytes for us. */
int kbuild_check_space(const char *dir, uint64_t need);

/* ---- The steps */

enum kbuild_step {
	KBUILD_CONFIGURE, /* make olddefconfig: the submitted .config, completed */
	KBUILD_MAKE,      /* make all */
	KBUILD_STEPS
};

struct kbuild_place {
	const char *tree; /* absolute path of a source tree of one's own, in which is also built */
	const char *home; /* the HOME of what the build runs, and its TMPDIR */
	unsigned jobs;    /* at least 1 */
	int nice, grace_ms;
};

/* How a step is run: an argv and an environment that holds PATH, what is named here and nothing else, so that no MAKEFLAGS, CC,
 * ARCH or KCFLAGS of the caller's reaches kbuild. User, host, time and version of the build are fixed: they end up in the
 * kernel. The target is `all`, what a plain `make` builds and people install: vmlinux, the compressed image with the code that
 * boots it (arch/x86/boot/compressed has had CVEs, too; `make vmlinux` leaves it out), modules, device trees. */
void kbuild_step(struct arena *a, const struct kbuild_place *place, enum kbuild_step step, struct proc_how *how);

/* ---- After: the profile */

enum kbuild_kind {
	KBUILD_COMPILED,  /* a file of the tag that the compiler or assembler read for the kernel or a module */
	KBUILD_GENERATED, /* one that the build itself made */
	KBUILD_HOST       /* a file of the tag that only programs of the build machine were made from */
};

struct kbuild_file {
	const char *path; /* relative to the tree, links resolved */
	enum kbuild_kind kind;
};

struct kbuild_tree {
	const char *dir;
	const char *const *tracked; /* every path of the tag, in any order: what is not here is generated */
	size_t n_tracked;
	size_t min_files; /* a profile with fewer compiled files is not plausible */
};

struct kbuild_profile {
	struct kbuild_file *files; /* sorted by path, bytewise */
	size_t n_files, n_compiled;
	const char *compiler;  /* the first line of its --version; "" where the tree does not tell */
	const char *release;   /* as `uname -r` will print it */
	const char *build_id;  /* lower-case hex of vmlinux' GNU build id, "" where it has none */
	uint64_t vmlinux_size; /* bytes */
	const char **modules;  /* "net/ipv4/foo.ko", in the order of modules.order */
	size_t n_modules;
};

/* Reads what a successful build left in kbuild's own .*.cmd files: for each object the command and every file that it read. Host
 * programs are told apart by their commands, which lack the kernel's flags. All memory of the result is the arena's. ERR_INPUT
 * with the reason where the build is not complete (no vmlinux, no release, too few files) or beyond all bounds; ERR_SYS. */
int kbuild_profile(struct arena *a, const struct kbuild_tree *tree, struct kbuild_profile *out);

/* "compiled", "generated", "host". */
const char *kbuild_kind_name(enum kbuild_kind kind);

/* ---- Build directories */

/* Makes an empty directory for a build (mode 0700) and marks it as ours. ERR_SYS, also where it exists. */
int kbuild_dir_make(const char *path);

/* Removes a build's directory with all that is in it, never what links in it lead to, nor other file systems mounted there. Only
 * one that is marked: ERR_DENIED for any other. What is half removed stays marked. ERR_NOTFOUND, ERR_SYS. */
int kbuild_dir_remove(const char *path);

/* Keeps the newest `keep` marked directories of `builds` and, of these, those made at `oldest` (seconds since 1970; 0: any) or
 * later; removes the other marked ones. What is not marked is left alone. *removed (may be NULL) counts. Goes on after a
 * failure and returns the last. */
int kbuild_dirs_prune(const char *builds, size_t keep, int64_t oldest, size_t *removed);

#endif
