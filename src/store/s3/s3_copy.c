/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-side copies. The source is looked up first, unless it was made here
 * like any new object, or a listing told enough of it: its size says whether
 * one CopyObject does it, and its ETag pins what is copied.
 *
 * Up to 5 GiB: CopyObject, which takes type and metadata along, but neither
 * storage class nor encryption: these are said, as the source's HEAD told them.
 * Beyond: an upload whose parts the server copies, several at once; all headers
 * and the tags are sent with its beginning.
 *
 * A condition on the target goes along for servers that know it there, and is
 * checked before by a HEAD for those that do not.
 *
 * An object gets other headers by a copy onto itself that replaces them all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "base/waiter.h"
#include "store/attr_meta.h"
#include "store/s3/s3_upload.h"
#include "store/s3/s3_crypt.h"
#include "store/s3/s3_doc.h"
#include "store/s3/s3_etag.h"
#include "store/s3/s3_head.h"
#include "store/s3/s3_heed.h"
#include "store/s3/s3_info.h"
#include "store/s3/s3_lack.h"
#include "store/s3/s3_made.h"
#include "store/s3/s3_ops.h"
#include "store/s3/s3_perform.h"
#include "store/s3/s3_plain.h"
#include "store/storage_class.h"

#define COPY_MAX ((uint64_t)5 << 30)
#define PART_SIZE ((uint64_t)512 << 20)
#define PARTS_MAX 10000
#define AT_ONCE 8

struct copy {
	struct s3 *s;
	struct s3 *src; /* the source's: s, or another of that server */
	const char *from, *to;
	const struct store_cond *cond;
	struct object_info source;
	struct props props; /* what the copy is told */
	bool replaces; /* ... in place of what the source has */
	char *tags; /* the source's, for a server that forgets them; or NULL */
	bool plain; /* it is as new ones are: s3_plain.h */
	bool listed; /* it is as a listing told: copy_settle() */
	bool whole; /* the answer shows that no encryption was lost ... */
	struct props answer; /* ... or what there is, where it was listed */
	bool as_new; /* nothing of the source goes along but its bytes */
};

/* ---- one request ---- */

static int copy_parse(struct s3_call *c, const struct buf *body)
{
	return s3_doc_result(buf_str(body), body->len, "CopyObjectResult",
			     c->out);
}

/* Has an object all that the copy is told of its content? */
static bool copy_has_props(const struct copy *x, const struct http_reply *head)
{
	MEM_LOCAL struct props *there = malloc(sizeof(*there));
	struct field at = { NULL, NULL };
	bool has = there && !s3_info_props(head, there);

	while (has && props_next(&x->props, &at)) {
		const char *value = props_get(there, at.name);

		has = !(props_kind(at.name) & PROP_CONTENT) ||
		      (value && !strcmp(value, at.value));
	}
	return has;
}

static bool copy_is_ours(const struct copy *x, struct object_info *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc = s3_head_reply(x->s, x->to, true, out, &reply);
	bool ours = !rc && out->size == x->source.size;

	if (ours && x->replaces)
		ours = copy_has_props(x, &reply);
	else if (ours)
		ours = !strcmp(out->etag, x->source.etag);
	return ours;
}

/* A 412 is the source's or the target's: the source's is ESTALE. */
static int copy_blame(const struct copy *x, bool with_cond, int rc)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	struct object_info now;

	if (rc != -EEXIST)
		return rc;
	if (s3_head_reply(x->src, x->from, true, &now, &reply) ||
	    strcmp(now.etag, x->source.etag))
		rc = -ESTALE;
	else if (with_cond && x->cond && x->cond->if_absent)
		s3_state_learn(x->s, S3_HEEDS_COPY);
	return rc;
}

/* What the answer to a copy of what was listed shows of its encryption. */
static int copy_note_answer(struct copy *x, const struct http_reply *reply,
			    const struct object_info *out)
{
	int rc = s3_info_props(reply, &x->answer);

	x->whole = !rc && s3_crypt_is_kept(x->s, reply, &x->answer,
					   !strcmp(out->etag, x->source.etag));
	return rc == -ENOMEM ? rc : 0;
}

