/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A derived key costs four HMACs and is the same all day, so the last few are
 * kept. A slot is found by the credentials' address: the slot holds a
 * reference, hence the address means these keys and no others. Two days and
 * two regions may be in use side by side (around midnight; after a redirect),
 * so there are a few slots, and the one that was used longest ago is replaced,
 * those of credentials that are no longer in use first.
 *
 * The lock covers looking up and copying 32 bytes. Deriving happens outside.
 */
#include "auth/signer.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/lock.h"

#define SLOTS 4
#define REGION_SIZE 64 /* a longer name is derived each time */
#define SECONDS_A_DAY 86400

struct slot {
	struct creds *creds; /* a reference; NULL: empty */
	int64_t day;
	char region[REGION_SIZE];
	struct sigv4_key key;
	uint64_t used; /* value of `uses` when it last served */
};

struct signer_locked {
	struct slot slots[SLOTS];
	uint64_t uses;
	struct signer_old *old;
};

/* A cache that is in use no more. */
struct signer_old {
	struct cred_cache *creds;
	struct signer_old *next;
};

struct signer {
	_Atomic(struct cred_cache *) creds;
	char *service;
	struct lock lock;
	struct signer_locked guarded_;
};

LOCK_GUARDS(signer_locked, signer, signer_locked);

struct signer *signer_new(struct cred_cache *creds, const char *service)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (s)
		s->service = strdup(service);
	if (!s || !s->service) {
		free(s);
		return NULL;
	}
	lock_init(&s->lock, LOCK_SIGNER);
	atomic_store(&s->creds, creds);
	return s;
}

void signer_free(struct signer *s) NO_THREAD_CHECK
{
	if (!s)
		return;
	for (int i = 0; i < SLOTS; i++)
		creds_unref(s->guarded_.slots[i].creds);
	while (s->guarded_.old) {
		struct signer_old *o = s->guarded_.old;

		s->guarded_.old = o->next;
		cred_cache_free(o->creds);
		free(o);
	}
	wipe(&s->guarded_, sizeof(s->guarded_));
	lock_destroy(&s->lock);
	cred_cache_free(atomic_load(&s->creds));
	free(s->service);
	free(s);
}

struct cred_cache *signer_creds(struct signer *s)
{
	return atomic_load(&s->creds);
}

int signer_set_creds(struct signer *s, struct cred_cache *creds)
{
	struct signer_old *o = malloc(sizeof(*o));

	if (!o)
		return -ENOMEM;
	lock_take(&s->lock);
	o->creds = atomic_exchange(&s->creds, creds);
	o->next = signer_locked(s)->old;
	signer_locked(s)->old = o;
	lock_drop(&s->lock);
	return 0;
}

static bool signer_find_locked(struct signer *s, const struct creds *creds,
			       int64_t day, const char *region,
			       struct sigv4_key *out) REQUIRES(&s->lock)
{
	struct signer_locked *g = signer_locked(s);

	for (int i = 0; i < SLOTS; i++) {
		struct slot *slot = &g->slots[i];

		if (slot->creds == creds && slot->day == day &&
		    !strcmp(slot->region, region)) {
			slot->used = ++g->uses;
			*out = slot->key;
			return true;
		}
	}
	return false;
}

/* How willingly a slot is given up; the largest goes. */
static uint64_t signer_slot_age(const struct slot *slot,
				const struct creds *current, uint64_t uses)
{
	if (!slot->creds)
		return UINT64_MAX;
	if (slot->creds != current)
		return UINT64_MAX - 1;
	return uses - slot->used;
}

/* Takes over fresh->creds; returns those that must be unreferenced. */
static struct creds *signer_keep_locked(struct signer *s,
					const struct slot *fresh)
	REQUIRES(&s->lock)
{
	struct signer_locked *g = signer_locked(s);
	struct slot *oldest = &g->slots[0];
	struct sigv4_key same;
	struct creds *old;

	if (signer_find_locked(s, fresh->creds, fresh->day, fresh->region,
			       &same)) {
		wipe(&same, sizeof(same));
		return fresh->creds;
	}
	for (int i = 1; i < SLOTS; i++)
		if (signer_slot_age(&g->slots[i], fresh->creds, g->uses) >
		    signer_slot_age(oldest, fresh->creds, g->uses))
			oldest = &g->slots[i];
	old = oldest->creds;
	*oldest = *fresh;
	oldest->used = ++g->uses;
	return old;
}

static void signer_key(struct signer *s, struct creds *creds,
		       const char *region, int64_t time, struct sigv4_key *out)
{
	struct slot fresh = { .day = time / SECONDS_A_DAY };
	CREDS_LOCAL *old = NULL;
	bool found;

	found = LOCK_UNDER(&s->lock, signer_find_locked(s, creds, fresh.day,
							region, out));
	if (found)
		return;
	sigv4_derive(out, creds->secret_access_key, time, region, s->service);
	if (strlen(region) >= sizeof(fresh.region))
		return;
	strcpy(fresh.region, region);
	fresh.key = *out;
	fresh.creds = creds_ref(creds);
	old = LOCK_UNDER(&s->lock, signer_keep_locked(s, &fresh));
	wipe(&fresh, sizeof(fresh));
}

