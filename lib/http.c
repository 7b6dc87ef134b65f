/* Owns the talk with an HTTP server: when to ask, when to ask again, how much to take. Refuses protocols other than HTTP and HTTPS,
 * hosts other than the one asked, and patience or answers without end. The secret header appears in no text made here. */
#include "lib/http.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/str.h"

#include <curl/curl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define BODY_MOST ((size_t)64 << 20)
#define CA_FILE_MOST ((size_t)16 << 20)
#define HOPS_MOST 5
#define DOUBLINGS_MOST 5             /* 32 times the first wait */
#define WAIT_MOST (UINT64_MAX / 256) /* keeps sums of times in range */

struct http {
	struct http_how how;
	const char *secret; /* the value in how.header; "" for none */
	CURL *curl;         /* NULL until the first request */
	struct curl_slist *headers;
	char curl_text[CURL_ERROR_SIZE];
	uint64_t earliest_ms; /* for the next request */
};

/* What one http_get is about. */
struct question {
	struct http *http;
	CURLU *url; /* where it goes now: redirects move it */
	char *host;
	struct http_answer *answer;
	uint64_t retry_after_ms; /* as the last answer asked */
	bool too_long;           /* the body passed its limit */
};

enum verdict { GOOD, AGAIN, HOPELESS };

static int check_ca_file(const char *path)
{
	struct buf text = { 0 };
	int err = buf_read_file(&text, path, CA_FILE_MOST);

	if (!err && !strstr(buf_str(&text), "-----BEGIN "))
		err = fail(ERR_INPUT, "%s: holds no certificate in PEM form", path);
	buf_free(&text);
	return err;
}

int http_new(struct http **h, const struct http_how *how)
{
	const char *colon = how->header ? strchr(how->header, ':') : NULL;
	int err;

	*h = NULL;
	if (how->header && (!colon || how->header[strcspn(how->header, "\r\n")]))
		return fail(ERR_INPUT, "the header with the key is not one line of name and value");
	if (how->ca_file && (err = check_ca_file(how->ca_file)))
		return err;
	*h = xcalloc(1, sizeof(**h));
	(*h)->how = *how;
	(*h)->how.pause_ms = MIN_OF(how->pause_ms, WAIT_MOST);
	(*h)->how.backoff_ms = MIN_OF(how->backoff_ms, WAIT_MOST >> DOUBLINGS_MOST);
	(*h)->secret = colon ? colon + 1 + strspn(colon + 1, " \t") : "";
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->curl) {
		curl_easy_cleanup(h->curl);
		curl_slist_free_all(h->headers);
		curl_global_cleanup();
	}
	free(h);
}

void http_answer_free(struct http_answer *answer)
{
	buf_free(&answer->body);
	*answer = (struct http_answer){ 0 };
}

static size_t take_body(char *p, size_t one UNUSED, size_t n, void *ctx)
{
	struct question *q = ctx;

	if (n > BODY_MOST - q->answer->body.len) {
		q->too_long = true;
		return 0;
	}
	buf_add(&q->answer->body, p, n);
	return n;
}

/* A kept connection that the server has closed meanwhile makes libcurl send the request a second time by itself, without a pause:
 * so none is kept. Redirects are followed here, since libcurl would take the secret header to any host. */
static int start_curl(struct http *h)
{
	static const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FORBID_REUSE, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
	};
	CURL *c;

	if (h->curl)
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return fail(ERR_SYS, "libcurl does not start");
	c = h->curl = curl_easy_init();
	if (!c) {
		curl_global_cleanup();
		return fail(ERR_SYS, "libcurl does not start");
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		curl_easy_setopt(c, numbers[i].option, numbers[i].value);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)MIN_OF(h->how.timeout_ms, (uint64_t)INT_MAX));
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)BODY_MOST);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->curl_text);
	curl_easy_setopt(c, CURLOPT_USERAGENT, h->how.user_agent);
	if (h->how.ca_file) {
		curl_easy_setopt(c, CURLOPT_CAINFO, h->how.ca_file);
		curl_easy_setopt(c, CURLOPT_CAPATH, (char *)NULL);
	}
	if (h->how.header) {
		h->headers = curl_slist_append(NULL, h->how.header);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers);
	}
	return 0;
}

