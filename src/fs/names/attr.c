/*
 * What a caller, or a writer, changes in one inode: attributes that are
 * pinned, times that move, and the open content.
 */
#include "fs/names/tree.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

static void changed_locked(struct tree *t, struct inode *i) REQUIRES(t->lock)
{
	i->ctime = inode_time(clock_now());
	tree_settle_locked(t, i);
}

/* Would these be shown of i if nothing were known of it? */
static bool is_default(const struct tree *t, const struct inode *i, mode_t mode,
		       uid_t uid, gid_t gid)
{
	bool is_file = i->kind == INODE_FILE;
	unsigned hidden = TREE_FIXED_UID | TREE_FIXED_GID |
			  TREE_FIXED_FILE_MODE | TREE_FIXED_DIR_MODE;

	if (i->flags & INODE_OF_FILES) /* it keeps the others itself */
		hidden = t->set.fixed;
	return (uid == t->set.uid || !(hidden & TREE_FIXED_UID)) &&
	       (gid == t->set.gid || !(hidden & TREE_FIXED_GID)) &&
	       (mode == (is_file ? t->set.file_mode : t->set.dir_mode) ||
		!(hidden &
		  (is_file ? TREE_FIXED_FILE_MODE : TREE_FIXED_DIR_MODE)));
}

static int set_mode_locked(struct tree *t, struct inode *i, mode_t mode,
			   uid_t uid, gid_t gid) REQUIRES(t->lock)
{
	int err = 0;

	if (is_default(t, i, mode, uid, gid))
		tree_unpin_locked(t, i, INODE_PIN_MODE);
	else
		err = tree_pin_locked(t, i, INODE_PIN_MODE);
	/* What is so already fails never, nor does taking set-id bits away:
	 * nothing brings them back. */
	if (err && uid == i->uid && gid == i->gid &&
	    (mode | (i->mode & (S_ISUID | S_ISGID))) == i->mode)
		err = 0;
	if (err)
		return err;
	i->mode = mode;
	i->uid = uid;
	i->gid = gid;
	changed_locked(t, i);
	return 0;
}

int inode_set_mode(struct tree *t, struct inode *i, mode_t mode)
{
	int err;

	tree_take(t);
	tree_own_mode_locked(t, i);
	err = set_mode_locked(t, i, mode & 07777, i->uid, i->gid);
	tree_drop(t);
	return err;
}

int inode_set_owner(struct tree *t, struct inode *i, uid_t uid, gid_t gid)
{
	int err;

	tree_take(t);
	tree_own_mode_locked(t, i);
	err = set_mode_locked(t, i, i->mode, uid == (uid_t)-1 ? i->uid : uid,
			      gid == (gid_t)-1 ? i->gid : gid);
	tree_drop(t);
	return err;
}

static bool is_time(struct inode_time t, const struct timespec *to)
{
	return !to || (t.sec == to->tv_sec && t.nsec == to->tv_nsec);
}

/* atime and mtime as a caller set them; NULL: as it is. */
static void put_times(struct inode *i, const struct timespec *atime,
		      const struct timespec *mtime)
{
	if (atime)
		i->atime = inode_time(*atime);
	if (mtime)
		i->mtime = inode_time(*mtime);
}

int inode_set_times(struct tree *t, struct inode *i,
		    const struct timespec *atime, const struct timespec *mtime)
{
	int err = 0;

	tree_take(t);
	if (!is_time(i->atime, atime) || !is_time(i->mtime, mtime)) {
		err = tree_pin_locked(t, i, INODE_PIN_TIMES);
		if (!err) {
			put_times(i, atime, mtime);
			i->flags |= mtime ? INODE_OWN_MTIME : 0;
		}
	}
	if (!err)
		changed_locked(t, i);
	tree_drop(t);
	return err;
}

void inode_root_told(struct tree *t, struct inode *i,
		     const struct object_info *info)
{
	tree_take(t);
	tree_keep_locked(t, i, info);
	tree_drop(t);
}

void inode_keep(struct tree *t, struct inode *i, const struct store_attr *a)
{
	unsigned w = a->which;

	tree_take(t);
	put_times(i, w & STORE_SET_ATIME ? &a->atime : NULL,
		  w & STORE_SET_MTIME ? &a->mtime : NULL);
	if (w & (STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID))
		tree_own_mode_locked(t, i);
	if (w & STORE_SET_MODE)
		i->mode = a->mode & 07777;
	if (w & STORE_SET_UID)
		i->uid = a->uid;
	if (w & STORE_SET_GID)
		i->gid = a->gid;
	changed_locked(t, i);
	tree_drop(t);
}

int inode_set_expire(struct tree *t, struct inode *i, int64_t expire)
{
	struct inode_more *m;
	int err = 0;

	tree_take(t);
	m = expire ? inode_more(i) : i->more;
	if (expire)
		err = m ? tree_pin_locked(t, i, INODE_PIN_EXPIRE) : -ENOMEM;
	else
		tree_unpin_locked(t, i, INODE_PIN_EXPIRE);
	if (!err && m)
		m->expire = expire;
	tree_settle_locked(t, i);
	tree_drop(t);
	return err;
}

int64_t inode_expire(struct tree *t, struct inode *i)
{
	int64_t expire = 0;

	tree_take(t);
	for (; i && !expire; i = i->parent)
		expire = i->more ? i->more->expire : 0;
	tree_drop(t);
	return expire;
}

void inode_touch(struct tree *t, struct inode *i)
{
	tree_take(t);
	i->mtime = i->ctime = inode_time(clock_now());
	i->flags |= INODE_WRITTEN | INODE_OWN_MTIME;
	tree_drop(t);
}

