/* SPDX-License-Identifier: Apache-2.0 */
/* Whose socket is at the other end. */
#include "unit.h"

#include <errno.h>
#include <sys/wait.h>

#include "gateway/login/peer.h"
#include "socket_pair.h"

#define NOBODY 65534

typedef int ask_fn(const struct sockaddr_storage *peer,
		   const struct sockaddr_storage *local, uid_t *out);
static ask_fn *const ways[] = { peer_uid, peer_uid_asked, peer_uid_listed };

static const struct {
	const char *sentence;
	int server, client;
	bool mapped;
} kinds[] = {
	{ "IPv4", AF_INET, AF_INET, false },
	{ "IPv4 from a socket of the newer kind", AF_INET, AF_INET6, true },
	{ "IPv6", AF_INET6, AF_INET6, false },
};

static void whose_socket(void **state)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct pair p;

		if (!listen_at(&p, kinds[i].server) ||
		    !connect_client(&p, kinds[i].client, kinds[i].mapped))
			continue; /* a machine without IPv6 */
		accept_client(&p);
		for (size_t w = 0; w < COUNT(ways); w++) {
			uid_t uid = 12345;

			row_number(kinds[i].sentence,
				   ways[w](&p.peer, &p.local, &uid), 0);
			row_number(kinds[i].sentence, uid, geteuid());
		}
		close(p.client);
		p.client = -1;
		for (size_t w = 0; w < COUNT(ways); w++) {
			uid_t uid = 12345;

			row_number("closed by its program",
				   ways[w](&p.peer, &p.local, &uid), -ENOENT);
			row_number("so it is nobody's", uid, 12345);
		}
		close_pair(&p);
	}
}

/* What no program has taken yet is ESTABLISHED, and has no owner. */
static void a_socket_without_a_program(void **state)
{
	struct sockaddr_storage client, taken;
	socklen_t len = sizeof(client);
	struct pair p;

	assert_true(listen_at(&p, AF_INET));
	assert_true(connect_client(&p, AF_INET, false));
	getsockname(p.client, (struct sockaddr *)&client, &len);
	len = sizeof(taken);
	getpeername(p.client, (struct sockaddr *)&taken, &len);
	for (size_t w = 0; w < COUNT(ways); w++) {
		uid_t uid = 12345;

		row_number("in the queue of a listener",
			   ways[w](&taken, &client, &uid), -ENOENT);
		row_number("is nobody's", uid, 12345);
	}
	close_pair(&p);
}

/* A child of another user's has the client's end until it is told to go. */
static pid_t start_stranger(struct pair *p, int go[2])
{
	pid_t child;
	char c;

	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child)
		return child;
	close(go[1]);
	if (setgid(NOBODY) || setuid(NOBODY) ||
	    !connect_client(p, AF_INET, false) || read(go[0], &c, 1) < 0)
		_exit(1);
	_exit(0);
}

static void strangers(void **state)
{
	struct pair p;
	int go[2], status;
	pid_t child;

	if (geteuid()) /* only root can be another user */
		return;
	assert_true(listen_at(&p, AF_INET));
	child = start_stranger(&p, go);
	close(go[0]);
	accept_client(&p);
	for (size_t w = 0; w < COUNT(ways); w++) {
		uid_t uid = 0;

		row_number("seen", ways[w](&p.peer, &p.local, &uid), 0);
		row_number("a stranger", uid, NOBODY);
	}
	close(go[1]);
	waitpid(child, &status, 0);
	for (size_t w = 0; w < COUNT(ways); w++) {
		uid_t uid = NOBODY;

		row_number("gone", ways[w](&p.peer, &p.local, &uid), -ENOENT);
		row_number("not root's", uid, NOBODY);
	}
	close_pair(&p);
}

SUITE(peer)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_socket),
		cmocka_unit_test(strangers),
		cmocka_unit_test(a_socket_without_a_program),
	};

	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
