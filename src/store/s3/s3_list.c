/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing: pages of ListObjectsV2. Each page is fetched by a call of its
 * own while the one before it is read (`ahead`), or when that has been.
 *
 * A page is sorted by key, objects and groups together, and the pages follow
 * each other in key order, so that the whole is in order. Some stores do not
 * sort (directory buckets of S3): of these all pages are gathered first, unless
 * the caller wants a few names of any order. A server that does
 * not move (the same token again) is an error, not a loop. A page whose caller
 * was interrupted amid the wait is asked for again by the next call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/waiter.h"
#include "store/s3/s3_ask.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_judge.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_page.h"
#include "store/s3/s3_perform.h"

#define GATHER_MAX 1000000 /* names of one listing */

struct fetch_locked {
	bool done;
	int rc;
	struct waiter_list waiters;
};

/* A page on its way. The page belongs to the engine's thread until done. */
struct fetch {
	struct s3_call call; /* first */
	struct s3_page page;
	bool again; /* the credentials were refused once before */
	struct lock lock;
	struct fetch_locked guarded_;
};

struct s3_list {
	struct store_list base;
	char *prefix;
	char delimiter[2];
	char *after; /* NULL: from the start */
	unsigned page_size;
	struct s3_page page; /* being read */
	unsigned at;
	struct fetch *next; /* NULL: none is under way */
	char *last_token; /* or name, by which the next page was asked for */
	bool by_name;
	char *last_key; /* that a page ended with */
	bool few; /* are wanted, in any order */
	bool quiet;
	bool gathers;
	struct s3_page all; /* gathered so far */
	bool lost_logged;
	bool given_up; /* the page of last_token, by an interrupt */
	bool end;
	int rc; /* that it ended with */
};

LOCK_GUARDS(fetch_locked, fetch, fetch_locked);

static int list_fetch_parse(struct s3_call *c, const struct buf *body)
{
	struct fetch *f = (struct fetch *)c;

	s3_page_clear(&f->page);
	return s3_page_list(buf_str(body), body->len, s3_call_prefix(c),
			    &f->page);
}

static void list_fetch_ended(struct http_call *http,
			     const struct http_reply *reply)
{
	struct fetch *f = (struct fetch *)http;
	int rc = f->call.refused && !f->again
			 ? -EAGAIN
			 : s3_judge_outcome(&f->call, reply->rc, reply);

	lock_take(&f->lock);
	fetch_locked(f)->done = true;
	fetch_locked(f)->rc = rc;
	waiter_list_wake(&fetch_locked(f)->waiters);
	lock_drop(&f->lock);
}

static const struct http_call_ops fetch_ops = {
	.prepare = s3_call_prepare,
	.judge = s3_judge,
	.done = list_fetch_ended,
};

static void list_fetch_free(struct fetch *f)
{
	if (!f)
		return;
	s3_page_clear(&f->page);
	s3_call_clear(&f->call);
	lock_destroy(&f->lock);
	free(f);
}

/* Behind a group come the names behind all of its own. */
static void list_fetch_after(struct s3_list *l, struct s3_call *c,
			     const char *name)
{
	static const char greatest[] = "\xf4\x8f\xbf\xbf"; /* U+10FFFF */
	bool group = *l->delimiter && text_ends_with(name, l->delimiter) &&
		     strlen(name) > strlen(l->prefix);
	BUF_LOCAL after = BUF_INIT(BUF_URL);

	buf_addf(&after, "%s%s", name, group ? greatest : "");
	s3_call_query(c, "marker", name);
	s3_call_query(c, "start-after", buf_str(&after));
	if (buf_err(&after))
		c->rc = buf_err(&after);
}

static struct fetch *list_fetch_new(struct s3_list *l, const char *token)
{
	struct fetch *f = calloc(1, sizeof(*f));
	char max[16];

