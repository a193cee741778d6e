/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `stagefs serve`: the gateway alone, in the foreground. Threads take no
 * signals; the first thread waits for one: SIGHUP has the configuration read
 * again (mount_reload.h), the first SIGTERM or SIGINT lets
 * requests under way end, the second ends them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "config/config.h"
#include "gateway/service/gateway.h"
#include "mount/mount_gateway.h"
#include "mount/mount_reload.h"
#include "client/message.h"
#include "net/http_engine.h"
#include "cli/service.h"
#include "stage/catalog.h"

#define DRAIN_S 30

struct serve_options {
	char *config;
};

static const struct option options[] = {
	CMD_CONFIG_ROW(serve_options),
	{ 0 },
};

struct serving {
	struct config config;
	struct http_engine *engine;
	struct catalog *catalog;
	struct budget *budget;
	struct mount_gateway gateway;
	struct mount_reload reload;
	sigset_t signals;
	struct buf why;
};

static void serve_take_signals(struct serving *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(&s->signals);
	sigaddset(&s->signals, SIGTERM);
	sigaddset(&s->signals, SIGINT);
	sigaddset(&s->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &s->signals, NULL);
}

static int serve_open_stores(struct serving *s)
{
	const struct config_mount *c = &s->config.mount;
	int rc = log_open(c->log ? c->log : "stderr", c->log_level);

	log_set_format(c->log_format);
	if (rc)
		return buf_fail(&s->why, rc, "log %s: %s", c->log,
				strerror(-rc));
	rc = digest_init();
	if (!rc) {
		s->engine = http_engine_new();
		rc = s->engine ? 0 : -errno;
		if (!rc)
			http_engine_tell_outages(s->engine);
	}
	if (!rc) {
		s->budget = budget_new(c->memory);
		rc = s->budget ? 0 : -ENOMEM;
	}
	return rc ? rc
		  : config_catalog(&s->config, s->engine, &s->catalog, &s->why);
}

static int serve_start(struct serving *s, const struct serve_options *o)
{
	const struct config_request request = { .file = o->config };
	int fds[SERVICE_SOCKETS_MAX], rc;
	unsigned n = service_sockets(fds);

	rc = config_read(&request, &s->config, &s->why);
	if (!rc)
		rc = serve_open_stores(s);
	s->gateway.catalog = s->catalog;
	s->gateway.budget = s->budget;
	s->gateway.alone = true;
	s->gateway.fds = fds;
	s->gateway.n_fds = n;
	if (!rc)
		rc = mount_gateway_start(&s->gateway, &s->config, &s->why);
	if (rc && !s->why.len)
		buf_adds(&s->why, strerror(-rc));
	return rc;
}

/* The second signal does not wait for the first one's requests. */
static void serve_drain(struct serving *s)
{
	const struct timespec moment = { 0 };

	service_say("STOPPING=1");
	sigdelset(&s->signals, SIGHUP);
	for (int i = 0; i < DRAIN_S; i++) {
		if (gateway_stop(s->gateway.gateway, 1) ||
		    sigtimedwait(&s->signals, NULL, &moment) > 0)
			return;
	}
}

static void serve_reload(struct serving *s)
{
	BUF_LOCAL said = BUF_INIT(BUF_URL), why = BUF_INIT(BUF_MESSAGE);

	service_say("RELOADING=1");
	mount_reload(&s->reload, "", &said, &why);
	service_say("READY=1");
}

static void serve_until_signal(struct serving *s)
{
	BUF_LOCAL origin = BUF_INIT(BUF_MESSAGE);
	int sig;

	gateway_origin(s->gateway.gateway, &origin);
	printf("stagefs: the gateway answers at %s\n", buf_str(&origin));
	fflush(stdout);
	service_say("READY=1");
	while (sigwait(&s->signals, &sig) || sig == SIGHUP)
		if (sig == SIGHUP)
			serve_reload(s);
	serve_drain(s);
}

static int serve_run(const struct command *c, int argc, char **argv)
{
	struct serving s = { .why = BUF_INIT(BUF_MESSAGE) };
	struct serve_options o = { 0 };
	struct cmd_words words;
	int status = cmd_parse(&serve_command, argc, argv, &o, &words, 0), rc;

	if (!status) {
		serve_take_signals(&s);
		rc = serve_start(&s, &o);
		if (rc) {
			message("cannot serve", buf_str(&s.why));
			status = STATUS_FAILED;
		} else {
			s.reload.first = &s.config;
			s.reload.request.file = s.config.file;
			s.reload.catalog = s.catalog;
			mount_reload_init(&s.reload);
			serve_until_signal(&s);
			mount_reload_clear(&s.reload);
		}
	}
	mount_gateway_free(&s.gateway);
	budget_free(s.budget);
	if (s.catalog)
		catalog_free(s.catalog);
	if (s.engine)
		http_engine_free(s.engine);
	config_clear(&s.config);
	option_clear(options, &o);
	buf_clear(&s.why);
	log_close();
	return status;
}

const struct command serve_command = {
	.verb = "serve",
	.group = GROUP_GATEWAY,
	.brief = "the gateway alone, without a mount",
	.synopsis = "[--config FILE]",
	.help = "the gateway without a mount, in the foreground: pre-signed "
		"URLs of stages on local disks, and the upload API",
	.options = options,
	.run = serve_run,
};
