/* Kernel versions: what is read, what is refused, the order, the text. */
#include "lib/err.h"
#include "lib/kver.h"
#include "tap.h"

static const struct {
	const char *text, *canonical;
} good[] = {
	{ "0", "0" },
	{ "6.1", "6.1" },
	{ "6.1.0", "6.1" },
	{ "6.1.170", "6.1.170" },
	{ "3.0", "3.0" },
	{ "4.0", "4.0" },
	{ "7.2-rc3", "7.2-rc3" },
	{ "7.2.0-rc3", "7.2-rc3" },
	{ "2.6.12", "2.6.12" },
	{ "2.6.0", "2.6.0" },
	{ "2.6.32.71", "2.6.32.71" },
	{ "2.6.32.0", "2.6.32" },
	{ "2.6.39-rc1", "2.6.39-rc1" },
	{ "2.4.37", "2.4.37" },
	{ "2.4.37.11", "2.4.37.11" },
	{ "999999999.999999999.999999999", "999999999.999999999.999999999" },
};

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "missing" },
	{ "6", "missing" },
	{ "6.", "missing" },
	{ "6..1", "missing" },
	{ ".1", "missing" },
	{ "6.1.", "missing" },
	{ "2.6", "missing" },
	{ "2.4", "missing" },
	{ "6.1-rc", "missing" },
	{ "-6.1", "missing" },
	{ "06.1", "leading zero" },
	{ "6.01", "leading zero" },
	{ "6.1.00", "leading zero" },
	{ "6.1-rc01", "leading zero" },
	{ "6.1-rc0", "count from 1" },
	{ "6.1.5-rc1", "no release candidates" },
	{ "2.6.32.5-rc1", "no release candidates" },
	{ "6.1.2.3", "too many" },
	{ "2.6.32.1.1", "too many" },
	{ "2.5.7", "below 3.0" },
	{ "0.99", "below 3.0" },
	{ "0.0", "below 3.0" },
	{ "6.1234567890", "too large" },
	{ "v6.1", "missing" },
	{ "6.1 ", "behind" },
	{ " 6.1", "missing" },
	{ "6.1-rc2x", "behind" },
	{ "6.1-generic", "behind" },
	{ "00", "leading zero" },
	{ "6.1\r", "behind" },
};

static void test_parse(void)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		KernelVersion v, again;
		char text[KVER_TEXT_MAX];

		is_int(kver_parse(&v, good[i].text, strlen(good[i].text)), 0, good[i].text);
		is_str(kver_text(text, &v), good[i].canonical, "its text");
		kver_parse(&again, text, strlen(text));
		ok(pb_equal(&v.base, &again.base), "reads back the same");
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		KernelVersion v;

		is_int(kver_parse(&v, bad[i].text, strlen(bad[i].text)), ERR_INPUT, "refused");
		ok(strstr(err_text(), bad[i].why) != NULL, "%s", err_text());
		ok(!v.has_major && !v.has_rc, "and left empty");
	}
}

static void test_fields(void)
{
	KernelVersion v;

	kver_parse(&v, "6.1.170", 7);
	ok(v.has_major && v.major == 6 && v.has_minor && v.minor == 1, "major and minor");
	ok(!v.has_patch && v.has_stable && v.stable == 170 && !v.has_rc, "stable");
	kver_parse(&v, "2.6.32.71", 9);
	ok(v.has_patch && v.patch == 32 && v.has_stable && v.stable == 71, "patch and stable");
	kver_parse(&v, "7.2-rc3", 7);
	ok(!v.has_stable && v.has_rc && v.rc == 3, "candidate");
	kver_parse(&v, "6.1.0", 5);
	ok(!v.has_stable, "X.Y.0 has no stable number");
	kver_parse(&v, "6.1.170garbage", 7);
	ok(v.stable == 170, "n bytes are read, not more");
	is_int(kver_parse(&v, "6.1\0.5", 6), ERR_INPUT, "a NUL byte inside is refused");
}

static void test_order(void)
{
	static const char *const rising[] = {
		"0",   "2.4.37", "2.6.12",  "2.6.32",  "2.6.32.1", "2.6.33", "3.0-rc1", "3.0",
		"6.1", "6.1.1",  "6.1.170", "6.2-rc1", "6.2-rc10", "6.2",    "6.2.1",   "6.10"
	};

	for (size_t i = 0; i < ARRAY_LEN(rising); i++)
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			KernelVersion a, b;
			int cmp;

			kver_parse(&a, rising[i], strlen(rising[i]));
			kver_parse(&b, rising[k], strlen(rising[k]));
			cmp = kver_cmp(&a, &b);
			ok((cmp > 0) - (cmp < 0) == (i > k) - (i < k), "%s against %s", rising[i], rising[k]);
		}
}

