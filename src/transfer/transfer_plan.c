/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A further lane for each store: its own carries requests for which a person
 * waits, this one long transfers. The settings are the stage's; those of the
 * command line win.
 */
#include "transfer/transfer_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/buf.h"
#include "net/http_engine.h"
#include "client/failure.h"
#include "client/session.h"
#include "stage/catalog.h"
#include "stage/stage.h"
#include "store/store.h"
#include "transfer/transfer_local.h"

#define DEADLINE_S 60 /* of a request with its retries; bytes add to it */
#define CONNECT_S 10
#define IDLE_S 30

struct transfer_lane {
	const struct store *store; /* NULL: rows */
	struct http_lane *lane;
	struct transfer_lane *next;
};

static const char *plan_given(const char *a, const char *b)
{
	return a && *a ? a : b && *b ? b : NULL;
}

static struct http_lane *plan_open_lane(struct transfer_plan *p,
					const struct conn *c)
{
	const struct http_lane_settings set = {
		.connections = p->connections,
		.connect_timeout_s = c ? c->lane.connect_timeout_s : CONNECT_S,
		.idle_timeout_s = c ? c->lane.idle_timeout_s : IDLE_S,
		.deadline_s = DEADLINE_S,
		.proxy = plan_given(p->proxy, c ? c->lane.proxy : NULL),
		.ca_file = plan_given(p->ca_file, c ? c->lane.ca_file : NULL),
	};

	return http_lane_new(p->session->engine, &set);
}

static struct http_lane *plan_lane_for(struct transfer_plan *p,
				       const struct stage *stage)
{
	struct session *s = p->session;
	CONN_LOCAL conn = { 0 };
	bool drop_in;

	if (!stage)
		return plan_open_lane(p, NULL);
	if (stage->kind != STAGE_EXTERNAL)
		return plan_open_lane(p, &s->config.storage);
	if (catalog_conn(s->catalog, stage->name, &conn, &drop_in))
		return plan_open_lane(p, NULL);
	return plan_open_lane(p, &conn);
}

/* NULL: for rows that were handed over. */
static struct http_lane *plan_lane(struct transfer_plan *p,
				   const struct stage *stage)
{
	const struct store *store = stage ? stage->store : NULL;
	struct transfer_lane *l;

	for (l = p->lanes; l; l = l->next)
		if (l->store == store)
			return l->lane;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->store = store;
	l->lane = plan_lane_for(p, stage);
	if (!l->lane) {
		free(l);
		return NULL;
	}
	l->next = p->lanes;
	p->lanes = l;
	return l->lane;
}

int transfer_plan_stage(struct transfer_plan *p, const char *verb,
			const char *word, struct location *where,
			struct stage **out)
{
	FAILURE_LOCAL failure = FAILURE_INIT;
	int rc = location_parse(word, where, &failure.why);

	if (!rc) {
		rc = session_stage(p->session, where->stage, out, &failure);
		if (rc)
			location_clear(where);
	}
	if (rc && rc != -EINTR && rc != -ENOMEM) {
		transfer_fail(p->t, buf_str(&failure.why), "cannot %s %s", verb,
			      word);
		rc = 0;
	} else if (!rc) {
		rc = 1;
	}
	return rc;
}

static struct transfer_job *plan_new_job(const char *local)
{
	struct transfer_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->info.size = TRANSFER_UNKNOWN;
	job->local = strdup(local);
	if (!job->local) {
		transfer_job_free(job);
		return NULL;
	}
	return job;
}

struct transfer_job *transfer_plan_local(const char *local)
{
	return plan_new_job(local);
}

static int plan_fill(struct transfer_plan *p, struct stage *stage,
		     const char *path, struct transfer_remote *r)
{
	const char *type = p->content_type ?: store_type(stage->store, path);
	struct buf label = BUF_INIT(BUF_MESSAGE), key = BUF_INIT(BUF_URL);

	buf_addf(&label, "@%s/%s", stage->name, path);
	/* The store says it of one that is too long. */
	stage_key(stage, path, &key);
	r->stage = stage_ref(stage);
	if (!transfer_local_is(r))
		r->lane = plan_lane(p, stage);
	r->key = buf_detach(&key);
	r->part_size = stage->part_size;
	r->label = buf_detach(&label);
	r->content_type = type ? strdup(type) : NULL;
	return (r->lane || transfer_local_is(r)) && r->key && r->label &&
			       (r->content_type || !type)
		       ? 0
		       : -ENOMEM;
}

struct transfer_job *transfer_plan_job(struct transfer_plan *p,
				       struct stage *stage, const char *path,
				       const char *local)
{
	struct transfer_job *job = plan_new_job(local);

	if (job && plan_fill(p, stage, path, &job->remote)) {
		transfer_job_free(job);
		return NULL;
	}
	if (job)
		job->move = p->move;
	return job;
}

struct transfer_job *transfer_plan_copy(struct transfer_plan *p,
					struct stage *stage, const char *path,
					const char *to)
{
	struct transfer_job *job = transfer_plan_job(p, stage, path, "");
	char *label = NULL;

	if (!job)
		return NULL;
	if (!plan_fill(p, p->to, to, &job->to))
		label = strdup(job->to.label);
	if (!label) {
		transfer_job_free(job);
		return NULL;
	}
	free(job->local);
	job->local = label;
	job->action = TRANSFER_COPY;
	job->run = transfer_copy;
	return job;
}

struct transfer_job *transfer_plan_row(struct transfer_plan *p,
				       struct transfer_row *row,
				       const char *local)
{
	struct transfer_job *job = plan_new_job(local);
	struct buf label = BUF_INIT(BUF_URL);

	if (!job)
		return NULL;
	job->remote.row = *row;
	*row = (struct transfer_row){ 0 };
	transfer_row_key(&job->remote.row, &label);
	job->remote.lane = plan_lane(p, NULL);
	job->remote.key = strdup("row");
	job->remote.label = label.len ? buf_detach(&label) : strdup("(no key)");
	if (job->remote.lane && job->remote.key && job->remote.label)
		return job;
	transfer_job_free(job);
	return NULL;
}

/* ---- names that are taken ---- */

struct transfer_name {
	UT_hash_handle hh;
	char text[];
};

bool transfer_plan_take(struct transfer_plan *p, const char *name)
{
	size_t n = strlen(name);
	struct transfer_name *x;

	HASH_FIND(hh, p->names, name, n, x);
	if (x)
		return false;
	x = calloc(1, sizeof(*x) + n + 1);
	if (!x)
		return true; /* the part's lock still keeps them apart */
	memcpy(x->text, name, n);
	HASH_ADD_KEYPTR(hh, p->names, x->text, n, x);
	return true;
}

void transfer_plan_clear(struct transfer_plan *p)
{
	struct transfer_name *x, *next;

	HASH_ITER(hh, p->names, x, next) {
		HASH_DEL(p->names, x);
		free(x);
	}
	transfer_index_free(p->index);
	p->index = NULL;
	stage_unref(p->to);
	p->to = NULL;
	while (p->lanes) {
		struct transfer_lane *l = p->lanes;

		p->lanes = l->next;
		http_lane_free(l->lane);
		free(l);
	}
}
