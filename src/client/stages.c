/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE STAGE and ALTER STAGE. An external stage is a file in stages.d; a
 * statement that makes or changes one holds the folder's lock from the look at
 * what there is to the end of the writing, so that two statements at once
 * cannot make what neither would alone. An internal stage is its marker in the
 * store, and what is to be kept with it is that one's metadata.
 */
#include "client/stages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/session.h"
#include "client/statement.h"
#include "client/stages_conn.h"
#include "stage/catalog.h"
#include "store/store.h"

/* ---- what is there ---- */

enum found { FOUND_NOTHING, FOUND_INTERNAL, FOUND_EXTERNAL };

static int stages_find(struct session *s, const char *name, enum found *found,
		       struct stage **stage, struct failure *f)
{
	int rc = session_stage(s, name, stage, f);

	*found = FOUND_NOTHING;
	if (rc == -ENOENT) {
		*stage = NULL;
		failure_clear(f);
		return 0;
	}
	if (!rc)
		*found = (*stage)->kind == STAGE_EXTERNAL ? FOUND_EXTERNAL
							  : FOUND_INTERNAL;
	return rc;
}

static int stages_check_name(const struct sql_statement *q, struct failure *f)
{
	if (stage_name_valid(q->name.s))
		return 0;
	f->span = q->name.span;
	return failure_set(
		f, CODE_BAD_ARGUMENTS, -EINVAL,
		"'%s' cannot be the name of a stage: letters, digits, _ "
		"and $, the first a letter or _, and none of v1, health, "
		"metrics, storage",
		q->name.s);
}

/* ---- internal ---- */

/* More than the store keeps is refused before anything has changed. */
static int stages_check_properties(const struct sql_statement *q,
				   const struct conn *properties,
				   struct failure *f)
{
	ssize_t size = catalog_properties_size(properties);

	if (size < 0)
		return (int)size;
	if (size <= CATALOG_PROPERTIES_MAX)
		return 0;
	f->span = q->comment.s       ? q->comment.span
		  : q->file_format.s ? q->file_format.span
				     : q->copy_options.span;
	return failure_set(
		f, CODE_BAD_ARGUMENTS, -E2BIG,
		"COMMENT, FILE_FORMAT and COPY_OPTIONS of an internal "
		"stage take %zd bytes as metadata of an object, and %d is "
		"the most",
		size, CATALOG_PROPERTIES_MAX);
}

static int stages_set_created_on(struct conn *c)
{
	char now[TIME_LIST_SIZE];

	clock_list(clock_now(), now);
	free(c->created_on);
	c->created_on = strdup(now);
	return c->created_on ? 0 : -ENOMEM;
}

/* A new stage's; to be cleared in either case. */
static int stages_new_properties(const struct sql_statement *q,
				 struct conn *out, struct failure *f)
{
	int rc;

	*out = (struct conn){ 0 };
	rc = stages_conn_alter_properties(q, out, f);
	if (!rc)
		rc = stages_set_created_on(out);
	return rc ? rc : stages_check_properties(q, out, f);
}

static int stages_fail_storage(struct session *s, int rc, struct failure *f)
{
	return failure_store(f, catalog_storage(s->catalog),
			     catalog_storage_prefix(s->catalog), rc);
}

static int stages_make_internal(struct session *s,
				const struct sql_statement *q,
				struct failure *f)
{
	struct stage *stage = NULL;
	CONN_LOCAL properties;
	int rc = stages_new_properties(q, &properties, f);

	if (!rc) {
		rc = catalog_create(s->catalog, q->name.s, &properties, &stage);
		stage_unref(stage);
		if (rc == -EROFS)
			failure_set(
				f, CODE_PERMISSION, rc,
				catalog_has_storage(s->catalog)
					? "the storage is read-only"
					: "there is no [storage] for internal "
					  "stages: give the stage a URL");
		else if (rc)
			stages_fail_storage(s, rc, f);
	}
	return rc;
}

/* An empty stage in place of the one that was there. */
static int stages_remake_internal(struct session *s,
				  const struct sql_statement *q,
				  struct failure *f)
{
	CONN_LOCAL properties;
	int rc = stages_new_properties(q, &properties, f);

	if (!rc) {
		rc = catalog_properties_set(s->catalog, q->name.s, &properties,
					    NULL);
		if (rc)
			stages_fail_storage(s, rc, f);
	}
	return rc;
}

static int stages_replace_internal(struct stage *stage, struct failure *f)
{
	if (stage->ro)
		return failure_set(f, CODE_PERMISSION, -EROFS,
				   "the storage is read-only");
	return statement_remove_all(stage, f);
}

/* ---- external ---- */

