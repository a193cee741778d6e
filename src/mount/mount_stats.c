/*
 * Every name is in a fixed table, so that no server makes new time series.
 */
#include "mount/mount_stats.h"

#include <stddef.h>
#include <stdio.h>

#include "base/budget.h"
#include "base/buf.h"
#include "fs/fs.h"
#include "net/http_counts.h"
#include "net/http_engine.h"

static const char *const verbs[HTTP_VERBS] = {
	[HTTP_GET] = "GET",   [HTTP_HEAD] = "HEAD",     [HTTP_PUT] = "PUT",
	[HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE",
};
static const char *const classes[HTTP_COUNTS_CLASSES] = {
	"none", "1xx", "2xx", "3xx", "4xx", "5xx",
};

typedef unsigned long long number; /* as printf(3) has it */

static void stats_head(struct buf *out, const char *name, const char *type,
		       const char *help)
{
	buf_addf(out, "# HELP stagefs_%s %s\n# TYPE stagefs_%s %s\n", name,
		 help, name, type);
}

static void stats_one(struct buf *out, const char *name, const char *type,
		      const char *help, uint64_t value)
{
	stats_head(out, name, type, help);
	buf_addf(out, "stagefs_%s %llu\n", name, (unsigned long long)value);
}

static void stats_write_requests(const struct http_counts *all, struct buf *out)
{
	stats_head(out, "requests_total", "counter",
		   "Attempts of requests to stores, by stage, method and class "
		   "of status (none: no answer).");
	for (const struct http_counts *n = all; n; n = n->next)
		for (unsigned v = 0; v < HTTP_VERBS; v++)
			for (unsigned c = 0; c < HTTP_COUNTS_CLASSES; c++)
				buf_addf(out,
					 "stagefs_requests_total{stage=\"%s\","
					 "method=\"%s\",status=\"%s\"} %llu\n",
					 n->name, verbs[v], classes[c],
					 (number)n->requests[v][c]);
}

static void stats_write_seconds(const struct http_counts *all, struct buf *out)
{
	stats_head(out, "request_seconds", "histogram",
		   "Time of an attempt, from its connection to its end.");
	for (const struct http_counts *n = all; n; n = n->next) {
		number sum = 0;

		for (unsigned i = 0; i < HTTP_COUNTS_BOUNDS; i++) {
			char bound[32] = "+Inf";

			if (http_counts_bounds[i] >= 0)
				snprintf(bound, sizeof(bound), "%g",
					 (double)http_counts_bounds[i] / 1000);
			sum += n->took[i];
			buf_addf(out,
				 "stagefs_request_seconds_bucket{stage=\"%s\","
				 "le=\"%s\"} %llu\n",
				 n->name, bound, sum);
		}
		buf_addf(out,
			 "stagefs_request_seconds_sum{stage=\"%s\"} %.3f\n",
			 n->name, (double)n->took_ms / 1000);
		buf_addf(out,
			 "stagefs_request_seconds_count{stage=\"%s\"} %llu\n",
			 n->name, sum);
	}
}

static void stats_write_each(const struct http_counts *all, size_t offset,
			     const char *name, const char *help,
			     struct buf *out)
{
	stats_head(out, name, "counter", help);
	for (const struct http_counts *n = all; n; n = n->next)
		buf_addf(out, "stagefs_%s{stage=\"%s\"} %llu\n", name, n->name,
			 (number) * (const http_count *)((const char *)n +
							 offset));
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

void mount_stats_write(const struct mount_stats *s, struct buf *out)
{
	struct fs_writers w;

	stats_head(out, "build_info", "gauge", "The program's version.");
	buf_adds(out,
		 "stagefs_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	stats_one(out, "start_time_seconds", "gauge",
		  "When the daemon began, in Unix seconds.",
		  (uint64_t)s->began_s);
	stats_write_traffic(s->engine, out);
	fs_writers(s->fs, &w);
	stats_one(out, "open_for_writing", "gauge",
		  "Files that are open for writing.", w.open);
	if (s->uploads)
		stats_one(out, "upload_memory_bytes", "gauge",
			  "Memory that the gateway's uploads hold.",
			  budget_used(s->uploads));
}

void mount_stats_write_memory(struct budget *b, struct buf *out)
{
	stats_one(out, "memory_bytes", "gauge", "Object data in memory.",
		  budget_used(b));
	stats_one(out, "memory_peak_bytes", "gauge", "The most it has been.",
		  budget_peak(b));
	stats_one(out, "memory_limit_bytes", "gauge", "The setting `memory`.",
		  budget_limit(b));
}
