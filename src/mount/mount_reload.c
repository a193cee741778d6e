/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is read and checked before anything is changed. What the mount
 * began with stays where it is, as others have borrowed from it.
 */
#include "mount/mount_reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "fs/fs.h"

LOCK_GUARDS(reload_locked, mount_reload, mount_reload_locked);

/* ---- the files that keys are in ---- */

static uint64_t reload_stamp_file(uint64_t seed, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		memset(&st, 0, sizeof(st));
	seed = seed * 31 + st.st_ino;
	seed = seed * 31 + (uint64_t)st.st_size;
	seed = seed * 31 + (uint64_t)st.st_mtim.tv_sec;
	return seed * 31 + (uint64_t)st.st_mtim.tv_nsec;
}

/* A reference of `${file:PATH}`. */
static uint64_t reload_stamp_reference(uint64_t seed, const char *text)
{
	BUF_LOCAL path = BUF_INIT(BUF_LINE);

	if (!text || !text_starts_with(text, "${file:"))
		return seed;
	text += strlen("${file:");
	buf_add(&path, text, strcspn(text, "}"));
	return reload_stamp_file(seed, buf_str(&path));
}

static uint64_t reload_stamp_conn(uint64_t seed, const struct conn *c)
{
	seed = reload_stamp_reference(seed, c->creds.access_key_id_from);
	seed = reload_stamp_reference(seed, c->creds.secret_access_key_from);
	return reload_stamp_reference(seed, c->creds.session_token_from);
}

static const struct config *reload_last(const struct mount_reload *r)
{
	return r->now.mount.user ? &r->now : r->first;
}

static uint64_t reload_stamp(const struct mount_reload *r)
{
	const struct config *c = reload_last(r);
	uint64_t stamp = reload_stamp_file(1, r->request.file);

	if (c->has_storage)
		stamp = reload_stamp_conn(stamp, &c->storage);
	for (unsigned i = 0; i < c->n_stages; i++)
		if (!c->stages[i].drop_in)
			stamp = reload_stamp_conn(stamp, &c->stages[i].conn);
	return stamp;
}

/* ---- what can be changed, and what cannot ---- */

bool mount_reload_changes(const char *name, size_t len)
{
	static const char *const names[] = { "log", "log_level", "log_format",
					     "metadata_ttl" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return true;
	return false;
}

static void reload_say(struct buf *said, const char *section,
		       const struct option *row, const void *now)
{
	BUF_LOCAL value = BUF_INIT(BUF_LINE);

	option_show(row, now, &value);
	buf_addf(said, "%s%s = %s needs another mount\n", section, row->name,
		 buf_str(&value));
}

/* Rows that differ and stay as they were. */
static void reload_compare_rows(const struct option *table, const void *was,
				const void *now, struct buf *said)
{
	BUF_LOCAL a = BUF_INIT(BUF_LINE), b = BUF_INIT(BUF_LINE);

	for (const struct option *row = table; row->name; row++) {
		if (row->alias_of ||
		    mount_reload_changes(row->name, strlen(row->name)))
			continue;
		buf_reset(&a);
		buf_reset(&b);
		option_show(row, was, &a);
		option_show(row, now, &b);
		if (strcmp(buf_str(&a), buf_str(&b)))
			reload_say(said, "", row, now);
	}
}

static bool reload_users_differ(const struct config *a, const struct config *b)
{
	bool differ = a->n_users != b->n_users;

	for (unsigned i = 0; i < a->n_users && !differ; i++)
		differ = strcmp(a->users[i].name, b->users[i].name) ||
			 strcmp(a->users[i].password_hash,
				b->users[i].password_hash);
	return differ;
}

static void reload_compare(const struct config *was, const struct config *now,
			   struct buf *said)
{
	const struct option *row;

	reload_compare_rows(config_mount_options, &was->mount, &now->mount,
			    said);
	if (was->has_storage != now->has_storage)
		buf_adds(said, "[storage] needs another mount\n");
	else if (was->has_storage &&
		 !conn_only_creds_differ(&was->storage, &now->storage) &&
		 (row = conn_difference(&was->storage, &now->storage)))
		reload_say(said, "[storage] ", row, &now->storage);
	if (reload_users_differ(was, now))
		buf_adds(said, "[user NAME] needs another mount\n");
}

/* ---- a reload ---- */

static void reload_apply_mount(struct mount_reload *r, const struct config *now,
			       struct buf *said)
{
	const struct config_mount *m = &now->mount;
	int rc = log_reopen(m->log, m->log_level);

	if (rc)
		buf_addf(said, "log = %s: %s\n", m->log,
			 rc == -EOPNOTSUPP ? "needs another mount"
					   : strerror(-rc));
	if (m->log_level != r->level)
		buf_adds(said, "log_level is another\n");
	r->level = m->log_level;
	log_set_format(m->log_format);
	if (r->fs && m->metadata_ttl != r->ttl) {
		r->ttl = m->metadata_ttl;
		fs_set_ttl(r->fs, (unsigned)m->metadata_ttl);
		buf_addf(said, "metadata_ttl is %llu s\n",
			 (unsigned long long)m->metadata_ttl);
	}
}

static void reload_log(const struct buf *said, size_t from)
{
	const char *at = said->len > from ? said->data + from : "";

	for (; *at; at += strcspn(at, "\n") + 1)
		log_warn("reload: %.*s", (int)strcspn(at, "\n"), at);
}

/* Whatever the configuration says by now: logrotate(8) may have asked. */
static void reload_reopen_log(const struct mount_reload *r)
{
	log_reopen(reload_last(r)->mount.log, r->level);
}

static int reload_run(struct mount_reload *r, bool keys_only, struct buf *said,
		      struct buf *why)
{
	const struct config *was = reload_last(r);
	struct config now = { 0 };
	size_t from = said->len;
	int rc = config_read(&r->request, &now, why);

	if (!rc && now.file && !r->request.file)
		rc = buf_fail(why, -EBUSY,
			      "%s is there now, which needs another mount",
			      now.file);
	if (!rc)
		rc = config_reload(was, &now, r->catalog, keys_only, said, why);
	if (!rc && !keys_only) {
		reload_compare(r->first, &now, said);
		reload_apply_mount(r, &now, said);
	}
	if (rc) {
		if (!why->len)
			buf_adds(why, strerror(-rc));
		if (!keys_only)
			reload_reopen_log(r);
		log_error("the configuration cannot be read again, and nothing "
			  "has changed: %s",
			  buf_str(why));
		config_clear(&now);
		return rc;
	}
	reload_log(said, from);
	/* What keys alone were taken of is yet to be compared. */
	if (!keys_only || said->len > from) {
		config_clear(&r->now);
		r->now = now;
	} else {
		config_clear(&now);
	}
	return 0;
}

static bool reload_begin(struct mount_reload *r, bool look)
{
	uint64_t stamp;
	bool mine;

	lock_take(&r->lock);
	mine = !reload_locked(r)->busy;
	reload_locked(r)->busy = true;
	lock_drop(&r->lock);
	if (!mine)
		return false;
	stamp = reload_stamp(r);
	lock_take(&r->lock);
	mine = !look || stamp != reload_locked(r)->stamp;
	reload_locked(r)->busy = mine;
	reload_locked(r)->stamp = stamp;
	lock_drop(&r->lock);
	return mine;
}

static void reload_end(struct mount_reload *r)
{
	LOCK_DO(&r->lock, reload_locked(r)->busy = false);
}

/* ---- settings that replace those of -o ---- */

static void reload_clear_settings(struct mount_reload_settings *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->list[i]);
	free(s->list);
	*s = (struct mount_reload_settings){ 0 };
}

