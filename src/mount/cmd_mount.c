/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounting. Everything that can be found wrong is found before the mount goes
 * to the background, so that `mount` has the message and the exit status.
 *
 * The order: command line, configuration, mountpoint; then the fork; then what
 * has threads: the HTTP engine, the catalog, the checks of the stores, the
 * file system, the mount. The parent leaves when the kernel has taken the INIT
 * reply. At the end (mount_end.h) the mount is detached first, so that no
 * process waits on it, then what was closed is published. The lock for which
 * the next mount of the same waits goes with the process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount/background.h"
#include "base/budget.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "cli/cmd.h"
#include "client/daemon.h"
#include "client/message.h"
#include "client/storage_hint.h"
#include "config/config.h"
#include "fs/cache/disk_cache.h"
#include "fs/fs.h"
#include "fs/names/inode.h"
#include "fuse/guard.h"
#include "fuse/session.h"
#include "gateway/service/gateway.h"
#include "mount/mount_gateway.h"
#include "mount/mount_check.h"
#include "mount/mount_control.h"
#include "mount/mount_end.h"
#include "mount/mount_lock.h"
#include "mount/mount_reload.h"
#include "mount/mount_remount.h"
#include "mount/mount_request.h"
#include "mount/mount_point.h"
#include "mount/mount_stats.h"
#include "net/http_engine.h"
#include "stage/catalog.h"
#include "store/store.h"

#define STATUS_HELPER_FAILED 32 /* mount(8): "mount failure" */
#define SELINUX "/sys/fs/selinux/enforce" /* there when it is on */
#define WAITING_MS 2000 /* for stores, before that is said */
#define GATEWAY_DRAIN_S 30 /* for requests under way */
#define DISK_RETRY_MS 60000 /* a failing disk cache is left alone */

struct mounting {
	struct mount_request req;
	struct config config;
	struct buf why; /* why, for the one line on stderr */
	char *mountpoint;
	const char *stage_name; /* of a SOURCE of @name, or NULL */
	char *state_dir;
	int parent; /* background.h's pipe, or -1 */
	int lock;
	struct budget *budget; /* the file system's and the gateway's */
	struct budget *uploads; /* what the gateway may hold of it */
	struct disk_cache *disk; /* NULL: none */
	struct http_engine *engine;
	struct catalog *catalog;
	struct mount_gateway gateway;
	struct stage *only;
	struct fs *fs;
	struct session *session;
	bool person; /* reads stderr */
	struct guard *guard; /* in the mount's place, while it ends */
	bool closed; /* the kernel has let go of the mount */
	struct thread_task settle, waiting;
	char *file; /* the configuration's, absolute; NULL: none */
	struct mount_reload reload;
	struct mount_control *control;
	struct mount_stats stats;
};

/* SOURCE: a configuration file, @stage, the URL of a bucket or directory, or
 * `stagefs`: the default file. */
static int mount_read_configuration(struct mounting *m)
{
	const char *source = m->req.source;
	struct config_request r = {
		.file = m->req.config,
		.settings = (const char *const *)m->req.settings,
		.n_settings = m->req.n_settings,
	};
	int rc;

	if (source && source[0] == '@') {
		m->stage_name = source + 1;
		r.stage = m->stage_name;
	} else if (source && strstr(source, "://")) {
		r.url = source;
	} else if (source && strcmp(source, "stagefs") != 0) {
		if (r.file)
			return buf_fail(&m->why, -EINVAL,
					"two configuration files: %s and %s",
					source, r.file);
		r.file = source;
	}
	rc = config_read(&r, &m->config, &m->why);
	if (rc == -ENOENT && r.file == source)
		buf_adds(&m->why, " (a SOURCE is s3://BUCKET/PATH, @STAGE or a "
				  "configuration file)");
	m->reload.request = r;
	/* The background's folder is /. */
	m->file = !rc && m->config.file ? realpath(m->config.file, NULL) : NULL;
	m->reload.request.file = m->file;
	if (!rc && r.url)
		m->stage_name = m->config.url_stage;
	return rc;
}

