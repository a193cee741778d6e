/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads that are slow, many, broken off or large: they leave nothing, stay
 * within memory, and do not stop others.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "memstore.h"
#include "upload_rig.h"

#define MIB ((size_t)1 << 20)
#define S1 "stage/internal/s1/"
#define IN_S1 FORM_TYPE "stage_name: s1\r\n"
#define IN_MEM BOB FORM_TYPE "stage_name: mem\r\n"
#define BODY_S 1

static void soon(struct gateway_settings *set)
{
	set->body_timeout_s = BODY_S;
}

static void put_to(const struct upload_rig *rig, const char *lines,
		   const struct buf *form, unsigned status)
{
	struct reply r;

	upload_rig_send(rig, lines, form->data, form->len, &r);
	reply_expect(lines, &r, status, NULL);
	reply_clear(&r);
}

/* Sends what it can of the bytes. */
static void send_some(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);

		if (done <= 0)
			return;
		bytes += done;
		n -= (size_t)done;
	}
}

/* ---- broken off ---- */

static const struct {
	const char *sentence, *lines;
	size_t size, sent; /* of the form */
	bool reset; /* by a reset, not an end */
} broken[] = {
	{ "before the first byte", IN_MEM, MIB, 0, false },
	{ "in a part's headers", IN_MEM, MIB, 20, false },
	{ "in a small file", IN_MEM, MIB, MIB / 2, false },
	{ "in a large one", IN_MEM, 40 * MIB, 30 * MIB, false },
	{ "in a large one, by a reset", IN_MEM, 40 * MIB, 30 * MIB, true },
	{ "before the closing boundary", IN_MEM, 20 * MIB, 20 * MIB + 75,
	  false },
	{ "on a disk", IN_S1, 20 * MIB, 15 * MIB, false },
};

static void break_off(const struct upload_rig *rig, size_t i)
{
	const struct linger none = { .l_onoff = 1 };
	struct buf text = BUF_INIT(64 * MIB), form = BUF_INIT(64 * MIB);
	int fd = rig_connect(&rig->base);

	upload_rig_form(&form, "broken", broken[i].size, 1);
	upload_rig_head(rig, broken[i].lines, (int64_t)form.len, &text);
	buf_add(&text, form.data, broken[i].sent);
	send_some(fd, text.data, text.len);
	if (broken[i].reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
	buf_clear(&text);
	buf_clear(&form);
}

static void broken_off(void **state)
{
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct object_details d;
		struct upload_rig rig;

		upload_rig_open(&rig, NULL);
		memstore_delay(rig.mem, i % 2 ? 5 : 0);
		break_off(&rig, i);
		row_check(broken[i].sentence, upload_rig_quiet(&rig));
		row_number(broken[i].sentence,
			   store_head(rig.base.disk.s, S1 "broken", &d),
			   -ENOENT);
		upload_rig_close(&rig);
	}
}

/* The server ends while one is under way. */
static void the_server_ends(void **state)
{
	struct upload_rig rig;
	struct store *mem;

	upload_rig_open(&rig, NULL);
	mem = store_ref(rig.mem);
	for (int i = 0; i < 4; i++) {
		struct buf text = BUF_INIT(64 * MIB), form = BUF_INIT(64 * MIB);
		int fd = rig_connect(&rig.base);

		upload_rig_form(&form, "ended", 9 * MIB, 1);
		upload_rig_head(&rig, IN_MEM, 1 << 30, &text);
		buf_add(&text, form.data, 9 * MIB);
		send_some(fd, text.data, text.len);
		buf_clear(&text);
		buf_clear(&form);
	}
	for (int i = 0; i < 500 && !memstore_uploads(mem); i++)
		usleep(10000);
	row_check("under way", memstore_uploads(mem));
	upload_rig_close(&rig);
	row_number("nothing remains", memstore_uploads(mem), 0);
	store_unref(mem);
}

/* ---- slow ---- */

static void clients_that_stop(void **state)
{
	struct buf text = BUF_INIT(MIB);
	struct upload_rig rig;
	struct reply r;
	int64_t start;
	int fd;

	upload_rig_open(&rig, soon);
	upload_rig_head(&rig, IN_MEM, MIB, &text);
	buf_adds(&text, PART("slow") "some bytes");
	fd = rig_connect(&rig.base);
	start = clock_mono_ms();
	send_some(fd, text.data, text.len);
	rig_read(fd, &r);
	row_check("ended within the limit",
		  clock_mono_ms() - start < 15000 * BODY_S);
	row_check("no success", r.status != 200);
	row_check("nothing remains", upload_rig_quiet(&rig));
	reply_clear(&r);
	buf_clear(&text);
	upload_rig_close(&rig);
}

/* The client is not to blame for that. */
static void a_store_that_is_slow(void **state)
{
	struct buf form = BUF_INIT(64 * MIB);
	struct upload_rig rig;

	upload_rig_open(&rig, soon);
	memstore_delay(rig.mem, 1500 * BODY_S);
	upload_rig_form(&form, "slow", 30 * MIB, 3);
	put_to(&rig, IN_MEM, &form, 200);
	memstore_delay(rig.mem, 0);
	row_check("whole", upload_rig_there(rig.mem, "p/slow", 30 * MIB, 3));
	buf_clear(&form);
	upload_rig_close(&rig);
}

/* ---- faults ---- */