	if (!f)
		return NULL;
	lock_init(&f->lock, LOCK_S3_LIST);
	s3_call_init(&f->call, s3_of(l->base.store), HTTP_GET, NULL, "list");
	f->call.http.ops = &fetch_ops;
	f->call.hushes_denial = l->quiet;
	s3_call_query(&f->call, "list-type", "2");
	s3_call_query(&f->call, "prefix", l->prefix);
	if (*l->delimiter)
		s3_call_query(&f->call, "delimiter", l->delimiter);
	if (l->page_size) {
		snprintf(max, sizeof(max), "%u", l->page_size);
		s3_call_query(&f->call, "max-keys", max);
	}
	s3_call_query(&f->call, "encoding-type", "url");
	if (token && l->by_name)
		list_fetch_after(l, &f->call, token);
	else if (token)
		s3_call_query(&f->call, "continuation-token", token);
	else if (l->after)
		list_fetch_after(l, &f->call, l->after);
	s3_call_parse(&f->call, list_fetch_parse, NULL);
	return f;
}

static int list_fetch_start(struct s3_list *l, const char *token, bool again)
{
	int rc;

	l->next = list_fetch_new(l, token);
	if (!l->next)
		return -ENOMEM;
	l->next->again = again;
	rc = s3_perform_ready(&l->next->call);
	l->given_up = rc == -EINTR;
	if (rc) {
		list_fetch_free(l->next);
		l->next = NULL;
		return rc;
	}
	http_start(s3_of(l->base.store)->lane, &l->next->call.http);
	return 0;
}

static int list_fetch_sleep(struct fetch *f, bool interruptible)
{
	int rc;

	lock_take(&f->lock);
	rc = WAITER_LIST_UNTIL(&fetch_locked(f)->waiters, &f->lock,
			       interruptible, fetch_locked(f)->done);
	lock_drop(&f->lock);
	return rc;
}

/* cancel: right away, else when this thread's operation is interrupted. */
static int list_fetch_wait(struct s3 *s, struct fetch *f, bool cancel)
{
	bool cancelled = cancel || list_fetch_sleep(f, true) == -EINTR;
	int rc;

	if (cancelled) {
		http_cancel(s->lane, &f->call.http);
		list_fetch_sleep(f, false);
	}
	rc = LOCK_UNDER(&f->lock, fetch_locked(f)->rc);
	return cancelled && rc == -ECANCELED ? -EINTR : rc;
}

int s3_list_open(struct store *store, const struct list_query *q,
		 struct store_list **out)
{
	struct s3_list *l;
	int rc;

	if (q->after && s3_state_lacks(s3_of(store), S3_LACKS_ORDER))
		return -EOPNOTSUPP;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->base.store = store;
	l->delimiter[0] = q->delimiter;
	l->page_size = q->page > 1000 ? 1000 : q->page;
	l->few = q->page && !q->after;
	l->quiet = q->quiet;
	l->base.ahead = q->ahead;
	l->prefix = strdup(q->prefix);
	l->after = q->after ? strdup(q->after) : NULL;
	rc = l->prefix && !l->after == !q->after
		     ? list_fetch_start(l, NULL, false)
		     : -ENOMEM;
	if (rc)
		s3_list_close(&l->base);
	else
		*out = &l->base;
	return rc;
}

static int list_stuck(const struct s3_list *l)
{
	struct log_where where = { .stage = l->base.store->name,
				   .key = l->prefix,
				   .rc = -EIO };

	log_at(LOG_LEVEL_ERROR, &where,
	       "cannot list: the store says that there is more, and does not "
	       "go on");
	return -EIO;
}

static void list_tell_lost(struct s3_list *l)
{
	struct log_where where = { .stage = l->base.store->name,
				   .key = l->prefix };

	l->base.lost += l->page.lost;
	if (l->page.lost && !l->lost_logged)
		log_at(LOG_LEVEL_WARN, &where,
		       "names are left out of a listing: the store writes "
		       "them as XML cannot carry them");
	l->lost_logged |= l->page.lost > 0;
}

/* Those of a store whose objects have others. */
static void list_drop_etags(struct s3_list *l)
{
	bool drop = s3_state_lacks(s3_of(l->base.store), S3_LACKS_ETAGS);

	for (unsigned i = 0; drop && i < l->page.n; i++)
		l->page.entries[i].info.etag[0] = '\0';
}

