/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The internal stages and the external ones as one set of names, in which an
 * external one hides an internal one of its name.
 */
#include "stage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "stage/external_configure.h"
#include "stage/external_folder.h"
#include "stage/internal.h"

struct catalog {
	struct internal internal;
	struct external_folder external;
};

bool catalog_has_storage(struct catalog *c)
{
	return c->internal.store != NULL;
}

struct store *catalog_storage(struct catalog *c)
{
	return c->internal.store;
}

const char *catalog_storage_prefix(struct catalog *c)
{
	return c->internal.root;
}

unsigned catalog_n_external(struct catalog *c)
{
	return c->external.n_first;
}

struct stage *catalog_external(struct catalog *c, unsigned i)
{
	return c->external.first[i];
}

struct external_folder *catalog_folder(struct catalog *c)
{
	return &c->external;
}

/* ---- one of them ---- */

int catalog_find(struct catalog *c, const char *name, struct stage **out)
{
	*out = external_folder_find(&c->external, name);
	if (!*out && !strcmp(name, "~") && c->internal.user)
		*out = stage_ref(c->internal.user);
	return *out ? 0 : -ENOENT;
}

int catalog_ask(struct catalog *c, const char *name, struct stage **out)
{
	return strcmp(name, "~") ? internal_get(&c->internal, name, false, out)
				 : -ENOENT;
}

int catalog_assume(struct catalog *c, const char *name, struct stage **out)
{
	int rc = catalog_find(c, name, out);

	return rc && strcmp(name, "~")
		       ? internal_assume(&c->internal, name, out)
		       : rc;
}

int catalog_get(struct catalog *c, const char *name, struct stage **out)
{
	int rc = catalog_find(c, name, out);

	return rc && strcmp(name, "~")
		       ? internal_get(&c->internal, name, true, out)
		       : rc;
}

int catalog_get_as(struct catalog *c, const char *user, const char *name,
		   struct stage **out)
{
	int rc;

	if (strcmp(name, "~")) {
		rc = catalog_get(c, name, out);
		if (rc != -ENOENT)
			return rc;
		catalog_refresh(c);
		return catalog_find(c, name, out);
	}
	return catalog_has_storage(c)
		       ? internal_get_user(&c->internal, user, out)
		       : -ENOENT;
}

int catalog_hidden(struct catalog *c, const char *name, bool *hidden)
{
	*hidden = false;
	if (!catalog_has_storage(c) || !external_folder_has(&c->external, name))
		return 0;
	return internal_ask(&c->internal, name, hidden);
}

bool catalog_is_external(struct catalog *c, const char *name)
{
	external_folder_look(&c->external);
	return external_folder_has(&c->external, name);
}

int catalog_conn(struct catalog *c, const char *name, struct conn *out,
		 bool *drop_in)
{
	return external_folder_conn(&c->external, name, out, drop_in);
}

int catalog_check(struct catalog *c, const char *name, const struct conn *conn,
		  struct buf *why)
{
	return external_folder_check(&c->external, name, conn, why);
}

void catalog_refresh(struct catalog *c)
{
	external_folder_refresh(&c->external);
}

int catalog_configure(struct catalog *c, const struct conn *storage,
		      const struct catalog_external *external, unsigned n,
		      bool keys_only, struct buf *said, struct buf *why)
{
	int rc = external_configure(&c->external, external, n, keys_only, said,
				    why);

	if (!rc && storage && c->internal.store) {
		rc = conn_renew(storage, c->external.with.engine,
				c->internal.store);
		if (!rc)
			buf_adds(said, "[storage] has other credentials\n");
	}
	return rc;
}

/* ---- all of them ---- */

