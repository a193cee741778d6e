/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of an upload: what the store has of them, whatever was sent again,
 * became stale, failed or was recalled; and that no more are on their way than
 * may be. Every store of the contract is sent parts in test_store_contract.c.
 *
 * Covers: store/upload_record.c
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/waiter.h"
#include "memstore.h"
#include "store/upload_parts.h"
#include "store/upload_record.h"

#define PART ((size_t)5 << 20)
#define WIDTH 3

struct rig {
	struct store *s;
	struct upload_parts *p;
	char *bytes; /* of two parts */
	unsigned ended; /* atomic */
	unsigned failed; /* atomic */
};

static void rig_open(struct rig *r, unsigned delay_ms)
{
	*r = (struct rig){ .s = memstore_new("mem"),
			   .bytes = malloc(2 * PART) };
	assert_non_null(r->s);
	assert_non_null(r->bytes);
	memset(r->bytes, 'a', PART);
	memset(r->bytes + PART, 'b', PART);
	memstore_delay(r->s, delay_ms);
	waiter_begin(waiter_self());
	row_number("opened", upload_parts_open(r->s, "k", NULL, WIDTH, &r->p),
		   0);
}

static void rig_close(struct rig *r)
{
	row_number("no upload remains", memstore_uploads(r->s), 0);
	upload_parts_free(r->p);
	store_unref(r->s);
	free(r->bytes);
}

static void on_ended(void *arg, int rc)
{
	struct rig *r = arg;

	__atomic_add_fetch(&r->ended, 1, __ATOMIC_SEQ_CST);
	if (rc)
		__atomic_add_fetch(&r->failed, 1, __ATOMIC_SEQ_CST);
}

/* Part `number`, full of 'a' or 'b'. */
static int rig_send(struct rig *r, unsigned number, char c, bool owned)
{
	const struct upload_part part = {
		.number = number,
		.offset = (number - 1) * PART,
		.body = { .data = r->bytes + (c == 'b' ? PART : 0),
			  .fd = -1,
			  .len = PART },
		.ended = owned ? on_ended : NULL,
		.arg = r,
	};

	return upload_parts_send(r->p, &part);
}

/* The first bytes of the object's parts. */
static void rig_content(struct rig *r, const char *want)
{
	size_t n = strlen(want), got;

	for (size_t i = 0; i < n; i++) {
		char c;

		row_number(want,
			   store_get_sync(r->s, "k", NULL, i * PART, &c, 1,
					  &got, NULL),
			   0);
		row_number(want, c, want[i]);
	}
}

/*
 * What is done, a letter each: `1` to `4` send that part full of 'a', `!` lets
 * the next of them fail, `B` sends part 2 full of 'b', `s` makes part 2 stale,
 * `c` copies part 2 from an object full of 'b', `w` waits for all.
 */
static const struct {
	const char *sentence, *steps;
	unsigned n;
	int complete;
	const char *content;
} rows[] = {
	{ "one part", "1", 1, 0, "a" },
	{ "in order", "123", 3, 0, "aaa" },
	{ "in any order", "4213", 4, 0, "aaaa" },
	{ "a part is missing", "13", 3, -EAGAIN, NULL },
	{ "fewer than were sent", "123", 2, 0, "aa" },
	{ "sent again", "12wB", 2, 0, "ab" },
	{ "stale when it was there", "12ws", 2, -EAGAIN, NULL },
	{ "stale and sent again", "12wsB", 2, 0, "ab" },
	{ "stale on its way", "12s", 2, -EAGAIN, NULL },
	{ "stale on its way, and sent again", "12swB", 2, 0, "ab" },
	{ "copied", "1c3", 3, 0, "aba" },
	{ "copied over what was sent", "12wc", 2, 0, "ab" },
	{ "failed", "1!2", 2, -EAGAIN, NULL },
	{ "failed and sent again", "1!2wB", 2, 0, "ab" },
	{ "failed, and stale", "1!2sw2", 2, 0, "aa" },
};

