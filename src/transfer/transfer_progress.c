/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is made for the width that there is: the bar goes first, at 80 columns
 * already, as percent, pace and time say what it says; then the pace. Whole
 * numbers only, so that the text depends on nothing else.
 */
#include "transfer/transfer_progress.h"

#include "base/buf.h"
#include "base/text.h"

#define BAR 20
#define BEHIND_BAR 31 /* columns of ` 100%, 999.9 MiB/s, 59:59 left` */
#define NAME_LEAST 12 /* columns of a name that is shown */
#define PACE_FROM_MS 500 /* before, it would be a guess */

static void progress_add_pace(const struct transfer_count *c, struct buf *out)
{
	if (c->elapsed_ms < PACE_FROM_MS)
		return;
	buf_adds(out, ", ");
	text_bytes(out,
		   (uint64_t)((double)c->moved * 1000 / (double)c->elapsed_ms));
	buf_adds(out, "/s");
}

static unsigned progress_percent(const struct transfer_count *c)
{
	double part;

	if (!c->found_bytes)
		return c->all_found ? 100 : 0;
	part = (double)c->moved * 100 / (double)c->found_bytes;
	return part > 100 ? 100 : (unsigned)part;
}

/* It does not come and go with what stands behind it: BAR, half of it, or 0. */
static unsigned progress_bar_width(const struct transfer_count *c, size_t used,
				   unsigned width)
{
	size_t least = used + 3 + BEHIND_BAR;

	if (*c->current)
		least += NAME_LEAST + 2;
	if (!c->all_found)
		return 0;
	return least + BAR <= width       ? BAR
	       : least + BAR / 2 <= width ? BAR / 2
					  : 0;
}

static void progress_add_bar(const struct transfer_count *c, unsigned bar,
			     struct buf *out)
{
	unsigned full = progress_percent(c) * bar / 100;

	if (!bar)
		return;
	buf_adds(out, " [");
	for (unsigned i = 0; i < bar; i++)
		buf_addc(out, i < full ? '#' : ' ');
	buf_adds(out, "]");
}

static void progress_add_counts(const struct transfer_count *c, struct buf *out)
{
	uint64_t over = c->done + c->skipped + c->failed;

	buf_addf(out, "%llu/%llu%s files, ", (unsigned long long)over,
		 (unsigned long long)c->found, c->all_found ? "" : "+");
	text_bytes(out, c->moved);
	buf_adds(out, " of ");
	text_bytes(out, c->found_bytes);
}

/* Of what is left, at the pace so far. */
static void progress_add_left(const struct transfer_count *c, struct buf *out)
{
	uint64_t s;

	if (!c->all_found || !c->moved || c->moved >= c->found_bytes ||
	    c->elapsed_ms < PACE_FROM_MS)
		return;
	s = (uint64_t)((double)(c->found_bytes - c->moved) *
		       (double)c->elapsed_ms / 1000 / (double)c->moved);
	if (s < 3600)
		buf_addf(out, ", %u:%02u left", (unsigned)s / 60,
			 (unsigned)s % 60);
	else if (s < 100 * 3600)
		buf_addf(out, ", %u:%02u:%02u left", (unsigned)s / 3600,
			 (unsigned)s / 60 % 60, (unsigned)s % 60);
}

/* The end of a name, which tells most, where it does not fit. */
static void progress_add_name(const char *name, size_t room, struct buf *out)
{
	BUF_LOCAL shown = BUF_INIT(BUF_MESSAGE);
	const char *s;
	size_t n;

	text_one_line(&shown, name);
	s = buf_str(&shown);
	n = text_width(s);
	buf_adds(out, n > room ? "  ..." : "  ");
	for (size_t drop = n > room ? n - room + 3 : 0; drop; drop--)
		do
			s++;
		while ((*s & 0xc0) == 0x80);
	buf_adds(out, s);
}

void transfer_progress_line(const struct transfer_count *c, unsigned width,
			    struct buf *out)
{
	BUF_LOCAL pace = BUF_INIT(64), left = BUF_INIT(64);
	size_t from = out->len;

	progress_add_pace(c, &pace);
	progress_add_counts(c, out);
	progress_add_bar(c, progress_bar_width(c, out->len - from, width), out);
	if (c->all_found && out->len - from + 5 + pace.len <= width)
		buf_addf(out, " %u%%", progress_percent(c));
	if (out->len - from + pace.len <= width)
		buf_adds(out, buf_str(&pace));
	progress_add_left(c, &left);
	if (pace.len && out->len - from + left.len <= width)
		buf_adds(out, buf_str(&left));
	if (*c->current && out->len - from + NAME_LEAST + 2 <= width)
		progress_add_name(c->current, width - (out->len - from) - 2,
				  out);
	else if (out->len - from > width)
		buf_truncate(out, from + width);
}

void transfer_progress_sum(const struct transfer_count *c, struct buf *out)
{
	buf_addf(out, "%llu %s, ", (unsigned long long)c->done,
		 c->done == 1 ? "file" : "files");
	text_bytes(out, c->moved);
	buf_addf(out, " in %lld.%lld s", (long long)c->elapsed_ms / 1000,
		 (long long)c->elapsed_ms % 1000 / 100);
	if (c->skipped)
		buf_addf(out, ", %llu skipped", (unsigned long long)c->skipped);
	if (c->failed)
		buf_addf(out, ", %llu failed", (unsigned long long)c->failed);
}
