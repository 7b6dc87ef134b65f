/* Builds: what a profile says of hand-written trees with every odd case of kbuild's .cmd files, steps, needs, directories. */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/kbuild.h"
#include "lib/kbuild_cmd.h"
#include "lib/kbuild_elf.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL "gcc -Wp,-MMD,x.d -nostdinc -I./include -D__KERNEL__ -c -o x x"
#define HOST "gcc -Wp,-MMD,x.d -Wall -O2 -c -o x x"

static struct arena *arena;
static char top[] = "/tmp/tuxtape-kbuild.XXXXXX";
static const char *dir; /* the tree under test */

static const char *in(const char *path)
{
	return arena_printf(arena, "%s/%s", dir, path);
}

static void put_bytes(const char *path, const void *p, size_t n)
{
	int fd;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		mkdir(in(arena_printf(arena, "%.*s", (int)(slash - path), path)), 0755);
	fd = open(in(path), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		ok(false, "%s cannot be written", path);
	close(fd);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

/* Empty files. */
static void touch(const char *const *paths)
{
	for (; *paths; paths++)
		put(*paths, "");
}

/* A .cmd file in fixdep's form. deps: paths, each behind a blank. */
static void put_cmd(const char *path, const char *command, const char *source, const char *deps)
{
	struct buf b = { 0 };

	buf_printf(&b, "cmd_x := %s\n\nsource_x := %s\n\ndeps_x := \\\n    $(wildcard include/config/NET) \\\n", command,
		   source);
	for (const char *at = deps; *at; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		buf_printf(&b, "  %.*s \\\n", (int)strcspn(at, " "), at);
	}
	buf_adds(&b, "\nx: $(deps_x)\n\n$(deps_x):\n");
	put(path, b.data);
	buf_free(&b);
}

/* ---- ELF */

/* A file with one segment, of notes: a version note and a build id of the bytes a0, a1, ... */
static size_t make_elf(unsigned char *e, bool wide, bool big)
{
	static const unsigned char notes[] = "\4\0\0\0\6\0\0\0\7\0\0\0GNU\0abcdef\0\0\4\0\0\0\24\0\0\0\3\0\0\0GNU\0";
	size_t at = wide ? 64 : 52, segment = wide ? 56 : 32, offset = at + segment, n = 24 + 16 + 20;

	memset(e, 0, 256);
	memcpy(e, "\177ELF", 4);
	e[4] = wide ? 2 : 1;
	e[5] = big ? 2 : 1;
	e[(wide ? 32 : 28) + (big ? (wide ? 7 : 3) : 0)] = (unsigned char)at;
	e[(wide ? 54 : 42) + big] = (unsigned char)segment;
	e[(wide ? 56 : 44) + big] = 1;
	e[at + (big ? 3 : 0)] = 4; /* PT_NOTE */
	e[at + (wide ? 8 : 4) + (big ? (wide ? 7 : 3) : 0)] = (unsigned char)offset;
	e[at + (wide ? 32 : 16) + (big ? (wide ? 7 : 3) : 0)] = (unsigned char)n;
	memcpy(e + offset, notes, 40);
	for (size_t i = 0; big && i < 40; i += i == 8 || i == 32 ? 16 : 4) {
		e[offset + i + 3] = e[offset + i];
		e[offset + i] = 0;
	}
	for (size_t i = 0; i < 20; i++)
		e[offset + 40 + i] = (unsigned char)(0xa0 + i);
	return offset + n;
}

static bool read_id(const unsigned char *e, size_t n, char id[KBUILD_ID_TEXT])
{
	bool good;
	int fd;

	put_bytes("elf", e, n);
	fd = open(in("elf"), O_RDONLY);
	good = kbuild_elf_id(fd, id);
	close(fd);
	return good;
}

static void test_elf(void)
{
	static const char want[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3";
	unsigned char e[256];
	char id[KBUILD_ID_TEXT];
	size_t n;

	for (int kind = 0; kind < 4; kind++) {
		n = make_elf(e, kind & 1, kind & 2);
		ok(read_id(e, n, id), "an ELF file of kind %d", kind);
		is_str(id, want, "  and its id");
	}
	n = make_elf(e, true, false);
	for (size_t cut = 0; cut < n; cut++)
		if (read_id(e, cut, id) && *id)
			ok(false, "cut after %zu bytes it has no id", cut);
	ok(!read_id(e, n - 1, id), "a file that is cut short is refused");
	e[120 + 24 + 4] = 0xff; /* the id's length */
	ok(read_id(e, n, id) && !*id, "a note that passes the end is no note");
	make_elf(e, true, false);
	e[56] = 0;
	ok(read_id(e, n, id) && !*id, "a file without segments has no id");
	make_elf(e, true, false);
	memset(e + 72, 0xff, 8);
	ok(!read_id(e, n, id), "a segment beyond all files is refused");
	make_elf(e, true, false);
	memset(e + 32, 0xff, 8);
	ok(!read_id(e, n, id), "headers beyond all files, too");
	e[4] = 3;
	ok(!read_id(e, n, id), "a class that does not exist, too");
	ok(!read_id((const unsigned char *)"#!/bin/sh", 9, id), "and a script");
	unlink(in("elf"));
}

/* ---- Profiles */

static const char *const tracked[] = {
	"kernel/fork.c",
	"kernel/unused.c",
	"include/linux/fork.h",
	"include/linux/both.h",
	"arch/x86/entry.S",
	"arch/x86/vmlinux.lds.S",
	"scripts/mod/modpost.c",
	"scripts/mod/modpost.h",
	"tools/objtool/check.c",
	"tools/objtool/arch/x86/decode.c",
	"tools/objtool/elf.h",
	"tools/include/linux/list.h",
	"real/deep.h",
	"net/bpfilter/main.c",
	"boot/board.dts",
	"boot/board.dtsi",
	"rust/kernel/lib.rs",
	"rust/macros/lib.rs",
	"scripts/link-vmlinux.sh",
	"usr/gen.c",
	"link.h",
};

static struct kbuild_tree tree = { .tracked = tracked, .n_tracked = ARRAY_LEN(tracked) };

static const char *const there[] = { "kernel/fork.c",
				     "kernel/unused.c",
				     "include/linux/fork.h",
				     "include/linux/both.h",
				     "arch/x86/entry.S",
				     "arch/x86/vmlinux.lds.S",
				     "scripts/mod/modpost.c",
				     "scripts/mod/modpost.h",
				     "tools/objtool/check.c",
				     "tools/objtool/arch/x86/decode.c",
				     "tools/objtool/elf.h",
				     "tools/include/linux/list.h",
				     "real/deep.h",
				     "net/bpfilter/main.c",
				     "boot/board.dts",
				     "boot/board.dtsi",
				     "rust/kernel/lib.rs",
				     "rust/macros/lib.rs",
				     "usr/gen.c",
				     "scripts/link-vmlinux.sh",
				     "include/generated/a.h",
				     "check.c",
				     NULL };

/* What a complete build has beside .cmd files. */
static void put_result(void)
{
	unsigned char e[256];
	size_t n = make_elf(e, true, false);

	put_bytes("vmlinux", e, n);
	put("include/config/kernel.release", "6.1.170-web\n");
	put(".config", "CONFIG_CC_VERSION_TEXT=\"gcc (Test) 1.2\"\nCONFIG_MODULES=y\n");
	put("modules.order", "net/a.ko\n\nfs/b/c.o");
}

static const char *profile_text(void)
{
	struct kbuild_profile p;
	struct buf b = { 0 };
	const char *text;

	tree.dir = dir;
	if (kbuild_profile(arena, &tree, &p))
		return err_text();
	for (size_t i = 0; i < p.n_files; i++)
		buf_printf(&b, "%s %s\n", kbuild_kind_name(p.files[i].kind), p.files[i].path);
	text = arena_strdup(arena, buf_str(&b));
	buf_free(&b);
	return text;
}

static void make_tree(void)
{
	dir = arena_printf(arena, "%s/tree", top);
	ok(kbuild_dir_make(dir) == 0, "a tree");
	touch(there);
	put_result();
}

static void drop_tree(void)
{
	is_int(kbuild_dir_remove(dir), 0, "  and the tree is gone");
}

static void test_fixdep_form(void)
{
	make_tree();
	put_cmd("kernel/.fork.o.cmd", KERNEL, "kernel/fork.c",
		" include/linux/fork.h include/linux/both.h include/generated/a.h /usr/include/stdio.h ../outside.h");
	put_cmd("scripts/mod/.modpost.o.cmd", HOST, "scripts/mod/modpost.c", " scripts/mod/modpost.h include/linux/both.h");
	put("arch/x86/.entry.o.cmd",
	    "savedcmd_arch/x86/entry.o := " KERNEL "\n\nsource_arch/x86/entry.o := arch/x86/entry.S\n");
	put("arch/x86/.vmlinux.lds.cmd",
	    "cmd_a := gcc -E -D__KERNEL__ x\nsource_a := ./arch//x86/../x86/./vmlinux.lds.S\n\ndeps_a := \\\n");
	put("fs/.a.mod.cmd",
	    "savedcmd_fs/a.mod := printf '%s\\n'   a.o | awk '!x[$$0]++ { print(\"fs/\"$$0) }' > fs/a.mod\n");
	put("kernel/.git/.x.o.cmd", "cmd_x := -D__KERNEL__\nsource_x := kernel/unused.c\n");
	put("kernel/x.o.cmd", "cmd_x := -D__KERNEL__\nsource_x := kernel/unused.c\n");
	is_str(profile_text(),
	       "compiled arch/x86/entry.S\ncompiled arch/x86/vmlinux.lds.S\ngenerated include/generated/a.h\n"
	       "compiled include/linux/both.h\ncompiled include/linux/fork.h\ncompiled kernel/fork.c\n"
	       "host scripts/mod/modpost.c\nhost scripts/mod/modpost.h\n",
	       "objects, host programs, what both use, linker scripts");
	drop_tree();
}

static void test_tools(void)
{
	make_tree();
	put_cmd("tools/objtool/.check.o.cmd", HOST, "check.c",
		arena_printf(arena, " elf.h %s", in("tools/include/linux/list.h")));
	put("tools/objtool/arch/x86/.decode.o.cmd", "# cannot find fixdep\n# using basic dep data\n\n/a/b.o: "
						    "arch/x86/decode.c \\\n elf.h /usr/include/x.h \\\n /usr/include/y.h\n"
						    "\ncmd_/a/b.o := " HOST " -D\"BUILD_STR(s)=$(pound)s\"\n");
	is_str(profile_text(),
	       "host tools/include/linux/list.h\nhost tools/objtool/arch/x86/decode.c\nhost tools/objtool/check.c\n"
	       "host tools/objtool/elf.h\n",
	       "tools/, where paths begin at some Makefile");
	drop_tree();
}

static void test_languages(void)
{
	make_tree();
	put_cmd("boot/.board.dtb.cmd", "gcc -E -undef -D__DTS__ -x assembler-with-cpp -o a b ; dtc", "boot/board.dts",
		" boot/board.dtsi");
	put("rust/.kernel.o.cmd", "savedcmd_rust/kernel.o := rustc @./include/generated/rustc_cfg rust/kernel/lib.rs\n\n"
				  "source_rust/kernel.o := rust/kernel/lib.rs\n");
	put("rust/.libmacros.so.cmd",
	    "savedcmd_rust/libmacros.so := rustc --crate-type proc-macro @./include/generated/rustc_cfg\n\n"
	    "source_rust/libmacros.so := rust/macros/lib.rs\n");
	put_cmd("net/bpfilter/.main.o.cmd", HOST, "net/bpfilter/main.c", "");
	put(".vmlinux.cmd", "cmd_vmlinux := sh scripts/link-vmlinux.sh\n\nsource_vmlinux := scripts/link-vmlinux.sh\n");
	is_str(profile_text(),
	       "compiled boot/board.dts\ncompiled boot/board.dtsi\ncompiled net/bpfilter/main.c\ncompiled "
	       "rust/kernel/lib.rs\n"
	       "host rust/macros/lib.rs\n",
	       "device trees, Rust, a program that is packed into the kernel; a script is no source");
	drop_tree();
}

static void test_links(void)
{
	make_tree();
	ok(symlink("../real", in("include/linked")) == 0 && symlink("real/deep.h", in("link.h")) == 0 &&
		   symlink("/etc", in("include/out")) == 0,
	   "links to a directory, to a file, out of the tree");
	put_cmd("kernel/.fork.o.cmd", KERNEL, "include/linked/../kernel/fork.c",
		" include/linked/deep.h link.h include/out/passwd");
	is_str(profile_text(), "compiled kernel/fork.c\ncompiled real/deep.h\n", "links are resolved, also before a ..");
	ok(symlink("loop", in("loop")) == 0 && symlink(in("kernel"), in("real/up")) == 0 && symlink("/", in("root")) == 0,
	   "bad links");
	put_cmd("kernel/.fork.o.cmd", KERNEL, "loop", " kernel/fork.c root/etc/passwd");
	is_str(profile_text(), "compiled kernel/fork.c\ngenerated loop\n",
	       "what leads nowhere does no harm, and none is walked into");
	drop_tree();
}

static void test_odd_bytes(void)
{
	static const char nul[] = "cmd_x := -D__KERNEL__\ndeps_x := a\0b kernel/fork.c\n";

	make_tree();
	put_bytes("kernel/.a.o.cmd", nul, sizeof(nul) - 1);
	put("kernel/.b.o.cmd", "source_x :=");
	put("kernel/.c.o.cmd", "");
	put("kernel/.d.o.cmd", "deps_x := $(wildcard never closed kernel/unused.c");
	put("kernel/.e.o.cmd", "cmd_x := -D__KERNEL__\r\nsource_x := arch/x86/entry.S\r\n");
	put("kernel/.f.o.cmd", arena_printf(arena, "source_x := %0*d\n", PATH_MAX + 10, 0));
	put("kernel/.g.o.cmd", "source_x := kernel include/ / . ..\n\\\n\\");
	is_str(profile_text(), "compiled arch/x86/entry.S\ncompiled kernel/fork.c\n", "broken .cmd files name no files");
	ok(mkdir(in("kernel/.h.cmd"), 0755) == 0, "a directory with such a name");
	is_str(profile_text(), "compiled arch/x86/entry.S\ncompiled kernel/fork.c\n", "  is one");
	drop_tree();
}

static void test_result(void)
{
	struct kbuild_profile p;

	make_tree();
	put_cmd("kernel/.fork.o.cmd", KERNEL, "kernel/fork.c", " include/linux/fork.h");
	tree.dir = dir;
	tree.min_files = 2;
	is_int(kbuild_profile(arena, &tree, &p), 0, "a complete build");
	is_str(p.compiler, "gcc (Test) 1.2", "the compiler");
	is_str(p.release, "6.1.170-web", "the release");
	is_str(p.build_id, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3", "the build id");
	is_int((long long)p.vmlinux_size, 180, "the size");
	ok(p.n_modules == 2 && strcmp(p.modules[0], "net/a.ko") == 0 && strcmp(p.modules[1], "fs/b/c.ko") == 0,
	   "the modules");
	is_int((long long)p.n_compiled, 2, "the count");
}

static void wrong(const char *why)
{
	struct kbuild_profile p;

	is_int(kbuild_profile(arena, &tree, &p), ERR_INPUT, "an incomplete build");
	is_str(err_text(), arena_printf(arena, "%s: the build is not complete: %s", dir, why), why);
}

static void test_incomplete(void)
{
	struct kbuild_profile p;

	tree.min_files = 3;
	wrong("2 files compiled, 3 are the least that is plausible");
	tree.min_files = 0;
	unlink(in("modules.order"));
	wrong("CONFIG_MODULES is set and there is no modules.order");
	put(".config", "CONFIG_X=y\n");
	is_int(kbuild_profile(arena, &tree, &p), 0, "a kernel without modules");
	is_str(p.compiler, "", "  and of an unknown compiler");
	unlink(in(".config"));
	wrong("there is no .config");
	put("include/config/kernel.release", "\n");
	wrong("include/config/kernel.release names no release");
	unlink(in("include/config/kernel.release"));
	wrong("include/config/kernel.release names no release");
	put("vmlinux", "text");
	wrong("vmlinux is no ELF file");
	unlink(in("vmlinux"));
	wrong("there is no vmlinux");
	drop_tree();
	wrong("there is no vmlinux");
}

static void test_bounds(void)
{
	struct kbuild_profile p;
	struct buf deep = { 0 };

	make_tree();
	for (int i = 0; i < 70; i++)
		buf_adds(&deep, "d/");
	buf_adds(&deep, "f");
	put(deep.data, "");
	is_int(kbuild_profile(arena, &tree, &p), ERR_INPUT, "a tree that is too deep");
	ok(strstr(err_text(), "more than 64 directories deep") != NULL, "  is told");
	drop_tree();
	buf_free(&deep);
}

static void count(void *ctx, const char *path UNUSED, size_t n UNUSED)
{
	++*(int *)ctx;
}

static void test_reuse(void)
{
	int n = 0;
	struct kbuild_cmd c = { .source = count, .ctx = &n };
	static const char kernel[] = "cmd_x := cc -D__KERNEL__\ndeps_x := a b\n", host[] = "deps_x := a \\\n b $(c) c\n";

	kbuild_cmd_read(&c, kernel, sizeof(kernel) - 1);
	ok(c.kernel && n == 2, "two files of the kernel's");
	kbuild_cmd_read(&c, host, sizeof(host) - 1);
	ok(!c.kernel && n == 5, "then three of another's");
}

static void test_tidy(void)
{
	static const char *const pairs[][2] = {
		{ "a/b", "a/b" },      { "./a//b/.", "a/b" },
		{ "a/../b", "b" },     { "a/b/../../c/", "c" },
		{ "/a/./../b", "/b" }, { "", "" },
		{ ".", "" },           { "/", "/" },
		{ "a/..", "" },        { "..a/b..", "..a/b.." },
		{ "../a", NULL },      { "/..", NULL },
		{ "a/../..", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char *path = arena_strdup(arena, pairs[i][0]);
		bool good = kbuild_path_tidy(path);

		is_str(good ? path : NULL, pairs[i][1], pairs[i][0]);
	}
}

/* ---- Before and around a build */

static void test_steps(void)
{
	struct kbuild_place place = { .tree = "/t", .home = "/h", .jobs = 3, .nice = 5, .grace_ms = 7 };
	struct buf env = { 0 };
	struct proc_how how;

	kbuild_step(arena, &place, KBUILD_CONFIGURE, &how);
	ok(strcmp(how.argv[0], "make") == 0 && strcmp(how.argv[1], "olddefconfig") == 0 && !how.argv[2],
	   "the config is completed");
	kbuild_step(arena, &place, KBUILD_MAKE, &how);
	ok(strcmp(how.argv[1], "-j3") == 0 && strcmp(how.argv[2], "all") == 0 && !how.argv[3],
	   "all is made, three at a time");
	ok(strcmp(how.cwd, "/t") == 0 && how.nice == 5 && how.grace_ms == 7 && how.clean_env, "where and how");
	setenv("PATH", "/usr/bin:/bin", 1);
	for (const char *const *e = how.env; *e; e++)
		buf_printf(&env, "%s\n", *e);
	ok(strstr(buf_str(&env), "HOME=/h\nTMPDIR=/h\nLC_ALL=C\n") != NULL, "home and language are set");
	ok(strstr(buf_str(&env), "KBUILD_BUILD_USER=") && strstr(buf_str(&env), "KBUILD_BUILD_HOST=") &&
		   strstr(buf_str(&env), "KBUILD_BUILD_TIMESTAMP=") && strstr(buf_str(&env), "KBUILD_BUILD_VERSION=1"),
	   "what ends up in the kernel is fixed");
	ok(!strstr(buf_str(&env), "MAKE"), "no flags of the caller's make");
	buf_free(&env);
}

static const char *missing(const char *config)
{
	struct kbuild_need *list;
	size_t n;

	return kbuild_missing_tools(arena, config, strlen(config), &list, &n) ? err_text()
									      : kbuild_needs_text(arena, list, n);
}

/* Commands that do nothing, in a PATH of their own; gcc fails for the headers named in it. */
static void put_command(const char *name, const char *script)
{
	put(name, script);
	chmod(in(name), 0755);
}

static void test_needs(void)
{
	static const char *const always[] = { "make", "ld", "as", "flex", "bison", "bc", "perl", "gzip" };
	char *path = xstrdup(getenv("PATH"));

	make_tree();
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		put_command(always[i], "#!/bin/sh\n");
	setenv("PATH", dir, 1);
	is_str(missing("CONFIG_UNWINDER_ORC=y\n"), "gcc (package gcc)", "without gcc no header can be looked for");
	put_command("gcc", "#!/bin/sh\ncase \" $* \" in *' libelf.h '*|*' openssl/'*) exit 1;; esac\n");
	is_str(missing("CONFIG_KERNEL_GZIP=y\n"), "", "all is there");
	is_str(missing("CONFIG_UNWINDER_ORC=y\nCONFIG_MODULE_SIG=y\n"),
	       "libelf.h (package libelf-dev), openssl/ssl.h (package libssl-dev), openssl (package openssl)",
	       "headers and programs");
	is_str(missing("# CONFIG_UNWINDER_ORC is not set\nCONFIG_SYSTEM_TRUSTED_KEYS=\"\"\nCONFIG_KERNEL_XZ=n\n"), "",
	       "what is not set needs nothing");
	is_str(missing("CONFIG_SYSTEM_TRUSTED_KEYS=\"a.pem\"\nCONFIG_KERNEL_ZSTD=y\nCONFIG_DEBUG_INFO_BTF=y\n"),
	       "libelf.h (package libelf-dev), openssl/ssl.h (package libssl-dev), pahole (package dwarves), zstd (package "
	       "zstd)",
	       "a string counts when it is not empty");
	unlink(in("flex"));
	is_str(missing(""), "flex (package flex)", "what is always needed");
	setenv("PATH", path, 1);
	free(path);
	drop_tree();
}

static void test_space(void)
{
	is_int(kbuild_check_space("/tmp", 1), 0, "a byte is free");
	is_int(kbuild_check_space("/tmp", UINT64_MAX), ERR_SYS, "everything is not");
	ok(strstr(err_text(), "/tmp: ") == err_text() && strstr(err_text(), " MB are free, a build needs 17592186044415 MB"),
	   "  and is told");
	is_int(kbuild_check_space("/no/where", 1), ERR_SYS, "nowhere");
}

/* A build directory made at a point in time. */
static const char *put_build_at(const char *name, struct timespec made)
{
	const char *path = in(name);
	struct timespec times[2] = { made, made };

	ok(kbuild_dir_make(path) == 0, "build %s", name);
	put(arena_printf(arena, "%s/tree/vmlinux", name), "x");
	utimensat(AT_FDCWD, arena_printf(arena, "%s/.tuxtape-build", path), times, 0);
	return path;
}

static const char *put_build(const char *name, int64_t made)
{
	return put_build_at(name, (struct timespec){ .tv_sec = made });
}

static const char *builds_left(void)
{
	static const char *const names[] = { "b1", "b2", "b3", "b4", "alien", "link" };
	const char *text = "";

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (faccessat(AT_FDCWD, in(names[i]), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			text = arena_printf(arena, "%s%s ", text, names[i]);
	return text;
}

static void test_prune(void)
{
	size_t n;

	make_tree();
	put_build("b3", 300);
	put_build("b1", 100);
	put_build_at("b4", (struct timespec){ .tv_sec = 400, .tv_nsec = 5 });
	put_build("b2", 200);
	put("alien/file", "x");
	ok(symlink("b4", in("link")) == 0, "a link");
	is_int(kbuild_dirs_prune(dir, 3, 0, &n), 0, "three are kept");
	is_str(builds_left(), "b2 b3 b4 alien link ", "  the newest, and what is not ours");
	is_int((long long)n, 1, "  one is removed");
	is_int(kbuild_dirs_prune(dir, 3, 300, &n), 0, "what is too old goes");
	is_str(builds_left(), "b3 b4 alien link ", "  though there were few");
	put_build_at("b2", (struct timespec){ .tv_sec = 400, .tv_nsec = 1 });
	is_int(kbuild_dirs_prune(dir, 1, 0, NULL), 0, "two of one second");
	is_str(builds_left(), "b4 alien link ", "  are told apart");
	is_int(kbuild_dirs_prune(dir, 0, 0, NULL), 0, "none is kept");
	is_str(builds_left(), "alien link ", "  but what is not ours");
	is_int(kbuild_dirs_prune(in("nowhere"), 3, 0, &n), 0, "no builds at all");
	is_int(kbuild_dir_remove(in("alien")), ERR_DENIED, "what bears no mark is not removed");
	ok(access(in("alien/file"), F_OK) == 0, "  nor emptied");
	is_int(kbuild_dir_remove(in("link")), ERR_SYS, "nor is a link");
	is_int(kbuild_dir_remove(in("nowhere")), ERR_NOTFOUND, "nor what is not there");
	is_int(kbuild_dir_make(in("alien")), ERR_SYS, "what exists is not made");
	drop_tree();
}

/* Links out, directories without rights, far deeper than there are descriptors: all of it goes, nothing else does. */
static void test_removal(void)
{
	struct rlimit few = { 128, 128 }, before;
	const char *build;
	int at, next;

	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	/* root may do everything, so this is nobody's test. */
	chmod(top, 0777);
	if (geteuid() == 0 && seteuid(65534) < 0)
		ok(false, "root can become nobody");
	make_tree();
	put("outside/kept", "x");
	build = put_build("b1", 100);
	ok(symlink("../outside", in("b1/link")) == 0 && symlink("/", in("b1/root")) == 0, "links that lead out");
	put("b1/closed/file", "x");
	chmod(in("b1/closed"), 0);
	put("b1/read-only/file", "x");
	chmod(in("b1/read-only"), 0500);
	at = open(build, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2000; i++) {
		next = mkdirat(at, "deep", 0755) == 0 ? openat(at, "deep", O_RDONLY | O_DIRECTORY) : -1;
		close(at);
		at = next;
	}
	ok(at >= 0, "2000 levels");
	close(at);
	is_int(kbuild_dir_remove(build), 0, "all goes");
	ok(access(build, F_OK) < 0 && errno == ENOENT, "  really");
	ok(access(in("outside/kept"), F_OK) == 0, "  and nothing else");
	drop_tree();
	setrlimit(RLIMIT_NOFILE, &before);
	if (getuid() == 0 && seteuid(0) < 0)
		ok(false, "nobody can become root again");
}

int main(void)
{
	arena = arena_new(0);
	umask(022);
	ok(mkdtemp(top) != NULL, "a directory");
	dir = top;
	test_elf();
	test_fixdep_form();
	test_tools();
	test_languages();
	test_links();
	test_odd_bytes();
	test_result();
	test_incomplete();
	test_bounds();
	test_reuse();
	test_tidy();
	test_steps();
	test_needs();
	test_space();
	test_prune();
	test_removal();
	ok(rmdir(top) == 0, "nothing is left");
	arena_free(arena);
	return done();
}
