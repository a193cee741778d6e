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
	tree_lru_update_locked(t, i);
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
		tree_pins_remove_locked(t, i, INODE_PIN_MODE);
	else
		err = tree_pins_add_locked(t, i, INODE_PIN_MODE);
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

	tree_lock(t);
	inode_own_mode_locked(t, i);
	err = set_mode_locked(t, i, mode & 07777, i->uid, i->gid);
	tree_unlock(t);
	return err;
}

int inode_set_owner(struct tree *t, struct inode *i, uid_t uid, gid_t gid)
{
	int err;

	tree_lock(t);
	inode_own_mode_locked(t, i);
	err = set_mode_locked(t, i, i->mode, uid == (uid_t)-1 ? i->uid : uid,
			      gid == (gid_t)-1 ? i->gid : gid);
	tree_unlock(t);
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

	tree_lock(t);
	if (!is_time(i->atime, atime) || !is_time(i->mtime, mtime)) {
		err = tree_pins_add_locked(t, i, INODE_PIN_TIMES);
		if (!err) {
			put_times(i, atime, mtime);
			i->flags |= mtime ? INODE_OWN_MTIME : 0;
		}
	}
	if (!err)
		changed_locked(t, i);
	tree_unlock(t);
	return err;
}

void tree_refresh_root(struct tree *t, struct inode *i,
		       const struct object_info *info)
{
	tree_lock(t);
	tree_refresh_attr_locked(t, i, info);
	tree_unlock(t);
}

void inode_keep(struct tree *t, struct inode *i, const struct store_attr *a)
{
	unsigned w = a->which;

	tree_lock(t);
	put_times(i, w & STORE_SET_ATIME ? &a->atime : NULL,
		  w & STORE_SET_MTIME ? &a->mtime : NULL);
	if (w & (STORE_SET_MODE | STORE_SET_UID | STORE_SET_GID))
		inode_own_mode_locked(t, i);
	if (w & STORE_SET_MODE)
		i->mode = a->mode & 07777;
	if (w & STORE_SET_UID)
		i->uid = a->uid;
	if (w & STORE_SET_GID)
		i->gid = a->gid;
	changed_locked(t, i);
	tree_unlock(t);
}

int inode_set_expire(struct tree *t, struct inode *i, int64_t expire)
{
	struct inode_ext *m;
	int err = 0;

	tree_lock(t);
	m = expire ? inode_ext(i) : i->ext;
	if (expire)
		err = m ? tree_pins_add_locked(t, i, INODE_PIN_EXPIRE)
			: -ENOMEM;
	else
		tree_pins_remove_locked(t, i, INODE_PIN_EXPIRE);
	if (!err && m)
		m->expire = expire;
	tree_lru_update_locked(t, i);
	tree_unlock(t);
	return err;
}

int64_t inode_expire(struct tree *t, struct inode *i)
{
	int64_t expire = 0;

	tree_lock(t);
	for (; i && !expire; i = i->parent)
		expire = i->ext ? i->ext->expire : 0;
	tree_unlock(t);
	return expire;
}

void inode_touch(struct tree *t, struct inode *i)
{
	tree_lock(t);
	i->mtime = i->ctime = inode_time(clock_now());
	i->flags |= INODE_WRITTEN | INODE_OWN_MTIME;
	tree_unlock(t);
}

static struct file *join_locked(struct tree *t, struct inode *i,
				struct file *fresh) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode_ext *m = fresh ? inode_ext(i) : i->ext;

	if (!m || (!m->file && !fresh))
		return NULL;
	if (!m->file) {
		m->file = fresh;
		m->open_prev = NULL;
		m->open_next = g->open;
		if (g->open)
			g->open->ext->open_prev = i;
		g->open = i;
		tree_lru_update_locked(t, i);
	}
	m->users++;
	return m->file;
}

int inode_file_join(struct tree *t, struct inode *i, struct file *fresh,
		    const char *etag, struct file **out)
{
	bool replaced;

	tree_lock(t);
	replaced = etag && (i->flags & INODE_OF_FILES) &&
		   !(i->ext && i->ext->file) && strcmp(inode_etag(i), etag);
	*out = replaced ? NULL : join_locked(t, i, fresh);
	tree_unlock(t);
	return replaced ? -ESTALE : *out ? 0 : -ENOMEM;
}

struct file *inode_file_get(struct tree *t, struct inode *i)
{
	struct file *f;

	tree_lock(t);
	f = join_locked(t, i, NULL);
	tree_unlock(t);
	return f;
}

/* Neither size, time nor pages are those of the object that is there. */
static void give_up_locked(struct tree *t, struct inode *i,
			   struct inode_given_up *out) REQUIRES(t->lock)
{
	i->flags &= ~INODE_WRITTEN;
	i->refreshed_ms = -1;
	i->kernel_pages_etag = i->kernel_attr_etag = 0;
	/* The times are the store's when it tells of the object. */
	if (!(i->flags & (INODE_PIN_TIMES | INODE_OF_FILES)))
		inode_etag_put(i, "");
	if (!i->parent)
		return;
	out->dir = i->parent;
	strcpy(out->name, inode_name(i));
	out->is_gone = !(i->flags & INODE_PUBLISHED);
}

