/* SPDX-License-Identifier: Apache-2.0 */
/* What Prometheus reads, to the byte. */
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/metric.h"

static void test_values(void **state)
{
	struct buf out = BUF_INIT(BUF_MESSAGE);

	metric_one(&out, "open", "gauge", "Files.", 3);
	metric_head(&out, "requests_total", "counter", "Requests.");
	metric_value(&out, "requests_total", "method=\"GET\"", UINT64_MAX);
	assert_string_equal(buf_str(&out),
			    "# HELP stagefs_open Files.\n"
			    "# TYPE stagefs_open gauge\n"
			    "stagefs_open 3\n"
			    "# HELP stagefs_requests_total Requests.\n"
			    "# TYPE stagefs_requests_total counter\n"
			    "stagefs_requests_total{method=\"GET\"} "
			    "18446744073709551615\n");
	buf_clear(&out);
}

/* Where a time is counted: the first bucket that it does not exceed. */
static const struct {
	const char *sentence;
	uint64_t us;
	const char *le;
} rows[] = {
	{ "nothing", 0, "0.0001" },
	{ "a bound itself", 1000, "0.001" },
	{ "one more", 1001, "0.005" },
	{ "a minute", 60000000, "60" },
	{ "more than a minute", 60000001, "+Inf" },
	{ "for ever", UINT64_MAX, "+Inf" },
};

static void test_times(void **state)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out = BUF_INIT(BUF_MESSAGE);
		struct metric_times t = { 0 };
		char wanted[100];
		const char *at;

		metric_observe(&t, rows[i].us);
		row_number(rows[i].sentence, metric_times_count(&t), 1);
		metric_write_times(&out, "s", "op=\"x\"", &t);
		snprintf(wanted, sizeof(wanted),
			 "stagefs_s_bucket{op=\"x\",le=\"%s\"} 1\n",
			 rows[i].le);
		at = strstr(buf_str(&out), wanted);
		row_check(rows[i].sentence, at != NULL);
		/* buckets are cumulative: that one is the first with 1 */
		row_check(rows[i].sentence,
			  at == strstr(buf_str(&out), "} 1\n") -
					  strlen(wanted) + 4);
		row_check(rows[i].sentence,
			  strstr(buf_str(&out),
				 "stagefs_s_count{op=\"x\"} 1\n") != NULL);
		buf_clear(&out);
	}
}

static void test_sum(void **state)
{
	struct buf out = BUF_INIT(BUF_MESSAGE);
	struct metric_times t = { 0 };

	metric_observe(&t, 1500000);
	metric_observe(&t, 250);
	metric_write_times(&out, "s", "op=\"x\"", &t);
	assert_non_null(
		strstr(buf_str(&out), "stagefs_s_sum{op=\"x\"} 1.500250\n"));
	assert_non_null(strstr(buf_str(&out),
			       "stagefs_s_bucket{op=\"x\",le=\"+Inf\"} 2\n"));
	buf_clear(&out);
}

SUITE(metric)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}
