/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change is there from its first record to that of its end. Its place is a
 * stage and a key; at the end of a journal no two changes have the same. Amid
 * one they may: the records that said where a change was in between are not
 * copied.
 */
#include "fs/write_back/journal_index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct change {
	uint64_t id;
	struct span made, moved;
	char data[SPILL_NAME_SIZE]; /* its file with bytes; "": none */
	char *place; /* while the journal is read */
	UT_hash_handle hh, hh_place;
	struct change *prev, *next;
};

int journal_step_init(struct journal_step *s, const struct record *r,
		      struct span span)
{
	*s = (struct journal_step){ .kind = r->kind,
				    .id = r->id,
				    .span = span };
	if (r->kind == RECORD_FILE)
		snprintf(s->data, sizeof(s->data), "%s", r->data);
	if (r->kind == RECORD_FILE || r->kind == RECORD_DIR)
		s->fresh = calloc(1, sizeof(*s->fresh));
	else
		return 0;
	return s->fresh ? 0 : -ENOMEM;
}

void journal_step_clear(struct journal_step *s)
{
	free(s->fresh);
	s->fresh = NULL;
}

static struct change *index_find(const struct journal_index *x, uint64_t id)
{
	struct change *c;

	HASH_FIND(hh, x->by_id, &id, sizeof(id), c);
	return c;
}

static void index_enter(struct journal_index *x, struct change *c, uint64_t id)
{
	c->id = id;
	HASH_ADD(hh, x->by_id, id, sizeof(c->id), c);
	DL_APPEND(x->changes, c);
	x->n++;
	if (id > x->last_id)
		x->last_id = id;
}

static void index_drop(struct journal_index *x, struct change *c)
{
	free(c->place);
	x->live -= c->made.len + c->moved.len;
	x->n--;
	HASH_DEL(x->by_id, c);
	DL_DELETE(x->changes, c);
	free(c);
}

static void index_set_span(struct journal_index *x, struct span *of,
			   struct span to)
{
	x->live += to.len;
	x->live -= of->len;
	*of = to;
}

static void index_make(struct journal_index *x, struct change *c,
		       struct journal_step *s, char stale[SPILL_NAME_SIZE])
{
	if (!c) {
		c = s->fresh;
		s->fresh = NULL;
		index_enter(x, c, s->id);
	}
	if (strcmp(c->data, s->data) != 0)
		strcpy(stale, c->data);
	strcpy(c->data, s->data);
	index_set_span(x, &c->made, s->span);
	index_set_span(x, &c->moved, (struct span){ 0 });
}

void journal_index_apply(struct journal_index *x, struct journal_step *s,
			 char stale[SPILL_NAME_SIZE])
{
	struct change *c = index_find(x, s->id);

	*stale = '\0';
	switch (s->kind) {
	case RECORD_FILE:
	case RECORD_DIR:
		index_make(x, c, s, stale);
		break;
	case RECORD_MOVE:
	case RECORD_ENDING:
		if (c)
			index_set_span(x, &c->moved, s->span);
		break;
	case RECORD_GONE:
		if (c) {
			strcpy(stale, c->data);
			index_drop(x, c);
		}
		break;
	}
}

/* Where c is after r. No move leaves the stage. */
static int index_place(const struct change *c, const struct record *r,
		       char **out)
{
	const char *stage = r->stage ? r->stage : c->place;
	int len = (int)strcspn(stage, "\n");

	return asprintf(out, "%.*s\n%s", len, stage, r->key) < 0 ? -ENOMEM : 0;
}

int journal_index_replay(struct journal_index *x, struct journal_step *s,
			 const struct record *r)
{
	char stale[SPILL_NAME_SIZE], *place;
	struct change *c;
	int rc;

	if (r->id > x->last_id)
		x->last_id = r->id;
	journal_index_apply(x, s, stale);
	c = index_find(x, r->id);
	if (!c)
		return 0;
	rc = index_place(c, r, &place);
	if (rc)
		return rc;
	free(c->place);
	c->place = place;
	return 0;
}

/* Where its place was said last. */
static uint64_t index_latest(const struct change *c)
{
	return c->moved.len ? c->moved.at : c->made.at;
}

void journal_index_replayed(struct journal_index *x)
{
	struct change *c, *next, *other, *places = NULL;

	DL_FOREACH_SAFE(x->changes, c, next) {
		HASH_FIND(hh_place, places, c->place, strlen(c->place), other);
		if (other && index_latest(other) > index_latest(c)) {
			index_drop(x, c);
			continue;
		}
		if (other) {
			HASH_DELETE(hh_place, places, other);
			index_drop(x, other);
		}
		HASH_ADD_KEYPTR(hh_place, places, c->place, strlen(c->place),
				c);
	}
	HASH_CLEAR(hh_place, places);
	DL_FOREACH(x->changes, c) {
		free(c->place);
		c->place = NULL;
	}
}

struct span journal_index_made(const struct journal_index *x, uint64_t id)
{
	const struct change *c = index_find(x, id);

	return c ? c->made : (struct span){ 0 };
}

bool journal_index_wants(const struct journal_index *x, const char *data)
{
	const struct change *c;

	DL_FOREACH(x->changes, c)
		if (!strcmp(c->data, data))
			return true;
	return false;
}

int journal_index_list(const struct journal_index *x, struct journal_kept **out,
		       size_t *n)
{
	const struct change *c;

	*n = 0;
	*out = calloc(x->n + 1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	DL_FOREACH(x->changes, c)
		(*out)[(*n)++] =
			(struct journal_kept){ c->id, c->made, c->moved };
	return 0;
}

void journal_index_moved(struct journal_index *x,
			 const struct journal_kept *list, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		struct change *c = index_find(x, list[k].id);

		c->made = list[k].made;
		c->moved = list[k].moved;
	}
}

void journal_index_clear(struct journal_index *x)
{
	struct change *c, *next;

	DL_FOREACH_SAFE(x->changes, c, next)
		index_drop(x, c);
}
