/* What a CVE means for a version: the timeline rule. */
#ifndef TUXTAPE_CVE_H
#define TUXTAPE_CVE_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/pb.h"

/* Judges one CVE for one version from its instances alone. Sets version, verdict (AFFECTED, NOT_AFFECTED or, where the CVE has
 * no valid pair, UNKNOWN), reason, introduced, fixed with all its commits, mainline_fixed with all its commits (the lowest
 * mainline fixed version above the version; given whether or not the branch has a fix), titles.
 *
 * The rule: play the events on the version's release line in version order: the line is mainline up to X.Y, then X.Y.1 ... V.
 * An event is on the line when its version is "0", or is mainline and <= X.Y, or has V's X.Y and is <= V. V is affected when
 * some introduction is on the line and no fix of the CVE on the line is at or after the latest such introduction (at the same
 * release the fix wins). The pairs of a CVE are read together: a fix fixes the whole CVE on its branch.
 *
 * The verdict's fields point into cve's instances or into the arena. Pure. */
void cve_judge(struct arena *a, const Cve *cve, const KernelVersion *v, Verdict *out);

/* The newest release on v's own line that any instance of cve names (introduced or fixed), so that a caller can tell when v
 * is newer than all that the data knows; NULL when none is on that line. */
const KernelVersion *cve_newest_on_line(const Cve *cve, const KernelVersion *v);

#endif
