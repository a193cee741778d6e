/*
 * A line is made for the width that there is: the bar goes first, then the
 * pace. Whole numbers only, so that the text depends on nothing else.
 */
#include "transfer/transfer_progress.h"

#include "base/buf.h"
#include "base/text.h"

#define BAR 20
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

static void progress_add_bar(const struct transfer_count *c, struct buf *out)
{
	unsigned full = progress_percent(c) * BAR / 100;

	buf_adds(out, " [");
	for (unsigned i = 0; i < BAR; i++)
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

void transfer_progress_line(const struct transfer_count *c, unsigned width,
			    struct buf *out)
{
	struct buf pace = BUF_INIT(64);
	size_t from = out->len;

	progress_add_pace(c, &pace);
	progress_add_counts(c, out);
	if (c->all_found && out->len - from + BAR + 8 + pace.len <= width)
		progress_add_bar(c, out);
	if (c->all_found && out->len - from + 5 + pace.len <= width)
		buf_addf(out, " %u%%", progress_percent(c));
	if (out->len - from + pace.len <= width)
		buf_adds(out, buf_str(&pace));
	if (out->len - from > width)
		buf_truncate(out, from + width);
	buf_clear(&pace);
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
