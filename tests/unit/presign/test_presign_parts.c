/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart uploads by URL: lengths, limits, and what is left behind. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "presign/presign.h"
#include "memstore.h"

static const struct {
	const char *sentence;
	const char *length;
	unsigned parts;
	int rc;
	const char *tells;
} parts[] = {
	{ "three parts of an unknown length", NULL, 3, 0,
	  "{\"part_number\":3,\"method\":\"PUT\",\"headers\":{}," },
	{ "their lengths, the last one shorter", "15728641", 2, 0,
	  "{\"part_number\":2,\"size\":7864320,\"method\":\"PUT\","
	  "\"headers\":{\"content-length\":\"7864320\"}," },
	{ "the length of a part", "15728641", 2, 0, "\"part_size\":7864321," },
	{ "the end", NULL, 1, 0, "\"complete\":{\"method\":\"POST\"," },
	{ "the other end", NULL, 1, 0, "\"abort\":{\"method\":\"DELETE\"," },
	{ "no part", NULL, 0, -EINVAL, "parts = 0: 1 to " },
	{ "too many", NULL, 10001, -EINVAL, "parts = 10001: 1 to " },
	{ "parts that are too small", "100", 10, -EINVAL, "100 bytes in 10" },
	{ "a length of nothing", "0", 1, -EINVAL, "content-length = 0: 1 to" },
};

static void uploads_in_parts(void **state)
{
	for (size_t i = 0; i < COUNT(parts); i++) {
		struct store *store = memstore_new("s");
		struct stage *s =
			stage_new("s", STAGE_EXTERNAL, store, "p/", false, 0);
		const struct presign_request req = {
			.action = PRESIGN_UPLOAD,
			.expire = 60,
			.content_length = parts[i].length,
			.content_type = "text/csv",
		};
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct buf out = BUF_INIT(1 << 20);

		store->limits.part_min = 5 << 20;
		row_number(parts[i].sentence,
			   presign_parts(s, "a", &req, parts[i].parts, &out,
					 &why),
			   parts[i].rc);
		if (!strstr(buf_str(parts[i].rc ? &why : &out), parts[i].tells))
			fail_msg("%s: %s%s", parts[i].sentence, buf_str(&out),
				 buf_str(&why));
		row_number("an upload is under way", memstore_uploads(store),
			   !parts[i].rc);
		buf_clear(&out);
		buf_clear(&why);
		stage_unref(s);
		store_unref(store);
	}
}

SUITE(presign_parts)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uploads_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
