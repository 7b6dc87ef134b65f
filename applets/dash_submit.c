/* Owns the handing in of a patch: the questions before it, and what the server says to it. Refuses to send what a server would not take. */
#include "applets/dash_submit.h"

#include "applets/dash_check.h"
#include "applets/words.h"
#include "lib/err.h"
#include "lib/kver.h"

#include <stdlib.h>

enum { ASK_TARGET, ASK_VERSION, ASK_NOTE }; /* behind the tag */

#define PATCH_MOST (7u << 20) /* bytes: a request with it goes over the wire */

static const char ask_version_title[] = "Kernel version, such as 6.1.170",
		  ask_note_title[] = "Tell the reviewers what this is";

void dash_submit_free(struct dash_submit *s)
{
	dash_keep(&s->title, NULL);
	dash_keep(&s->path, NULL);
	arena_free(s->arena);
	s->arena = NULL;
}

/* ---- For which kernel */

static bool is_target(const struct dash_submit *s, const char *config, const KernelVersion *version)
{
	for (size_t i = 0; i < s->n_targets; i++)
		if (config ? s->targets[i]->config && strcmp(s->targets[i]->config, config) == 0
			   : !s->targets[i]->config && kver_cmp(s->targets[i]->version, version) == 0)
			return true;
	return false;
}

static void add_target(struct dash_submit *s, const char *config, const KernelVersion *version)
{
	Verdict *v;

	if (!version || is_target(s, config, version))
		return;
	v = pb_new(s->arena, &verdict__descriptor);
	v->config = config ? arena_strdup(s->arena, config) : NULL;
	v->version = pb_copy(s->arena, &version->base);
	*(Verdict **)arena_grow(s->arena, (void **)&s->targets, &s->n_targets, sizeof(*s->targets)) = v;
}

/* Configs before bare versions: a patch for a config is linted by its options. */
static void gather_targets(struct dash_submit *s, const Cve *cve, const Verdict *first)
{
	if (first)
		add_target(s, first->config, first->version);
	for (size_t i = 0; i < cve->n_verdicts; i++)
		if (cve->verdicts[i]->verdict != VERDICT_KIND__NOT_AFFECTED)
			add_target(s, cve->verdicts[i]->config, cve->verdicts[i]->version);
	if (first)
		add_target(s, NULL, first->version);
}

void dash_submit_begin(struct dash *d, struct dash_submit *s, unsigned tag, const Cve *cve, const Verdict *first,
		       const char *title, const char *path)
{
	const char **items;

	dash_submit_free(s);
	s->arena = arena_new(0);
	s->targets = NULL;
	s->n_targets = 0;
	dash_keep(&s->title, title);
	dash_keep(&s->path, path);
	gather_targets(s, cve, first);
	items = xcalloc(s->n_targets + 1, sizeof(*items));
	for (size_t i = 0; i < s->n_targets; i++)
		items[i] = target_word(s->arena, s->targets[i]->config, s->targets[i]->version);
	items[s->n_targets] = "another version...";
	dash_choose(d, tag + ASK_TARGET, "A livepatch for which kernel?", items, s->n_targets + 1, 0);
	free(items);
}

static void target_said(struct dash *d, struct dash_submit *s, unsigned tag, size_t choice)
{
	if (choice >= s->n_targets) {
		dash_prompt(d, tag + ASK_VERSION, ask_version_title, "");
		return;
	}
	s->config = s->targets[choice]->config;
	s->version = *s->targets[choice]->version;
	dash_prompt(d, tag + ASK_NOTE, ask_note_title, "");
}

static void version_said(struct dash *d, struct dash_submit *s, unsigned tag, const char *text)
{
	const char *suffix = "";

	s->config = NULL;
	if (!kver_parse_user(&s->version, text, &suffix) && !*suffix) {
		dash_prompt(d, tag + ASK_NOTE, ask_note_title, "");
		return;
	}
	dash_prompt(d, tag + ASK_VERSION, ask_version_title, text);
	if (*suffix)
		dash_alert(d, ST_ERROR, "'%s': a livepatch is for the exact tree of a release", text);
	else
		dash_alert(d, ST_ERROR, "%s", err_text());
}

/* ---- Sending */

static void send(struct dash *d, struct dash_submit *s, const char *note)
{
	SubmitPatchRequest q = SUBMIT_PATCH_REQUEST__INIT;
	KernelVersion *version = &s->version;
	struct buf body = { 0 };

	if (buf_read_file(&body, s->path, PATCH_MOST)) {
		dash_alert(d, ST_ERROR, "%s", err_text());
		buf_free(&body);
		return;
	}
	q.title = s->title;
	q.n_configs = s->config ? 1 : 0;
	q.configs = &s->config;
	q.n_versions = s->config ? 0 : 1;
	q.versions = &version;
	q.has_body = q.has_note = true;
	q.body = (ProtobufCBinaryData){ .data = (uint8_t *)body.data, .len = body.len };
	q.note = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)note, .len = strlen(note) };
	s->request = dash_call(d, RPC_SUBMIT_PATCH, &q.base);
	buf_free(&body);
}

void dash_submit_said(struct dash *d, struct dash_submit *s, unsigned tag, const struct dash_said *said)
{
	if (said->tag == tag + ASK_TARGET) {
		target_said(d, s, tag, said->choice);
	} else if (said->tag == tag + ASK_VERSION) {
		version_said(d, s, tag, said->text);
	} else if (!*said->text) {
		dash_prompt(d, tag + ASK_NOTE, ask_note_title, "");
		dash_alert(d, ST_ERROR, "the reviewers want a line; Esc leaves it");
	} else {
		send(d, s, said->text);
	}
}

void dash_submit_answered(struct dash *d, struct dash_submit *s, const struct dash_answer *a)
{
	const SubmitPatchReply *reply = a->message;
	const PatchRecord *r;
	bool bad;

	s->request = 0;
	if (a->state == DASH_FAILED || !reply || reply->n_patches != 1 || reply->n_checks != 1) {
		dash_alert(d, ST_ERROR, "%s", a->text ? a->text : "the answer cannot be read");
		return;
	}
	r = reply->patches[0];
	bad = dash_check_is_bad(reply->checks[0]);
	if (bad)
		dash_check_show(reply->checks[0], d, "Submitted, but it cannot be approved as it is");
	dash_alert(d, bad || !r->has_apply ? ST_WARNING : ST_GOOD, "submitted: patch %llu, revision %u, %s; tab 4 shows it",
		   (unsigned long long)r->patch, r->revision, dash_apply_word(r->has_apply, r->apply));
	dash_tell(d, NEWS_PATCHES);
}
