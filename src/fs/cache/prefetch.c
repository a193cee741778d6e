/*
 * A handle is in one of three ways of reading:
 *
 *   at the start   nothing read yet: a read at 0 is taken for sequential
 *   sequential     streak > 0: reads follow one another; the window doubles
 *                  with each from PREFETCH_FIRST to PREFETCH_WINDOW_MAX
 *   random         window 0: a read brings what it asks for, in whole 4 KiB
 *
 * A read that lands a little before or behind `next` is the kernel's own
 * read-ahead out of order, and changes nothing but `next`. A random reader
 * becomes sequential by a read that begins exactly where the last one ended.
 *
 * A GET of read-ahead is a sixteenth of the window, up to BLOCK_MAX, so that
 * with the whole window 16 of them are in flight.
 */
#include "fs/cache/prefetch.h"

#include "base/number.h"
#include "fs/cache/block.h"

#define PAGE 4096ULL
#define SLACK (4ULL << 20) /* how far out of order is still in order */

static uint64_t prefetch_page_up(uint64_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static void prefetch_grow(struct prefetch *p)
{
	p->streak++;
	p->window = number_max(2 * p->window, PREFETCH_FIRST);
	p->window = number_min(p->window, PREFETCH_WINDOW_MAX);
}

static void prefetch_observe(struct prefetch *p, uint64_t offset, uint64_t end)
{
	bool begins = !p->streak && !p->next && offset == 0;
	bool follows = offset == p->next && p->next;
	bool near = p->streak && offset <= p->next + SLACK &&
		    end + SLACK >= p->next;

	if (begins || follows || (near && end > p->next)) {
		prefetch_grow(p);
		p->next = end;
	} else if (!near) {
		p->streak = 0;
		p->window = 0;
		p->next = end;
	}
}

void prefetch_plan(struct prefetch *p, uint64_t offset, uint64_t len,
		   uint64_t size, struct prefetch_plan *out)
{
	uint64_t end = number_min(offset + len, size);

	prefetch_observe(p, offset, end);
	*out = (struct prefetch_plan){
		.start = offset / PAGE * PAGE,
		.ahead_end = end,
		.ahead_block = PREFETCH_FIRST,
		.sequential = p->streak > 0,
	};
	if (size <= PREFETCH_WHOLE) {
		out->start = 0;
		out->block = size;
		out->ahead_end = size;
		return;
	}
	out->block = prefetch_page_up(end) - out->start;
	if (!out->sequential)
		return;
	out->ahead_block = number_max(p->window / 16, PREFETCH_FIRST);
	out->ahead_block = number_min(out->ahead_block, BLOCK_MAX);
	out->block = number_max(out->block, out->ahead_block);
	out->block = number_min(out->block, BLOCK_MAX);
	out->ahead_end = number_min(end + p->window, size);
}

uint64_t prefetch_next(const struct prefetch_plan *plan, uint64_t at,
		       uint64_t size)
{
	uint64_t end = at + plan->ahead_block;

	if (at >= plan->ahead_end)
		return 0;
	end = end / PAGE * PAGE;
	if (end >= size)
		return plan->ahead_end == size ? size : 0;
	return end <= plan->ahead_end ? end : 0;
}
