/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt as curl sees it: a handle from the pool with all its options
 * set anew (curl_easy_reset() keeps connections and the TLS session, which the
 * multi handle and the share own), and what curl's result means to us.
 *
 * Buffers: 128 KiB to receive is as fast as curl's largest, 512 KiB to send is
 * close to its 2 MiB. curl frees the first after each transfer; the second is
 * given back when the handle returns to the pool.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "net/http_loop.h"

#define META_BUFFER 16384L
#define RECEIVE_BUFFER 131072L
#define SEND_BUFFER 524288L
/* From this size on it is worth a round trip to learn of a refusal first. */
#define EXPECT_MIN ((uint64_t)64 << 20)
#define KEEPALIVE_IDLE_S 30L
#define KEEPALIVE_INTERVAL_S 10L

const char http_untrusted[] = "the server's certificate is not trusted";

static const struct {
	CURLcode code;
	int rc;
	const char *why;
} outcomes[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH,
	  "no address for the host name" },
	{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH,
	  "no address for the proxy's name" },
	{ CURLE_COULDNT_CONNECT, -ECONNREFUSED, "no connection" },
	{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT,
	  "no connection within the connect timeout" },
	{ CURLE_SEND_ERROR, -ECONNRESET, "the connection broke" },
	{ CURLE_RECV_ERROR, -ECONNRESET, "the connection broke" },
	{ CURLE_SEND_FAIL_REWIND, -ECONNRESET, "the connection broke" },
	{ CURLE_GOT_NOTHING, -ECONNRESET,
	  "the server closed the connection without an answer" },
	{ CURLE_PARTIAL_FILE, -EPROTO, "the answer ended early" },
	{ CURLE_WEIRD_SERVER_REPLY, -EPROTO, "the answer is not HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, "the answer is not HTTP" },
	{ CURLE_PROXY, -EPROTO, "the proxy refused" },
	{ CURLE_SSL_CONNECT_ERROR, -EPROTO, "the TLS handshake failed" },
	{ CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED, http_untrusted },
	{ CURLE_SSL_CACERT_BADFILE, -EINVAL, "the CA file cannot be used" },
	{ CURLE_URL_MALFORMAT, -EINVAL, "the URL is malformed" },
	{ CURLE_OUT_OF_MEMORY, -ENOMEM, "out of memory" },
};

static const struct {
	long os_errno;
	int rc;
	const char *why;
} connect_outcomes[] = {
	{ ECONNREFUSED, -ECONNREFUSED, "connection refused" },
	{ ENETUNREACH, -EHOSTUNREACH, "no route to the network" },
	{ EHOSTUNREACH, -EHOSTUNREACH, "no route to the host" },
	{ ETIMEDOUT, -ETIMEDOUT, "the host does not answer" },
};

/* A certificate is trusted for a time: by this machine's clock. The numbers
 * are OpenSSL's, as curl hands them on. */
enum { CERTIFICATE_NOT_YET_VALID = 9, CERTIFICATE_HAS_EXPIRED = 10 };

static const struct {
	long verify_result;
	const char *why;
} certificate_outcomes[] = {
	{ CERTIFICATE_NOT_YET_VALID,
	  "the server's certificate is not valid yet by this machine's clock" },
	{ CERTIFICATE_HAS_EXPIRED,
	  "the server's certificate has expired by this machine's clock" },
};

static struct curl_slist *http_easy_add_line(struct curl_slist *list,
					     const char *line, bool *ok)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (!longer)
		*ok = false;
	return longer ? longer : list;
}

/* curl's list of headers. curl takes `Name:` for "none", `Name;` for "". */
static int http_easy_make_headers(struct http_attempts *a)
{
	struct curl_slist *list = NULL;
	const char *line = buf_str(&a->wire.headers);
	BUF_SECRET one = BUF_INIT(HTTP_HEADERS_MAX);
	bool ok = true, coded = false;

	while (*line) {
		size_t n = strcspn(line, "\n");

		coded |= !strncasecmp(line, "Accept-Encoding:", 16);

		buf_reset(&one);
		buf_add(&one, line, n);
		if (n >= 2 && !memcmp(line + n - 2, ": ", 2)) {
			buf_truncate(&one, n - 2);
			buf_addc(&one, ';');
		}
		ok = ok && !buf_err(&one);
		list = http_easy_add_line(list, buf_str(&one), &ok);
		line += n + (line[n] == '\n');
	}
	if (a->call->body.len < EXPECT_MIN)
		list = http_easy_add_line(list, "Expect:", &ok);
	/* bytes are wanted as they are stored; never signed, as proxies
	 * rewrite it */
	if (!coded)
		list = http_easy_add_line(list, "Accept-Encoding: identity",
					  &ok);
	a->now.headers = list;
	return ok ? 0 : -ENOMEM;
}

static void http_easy_set_verb(CURL *h, const struct http_call *call)
{
	bool upload = call->body.len || call->verb == HTTP_PUT ||
		      call->verb == HTTP_POST;

	if (upload) {
		curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE,
				 (curl_off_t)call->body.len);
	} else if (call->verb == HTTP_HEAD) {
		curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	}
	if (call->verb != HTTP_HEAD)
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST,
				 http_verb_name(call->verb));
}

static void http_easy_set_fixed(CURL *h)
{
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	/* else a hanging name server would hold up the whole engine */
	curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "stagefs");
}

