/* Owns what people are shown of repositories besides patches of commits: the names of tags. */
#include "lib/repo_git.h"

#include "lib/err.h"
#include "lib/str.h"

struct tag_walk {
	int (*visit)(void *ctx, const char *tag);
	void *ctx;
	int err;
};

static int visit_ref(const char *name, void *payload)
{
	static const char *const places[] = { "refs/tags/", "refs/tuxtape/tags/" };
	struct tag_walk *w = payload;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (str_starts(name, places[i]))
			w->err = w->visit(w->ctx, name + strlen(places[i]));
	return w->err ? GIT_EUSER : 0;
}

int repo_tags(struct repo *r, int (*visit)(void *ctx, const char *tag), void *ctx)
{
	struct tag_walk w = { .visit = visit, .ctx = ctx };
	int code = git_reference_foreach_name(r->git, visit_ref, &w);

	if (code && code != GIT_EUSER)
		return fail(ERR_GIT, "%s: its tags cannot be listed: %s", r->path, git_said());
	return w.err;
}
