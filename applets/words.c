/* Owns words for people that several applets share. */
#include "applets/words.h"

#include "lib/kver.h"
#include "lib/lint.h"
#include "lib/str.h"

#include <stdio.h>
#include <unistd.h>

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

const char *target_word(struct arena *a, const char *config, const KernelVersion *version)
{
	char text[KVER_TEXT_MAX];

	kver_text(text, version);
	return config ? arena_printf(a, "config %s (%s)", config, text) : arena_printf(a, "version %s", text);
}

const char *finding_word(const LintFinding *f)
{
	return f->has_suppressed ? "accepted" : lint_level_name(f->level);
}

/* Raw to a file or a pipe, made printable on a terminal, where escape sequences would act. */
void words_print_patch(ProtobufCBinaryData patch)
{
	struct buf shown = { 0 };

	if (!isatty(STDOUT_FILENO)) {
		fwrite(patch.data, 1, patch.len, stdout);
		return;
	}
	str_printable_lines(&shown, (const char *)patch.data, patch.len);
	fwrite(buf_str(&shown), 1, shown.len, stdout);
	buf_free(&shown);
}