static int mount_prepare(struct mounting *m)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = mount_read_configuration(m);

	if (rc)
		return rc;
	rc = mount_point_prepare(m->req.mountpoint, m->config.mount.nonempty,
				 &m->mountpoint, &why);
	if (rc)
		buf_addf(&m->why, "%s: %s", m->req.mountpoint, buf_str(&why));
	return rc;
}

/* What a user has set wins over what a store of files keeps. */
static unsigned mount_fixed_attributes(const struct config_mount *c)
{
	return (c->uid_given ? TREE_FIXED_UID : 0) |
	       (c->gid_given ? TREE_FIXED_GID : 0) |
	       (c->file_mode_given ? TREE_FIXED_FILE_MODE : 0) |
	       (c->dir_mode_given ? TREE_FIXED_DIR_MODE : 0);
}

/* The same mount is the same stage of the same file, however it is written, or
 * the same URL. */
static void mount_add_source(struct mounting *m, struct buf *out)
{
	MEM_LOCAL char *file =
		m->config.file ? realpath(m->config.file, NULL) : NULL;

	buf_addf(out, "%s %s",
		 m->config.url_stage ? m->req.source
		 : m->stage_name     ? m->stage_name
				     : "",
		 file ? file : "");
}

static int mount_make_fs(struct mounting *m)
{
	const struct config_mount *c = &m->config.mount;
	struct fs_settings set = {
		.metadata_ttl_s = c->metadata_ttl,
		.budget = m->budget,
		.disk = m->disk,
		.spill_dir = c->spill_dir,
		.state_dir = m->state_dir,
		.uid = c->uid,
		.gid = c->gid,
		.file_mode = c->file_mode & ~c->umask,
		.dir_mode = c->dir_mode & ~c->umask,
		.fixed = mount_fixed_attributes(c),
		.ro = c->ro,
		.presign = (enum fs_presign)c->presign,
		.presign_expire = c->presign_expire,
		.presign_expire_max = c->presign_expire_max,
		.list_xattrs = (enum fs_list_xattrs)c->list_xattrs,
		.write_back_size = c->write_back_size,
	};
	BUF_LOCAL mount_name = BUF_INIT(BUF_LINE);
	int rc = c->ro ? 0 : fs_check_spill(c->spill_dir);

	if (rc)
		return buf_fail(&m->why, rc, "spill_dir %s: %s", c->spill_dir,
				strerror(-rc));
	mount_add_source(m, &mount_name);
	buf_addf(&mount_name, " %s", m->mountpoint);
	set.mount_name = c->ro ? NULL : buf_str(&mount_name);
	rc = fs_new(&set, m->catalog, m->only, &m->fs);
	if (rc)
		buf_addf(&m->why, "cannot start: %s", strerror(-rc));
	return rc;
}

static int mount_open_disk_cache(struct mounting *m)
{
	const struct disk_settings set = {
		.dir = text_given(m->config.mount.cache_dir),
		.limit = m->config.mount.cache_size,
		.retry_ms = DISK_RETRY_MS,
	};
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = set.dir ? disk_cache_open(&set, &m->disk, &why) : 0;

	if (rc)
		buf_addf(&m->why, "cache_dir %s: %s", set.dir,
			 why.len ? buf_str(&why) : strerror(-rc));
	return rc;
}

static const char *mount_fsname(const struct mounting *m)
{
	if (m->req.fsname)
		return m->req.fsname;
	return m->req.source ? m->req.source : "stagefs";
}

static int mount_take_lock(struct mounting *m)
{
	BUF_LOCAL source = BUF_INIT(BUF_LINE);

	mount_add_source(m, &source);
	return mount_lock_take(buf_str(&source), m->mountpoint,
			       m->config.mount.mount_wait, &m->lock, &m->why);
}