static void rig_step(struct rig *r, char step)
{
	const struct store_range from = { .key = "from", .len = PART };

	switch (step) {
	case 'w':
		row_number("waited", upload_parts_wait(r->p, 0), 0);
		break;
	case 's':
		upload_parts_stale(r->p, 2, 2);
		break;
	case 'c':
		row_number("copied", upload_parts_copy(r->p, 2, PART, &from),
			   0);
		break;
	case '!':
		memstore_fail(r->s, "part", 1, -EIO);
		break;
	case 'B':
		row_number("sent", rig_send(r, 2, 'b', true), 0);
		break;
	default:
		row_number("sent", rig_send(r, step - '0', 'a', true), 0);
	}
}

static void what_the_store_has(void **state)
{
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		const char *steps = rows[i / 2].steps;
		struct object_info info;
		unsigned sent = 0;
		struct rig r;

		rig_open(&r, i % 2 ? 5 : 0);
		row_number("source",
			   memstore_poke(r.s, "from", r.bytes + PART, PART), 0);
		for (const char *s = steps; *s; s++) {
			/* At once: there is no way to be stale on. */
			if (!(i % 2) && *s == 's' && s[1] == 'w')
				s++;
			rig_step(&r, *s);
			sent += strchr("1234B", *s) != NULL;
		}
		row_number(rows[i / 2].sentence, upload_parts_wait(r.p, 0), 0);
		row_number(rows[i / 2].sentence, r.ended, sent);
		row_number(rows[i / 2].sentence,
			   upload_parts_complete(r.p, rows[i / 2].n, NULL,
						 &info),
			   rows[i / 2].complete);
		if (rows[i / 2].complete)
			row_number("aborted", upload_parts_abort(r.p), 0);
		else
			rig_content(&r, rows[i / 2].content);
		rig_close(&r);
	}
}

static void what_failed_is_kept(void **state)
{
	struct rig r;

	rig_open(&r, 0);
	memstore_fail(r.s, "part", 1, -EACCES);
	row_number("sent", rig_send(&r, 1, 'a', true), 0);
	row_number("told", r.failed, 1);
	row_check("not there", !upload_parts_has(r.p, 1));
	row_number("kept", upload_parts_error(r.p, false), -EACCES);
	row_number("forgotten", upload_parts_error(r.p, true), -EACCES);
	row_number("once", upload_parts_error(r.p, true), 0);
	row_number("aborted", upload_parts_abort(r.p), 0);
	rig_close(&r);
}

static void bytes_that_are_wanted_back(void **state)
{
	struct upload_parts_count n;
	struct rig r;

	rig_open(&r, 100);
	row_number("owned", rig_send(&r, 1, 'a', true), 0);
	row_number("borrowed", rig_send(&r, 2, 'a', false), 0);
	n = upload_parts_count(r.p);
	row_number("on their way", n.sending, 2);
	row_number("one of them owned", n.owned, 1);
	/* Whatever interrupts: the memory is not looked at any more. */
	waiter_interrupt(waiter_self());
	upload_parts_recall(r.p);
	memset(r.bytes, 'x', PART);
	row_check("recalled", !upload_parts_is_sending(r.p, 2));
	row_check("not there", !upload_parts_has(r.p, 2));
	row_number("no failure", upload_parts_error(r.p, false), 0);
	row_number("an interrupt ends a wait", upload_parts_wait(r.p, 0),
		   upload_parts_is_sending(r.p, 1) ? -EINTR : 0);
	row_number("aborted", upload_parts_abort(r.p), 0);
	row_number("told", r.ended, 1);
	rig_close(&r);
}

/* ---- as many as may be ---- */

struct copies {
	struct rig *rig;
	unsigned number;
};

static void *copy_one(void *arg)
{
	const struct copies *c = arg;
	const struct store_range from = { .key = "from", .len = PART };

	waiter_begin(waiter_self());
	row_number("copied",
		   upload_parts_copy(c->rig->p, c->number,
				     (c->number - 1) * PART, &from),
		   0);
	return NULL;
}

