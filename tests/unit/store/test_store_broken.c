/* SPDX-License-Identifier: Apache-2.0 */
/* A store that cannot be opened: every call says what went wrong. */
#include "unit.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "store/store.h"

static int has_props;

static void on_done(struct store_get *get, int rc,
		    const struct object_info *info)
{
	has_props = rc;
}

static int call_get(struct store *s)
{
	struct store_get get = { .key = "k", .len = 1, .done = on_done };

	store_get(s, &get);
	store_get_cancel(s, &get); /* as any that has ended */
	return has_props;
}

static int call_many(struct store *s)
{
	const char *const keys[] = { "a", "b" };
	int results[2] = { 0 };
	int rc = store_remove_many(s, keys, 2, results);

	row_number("the first", results[0], rc);
	row_number("the second", results[1], rc);
	return rc;
}

static void every_call(void **state)
{
	const struct store_body body = { .data = "x", .fd = -1, .len = 1 };
	const struct store_pending pending = { (char *)"k", (char *)"id" };
	const struct store_presign req = { .key = "k", .expire = 1 };
	const struct store_attr attr = { 0 };
	const struct list_query all = { .prefix = "" };
	struct buf why = BUF_INIT(BUF_MESSAGE), said = BUF_INIT(BUF_MESSAGE);
	struct store_presigned url;
	struct store_upload *upload;
	struct object_details details;
	struct object_info info = { .etag = "\"x\"" };
	struct name_info name;
	struct store_list *list;
	struct statvfs fs;
	struct store *s;
	int fd;

	assert_int_equal(store_broken_new("n", "fs:///gone/", -ENOENT,
					  "not there", &s),
			 0);
	row_number("broken", s->broken, -ENODEV);
	row_number("check", store_check(s, "", &said), -ENODEV);
	row_equal("check", buf_str(&said), "not there");
	row_number("presign", store_presign(s, &req, &url, &why), -ENODEV);
	row_equal("presign", buf_str(&why), "not there");
	buf_reset(&said);
	store_locate(s, "a/b", &said);
	store_md5(s, &info, &said);
	row_number("describe", store_describe(s, &said), 0);
	row_equal("locate", buf_str(&said), "fs:///gone/a/b");
	row_number("stat", store_stat(s, "k", &name), -ENODEV);
	row_number("stat of the root", store_stat(s, "", &name), -ENODEV);
	row_number("head", store_head(s, "k", &details), -ENODEV);
	row_number("list", store_list_open(s, &all, &list), -ENODEV);
	row_number("get", call_get(s), -ENODEV);
	row_number("put", store_put(s, "k", &body, NULL, NULL, NULL), -ENODEV);
	row_number("upload", store_upload_open(s, "k", NULL, &upload), -ENODEV);
	row_number("pending", store_pending_abort(s, &pending), -ENODEV);
	row_number("copy", store_copy(s, "k", NULL, "l", NULL, NULL), -ENODEV);
	row_number("remove", store_remove(s, "k"), -ENODEV);
	row_number("remove many", call_many(s), -ENODEV);
	row_number("open", store_open(s, "k", NULL, &fd, NULL), -ENODEV);
	row_number("scratch", store_scratch(s, "k", &fd), -ENODEV);
	row_number("attr", store_set_attr(s, "", &attr, NULL), -ENODEV);
	row_number("rename", store_rename(s, "k", "l", false), -ENODEV);
	row_number("statfs", store_statfs(s, &fs), -ENODEV);
	row_number("sync", store_sync(s, "k"), 0);
	store_unref(s);
	buf_clear(&why);
	buf_clear(&said);
}

SUITE(store_broken)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call),
	};

	return cmocka_run_group_tests_name("store_broken", tests, NULL, NULL);
}