static int mount_make_session(struct mounting *m)
{
	struct session_settings set = {
		.mountpoint = m->mountpoint,
		.fsname = mount_fsname(m),
		.allow_other = m->config.mount.allow_other,
		.allow_suid = m->config.mount.allow_suid,
	};
	int rc = mount_take_lock(m);

	if (!rc)
		rc = mount_point_unguarded(m->mountpoint, &m->why);
	if (rc)
		return rc;
	if (m->config.mount.ro)
		buf_addf(&m->req.flags, "%sro", m->req.flags.len ? "," : "");
	set.flags = buf_str(&m->req.flags);
	rc = session_new(&set, m->fs, &m->session, &m->why);
	if (rc && m->req.labels && access(SELINUX, F_OK))
		buf_adds(&m->why, " (context=, fscontext=, defcontext= and "
				  "rootcontext= are SELinux's, which is not "
				  "on here)");
	if (!rc)
		mount_lock_record(m->lock, session_device(m->session), "");
	return rc;
}

/* What is found wrong here, as stages that overlap, stands in the file. */
static int mount_open_catalog(struct mounting *m)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	int rc = config_catalog(&m->config, m->engine, &m->catalog, &why);

	if (rc && m->config.file)
		buf_addf(&m->why, "%s: ", m->config.file);
	if (rc)
		buf_adds(&m->why, why.len ? buf_str(&why) : strerror(-rc));
	return rc;
}

/*
 * One of memory for both. Files that are written to have half of it, whether
 * their programs go on or not (base/pool.h), uploads have a quarter: so neither
 * takes the other's, and what is on its way to stores that do not answer leaves
 * readers the rest.
 */
static int mount_make_budgets(struct mounting *m)
{
	m->budget = budget_new(m->config.mount.memory);
	m->uploads = budget_new(m->config.mount.memory / 4);
	return m->budget && m->uploads ? 0 : -ENOMEM;
}

/* An upload is seen in the mount at once. */
static void mount_changed(void *fs, struct store *s, const char *key,
			  const struct object_info *info)
{
	fs_store_changed(fs, s, key, info);
}

/* A mount of all stages that shows none, of a bucket that is not empty: to the
 * person who waits for it, else to the log. */
static void mount_tell_no_stages(struct mounting *m, bool person)
{
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE), section = BUF_INIT(BUF_LINE);

	if (!m->stage_name && m->config.mount.check != CONFIG_CHECK_NONE)
		storage_hint(&m->config, m->catalog, &why, &section);
	if (why.len && person)
		fprintf(stderr, "stagefs: warning: [storage]: %s\n%s",
			buf_str(&why), buf_str(&section));
	else if (why.len)
		log_warn("[storage]: %s [stage NAME]", buf_str(&why));
}

static void mount_say_waiting(void *arg)
{
	struct mounting *m = arg;

	if (!thread_task_sleep(&m->waiting, WAITING_MS))
		return;
	fprintf(stderr, "stagefs: %s: waiting for the store to answer",
		m->mountpoint);
	if (m->config.mount.check != CONFIG_CHECK_NONE)
		fputs(" (check = none mounts without)", stderr);
	fputc('\n', stderr);
}

static int mount_ask_stores(struct mounting *m)
{
	int rc;

	if (m->person)
		thread_task_start(&m->waiting, "waiting", mount_say_waiting, m);
	rc = mount_check(m->catalog, m->stage_name, m->config.mount.check,
			 &m->only, &m->why);
	thread_task_stop(&m->waiting);
	return rc;
}

