/* Owns who a caller is and what a role may do. Refuses certificates without a role, and methods above the caller's. */
#include "applets/server.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/sock.h"

#include <stdio.h>
#include <unistd.h>

/* The least role on the ladder that each method takes; `builder` marks those that builders may call, too. */
static const struct right {
	enum role least;
	bool builder;
} rights[RPC_METHODS] = {
	[RPC_VERSION] = { ROLE_VIEWER, true },
	[RPC_HEALTH] = { ROLE_VIEWER, true },
	[RPC_FETCH_CVES] = { ROLE_VIEWER },
	[RPC_FETCH_CVE] = { ROLE_VIEWER },
	[RPC_FETCH_PATCH] = { ROLE_VIEWER },
	[RPC_FETCH_KERNEL_CONFIGS_METADATA] = { ROLE_VIEWER },
	[RPC_FETCH_KERNEL_CONFIG] = { ROLE_VIEWER },
	[RPC_PUT_KERNEL_CONFIG] = { ROLE_AUTHOR },
	[RPC_DELETE_KERNEL_CONFIG] = { ROLE_ADMIN },
	[RPC_FETCH_JOBS] = { ROLE_VIEWER },
	[RPC_REGISTER_KERNEL_BUILDER] = { ROLE_ADMIN, true },
	[RPC_BUILD_KERNEL] = { ROLES },
	[RPC_WATCH_JOB] = { ROLE_VIEWER },
	[RPC_CANCEL_JOB] = { ROLE_AUTHOR },
	[RPC_RETRY_JOB] = { ROLE_AUTHOR },
	[RPC_FETCH_BUILDERS] = { ROLE_VIEWER },
	[RPC_REBUILD_CONFIGS] = { ROLE_AUTHOR },
	[RPC_SUBMIT_PATCH] = { ROLE_AUTHOR },
	[RPC_REVIEW_PATCH] = { ROLE_REVIEWER },
	[RPC_WITHDRAW_PATCH] = { ROLE_AUTHOR },
	[RPC_FETCH_PATCHES] = { ROLE_VIEWER },
	[RPC_FETCH_PATCH_RECORD] = { ROLE_VIEWER },
	[RPC_FETCH_AUDIT] = { ROLE_VIEWER },
};

enum role server_least_role(unsigned method)
{
	return method < RPC_METHODS ? rights[method].least : ROLES;
}

int server_allow(void *client, unsigned method)
{
	const struct client *c = client;
	const struct right *r = &rights[method];

	if (c->refusal)
		return fail(ERR_DENIED, "%s", c->refusal);
	if (c->role >= ROLE_VIEWER ? c->role >= r->least : c->role == ROLE_BUILDER && r->builder)
		return 0;
	return fail(ERR_DENIED, "%s is %s: %s takes the role %s", c->name, role_name(c->role), rpc_method_name(method),
		    r->least == ROLES ? "of the server itself" : role_name(r->least));
}

/* The role that [roles] gives a user of this machine; NULL where it does not name the user. */
static const char *role_given(const struct server_options *o, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < o->roles.n; i++)
		if (strncmp(o->roles.items[i], name, n) == 0 && o->roles.items[i][n] == '=')
			return o->roles.items[i] + n + 1;
	return NULL;
}

/* A user of this machine, told by the kernel: the server's own user and root are admins, others have the role that [roles] gives. */
static int identify_local(struct client *c, const struct sock_peer *peer)
{
	const char *word = role_given(c->server->opts, peer->text);

	snprintf(c->name, sizeof(c->name), "%s", peer->text);
	if (word)
		c->role = role_parse(word);
	else
		c->role = peer->uid == 0 || peer->uid == getuid() ? ROLE_ADMIN : ROLE_VIEWER;
	return 0;
}

static int identify_certificate(struct client *c, const struct tls_peer *peer)
{
	snprintf(c->name, sizeof(c->name), "%s", peer->name);
	c->role = role_parse(peer->role);
	if (c->role == ROLE_NONE)
		return fail(
			ERR_DENIED,
			"the certificate of %s has no role (organisational unit '%s'): make one with `tuxtape cert issue "
			"NAME --role ROLE`",
			peer->name, peer->role);
	return 0;
}

int server_identify(struct client *c, int fd)
{
	const struct tls_peer *certificate = tls_peer(rpc_tls(c->rpc));
	struct sock_peer peer;
	int err;

	if (certificate->named)
		return identify_certificate(c, certificate);
	if ((err = sock_peer(&peer, fd)))
		return err;
	if (peer.local)
		return identify_local(c, &peer);
	c->local = !c->server->tls && sock_fd_is_loopback(fd);
	c->role = c->local ? ROLE_ADMIN : ROLE_VIEWER;
	snprintf(c->name, sizeof(c->name), "%s", c->local ? "local" : "nameless");
	return 0;
}
