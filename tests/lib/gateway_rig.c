/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/text.h"
#include "stage/catalog.h"

#define PATIENCE_S 20
#define REPLY_MAX (64 << 20)

int64_t rig_now = 1700000000;

static const struct gateway_rig *opening;

static int64_t rig_clock(void)
{
	return rig_now;
}

static int open_local(const struct conn *conn, const char *name,
		      struct http_engine *engine, struct store **out,
		      struct buf *why)
{
	const bool ext = !strcmp(name, "ext");
	const struct local_settings set = {
		.name = name,
		.root = ext ? opening->other.root : opening->disk.root,
		.url_name = name,
		.types = true,
	};

	return local_new(&set, out, why);
}

static void open_catalog(struct gateway_rig *rig, bool ro)
{
	const struct conn storage = { .url = (char *)"s3://storage/" };
	const struct conn ext = { .url = (char *)"s3://ext/", .ro = ro };
	const struct catalog_external external[] = { { "ext", &ext } };
	const struct catalog_settings set = {
		.user = "root",
		.storage = &storage,
		.external = external,
		.n_external = 1,
		.open = open_local,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);

	opening = rig;
	if (catalog_new(&set, NULL, &rig->catalog, &why))
		fail_msg("%s", buf_str(&why));
	buf_clear(&why);
}

static void open_rig(struct gateway_rig *rig, bool ro,
		     void (*adjust)(struct gateway_settings *))
{
	struct gateway_settings set = {
		.listen = "127.0.0.1:0",
		.allowed_hosts = "stages.example.com",
		.cors_origins = "https://app.example.com",
		.user = "root",
		.now_s = rig_clock,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE), origin = BUF_INIT(256);

	*rig = (struct gateway_rig){ 0 };
	digest_init();
	local_rig_open(&rig->disk);
	local_rig_open(&rig->other);
	open_catalog(rig, ro);
	set.budget = rig->budget = budget_new(64 << 20);
	if (adjust)
		adjust(&set);
	if (gateway_new(&set, rig->catalog, &rig->gateway, &why))
		fail_msg("%s", buf_str(&why));
	gateway_origin(rig->gateway, &origin);
	rig->port = atoi(strrchr(buf_str(&origin), ':') + 1);
	snprintf(rig->host, sizeof(rig->host), "127.0.0.1:%u", rig->port);
	buf_clear(&origin);
	buf_clear(&why);
}

void gateway_rig_open(struct gateway_rig *rig,
		      void (*adjust)(struct gateway_settings *))
{
	open_rig(rig, false, adjust);
}

void gateway_rig_open_ro(struct gateway_rig *rig)
{
	open_rig(rig, true, NULL);
}

void gateway_rig_close(struct gateway_rig *rig)
{
	gateway_free(rig->gateway);
	budget_free(rig->budget);
	if (rig->catalog)
		catalog_free(rig->catalog);
	local_rig_close(&rig->disk);
	local_rig_close(&rig->other);
}

/* ---- asking ---- */

static size_t count(const struct field *fields)
{
	size_t n = 0;

	while (n < RIG_FIELDS && fields[n].name)
		n++;
	return n;
}

char *rig_target(const struct gateway_rig *rig, const struct ask *a)
{
	const bool ext = a->store && !strcmp(a->store, "ext");
	struct buf target = BUF_INIT(BUF_URL), path = BUF_INIT(BUF_URL);
	struct sigv4_request request = {
		.method = a->method ? a->method : "GET",
		.host = a->host ? a->host : rig->host,
		.query = a->query,
		.n_query = count(a->query),
		.headers = a->signs,
		.n_headers = count(a->signs),
	};
	struct sigv4_scope scope = { .region = "us-east-1",
				     .service = "s3",
				     .time = rig_now };
	struct local_key key;
	struct sigv4_key derived;

	assert_int_equal(local_key(ext ? rig->other.s : rig->disk.s, &key), 0);
	buf_addf(&path, "/%s/", a->store ? a->store : "storage");
	sigv4_encode_path(&path, a->key);
	request.path = buf_str(&path);
	scope.access_key_id = key.id;
	sigv4_derive(&derived, key.secret, rig_now, "us-east-1", "s3");
	buf_addf(&target, "%s?", buf_str(&path));
	assert_int_equal(sigv4_presign(&derived, &scope, &request,
				       a->expire ? a->expire : 3600, &target),
			 0);
	buf_clear(&path);
	return buf_detach(&target);
}