/* What has threads: only in the process that stays. */
static int mount_start(struct mounting *m)
{
	const struct config_mount *c = &m->config.mount;
	int rc = log_open(c->log ? c->log : "stderr", c->log_level);

	log_set_format(c->log_format);
	if (rc)
		return buf_fail(&m->why, rc, "log = %s: %s", c->log,
				strerror(-rc));
	rc = digest_init();
	if (!rc) {
		m->engine = http_engine_new();
		rc = m->engine ? 0 : -errno;
		if (!rc)
			http_engine_tell_outages(m->engine);
	}
	if (!rc)
		rc = mount_make_budgets(m);
	if (rc)
		return buf_fail(&m->why, rc, "cannot start: %s", strerror(-rc));
	rc = mount_open_catalog(m);
	if (!rc)
		rc = mount_ask_stores(m);
	if (!rc && m->person)
		mount_tell_no_stages(m, true);
	if (!rc)
		rc = mount_open_disk_cache(m);
	if (!rc)
		rc = mount_make_fs(m);
	if (!rc)
		rc = mount_make_session(m);
	if (!rc)
		rc = fs_restore(m->fs, &m->why);
	m->stats = (struct mount_stats){ m->engine, m->fs, m->catalog,
					 m->uploads, clock_now_s() };
	if (!rc && mount_gateway_wanted(&m->config)) {
		m->gateway.metrics = mount_stats_write;
		m->gateway.down = mount_stats_down;
		m->gateway.metrics_arg = &m->stats;
		m->gateway.catalog = m->catalog;
		m->gateway.budget = m->budget;
		m->gateway.share = m->uploads;
		m->gateway.changed = mount_changed;
		m->gateway.changed_arg = m->fs;
		rc = mount_gateway_start(&m->gateway, &m->config, &m->why);
	}
	return rc;
}

/*
 * What may wait on stores that are dead, and so does not stand in the way of
 * the mount: aborting what a killed daemon left, and a warning for each
 * external stage that does not answer.
 */
static void mount_settle(void *arg)
{
	struct mounting *m = arg;

	fs_recover(m->fs);
	if (!m->person)
		mount_tell_no_stages(m, false);
	if (!m->stage_name && m->config.mount.check == CONFIG_CHECK_STORAGE)
		mount_check_warn(m->catalog);
}

static void mount_ready(void *arg)
{
	struct mounting *m = arg;
	const struct config_mount *c = &m->config.mount;

	if (m->config.embedded && m->gateway.gateway)
		mount_gateway_greet(&m->gateway, m->config.embedded,
				    m->mountpoint);
	if (m->parent >= 0 && !c->log)
		log_open("syslog", c->log_level);
	background_end(m->parent, 0);
	m->parent = -1;
	log_info("%s is mounted on %s", mount_fsname(m), m->mountpoint);
}

/* A terminal that is closed ends what runs in its foreground. */
static bool mount_hangs_up(const struct mounting *m)
{
	return m->req.foreground && isatty(STDIN_FILENO);
}

static int mount_answer_reload(void *arg, const char *rest, struct buf *out,
			       struct buf *why)
{
	struct mounting *m = arg;

	return mount_reload(&m->reload, rest, out, why);
}

static int mount_answer_stats(void *arg, const char *rest, struct buf *out,
			      struct buf *why)
{
	struct mounting *m = arg;

	mount_stats_write(&m->stats, out);
	budget_write_metrics(m->budget, out);
	return buf_err(out);
}

static int mount_answer_flush(void *arg, const char *rest, struct buf *out,
			      struct buf *why)
{
	struct mounting *m = arg;

	return fs_flush(m->fs, why);
}

static int mount_answer_settle(void *arg, const char *rest, struct buf *out,
			       struct buf *why)
{
	struct mounting *m = arg;

	return fs_settle(m->fs, clock_mono_ms() + DAEMON_SETTLE_MS)
		       ? buf_fail(why, -ETIMEDOUT,
				  "what was removed or changed there is not "
				  "sent yet")
		       : 0;
}

static const struct mount_control_command mount_commands[] = {
	{ "reload", mount_answer_reload },
	{ "stats", mount_answer_stats },
	{ "flush", mount_answer_flush },
	{ "settle", mount_answer_settle },
	{ 0 },
};

