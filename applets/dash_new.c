/* Owns the making of a new config, step by step: checkout, what it begins with, menuconfig, handing it in. Refuses to hand in what the server
 * would refuse, and to lose what was made: it stays in the tree, and handing it in can be tried again. */
#include "applets/dash_new.h"

#include "lib/err.h"
#include "lib/file.h"
#include "lib/kconfig.h"
#include "lib/kver.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASK_PUT = 1 };
enum stage { STAGE_CHECKOUT, STAGE_BASE, STAGE_MENU, STAGE_READY, STAGE_PUT, STAGE_FAILED };

struct new
{
	struct dash_data *data;
	struct arena *arena;
	struct new_how how;
	const char *dir, *config; /* the tree's directory, and its .config or the file that is taken as it is */
	enum stage stage;
	uint32_t request;
	struct buf body;
};

static struct dash_text *say(struct dash *d)
{
	dash_grown(d, 0);
	return dash_text_of(d, 0);
}

static void failed(struct dash *d, const char *text)
{
	dash_text_add(say(d), ST_ERROR, "%s", text);
	dash_alert(d, ST_ERROR, "%s", text);
}

/* Before menuconfig: Enter begins anew. */
static void gave_up(struct dash *d, struct new *p, const char *text)
{
	p->stage = STAGE_FAILED;
	failed(d, text);
	dash_text_add(say(d), ST_PLAIN, "Enter tries again.");
}

/* ---- Handing in */

static void ask_put(struct dash *d, struct new *p)
{
	char *text = p->how.replaces ? xasprintf("%s has revision %u on the server. Replace it by this config of %s (%zu "
						 "bytes) and have it built?",
						 p->how.name, p->how.replaces, p->how.tag + 1, p->body.len)
				     : xasprintf("Put %s of %s (%zu bytes) on the server and have it built?", p->how.name,
						 p->how.tag + 1, p->body.len);

	dash_confirm(d, ASK_PUT, "New config", text);
	free(text);
}

/* Reads what was made, and asks whether it is to be handed in. */
static void take_config(struct dash *d, struct new *p)
{
	int err;

	p->stage = STAGE_READY;
	buf_reset(&p->body);
	err = buf_read_file(&p->body, p->config, KCONFIG_MOST);
	if (err == ERR_NOTFOUND && p->how.base != NEW_AS_IS) {
		failed(d, "menuconfig was left without saving: there is no config");
		return;
	}
	if (err || kconfig_check(buf_str(&p->body), p->body.len)) {
		failed(d, err_text());
		return;
	}
	dash_text_add(say(d), ST_GOOD, "%s: %zu bytes", p->config, p->body.len);
	ask_put(d, p);
}

static void put(struct dash *d, struct new *p)
{
	PutKernelConfigRequest q = PUT_KERNEL_CONFIG_REQUEST__INIT;
	KernelConfig config = KERNEL_CONFIG__INIT;
	KernelVersion version;

	if (kver_parse(&version, p->how.tag + 1, strlen(p->how.tag + 1))) {
		failed(d, err_text());
		return;
	}
	config.name = p->how.name;
	config.version = &version;
	config.has_body = true;
	config.body = (ProtobufCBinaryData){ .data = (uint8_t *)p->body.data, .len = p->body.len };
	q.config = &config;
	p->stage = STAGE_PUT;
	dash_text_add(say(d), ST_PLAIN, "handing it in...");
	p->request = dash_call(d, RPC_PUT_KERNEL_CONFIG, &q.base);
}

static void put_answered(struct dash *d, struct new *p, const struct dash_answer *a)
{
	const PutKernelConfigReply *reply = a->message;

	p->stage = STAGE_READY;
	if (a->state != DASH_DONE || !reply) {
		failed(d, a->text);
		dash_text_add(say(d), ST_PLAIN, "The config stays in %s; Enter tries again.", p->config);
		return;
	}
	dash_alert(d, ST_GOOD, "%s is revision %u%s", p->how.name, reply->revision, reply->changed ? "" : ", as before");
	if (reply->has_job) {
		uint64_t job = reply->job;

		/* This view and the list of versions have done their work. */
		dash_pop(d);
		dash_pop(d);
		dash_open_job(d, job);
		return;
	}
	dash_text_add(say(d), ST_GOOD, "%s is revision %u as before, and built already", p->how.name, reply->revision);
}

/* ---- The steps before */

static void run_menu(struct dash *d, struct new *p)
{
	const char *argv[] = { "make", "-C", arena_printf(p->arena, "%s/tree", p->dir), "menuconfig", NULL };

	p->stage = STAGE_MENU;
	dash_text_add(say(d), ST_PLAIN, "make menuconfig");
	dash_run(d, 0, argv);
}

/* What the config begins with stands in the tree now; what stood there before was made by hand, and is kept. */
static int place_base(struct new *p, const void *body, size_t n)
{
	char aside[DASH_BACKUP];
	int err = dash_set_aside(p->config, aside);

	if (err && err != ERR_NOTFOUND)
		return err;
	return body ? file_replace(p->config, body, n, 0644) : 0;
}

static void begin_with(struct dash *d, struct new *p, const void *body, size_t n)
{
	if (place_base(p, body, n))
		gave_up(d, p, err_text());
	else
		run_menu(d, p);
}

