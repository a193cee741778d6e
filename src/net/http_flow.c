/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt's bytes: the callbacks that curl calls while it works, and what
 * they tell about whether anything still moves.
 *
 * The idle timeout. It runs once the connection stands (until then the connect
 * timeout does), and starts again with every byte that moves either way. It
 * does not run once a server has the whole of a PUT, POST or DELETE: to put an
 * object of 10,000 parts together or to copy 5 GiB may take minutes, in silence
 * before the answer or in the midst of it, and only the deadline bounds that. A
 * GET or HEAD asks for no such work, so there it does run. A machine that went
 * away while we wait is noticed by the kernel: keepalive probes and
 * TCP_USER_TIMEOUT, which also covers bytes that the kernel took from us and
 * are not acknowledged.
 *
 * The deadline. What a call's deadline adds for its body is for moving it, not
 * for a server that takes and gives nothing, once or again and again: a call
 * has its lane's deadline of patience in all its attempts and the rests between
 * them. A byte that moves gives back the time since the one before, and a byte
 * of what was asked for is an answer: patience begins anew. Not the queue: what
 * waits there is no server's fault. A call of work that began before it
 * (waiter_set_began()), and has waited since for a server from which nothing at
 * all was heard, has what is left of the patience, and LATE_MS at least: a
 * program's call ends within one deadline, though it asks several things or
 * stands in a queue behind others that ask.
 *
 * A server that works by itself (call->works) has taken the request: such an
 * attempt may outlive the deadline, in silence by what its bytes take at a slow
 * pace, and by WORKS_MS as well while an answer of 200 keeps coming. S3 sends
 * white space meanwhile. When it fails then, it is not tried again.
 *
 * curl sends a request a second time by itself when a kept connection breaks
 * before the answer. What changes something is not sent twice unknown to the
 * caller, which must know that the first answer may have been lost: the attempt
 * ends, and the next one is the engine's own.
 *
 * A callback that wants to end the attempt sets stop_rc and makes curl fail.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/io.h"
#include "base/number.h"
#include "base/waiter.h"
#include "net/http_loop.h"

/* The slowest pace at which a server keeps what it has been sent. */
#define KEPT_BYTES_PER_MS 4096
/* What is left in any case to a call whose work has waited before. */
#define LATE_MS 1000
/* How long a server may work that says that it does. */
#define WORKS_MS (15 * 60 * 1000)

static void http_flow_stop(struct http_attempts *a, int rc, const char *why)
{
	a->now.stop_rc = rc;
	a->now.stop_why = why;
}

static bool http_flow_is_success(const struct http_attempts *a)
{
	return a->reply.status >= 200 && a->reply.status < 300;
}

static int http_flow_on_connected(void *arg, char *remote, char *local,
				  int remote_port, int local_port)
{
	struct http_attempts *a = arg;
	enum http_verb verb = a->call->verb;

	if (a->now.connected && (verb == HTTP_PUT || verb == HTTP_POST)) {
		a->now.resent = true;
		return CURL_PREREQFUNC_ABORT;
	}
	a->now.connected = true;
	a->now.moved_ms = clock_mono_ms();
	return CURL_PREREQFUNC_OK;
}

/* How long a server may take for what it has been sent: to keep it. */
static int64_t http_flow_patience(const struct http_attempts *a)
{
	return a->lane->deadline_ms +
	       (int64_t)(a->call->body.len / KEPT_BYTES_PER_MS);
}

void http_flow_begin(struct http_attempts *a)
{
	int64_t now_ms = clock_mono_ms();

	if (!a->patience_ms)
		a->patience_ms = now_ms + http_flow_patience(a) - a->late_ms;
	else
		a->patience_ms += now_ms - a->queued_ms;
	if (!a->lane->silent_ms)
		a->lane->silent_ms = now_ms;
}

int64_t http_flow_late(const struct http_lane *lane, int64_t began_ms)
{
	int64_t since_ms = lane->silent_ms, late_ms;

	if (!since_ms || began_ms == WAIT_FOREVER)
		return 0;
	since_ms = number_max(began_ms, since_ms);
	late_ms = clock_mono_ms() - since_ms;
	late_ms = number_min(late_ms, lane->deadline_ms - LATE_MS);
	return number_max(late_ms, 0);
}

