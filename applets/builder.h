/* What the files of the builder applet share. */
#ifndef TUXTAPE_BUILDER_H
#define TUXTAPE_BUILDER_H

#include "applets/client.h"
#include "lib/kbuild.h"
#include "lib/proc.h"

struct builder_options {
	struct applet_common common;
	struct client_options client;
	const char *linux_repo, *linux_url, *ca_file, *work_dir, *name;
	const char *old_address, *old_url; /* of the proof of concept: a builder listens no more */
	uint64_t jobs, keep, max_age, min_files, need_bytes, build_timeout, grace, sign_of_life, retry_pause, retry_most;
	bool once;
};

/* What a build does now; each but the last is a process that runs. */
enum build_step { BUILD_CLEAR, BUILD_CHECKOUT, BUILD_CONFIGURE, BUILD_MAKE, BUILD_COLLECT, BUILD_OVER };

/* A build. It goes on whether or not the server can be reached, and is kept until the server has taken its result. */
struct build {
	const struct builder_options *opts;
	struct arena *arena;
	uint64_t job;
	uint32_t attempt;
	uint64_t began; /* ms of CLOCK_MONOTONIC */
	KernelConfig *config;
	char *dir, *tree, *ref; /* the build's directory, the tree in it, the tag */
	char commit[41];        /* of the tree, once it is there */
	enum build_step step;
	struct proc proc;               /* of the step */
	struct proc_deadline *deadline; /* of the lease: all that runs is killed then; never, once the build is over */
	bool running;
	struct buf partial; /* output without a line end yet */
	ProtobufCBinaryData *lines;
	size_t n_lines; /* of the whole log */
	uint64_t log_bytes;
	uint64_t skipped;   /* lines that are not kept: there were too many */
	const char *phase;  /* told to the server when it changes */
	const char **paths; /* of the tree */
	size_t n_paths;
	BuildProfile *profile; /* without commit and paths */
	const char *error;     /* why it failed; NULL: complete */
};

/* until: as for build_extend. */
struct build *build_new(const struct builder_options *o, const BuildKernelRequest *r, int64_t until);

/* The lease was renewed. What runs is killed at `until` (ms of CLOCK_BOOTTIME; 0: never), whatever this process is held up by. */
void build_extend(struct build *b, int64_t until);

/* Whether that time came before the build was over: nobody may go on with it, and it has no result. */
bool build_expired(const struct build *b);

/* Goes on as far as it can without waiting longer than timeout_ms for the program's output; other_fd is waited for, too (-1: none). */
void build_pump(struct build *b, int timeout_ms, int other_fd);

bool build_over(const struct build *b);

/* Ends it with a reason; the programs are killed. */
void build_abandon(struct build *b, const char *why);

/* Kills what runs and forgets it. The directory stays. NULL is fine. */
void build_free(struct build *b);

/* `tuxtape builder checkout TAG DIR`: writes the tag's tree below DIR/tree, DIR/commit and DIR/paths. */
int builder_checkout(const struct builder_options *o, struct arena *a, const char *ref, const char *dir);

#endif
