/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every name is in a fixed table, so that no server makes new time series.
 */
#include "mount/mount_stats.h"

#include <stddef.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/metric.h"
#include "base/text.h"
#include "fs/fs.h"
#include "fuse/op_counts.h"
#include "net/http_counts.h"
#include "net/http_engine.h"
#include "stage/catalog.h"
#include "stage/stage.h"
#include "store/store.h"

/* A stage that another program has made may have any name. */
static const char *stats_stage(const char *name, struct buf *labels)
{
	buf_reset(labels);
	buf_adds(labels, "stage=\"");
	text_printable(labels, name);
	buf_adds(labels, "\"");
	return buf_str(labels);
}

static void stats_write_requests(const struct http_counts *all, struct buf *out)
{
	BUF_LOCAL labels = BUF_INIT(BUF_MESSAGE);

	metric_head(out, "requests_total", "counter",
		    "Attempts of requests to stores, by stage, method and "
		    "status (none: no answer).");
	for (const struct http_counts *n = all; n; n = n->next)
		for (unsigned v = 0; v < HTTP_VERBS; v++)
			for (unsigned s = 0; s < HTTP_COUNTS_STATUSES; s++) {
				uint64_t value = metric_get(&n->requests[v][s]);

				if (!value)
					continue;
				stats_stage(n->name, &labels);
				buf_addf(&labels,
					 ",method=\"%s\",status=\"%s\"",
					 http_verb_name(v),
					 http_counts_status(s));
				metric_value(out, "requests_total",
					     buf_str(&labels), value);
			}
}

static void stats_write_seconds(const struct http_counts *all, struct buf *out)
{
	BUF_LOCAL labels = BUF_INIT(BUF_MESSAGE);

	metric_head(out, "request_seconds", "histogram",
		    "Time of an attempt, from its connection to its end.");
	for (const struct http_counts *n = all; n; n = n->next)
		metric_write_times(out, "request_seconds",
				   stats_stage(n->name, &labels), &n->took);
}

static void stats_write_each(const struct http_counts *all, size_t offset,
			     const char *name, const char *help,
			     struct buf *out)
{
	BUF_LOCAL labels = BUF_INIT(BUF_MESSAGE);

	metric_head(out, name, "counter", help);
	for (const struct http_counts *n = all; n; n = n->next)
		metric_value(
			out, name, stats_stage(n->name, &labels),
			metric_get((const metric *)((const char *)n + offset)));
}

static void stats_write_traffic(struct http_engine *engine, struct buf *out)
{
	const struct http_counts *all = http_engine_counts(engine);

	stats_write_requests(all, out);
	stats_write_seconds(all, out);
	stats_write_each(all, offsetof(struct http_counts, sent),
			 "sent_bytes_total", "Bytes of bodies sent to stores.",
			 out);
	stats_write_each(all, offsetof(struct http_counts, received),
			 "received_bytes_total",
			 "Bytes of bodies that came from stores.", out);
	stats_write_each(all, offsetof(struct http_counts, retries),
			 "retries_total",
			 "Attempts that were followed by another.", out);
}

static void stats_write_credentials(struct catalog *c, struct buf *out)
{
	static const char name[] = "credentials_end_time_seconds";
	BUF_LOCAL labels = BUF_INIT(BUF_MESSAGE);
	struct stage **stages;
	unsigned n;

	if (catalog_list(c, &stages, &n, NULL))
		return;
	metric_head(out, name, "gauge",
		    "When temporary credentials in use end, in Unix seconds.");
	for (unsigned i = 0; i < n; i++) {
		int64_t end = store_credentials_end(stages[i]->store);

		if (end > 0)
			metric_value(out, name,
				     stats_stage(stages[i]->name, &labels),
				     (uint64_t)end);
	}
	catalog_list_free(stages, n);
}

void mount_stats_write(void *arg, struct buf *out)
{
	const struct mount_stats *s = arg;

	metric_head(out, "build_info", "gauge", "The program's version.");
	metric_value(out, "build_info", "version=\"" PACKAGE_VERSION "\"", 1);
	metric_one(out, "start_time_seconds", "gauge",
		   "When the daemon began, in Unix seconds.",
		   (uint64_t)s->began_s);
	stats_write_traffic(s->engine, out);
	metric_one(out, "servers_down", "gauge",
		   "Servers of stages that do not answer.",
		   mount_stats_down(arg));
	op_counts_write(out);
	stats_write_credentials(s->catalog, out);
	fs_write_metrics(s->fs, out);
	if (s->uploads)
		metric_one(out, "upload_memory_bytes", "gauge",
			   "Memory that the gateway's uploads hold.",
			   budget_used(s->uploads));
}

unsigned mount_stats_down(void *arg)
{
	const struct mount_stats *s = arg;

	return http_engine_down(s->engine);
}
