/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handle is in one of three ways of reading:
 *
 *   at the start   nothing read yet: a read at 0 is taken for sequential
 *   sequential     streak > 0: reads follow one another; the window doubles
 *                  with each from PREFETCH_FIRST to its bound, and grows by
 *                  more with a larger one: what counts is how much was read
 *   random         window 0: a read brings what it asks for, in whole 4 KiB
 *
 * A read that lands a little before or behind `next` is the kernel's own
 * read-ahead out of order, and changes nothing but `next`. A random reader
 * becomes sequential by a read that begins exactly where the last one ended.
 *
 * The bound is twice the reader's rate times the time that one GET takes.
 * Twice, so that a reader which only the window holds back finds a larger one
 * each time; it ends where the store, the network or the reader does. The rate
 * is the best of late: each slice of time may raise it, and lowers it by an
 * eighth at most. A reader that has just begun is taken for a fast one, or a
 * store that is far away would learn too late that it is not.
 *
 * A GET of read-ahead is an eighth of the window at most, up to BLOCK_MAX, so
 * that with the whole window 28 of them are in flight. It is a power of two,
 * because only such buffers are kept (base/pool.h).
 */
#include "fs/cache/prefetch.h"

#include "base/number.h"
#include "fs/cache/block.h"
#include "fs/cache/wire.h"

#define PAGE 4096ULL
#define SLACK (4ULL << 20) /* how far out of order is still in order */
#define RATE_BEGUN 1000000000ULL /* bytes a second: 10 Gbit/s */
#define SLICE_US 50000ULL /* for which the rate is measured, or a GET's time */
#define SECOND_US 1000000ULL

static uint64_t prefetch_page_up(uint64_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static uint64_t prefetch_ahead_block(const struct prefetch *p)
{
	uint64_t n = number_max(p->window / PREFETCH_GETS, PREFETCH_FIRST);

	return number_min(number_power_of_2(n), BLOCK_MAX);
}

/* How many bytes the reader has taken by now, as its rate. */
static void prefetch_measure(struct prefetch *p, const struct prefetch_read *r)
{
	uint64_t slice_us = number_max(SLICE_US, r->wire->rtt_us);
	uint64_t us = r->now_us - p->since_us;

	p->taken += r->len;
	if (!p->rate) {
		p->rate = RATE_BEGUN;
	} else if (us >= slice_us) {
		p->rate = number_max(p->rate - p->rate / 8,
				     p->taken * SECOND_US / us);
	} else {
		return;
	}
	p->since_us = r->now_us;
	p->taken = 0;
}

static uint64_t prefetch_bound(const struct prefetch *p, const struct wire *w)
{
	uint64_t us = wire_takes_us(w, prefetch_ahead_block(p));
	uint64_t bytes = 2 * (p->rate / 1000) * us / 1000;

	bytes = number_max(bytes, PREFETCH_WINDOW_MIN);
	return number_min(bytes, PREFETCH_WINDOW_MAX);
}

/* Reads of a MiB are as good a sign as eight times as many of PREFETCH_FIRST:
 * far away each doubling would cost a round trip. */
static uint64_t prefetch_grown(const struct prefetch *p, uint64_t len)
{
	uint64_t times = number_max(2 * len / PREFETCH_FIRST, 2);

	return number_max(times * p->window,
			  number_max(2 * len, PREFETCH_FIRST));
}

static void prefetch_grow(struct prefetch *p, const struct prefetch_read *r)
{
	p->streak++;
	prefetch_measure(p, r);
	p->window = prefetch_grown(p, r->len);
	p->window = number_min(p->window, prefetch_bound(p, r->wire));
}

static void prefetch_observe(struct prefetch *p, const struct prefetch_read *r,
			     uint64_t end)
{
	bool begins = !p->streak && !p->next && r->offset == 0;
	bool follows = r->offset == p->next && p->next;
	bool near = p->streak && r->offset <= p->next + SLACK &&
		    end + SLACK >= p->next;

	if (begins || follows || (near && end > p->next)) {
		prefetch_grow(p, r);
		p->next = end;
	} else if (!near) {
		*p = (struct prefetch){ .next = end };
	}
}

void prefetch_plan(struct prefetch *p, const struct prefetch_read *r,
		   struct prefetch_plan *out)
{
	uint64_t end = number_min(r->offset + r->len, r->size);

	prefetch_observe(p, r, end);
	*out = (struct prefetch_plan){
		.start = r->offset / PAGE * PAGE,
		.ahead_from = end,
		.ahead_end = end,
		.ahead_block = PREFETCH_FIRST,
		.sequential = p->streak > 0,
	};
	if (r->size <= PREFETCH_WHOLE) {
		out->start = 0;
		out->block = r->size;
		out->ahead_end = r->size;
		return;
	}
	out->block = prefetch_page_up(end) - out->start;
	if (!out->sequential)
		return;
	out->ahead_block = prefetch_ahead_block(p);
	out->block = number_max(out->block, out->ahead_block);
	out->block = number_min(out->block, BLOCK_MAX);
	out->block = number_min(out->block, r->size - out->start);
	out->ahead_end = number_min(end + p->window, r->size);
}

/* GETs that are begun together share the wire: those of the bytes that are
 * wanted first are smaller, or all of them would end at the same time. */
static uint64_t prefetch_block_at(const struct prefetch_plan *plan, uint64_t at)
{
	uint64_t ahead = at > plan->ahead_from ? at - plan->ahead_from : 0;
	uint64_t n = number_power_of_2(number_max(ahead / 2, PREFETCH_FIRST));

	n = number_max(n, plan->ahead_block / 4);
	return number_min(n, plan->ahead_block);
}

uint64_t prefetch_next(const struct prefetch_plan *plan, uint64_t at,
		       uint64_t size)
{
	uint64_t end;

	if (at >= plan->ahead_end)
		return 0;
	end = (at + prefetch_block_at(plan, at)) / PAGE * PAGE;
	if (end >= size)
		return plan->ahead_end == size ? size : 0;
	return end <= plan->ahead_end ? end : 0;
}
