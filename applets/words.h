/* Words for people that several applets share. */
#ifndef TUXTAPE_WORDS_H
#define TUXTAPE_WORDS_H

#include "lib/arena.h"
#include "lib/pb.h"

/* "queued", "leased", "building", "done", "failed", "cancelled". */
const char *job_state_word(JobState state);

/* "affected", "not compiled", "unknown", "not affected". */
const char *verdict_word(VerdictKind verdict);

/* "config web (6.1.3)" or "version 6.1.3"; in the arena. */
const char *target_word(struct arena *a, const char *config, const KernelVersion *version);

/* "block", "warn", "review", or "accepted" where a reason was given for it. */
const char *finding_word(const LintFinding *f);

/* A patch to stdout: raw to a file or a pipe, made printable on a terminal. */
void words_print_patch(ProtobufCBinaryData patch);

#endif
