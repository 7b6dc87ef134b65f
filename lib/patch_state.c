/* Owns the table of a livepatch's states. Refuses whatever the table does not have, and that one person is author and reviewer. */
#include "lib/patch_state.h"

#include "lib/err.h"

/* Whose work somebody may act on. */
enum whose { WHOSE_ANY, WHOSE_OWN, WHOSE_OTHERS };

static const struct step {
	int from;
	enum patch_action action;
	int to;
	enum role least;
	enum whose whose; /* an admin may also act on others' where it says WHOSE_OWN, but never approves its own */
} steps[] = {
	{ PATCH_NONE, PATCH_SUBMIT, PATCH_STATE__SUBMITTED, ROLE_AUTHOR, WHOSE_ANY },
	{ PATCH_STATE__SUBMITTED, PATCH_SUBMIT, PATCH_STATE__SUBMITTED, ROLE_AUTHOR, WHOSE_ANY },
	{ PATCH_STATE__APPROVED, PATCH_SUBMIT, PATCH_STATE__SUBMITTED, ROLE_AUTHOR, WHOSE_ANY },
	{ PATCH_STATE__REJECTED, PATCH_SUBMIT, PATCH_STATE__SUBMITTED, ROLE_AUTHOR, WHOSE_ANY },
	{ PATCH_STATE__WITHDRAWN, PATCH_SUBMIT, PATCH_STATE__SUBMITTED, ROLE_AUTHOR, WHOSE_ANY },
	{ PATCH_STATE__SUBMITTED, PATCH_APPROVE, PATCH_STATE__APPROVED, ROLE_REVIEWER, WHOSE_OTHERS },
	{ PATCH_STATE__SUBMITTED, PATCH_REJECT, PATCH_STATE__REJECTED, ROLE_REVIEWER, WHOSE_ANY },
	/* What was approved too early is taken back by any reviewer. */
	{ PATCH_STATE__APPROVED, PATCH_REJECT, PATCH_STATE__REJECTED, ROLE_REVIEWER, WHOSE_ANY },
	{ PATCH_STATE__SUBMITTED, PATCH_WITHDRAW, PATCH_STATE__WITHDRAWN, ROLE_AUTHOR, WHOSE_OWN },
	{ PATCH_STATE__APPROVED, PATCH_WITHDRAW, PATCH_STATE__WITHDRAWN, ROLE_AUTHOR, WHOSE_OWN },
	{ PATCH_STATE__REJECTED, PATCH_WITHDRAW, PATCH_STATE__WITHDRAWN, ROLE_AUTHOR, WHOSE_OWN },
};

static const char *const state_words[PATCH_STATES] = {
	[PATCH_NONE] = "none",
	[PATCH_STATE__SUBMITTED] = "submitted",
	[PATCH_STATE__APPROVED] = "approved",
	[PATCH_STATE__REJECTED] = "rejected",
	[PATCH_STATE__WITHDRAWN] = "withdrawn",
};

const char *patch_state_word(int state)
{
	return state_words[state > 0 && state < PATCH_STATES ? state : PATCH_NONE];
}

int patch_state_parse(const char *word)
{
	for (int i = 1; i < PATCH_STATES; i++)
		if (strcmp(word, state_words[i]) == 0)
			return i;
	return PATCH_NONE;
}

const char *patch_action_word(enum patch_action action)
{
	static const char *const words[PATCH_ACTIONS] = {
		[PATCH_SUBMIT] = "submit",
		[PATCH_APPROVE] = "approve",
		[PATCH_REJECT] = "reject",
		[PATCH_WITHDRAW] = "withdraw",
	};

	return action < PATCH_ACTIONS ? words[action] : "?";
}

static const struct step *find_step(int from, enum patch_action action)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i].from == from && steps[i].action == action)
			return &steps[i];
	return NULL;
}

/* Two names that are told apart are two people; else it takes the server's leave. */
static int check_others(const struct patch_actor *who, bool *self)
{
	bool same = who->author && strcmp(who->author, who->name) == 0;

	if (who->told_apart)
		return same ? fail(ERR_DENIED, "%s wrote the newest revision: another person must approve it", who->name)
			    : 0;
	if (!who->allow_self_review)
		return fail(ERR_DENIED,
			    "nobody is told apart on plain loopback, where it was submitted or is reviewed, so nobody can "
			    "approve: use certificates or a Unix socket for both, or start the server with "
			    "--allow-self-review");
	*self = true;
	return 0;
}

int patch_step(int from, enum patch_action action, const struct patch_actor *who, int *to, bool *self)
{
	const struct step *s = find_step(from, action);
	bool own = who->author && strcmp(who->author, who->name) == 0;
	int err;

	*self = false;
	if (!s)
		return fail(ERR_STATE, "it is %s, so there is nothing to %s", patch_state_word(from),
			    patch_action_word(action));
	if (who->role < s->least)
		return fail(ERR_DENIED, "%s is %s: to %s takes the role %s", who->name, role_name(who->role),
			    patch_action_word(action), role_name(s->least));
	if (s->whose == WHOSE_OWN && !own && who->role < ROLE_ADMIN)
		return fail(ERR_DENIED, "%s wrote the newest revision: to %s it is theirs, or an admin's", who->author,
			    patch_action_word(action));
	if (s->whose == WHOSE_OTHERS && (err = check_others(who, self)))
		return err;
	*to = s->to;
	return 0;
}
