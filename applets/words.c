/* Owns words for people that several applets share. */
#include "applets/words.h"

const char *job_state_word(JobState state)
{
	static const char *const words[] = {
		[JOB_STATE__QUEUED] = "queued", [JOB_STATE__LEASED] = "leased", [JOB_STATE__BUILDING] = "building",
		[JOB_STATE__DONE] = "done",     [JOB_STATE__FAILED] = "failed", [JOB_STATE__CANCELLED] = "cancelled",
	};

	return state > 0 && state < ARRAY_LEN(words) ? words[state] : "?";
}

const char *verdict_word(VerdictKind verdict)
{
	static const char *const words[] = {
		[VERDICT_KIND__AFFECTED] = "affected",
		[VERDICT_KIND__NOT_COMPILED] = "not compiled",
		[VERDICT_KIND__UNKNOWN] = "unknown",
		[VERDICT_KIND__NOT_AFFECTED] = "not affected",
	};

	return verdict > 0 && verdict < ARRAY_LEN(words) ? words[verdict] : "?";
}