static struct file *join_locked(struct tree *t, struct inode *i,
				struct file *fresh) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode_more *m = fresh ? inode_more(i) : i->more;

	if (!m || (!m->file && !fresh))
		return NULL;
	if (!m->file) {
		m->file = fresh;
		m->open_prev = NULL;
		m->open_next = g->open;
		if (g->open)
			g->open->more->open_prev = i;
		g->open = i;
		tree_settle_locked(t, i);
	}
	m->users++;
	return m->file;
}

int inode_file_join(struct tree *t, struct inode *i, struct file *fresh,
		    const char *etag, struct file **out)
{
	bool replaced;

	tree_take(t);
	replaced = etag && (i->flags & INODE_OF_FILES) &&
		   !(i->more && i->more->file) && strcmp(inode_etag(i), etag);
	*out = replaced ? NULL : join_locked(t, i, fresh);
	tree_drop(t);
	return replaced ? -ESTALE : *out ? 0 : -ENOMEM;
}

struct file *inode_file_get(struct tree *t, struct inode *i)
{
	struct file *f;

	tree_take(t);
	f = join_locked(t, i, NULL);
	tree_drop(t);
	return f;
}

static void last_left_locked(struct tree *t, struct inode *i) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode_more *m = i->more;

	m->file = NULL;
	if (m->next_ino && (i->flags & INODE_OF_FILES)) {
		/* its old one is the disk's to give again */
		i->ino = m->next_ino;
		m->next_ino = 0;
	}
	*(m->open_prev ? &m->open_prev->more->open_next : &g->open) =
		m->open_next;
	if (m->open_next)
		m->open_next->more->open_prev = m->open_prev;
	if (i->flags & INODE_WRITTEN)
		i->told_ms = -1; /* given up: its size and time are not so */
	i->flags &= ~INODE_WRITTEN;
	if (!(i->flags & (INODE_PUBLISHED | INODE_ORPHAN)) && i->parent)
		tree_orphan_locked(t, i);
	else
		tree_settle_locked(t, i);
}

bool inode_file_put(struct tree *t, struct inode *i)
{
	bool last = false;

	tree_take(t);
	if (i->more && i->more->users)
		last = --i->more->users == 0;
	if (last)
		last_left_locked(t, i);
	tree_drop(t);
	return last;
}

bool inode_linger(struct tree *t, struct inode *i)
{
	bool can;

	tree_take(t);
	can = i->lookups && !(i->flags & INODE_LINGERS);
	if (can)
		i->flags |= INODE_LINGERS;
	tree_drop(t);
	return can;
}

struct file *tree_lingering(struct tree *t)
{
	struct file *f = NULL;

	tree_take(t);
	for (struct inode *i = tree_locked(t)->open; i && !f;
	     i = i->more->open_next) {
		if (!(i->flags & INODE_LINGERS))
			continue;
		i->flags &= ~INODE_LINGERS;
		f = i->more->file;
	}
	tree_drop(t);
	return f;
}

static uint32_t etag_hash(const char *etag)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *etag; etag++)
		h = (h ^ (unsigned char)*etag) * 0x100000001b3ULL;
	return (uint32_t)(h ^ h >> 32) | 1; /* 0: none */
}

bool inode_pages_match(struct tree *t, struct inode *i, const char *etag)
{
	bool match;

	tree_take(t);
	match = i->pages == etag_hash(etag);
	if (!match)
		i->pages = 0;
	tree_drop(t);
	return match;
}

bool inode_has_pages(struct tree *t, struct inode *i, const char *etag)
{
	bool has;

	tree_take(t);
	has = i->pages == etag_hash(etag);
	tree_drop(t);
	return has;
}

void inode_pages_are(struct tree *t, struct inode *i, uint32_t version)
{
	tree_take(t);
	if (version == etag_hash(inode_etag(i)))
		i->pages = version;
	tree_drop(t);
}

uint32_t inode_version(const struct inode_view *v)
{
	return v->kind == INODE_FILE ? etag_hash(v->info.etag) : 0;
}

void inode_show(struct tree *t, struct inode *i, uint32_t version, unsigned ms)
{
	int64_t until = clock_mono_ms() + ms;

	tree_take(t);
	i->shown = version;
	if (i->more && i->more->next_ino && i->more->next_ino_ms < until)
		i->more->next_ino_ms = until;
	tree_drop(t);
}

bool inode_is_shown(struct tree *t, struct inode *i, const char *etag)
{
	bool is;

	tree_take(t);
	is = !i->lookups || i->shown == etag_hash(etag);
	tree_drop(t);
	return is;
}

static void put_version(struct inode *i, const char *etag)
{
	uint32_t before = etag_hash(inode_etag(i)), h = etag_hash(etag);

	if (i->pages == before)
		i->pages = h;
	if (i->shown == before)
		i->shown = h;
	inode_put_etag(i, etag);
}

void inode_copied(struct tree *t, struct inode *i,
		  const struct object_info *info)
{
	tree_take(t);
	put_version(i, info->etag);
	i->flags |= INODE_OWN_MTIME;
	tree_drop(t);
}

void inode_renamed_etag(struct tree *t, struct inode *i, const char *listed,
			const char *etag)
{
	tree_take(t);
	if ((i->flags & INODE_PUBLISHED) && !strcmp(inode_etag(i), listed))
		put_version(i, etag);
	tree_drop(t);
}

void inode_published(struct tree *t, struct inode *i,
		     const struct object_info *info)
{
	tree_take(t);
	put_version(i, info->etag);
	i->size = info->size;
	i->flags |= INODE_PUBLISHED;
	i->flags &= ~INODE_WRITTEN;
	i->told_ms = clock_mono_ms();
	i->stamp = ++tree_locked(t)->clock;
	tree_keep_locked(t, i, info);
	tree_settle_locked(t, i);
	tree_drop(t);
}
