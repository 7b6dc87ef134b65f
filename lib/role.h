/* Roles: who may call what. */
#ifndef TUXTAPE_ROLE_H
#define TUXTAPE_ROLE_H

#include "lib/base.h"

/* From ROLE_VIEWER on a ladder: each may what the one before may. The builder stands beside it. */
enum role { ROLE_NONE, ROLE_BUILDER, ROLE_VIEWER, ROLE_AUTHOR, ROLE_REVIEWER, ROLE_ADMIN, ROLES };

/* "builder", "viewer", "author", "reviewer", "admin"; "none" for what is no role. */
const char *role_name(enum role role);

/* ROLE_NONE where the word names no role. */
enum role role_parse(const char *word);

#endif
