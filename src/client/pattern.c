/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2 with bounds on how much it may try, since a pattern may come from
 * anywhere. Where it differs from Databend's engine by default, it is set not
 * to: `$` is the very end, classes are Unicode's. Names need not be UTF-8.
 */
#include "client/pattern.h"

#include <errno.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"

#define PATTERN_MAX 16384
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 16384

struct pattern {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
};

static int pattern_compile(struct pattern *p, const char *text, struct buf *why)
{
	const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
				 PCRE2_UCP | PCRE2_DOLLAR_ENDONLY |
				 PCRE2_NEVER_BACKSLASH_C;
	BUF_LOCAL whole = BUF_INIT(PATTERN_MAX);
	unsigned char said[256];
	size_t at;
	int code;

	buf_addf(&whole, "^%s$", text);
	if (buf_err(&whole))
		return buf_fail(why, -EINVAL, "the pattern is too long");
	p->code = pcre2_compile((const unsigned char *)whole.data, whole.len,
				options, &code, &at, NULL);
	if (p->code)
		return 0;
	pcre2_get_error_message(code, said, sizeof(said));
	return buf_fail(why, -EINVAL,
			"the pattern is no regular expression: %s at byte %zu",
			(const char *)said, at ? at - 1 : 0);
}

int pattern_new(const char *text, struct pattern **out, struct buf *why)
{
	struct pattern *p = calloc(1, sizeof(*p));
	int rc = p ? pattern_compile(p, text, why) : -ENOMEM;

	if (!rc) {
		p->data = pcre2_match_data_create(1, NULL);
		p->limits = pcre2_match_context_create(NULL);
		if (!p->data || !p->limits)
			rc = -ENOMEM;
	}
	if (rc) {
		pattern_free(p);
		return rc;
	}
	pcre2_set_match_limit(p->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(p->limits, HEAP_LIMIT_KIB);
	*out = p;
	return 0;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_match_context_free(p->limits);
	pcre2_match_data_free(p->data);
	pcre2_code_free(p->code);
	free(p);
}

int pattern_match(struct pattern *p, const char *name)
{
	int rc = pcre2_match(p->code, (const unsigned char *)name,
			     PCRE2_ZERO_TERMINATED, 0, 0, p->data, p->limits);

	if (rc >= 0)
		return 1;
	return rc == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
}
