/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that takes uploads as quickly as it can, for the speed of writing
 * alone: it speaks as much S3 as a mount needs to write one object, keeps no
 * byte, and computes the MD5 of each part, as stores do (--no-md5: not even
 * that). Prints its port. A thread for each connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define PIECE (256 << 10)

static bool sums = true;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char stored[1024]; /* the path of the object that was completed last */
static unsigned long long sent, size; /* of its parts, and of it */

struct conn {
	int fd;
	char head[HEAD_MAX + 1];
	size_t have; /* bytes of head: the headers, and what came with them */
	char *piece;
};

static bool conn_write(struct conn *c, const char *text, size_t n)
{
	while (n) {
		ssize_t put = send(c->fd, text, n, MSG_NOSIGNAL);

		if (put < 0)
			return false;
		text += put;
		n -= (size_t)put;
	}
	return true;
}

static bool conn_answer(struct conn *c, const char *status, const char *headers,
			const char *body)
{
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s",
			 status, headers, strlen(body), body);

	return conn_write(c, text, (size_t)n);
}

/* The value of a header, or NULL. */
static const char *conn_header(const struct conn *c, const char *name)
{
	const char *line = strstr(c->head, "\r\n");
	size_t n = strlen(name);

	for (; line; line = strstr(line, "\r\n")) {
		line += 2;
		if (!strncasecmp(line, name, n) && line[n] == ':')
			return line + n + 1;
	}
	return NULL;
}

/* Reads and forgets a body, of which some may have come already. */
static bool conn_body(struct conn *c, size_t from, unsigned long long len,
		      char etag[40])
{
	EVP_MD_CTX *md = sums ? EVP_MD_CTX_new() : NULL;
	unsigned char sum[EVP_MAX_MD_SIZE] = { 0 };
	size_t early = c->have - from;
	bool ok = true;

	if (md)
		EVP_DigestInit_ex(md, EVP_md5(), NULL);
	early = early < len ? early : (size_t)len;
	if (md)
		EVP_DigestUpdate(md, c->head + from, early);
	memmove(c->head, c->head + from + early, c->have - from - early);
	c->have -= from + early;
	for (len -= early; ok && len;) {
		ssize_t n = recv(c->fd, c->piece, len < PIECE ? len : PIECE, 0);

		ok = n > 0;
		if (ok && md)
			EVP_DigestUpdate(md, c->piece, (size_t)n);
		len -= ok ? (size_t)n : 0;
	}
	if (md)
		EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	*etag++ = '"';
	for (int i = 0; i < 16; i++)
		etag += sprintf(etag, "%02x", sum[i]);
	strcpy(etag, "\"");
	return ok;
}

static bool conn_begin(struct conn *c)
{
	pthread_mutex_lock(&lock);
	sent = 0;
	pthread_mutex_unlock(&lock);
	return conn_answer(c, "200 OK", "",
			   "<InitiateMultipartUploadResult><UploadId>sink"
			   "</UploadId></InitiateMultipartUploadResult>");
}

static bool conn_complete(struct conn *c, const char *path)
{
	pthread_mutex_lock(&lock);
	snprintf(stored, sizeof(stored), "%s", path);
	size = sent;
	pthread_mutex_unlock(&lock);
	return conn_answer(c, "200 OK", "",
			   "<CompleteMultipartUploadResult><ETag>&quot;sink-1"
			   "&quot;</ETag></CompleteMultipartUploadResult>");
}

static bool conn_put(struct conn *c, const char *path, const char *query,
		     unsigned long long len, const char *etag)
{
	char headers[64];

	pthread_mutex_lock(&lock);
	if (!strstr(query, "partNumber=")) {
		snprintf(stored, sizeof(stored), "%s", path);
		size = len;
	} else {
		sent += len;
	}
	pthread_mutex_unlock(&lock);
	snprintf(headers, sizeof(headers), "ETag: %s\r\n", etag);
	return conn_answer(c, "200 OK", headers, "");
}

static bool conn_head(struct conn *c, const char *path)
{
	char text[256];
	int n;

	pthread_mutex_lock(&lock);
	if (!strcmp(path, stored))
		n = snprintf(text, sizeof(text),
			     "HTTP/1.1 200 OK\r\nETag: \"sink-1\"\r\n"
			     "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
			     "Content-Length: %llu\r\n\r\n",
			     size);
	else
		n = snprintf(text, sizeof(text),
			     "HTTP/1.1 404 Not Found\r\n"
			     "Content-Length: 0\r\n\r\n");
	pthread_mutex_unlock(&lock);
	return conn_write(c, text, (size_t)n);
}

static bool conn_serve(struct conn *c, size_t from)
{
	const char *length = conn_header(c, "Content-Length");
	const char *expect = conn_header(c, "Expect");
	unsigned long long len = length ? strtoull(length, NULL, 10) : 0;
	char method[16] = "", path[1024] = "", etag[40], *query;

	sscanf(c->head, "%15s %1023s", method, path);
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	else
		query = path + strlen(path);
	if (expect && !conn_write(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
		return false;
	if (!conn_body(c, from, len, etag))
		return false;
	if (!strcmp(method, "PUT"))
		return conn_put(c, path, query, len, etag);
	if (!strcmp(method, "POST"))
		return strstr(query, "uploadId=") ? conn_complete(c, path)
						  : conn_begin(c);
	if (!strcmp(method, "HEAD"))
		return conn_head(c, path);
	if (!strcmp(method, "DELETE"))
		return conn_answer(c, "204 No Content", "", "");
	return conn_answer(c, "200 OK", "",
			   "<ListBucketResult><KeyCount>0</KeyCount>"
			   "<IsTruncated>false</IsTruncated>"
			   "</ListBucketResult>");
}

static void *conn_run(void *arg)
{
	struct conn *c = arg;
	bool ok = true;

	c->piece = malloc(PIECE);
	while (ok && c->piece) {
		char *end;
		ssize_t n;

		c->head[c->have] = '\0';
		end = strstr(c->head, "\r\n\r\n");
		if (end) {
			end[2] = '\0';
			ok = conn_serve(c, (size_t)(end + 4 - c->head));
			continue;
		}
		n = recv(c->fd, c->head + c->have, HEAD_MAX - c->have, 0);
		ok = n > 0;
		c->have += ok ? (size_t)n : 0;
	}
	close(c->fd);
	free(c->piece);
	free(c);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	sums = argc < 2 || strcmp(argv[1], "--no-md5") != 0;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&at, &len)) {
		perror("sink");
		return 1;
	}
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		struct conn *c = calloc(1, sizeof(*c));
		pthread_t t;

		c->fd = accept(fd, NULL, NULL);
		if (c->fd < 0) {
			free(c);
			continue;
		}
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (pthread_create(&t, NULL, conn_run, c)) {
			close(c->fd);
			free(c);
		} else {
			pthread_detach(t);
		}
	}
}
