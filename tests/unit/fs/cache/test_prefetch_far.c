/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a GiB takes from a store that is 100 ms away, in a time of our own:
 * GETs that are under way have an even share of the wire, a new connection
 * costs a round trip, and the reader takes a MiB at a time as soon as it is
 * there. Beside it 32 GETs of a 32nd each, all begun at once.
 * Covers: fs/cache/prefetch.c fs/cache/wire.c
 */
#include "unit.h"

#include "fs/cache/prefetch.h"
#include "fs/cache/wire.h"

#define MIB (1ULL << 20)
#define SIZE (1024 * MIB)
#define RTT_US 100000ULL
#define STEP_US 250ULL
#define CONNECTIONS 32
#define GETS_MAX 1024
#define READER_RATE 2500 /* bytes a microsecond */

struct far_get {
	uint64_t end, left; /* of the object; bytes to come */
	uint64_t asked_us, flows_us; /* flows: 0 while it has no connection */
	bool begun, ended;
};

struct far {
	uint64_t us, rate; /* now; bytes a microsecond of the wire */
	struct far_get gets[GETS_MAX];
	unsigned n, passed; /* asked for; the reader is beyond so many */
	unsigned open, idle; /* connections */
	uint64_t asked; /* the end of the last */
	struct wire wire, seen; /* what GETs have told; what the reader knows */
	struct prefetch prefetch;
	uint64_t at, free_us; /* where the reader is, and when it goes on */
	uint64_t most; /* bytes asked for ahead of it */
	bool waits;
};

static void far_ask(struct far *f, uint64_t end)
{
	assert_true(f->n < GETS_MAX);
	f->gets[f->n++] = (struct far_get){
		.end = end,
		.left = end - f->asked,
		.asked_us = f->us,
	};
	f->asked = end;
}

/* Those that wait for a connection get one. */
static void far_connect(struct far *f)
{
	for (unsigned i = f->passed; i < f->n; i++) {
		struct far_get *g = &f->gets[i];

		if (g->flows_us)
			continue;
		if (f->idle) {
			f->idle--;
			g->flows_us = f->us + RTT_US;
		} else if (f->open < CONNECTIONS) {
			f->open++;
			g->flows_us = f->us + 2 * RTT_US;
		}
	}
}

static bool far_flows(const struct far *f, const struct far_get *g)
{
	return g->flows_us && g->flows_us <= f->us && !g->ended;
}

static void far_get_bytes(struct far *f, struct far_get *g, uint64_t n,
			  uint64_t len)
{
	if (!g->begun)
		wire_saw_first(&f->wire, f->us - g->asked_us);
	g->begun = true;
	g->left -= n < g->left ? n : g->left;
	if (g->left)
		return;
	g->ended = true;
	f->idle++;
	wire_saw(&f->wire, g->flows_us - g->asked_us,
		 f->us + STEP_US - g->asked_us, len);
}

/* What comes in a step. */
static void far_flow(struct far *f)
{
	unsigned flowing = 0;

	for (unsigned i = f->passed; i < f->n; i++)
		flowing += far_flows(f, &f->gets[i]);
	for (unsigned i = f->passed; i < f->n; i++) {
		struct far_get *g = &f->gets[i];
		uint64_t start = i ? f->gets[i - 1].end : 0;

		if (far_flows(f, g))
			far_get_bytes(f, g, f->rate * STEP_US / flowing,
				      g->end - start);
	}
}

/* As reader.c has it: what is missing first, then what is ahead. */
static void far_plan(struct far *f, uint64_t end)
{
	const struct prefetch_read r = {
		.offset = f->at,
		.len = MIB,
		.size = SIZE,
		.now_us = f->us + 1,
		.wire = &f->seen,
	};
	struct prefetch_plan plan;
	uint64_t next;

	prefetch_plan(&f->prefetch, &r, &plan);
	while (f->asked < end)
		far_ask(f, f->asked + plan.block < SIZE ? f->asked + plan.block
							: SIZE);
	while (f->asked < SIZE && (next = prefetch_next(&plan, f->asked, SIZE)))
		far_ask(f, next);
	if (f->asked - f->at > f->most)
		f->most = f->asked - f->at;
}

/* Whether all before `end` has come. */
static bool far_has(struct far *f, uint64_t end)
{
	for (unsigned i = f->passed; i < f->n; i++) {
		const struct far_get *g = &f->gets[i];
		uint64_t beyond = g->end > end ? g->end - end : 0;

		if (g->left > beyond)
			return false;
		if (g->end >= end)
			break;
	}
	return true;
}

static void far_read(struct far *f)
{
	while (f->at < SIZE && f->free_us <= f->us) {
		uint64_t end = f->at + MIB;

		if (!f->waits)
			far_plan(f, end);
		f->waits = !far_has(f, end);
		if (f->waits)
			return;
		f->at = end;
		f->seen = f->wire;
		while (f->passed < f->n && f->gets[f->passed].end <= end)
			f->passed++;
		f->free_us = f->us + MIB / READER_RATE;
	}
}

struct far_row {
	const char *says;
	uint64_t rate; /* MB/s */
	unsigned percent; /* at least, of what the 32 have */
};

static const struct far_row rows[] = {
	{ "100 ms away, 500 MB/s", 500, 90 },
	{ "100 ms away, 700 MB/s", 700, 85 },
	{ "100 ms away, 1,000 MB/s", 1000, 78 },
};

static void test_far(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct far_row *r = &rows[i];
		uint64_t theirs = 2 * RTT_US + SIZE / r->rate;
		static struct far f;

		f = (struct far){ .rate = r->rate };
		while (f.at < SIZE && f.us < 60000000) {
			far_read(&f);
			far_connect(&f);
			far_flow(&f);
			f.us += STEP_US;
		}
		print_message("%s: %llu and %llu ms, %u GETs\n", r->says,
			      (unsigned long long)theirs / 1000,
			      (unsigned long long)f.us / 1000, f.n);
		row_check(r->says, theirs * 100 / f.us >= r->percent);
		row_check(r->says, f.most <= PREFETCH_WINDOW_MAX + 2 * MIB);
		row_check(r->says, f.n <= 300);
	}
}

SUITE(prefetch_far)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