int rig_connect(const struct gateway_rig *rig)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(rig->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		fail_msg("connect: %s", strerror(errno));
	return fd;
}

void rig_read(int fd, struct reply *out)
{
	struct buf all = BUF_INIT(REPLY_MAX);
	char room[65536];
	ssize_t n;
	char *body;

	*out = (struct reply){ 0 };
	while ((n = recv(fd, room, sizeof(room), 0)) > 0)
		buf_add(&all, room, n);
	if (n < 0 && errno != ECONNRESET)
		fail_msg("the answer does not end: %s", strerror(errno));
	close(fd);
	assert_int_equal(buf_err(&all), 0);
	out->len = all.len;
	out->head = buf_detach(&all);
	if (!out->head)
		out->head = strdup("");
	/* What came before the answer itself. */
	while (!strncmp(out->head, "HTTP/1.1 100", 12)) {
		body = strstr(out->head, "\r\n\r\n") + 4;
		out->len -= body - out->head;
		memmove(out->head, body, out->len + 1);
	}
	body = strstr(out->head, "\r\n\r\n");
	if (!body)
		return;
	body[2] = '\0';
	out->body = body + 4;
	out->len -= out->body - out->head;
	out->status = strtoul(out->head + 9, NULL, 10);
}

void rig_raw(const struct gateway_rig *rig, const void *bytes, size_t n,
	     struct reply *out)
{
	int fd = rig_connect(rig);
	const char *p = bytes;

	while (n) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		/* It may have had enough: what does it say? */
		if (done <= 0)
			break;
		p += done;
		n -= done;
	}
	rig_read(fd, out);
}

static void add_headers(struct buf *out, const struct field *h)
{
	for (size_t i = 0; i < count(h); i++)
		buf_addf(out, "%s: %s\r\n", h[i].name, h[i].value);
}

static bool has(const struct ask *a, const char *name)
{
	for (size_t i = 0; i < count(a->sends); i++)
		if (!strcasecmp(a->sends[i].name, name))
			return true;
	return false;
}

void rig_ask(const struct gateway_rig *rig, const struct ask *a,
	     const char *target, struct reply *out)
{
	struct buf request = BUF_INIT(REPLY_MAX);
	char *own = target ? NULL : rig_target(rig, a);
	size_t n = a->len || !a->body ? a->len : strlen(a->body);

	buf_addf(&request, "%s %s HTTP/1.1\r\n", a->method ? a->method : "GET",
		 target ? target : own);
	if (!has(a, "Host"))
		buf_addf(&request, "Host: %s\r\n",
			 a->host ? a->host : rig->host);
	add_headers(&request, a->signs);
	add_headers(&request, a->sends);
	if (a->body && !has(a, "Content-Length") &&
	    !has(a, "Transfer-Encoding"))
		buf_addf(&request, "Content-Length: %zu\r\n", n);
	buf_adds(&request, "Connection: close\r\n\r\n");
	buf_add(&request, a->body ? a->body : "", n);
	assert_int_equal(buf_err(&request), 0);
	rig_raw(rig, request.data, request.len, out);
	buf_clear(&request);
	free(own);
}

/* ---- the answer ---- */

void reply_clear(struct reply *r)
{
	free(r->head);
	*r = (struct reply){ 0 };
}

const char *reply_header(const struct reply *r, const char *name)
{
	static char value[4096];
	size_t n = strlen(name);

	for (const char *p = strstr(r->head, "\r\n"); p && p[2];
	     p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, n) || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " ");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\r"),
			 p);
		return value;
	}
	return NULL;
}

void reply_expect(const char *sentence, const struct reply *r, unsigned status,
		  const char *code)
{
	char element[256];

	if (r->status != status)
		fail_msg("%s: got %u, wanted %u: %s", sentence, r->status,
			 status, r->body ? r->body : "");
	if (!code)
		return;
	snprintf(element, sizeof(element), "<Code>%s</Code>", code);
	if (!strstr(r->body, element))
		fail_msg("%s: got %s, wanted %s", sentence, r->body, code);
}

void rig_expect(const struct gateway_rig *rig, const char *sentence,
		const struct ask *a, unsigned status, const char *code)
{
	struct reply r;

	rig_ask(rig, a, NULL, &r);
	reply_expect(sentence, &r, status, code);
	reply_clear(&r);
}
