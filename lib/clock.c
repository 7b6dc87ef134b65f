/* Owns the reading and writing of points in time. */
#include "lib/clock.h"

#include <stdio.h>
#include <time.h>

/* What follows text of a shape in which 0 stands for any digit; NULL where it has another. */
static const char *behind(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == '0' ? *text < '0' || *text > '9' : *text != *shape)
			return NULL;
	return text;
}

/* "T16:45:24[.592][Z]" and nothing behind it. */
static bool is_time_of_day(const char *text)
{
	const char *rest = behind(text, "T00:00:00");

	if (rest && *rest == '.' && (rest = behind(rest, ".0")))
		rest += strspn(rest, "0123456789");
	return rest && strcmp(*rest == 'Z' ? rest + 1 : rest, "") == 0;
}

bool clock_parse(const char *text, int64_t *seconds)
{
	const char *rest = behind(text, "0000-00-00");
	struct tm tm = { 0 }, day;

	if (!rest || (*rest && !is_time_of_day(rest)))
		return false;
	/* strptime alone would take blanks and single digits; its part is the range of each number. */
	if (!strptime(text, *rest ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d", &tm))
		return false;
	/* The 30th of February would become another day. */
	day = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday };
	timegm(&day);
	if (day.tm_mday != tm.tm_mday)
		return false;
	*seconds = timegm(&tm);
	return true;
}

char *clock_print(char text[CLOCK_TEXT], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	return text;
}

int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

int64_t clock_boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *clock_ago(char text[CLOCK_TEXT], int64_t seconds)
{
	static const struct {
		int64_t least, unit;
		const char *name;
	} steps[] = {
		{ 2 * 86400, 86400, "days" },
		{ 2 * 3600, 3600, "hours" },
		{ 120, 60, "minutes" },
	};
	int64_t ago = clock_now() - seconds;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (ago >= steps[i].least) {
			snprintf(text, CLOCK_TEXT, "%lld %s", (long long)(ago / steps[i].unit), steps[i].name);
			return text;
		}
	return "a moment";
}
