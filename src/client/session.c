/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verb says each failure once, on stderr; the log stays silent unless the
 * configuration names one that we may write, or asks for more than warnings.
 */
#include "client/session.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "client/daemon.h"
#include "client/failure.h"
#include "client/message.h"
#include "net/http_engine.h"
#include "stage/catalog.h"

#define PATIENCE_S 15

static int session_engine(struct session *s)
{
	int rc = digest_init();

	if (rc)
		return rc;
	s->engine = http_engine_new();
	return s->engine ? 0 : -errno;
}

static int session_start(struct session *s, struct buf *why)
{
	const struct config_mount *m = &s->config.mount;
	const char *log = m->log;
	int rc;

	if (!log)
		log = m->log_level > LOG_LEVEL_WARN ? "stderr" : "/dev/null";
	log_set_format(m->log_format);
	rc = log_open(log, m->log_level);
	/* A daemon's log may be closed to the user of a verb. */
	if (rc == -EACCES)
		rc = log_open("/dev/null", m->log_level);
	if (rc)
		return buf_fail(why, rc, "log = %s: %s", log, strerror(-rc));
	rc = session_engine(s);
	return rc ? rc
		  : config_catalog(&s->config, s->engine, &s->catalog, why);
}

static void session_limit(struct conn *c)
{
	if (c->lane.deadline_s > PATIENCE_S && !conn_is_local(c))
		c->lane.deadline_s = PATIENCE_S;
}

int session_open(const char *file, struct session *out)
{
	const struct config_request request = { .file = file };
	BUF_LOCAL why = BUF_INIT(BUF_MESSAGE);
	BUF_LOCAL all = BUF_INIT(BUF_MESSAGE);
	int rc;

	*out = (struct session){ 0 };
	rc = config_read(&request, &out->config, &why);
	if (!rc) {
		out->config.deadline_max = PATIENCE_S;
		session_limit(&out->config.storage);
		for (unsigned i = 0; i < out->config.n_stages; i++)
			session_limit(&out->config.stages[i].conn);
		buf_addf(&all, "%s: ", out->config.file);
		rc = session_start(out, &why);
	}
	buf_adds(&all, why.len ? buf_str(&why) : strerror(-rc));
	if (rc)
		message("configuration", buf_str(&all));
	return rc;
}

void session_settle(struct session *s)
{
	if (!s->settled)
		daemon_settle();
	s->settled = true;
}

int session_open_bare(struct session *out)
{
	int rc;

	*out = (struct session){ 0 };
	rc = log_open("/dev/null", LOG_LEVEL_ERROR);
	if (!rc)
		rc = session_engine(out);
	if (rc)
		message("cannot start", strerror(-rc));
	return rc;
}

void session_close(struct session *s)
{
	if (s->catalog)
		catalog_free(s->catalog);
	if (s->engine)
		http_engine_free(s->engine);
	config_clear(&s->config);
	log_close();
}

int session_stage(struct session *s, const char *name, struct stage **out,
		  struct failure *f)
{
	int rc = catalog_get(s->catalog, name, out);

	if (!rc)
		return 0;
	if (rc != -ENOENT)
		return failure_store(f, catalog_storage(s->catalog),
				     catalog_storage_prefix(s->catalog), rc);
	return failure_set(f, CODE_UNKNOWN_STAGE, rc,
			   "Stage '%s' does not exist.%s", name,
			   catalog_has_storage(s->catalog)
				   ? ""
				   : " (There is no [storage], only external "
				     "stages.)");
}