static int copy_small(struct copy *x, bool with_cond, struct object_info *out)
{
	struct s3_result_doc doc;
	S3_CALL_LOCAL c;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	s3_call_init(&c, x->s, HTTP_PUT, x->to, "copy to");
	s3_call_slow(&c, x->source.size);
	s3_part_source(&c, x->src, x->from, x->source.etag);
	if (x->replaces)
		s3_call_header(&c, "x-amz-metadata-directive", "REPLACE");
	if (x->as_new)
		s3_call_header(&c, "x-amz-tagging-directive", "REPLACE");
	s3_made_add(&c, S3_REQUEST_COPY,
		    &(struct store_meta){ .props = x->plain ? NULL
							    : &x->props });
	if (with_cond)
		s3_call_cond(&c, x->cond);
	s3_call_parse(&c, copy_parse, &doc);
	rc = s3_perform(&c, &reply);
	if (!rc) {
		s3_info_written(&reply, x->source.size, out);
		memcpy(out->etag, doc.etag, sizeof(out->etag));
		if (doc.mtime.tv_sec)
			out->mtime = doc.mtime;
		if (x->listed)
			rc = copy_note_answer(x, &reply, out);
	} else if (c.maybe_done && reply.status == 412 &&
		   copy_is_ours(x, out)) {
		rc = 0;
	} else if (reply.status == 412) {
		rc = copy_blame(x, with_cond, rc);
	}
	return rc;
}

/* ---- many parts ---- */

/* Parts first .. first + n - 1, side by side. */
static int copy_parts(const struct copy *x, struct s3_upload *u,
		      const struct store_range *ranges,
		      struct store_part_done *done, unsigned n)
{
	struct s3_call *all = calloc(n, sizeof(*all)), *calls[AT_ONCE];
	struct s3_result_doc docs[AT_ONCE];
	struct http_reply replies[AT_ONCE];
	int errs[AT_ONCE], rc = 0;

	if (!all)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		calls[i] = &all[i];
		s3_part_copy_call(&all[i], u, done[i].number, x->src,
				  &ranges[i], &docs[i]);
	}
	s3_perform_all(calls, replies, errs, n);
	for (unsigned i = 0; i < n; i++) {
		if (!errs[i])
			errs[i] = s3_part_copied(&all[i], u, &replies[i],
						 ranges[i].len, &done[i]);
		if (!rc)
			rc = errs[i];
		http_reply_clear(&replies[i]);
		s3_call_clear(&all[i]);
	}
	free(all);
	return rc;
}

static int copy_all(const struct copy *x, struct store_upload *u,
		    struct object_info *out)
{
	uint64_t size = x->source.size, at = 0;
	uint64_t part = number_max(size / PARTS_MAX + 1, PART_SIZE);
	unsigned n, i = 0;
	MEM_LOCAL struct store_part_done *done = NULL;
	int rc = 0;

	n = (unsigned)((size + part - 1) / part);
	done = calloc(n, sizeof(*done));
	if (!done)
		return -ENOMEM;
	while (!rc && i < n) {
		struct store_range ranges[AT_ONCE];
		unsigned some = 0;

		while (some < AT_ONCE && i + some < n) {
			ranges[some] = (struct store_range){
				.key = x->from,
				.etag = x->source.etag,
				.offset = at,
				.len = number_min(size - at, part)
			};
			at += ranges[some].len;
			done[i + some].number = i + some + 1;
			some++;
		}
		rc = copy_parts(x, s3_upload_of(u), ranges, done + i, some);
		i += some;
	}
	if (!rc)
		rc = s3_head_same(x->src, x->from, x->source.etag);
	return rc ? rc : s3_upload_complete(u, done, n, x->cond, out);
}

static int copy_big(const struct copy *x, struct object_info *out)
{
	const struct store_meta meta = { .props = &x->props };
	struct store_upload *u = NULL;
	int rc = s3_upload_open(&x->s->base, x->to, &meta, &u);

	if (!rc)
		rc = copy_all(x, u, out);
	if (rc && u)
		s3_upload_abort(u);
	if (u)
		s3_upload_free(u);
	return rc;
}

