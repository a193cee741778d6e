/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many small calls a mount gets through with many clients at once.
 *
 *	bench_names DIR lookup|create|getxattr [CLIENTS [CALLS]]
 *	bench_names FILE read [CLIENTS [CALLS]]
 *
 * Each client is a thread that makes CALLS calls (2000) of its kind:
 *
 *	lookup		stat(2) of names that are not there, each another one
 *	create		open(2) of new files; closing and removing them is not
 *			measured
 *	getxattr	user.presign.download of DIR/file, which is there
 *	read		4 KiB of FILE, anywhere
 *
 * Prints calls a second, of all clients (16) together.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

struct client {
	pthread_t thread;
	const char *dir;
	int number, calls;
	int *fds; /* what create has opened */
	int file; /* that read reads */
	unsigned seed;
	int (*call)(struct client *c, int k);
	pthread_barrier_t *start;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void name_of(const struct client *c, int k, char path[4096])
{
	snprintf(path, 4096, "%s/bench-%d-%d-%d", c->dir, (int)getpid(),
		 c->number, k);
}

static int lookup(struct client *c, int k)
{
	char path[4096];
	struct stat st;

	name_of(c, k, path);
	return stat(path, &st) && errno == ENOENT ? 0 : -1;
}

static int create(struct client *c, int k)
{
	char path[4096];

	name_of(c, k, path);
	c->fds[k] = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return c->fds[k] < 0 ? -1 : 0;
}

static int url(struct client *c, int k)
{
	char path[4096], value[4096];

	(void)k;
	snprintf(path, sizeof(path), "%s/file", c->dir);
	return getxattr(path, "user.presign.download", value, sizeof(value)) > 0
		       ? 0
		       : -1;
}

static int read_anywhere(struct client *c, int k)
{
	char bytes[4096];
	struct stat st;
	off_t blocks;

	if (!k)
		c->seed = (unsigned)c->number, c->file = open(c->dir, O_RDONLY);
	if (c->file < 0 || fstat(c->file, &st))
		return -1;
	blocks = st.st_size / (off_t)sizeof(bytes);
	return blocks && pread(c->file, bytes, sizeof(bytes),
			       rand_r(&c->seed) % blocks * 4096) ==
				       (ssize_t)sizeof(bytes)
		       ? 0
		       : -1;
}

static void *work(void *arg)
{
	struct client *c = arg;

	pthread_barrier_wait(c->start);
	for (int k = 0; k < c->calls; k++)
		if (c->call(c, k)) {
			perror("bench_names");
			exit(2);
		}
	pthread_barrier_wait(c->start);
	for (int k = 0; c->call == create && k < c->calls; k++) {
		char path[4096];

		name_of(c, k, path);
		close(c->fds[k]);
		unlink(path);
	}
	return NULL;
}

static const struct {
	const char *name;
	int (*call)(struct client *c, int k);
} kinds[] = {
	{ "lookup", lookup },
	{ "create", create },
	{ "getxattr", url },
	{ "read", read_anywhere },
};

int main(int argc, char **argv)
{
	int clients = argc > 3 ? atoi(argv[3]) : 16;
	int calls = argc > 4 ? atoi(argv[4]) : 2000;
	int (*call)(struct client *, int) = NULL;
	struct client *c = calloc((size_t)clients, sizeof(*c));
	pthread_barrier_t start;
	double began, took;

	for (size_t k = 0; argc > 2 && k < sizeof(kinds) / sizeof(*kinds); k++)
		if (!strcmp(argv[2], kinds[k].name))
			call = kinds[k].call;
	if (!call || !c || clients < 1 || calls < 1)
		return 2;
	pthread_barrier_init(&start, NULL, (unsigned)clients + 1);
	for (int k = 0; k < clients; k++) {
		c[k] = (struct client){ .dir = argv[1],
					.number = k,
					.calls = calls,
					.call = call,
					.start = &start };
		c[k].fds = calloc((size_t)calls, sizeof(int));
		if (!c[k].fds ||
		    pthread_create(&c[k].thread, NULL, work, &c[k]))
			return 2;
	}
	pthread_barrier_wait(&start);
	began = now_s();
	pthread_barrier_wait(&start);
	took = now_s() - began;
	for (int k = 0; k < clients; k++) {
		pthread_join(c[k].thread, NULL);
		free(c[k].fds);
	}
	free(c);
	printf("%.0f\n", (double)clients * calls / took);
	return 0;
}