/* Copies by several threads beside parts, while another thread looks. */
static void many_at_once(void **state)
{
	struct copies copies[4];
	pthread_t threads[4];
	struct object_info info;
	struct rig r;

	rig_open(&r, 3);
	row_number("source", memstore_poke(r.s, "from", r.bytes + PART, PART),
		   0);
	for (unsigned i = 0; i < 4; i++) {
		copies[i] = (struct copies){ &r, 2 * i + 2 };
		assert_int_equal(pthread_create(&threads[i], NULL, copy_one,
						&copies[i]),
				 0);
	}
	for (unsigned n = 1; n <= 7; n += 2) {
		row_number("sent", rig_send(&r, n, 'a', true), 0);
		row_check("bounded", upload_parts_count(r.p).sending <= WIDTH);
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	row_number("all ended", upload_parts_wait(r.p, 0), 0);
	row_number("told of each", r.ended, 4);
	row_number("complete", upload_parts_complete(r.p, 8, NULL, &info), 0);
	rig_content(&r, "abababab");
	rig_close(&r);
}

static int keep_first(void *arg, const struct store_part_there *part)
{
	++*(unsigned *)arg;
	return part->number == 1;
}

/* What was stopped stays; of its parts those are there that are wanted. */
static void gone_on_with(void **state)
{
	struct upload_parts *again;
	struct store_pending left;
	unsigned seen = 0;
	struct rig r;

	rig_open(&r, 0);
	row_number("sent", rig_send(&r, 1, 'a', true), 0);
	row_number("sent", rig_send(&r, 2, 'a', true), 0);
	upload_parts_wait(r.p, 0);
	upload_parts_stop(r.p);
	left.key = (char *)"k";
	left.id = strdup(store_upload_id(upload_parts_upload(r.p)));
	row_number("resumed",
		   upload_parts_resume(r.s, &left, WIDTH, keep_first, &seen,
				       &again),
		   0);
	upload_parts_free(r.p);
	r.p = again;
	row_number("told of both", seen, 2);
	row_check("kept", upload_parts_has(r.p, 1));
	row_check("to be sent again", !upload_parts_has(r.p, 2));
	row_number("sent", rig_send(&r, 2, 'b', true), 0);
	upload_parts_wait(r.p, 0);
	row_number("complete", upload_parts_complete(r.p, 2, NULL, NULL), 0);
	rig_content(&r, "ab");
	again = NULL;
	row_number("gone",
		   upload_parts_resume(r.s, &left, WIDTH, keep_first, &seen,
				       &again),
		   -ENOENT);
	row_check("no upload", !again);
	free(left.id);
	rig_close(&r);
}

/* The line of a record that cannot be one. */
static void records_are_read_back(void **state)
{
	static const struct {
		const char *sentence, *text;
		int rc;
		const char *key, *rest;
	} lines[] = {
		{ "a record", "s\nmem:k\na%20b\nid\n", 0, "a b", "" },
		{ "more behind it", "s\nl\nk\nid\nmine\n", 0, "k", "mine\n" },
		{ "cut short", "s\nl\nk\ni", -EINVAL, NULL, NULL },
		{ "nothing", "", -EINVAL, NULL, NULL },
		{ "no key", "s\nl\n\nid\n", -EINVAL, NULL, NULL },
		{ "no id", "s\nl\nk\n\n", -EINVAL, NULL, NULL },
		{ "a broken escape", "s\nl\n%2\nid\n", -EINVAL, NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(lines); i++) {
		struct upload_record record = UPLOAD_RECORD_INIT;
		const char *rest = NULL;

		row_number(lines[i].sentence,
			   upload_record_read(lines[i].text, &record, &rest),
			   lines[i].rc);
		if (!lines[i].rc) {
			row_equal(lines[i].sentence,
				  upload_record_pending(&record).key,
				  lines[i].key);
			row_equal(lines[i].sentence, rest, lines[i].rest);
		}
		upload_record_clear(&record);
	}
}

SUITE(upload_parts)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_store_has),
		cmocka_unit_test(what_failed_is_kept),
		cmocka_unit_test(bytes_that_are_wanted_back),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(gone_on_with),
		cmocka_unit_test(records_are_read_back),
	};

	digest_init();
	return cmocka_run_group_tests_name("upload_parts", tests, NULL, NULL);
}
