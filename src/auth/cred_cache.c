/*
 * Given keys never change and need no reading. What comes from elsewhere is
 * read by the providers of the choice, in order; the first that has any wins,
 * and one that is half there ends the search, since a typing error must not
 * make stagefs sign as somebody else.
 *
 * Reading happens without the lock. Two threads may read at once; whoever
 * installs first wins, and the other takes what is there. `stamp` is that of
 * the files before they were read, so a result that is too old is found out by
 * the next cred_cache_get().
 *
 * Invariants: `creds` changes only in install_locked(), and only when the keys
 * differ, so that equal pointers mean equal keys (auth/signer.c caches by
 * them). `failed` is the stamp of files that could not be used; while it is
 * the present one they are not read again, and the failure is logged once.
 */
#include "auth/cred_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cred_env.h"
#include "auth/cred_file.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

#define EARLY_MS 60000

struct cred_cache_locked {
	struct creds *creds; /* in use; NULL: none were read yet */
	int64_t stamp; /* of the files behind them; 0: no file */
	int64_t failed; /* stamp that did not do; 0: none */
	int64_t early_ms; /* when they were last asked for before their end,
			     monotonic; 0: never */
};

struct cred_cache {
	enum cred_choice choice; /* never CRED_AUTO when keys were given */
	char *profile;
	bool half_given;
	struct lock lock;
	struct cred_cache_locked guarded_;
};

/* What a thread saw under the lock; creds is a reference. */
struct snapshot {
	struct creds *creds;
	int64_t stamp, failed;
};

static struct cred_cache_locked *cred_cache_locked(struct cred_cache *c)
	REQUIRES(&c->lock)
{
	return &c->guarded_;
}

int cred_choice_parse(const char *text, enum cred_choice *choice,
		      const char **profile)
{
	static const struct {
		const char *word;
		enum cred_choice choice;
	} words[] = {
		{ "auto", CRED_AUTO },
		{ "static", CRED_STATIC },
		{ "anonymous", CRED_ANONYMOUS },
		{ "env", CRED_ENV },
	};
	static const char prefix[] = "profile:";

	*profile = NULL;
	if (!strncmp(text, prefix, strlen(prefix)) && text[strlen(prefix)]) {
		*choice = CRED_PROFILE;
		*profile = text + strlen(prefix);
		return 0;
	}
	for (size_t i = 0; i < LEN(words); i++) {
		if (!strcmp(text, words[i].word)) {
			*choice = words[i].choice;
			return 0;
		}
	}
	return -EINVAL;
}

static bool given(const char *s)
{
	return s && *s;
}

/* Takes the keys of the settings. 0 or -ENOMEM. */
static int take_keys(struct cred_cache *c, const struct cred_settings *s)
	NO_THREAD_CHECK /* nobody else knows c yet */
{
	bool id = given(s->access_key_id);
	bool secret = given(s->secret_access_key);
	bool token = given(s->session_token);

	if (c->choice == CRED_AUTO && (id || secret || token))
		c->choice = CRED_STATIC;
	if (c->choice != CRED_STATIC)
		return 0;
	c->half_given = !id || !secret;
	if (c->half_given)
		return 0;
	c->guarded_.creds =
		creds_new(s->access_key_id, s->secret_access_key,
			  token ? s->session_token : NULL, 0, "static");
	return c->guarded_.creds ? 0 : -ENOMEM;
}

struct cred_cache *cred_cache_new(const struct cred_settings *s)
{
	struct cred_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	lock_init(&c->lock);
	c->choice = s->choice;
	if (s->profile)
		c->profile = strdup(s->profile);
	if ((s->profile && !c->profile) || take_keys(c, s)) {
		cred_cache_free(c);
		return NULL;
	}
	return c;
}

void cred_cache_free(struct cred_cache *c) NO_THREAD_CHECK
{
	if (!c)
		return;
	creds_unref(c->guarded_.creds);
	lock_destroy(&c->lock);
	free(c->profile);
	free(c);
}

static struct snapshot look(struct cred_cache *c)
{
	struct cred_cache_locked *g;
	struct snapshot s;

	lock_take(&c->lock);
	g = cred_cache_locked(c);
	s.creds = creds_ref(g->creds);
	s.stamp = g->stamp;
	s.failed = g->failed;
	lock_drop(&c->lock);
	return s;
}

/* Returns what is to be unreferenced once the lock is dropped. */
static struct creds *install_locked(struct cred_cache *c,
				    const struct snapshot *seen,
				    struct creds *fresh, int64_t stamp)
	REQUIRES(&c->lock)
{
	struct cred_cache_locked *g = cred_cache_locked(c);
	struct creds *old = g->creds;

	if (old != seen->creds)
		return fresh;
	g->stamp = stamp;
	g->failed = 0;
	if (creds_equal(old, fresh))
		return fresh;
	g->creds = fresh;
	return old;
}

static bool is_live(const struct creds *c)
{
	return c && (!c->expires_at || c->expires_at > clock_now_s());
}