static int mount_run(struct mounting *m)
{
	const struct mount_end_settings set = {
		.mountpoint = m->mountpoint,
		.fs = m->fs,
		.session = m->session,
		.lock = m->lock,
		.stop_timeout = m->config.mount.stop_timeout,
		.reload = mount_hangs_up(m) ? NULL : &m->reload,
	};
	struct mount_end end;
	int rc;

	m->reload.first = &m->config;
	m->reload.catalog = m->catalog;
	m->reload.fs = m->fs;
	mount_reload_init(&m->reload);
	m->control = mount_control_new(session_device(m->session),
				       mount_commands, m);
	thread_task_start(&m->settle, "settle", mount_settle, m);
	rc = mount_end_start(&end, &set);
	if (!rc) {
		rc = session_run(m->session, mount_ready, m);
		m->closed = session_gone(m->session);
		if (!mount_end_stop(&end) && !m->closed && !rc)
			log_warn("%s: the kernel's connection was aborted",
				 m->mountpoint);
		m->guard = end.guard;
	}
	mount_control_free(m->control);
	mount_reload_clear(&m->reload);
	if (rc)
		buf_addf(&m->why, "the mount ended: %s", strerror(-rc));
	return rc;
}

static int mount_finish(struct mounting *m)
{
	int rc = 0;

	session_free(m->session);
	if (m->gateway.gateway)
		gateway_stop(m->gateway.gateway, GATEWAY_DRAIN_S);
	mount_gateway_free(&m->gateway);
	thread_task_stop(&m->settle);
	if (m->fs && m->session)
		rc = fs_drain(m->fs, m->closed);
	if (m->fs)
		fs_free(m->fs);
	disk_cache_free(m->disk);
	guard_free(m->guard, mount_point_detach);
	stage_unref(m->only);
	if (m->catalog)
		catalog_free(m->catalog);
	budget_free(m->uploads);
	budget_free(m->budget);
	if (m->engine)
		http_engine_free(m->engine);
	config_clear(&m->config);
	mount_request_clear(&m->req);
	free(m->mountpoint);
	free(m->state_dir);
	free(m->file);
	return rc;
}

static void mount_complain(const struct mounting *m, int rc)
{
	message("cannot mount", m->why.len ? buf_str(&m->why) : strerror(-rc));
}

static int mount_change(const struct mounting *m)
{
	BUF_LOCAL said = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);
	int rc = mount_remount(&m->req, &said, &why);

	if (rc)
		fprintf(stderr, "stagefs: %s: cannot remount: %s\n",
			m->req.mountpoint, buf_str(&why));
	fputs(buf_str(&said), stdout);
	return rc;
}

static int cmd_mount(const struct command *c, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	bool helper = text_starts_with(slash ? slash + 1 : argv[0], "mount.");
	int failed = helper ? STATUS_HELPER_FAILED : STATUS_FAILED;
	struct mounting m = { .parent = -1, .lock = -1 };
	int rc;

	buf_init(&m.why, BUF_MESSAGE);
	if (mount_request_parse(argc - 1, argv + 1, helper, &m.req, &m.why)) {
		fprintf(stderr, "%sstagefs: %s\n",
			log_priority(LOG_LEVEL_ERROR), buf_str(&m.why));
		rc = helper ? failed : STATUS_USAGE;
		goto out;
	}
	if (m.req.remount && !m.req.fake) {
		rc = mount_change(&m) ? failed : 0;
		goto out;
	}
	rc = mount_prepare(&m);
	if (!rc && m.req.fake)
		goto out;
	if (!rc && !m.req.foreground)
		rc = background_begin(failed, &m.parent);
	if (!rc) {
		mount_end_block();
		m.person = isatty(STDERR_FILENO);
		m.state_dir = config_uploads_dir();
		rc = mount_start(&m);
	}
	if (!rc)
		rc = mount_run(&m);
	if (rc) {
		mount_complain(&m, rc);
		background_end(m.parent, failed);
		rc = failed;
	}
out:
	if (mount_finish(&m) && !rc)
		rc = failed;
	buf_clear(&m.why);
	log_close();
	return rc;
}

const struct command mount_command = {
	.verb = "",
	.synopsis = "[SOURCE] MOUNTPOINT [-f] [--config FILE] [-o OPTION,...]",
	.help = "Mounts a stage, or all: SOURCE is s3://BUCKET/PATH, "
		"fs:///DIRECTORY, @STAGE, a configuration file, or the word "
		"stagefs for the one that is there, as without SOURCE; with -f "
		"it stays in the foreground; the keys of -o: stagefs help "
		"options",
	.run = cmd_mount,
};
