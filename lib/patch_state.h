/* The life of a livepatch: one table of what leads where, who may do it, and to whose work. Pure. */
#ifndef TUXTAPE_PATCH_STATE_H
#define TUXTAPE_PATCH_STATE_H

#include "lib/base.h"
#include "lib/pb.h"
#include "lib/role.h"

#define PATCH_NONE 0   /* there is no such patch yet */
#define PATCH_STATES 5 /* with PATCH_NONE; the others are PatchState's */

enum patch_action { PATCH_SUBMIT, PATCH_APPROVE, PATCH_REJECT, PATCH_WITHDRAW, PATCH_ACTIONS };

/* Who acts, and on what. */
struct patch_actor {
	const char *name;
	enum role role;
	const char *author;     /* of the newest revision; NULL: there is none */
	bool told_apart;        /* author and actor are known by name, so that two names are two people */
	bool allow_self_review; /* the server was told that approvals of people who are not told apart count */
};

/* Whether the action is allowed from that state, and where it leads; *self: nobody vouches that author and approver are two.
 * ERR_DENIED, or ERR_STATE where the state does not have that action; *to is untouched then. */
int patch_step(int from, enum patch_action action, const struct patch_actor *who, int *to, bool *self);

/* "submitted", "approved", "rejected", "withdrawn"; "none" for PATCH_NONE and what is no state. */
const char *patch_state_word(int state);

/* PATCH_NONE where the word names no state. */
int patch_state_parse(const char *word);

/* "submit", "approve", "reject", "withdraw". */
const char *patch_action_word(enum patch_action action);

#endif