/* Those of a source whose copy gets other headers: a server may forget them. */
static int copy_keep_tags(struct copy *x, const struct props *was)
{
	const char *count = props_get(was, PROP_TAG_COUNT);
	BUF_LOCAL tags = BUF_INIT(PROPS_BYTES);
	int rc = 0;

	if (!count || !strcmp(count, "0") ||
	    s3_state_lacks(x->s, S3_HAS_COPY_TAGS))
		return 0;
	if (!s3_tags(&x->src->base, x->from, &tags)) {
		x->tags = buf_detach(&tags);
		rc = x->tags ? 0 : -ENOMEM;
	}
	return rc;
}

/* What is to be said of a copy: of one that the server makes in one step what
 * it does not take along. */
static int copy_choose_props(struct copy *x, const struct http_reply *head,
			     const struct store_retype *retype)
{
	MEM_LOCAL struct object_details *d = malloc(sizeof(*d));
	bool big = x->source.size > COPY_MAX;
	unsigned kinds = PROP_SERVER | PROP_CRYPT;
	int rc = d ? s3_info_props(head, &d->props) : -ENOMEM;

	if (!rc && big)
		rc = store_props(&x->src->base, x->from, d);
	if (!rc)
		x->replaces = props_retype(&d->props, retype);
	else if (rc == -E2BIG && !big)
		rc = 0; /* the server takes them along, all or none */
	if (x->replaces || big)
		kinds |= PROP_CONTENT;
	if (big)
		kinds |= PROP_TAGS;
	if (!rc && x->replaces && !big)
		rc = copy_keep_tags(x, &d->props);
	return rc ? rc : props_add(&x->props, &d->props, kinds);
}

static int copy_object(struct copy *x, struct object_info *out)
{
	int rc;

	if (x->source.size > COPY_MAX)
		return copy_big(x, out);
	rc = copy_small(x, true, out);
	if (rc != -ENOTSUP || !x->cond)
		return rc;
	rc = s3_head_must_hold(x->s, x->to, x->cond);
	if (!rc)
		rc = copy_small(x, false, out);
	if (!rc)
		s3_lack_note(x->s, s3_lack_of_cond(x->cond));
	return rc;
}

/* Does the copy get what the source has, and nothing else? */
static bool copy_is_same(const struct copy *x, const struct object_info *known,
			 const struct store_retype *retype)
{
	const char *was = retype && retype->was ? retype->was : "",
		   *now = retype && retype->now ? retype->now : "";

	return known && *known->etag && strcmp(x->from, x->to) != 0 &&
	       !strcmp(was, now);
}

/* Is the source one that was made here? */
static bool copy_is_plain(struct copy *x, const struct object_info *known)
{
	if (x->src != x->s ||
	    !s3_plain_find(x->s, x->from, known->etag, &x->source.size))
		return false;
	memcpy(x->source.etag, known->etag, sizeof(x->source.etag));
	x->source.class = s3_made_class(x->s);
	return true;
}

/*
 * Has a listing told enough of it? What stands at the target would be lost to a
 * copy that cannot be made as it should: so there has to be nothing, unless
 * such copies of this store's are known to be whole.
 */
static bool copy_is_listed(struct copy *x, const struct object_info *known)
{
	const char *class = storage_class_name(known->class);

	if (!class || known->size > COPY_MAX || !s3_etag_is_md5(known->etag) ||
	    s3_state_lacks(x->src, S3_LACKS_ETAGS) ||
	    s3_state_lacks(x->s, S3_COPIES_LOSE) ||
	    (!(x->cond && x->cond->if_absent) &&
	     !s3_state_lacks(x->s, S3_COPIES_KEEP)))
		return false;
	x->source = *known;
	return known->class == STORAGE_CLASS_STANDARD ||
	       !props_set(&x->props, PROP_CLASS, class);
}