/* ---- how its listings write names, found out once a store ---- */

/* Is something there? A name that ends in '/' is a group's. */
static int list_names_are_there(struct s3 *s, const char *name)
{
	size_t n = strlen(name);
	struct s3_page page = { 0 };
	struct object_info info;
	HTTP_REPLY_LOCAL reply = { 0 };
	struct s3_call c;
	int rc;

	if (n && name[n - 1] != '/') {
		rc = s3_head_reply(s, name, true, &info, &reply);
		return rc == -EINTR ? rc : !rc;
	}
	s3_ask_first(&c, s, name, &page);
	c.quiet = true;
	rc = s3_perform(&c, &reply);
	n = page.n + page.lost;
	s3_page_clear(&page);
	s3_call_clear(&c);
	return rc == -EINTR ? rc : !rc && n;
}

static int list_names_ask(struct s3 *s, const struct s3_entry *e,
			  enum s3_silent *out)
{
	int plain = list_names_are_there(s, e->key);
	int decoded = plain < 0 ? plain : list_names_are_there(s, e->other);

	if (decoded < 0)
		return decoded;
	if (plain != decoded)
		*out = decoded ? S3_SILENT_ENCODED : S3_SILENT_PLAIN;
	return 0;
}

/*
 * Settles the names of a page that does not say how it writes them, by asking
 * for one of them. 0, -EINTR.
 */
static int list_learn_names(struct s3 *s, struct s3_page *page)
{
	enum s3_silent silent;
	int rc = 0;

	silent = LOCK_UNDER(&s->lock, s3_locked(s)->silent);
	for (unsigned i = 0; i < page->n && !rc && !silent; i++)
		if (page->entries[i].other)
			rc = list_names_ask(s, &page->entries[i], &silent);
	LOCK_DO(&s->lock, s3_locked(s)->silent = silent);
	if (silent == S3_SILENT_ENCODED)
		s3_page_decoded(page);
	return rc;
}

/* ---- the next page ---- */

/* The page that was fetched becomes the one that is read. */
static int list_take_page(struct s3_list *l)
{
	struct s3 *s = s3_of(l->base.store);
	struct fetch *f = l->next;
	int rc = list_fetch_wait(s, f, false);

	if (rc == -EAGAIN) {
		/* the credentials were refused: others may be had now */
		rc = list_fetch_start(l, l->last_token, true);
		list_fetch_free(f);
		f = l->next;
		if (!rc)
			rc = list_fetch_wait(s, f, false);
	}
	l->next = NULL;
	l->given_up = rc == -EINTR;
	if (!rc) {
		s3_page_clear(&l->page);
		l->page = f->page;
		memset(&f->page, 0, sizeof(f->page));
		l->at = 0;
		l->base.pages++;
	}
	list_fetch_free(f);
	if (!rc && l->page.ambiguous)
		rc = list_learn_names(s, &l->page);
	if (!rc) {
		list_drop_etags(l);
		list_tell_lost(l);
	}
	return rc;
}

/* By what to ask for the next page; NULL: by nothing. */
static const char *list_token(struct s3_list *l)
{
	const struct s3_page *p = &l->page;

	l->by_name = !p->token || !*p->token;
	if (!l->by_name)
		return p->token;
	if (p->marker && *p->marker)
		return p->marker;
	return p->n ? p->entries[p->n - 1].key : NULL;
}

/* Starts the next page, if the one at hand says that there is one. */
static int list_go_on(struct s3_list *l)
{
	const char *next;
	char *token;

	if (!l->page.truncated) {
		l->end = true;
		return 0;
	}
	next = list_token(l);
	/* What comes behind a name is not all that is left. */
	if (!next || (l->gathers && l->by_name) ||
	    (l->last_token && !strcmp(l->last_token, next)))
		return list_stuck(l);
	token = strdup(next);
	if (!token)
		return -ENOMEM;
	free(l->last_token);
	l->last_token = token;
	return list_fetch_start(l, token, false);
}

/* ---- stores that do not sort ---- */

