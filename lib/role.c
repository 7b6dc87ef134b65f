/* Owns the names of the roles. */
#include "lib/role.h"

static const char *const names[ROLES] = {
	[ROLE_NONE] = "none",     [ROLE_BUILDER] = "builder",   [ROLE_VIEWER] = "viewer",
	[ROLE_AUTHOR] = "author", [ROLE_REVIEWER] = "reviewer", [ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
	return role < ROLES ? names[role] : names[ROLE_NONE];
}

enum role role_parse(const char *word)
{
	for (enum role r = ROLE_BUILDER; r < ROLES; r++)
		if (strcmp(names[r], word) == 0)
			return r;
	return ROLE_NONE;
}