static void fetch_base(struct dash *d, struct new *p)
{
	ConfigName q = CONFIG_NAME__INIT;
	struct buf text = { 0 };

	p->stage = STAGE_BASE;
	if (p->how.base == NEW_DEFAULTS) {
		begin_with(d, p, NULL, 0);
	} else if (p->how.base == NEW_CONFIG) {
		q.name = p->how.from;
		p->request = dash_call(d, RPC_FETCH_KERNEL_CONFIG, &q.base);
	} else if (buf_read_file(&text, dash_in_home(p->arena, p->how.from), KCONFIG_MOST)) {
		gave_up(d, p, err_text());
	} else {
		begin_with(d, p, buf_str(&text), text.len);
	}
	buf_free(&text);
}

static void check_out(struct dash *d, struct new *p)
{
	struct buf message = { 0 };

	p->stage = STAGE_CHECKOUT;
	dash_text_add(say(d), ST_PLAIN, "%s into %s", p->how.tag, p->dir);
	buf_add(&message, p->how.tag, strlen(p->how.tag) + 1);
	buf_add(&message, p->dir, strlen(p->dir) + 1);
	p->request = dash_local(d, LOCAL_CHECKOUT, message.data, message.len);
	buf_free(&message);
}

static void opened(struct dash *d, void *data)
{
	struct new *p = data;
	char *title = xasprintf("New config %s of %s", p->how.name, p->how.tag + 1);

	dash_set_title(d, 0, title);
	free(title);
	if (p->how.base == NEW_AS_IS)
		take_config(d, p);
	else
		check_out(d, p);
}

/* ---- Answers */

static void checkout_answered(struct dash *d, struct new *p, const struct dash_answer *a)
{
	const struct dash_bytes *b = a->message;

	if (a->state == DASH_MORE) {
		dash_text_add(say(d), ST_DIM, "  %.*s", (int)b->n, b->data);
	} else if (a->state == DASH_FAILED) {
		gave_up(d, p, a->text);
	} else {
		dash_text_add(say(d), ST_GOOD, "the tree is there");
		fetch_base(d, p);
	}
}

static void base_answered(struct dash *d, struct new *p, const struct dash_answer *a)
{
	const KernelConfig *c = a->message;

	if (a->state == DASH_DONE && c)
		begin_with(d, p, c->body.data, c->body.len);
	else
		gave_up(d, p, a->text);
}

static void menu_ended(struct dash *d, struct new *p, const struct dash_answer *a)
{
	if (a->state == DASH_FAILED)
		failed(d, a->text);
	else if (WIFSIGNALED(a->status))
		failed(d, "menuconfig was ended by a signal; Enter tries again");
	else if (WEXITSTATUS(a->status))
		failed(d, "make menuconfig failed: it wants a compiler, flex, bison and libncurses-dev; Enter tries again");
	else
		take_config(d, p);
}

static void answered(struct dash *d, void *data, const struct dash_request *r, const struct dash_answer *a)
{
	struct new *p = data;

	if (r->kind == DASH_RUN)
		menu_ended(d, p, a);
	else if (r->kind == LOCAL_CHECKOUT)
		checkout_answered(d, p, a);
	else if (r->kind == RPC_FETCH_KERNEL_CONFIG)
		base_answered(d, p, a);
	else if (r->kind == RPC_PUT_KERNEL_CONFIG)
		put_answered(d, p, a);
}

static void said_(struct dash *d, void *data, const struct dash_said *said)
{
	struct new *p = data;

	if (said->yes)
		put(d, p);
	else
		dash_text_add(say(d), ST_PLAIN, "Not handed in. The config stays in %s; Enter asks again.", p->config);
}

static void act(struct dash *d, void *data, unsigned action UNUSED)
{
	struct new *p = data;

	if (p->stage == STAGE_MENU)
		run_menu(d, p);
	else if (p->stage == STAGE_FAILED)
		check_out(d, p);
	else if (p->stage == STAGE_READY)
		take_config(d, p);
	else
		dash_alert(d, ST_DIM, "it is under way");
}

static void closed(struct dash *d, void *data)
{
	struct new *p = data;

	(void)d;
	buf_free(&p->body);
	arena_free(p->arena);
	free(p);
}

static const struct dash_pane_def panes[] = { { .title = "New config", .wrap = true, .follow = true } };
static const unsigned actions[] = { ACT_SELECT, ACT_NONE };

static const struct dash_page page = {
	.title = "New config",
	.panes = panes,
	.n_panes = 1,
	.actions = actions,
	.opened = opened,
	.act = act,
	.answered = answered,
	.said = said_,
	.closed = closed,
};

void dash_open_new(struct dash *d, struct dash_data *data, const struct new_how *how)
{
	struct new *p = xcalloc(1, sizeof(*p));

	p->data = data;
	p->arena = arena_new(0);
	p->how = *how;
	p->how.tag = arena_strdup(p->arena, how->tag);
	p->how.from = arena_strdup(p->arena, how->from ? how->from : "");
	p->how.name = arena_strdup(p->arena, how->name);
	p->dir = arena_printf(p->arena, "%s/%s", data->trees, p->how.tag);
	p->config = how->base == NEW_AS_IS ? dash_in_home(p->arena, p->how.from)
					   : arena_printf(p->arena, "%s/tree/.config", p->dir);
	dash_push(d, &page, p);
}
