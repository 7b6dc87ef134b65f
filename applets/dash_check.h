/* What came of checking a patch, as texts of the dashboard. */
#ifndef TUXTAPE_DASH_CHECK_H
#define TUXTAPE_DASH_CHECK_H

#include "applets/dash_engine.h"
#include "lib/pb.h"

/* "clean", "conflict", ...; "not checked" where there was no tree. */
const char *dash_apply_word(bool checked, ApplyState state);
unsigned dash_apply_style(bool checked, ApplyState state);

/* It cannot be approved, whatever a reviewer accepts. */
bool dash_check_is_bad(const PatchCheck *c);

/* Does it apply, and what did the linter find. */
void dash_check_text(const PatchCheck *c, struct dash_text *out);
/* The rules that did not run, and why. */
void dash_check_skipped(const PatchCheck *c, struct dash_text *out);
/* Both, in a popup. */
void dash_check_show(const PatchCheck *c, struct dash *d, const char *title);

/* The patch, with what was found below the lines that it is about. */
void dash_check_diff(const PatchCheck *c, ProtobufCBinaryData body, struct dash_text *out);

#endif
