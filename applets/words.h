/* Words for people that several applets share. */
#ifndef TUXTAPE_WORDS_H
#define TUXTAPE_WORDS_H

#include "lib/pb.h"

/* "queued", "leased", "building", "done", "failed", "cancelled". */
const char *job_state_word(JobState state);

/* "affected", "not compiled", "unknown", "not affected". */
const char *verdict_word(VerdictKind verdict);

/* A patch to stdout: raw to a file or a pipe, made printable on a terminal. */
void words_print_patch(ProtobufCBinaryData patch);

#endif
