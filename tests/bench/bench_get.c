/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a server gives out one URL: bench_get URL CONNECTIONS SECONDS prints
 * requests and MiB a second. Connections are kept open, a thread for each; the
 * kernel throws the bytes away (MSG_TRUNC), so that it is the server that is
 * measured.
 */
#include <netdb.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct addrinfo *server;
static char request[16384];
static double until;

struct client {
	pthread_t thread;
	uint64_t requests, bytes;
	int failed;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Reads a head; the bytes of the body that came with it; -1: no 200. */
static long read_head(int fd, uint64_t *length)
{
	char head[8192];
	size_t n = 0;
	char *end, *field;

	do {
		ssize_t got = recv(fd, head + n, sizeof(head) - 1 - n, 0);

		if (got <= 0)
			return -1;
		n += got;
		head[n] = '\0';
		end = strstr(head, "\r\n\r\n");
	} while (!end && n < sizeof(head) - 1);
	field = end ? strcasestr(head, "\r\nContent-Length: ") : NULL;
	if (!field || strncmp(head, "HTTP/1.1 200", 12) != 0)
		return -1;
	*length = strtoull(field + 18, NULL, 10);
	return n - (end + 4 - head);
}

static int get_once(int fd, uint64_t *bytes)
{
	size_t len = strlen(request);
	uint64_t length = 0;
	long early;

	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	early = read_head(fd, &length);
	if (early < 0)
		return -1;
	for (uint64_t left = length - early; left;) {
		ssize_t got = recv(fd, NULL, left < 4 << 20 ? left : 4 << 20,
				   MSG_TRUNC);

		if (got <= 0)
			return -1;
		left -= got;
	}
	*bytes += length;
	return 0;
}

static void *run(void *arg)
{
	struct client *c = arg;
	int fd = socket(server->ai_family, SOCK_STREAM, 0);

	c->failed = fd < 0 || connect(fd, server->ai_addr, server->ai_addrlen);
	while (!c->failed && now() < until) {
		c->failed = get_once(fd, &c->bytes);
		c->requests++;
	}
	close(fd);
	return NULL;
}

/* http://HOST:PORT/TARGET */
static int prepare(const char *url)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char host[256], port[8], target[8192];

	if (sscanf(url, "http://%255[^:/]:%7[0-9]%8191s", host, port, target) !=
	    3)
		return -1;
	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", target, host, port);
	return getaddrinfo(host, port, &hints, &server);
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[2]) : 0, failed = 0;
	struct client *clients = calloc(n > 0 ? n : 1, sizeof(*clients));
	uint64_t requests = 0, bytes = 0;
	double start = now();

	if (n < 1 || !clients || prepare(argv[1])) {
		fputs("bench_get http://HOST:PORT/TARGET CONNECTIONS SECONDS\n",
		      stderr);
		return 2;
	}
	until = start + atof(argv[3]);
	for (int i = 0; i < n; i++)
		pthread_create(&clients[i].thread, NULL, run, &clients[i]);
	for (int i = 0; i < n; i++) {
		pthread_join(clients[i].thread, NULL);
		requests += clients[i].requests;
		bytes += clients[i].bytes;
		failed |= clients[i].failed;
	}
	printf("%.0f %.1f\n", requests / (now() - start),
	       bytes / (now() - start) / (1 << 20));
	free(clients);
	freeaddrinfo(server);
	return failed;
}
