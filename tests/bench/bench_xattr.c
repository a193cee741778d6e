/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pre-signed URL costs beside an empty getxattr on the same mount.
 *
 *	bench_xattr FILE [SECONDS]
 *
 * From one and from four clients: getxattr of a name that no file has, which
 * is what the kernel and FUSE cost, in turn with that of the URL. The quickest
 * of many short rounds counts for each: what else the machine does can only
 * make one slower. Prints microseconds a call and their ratio; exit status 1
 * when that is over the promised 1.5 (docs/performance.md).
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>

#define ROUNDS 50
#define CLIENTS_MAX 4
#define MOST 1.5

struct client {
	pthread_t thread;
	const char *file, *name;
	double until;
	long calls;
	int rc; /* what was not expected */
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *call(void *arg)
{
	struct client *c = arg;
	char value[4096];

	while (now_s() < c->until) {
		for (int i = 0; i < 32; i++) {
			ssize_t n = getxattr(c->file, c->name, value,
					     sizeof(value));

			if (n < 0 && errno != ENODATA)
				c->rc = errno;
			c->calls++;
		}
	}
	return NULL;
}

/* Seconds a call, as each client sees it. */
static double measure(const char *file, const char *name, int clients,
		      double seconds)
{
	struct client c[CLIENTS_MAX];
	double start = now_s();
	long calls = 0;

	for (int i = 0; i < clients; i++) {
		c[i] = (struct client){ .file = file,
					.name = name,
					.until = start + seconds };
		if (pthread_create(&c[i].thread, NULL, call, &c[i]))
			exit(2);
	}
	for (int i = 0; i < clients; i++) {
		pthread_join(c[i].thread, NULL);
		calls += c[i].calls;
		if (c[i].rc) {
			fprintf(stderr, "bench_xattr: %s: %s: %s\n", file, name,
				strerror(c[i].rc));
			exit(2);
		}
	}
	return (now_s() - start) * clients / (double)calls;
}

static double least(const double *values, int n)
{
	double found = values[0];

	for (int i = 1; i < n; i++)
		found = values[i] < found ? values[i] : found;
	return found;
}

static int compare(const char *file, int clients, double seconds)
{
	double empty[ROUNDS], url[ROUNDS], ratio;

	for (int i = 0; i < ROUNDS; i++) {
		empty[i] =
			measure(file, "user.none", clients, seconds / ROUNDS);
		url[i] = measure(file, "user.presign.download", clients,
				 seconds / ROUNDS);
	}
	ratio = least(url, ROUNDS) / least(empty, ROUNDS);
	printf("getxattr-empty %d %.1f us\n", clients,
	       1e6 * least(empty, ROUNDS));
	printf("getxattr-url %d %.1f us\n", clients, 1e6 * least(url, ROUNDS));
	printf("getxattr-ratio %d %.2f\n", clients, ratio);
	return ratio > MOST;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[2]) : 5;
	char value[4096];
	int status;

	if (argc < 2)
		return 2;
	if (getxattr(argv[1], "user.presign.download", value, sizeof(value)) <
	    0) {
		fprintf(stderr, "bench_xattr: %s: %s\n", argv[1],
			strerror(errno));
		return 2;
	}
	status = compare(argv[1], 1, seconds);
	status |= compare(argv[1], CLIENTS_MAX, seconds);
	return status;
}