static const struct {
	const char *sentence, *op;
	unsigned nth;
	size_t size;
} faults[] = {
	{ "a PUT", "put", 1, 1000 },
	{ "the beginning of an upload", "open", 1, 9 * MIB },
	{ "a part", "part", 2, 30 * MIB },
	{ "the completion", "complete", 1, 9 * MIB },
};

static void a_store_that_fails(void **state)
{
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct buf form = BUF_INIT(64 * MIB);
		struct upload_rig rig;
		struct reply r;

		upload_rig_open(&rig, NULL);
		memstore_fail(rig.mem, faults[i].op, faults[i].nth, -EIO);
		upload_rig_form(&form, "f.csv", faults[i].size, 3);
		upload_rig_send(&rig, IN_MEM, form.data, form.len, &r);
		reply_expect(faults[i].sentence, &r, 500, NULL);
		row_equal(faults[i].sentence, r.body,
			  "{\"error\":{\"code\":500,\"message\":\"cannot store "
			  "f.csv: Input/output error\"}}");
		row_check(faults[i].sentence, upload_rig_quiet(&rig));
		reply_clear(&r);
		put_to(&rig, IN_MEM, &form, 200);
		row_check("the next one works",
			  upload_rig_there(rig.mem, "p/f.csv", faults[i].size,
					   3));
		buf_clear(&form);
		upload_rig_close(&rig);
	}
}

static const struct {
	const char *sentence, *begin, *more, *says;
	size_t n;
	unsigned status;
} endless[] = {
	{ "headers of a part that go on", "--b\r\n", "X-A: y\r\n",
	  "headers are too long", 4000, 400 },
	{ "a filename that goes on",
	  "--b\r\nContent-Disposition: form-data; filename=\"", "x",
	  "headers are too long", 100000, 400 },
	{ "no boundary at all", "", "no boundary\r\n", "no boundary", 10000,
	  400 },
	{ "files without end", "--b\r\n",
	  "Content-Disposition: form-data; filename=a\r\n\r\n\r\n--b\r\n",
	  "too many parts", 5000, 400 },
	{ "something behind the end", "--b--", "x", "too much follows", 200000,
	  400 },
};

static void bodies_without_end(void **state)
{
	struct upload_rig rig;

	upload_rig_open(&rig, NULL);
	for (size_t i = 0; i < COUNT(endless); i++) {
		struct buf body = BUF_INIT(64 * MIB);
		struct reply r;

		buf_adds(&body, endless[i].begin);
		for (size_t k = 0; k < endless[i].n; k++)
			buf_adds(&body, endless[i].more);
		upload_rig_send(&rig, IN_MEM, body.data, body.len, &r);
		reply_expect(endless[i].sentence, &r, endless[i].status, NULL);
		row_check(endless[i].sentence, strstr(r.body, endless[i].says));
		reply_clear(&r);
		buf_clear(&body);
	}
	upload_rig_close(&rig);
}

/* ---- many ---- */

#define CROWD 200

struct client {
	const struct upload_rig *rig;
	unsigned number;
	unsigned status;
	pthread_t thread;
};

static size_t size_of(unsigned number)
{
	return number % 20 == 1 ? 9 * MIB + number : 1000 * number;
}

static void *one_client(void *arg)
{
	struct client *c = arg;
	struct buf form = BUF_INIT(64 * MIB);
	struct reply r;
	char name[32];

	snprintf(name, sizeof(name), "f%u", c->number);
	upload_rig_form(&form, name, size_of(c->number), c->number);
	upload_rig_send(c->rig, c->number % 2 ? IN_MEM : IN_S1, form.data,
			form.len, &r);
	c->status = r.status;
	reply_clear(&r);
	buf_clear(&form);
	return NULL;
}

static void two_hundred_at_once(void **state)
{
	struct client *clients = calloc(CROWD, sizeof(*clients));
	struct upload_rig rig;

	assert_non_null(clients);
	upload_rig_open(&rig, NULL);
	memstore_delay(rig.mem, 20);
	for (unsigned i = 0; i < CROWD; i++) {
		clients[i].rig = &rig;
		clients[i].number = i;
		assert_int_equal(pthread_create(&clients[i].thread, NULL,
						one_client, &clients[i]),
				 0);
	}
	for (unsigned i = 0; i < CROWD; i++)
		pthread_join(clients[i].thread, NULL);
	memstore_delay(rig.mem, 0);
	for (unsigned i = 0; i < CROWD; i++) {
		char key[64];

		snprintf(key, sizeof(key), "%sf%u", i % 2 ? "p/" : S1, i);
		row_number(key, clients[i].status, 200);
		row_check(key,
			  upload_rig_there(i % 2 ? rig.mem : rig.base.disk.s,
					   key, size_of(i), i));
	}
	row_number("no upload remains", memstore_uploads(rig.mem), 0);
	upload_rig_close(&rig);
	free(clients);
}

SUITE(upload_limits)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_off),
		cmocka_unit_test(the_server_ends),
		cmocka_unit_test(clients_that_stop),
		cmocka_unit_test(a_store_that_is_slow),
		cmocka_unit_test(a_store_that_fails),
		cmocka_unit_test(bodies_without_end),
		cmocka_unit_test(two_hundred_at_once),
	};

	return cmocka_run_group_tests_name("upload_limits", tests, NULL, NULL);
}
