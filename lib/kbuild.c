/* Owns what a kernel's build needs and the argv of its steps. Refuses to run the steps: the builder does, and streams their log. */
#include "lib/kbuild.h"

#include "lib/err.h"
#include "lib/kconfig.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define OPTION_MOST 64
#define PROBE_MS 60000

/* What builds need, from Documentation/process/changes.rst and the Makefiles of Linux 5.4 to 6.16. */
static const struct need {
	const char *name, *package;
	bool header;
	const char *options; /* needed when one of these is y, m or a string that is not empty; NULL: always */
} needs[] = {
	{ "make", "make" },
	{ "gcc", "gcc" },
	{ "ld", "binutils" },
	{ "as", "binutils" },
	{ "flex", "flex" },
	{ "bison", "bison" },
	{ "bc", "bc" },
	{ "perl", "perl" },
	{ "libelf.h", "libelf-dev", true, "UNWINDER_ORC STACK_VALIDATION OBJTOOL HAVE_OBJTOOL RETPOLINE DEBUG_INFO_BTF" },
	{ "zlib.h", "zlib1g-dev", true, "DEBUG_INFO_BTF" },
	{ "openssl/ssl.h", "libssl-dev", true,
	  "MODULE_SIG MODULE_SIG_FORMAT SYSTEM_TRUSTED_KEYRING SYSTEM_TRUSTED_KEYS SYSTEM_REVOCATION_KEYS" },
	{ "openssl", "openssl", false, "MODULE_SIG" }, /* makes certs/signing_key.pem */
	{ "pahole", "dwarves", false, "DEBUG_INFO_BTF" },
	{ "gzip", "gzip", false, "KERNEL_GZIP IKCONFIG" },
	{ "bzip2", "bzip2", false, "KERNEL_BZIP2" },
	{ "lzma", "xz-utils", false, "KERNEL_LZMA" },
	{ "xz", "xz-utils", false, "KERNEL_XZ IKHEADERS" },
	{ "lzop", "lzop", false, "KERNEL_LZO" },
	{ "lz4", "lz4", false, "KERNEL_LZ4" },
	{ "zstd", "zstd", false, "KERNEL_ZSTD" },
	{ "cpio", "cpio", false, "IKHEADERS" },
	{ "rsync", "rsync", false, "HEADERS_INSTALL" },
};

/* ---- What is missing */

static bool is_wanted(struct arena *a, const char *config, size_t n, const char *options)
{
	while (options && *options) {
		size_t len = strcspn(options, " ");
		char option[OPTION_MOST] = "CONFIG_";
		const char *value;

		memcpy(option + strlen("CONFIG_"), options, MIN_OF(len, sizeof(option) - sizeof("CONFIG_")));
		value = kconfig_get(a, config, n, option);
		if (value && *value)
			return true;
		options += len + (options[len] == ' ');
	}
	return options == NULL;
}

static int has_header(const char *name, bool *has)
{
	const char *const argv[] = { "gcc", "-fsyntax-only", "-x", "c", "-include", name, "/dev/null", NULL };
	int status, err = proc_run(&(struct proc_how){ .argv = argv }, NULL, 0, PROBE_MS, &status);

	*has = !err && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return err;
}

int kbuild_missing_tools(struct arena *a, const char *config, size_t config_n, struct kbuild_need **list, size_t *n)
{
	bool can_ask = proc_in_path("gcc");

	*list = NULL;
	*n = 0;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		bool has = true;
		int err;

		if (!is_wanted(a, config, config_n, needs[i].options))
			continue;
		if (!needs[i].header)
			has = proc_in_path(needs[i].name);
		else if (can_ask && (err = has_header(needs[i].name, &has)))
			return err;
		if (!has)
			*(struct kbuild_need *)arena_grow(a, (void **)list, n,
							  sizeof(**list)) = (struct kbuild_need){ needs[i].name,
												  needs[i].package };
	}
	return 0;
}

const char *kbuild_needs_text(struct arena *a, const struct kbuild_need *list, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s%s (package %s)", text, i ? ", " : "", list[i].name, list[i].package);
	return text;
}

int kbuild_check_space(const char *dir, uint64_t need)
{
	struct statvfs fs;
	uint64_t there;

	if (statvfs(dir, &fs) < 0)
		return fail(ERR_SYS, "%s: %s", dir, strerror(errno));
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (there < need)
		return fail(ERR_SYS,
			    "%s: %" PRIu64 " MB are free, a build needs %" PRIu64
			    " MB: free some, or name another directory",
			    dir, there >> 20, need >> 20);
	return 0;
}

/* ---- The steps */

/* What the caller's environment may give: where programs are. */
static const char *path_of_caller(struct arena *a)
{
	const char *path = getenv("PATH");

	return arena_printf(a, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
}

static const char *const *make_env(struct arena *a, const struct kbuild_place *place)
{
	const char *const env[] = {
		path_of_caller(a),
		arena_printf(a, "HOME=%s", place->home),
		arena_printf(a, "TMPDIR=%s", place->home),
		"LC_ALL=C",
		"KBUILD_BUILD_USER=tuxtape",
		"KBUILD_BUILD_HOST=tuxtape",
		"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970",
		"KBUILD_BUILD_VERSION=1",
		NULL,
	};

	return arena_memdup(a, env, sizeof(env));
}

void kbuild_step(struct arena *a, const struct kbuild_place *place, enum kbuild_step step, struct proc_how *how)
{
	const char *const argv[KBUILD_STEPS][4] = {
		[KBUILD_CONFIGURE] = { "make", "olddefconfig" },
		[KBUILD_MAKE] = { "make", arena_printf(a, "-j%u", place->jobs), "all" },
	};

	*how = (struct proc_how){
		.argv = arena_memdup(a, argv[step], sizeof(argv[step])),
		.cwd = arena_strdup(a, place->tree),
		.env = make_env(a, place),
		.clean_env = true,
		.nice = place->nice,
		.grace_ms = place->grace_ms,
	};
}
