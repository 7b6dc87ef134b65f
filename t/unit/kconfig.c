/* Kernel configs: what passes, what is refused and with which words, values, differences, names. */
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/kconfig.h"
#include "tap.h"

static struct arena *arena;

static int check(const char *text)
{
	return kconfig_check(text, strlen(text));
}

static void test_accepted(void)
{
	static const char *const good[] = {
		"CONFIG_X=y\n",
		"CONFIG_X=m",
		"CONFIG_X=n\n",
		"CONFIG_64BIT=y\n\n \t\n#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.170 Kernel "
		"Configuration\n",
		"# CONFIG_Y is not set\nCONFIG_X=y\n",
		"# end of \"General setup\"; $(harmless)\nCONFIG_X=y\n",
		"CONFIG_N=0\nCONFIG_M=-1\nCONFIG_H=0xffffffff81000000\nCONFIG_U=0XAB\nCONFIG_P=34c\n",
		"CONFIG_LOCALVERSION=\"\"\n",
		"CONFIG_CC_VERSION_TEXT=\"gcc (Debian 12.2.0-14+deb12u1) 12.2.0\"\n",
		"CONFIG_CC_VERSION_TEXT=\"clang version 14.0.7 (https://example.org/llvm 4c603efb0cca)\"\n",
		"CONFIG_DEFAULT_HOSTNAME=\"(none)\"\nCONFIG_LSM=\"landlock,lockdown,yama\"\n",
		"CONFIG_MODPROBE_PATH=\"/sbin/modprobe\"\nCONFIG_UEVENT_HELPER_PATH=\"../x\"\n",
		"CONFIG_MODULE_SIG_KEY=\"certs/signing_key.pem\"\nCONFIG_SYSTEM_TRUSTED_KEYS=\"debian/certs/a.pem "
		"certs/b.pem\"\n",
		"CONFIG_INITRAMFS_SOURCE=\"\"\nCONFIG_EXTRA_FIRMWARE=\"a/b.bin  c-d.bin\"\n",
		"CONFIG_BUILD_SALT=\"6.1.0-28-amd64\"\nCONFIG_SYSTEM_BLACKLIST_HASH_LIST=\"\"\n",
		"CONFIG_X=\"caf\xc3\xa9 \xff\"\n",
		"CONFIG_X=y\nCONFIG_X=m\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ok(check(good[i]) == 0, "accepted: %.*s", (int)strcspn(good[i], "\n"), good[i]);
}

static const struct refused {
	const char *text, *want;
} refused[] = {
	{ "", "no option is set: this is no kernel config" },
	{ "# CONFIG_X is not set\n", "no option is set: this is no kernel config" },
	{ "CONFIG_A=y\nCONFIG_B=yes\n",
	  "line 2: CONFIG_B: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=Y\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=y \n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=0x\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=-\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=c34\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=12k\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=\"open\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=\"\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "CONFIG_A=$(id)\n", "line 1: CONFIG_A: the value is neither y, m, n, a number nor a string in double quotes" },
	{ "\nCONFIG_LOCALVERSION=\"$(touch F)\"\n",
	  "line 2: CONFIG_LOCALVERSION: the string holds $, on which a shell may act, take it out" },
	{ "CONFIG_A=\"`id`\"\n", "line 1: CONFIG_A: the string holds `, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a\\\\b\"\n", "line 1: CONFIG_A: the string holds \\, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a\\\"b\"\n", "line 1: CONFIG_A: the string holds \\, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a\"b\"\n", "line 1: CONFIG_A: the string holds \", on which a shell may act, take it out" },
	{ "CONFIG_A=\"it's\"\n", "line 1: CONFIG_A: the string holds ', on which a shell may act, take it out" },
	{ "CONFIG_A=\"a;b\"\n", "line 1: CONFIG_A: the string holds ;, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a|b\"\n", "line 1: CONFIG_A: the string holds |, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a&b\"\n", "line 1: CONFIG_A: the string holds &, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a<b\"\n", "line 1: CONFIG_A: the string holds <, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a>b\"\n", "line 1: CONFIG_A: the string holds >, on which a shell may act, take it out" },
	{ "CONFIG_A=\"a\tb\"\n", "line 1: CONFIG_A: the string holds a control character, take it out" },
	{ "CONFIG_A=\"a\x7f\"\n", "line 1: CONFIG_A: the string holds a control character, take it out" },
	{ "CONFIG_A=y\r\n", "line 1 ends with a carriage return, convert the file to Unix line ends" },
	{ "# comment\r\nCONFIG_A=y\n", "line 1 ends with a carriage return, convert the file to Unix line ends" },
	{ " CONFIG_A=y\n", "line 1 is neither CONFIG_X=value nor a comment:  CONFIG_A=y" },
	{ "CONFIG_A-B=y\n", "line 1 is neither CONFIG_X=value nor a comment: CONFIG_A-B=y" },
	{ "CONFIG_=y\n", "line 1 is neither CONFIG_X=value nor a comment: CONFIG_=y" },
	{ "CONFIG_A y\n", "line 1 is neither CONFIG_X=value nor a comment: CONFIG_A y" },
	{ "include /etc/passwd\n", "line 1 is neither CONFIG_X=value nor a comment: include /etc/passwd" },
	{ "CONFIG_INITRAMFS_SOURCE=\"/etc/shadow\"\n",
	  "line 1: CONFIG_INITRAMFS_SOURCE: the path is absolute, only files of the kernel tree can be named" },
	{ "CONFIG_EXTRA_FIRMWARE=\"a.bin ../../x\"\n",
	  "line 1: CONFIG_EXTRA_FIRMWARE: the path holds .., only files of the kernel tree can be named" },
	{ "CONFIG_EXTRA_FIRMWARE=\"a.bin /x\"\n",
	  "line 1: CONFIG_EXTRA_FIRMWARE: the path is absolute, only files of the kernel tree can be named" },
	{ "CONFIG_SYSTEM_TRUSTED_KEYS=\"  ~/key.pem\"\n",
	  "line 1: CONFIG_SYSTEM_TRUSTED_KEYS: the path is absolute, only files of the kernel tree can be named" },
	{ "CONFIG_MODULE_SIG_KEY=\"pkcs11:x?module-path=y.so\"\n",
	  "line 1: CONFIG_MODULE_SIG_KEY: the value is a URI, only files of the kernel tree can be named" },
	{ "CONFIG_SYSTEM_TRUSTED_KEYS=\"a -b\"\n",
	  "line 1: CONFIG_SYSTEM_TRUSTED_KEYS: the path begins with -, which a program takes for an option" },
};

static void test_refused(void)
{
	static const char *const files[] = {
		"EXTRA_FIRMWARE_DIR",     "SYSTEM_REVOCATION_KEYS", "SYSTEM_BLACKLIST_HASH_LIST",
		"UNUSED_KSYMS_WHITELIST", "CROSS_COMPILE",          "BOOT_CONFIG_EMBED_FILE"
	};
	static const char nul[] = "CONFIG_A=y\nCONFIG_B\0=y\n";
	struct buf big = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		is_int(check(refused[i].text), ERR_INPUT, "refused");
		is_str(err_text(), refused[i].want, refused[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		ok(check(arena_printf(arena, "CONFIG_%s=\"/tmp/x\"\n", files[i])) == ERR_INPUT, "%s is a file", files[i]);
	is_int(kconfig_check(nul, sizeof(nul) - 1), ERR_INPUT, "a NUL byte");
	is_str(err_text(), "line 2 holds a NUL byte: this is no text", "  and where");
	buf_adds(&big, "CONFIG_A=y\n");
	memset(buf_reserve(&big, KCONFIG_MOST), '\n', KCONFIG_MOST);
	is_int(kconfig_check(big.data, KCONFIG_MOST), 0, "the largest config");
	is_int(kconfig_check(big.data, KCONFIG_MOST + 1), ERR_INPUT, "a larger one");
	is_str(err_text(), "a config of 4194305 bytes, 4194304 are allowed", "  and what is allowed");
	buf_free(&big);
}

static const char *get(const char *text, const char *option)
{
	return kconfig_get(arena, text, strlen(text), option);
}

static void test_get(void)
{
	static const char text[] = "CONFIG_A=y\nCONFIG_AB=m\n# CONFIG_C is not set\nCONFIG_S=\"two words\"\nCONFIG_E=\"\"\n"
				   "CONFIG_D=y\nCONFIG_D=n\nCONFIG_F=n\nCONFIG_F=0x10\nCONFIG_G=1\n# CONFIG_G is not set";

	is_str(get(text, "CONFIG_A"), "y", "a bool");
	is_str(get(text, "CONFIG_AB"), "m", "another whose name begins like it");
	is_str(get(text, "CONFIG_S"), "two words", "a string, without quotes");
	is_str(get(text, "CONFIG_E"), "", "an empty one");
	is_str(get(text, "CONFIG_F"), "0x10", "the last line counts");
	is_str(get(text, "CONFIG_C"), NULL, "not set");
	is_str(get(text, "CONFIG_D"), NULL, "n at last");
	is_str(get(text, "CONFIG_G"), NULL, "not set at last");
	is_str(get(text, "CONFIG_"), NULL, "absent");
	is_str(get("", "CONFIG_A"), NULL, "nothing in nothing");
}

static const char *diff(const char *before, const char *after)
{
	struct kconfig_change *c;
	size_t n = kconfig_diff(arena, before, strlen(before), after, strlen(after), &c);
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s %s>%s;", text, c[i].option + strlen("CONFIG_"),
				    c[i].before ? c[i].before : "-", c[i].after ? c[i].after : "-");
	return text;
}

static void test_diff(void)
{
	is_str(diff("CONFIG_B=y\nCONFIG_A=m\n", "CONFIG_A=m\nCONFIG_B=y\n"), "", "order is no difference");
	is_str(diff("# CONFIG_B is not set\nCONFIG_C=n\n", "# CONFIG_D is not set\n"), "",
	       "not set, n and absent are the same");
	is_str(diff("CONFIG_B=y\n", "# CONFIG_B is not set\n"), "B y>-;", "taken away");
	is_str(diff("", "CONFIG_B=\"\"\n"), "B ->\"\";", "an empty string is set");
	is_str(diff("CONFIG_ZZ=y\nCONFIG_B=m\nCONFIG_S=\"a\"\n", "CONFIG_S=\"b\"\nCONFIG_A=1\nCONFIG_B=y\n"),
	       "A ->1;B m>y;S \"a\">\"b\";ZZ y>-;", "sorted, values as written");
	is_str(diff("CONFIG_A=y\nCONFIG_A=m\n", "CONFIG_A=y\n"), "A m>y;", "the last of two lines counts");
	is_str(diff("CONFIG_A=y\nCONFIG_A_B=y\n", "CONFIG_A_B=y\n"), "A y>-;", "a name that begins another");
	is_str(diff("CONFIG_NEW=y", ""), "NEW y>-;", "all of a config");
}

static void test_names(void)
{
	static const char longest[] = "a234567890123456789012345678901234567890123456789012345678901234";
	static const char *const bad[] = { "", "-a", ".a", "_a", "a/b", "a..b", "a b", "a\n", "\xc3\xa9", "a\xff", "a;b" };

	ok(kconfig_name_ok("web-6.1_lts+x.y"), "a good name");
	ok(kconfig_name_ok("0"), "a digit");
	ok(kconfig_name_ok(longest), "64 bytes");
	ok(!kconfig_name_ok(arena_printf(arena, "%sx", longest)), "65 are too many");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ok(!kconfig_name_ok(bad[i]), "bad name %zu", i);
}

int main(void)
{
	arena = arena_new(0);
	test_accepted();
	test_refused();
	test_get();
	test_diff();
	test_names();
	arena_free(arena);
	return done();
}