/* The parts of a URL are never NULL here: "" for one that is not there. Release with curl_free. */
static char *part_of(CURLU *url, CURLUPart part)
{
	char *text = NULL;

	if (curl_url_get(url, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0))
		text = curl_easy_escape(NULL, "", 0);
	if (!text)
		die_oom();
	return text;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = part_of(a, part), *y = part_of(b, part);
	bool same = strcasecmp(x, y) == 0;

	curl_free(x);
	curl_free(y);
	return same;
}

static bool has_scheme(CURLU *url, const char *want)
{
	char *scheme = part_of(url, CURLUPART_SCHEME);
	bool has = strcasecmp(scheme, want) == 0;

	curl_free(scheme);
	return has;
}

static int open_question(struct question *q, const char *url)
{
	CURLUcode code;

	q->url = curl_url();
	if (!q->url)
		die_oom();
	code = curl_url_set(q->url, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (code)
		return fail(ERR_INPUT, "%s: not a URL: %s", url, curl_url_strerror(code));
	if (!has_scheme(q->url, "http") && !has_scheme(q->url, "https"))
		return fail(ERR_INPUT, "%s: not a URL of http or https", url);
	q->host = part_of(q->url, CURLUPART_HOST);
	return 0;
}

static void close_question(struct question *q)
{
	curl_free(q->host);
	curl_url_cleanup(q->url);
}

/* Servers may echo the key that they refuse. */
static void hide_secret(const struct http *h, char *text)
{
	size_t n = strlen(h->secret);

	for (char *at = text; n && (at = strstr(at, h->secret)); at += n)
		memset(at, '*', n);
}

static void take_message(struct question *q)
{
	struct buf raw = { 0 }, clean = { 0 };
	struct curl_header *header;
	size_t n, next;
	uint32_t rune;

	if (curl_easy_header(q->http->curl, "message", 0, CURLH_HEADER, -1, &header))
		return;
	buf_adds(&raw, header->value);
	hide_secret(q->http, raw.data);
	str_printable(&clean, raw.data, raw.len);
	/* What is too long ends before a character, not within one. */
	for (n = 0; n < clean.len; n += next) {
		next = str_utf8_next(clean.data + n, clean.len - n, &rune);
		if (next == 0 || n + next >= sizeof(q->answer->message))
			break;
	}
	snprintf(q->answer->message, sizeof(q->answer->message), "%.*s", (int)n, buf_str(&clean));
	buf_free(&raw);
	buf_free(&clean);
}

static void wait_until(uint64_t when)
{
	uint64_t now;

	while ((now = now_ms()) < when)
		poll(NULL, 0, (int)MIN_OF(when - now, (uint64_t)INT_MAX));
}

/* One request, when its time has come. */
static CURLcode ask(struct question *q)
{
	struct http *h = q->http;
	char *url = part_of(q->url, CURLUPART_URL);
	curl_off_t retry_after = 0;
	long status = 0;
	CURLcode code;

	buf_reset(&q->answer->body);
	q->answer->message[0] = '\0';
	q->too_long = false;
	h->curl_text[0] = '\0';
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, q);
	curl_free(url);
	wait_until(h->earliest_ms);
	h->earliest_ms = now_ms() + h->how.pause_ms;
	code = curl_easy_perform(h->curl);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(h->curl, CURLINFO_RETRY_AFTER, &retry_after);
	q->answer->status = (int)status;
	q->retry_after_ms = retry_after > 0 ? MIN_OF((uint64_t)retry_after, WAIT_MOST / 1000) * 1000 : 0;
	take_message(q);
	hide_secret(h, h->curl_text);
	return code;
}

