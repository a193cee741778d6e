/* SPDX-License-Identifier: Apache-2.0 */
#include "posix_rig.h"

#include "unit.h"

#include "store/attr_meta.h"

void posix_up(struct mount *m, unsigned ttl_s)
{
	struct store *s = memstore_new("s");
	struct fs_settings set = mount_settings;

	set.metadata_ttl_s = ttl_s;
	s->attributes = true;
	mount_on(m, s, "p/", false, &set);
}

void posix_has(struct mount *m, const char *key, const char *text,
	       unsigned mode)
{
	const struct store_body body = { .data = text,
					 .fd = -1,
					 .len = strlen(text) };
	const struct store_attr a = { .which = STORE_SET_MODE | STORE_SET_UID |
					       STORE_SET_MTIME,
				      .mode = mode,
				      .uid = 7,
				      .mtime = { 1000, 5 } };
	struct attr_meta meta;
	struct store_meta s = { .headers = meta.fields };

	attr_meta_write(&a, &meta);
	s.n_headers = meta.n;
	assert_int_equal(store_put(m->store, key, &body, &s, NULL, NULL), 0);
}

void posix_said(struct mount *m, const char *key, struct store_attr *a)
{
	struct object_details d;

	assert_int_equal(store_head(m->store, key, &d), 0);
	attr_meta_read(&d.props, key[strlen(key) - 1] == '/', a);
}
