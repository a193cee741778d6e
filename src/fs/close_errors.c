/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/close_errors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/lock.h"
#include "fs/names.h"
#include "stage/stage.h"

struct close_error {
	char *stage, *key; /* one allocation */
	int rc;
	struct close_error *prev, *next;
};

struct close_errors_locked {
	struct close_error *head; /* the oldest */
	unsigned n;
};

struct close_errors {
	_Atomic(bool) any;
	struct lock lock; /* a leaf */
	struct close_errors_locked guarded_;
};

LOCK_GUARDS(close_errors_locked, close_errors, close_errors_locked);

struct close_errors *close_errors_new(void)
{
	struct close_errors *u = calloc(1, sizeof(*u));

	if (u)
		lock_init(&u->lock, LOCK_CLOSE_ERRORS);
	return u;
}

static void close_error_free(struct close_error *e)
{
	if (e)
		free(e->stage);
	free(e);
}

void close_errors_free(struct close_errors *u)
{
	struct close_error *e, *next;

	if (!u)
		return;
	DL_FOREACH_SAFE(u->guarded_.head, e, next)
		close_error_free(e);
	lock_destroy(&u->lock);
	free(u);
}

bool close_errors_any(struct close_errors *u)
{
	return atomic_load(&u->any);
}

static void close_errors_remove_locked(struct close_errors *u,
				       struct close_error *e) REQUIRES(&u->lock)
{
	struct close_errors_locked *g = close_errors_locked(u);

	DL_DELETE(g->head, e);
	atomic_store(&u->any, --g->n > 0);
}

static struct close_error *close_errors_take_locked(struct close_errors *u,
						    const char *stage,
						    const char *key)
	REQUIRES(&u->lock)
{
	struct close_error *e;

	DL_FOREACH(close_errors_locked(u)->head, e)
		if (!strcmp(e->key, key) && !strcmp(e->stage, stage))
			break;
	if (e)
		close_errors_remove_locked(u, e);
	return e;
}

static struct close_error *close_error_new(const char *stage, const char *key,
					   int rc)
{
	size_t len = strlen(stage) + 1;
	struct close_error *e = calloc(1, sizeof(*e));

	if (e)
		e->stage = malloc(len + strlen(key) + 1);
	if (!e || !e->stage) {
		free(e);
		return NULL;
	}
	e->key = e->stage + len;
	strcpy(e->stage, stage);
	strcpy(e->key, key);
	e->rc = rc;
	return e;
}

void close_errors_add(struct close_errors *u, const char *stage,
		      const char *key, int rc)
{
	struct close_error *e = close_error_new(stage, key, rc), *same,
			   *oldest = NULL;
	struct close_errors_locked *g;

	if (!e)
		return;
	lock_take(&u->lock);
	g = close_errors_locked(u);
	same = close_errors_take_locked(u, stage, key);
	if (g->n == CLOSE_ERRORS_MAX) {
		oldest = g->head;
		close_errors_remove_locked(u, oldest);
	}
	DL_APPEND(g->head, e);
	g->n++;
	atomic_store(&u->any, true);
	lock_drop(&u->lock);
	close_error_free(same);
	close_error_free(oldest);
}

int close_errors_take(struct close_errors *u, const char *stage,
		      const char *key)
{
	struct close_error *e;
	int rc;

	if (!close_errors_any(u))
		return 0;
	e = LOCK_UNDER(&u->lock, close_errors_take_locked(u, stage, key));
	rc = e ? e->rc : 0;
	close_error_free(e);
	return rc;
}

int close_errors_tell(struct fs *fs, struct inode *i, const char *name,
		      int flags)
{
	BUF_LOCAL key = NAMES_KEY;
	INODE_PLACE_LOCAL at = { 0 };
	int rc = 0;

	if (!close_errors_any(fs->close_errors))
		return 0;
	inode_look(fs->tree, i, &at);
	if (!inode_place_key(&at, name, &key))
		rc = close_errors_take(fs->close_errors, at.stage->name,
				       buf_str(&key));
	return flags & O_TRUNC ? 0 : rc;
}

void close_errors_failed(struct fs *fs, struct handle *h, int rc)
{
	BUF_LOCAL key = NAMES_KEY;

	/* The kernel asks again, and says nothing, after an open's ESTALE. */
	if (rc == -ESTALE || rc == -EINTR)
		rc = -EIO;
	if (!file_key(h->file, &key))
		close_errors_add(fs->close_errors, file_stage(h->file)->name,
				 buf_str(&key), rc);
}

void close_errors_done(struct fs *fs, struct handle *h)
{
	BUF_LOCAL key = NAMES_KEY;

	h->waits = 0;
	if (close_errors_any(fs->close_errors) && !file_key(h->file, &key))
		close_errors_take(fs->close_errors, file_stage(h->file)->name,
				  buf_str(&key));
}