static int http_easy_set_lane(CURL *h, const struct http_lane *lane)
{
	/* curl looks into the environment where there is no proxy, not even
	 * "" */
	if (curl_easy_setopt(h, CURLOPT_NOPROXY,
			     lane->proxy ? "" : lane->no_proxy))
		return -ENOMEM;
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)lane->connect_timeout_ms);
	if (curl_easy_setopt(h, CURLOPT_PROXY, lane->proxy))
		return -ENOMEM;
	if (!lane->ca_file)
		return 0;
	curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	return curl_easy_setopt(h, CURLOPT_CAINFO, lane->ca_file) ? -ENOMEM : 0;
}

static CURL *http_easy_pool_take(struct http_loop *l)
{
	return l->n_pool ? l->pool[--l->n_pool] : curl_easy_init();
}

static void http_easy_pool_give(struct http_loop *l, CURL *h)
{
	curl_easy_reset(h);
	curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, META_BUFFER);
	if (l->n_pool < EASY_POOL_MAX)
		l->pool[l->n_pool++] = h;
	else
		curl_easy_cleanup(h);
}

void http_easy_pool_clear(struct http_loop *l)
{
	while (l->n_pool)
		curl_easy_cleanup(l->pool[--l->n_pool]);
}

static int http_easy_set_options(struct http_loop *l, struct http_attempts *a)
{
	CURL *h = a->now.easy;
	bool meta = a->class == HTTP_META;
	int rc = http_easy_make_headers(a);

	if (rc)
		return rc;
	http_easy_set_fixed(h);
	rc = http_easy_set_lane(h, a->lane);
	if (rc)
		return rc;
	if (curl_easy_setopt(h, CURLOPT_URL, buf_str(&a->wire.url)))
		return -ENOMEM;
	http_easy_set_verb(h, a->call);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, a->now.headers);
	curl_easy_setopt(h, CURLOPT_BUFFERSIZE,
			 meta ? META_BUFFER : RECEIVE_BUFFER);
	if (a->call->body.len > (uint64_t)META_BUFFER)
		curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
	curl_easy_setopt(h, CURLOPT_PRIVATE, a);
	curl_easy_setopt(h, CURLOPT_SHARE, l->share);
	http_flow_attach(a);
	http_poller_attach(&l->poller, h);
	return 0;
}

int http_easy_begin(struct http_loop *l, struct http_attempts *a)
{
	int rc;

	memset(&a->now, 0, sizeof(a->now));
	a->now.easy = http_easy_pool_take(l);
	if (!a->now.easy)
		return -ENOMEM;
	rc = http_easy_set_options(l, a);
	if (!rc && curl_multi_add_handle(l->multi, a->now.easy))
		rc = -ENOMEM;
	if (rc) {
		http_easy_pool_give(l, a->now.easy);
		curl_slist_free_all(a->now.headers);
		memset(&a->now, 0, sizeof(a->now));
	}
	return rc;
}

static void http_easy_fail(struct http_attempts *a, int rc, const char *why)
{
	a->reply.rc = rc;
	a->reply.why = why;
}

static void http_easy_refine_refusal(struct http_attempts *a)
{
	size_t n = sizeof(certificate_outcomes) / sizeof(*certificate_outcomes);
	long result = 0;

	curl_easy_getinfo(a->now.easy, CURLINFO_SSL_VERIFYRESULT, &result);
	for (size_t i = 0; i < n; i++)
		if (certificate_outcomes[i].verify_result == result)
			a->reply.why = certificate_outcomes[i].why;
}

/* A connection that failed has an errno that says more than curl's code. */
static void http_easy_refine(struct http_attempts *a, CURLcode code)
{
	size_t n = sizeof(connect_outcomes) / sizeof(*connect_outcomes);
	long os_errno = 0;

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		http_easy_refine_refusal(a);
	if (code != CURLE_COULDNT_CONNECT && code != CURLE_SEND_ERROR &&
	    code != CURLE_RECV_ERROR)
		return;
	curl_easy_getinfo(a->now.easy, CURLINFO_OS_ERRNO, &os_errno);
	for (size_t i = 0; i < n; i++)
		if (connect_outcomes[i].os_errno == os_errno)
			http_easy_fail(a, connect_outcomes[i].rc,
				       connect_outcomes[i].why);
}

static void http_easy_judge_code(struct http_attempts *a, CURLcode code)
{
	size_t n = sizeof(outcomes) / sizeof(*outcomes);

	if (a->now.stop_rc) {
		http_easy_fail(a, a->now.stop_rc, a->now.stop_why);
		return;
	}
	if (a->now.resent) {
		http_easy_fail(a, -ECONNRESET, "the connection broke");
		return;
	}
	if (!code || a->now.cut) {
		if (!a->now.headers_done)
			http_easy_fail(a, -EPROTO, "the answer is not HTTP");
		return;
	}
	http_easy_fail(a, -EPROTO, curl_easy_strerror(code));
	for (size_t i = 0; i < n; i++)
		if (outcomes[i].code == code)
			http_easy_fail(a, outcomes[i].rc, outcomes[i].why);
	http_easy_refine(a, code);
}

void http_easy_end(struct http_loop *l, struct http_attempts *a, CURLcode code)
{
	http_easy_judge_code(a, code);
	curl_multi_remove_handle(l->multi, a->now.easy);
	http_easy_pool_give(l, a->now.easy);
	curl_slist_free_all(a->now.headers);
	memset(&a->now, 0, sizeof(a->now));
}
