/* What repo_fetch.c (which refs, in which steps), repo_origin.c (the connection), repo_clone.c (the repository that is written) and
 * repo_have.c (what the origin is told to be here) share. Private to them. */
#ifndef TUXTAPE_REPO_FETCH_H
#define TUXTAPE_REPO_FETCH_H

#include "lib/repo_git.h"

#include <signal.h>

/* The repository that a fetch writes. */
struct clone {
	const char *path;
	git_repository *git; /* NULL: there is none yet */
	git_odb *odb;
	bool own; /* a bare mirror that clone_make made; else refs/tuxtape/ and objects alone are written */
	int lock; /* held as long as an own one is written; -1: none */
};

/* Opens what is at path, locks it when it is our own, and sweeps away what a killed run left. Nothing there, an empty directory or
 * a mirror that was never finished is no error: git stays NULL. ERR_GIT; ERR_DENIED where it cannot be written; ERR_SYS. */
int clone_open(struct clone *c, const char *path);

/* Makes an empty bare mirror of url at the path and locks it. ERR_SYS, ERR_GIT. */
int clone_make(struct clone *c, const char *url);

/* ERR_SYS when a first clone that wants need_bytes finds less free, what is there of it already counted in. */
int clone_has_room(const struct clone *c, uint64_t need_bytes);

/* True when so little is free that writing on may meet a full disk, which libgit2 answers with SIGBUS: it writes through a map. */
bool clone_is_cramped(const char *path);

/* Writes remote.origin.url of an own mirror, for people who use git in it. ERR_GIT. */
int clone_note_url(struct clone *c, const char *url);

void clone_close(struct clone *c);

/* The most commits that one question to the origin names: libgit2 takes the first answer to 20 of them as all that is common. */
#define HAVES_MOST 20

/* A second handle on the repository, whose refs are the few commits that the origin is told about. */
struct haves {
	git_repository *git;
	size_t n;
	git_oid ids[HAVES_MOST];
};

/* ERR_GIT. Release with haves_close. */
int haves_open(struct haves *h, const char *path);
void haves_close(struct haves *h);

/* Where it comes from. */
struct origin {
	const struct repo_sync *how;
	struct arena *arena;
	const char *shown; /* the URL without a password */
	bool local;        /* a path: libgit2 looks at all refs here by itself, and sends everything in one go */
	git_remote *remote;
	bool cramped;
	const char *step; /* what is being downloaded; NULL: nothing */
	uint64_t told_ms;
	struct sigaction alarm_before;
};

/* Takes over SIGALRM until origin_close. ERR_INPUT for a ca_file that is none. */
int origin_open(struct origin *o, const struct repo_sync *how, struct arena *a);
void origin_close(struct origin *o);

/* Connects, for a repository (NULL: there is none yet), unless it is connected. ERR_NET. */
int origin_dial(struct origin *o, git_repository *git);

/* Fetches the objects of the refs named, and hangs up. ERR_NET, ERR_SYS. */
int origin_get(struct origin *o, const git_strarray *names, const char *step);

void origin_hang_up(struct origin *o);

/* Fails with one line for what libgit2 has said last. */
int origin_refused(const struct origin *o, int code);

#endif