static int read_env(const struct cred_cache *c, struct creds **out,
		    int64_t *stamp, struct buf *err)
{
	*stamp = 0;
	return cred_env_read(out, err);
}

static int read_file(const struct cred_cache *c, struct creds **out,
		     int64_t *stamp, struct buf *err)
{
	return cred_file_read(c->profile, out, stamp, err);
}

/* The providers of each choice, first to last. A profile that was asked for
 * by name is not overruled by the environment. */
static int read_providers(const struct cred_cache *c, struct creds **out,
			  int64_t *stamp, struct buf *err)
{
	static const struct {
		enum cred_choice choice;
		int (*read)(const struct cred_cache *, struct creds **,
			    int64_t *, struct buf *);
	} providers[] = {
		{ CRED_ENV, read_env },
		{ CRED_PROFILE, read_file },
	};
	int rc = -ENOENT;

	for (size_t i = 0; i < LEN(providers) && rc == -ENOENT; i++) {
		enum cred_choice kind = providers[i].choice;

		if (c->choice != CRED_AUTO && c->choice != kind)
			continue;
		if (c->choice == CRED_AUTO && kind == CRED_ENV && c->profile)
			continue;
		if (err->len)
			buf_adds(err, "; ");
		rc = providers[i].read(c, out, stamp, err);
	}
	if (!rc && !is_live(*out)) {
		buf_reset(err);
		buf_addf(err, "the credentials from %s have expired",
			 (*out)->source);
		creds_unref(*out);
		rc = -EACCES;
	}
	return rc;
}

static void remember_failure(struct cred_cache *c, int64_t stamp)
{
	lock_take(&c->lock);
	cred_cache_locked(c)->failed = stamp;
	lock_drop(&c->lock);
}

/*
 * Reads afresh and replaces s by what is then in use. When that fails the old
 * ones stay, and the answer is 0, if they live.
 */
static int refresh(struct cred_cache *c, struct snapshot *s, struct buf *err)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct creds *fresh = NULL, *dead;
	int64_t stamp = 0;
	int rc;

	rc = read_providers(c, &fresh, &stamp, &why);
	if (rc && is_live(s->creds)) {
		remember_failure(c, stamp);
		log_warn("the credentials from %s stay in use: %s",
			 s->creds->source, buf_str(&why));
		rc = 0;
	} else if (rc) {
		if (err)
			buf_adds(err, buf_str(&why));
	} else {
		lock_take(&c->lock);
		dead = install_locked(c, s, fresh, stamp);
		lock_drop(&c->lock);
		creds_unref(dead);
		creds_unref(s->creds);
		*s = look(c);
	}
	buf_clear(&why);
	return rc;
}

/* Did the files change since they were last looked into? Two stat(2)s. */
static bool files_changed(const struct snapshot *s)
{
	int64_t now;

	if (!s->stamp)
		return false;
	now = aws_profile_stamp();
	return now != s->stamp && now != s->failed;
}

/* Is it time to ask for others, although these live? Notes that it was. */
static bool ask_early(struct cred_cache *c, const struct snapshot *s,
		      int64_t until)
{
	int64_t now = clock_mono_ms();
	bool ask;

	if (!s->creds || !s->creds->expires_at || s->creds->expires_at >= until)
		return false;
	lock_take(&c->lock);
	ask = !cred_cache_locked(c)->early_ms ||
	      now - cred_cache_locked(c)->early_ms >= EARLY_MS;
	if (ask)
		cred_cache_locked(c)->early_ms = now;
	lock_drop(&c->lock);
	return ask;
}

int cred_cache_get(struct cred_cache *c, struct creds **out, struct buf *err)
{
	return cred_cache_get_until(c, 0, out, err);
}

int cred_cache_get_until(struct cred_cache *c, int64_t until,
			 struct creds **out, struct buf *err)
{
	struct snapshot s;
	int rc = 0;

	*out = NULL;
	if (c->choice == CRED_ANONYMOUS)
		return 0;
	if (c->half_given) {
		if (err)
			buf_adds(err, "a key id and its secret are needed, "
				      "and one of them is missing");
		return -EINVAL;
	}
	s = look(c);
	if (c->choice != CRED_STATIC &&
	    (!is_live(s.creds) || files_changed(&s) || ask_early(c, &s, until)))
		rc = refresh(c, &s, err);
	if (!rc)
		*out = s.creds;
	else
		creds_unref(s.creds);
	return rc;
}

int cred_cache_peek(struct cred_cache *c, struct creds **out)
{
	*out = NULL;
	if (c->choice == CRED_ANONYMOUS)
		return 0;
	*out = look(c).creds;
	return *out ? 0 : -EAGAIN;
}

bool cred_cache_refused(struct cred_cache *c, const struct creds *refused)
{
	struct snapshot s;
	bool other;

	if (!refused || c->choice == CRED_ANONYMOUS)
		return false;
	s = look(c);
	if (creds_equal(s.creds, refused) && files_changed(&s))
		refresh(c, &s, NULL);
	other = s.creds && !creds_equal(s.creds, refused);
	creds_unref(s.creds);
	return other;
}