/* Its HEAD, and what that says of the copy. */
static int copy_look(struct copy *x, const char *etag,
		     const struct store_retype *retype)
{
	HTTP_REPLY_LOCAL head = { 0 };
	int rc = s3_head_reply(x->src, x->from, false, &x->source, &head);

	if (!rc && etag && strcmp(etag, x->source.etag))
		rc = s3_confirm(&x->src->base, x->from, etag, &x->source);
	if (!rc && !*x->source.etag)
		rc = -EIO;
	return rc ? rc : copy_choose_props(x, &head, retype);
}

/* Need the target not be looked at before? */
static bool copy_is_bound(const struct copy *x)
{
	const struct store_cond *cond = x->cond;

	return cond && (cond->looked ||
			(cond->if_absent && x->source.size <= COPY_MAX &&
			 s3_heed_copy(x->s)));
}

static int copy_make(struct copy *x, struct object_info *out)
{
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc = 0;

	if (!copy_is_bound(x))
		rc = s3_head_cond(x->s, x->to, x->cond);
	if (!rc && x->src == x->s &&
	    !strcmp(x->from, x->to)) /* S3 refuses what changes nothing */
		*out = x->source;
	else if (!rc)
		rc = copy_object(x, out);
	if (!rc && !*out->etag)
		rc = s3_head_reply(x->s, x->to, false, out, &reply);
	return rc;
}

/* ---- what a listing does not tell (s3_crypt.h) ---- */

/* In place of the copy that is there. */
static int copy_again(struct copy *x, const struct http_reply *head,
		      struct object_info *out)
{
	char etag[STORE_ETAG_SIZE];
	const struct store_cond *was = x->cond;
	const struct store_cond same = { .if_match = etag };
	int rc = copy_choose_props(x, head, NULL);

	s3_state_learn(x->s, S3_COPIES_LOSE);
	memcpy(etag, out->etag, sizeof(etag));
	x->cond = &same;
	x->listed = false;
	if (!rc)
		rc = copy_make(x, out);
	if (rc)
		memcpy(out->etag, etag, sizeof(etag));
	x->cond = was;
	return rc;
}

static int copy_look_back(struct copy *x, struct object_info *out)
{
	HTTP_REPLY_LOCAL head = { 0 };
	MEM_LOCAL struct props *was = malloc(sizeof(*was));
	struct object_info now;
	int rc = was ? s3_head_reply(x->src, x->from, true, &now, &head)
		     : -ENOMEM;

	if (rc == -ENOENT || (!rc && strcmp(now.etag, x->source.etag)))
		return -ESTALE;
	if (!rc && s3_info_props(&head, was) == -ENOMEM)
		rc = -ENOMEM;
	if (!rc && s3_crypt_lacks(x->s, &x->answer, was))
		rc = copy_again(x, &head, out);
	return rc;
}

/* A copy has been made of what was listed. One that lacks something does not
 * stay where nothing was. */
static int copy_settle(struct copy *x, struct object_info *out)
{
	struct store_cond same = { .if_match = out->etag };
	int rc;

	if (x->whole) {
		s3_state_learn(x->s, S3_COPIES_KEEP);
		return 0;
	}
	rc = copy_look_back(x, out);
	if (rc && *out->etag && x->cond && x->cond->if_absent) {
		waiter_finish(waiter_self()); /* an interrupt spares none */
		s3_remove(&x->s->base, x->to, &same);
	}
	return rc;
}

/* By what is known, and where that was not so, by the source's HEAD. */
static int copy_known(struct copy *x, const struct object_info *known,
		      const struct store_retype *retype,
		      struct object_info *out)
{
	const char *etag = known && *known->etag ? known->etag : NULL;
	int rc;

	if (copy_is_same(x, known, retype)) {
		x->plain = copy_is_plain(x, known);
		x->listed = !x->plain && copy_is_listed(x, known);
	}
	if (x->plain || x->listed) {
		rc = copy_make(x, out);
		if (!rc && x->listed)
			rc = copy_settle(x, out);
		if (rc != -ESTALE || x->plain)
			return rc;
		/* a listing's ETags may be others than its objects' */
		x->listed = false;
		x->props.len = 0;
	}
	rc = copy_look(x, etag, retype);
	return rc ? rc : copy_make(x, out);
}