int64_t http_flow_deadline(const struct http_attempts *a)
{
	return a->call->deadline_ms > 0 || !a->patience_ms
		       ? a->deadline_ms
		       : number_min(a->deadline_ms, a->patience_ms);
}

static void http_flow_moved(struct http_attempts *a, bool answer)
{
	int64_t now_ms = clock_mono_ms();

	if (answer)
		a->patience_ms = now_ms + http_flow_patience(a);
	else if (a->now.moved_ms)
		a->patience_ms += now_ms - a->now.moved_ms;
	a->now.moved_ms = now_ms;
}

static void http_flow_heard(struct http_attempts *a)
{
	if (a->lane->silent_ms)
		a->lane->silent_ms = 0;
}

static int http_flow_on_progress(void *arg, curl_off_t total_in, curl_off_t in,
				 curl_off_t total_out, curl_off_t out)
{
	struct http_attempts *a = arg;
	struct attempt *now = &a->now;

	if (in != now->got)
		http_flow_heard(a);
	if (in != now->got || out != now->sent) {
		http_flow_moved(a, in != now->got && http_flow_is_success(a));
		now->got = in;
		now->sent = out;
	}
	return 0;
}

/* A header block is whole: the answer proper begins (1xx is none). */
static void http_flow_headers_done(struct http_attempts *a)
{
	struct http_reply *reply = &a->reply;

	if (reply->status < 200)
		return;
	a->now.headers_done = true;
	reply->body.max = HTTP_ERROR_MAX;
	if (http_flow_is_success(a))
		reply->body.max = a->call->reply_max;
}

/* `Name: value\r\n` becomes `name: value\n`. Other lines do not count. */
static void http_flow_add_header(struct buf *out, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);
	const char *value, *end = line + n;
	size_t from = out->len;

	if (!colon || colon == line || *line == ' ' || *line == '\t')
		return;
	while (end > colon && strchr(" \t\r\n", end[-1]))
		end--;
	for (value = colon + 1; value < end && strchr(" \t", *value);)
		value++;
	buf_add(out, line, colon - line);
	for (char *p = out->data + from; !out->rc && *p; p++)
		*p = text_lower(*p);
	buf_adds(out, ": ");
	buf_add(out, value, end > value ? end - value : 0);
	buf_addc(out, '\n');
}

static size_t http_flow_on_header(char *line, size_t size, size_t n, void *arg)
{
	struct http_attempts *a = arg;
	struct http_reply *reply = &a->reply;

	n *= size;
	http_flow_heard(a);
	http_flow_moved(a, false);
	if (n >= 5 && !memcmp(line, "HTTP/", 5)) {
		buf_reset(&reply->headers);
		a->now.headers_done = false;
		curl_easy_getinfo(a->now.easy, CURLINFO_RESPONSE_CODE,
				  &reply->status);
	} else if (a->now.headers_done) {
		return n; /* a trailer */
	} else if (n <= 2 && strspn(line, "\r\n") >= n) {
		http_flow_headers_done(a);
	} else if (!memchr(line, '\0', n)) {
		http_flow_add_header(&reply->headers, line, n);
	}
	if (buf_err(&reply->headers)) {
		http_flow_stop(a,
			       buf_err(&reply->headers) == -ENOMEM ? -ENOMEM
								   : -EPROTO,
			       "the answer's headers are too long");
		return 0;
	}
	return n;
}

static size_t http_flow_on_data(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_attempts *a = arg;
	struct http_reply *reply = &a->reply;
	int rc;

	n *= size;
	reply->received += n;
	if (http_flow_is_success(a) && a->call->ops->data) {
		rc = a->call->ops->data(a->call, reply, bytes, n);
		if (!rc)
			return n;
		http_flow_stop(a, rc, "the answer was not wanted any more");
		return 0;
	}
	if (http_flow_is_success(a) && !a->call->reply_max)
		return n;
	if (!http_flow_is_success(a) && n > HTTP_ERROR_MAX - reply->body.len) {
		buf_add(&reply->body, bytes, HTTP_ERROR_MAX - reply->body.len);
		a->now.cut = true;
		return 0;
	}
	buf_add(&reply->body, bytes, n);
	rc = buf_err(&reply->body);
	if (rc) {
		http_flow_stop(a, rc,
			       rc == -EMSGSIZE ? "the answer is too long"
					       : "out of memory");
		return 0;
	}
	return n;
}