/* With the lock held. */
static int stages_write_conn(struct session *s, const struct sql_statement *q,
			     const struct conn *conn, struct failure *f)
{
	int rc = catalog_check(s->catalog, q->name.s, conn, &f->why);

	f->code = CODE_BAD_ARGUMENTS;
	if (rc) {
		f->span = q->url.span;
		return rc;
	}
	rc = drop_ins_put(s->config.drop_ins, q->name.s, conn, &f->why);
	if (rc) {
		f->code = rc == -EINVAL ? CODE_BAD_ARGUMENTS : CODE_STORAGE;
		return rc;
	}
	catalog_refresh(s->catalog);
	return 0;
}

static int stages_make_external(struct session *s,
				const struct sql_statement *q,
				struct failure *f)
{
	CONN_LOCAL conn = { 0 };
	int rc = stages_conn_new(q, &conn, f);

	if (!rc)
		rc = stages_set_created_on(&conn);
	return rc ? rc : stages_write_conn(s, q, &conn, f);
}

/* ---- CREATE ---- */

static int stages_make(struct session *s, const struct sql_statement *q,
		       struct failure *f)
{
	STAGE_LOCAL *stage = NULL;
	enum found found;
	int rc = stages_find(s, q->name.s, &found, &stage, f);

	if (rc)
		return rc;
	if (found && q->if_not_exists)
		return 0;
	if (found && !q->or_replace) {
		f->span = q->name.span;
		return failure_set(f, CODE_STAGE_EXISTS, -EEXIST,
				   "Stage '%s' already exists.", q->name.s);
	}
	if (found == FOUND_INTERNAL)
		rc = stages_replace_internal(stage, f);
	if (!rc && found == FOUND_INTERNAL && q->url.s)
		rc = stages_drop(s, q->name.s, false, false, f);
	if (!rc && found == FOUND_EXTERNAL && !q->url.s) {
		rc = drop_ins_remove(s->config.drop_ins, q->name.s, &f->why);
		f->code = CODE_STORAGE;
		catalog_refresh(s->catalog);
	}
	if (!rc && q->url.s)
		rc = stages_make_external(s, q, f);
	else if (!rc && found == FOUND_INTERNAL)
		rc = stages_remake_internal(s, q, f);
	else if (!rc)
		rc = stages_make_internal(s, q, f);
	return rc;
}

/* Runs it with the folder locked and freshly looked at. */
static int stages_locked(struct session *s, const struct sql_statement *q,
			 int (*run)(struct session *s,
				    const struct sql_statement *q,
				    struct failure *f),
			 struct failure *f)
{
	int lock, rc = drop_ins_lock(s->config.drop_ins, &lock, &f->why);

	if (rc) {
		f->code = CODE_STORAGE;
		return rc;
	}
	catalog_refresh(s->catalog);
	rc = run(s, q, f);
	drop_ins_unlock(lock);
	return rc;
}

/* 0, or a failure: it is an external one that the configuration has, or `~`. */
static int stages_may_change(struct session *s, const char *name,
			     const char *verb, struct failure *f)
{
	CONN_LOCAL c = { 0 };
	bool drop_in = false;
	int rc;

	if (!strcmp(name, "~"))
		return failure_set(f, CODE_STAGE_PERMISSION, -EPERM,
				   "user stage is not allowed in %s STAGE",
				   verb);
	rc = catalog_conn(s->catalog, name, &c, &drop_in);
	if (!rc && !drop_in)
		return failure_set(
			f, CODE_STAGE_PERMISSION, -EPERM,
			"stage '%s' is in the configuration file %s: "
			"change it there",
			name, s->config.file ? s->config.file : "");
	return rc == -ENOENT || !rc
		       ? 0
		       : failure_set(f, CODE_STORAGE, rc, "%s", strerror(-rc));
}

int stages_create(struct session *s, const struct sql_statement *q,
		  struct failure *f)
{
	struct conn conn;
	bool drop_in;
	int rc = stages_may_change(s, q->name.s, "CREATE", f);

	if (rc == -EPERM && strcmp(q->name.s, "~") && !q->or_replace) {
		failure_clear(f);
		if (q->if_not_exists)
			return 0;
		f->span = q->name.span;
		return failure_set(f, CODE_STAGE_EXISTS, -EEXIST,
				   "Stage '%s' already exists.", q->name.s);
	}
	if (!rc)
		rc = stages_check_name(q, f);
	/* Everything that can be wrong with it, before anything goes. */
	if (!rc) {
		rc = q->url.s ? stages_conn_new(q, &conn, f)
			      : stages_new_properties(q, &conn, f);
		conn_clear(&conn);
	}
	if (rc)
		return rc;
	/* Only what concerns an external stage needs the folder. */
	if (!q->url.s &&
	    catalog_conn(s->catalog, q->name.s, &conn, &drop_in) == -ENOENT)
		return stages_make(s, q, f);
	if (!q->url.s)
		conn_clear(&conn);
	return stages_locked(s, q, stages_make, f);
}

