/* Owns how this end reaches a server. Refuses to send a certificate's key anywhere, and to speak plain where TLS was asked for. */
#include "applets/client.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/sock.h"
#include "version.h"

/* TLS is spoken where a flag, the address or a certificate says so; on a Unix socket never. */
static int wants_tls(const struct client_options *o, const struct sock_addr *addr, bool *tls)
{
	bool asked = o->tls || addr->tls == SOCK_TLS_YES || o->cert_path || o->ca_path;

	if (asked && addr->tls == SOCK_TLS_NO)
		return fail(ERR_USAGE, "%s: http is plain, but --tls or a certificate is given", o->server);
	*tls = asked && !addr->local;
	return 0;
}

static int load_conf(const struct client_options *o, struct arena *a, struct tls_conf **conf)
{
	struct tls_how how = {
		.cert_path = o->cert_path, .key_path = o->key_path, .ca_path = o->ca_path, .crl_path = o->crl_path
	};
	const char *warning = NULL;
	int err;

	if (!o->cert_path != !o->key_path)
		return fail(ERR_USAGE, "--tls-cert-path and --tls-key-path go together");
	if (!(err = tls_conf_new(conf, &how, a, &warning)) && warning)
		log_note("%s", warning);
	return err;
}

/* The conf is read by the connection as long as it lives, so it stays till the process ends. */
static int open_connection(const struct client_options *o, struct arena *a, struct tls **t)
{
	static struct tls_conf *conf;
	struct sock_addr addr;
	bool tls = false;
	int fd, err;

	if ((err = sock_parse(&addr, o->server)) || (err = wants_tls(o, &addr, &tls)) ||
	    (tls && !conf && (err = load_conf(o, a, &conf))) || (err = sock_dial(&fd, &addr, (int)o->timeout)))
		return err;
	sock_keep_alive(fd);
	if ((err = tls_open(t, fd, tls ? conf : NULL, addr.host)) || (err = tls_handshake(*t, (int)o->timeout))) {
		tls_close(*t);
		*t = NULL;
		return fail_in(err, "%s", o->server);
	}
	return 0;
}

/* Was it asked without TLS where TLS may be spoken? */
static bool was_plain(const struct client_options *o)
{
	struct sock_addr addr;
	bool tls;

	return !sock_parse(&addr, o->server) && !addr.local && !wants_tls(o, &addr, &tls) && !tls;
}

int client_dial(const struct client_options *o, struct arena *a, const struct rpc_service *service, struct rpc **rpc,
		VersionInfo **you)
{
	VersionInfo *peer;
	struct tls *t;
	int err;

	if ((err = open_connection(o, a, &t)))
		return err;
	*rpc = rpc_new(t, true, service);
	if ((err = rpc_hello(*rpc, "tuxtape " TUXTAPE_VERSION, a, (int)o->timeout, &peer))) {
		rpc_free(*rpc);
		*rpc = NULL;
		if (err == ERR_NET && strcmp(err_text(), "closed") == 0 && was_plain(o))
			err = fail(ERR_NET, "closed before a greeting; does it want TLS (--tls)?");
		return fail_in(err, "%s", o->server);
	}
	if (you)
		*you = peer;
	return 0;
}

int client_ask(const struct client_options *o, struct arena *a, unsigned method, const ProtobufCMessage *request,
	       void *reply)
{
	struct rpc *rpc = NULL;
	int err;

	if (!(err = client_dial(o, a, NULL, &rpc, NULL)))
		err = rpc_call(rpc, method, request, a, (int)o->timeout, reply);
	rpc_free(rpc);
	return err;
}
