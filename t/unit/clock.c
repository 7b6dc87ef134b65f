/* Points in time: ISO 8601 in and out, whatever the machine's time zone is, and how long ago in words. */
#include "lib/clock.h"
#include "lib/base.h"
#include "tap.h"

#include <time.h>

static const struct {
	const char *text;
	int64_t seconds;
	const char *printed; /* NULL: not a time */
} times[] = {
	{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z" },
	{ "2026-08-14T16:45:24Z", 1786725924, "2026-08-14T16:45:24Z" },
	{ "2026-08-14T16:45:24", 1786725924, "2026-08-14T16:45:24Z" },
	{ "2026-08-14T16:45:24.592", 1786725924, "2026-08-14T16:45:24Z" },
	{ "2026-08-14T16:45:24.592Z", 1786725924, "2026-08-14T16:45:24Z" },
	{ "2026-08-14", 1786665600, "2026-08-14T00:00:00Z" },
	{ "2024-02-29T23:59:59Z", 1709251199, "2024-02-29T23:59:59Z" },
	{ "1969-12-31T23:59:59Z", -1, "1969-12-31T23:59:59Z" },
	{ "2016-12-31T23:59:60Z", 1483228800, "2017-01-01T00:00:00Z" },
	{ "2100-03-01", 4107542400, "2100-03-01T00:00:00Z" },
	{ "", 0, NULL },
	{ "yesterday", 0, NULL },
	{ "2026", 0, NULL },
	{ "2026-08", 0, NULL },
	{ "2026-13-01", 0, NULL },
	{ "2026-08-32", 0, NULL },
	{ "2026-08-14T", 0, NULL },
	{ "2026-08-14T16:45", 0, NULL },
	{ "2026-08-14T25:00:00Z", 0, NULL },
	{ "2026-08-14T16:45:24+02:00", 0, NULL },
	{ "2026-08-14T16:45:24Zulu", 0, NULL },
	{ "2026-08-14 ", 0, NULL },
	{ "2026-02-30", 0, NULL },
	{ "2025-02-29T00:00:00Z", 0, NULL },
	{ "2026-08-14Z", 0, NULL },
	{ "2026-08-14.5", 0, NULL },
	{ " 2026-08-14", 0, NULL },
	{ "2026-8-14", 0, NULL },
	{ "2026-08-14T6:45:24Z", 0, NULL },
	{ "2026-08-14T16:45:245", 0, NULL },
	{ "2026-08-14T16:45:24.Z", 0, NULL },
	{ "2026-08-14T16:45:24ZZ", 0, NULL },
};

static void test_times(void)
{
	char text[CLOCK_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t got = 42;

		ok(clock_parse(times[i].text, &got) == (times[i].printed != NULL), "'%s' is %s", times[i].text,
		   times[i].printed ? "a time" : "none");
		is_int(got, times[i].printed ? times[i].seconds : 42, "its seconds");
		if (times[i].printed)
			is_str(clock_print(text, got), times[i].printed, "and back");
	}
}

static void test_ago(void)
{
	static const struct {
		int64_t seconds;
		const char *words;
	} agos[] = {
		{ -1000, "a moment" },
		{ 0, "a moment" },
		{ 110, "a moment" },
		{ 130, "2 minutes" },
		{ 7190, "119 minutes" },
		{ 7210, "2 hours" },
		{ 86400, "24 hours" },
		{ 2 * 86400 + 10, "2 days" },
		{ 400 * 86400LL + 10, "400 days" },
	};
	char text[CLOCK_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(agos); i++)
		is_str(clock_ago(text, clock_now() - agos[i].seconds), agos[i].words, agos[i].words);
	ok(clock_now() > 1700000000, "the clock runs");
}

int main(void)
{
	test_times();
	setenv("TZ", "America/St_Johns", 1);
	tzset();
	test_times();
	test_ago();
	ok(clock_boot_ms() >= 0, "the machine was started in the past");
	return done();
}