/* True when the answer sends to another place on the same host; the question then goes there. */
static bool redirect(struct question *q)
{
	CURLU *next;
	char *to = NULL;
	bool allowed;

	if (curl_easy_getinfo(q->http->curl, CURLINFO_REDIRECT_URL, &to) || !to)
		return false;
	next = curl_url();
	if (!next)
		die_oom();
	allowed = curl_url_set(next, CURLUPART_URL, to, CURLU_NON_SUPPORT_SCHEME) == 0 &&
		  same_part(q->url, next, CURLUPART_HOST);
	if (allowed && same_part(q->url, next, CURLUPART_SCHEME))
		allowed = same_part(q->url, next, CURLUPART_PORT);
	else if (allowed)
		allowed = has_scheme(q->url, "http") && has_scheme(next, "https");
	if (allowed) {
		curl_url_cleanup(q->url);
		q->url = next;
	} else {
		curl_url_cleanup(next);
	}
	return allowed;
}

/* What may be better the next time, of all that libcurl reports. */
static bool is_passing(CURLcode code)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_PROXY,
		CURLE_COULDNT_RESOLVE_HOST,
		CURLE_COULDNT_CONNECT,
		CURLE_PARTIAL_FILE,
		CURLE_OPERATION_TIMEDOUT,
		CURLE_SSL_CONNECT_ERROR,
		CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,
		CURLE_RECV_ERROR,
		CURLE_HTTP2,
		CURLE_HTTP2_STREAM,
	};

	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (passing[i] == code)
			return true;
	return false;
}

static enum verdict judge(const struct question *q, CURLcode code)
{
	int status = q->answer->status;

	if (q->too_long)
		return HOPELESS;
	if (code)
		return is_passing(code) ? AGAIN : HOPELESS;
	if (status == 200 || status == 404)
		return GOOD;
	return status == 403 || status == 429 || (status >= 500 && status <= 599) ? AGAIN : HOPELESS;
}

/* Those that were turned away together must not come back together: hence the quarter. */
static void back_off(struct question *q, unsigned tries_done)
{
	struct http *h = q->http;
	uint64_t most = h->how.backoff_ms << DOUBLINGS_MOST;
	uint64_t wait = h->how.backoff_ms << MIN_OF(tries_done - 1, (unsigned)DOUBLINGS_MOST);
	uint64_t quarter = wait / 4;
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) == (ssize_t)sizeof(random))
		wait += random % (2 * quarter + 1) - quarter;
	wait = MIN_OF(MAX_OF(wait, q->retry_after_ms), most);
	h->earliest_ms = MAX_OF(h->earliest_ms, now_ms() + wait);
}

static int complain(const struct question *q, CURLcode code, unsigned tries)
{
	const struct http_answer *a = q->answer;
	char after[32] = "", status[32] = "";

	if (tries > 1)
		snprintf(after, sizeof(after), " (%u tries)", tries);
	if (q->too_long || code == CURLE_FILESIZE_EXCEEDED)
		return fail(ERR_NET, "%s: an answer of more than %zu MiB is not read", q->host, BODY_MOST >> 20);
	if (code && a->status)
		snprintf(status, sizeof(status), " answers %d, but", a->status);
	if (code)
		return fail(ERR_NET, "%s%s: %s%s", q->host, status,
			    q->http->curl_text[0] ? q->http->curl_text : curl_easy_strerror(code), after);
	if (a->status >= 300 && a->status <= 399)
		return fail(ERR_NET, "%s answers %d: a redirect that is not followed: to another host or port, or too many",
			    q->host, a->status);
	return fail(ERR_NET, "%s answers %d%s%s%s", q->host, a->status, a->message[0] ? ": " : "", a->message, after);
}

int http_get(struct http *h, const char *url, struct http_answer *answer)
{
	struct question q = { .http = h, .answer = answer };
	unsigned tries = 0, hops = 0;
	enum verdict verdict;
	CURLcode code;
	int err;

	answer->status = 0;
	if ((err = start_curl(h)) || (err = open_question(&q, url)))
		goto out;
	for (;;) {
		code = ask(&q);
		if (!code && hops < HOPS_MOST && redirect(&q)) {
			hops++;
			continue;
		}
		tries++;
		verdict = judge(&q, code);
		if (verdict != AGAIN || tries >= h->how.tries)
			break;
		back_off(&q, tries);
	}
	if (verdict != GOOD)
		err = complain(&q, code, tries);
out:
	close_question(&q);
	return err;
}