static void list_learn_unordered(struct s3 *s)
{
	struct log_where where = { .stage = s->base.name };

	if (s3_state_learn(s, S3_LACKS_ORDER))
		log_at(LOG_LEVEL_INFO, &where,
		       "the store does not sort its listings: each is read to "
		       "its end first");
}

/* The page begins before the one before it ended: what that one had has been
 * handed out, so that this listing is not saved any more. */
static bool list_goes_back(const struct s3_list *l)
{
	return l->last_key && l->page.n &&
	       strcmp(l->page.entries[0].key, l->last_key) < 0;
}

static int list_too_many(const struct s3_list *l)
{
	struct log_where where = { .stage = l->base.store->name,
				   .key = l->prefix,
				   .rc = -EIO };

	log_at(LOG_LEVEL_ERROR, &where,
	       "cannot list: more than %d names, and the store does not sort "
	       "them",
	       GATHER_MAX);
	return -EIO;
}

/* The page is put with the others; at the end, they are the page. */
static int list_gather(struct s3_list *l)
{
	int rc = s3_page_add(&l->all, &l->page);

	if (rc || l->page.truncated)
		return rc ? rc : l->all.n > GATHER_MAX ? list_too_many(l) : 0;
	s3_page_sort(&l->all);
	s3_page_clear(&l->page);
	l->page = l->all;
	memset(&l->all, 0, sizeof(l->all));
	l->end = true;
	return 0;
}

/* A page has come. */
static int list_put_in_order(struct s3_list *l)
{
	struct s3 *s = s3_of(l->base.store);

	if ((l->page.unsorted && (l->page.truncated || l->last_token)) ||
	    list_goes_back(l))
		list_learn_unordered(s);
	if (l->after && s3_state_lacks(s, S3_LACKS_ORDER))
		return -EOPNOTSUPP;
	if (l->few)
		l->base.unordered = s3_state_lacks(s, S3_LACKS_ORDER);
	else if (!l->gathers && !l->last_key && l->page.truncated)
		l->gathers = s3_state_lacks(s, S3_LACKS_ORDER);
	return l->gathers ? list_gather(l) : 0;
}

static int list_next_page(struct s3_list *l)
{
	int rc = 0;

	if (l->given_up)
		rc = list_fetch_start(l, l->last_token, false);
	else if (!l->next)
		rc = list_go_on(l);
	if (!rc && l->next) {
		rc = list_take_page(l);
		if (!rc)
			rc = list_put_in_order(l);
	}
	if (!rc && l->base.ahead && !l->end)
		rc = list_go_on(l);
	return rc;
}

/* Some servers begin a page with what the one before it ended with. */
static bool list_is_repeated(struct s3_list *l, const struct s3_entry *e)
{
	bool repeated = l->last_key && !strcmp(l->last_key, e->key);

	if (l->at == l->page.n && !repeated) {
		free(l->last_key);
		l->last_key = strdup(e->key);
	}
	return repeated;
}

int s3_list_next(struct store_list *base, struct list_entry *out)
{
	struct s3_list *l = (struct s3_list *)base;
	struct s3_entry *e;
	int rc;

	do {
		while (l->at == l->page.n) {
			if (l->end)
				return 0;
			rc = l->rc ? l->rc : list_next_page(l);
			/* an interrupt ends the call, not the listing */
			l->rc = rc == -EINTR ? 0 : rc;
			if (rc)
				return rc;
		}
		e = &l->page.entries[l->at++];
		base->left = l->page.n - l->at;
		base->more = l->page.truncated;
	} while (list_is_repeated(l, e));
	out->key = e->key;
	out->is_prefix = e->is_prefix;
	out->info = e->info;
	return 1;
}

void s3_list_close(struct store_list *base)
{
	struct s3_list *l = (struct s3_list *)base;

	if (l->next)
		list_fetch_wait(s3_of(base->store), l->next, true);
	list_fetch_free(l->next);
	s3_page_clear(&l->page);
	s3_page_clear(&l->all);
	free(l->prefix);
	free(l->after);
	free(l->last_token);
	free(l->last_key);
	free(l);
}