static size_t http_flow_on_read(char *out, size_t size, size_t n, void *arg)
{
	struct http_attempts *a = arg;
	const struct http_body *body = &a->call->body;
	uint64_t left = body->len - a->now.read_at;
	ssize_t got;

	n *= size;
	if (n > left)
		n = left;
	if (body->data) {
		memcpy(out, (const char *)body->data + a->now.read_at, n);
	} else if (n) {
		got = io_pread(body->fd, out, n, body->offset + a->now.read_at);
		if (got < 0 || (size_t)got < n) {
			http_flow_stop(
				a, -EIO,
				got < 0 ? "the file to send cannot be read"
					: "the file to send is shorter "
					  "than it was");
			return CURL_READFUNC_ABORT;
		}
	}
	a->now.read_at += n;
	return n;
}

static int http_flow_on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_attempts *a = arg;

	if (origin != SEEK_SET || offset < 0 ||
	    (uint64_t)offset > a->call->body.len)
		return CURL_SEEKFUNC_FAIL;
	a->now.read_at = offset;
	return CURL_SEEKFUNC_OK;
}

static int http_flow_on_socket(void *arg, curl_socket_t fd,
			       curlsocktype purpose)
{
	const struct http_attempts *a = arg;
	unsigned timeout_ms = (unsigned)a->lane->idle_timeout_ms;

	/* Where it cannot be set the deadline still bounds the wait. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
			 sizeof(timeout_ms));
	return CURL_SOCKOPT_OK;
}

void http_flow_attach(struct http_attempts *a)
{
	CURL *h = a->now.easy;

	curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, http_flow_on_connected);
	curl_easy_setopt(h, CURLOPT_PREREQDATA, a);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, http_flow_on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, a);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, http_flow_on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, http_flow_on_data);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(h, CURLOPT_READFUNCTION, http_flow_on_read);
	curl_easy_setopt(h, CURLOPT_READDATA, a);
	curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, http_flow_on_seek);
	curl_easy_setopt(h, CURLOPT_SEEKDATA, a);
	curl_easy_setopt(h, CURLOPT_SOCKOPTFUNCTION, http_flow_on_socket);
	curl_easy_setopt(h, CURLOPT_SOCKOPTDATA, a);
}

/* The server has all of it and may be at work. */
static bool http_flow_server_works(const struct http_attempts *a)
{
	enum http_verb verb = a->call->verb;

	return verb != HTTP_GET && verb != HTTP_HEAD &&
	       (uint64_t)a->now.sent >= a->call->body.len;
}

int64_t http_flow_end(const struct http_attempts *a)
{
	int64_t most_ms = a->deadline_ms, long_ms = a->launched_ms + WORKS_MS;

	if (!a->call->works || !a->now.connected || !http_flow_server_works(a))
		return http_flow_deadline(a);
	if (a->now.headers_done && http_flow_is_success(a) && long_ms > most_ms)
		most_ms = long_ms;
	if (a->patience_ms < most_ms)
		most_ms = a->patience_ms;
	return most_ms + (int64_t)(a->call->work / KEPT_BYTES_PER_MS);
}

static bool http_flow_may_idle(const struct http_attempts *a)
{
	return !a->now.connected || http_flow_server_works(a);
}

bool http_flow_stalled(const struct http_attempts *a, int64_t now_ms)
{
	return !http_flow_may_idle(a) &&
	       now_ms - a->now.moved_ms >= a->lane->idle_timeout_ms;
}

int64_t http_flow_check_at(const struct http_attempts *a, int64_t now_ms)
{
	int64_t from = http_flow_may_idle(a) ? now_ms : a->now.moved_ms;
	int64_t at = from + a->lane->idle_timeout_ms;
	return number_min(at, http_flow_end(a));
}
