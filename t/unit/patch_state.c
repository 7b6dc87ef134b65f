/* The life of a livepatch, exhaustively: every action by every role from every state, on one's own work, on others', and where nobody is told
 * apart. What is right is written here a second time, by sets. */
#include "lib/err.h"
#include "lib/patch_state.h"
#include "tap.h"

#define S PATCH_STATE__SUBMITTED
#define A PATCH_STATE__APPROVED
#define R PATCH_STATE__REJECTED
#define W PATCH_STATE__WITHDRAWN

/* Where an action leads from a state; -1: nowhere. */
static const int leads[PATCH_ACTIONS][PATCH_STATES] = {
	[PATCH_SUBMIT] = { S, S, S, S, S },
	[PATCH_APPROVE] = { -1, A, -1, -1, -1 },
	[PATCH_REJECT] = { -1, R, R, -1, -1 },
	[PATCH_WITHDRAW] = { -1, W, W, W, -1 },
};

enum { OWN, OTHERS, UNKNOWN, UNKNOWN_ALLOWED, RELATIONS };
static const char *const relation_words[] = { "own", "another's", "nobody's", "nobody's, allowed" };

static bool may(enum patch_action action, enum role role, int relation)
{
	switch (action) {
	case PATCH_SUBMIT:
		return role >= ROLE_AUTHOR;
	case PATCH_APPROVE:
		return role >= ROLE_REVIEWER && (relation == OTHERS || relation == UNKNOWN_ALLOWED);
	case PATCH_REJECT:
		return role >= ROLE_REVIEWER;
	default:
		/* Where nobody is told apart, all have one name. */
		return role >= ROLE_AUTHOR && (relation != OTHERS || role == ROLE_ADMIN);
	}
}

static void test_one(int from, enum patch_action action, enum role role, int relation)
{
	struct patch_actor who = {
		.name = "alice",
		.role = role,
		.author = from == PATCH_NONE   ? NULL
			  : relation == OTHERS ? "bob"
					       : "alice",
		.told_apart = relation < UNKNOWN,
		.allow_self_review = relation == UNKNOWN_ALLOWED,
	};
	int to = -1, want = leads[action][from], err;
	bool self = true, good;

	err = patch_step(from, action, &who, &to, &self);
	if (want < 0)
		good = err == ERR_STATE && to == -1;
	else if (!may(action, role, relation))
		good = err == ERR_DENIED && to == -1;
	else
		good = err == 0 && to == want && self == (action == PATCH_APPROVE && relation == UNKNOWN_ALLOWED);
	ok(good, "%s by %s from %s, %s work", patch_action_word(action), role_name(role), patch_state_word(from),
	   relation_words[relation]);
	if (!good)
		printf("# err %d, to %d, self %d: %s\n", err, to, self, err_text());
}

static void test_words(void)
{
	int dummy;
	bool self;
	struct patch_actor admin = { "alice", ROLE_ADMIN, "alice", true, true };

	for (int i = 1; i < PATCH_STATES; i++)
		is_int(patch_state_parse(patch_state_word(i)), i, patch_state_word(i));
	is_int(patch_state_parse("none"), PATCH_NONE, "none is no state to ask for");
	is_int(patch_state_parse("draft"), PATCH_NONE, "nor is a draft");
	is_str(patch_state_word(77), "none", "a number that is no state");
	is_int(patch_step(S, PATCH_APPROVE, &admin, &dummy, &self), ERR_DENIED,
	       "an admin never approves its own, though self-review is allowed where nobody is told apart");
	ok(strstr(err_text(), "another person") != NULL, "and the line says who may");
}

int main(void)
{
	static const enum role roles[] = { ROLE_NONE, ROLE_BUILDER, ROLE_VIEWER, ROLE_AUTHOR, ROLE_REVIEWER, ROLE_ADMIN };

	for (int from = 0; from < PATCH_STATES; from++)
		for (int action = 0; action < PATCH_ACTIONS; action++)
			for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
				for (int relation = 0; relation < RELATIONS; relation++)
					test_one(from, (enum patch_action)action, roles[i], relation);
	test_words();
	return done();
}