static struct sigv4_scope signer_scope(const struct signer *s,
				       const struct creds *creds,
				       const char *region, int64_t time)
{
	return (struct sigv4_scope){
		.access_key_id = creds->access_key_id,
		.session_token = creds->session_token,
		.region = region,
		.service = s->service,
		.time = time,
	};
}

void signer_headers_clear(struct signer_headers *h)
{
	wipe_free(h->session_token);
	free(h->authorization);
	creds_unref(h->used);
	*h = (struct signer_headers){ 0 };
}

static int signer_sign(struct signer *s, const struct sigv4_request *request,
		       const char *region, int64_t time,
		       struct signer_headers *out)
{
	const struct creds *creds = out->used;
	const struct field ours[] = {
		{ "x-amz-content-sha256", out->payload_hash },
		{ "x-amz-date", out->amz_date },
		{ "x-amz-security-token", creds->session_token },
	};
	struct field all[SIGV4_FIELDS_MAX];
	struct sigv4_request full = *request;
	struct sigv4_scope scope = signer_scope(s, creds, region, time);
	BUF_LOCAL text = BUF_INIT(BUF_LINE);
	struct sigv4_key key;
	int rc;

	full.payload_hash = out->payload_hash;
	full.headers = all;
	if (request->n_headers + 3 > SIGV4_FIELDS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < request->n_headers; i++)
		all[i] = request->headers[i];
	for (size_t i = 0; i < 3; i++)
		if (ours[i].value)
			all[full.n_headers++] = ours[i];
	signer_key(s, out->used, region, time, &key);
	rc = sigv4_authorize(&key, &scope, &full, &text);
	wipe(&key, sizeof(key));
	if (rc)
		return rc;
	out->authorization = buf_detach(&text);
	return out->authorization ? 0 : -ENOMEM;
}

int signer_authorize(struct signer *s, const struct sigv4_request *request,
		     const char *region, int64_t time,
		     struct signer_headers *out)
{
	int rc;

	*out = (struct signer_headers){ 0 };
	rc = cred_cache_peek(signer_creds(s), &out->used);
	if (rc)
		return rc;
	clock_amz(time, out->amz_date);
	out->payload_hash = request->payload_hash;
	if (!out->payload_hash)
		out->payload_hash = SIGV4_UNSIGNED_PAYLOAD;
	if (!out->used)
		return 0;
	if (out->used->session_token) {
		out->session_token = strdup(out->used->session_token);
		rc = out->session_token ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = signer_sign(s, request, region, time, out);
	if (rc)
		signer_headers_clear(out);
	return rc;
}

/* When the URL ends, by what is known before it is signed. */
static int signer_find_end(const struct creds *creds,
			   const struct signer_terms *t, struct signer_end *end,
			   struct buf *why)
{
	char when[TIME_RFC3339_SIZE];

	end->at = t->time + t->expires;
	end->by_creds = creds->expires_at && creds->expires_at < end->at;
	if (!end->by_creds)
		return 0;
	end->at = creds->expires_at;
	if (!t->strict)
		return 0;
	if (why) {
		clock_rfc3339(end->at, when);
		buf_addf(why, "the credentials end at %s, before the URL would",
			 when);
	}
	return -EACCES;
}

static int signer_sign_query(struct signer *s, struct creds *creds,
			     const struct sigv4_request *request,
			     const struct signer_terms *t, struct buf *query,
			     struct buf *why)
{
	struct sigv4_scope scope = signer_scope(s, creds, t->region, t->time);
	struct sigv4_key key;
	int rc;

	signer_key(s, creds, t->region, t->time, &key);
	rc = sigv4_presign(&key, &scope, request, t->expires, query);
	wipe(&key, sizeof(key));
	if (rc && why)
		buf_adds(why, rc == -EMSGSIZE ? "the URL would be too long"
					      : "the request cannot be signed");
	return rc;
}

int signer_presign(struct signer *s, const struct sigv4_request *request,
		   const struct signer_terms *t, struct buf *query,
		   struct signer_end *end, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	CREDS_LOCAL *creds = NULL;
	int rc;

	*end = (struct signer_end){ 0 };
	if (t->expires < SIGV4_EXPIRES_MIN || t->expires > SIGV4_EXPIRES_MAX) {
		if (why)
			buf_addf(why, "expire = %lld: %d to %d seconds",
				 (long long)t->expires, SIGV4_EXPIRES_MIN,
				 SIGV4_EXPIRES_MAX);
		return -EINVAL;
	}
	rc = t->at_hand ? cred_cache_peek(signer_creds(s), &creds)
			: cred_cache_get_until(signer_creds(s),
					       t->time + t->expires, &creds,
					       &detail);
	if (rc && why)
		buf_addf(why, "no credentials: %s", buf_str(&detail));
	if (rc)
		return rc;
	if (!creds) {
		end->anonymous = true;
		sigv4_encode_query(query, request->query, request->n_query);
		return buf_err(query);
	}
	rc = signer_find_end(creds, t, end, why);
	return rc ? rc : signer_sign_query(s, creds, request, t, query, why);
}
