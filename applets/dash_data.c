/* Owns the road of a request from a page to the process that serves it, and of its answer back; and the status line. Refuses to wait. */
#include "applets/dash_data.h"

#include "lib/clock.h"
#include "lib/err.h"

#include <stdlib.h>

void dash_keep(char **at, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*at);
	*at = copy;
}

void dash_data_init(struct dash_data *data)
{
	data->arena = arena_new(0);
}

void dash_data_free(struct dash_data *data)
{
	char **texts[] = { &data->you, &data->role, &data->why, &data->vulns_time, &data->made_from, &data->look_at };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		dash_keep(texts[i], NULL);
	free(data->asked);
	arena_free(data->arena);
	dash_link_stop(data->link);
}

int64_t dash_now(const struct dash_data *data)
{
	return data->wall ? data->wall : clock_now();
}

const char *dash_age(const struct dash_data *data, char text[DASH_AGE], const char *iso)
{
	int64_t when;

	if (!iso || !clock_parse(iso, &when))
		return "?";
	/* clock_ago counts from the clock, which a script may have set otherwise. */
	return clock_ago(text, when + clock_now() - dash_now(data));
}

bool dash_is_lost(const struct dash_answer *answer)
{
	return answer->state == DASH_FAILED && answer->status == ERR_NET;
}

/* ---- Asking */

uint32_t dash_call(struct dash *d, unsigned method, const ProtobufCMessage *request)
{
	struct buf packed = { 0 };
	uint32_t id;

	pb_pack(&packed, request);
	id = dash_ask_bytes(d, method, 0, buf_str(&packed), packed.len);
	buf_free(&packed);
	return id;
}

uint32_t dash_local(struct dash *d, unsigned job, const void *data, size_t n)
{
	return dash_ask_bytes(d, job, 0, data, n);
}

static void refuse(struct dash_data *data, struct dash *d, uint32_t id)
{
	struct dash_answer answer = { .state = DASH_FAILED, .status = ERR_SYS, .text = data->why };

	dash_answer(d, id, &answer);
}

static void forget(struct dash_data *data, uint32_t id)
{
	for (size_t i = 0; i < data->n_asked; i++)
		if (data->asked[i].id == id) {
			data->asked[i] = data->asked[--data->n_asked];
			return;
		}
}

/* Of those that watch builds, the one that watches the fewest: none, as long as there are not more logs than it. */
static enum link_channel watch_channel(const struct dash_data *data)
{
	size_t busy[LINK_CHANNELS] = { 0 };
	unsigned best = LINK_WATCH;

	for (size_t i = 0; i < data->n_asked; i++)
		busy[data->asked[i].channel] += !data->asked[i].cancelled;
	for (unsigned i = LINK_WATCH; i < LINK_CHANNELS; i++)
		if (busy[i] < busy[best])
			best = i;
	return best;
}

static enum link_channel channel_of(const struct dash_data *data, unsigned kind)
{
	return kind >= LOCAL_TAGS ? LINK_LOCAL : kind == RPC_WATCH_JOB ? watch_channel(data) : LINK_CALLS;
}

static void take(void *self, struct dash *d, const struct dash_request *r)
{
	struct dash_data *data = self;
	struct frame f = { .id = r->id, .method = (uint16_t)r->kind, .status = FRAME_REQUEST };

	if (data->broken && r->kind != DASH_CANCEL) {
		refuse(data, d, r->id);
		return;
	}
	if (r->kind != DASH_CANCEL) {
		enum link_channel channel = channel_of(data, r->kind);

		data->asked = xrealloc(data->asked, (data->n_asked + 1) * sizeof(*data->asked));
		data->asked[data->n_asked++] = (struct dash_asked){ .id = r->id, .channel = channel };
		dash_link_send(data->link, channel, f, r->text, r->size);
		return;
	}
	for (size_t i = 0; i < data->n_asked; i++)
		if (data->asked[i].id == r->number) {
			f.id = (uint32_t)r->number;
			f.status = FRAME_CANCEL;
			data->asked[i].cancelled = true;
			dash_link_send(data->link, data->asked[i].channel, f, NULL, 0);
		}
}

/* ---- The status line */

static void show_status(const struct dash_data *data, struct dash *d)
{
	char age[DASH_AGE];

	if (data->broken)
		dash_set_status(d, ST_ERROR, "%s", data->why);
	else if (!data->connected && data->why)
		dash_set_status(d, ST_WARNING, "%s: %s",
				data->greeted ? "the server is gone, trying again"
					      : "not connected, trying again (-s names another server)",
				data->why);
	else if (!data->connected)
		dash_set_status(d, ST_DIM, "%s: connecting...", data->server);
	else
		dash_set_status(d, ST_STATUS, "%s as %s (%s)%s%s%s", data->server, data->you ? data->you : "?",
				data->role ? data->role : "?", data->vulns_time ? ", data " : ", no data yet",
				data->vulns_time ? dash_age(data, age, data->vulns_time) : "",
				data->vulns_time ? " old" : "");
}