static int reload_add_setting(struct mount_reload_settings *s, const char *text,
			      size_t len)
{
	if (ARRAY_RESERVE(s->list, s->cap, s->n + 1))
		return -ENOMEM;
	s->list[s->n] = strndup(text, len);
	return s->list[s->n] && ++s->n ? 0 : -ENOMEM;
}

/* Does the list have one of the same name? */
static bool reload_replaces(const char *list, const char *setting)
{
	size_t n = strcspn(setting, "="), len;

	for (; *list; list += len + (list[len] != 0)) {
		len = strcspn(list, "\t");
		if (len >= n && !memcmp(list, setting, n) &&
		    (len == n || list[n] == '='))
			return true;
	}
	return false;
}

static int reload_make_settings(const struct config_request *was,
				const char *list,
				struct mount_reload_settings *out)
{
	size_t len;
	int rc = 0;

	for (unsigned i = 0; i < was->n_settings && !rc; i++)
		if (!reload_replaces(list, was->settings[i]))
			rc = reload_add_setting(out, was->settings[i],
						strlen(was->settings[i]));
	for (; *list && !rc; list += len + (list[len] != 0)) {
		len = strcspn(list, "\t");
		rc = reload_add_setting(out, list, len);
	}
	return rc;
}

static int reload_run_with(struct mount_reload *r, const char *settings,
			   struct buf *said, struct buf *why)
{
	struct mount_reload_settings next = { 0 };
	const struct config_request was = r->request;
	int rc = reload_make_settings(&was, settings, &next);

	if (!rc) {
		r->request.settings = (const char *const *)next.list;
		r->request.n_settings = next.n;
		rc = reload_run(r, false, said, why);
	}
	if (rc) {
		r->request.settings = was.settings;
		r->request.n_settings = was.n_settings;
		reload_clear_settings(&next);
	} else {
		reload_clear_settings(&r->settings);
		r->settings = next;
	}
	return rc;
}

int mount_reload(struct mount_reload *r, const char *settings, struct buf *said,
		 struct buf *why)
{
	int rc;

	if (!r->request.file && !*settings) {
		reload_reopen_log(r);
		buf_adds(said, "there is no configuration file\n");
		return 0;
	}
	if (!reload_begin(r, false))
		return buf_fail(why, -EBUSY, "it is being read right now");
	rc = reload_run_with(r, settings, said, why);
	reload_end(r);
	if (!rc)
		log_info("the configuration was read again");
	return rc;
}

void mount_reload_look(struct mount_reload *r)
{
	BUF_LOCAL said = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);

	if (!r->request.file || !reload_begin(r, true))
		return;
	reload_run(r, true, &said, &why);
	reload_end(r);
}

void mount_reload_init(struct mount_reload *r)
{
	lock_init(&r->lock, LOCK_RELOAD);
	r->ttl = r->first->mount.metadata_ttl;
	r->level = r->first->mount.log_level;
	if (r->request.file)
		reload_begin(r, true);
	reload_end(r);
}

void mount_reload_clear(struct mount_reload *r)
{
	config_clear(&r->now);
	reload_clear_settings(&r->settings);
	lock_destroy(&r->lock);
}
