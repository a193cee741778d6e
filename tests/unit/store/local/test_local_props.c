/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an object on a disk: in which version of the note they stand,
 * what keeps them, and the type of what was given none.
 */
#include <sys/xattr.h>

#include "base/digest.h"
#include "base/mime.h"
#include "local_rig.h"
#include "store/store.h"
#include "unit.h"

#define ATTRIBUTE "user.stagefs"

static struct local_rig rig;

static int start(void **state)
{
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

static unsigned char version_of(const char *name)
{
	unsigned char note[8192] = { 0 };

	assert_true(getxattr(local_rig_path(&rig, name), ATTRIBUTE, note,
			     sizeof(note)) > 0);
	return note[0];
}

/* Only what the first version cannot hold needs the second. */
static void further_headers(void **state)
{
	static const struct field fields[] = {
		{ "content-encoding", "gzip" },
		{ "x-amz-meta-a", "b: c" },
		{ "x-amz-storage-class", "COLD" },
	};
	const struct store_meta meta = { .content_type = "text/css",
					 .headers = fields,
					 .n_headers = COUNT(fields) };
	const struct store_meta edit = { .inherit = true };
	const struct store_attr attr = { .which = STORE_SET_MTIME,
					 .mtime = { 1000, 0 } };
	const struct store_body body = { .data = "", .fd = -1 };
	struct object_details d;

	local_rig_put(rig.s, "more", "x");
	row_number("nothing", version_of("more"), 1);
	assert_int_equal(store_put(rig.s, "more", &body, &meta, NULL, NULL), 0);
	row_number("an encoding", version_of("more"), 2);
	assert_int_equal(store_set_attr(rig.s, "more", &attr, NULL), 0);
	/* an edit keeps them, another object does not */
	assert_int_equal(store_put(rig.s, "more", &body, &edit, NULL, NULL), 0);
	assert_int_equal(store_head(rig.s, "more", &d), 0);
	row_equal("type", props_get(&d.props, PROP_TYPE), "text/css");
	row_equal("encoding", props_get(&d.props, PROP_ENCODING) ?: "", "gzip");
	row_equal("meta", props_get(&d.props, "x-amz-meta-a") ?: "", "b: c");
	assert_null(props_get(&d.props, PROP_CLASS));
	local_rig_put(rig.s, "more", "x");
	row_number("nothing any more", version_of("more"), 1);
	assert_int_equal(store_put(rig.s, "none", &body, &edit, NULL, NULL), 0);
	row_number("nothing to keep", version_of("none"), 1);
}

static void types_by_name(void **state)
{
	struct object_details d;

	if (!mime_type("a.html") || !mime_type("a.txt"))
		skip();
	rig.s->types = true;
	local_rig_put(rig.s, "page.html", "x");
	local_rig_write(&rig, "theirs.html", "x");
	assert_int_equal(store_head(rig.s, "theirs.html", &d), 0);
	row_equal("another program's", props_get(&d.props, PROP_TYPE),
		  "text/html");
	assert_int_equal(
		store_copy(rig.s, "page.html", NULL, "copy", NULL, NULL), 0);
	assert_int_equal(store_head(rig.s, "copy", &d), 0);
	row_equal("a copy", props_get(&d.props, PROP_TYPE), "text/html");
	assert_int_equal(store_rename(rig.s, "page.html", "page.txt", false),
			 0);
	assert_int_equal(store_head(rig.s, "page.txt", &d), 0);
	row_equal("moved", props_get(&d.props, PROP_TYPE), "text/plain");
	rig.s->types = false;
	assert_int_equal(store_head(rig.s, "page.txt", &d), 0);
	row_equal("off", props_get(&d.props, PROP_TYPE), "binary/octet-stream");
}

SUITE(local_props)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(further_headers, start, stop),
		cmocka_unit_test_setup_teardown(types_by_name, start, stop),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_props", tests, NULL, NULL);
}
