/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: which are closed when all are taken, and which have a share. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/connections.h"
#include "unit.h"

#define MAX 32

/* Connections over loopback, where the kernel counts. */
struct house {
	struct connections *l;
	struct connection *k[MAX];
	int ours[MAX], theirs[MAX];
	unsigned n;
};

static int listen_here(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)at, n), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &n), 0);
	return fd;
}

static void open_house(struct house *h, unsigned limit, unsigned look_ms)
{
	memset(h, 0, sizeof(*h));
	h->l = connections_new(limit, 60000, look_ms);
	assert_non_null(h->l);
}

/* One more comes: false, there is no room. */
static bool come(struct house *h)
{
	struct sockaddr_in at;
	int door = listen_here(&at);
	unsigned i = h->n;

	h->theirs[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		connect(h->theirs[i], (struct sockaddr *)&at, sizeof(at)), 0);
	h->ours[i] = accept(door, NULL, NULL);
	close(door);
	h->k[i] = connections_add(h->l, h->ours[i]);
	if (h->k[i]) {
		h->n++;
		return true;
	}
	close(h->ours[i]);
	close(h->theirs[i]);
	return false;
}

static struct sockaddr_storage from(const char *text)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		a.ss_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		a.ss_family = AF_INET6;
	}
	return a;
}

static bool work(struct house *h, unsigned i, const char *object,
		 const char *peer)
{
	const struct sockaddr_storage a = from(peer);

	return connections_share(h->l, h->k[i], object, &a) &&
	       connections_set(h->l, h->k[i], CONNECTION_AT_WORK);
}

static bool is_cut(struct house *h, unsigned i)
{
	char byte;

	return recv(h->theirs[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void close_house(struct house *h)
{
	for (unsigned i = 0; i < h->n; i++) {
		connections_remove(h->l, h->k[i]);
		close(h->ours[i]);
		close(h->theirs[i]);
	}
	connections_free(h->l);
}

/* ---- shares ---- */

static const struct {
	const char *sentence;
	const char *objects[2], *peers[2]; /* by turns */
	unsigned let_in; /* of 16 in a house for 16 */
} shares[] = {
	{ "one object has the half that is free, and no more",
	  { "/s/a", "/s/a" },
	  { "10.0.0.1", "127.0.0.1" },
	  8 },
	{ "two have it all", { "/s/a", "/s/b" }, { "127.0.0.1", "::1" }, 8 },
	{ "no object at all", { NULL, NULL }, { "127.0.0.1", "::1" }, 16 },
	{ "one machine has half",
	  { NULL, NULL },
	  { "10.0.0.1", "10.0.0.1" },
	  8 },
	{ "in an older dress too",
	  { NULL, NULL },
	  { "10.0.0.1", "::ffff:10.0.0.1" },
	  8 },
	{ "a network of the newer kind is one",
	  { NULL, NULL },
	  { "2001:db8::1", "2001:db8::2" },
	  8 },
	{ "two have it all", { NULL, NULL }, { "10.0.0.1", "10.0.0.2" }, 16 },
	{ "programs of this machine are not told apart",
	  { NULL, NULL },
	  { "127.0.0.1", "127.0.0.1" },
	  16 },
};

static void have_shares(void **state)
{
	for (size_t r = 0; r < COUNT(shares); r++) {
		unsigned let_in = 0;
		struct house h;

		open_house(&h, 16, 0);
		for (unsigned i = 0; i < 16; i++) {
			row_check(shares[r].sentence, come(&h));
			let_in += work(&h, i, shares[r].objects[i % 2],
				       shares[r].peers[i % 2]);
		}
		row_number(shares[r].sentence, let_in, shares[r].let_in);
		close_house(&h);
	}
}

static void give_shares_back(void **state)
{
	struct house h;

	open_house(&h, 16, 0);
	for (unsigned i = 0; i < 12; i++)
		assert_true(come(&h));
	for (unsigned i = 0; i < 4; i++)
		assert_true(work(&h, i, "/s/a", "127.0.0.1"));
	assert_false(work(&h, 4, "/s/a", "127.0.0.1"));
	assert_true(work(&h, 4, "/s/b", "127.0.0.1"));
	/* the next request of a connection that has one is the same one */
	assert_true(work(&h, 0, "/s/a", "127.0.0.1"));
	assert_true(connections_set(h.l, h.k[0], CONNECTION_IDLE));
	assert_true(work(&h, 5, "/s/a", "127.0.0.1"));
	assert_false(work(&h, 0, "/s/a", "127.0.0.1"));
	close_house(&h);
}

/* ---- a full house ---- */

static void move(struct house *h, unsigned i, size_t n)
{
	char *room = calloc(1, 16384);

	while (n) {
		size_t want = n < 16384 ? n : 16384;

		assert_int_equal(send(h->theirs[i], room, want, 0), want);
		assert_int_equal(recv(h->ours[i], room, want, MSG_WAITALL),
				 want);
		n -= want;
	}
	free(room);
}

/*
 * What is too slow for a full house is 1 MiB in a look. That is an hour here: a
 * connection has a rate once it is five minutes old, so a new one has none
 * however long this takes.
 */
#define LOOK_MS 3600000
#define HALF_A_LOOK (LOOK_MS / 2)
#define SINCE_THE_LAST_SEARCH_US 60000 /* at least */

static void the_slowest_goes(void **state)
{
	struct house h;

	open_house(&h, 4, LOOK_MS);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(come(&h));
		assert_true(work(&h, i, NULL, "127.0.0.1"));
	}
	/* none has a rate in the beginning */
	assert_false(come(&h));
	for (unsigned i = 0; i < 4; i++)
		h.k[i]->began_ms -= HALF_A_LOOK;
	move(&h, 0, 4 << 20);
	move(&h, 1, 100000);
	move(&h, 2, 10000);
	move(&h, 3, 4 << 20);
	usleep(SINCE_THE_LAST_SEARCH_US);
	assert_true(come(&h));
	assert_true(is_cut(&h, 2));
	assert_false(is_cut(&h, 1));
	assert_true(work(&h, 4, NULL, "127.0.0.1"));
	usleep(SINCE_THE_LAST_SEARCH_US);
	assert_true(come(&h));
	assert_true(is_cut(&h, 1));
	assert_true(work(&h, 5, NULL, "127.0.0.1"));
	/* a client that waits for us is not slow, nor are the others */
	connections_set_waiter(h.l, h.k[4], (struct waiter *)&h);
	connections_set_waiter(h.l, h.k[5], (struct waiter *)&h);
	h.k[4]->began_ms -= HALF_A_LOOK;
	h.k[5]->began_ms -= HALF_A_LOOK;
	usleep(SINCE_THE_LAST_SEARCH_US);
	assert_false(come(&h));
	assert_false(is_cut(&h, 0));
	assert_false(is_cut(&h, 3));
	connections_set_waiter(h.l, h.k[4], NULL);
	connections_set_waiter(h.l, h.k[5], NULL);
	close_house(&h);
}

static void the_idle_go_first(void **state)
{
	struct house h;

	open_house(&h, 2, LOOK_MS);
	assert_true(come(&h));
	assert_true(come(&h));
	assert_true(work(&h, 0, NULL, "127.0.0.1"));
	h.k[0]->began_ms -= HALF_A_LOOK;
	assert_true(come(&h));
	assert_false(is_cut(&h, 0));
	assert_true(is_cut(&h, 1));
	close_house(&h);
}

SUITE(connections)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(have_shares),
		cmocka_unit_test(give_shares_back),
		cmocka_unit_test(the_slowest_goes),
		cmocka_unit_test(the_idle_go_first),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