static void note_version(struct dash_data *data, struct dash *d, const VersionInfo *v)
{
	bool again = data->greeted && !data->connected;

	dash_keep(&data->you, v->you);
	dash_keep(&data->role, v->role);
	data->connected = data->greeted = true;
	if (again || data->why) {
		dash_keep(&data->why, NULL);
		if (again)
			dash_alert(d, ST_GOOD, "the server is back");
		dash_tell(d, NEWS_CONNECTED);
	}
}

static void note_health(struct dash_data *data, struct dash *d, const HealthInfo *h)
{
	const char *made_from = h->vulns_commit ? h->vulns_commit : "";
	bool first = !data->made_from, other = !first && (strcmp(data->made_from, made_from) != 0 || data->cves != h->cves);

	dash_keep(&data->made_from, made_from);
	dash_keep(&data->vulns_time, h->vulns_time);
	data->cves = h->cves;
	dash_tell(d, NEWS_TICK);
	if (other)
		dash_tell(d, NEWS_DATA);
}

static void note_loss(struct dash_data *data, struct dash *d, const char *why)
{
	bool now = data->connected || !data->why;

	data->connected = false;
	dash_keep(&data->why, why);
	if (now)
		dash_tell(d, NEWS_LOST);
}

/* ---- Answers */

static void own_frame(struct dash_data *data, struct dash *d, const struct frame *f, const char *message)
{
	const ProtobufCMessageDescriptor *type = rpc_answer_type(f->method, true);
	void *m = f->status == FRAME_OK && type ? pb_unpack(data->arena, type, message, f->length) : NULL;

	if (f->status >= FRAME_ERROR)
		note_loss(data, d, arena_memdup(data->arena, message, f->length));
	else if (m && f->method == RPC_VERSION)
		note_version(data, d, m);
	else if (m && f->method == RPC_HEALTH)
		note_health(data, d, m);
	show_status(data, d);
}

/* A server of ours names what it sends. Pages rely on that, and need not be told what another one leaves out. */
static void name_nameless(unsigned method, void *message)
{
	const ConfigList *configs = method == RPC_FETCH_KERNEL_CONFIGS_METADATA ? message : NULL;
	const JobList *jobs = method == RPC_FETCH_JOBS ? message : NULL;
	KernelConfig *config = method == RPC_FETCH_KERNEL_CONFIG ? message : NULL;

	for (size_t i = 0; configs && i < configs->n_configs; i++)
		if (!configs->configs[i]->name)
			configs->configs[i]->name = "?";
	for (size_t i = 0; jobs && i < jobs->n_jobs; i++)
		if (!jobs->jobs[i]->config)
			jobs->jobs[i]->config = "?";
	if (config && !config->name)
		config->name = "?";
}

static void hand_on(struct dash_data *data, struct dash *d, const struct frame *f, const char *message)
{
	struct dash_answer answer = { .state = f->status == FRAME_MORE ? DASH_MORE : DASH_DONE };
	struct dash_bytes bytes = { message, f->length };
	void *answered;

	if (f->status >= FRAME_ERROR) {
		answer.state = DASH_FAILED;
		answer.status = f->status - FRAME_ERROR;
		answer.text = arena_memdup(data->arena, message, f->length);
	} else if (f->method >= LOCAL_TAGS) {
		answer.message = &bytes;
	} else {
		answered = pb_unpack(data->arena, rpc_answer_type(f->method, f->status == FRAME_OK), message, f->length);
		name_nameless(f->method, answered);
		answer.message = answered;
	}
	if (answer.state != DASH_MORE)
		forget(data, f->id);
	dash_answer(d, f->id, &answer);
}

static void broke(struct dash_data *data, struct dash *d)
{
	data->broken = true;
	data->connected = false;
	dash_keep(&data->why, err_text());
	while (data->n_asked) {
		uint32_t id = data->asked[--data->n_asked].id;

		refuse(data, d, id);
	}
	show_status(data, d);
}

static void ready(void *self, struct dash *d)
{
	struct dash_data *data = self;
	enum link_channel channel;
	const char *message;
	struct frame f;

	if (dash_link_move(data->link, &channel) && !data->broken) {
		broke(data, d);
		return;
	}
	while (dash_link_next(data->link, &f, &message)) {
		arena_reset(data->arena);
		if (f.id == 0)
			own_frame(data, d, &f, message);
		else
			hand_on(data, d, &f, message);
	}
}

static int fd(void *self)
{
	return dash_link_fd(((const struct dash_data *)self)->link);
}

static void date(void *self, int64_t seconds)
{
	((struct dash_data *)self)->wall = seconds;
}

const struct dash_server dash_data_server = { .take = take, .fd = fd, .ready = ready, .date = date };