int s3_copy_from(struct store *store, struct store *source, const char *from,
		 const struct object_info *known, const char *to,
		 const struct store_retype *retype,
		 const struct store_cond *cond, struct object_info *out)
{
	struct copy x = { .s = s3_of(store),
			  .src = s3_of(source),
			  .from = from,
			  .to = to,
			  .cond = cond };
	int rc = copy_known(&x, known, retype, out);

	if (!rc)
		s3_tags_hold(x.s, to, x.tags, S3_LACKS_COPY_TAGS,
			     S3_HAS_COPY_TAGS);
	free(x.tags);
	out->class = x.source.class;
	if (!rc && x.plain)
		s3_plain_note(x.s, to, out);
	return rc;
}

/* Has it got no other headers than those of a bare object? */
static void copy_note_headers(struct s3 *s, const char *key,
			      const struct object_details *now,
			      const struct object_info *out)
{
	struct store_meta meta = { .content_type = NULL };
	struct field all[ATTR_META_FIELDS + 1], at = { NULL, NULL };
	bool bare = true;

	while (bare && props_next(&now->props, &at)) {
		if (!strcmp(at.name, PROP_TYPE))
			meta.content_type = at.value;
		else if (meta.n_headers == ATTR_META_FIELDS)
			bare = false;
		else
			all[meta.n_headers++] = at;
	}
	meta.headers = all;
	s3_plain_note_bare(s, key, out,
			   bare && s3_plain_is_bare(s, key, &meta));
}

int s3_set_props(struct store *store, const char *key,
		 const struct object_details *now, struct object_info *out)
{
	struct copy x = {
		.s = s3_of(store),
		.src = s3_of(store),
		.from = key,
		.to = key,
		.source = now->info,
		.replaces = true,
	};
	unsigned kinds = PROP_CONTENT | PROP_SERVER | PROP_CRYPT;
	const char *tags = props_get(&now->props, PROP_TAGGING);
	bool big = now->info.size > COPY_MAX;
	HTTP_REPLY_LOCAL reply = { 0 };
	int rc;

	/* One request takes the tags along; an upload is told them. */
	if (big)
		kinds |= PROP_TAGS;
	rc = props_add(&x.props, &now->props, kinds);
	if (!rc)
		rc = copy_object(&x, out);
	if (!rc && !*out->etag)
		rc = s3_head_reply(x.s, key, false, out, &reply);
	if (!rc && !big)
		s3_tags_hold(x.s, key, tags, S3_LACKS_COPY_TAGS,
			     S3_HAS_COPY_TAGS);
	if (!rc)
		copy_note_headers(x.s, key, now, out);
	return rc;
}

int s3_copy(struct store *store, const char *from,
	    const struct object_info *known, const char *to,
	    const struct store_retype *retype, const struct store_cond *cond,
	    struct object_info *out)
{
	return s3_copy_from(store, store, from, known, to, retype, cond, out);
}

/* One server, as far as the settings say. */
bool s3_copy_is_near(const struct store *store, const struct store *other)
{
	const struct url *a = &((const struct s3 *)store)->io.url,
			 *b = &((const struct s3 *)other)->io.url;

	return !strcmp(a->scheme, b->scheme) && !strcmp(a->host, b->host) &&
	       a->port == b->port;
}

/*
 * Servers that do not bind a copy to its source's ETag are known by the copy's,
 * or else by the source's afterwards.
 */
int s3_copy_as(struct store *store, const struct store_range *from,
	       const char *to, const struct store_meta *meta,
	       struct object_info *out)
{
	struct copy x = { .s = s3_of(store),
			  .src = s3_of(store),
			  .from = from->key,
			  .to = to,
			  .source = { .size = from->len },
			  .replaces = true,
			  .as_new = true };
	int rc = from->len > COPY_MAX ? -ENOTSUP : 0;

	snprintf(x.source.etag, sizeof(x.source.etag), "%s", from->etag);
	if (!rc)
		rc = props_of_meta(&x.props, meta);
	if (!rc)
		rc = copy_small(&x, false, out);
	if (!rc && strcmp(out->etag, from->etag))
		rc = s3_head_same(x.s, from->key, from->etag);
	return rc;
}