static bool same_line(const char *a, const char *b)
{
	KernelVersion va, vb;

	kver_parse(&va, a, strlen(a));
	kver_parse(&vb, b, strlen(b));
	return kver_same_line(&va, &vb);
}

static bool mainline(const char *s)
{
	KernelVersion v;

	kver_parse(&v, s, strlen(s));
	return kver_is_mainline(&v);
}

static void test_lines(void)
{
	ok(same_line("6.1", "6.1.5"), "X.Y and X.Y.Z share a line");
	ok(same_line("6.1-rc2", "6.1.5"), "a candidate is on its release's line");
	ok(!same_line("6.1.5", "6.10.5"), "6.1 is not 6.10");
	ok(!same_line("6.1", "5.1"), "majors differ");
	ok(same_line("2.6.32", "2.6.32.7"), "2.6.N");
	ok(!same_line("2.6.32", "2.6.33"), "two 2.6.N are two lines");
	ok(!same_line("0", "6.1") && !same_line("0", "0"), "\"0\" is on no line");
	ok(mainline("6.1") && mainline("6.1-rc1") && mainline("2.6.32") && mainline("6.1.0"), "mainline");
	ok(!mainline("6.1.1") && !mainline("2.6.32.1") && !mainline("0"), "not mainline");
}

static const struct {
	const char *text, *canonical, *suffix;
} from_people[] = {
	{ "6.1.100", "6.1.100", "" },
	{ "v6.1.100", "6.1.100", "" },
	{ "6.1.100-generic", "6.1.100", "-generic" },
	{ "6.12.9-arch1-1", "6.12.9", "-arch1-1" },
	{ "5.10.0-28-amd64", "5.10", "-28-amd64" },
	{ "6.1.55+", "6.1.55", "+" },
	{ "v7.2-rc4", "7.2-rc4", "" },
	{ "7.2.0-rc4+", "7.2-rc4", "+" },
	{ "7.2.0-rc4-00123-gabcdef", "7.2-rc4", "-00123-gabcdef" },
	{ "3.10.0-1160.el7.x86_64", "3.10", "-1160.el7.x86_64" },
	{ "2.6.32-754.el6.x86_64", "2.6.32", "-754.el6.x86_64" },
};

static const char *const not_from_people[] = {
	"",        "0",       "v",         "vv6.1",          "V6.1",     "6",           "6.1.x",
	"latest",  "6.1.1 ",  "6.1.1\n",   "6.1.1-",         "6.1.1;ls", "6.1-\x1b[2J", "6.1.5-rc1",
	"6.1-rc0", "6.1-rcx", "6.1.1/../", "6.1.1-gen eric", "1.0",      "6.1.2.3",     "6.1.1_x"
};

static void test_people(void)
{
	const char *suffix;
	KernelVersion v;
	char text[KVER_TEXT_MAX], endless[200];

	for (size_t i = 0; i < ARRAY_LEN(from_people); i++) {
		is_int(kver_parse_user(&v, from_people[i].text, &suffix), 0, from_people[i].text);
		is_str(kver_text(text, &v), from_people[i].canonical, "its version");
		is_str(suffix, from_people[i].suffix, "its suffix");
	}
	for (size_t i = 0; i < ARRAY_LEN(not_from_people); i++) {
		is_int(kver_parse_user(&v, not_from_people[i], &suffix), ERR_INPUT, "refused");
		ok(strstr(err_text(), "6.1.100") && strstr(err_text(), "-rc3"), "shows what is accepted");
		ok(!v.has_major && !*suffix, "and leaves nothing");
	}
	snprintf(endless, sizeof(endless), "6.1-%0150d", 1);
	is_int(kver_parse_user(&v, endless, &suffix), ERR_INPUT, "an over-long suffix is refused");
}

static void test_print(void)
{
	KernelVersion v = KERNEL_VERSION__INIT;
	char text[KVER_TEXT_MAX];
	struct buf b = { 0 };

	is_str(kver_text(text, NULL), "0", "NULL prints 0");
	kver_print(&b, &v);
	buf_addc(&b, ' ');
	kver_parse(&v, "2.6.32.71", 9);
	kver_print(&b, &v);
	is_str(b.data, "0 2.6.32.71", "printing appends");
	buf_free(&b);
	/* A message from a peer may hold any numbers. */
	v = (KernelVersion){
		.base = v.base, .has_major = true, .major = UINT32_MAX, .has_minor = true, .minor = UINT32_MAX
	};
	v.has_patch = v.has_stable = v.has_rc = true;
	v.patch = v.stable = v.rc = UINT32_MAX;
	is_str(kver_text(text, &v), "4294967295.4294967295.4294967295.4294967295-rc4294967295", "the longest text fits");
}

int main(void)
{
	test_parse();
	test_fields();
	test_order();
	test_lines();
	test_people();
	test_print();
	return done();
}