static void last_left_locked(struct tree *t, struct inode *i,
			     struct inode_given_up *out) REQUIRES(t->lock)
{
	struct tree_locked *g = tree_locked(t);
	struct inode_ext *m = i->ext;

	m->file = NULL;
	if (m->next_ino && (i->flags & INODE_OF_FILES)) {
		/* its old one is the disk's to give again */
		i->ino = m->next_ino;
		m->next_ino = 0;
	}
	*(m->open_prev ? &m->open_prev->ext->open_next : &g->open) =
		m->open_next;
	if (m->open_next)
		m->open_next->ext->open_prev = m->open_prev;
	if (i->flags & INODE_WRITTEN)
		give_up_locked(t, i, out);
	if (!(i->flags & (INODE_PUBLISHED | INODE_ORPHAN)) && i->parent)
		tree_lru_orphan_locked(t, i);
	else
		tree_lru_update_locked(t, i);
}

bool inode_file_put(struct tree *t, struct inode *i, struct inode_given_up *out)
{
	bool last = false;

	out->dir = NULL;
	tree_lock(t);
	if (i->ext && i->ext->users)
		last = --i->ext->users == 0;
	if (last)
		last_left_locked(t, i, out);
	tree_unlock(t);
	return last;
}

bool inode_file_keep_open(struct tree *t, struct inode *i)
{
	bool can;

	tree_lock(t);
	can = i->lookups && !(i->flags & INODE_KEPT_OPEN);
	if (can)
		i->flags |= INODE_KEPT_OPEN;
	tree_unlock(t);
	return can;
}

struct file *inode_file_drop_any(struct tree *t)
{
	struct file *f = NULL;

	tree_lock(t);
	for (struct inode *i = tree_locked(t)->open; i && !f;
	     i = i->ext->open_next) {
		if (!(i->flags & INODE_KEPT_OPEN))
			continue;
		i->flags &= ~INODE_KEPT_OPEN;
		f = i->ext->file;
	}
	tree_unlock(t);
	return f;
}

static uint32_t etag_hash(const char *etag)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *etag; etag++)
		h = (h ^ (unsigned char)*etag) * 0x100000001b3ULL;
	return (uint32_t)(h ^ h >> 32) | 1; /* 0: none */
}

bool inode_etag_take_pages(struct tree *t, struct inode *i, const char *etag)
{
	bool match;

	tree_lock(t);
	match = i->kernel_pages_etag == etag_hash(etag);
	if (!match)
		i->kernel_pages_etag = 0;
	tree_unlock(t);
	return match;
}

bool inode_etag_has_pages(struct tree *t, struct inode *i, const char *etag)
{
	bool has;

	tree_lock(t);
	has = i->kernel_pages_etag == etag_hash(etag);
	tree_unlock(t);
	return has;
}

void inode_etag_set_pages(struct tree *t, struct inode *i, uint32_t version)
{
	tree_lock(t);
	if (version == etag_hash(inode_etag(i)))
		i->kernel_pages_etag = version;
	tree_unlock(t);
}

uint32_t inode_etag_hash(const struct inode_view *v)
{
	return v->kind == INODE_FILE ? etag_hash(v->info.etag) : 0;
}

void inode_etag_set_attr(struct tree *t, struct inode *i, uint32_t version,
			 unsigned ms)
{
	int64_t until = clock_mono_ms() + ms;

	tree_lock(t);
	i->kernel_attr_etag = version;
	if (i->ext && i->ext->next_ino && i->ext->next_ino_ms < until)
		i->ext->next_ino_ms = until;
	tree_unlock(t);
}

bool inode_etag_has_attr(struct tree *t, struct inode *i, const char *etag)
{
	bool is;

	tree_lock(t);
	is = !i->lookups || i->kernel_attr_etag == etag_hash(etag);
	tree_unlock(t);
	return is;
}

static void put_version(struct inode *i, const char *etag)
{
	uint32_t before = etag_hash(inode_etag(i)), h = etag_hash(etag);

	if (i->kernel_pages_etag == before)
		i->kernel_pages_etag = h;
	if (i->kernel_attr_etag == before)
		i->kernel_attr_etag = h;
	inode_etag_put(i, etag);
}

void inode_etag_copied(struct tree *t, struct inode *i,
		       const struct object_info *info)
{
	tree_lock(t);
	put_version(i, info->etag);
	i->flags |= INODE_OWN_MTIME;
	tree_unlock(t);
}

void inode_etag_renamed(struct tree *t, struct inode *i, const char *listed,
			const char *etag)
{
	tree_lock(t);
	if ((i->flags & INODE_PUBLISHED) && !strcmp(inode_etag(i), listed))
		put_version(i, etag);
	tree_unlock(t);
}

void inode_etag_published(struct tree *t, struct inode *i,
			  const struct object_info *info)
{
	tree_lock(t);
	put_version(i, info->etag);
	i->size = info->size;
	i->flags |= INODE_PUBLISHED;
	i->flags &= ~INODE_WRITTEN;
	i->refreshed_ms = clock_mono_ms();
	i->stamp = ++tree_locked(t)->clock;
	tree_refresh_attr_locked(t, i, info);
	tree_lru_update_locked(t, i);
	tree_unlock(t);
}