static int catalog_by_name(const void *a, const void *b)
{
	const struct stage *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Adds those internal ones that no external one hides; takes their references.
 * The n of list are in byte order. */
static unsigned catalog_add_visible(struct stage **list, unsigned n,
				    struct stage **internal,
				    unsigned n_internal)
{
	unsigned all = n;

	for (unsigned i = 0; i < n_internal; i++) {
		if (bsearch(&internal[i], list, n, sizeof(*list),
			    catalog_by_name))
			stage_unref(internal[i]);
		else
			list[all++] = internal[i];
	}
	return all;
}

int catalog_list(struct catalog *c, struct stage ***out, unsigned *n,
		 int *storage_rc)
{
	struct stage *user = c->internal.user, **internal = NULL;
	unsigned n_internal = 0;
	int rc;

	if (storage_rc)
		*storage_rc =
			internal_list(&c->internal, &internal, &n_internal);
	rc = external_folder_list(&c->external, n_internal + 1, out, n);
	if (rc) {
		catalog_list_free(internal, n_internal);
		return rc;
	}
	*n = catalog_add_visible(*out, *n, internal, n_internal);
	free(internal);
	qsort(*out, *n, sizeof(**out), catalog_by_name);
	if (user) {
		memmove(*out + 1, *out, *n * sizeof(**out));
		(*out)[0] = stage_ref(user);
		++*n;
	}
	return 0;
}

void catalog_list_free(struct stage **stages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		stage_unref(stages[i]);
	free(stages);
}

/* ---- changes ---- */

int catalog_create(struct catalog *c, const char *name,
		   const struct conn *properties, struct stage **out)
{
	if (!strcmp(name, "~") || catalog_is_external(c, name))
		return -EEXIST;
	return internal_create(&c->internal, name, properties, out);
}

int catalog_drop(struct catalog *c, const char *name)
{
	if (!strcmp(name, "~") || catalog_is_external(c, name))
		return -EPERM;
	return internal_drop(&c->internal, name);
}

void catalog_keep(struct catalog *c, const struct stage *s)
{
	if (s->kind == STAGE_INTERNAL)
		internal_keep(&c->internal, s->name);
}

ssize_t catalog_properties_size(const struct conn *properties)
{
	return internal_marker_size(properties);
}

int catalog_properties(struct catalog *c, const char *name, struct conn *out,
		       char etag[STORE_ETAG_SIZE])
{
	return internal_marker_properties(&c->internal, name, out, etag);
}

int catalog_properties_set(struct catalog *c, const char *name,
			   const struct conn *properties, const char *etag)
{
	const struct store_cond cond = {
		.if_match = etag && *etag ? etag : NULL,
		.if_absent = etag && !*etag,
	};
	int rc;

	if (!catalog_has_storage(c) || c->internal.ro)
		return -EROFS;
	rc = internal_marker_put(&c->internal, name, properties, &cond);
	/* Made, or gone, since catalog_properties(). */
	if (etag && (rc == -EEXIST || rc == -ENOENT))
		rc = -ESTALE;
	return rc;
}

/* ---- its life ---- */

static int catalog_check_names(const struct catalog_settings *s,
			       struct buf *why)
{
	for (unsigned i = 0; i < s->n_external; i++) {
		const char *name = s->external[i].name;

		if (!stage_name_valid(name)) {
			buf_addc(why, '"');
			text_printable(why, name);
			return buf_fail(why, -EINVAL,
					"\" cannot be the name of a stage");
		}
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(s->external[j].name, name))
				continue;
			return buf_fail(why, -EINVAL, "two stages are named %s",
					name);
		}
	}
	return 0;
}

int catalog_new(const struct catalog_settings *s, struct http_engine *engine,
		struct catalog **out, struct buf *why)
{
	struct catalog *c;
	int rc = catalog_check_names(s, why);

	if (rc)
		return rc;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	rc = internal_open(&c->internal, s, engine, why);
	if (rc) {
		internal_close(&c->internal);
		free(c);
		return rc;
	}
	rc = external_folder_open(&c->external, s, engine, why);
	if (rc)
		catalog_free(c);
	else
		*out = c;
	return rc;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	internal_close(&c->internal);
	external_folder_close(&c->external);
	free(c);
}