/* ---- ALTER ---- */

static int stages_alter_external(struct session *s,
				 const struct sql_statement *q,
				 struct failure *f)
{
	CONN_LOCAL conn = { 0 };
	/* Not the catalog's: that is a session's, with its own deadlines. */
	int rc = drop_ins_get(s->config.drop_ins, q->name.s, &conn, &f->why);

	f->code = CODE_STORAGE;
	if (!rc)
		rc = stages_conn_alter(q, &conn, f);
	return rc ? rc : stages_write_conn(s, q, &conn, f);
}

/* A marker's ETag does not change with its metadata: of two of these at once
 * the later one wins. A stage that was dropped meanwhile is not made again. */
static int stages_alter_internal(struct session *s,
				 const struct sql_statement *q,
				 struct failure *f)
{
	char etag[STORE_ETAG_SIZE];
	CONN_LOCAL properties;
	int rc = catalog_properties(s->catalog, q->name.s, &properties, etag);

	if (rc)
		return stages_fail_storage(s, rc, f);
	rc = stages_conn_alter_properties(q, &properties, f);
	if (!rc)
		rc = stages_check_properties(q, &properties, f);
	if (rc)
		return rc;
	rc = catalog_properties_set(s->catalog, q->name.s, &properties, etag);
	if (rc == -ESTALE)
		failure_set(f, CODE_STORAGE, rc,
			    "'%s' was made or dropped at the same time",
			    q->name.s);
	else if (rc == -EROFS)
		failure_set(f, CODE_PERMISSION, rc, "the storage is read-only");
	else if (rc)
		stages_fail_storage(s, rc, f);
	return rc;
}

int stages_alter(struct session *s, const struct sql_statement *q,
		 struct failure *f)
{
	struct stage *stage;
	enum found found;
	int rc = stages_may_change(s, q->name.s, "ALTER", f);

	if (!rc)
		rc = stages_find(s, q->name.s, &found, &stage, f);
	if (rc)
		return rc;
	stage_unref(stage);
	if (found == FOUND_EXTERNAL)
		return stages_locked(s, q, stages_alter_external, f);
	if (found == FOUND_NOTHING && q->if_exists)
		return 0;
	f->span = q->name.span;
	if (found == FOUND_NOTHING)
		return failure_set(f, CODE_UNKNOWN_STAGE, -ENOENT,
				   "Stage '%s' does not exist.", q->name.s);
	if (q->url.s || q->has_connection)
		return failure_set(
			f, CODE_BAD_ARGUMENTS, -EINVAL,
			"'%s' is an internal stage: its place is the "
			"storage's",
			q->name.s);
	f->span = (struct sql_span){ 0, 0 };
	return stages_alter_internal(s, q, f);
}

static int stages_drop_external(struct session *s, const char *name,
				struct failure *f)
{
	const char *dir = s->config.drop_ins;
	int lock, rc = drop_ins_lock(dir, &lock, &f->why);

	f->code = CODE_STORAGE;
	if (rc)
		return rc;
	rc = drop_ins_remove(dir, name, &f->why);
	drop_ins_unlock(lock);
	catalog_refresh(s->catalog);
	return rc;
}

static int stages_drop_internal(struct session *s, struct stage *stage,
				bool files, struct failure *f)
{
	int rc = 0;

	if (stage->ro)
		return failure_set(f, CODE_PERMISSION, -EROFS,
				   "the storage is read-only");
	if (files) {
		rc = statement_remove_all(stage, f);
		catalog_keep(s->catalog, stage);
	}
	if (rc)
		return rc;
	rc = catalog_drop(s->catalog, stage->name);
	if (rc == -ENOTEMPTY)
		return failure_set(
			f, CODE_STORAGE, rc, "there are files in it%s",
			files ? "" : " (--recursive removes them too)");
	return rc ? failure_store(f, stage->store, stage->prefix, rc) : 0;
}

int stages_drop(struct session *s, const char *name, bool if_exists, bool files,
		struct failure *f)
{
	STAGE_LOCAL *stage = NULL;
	int rc = stages_may_change(s, name, "DROP", f);

	if (rc)
		return rc;
	rc = session_stage(s, name, &stage, f);
	if (rc == -ENOENT && if_exists) {
		failure_clear(f);
		return 0;
	}
	if (rc)
		return rc;
	return stage->kind == STAGE_EXTERNAL
		       ? stages_drop_external(s, name, f)
		       : stages_drop_internal(s, stage, files, f);
}
