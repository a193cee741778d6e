/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway has to know of the configuration. Where URLs are signed
 * for another name than the one that is listened at, public_endpoint_url says
 * so, and requests may come for that name.
 */
#include "mount/mount_gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/service/gateway.h"

#define HOSTS_MAX 65536

bool mount_gateway_wanted(const struct config *c)
{
	bool wanted = c->mount.listen && *c->mount.listen;

	wanted |= c->has_storage && conn_is_local(&c->storage);
	for (unsigned i = 0; i < c->n_stages; i++)
		wanted |= conn_is_local(&c->stages[i].conn);
	return wanted;
}

static void mount_gateway_add_host(const struct conn *c, struct buf *out)
{
	const char *url = c->s3.public_endpoint_url, *host;

	if (!conn_is_local(c) || !url)
		return;
	host = strstr(url, "://");
	host = host ? host + 3 : url;
	buf_addc(out, ' ');
	buf_add(out, host, strcspn(host, "/?#"));
}

static void mount_gateway_add_hosts(const struct config *c, struct buf *out)
{
	if (c->mount.allowed_hosts)
		buf_adds(out, c->mount.allowed_hosts);
	if (c->has_storage)
		mount_gateway_add_host(&c->storage, out);
	for (unsigned i = 0; i < c->n_stages; i++)
		mount_gateway_add_host(&c->stages[i].conn, out);
}

static struct gateway_user *mount_gateway_users(const struct config *c)
{
	struct gateway_user *users = calloc(c->n_users + 1, sizeof(*users));

	for (unsigned i = 0; users && i < c->n_users; i++)
		users[i] = (struct gateway_user){
			.name = c->users[i].name,
			.password_hash = c->users[i].password_hash,
			.read = c->users[i].read,
			.write = c->users[i].write,
		};
	return users;
}

int mount_gateway_start(struct mount_gateway *g, const struct config *c,
			struct buf *why)
{
	const struct config_mount *m = &c->mount;
	struct gateway_settings set = {
		.listen = text_given(m->listen),
		.any_port = !text_given(m->listen),
		.inherited = g->fds,
		.n_inherited = g->n_fds,
		.tls_certificate = text_given(m->tls_certificate),
		.tls_key = text_given(m->tls_key),
		.allow_plain_http = m->allow_plain_http,
		.alone = g->alone,
		.cors_origins = m->cors_origins,
		.user = m->user,
		.n_users = c->n_users,
		.budget = g->budget,
		.share = g->share,
		.changed = g->changed,
		.changed_arg = g->changed_arg,
		.metrics = g->metrics,
		.down = g->down,
		.metrics_arg = g->metrics_arg,
	};
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc;

	buf_init(&g->hosts, HOSTS_MAX);
	mount_gateway_add_hosts(c, &g->hosts);
	set.allowed_hosts = buf_str(&g->hosts);
	set.users = g->users = mount_gateway_users(c);
	rc = g->users ? buf_err(&g->hosts) : -ENOMEM;
	if (!rc)
		rc = gateway_new(&set, g->catalog, &g->gateway, &detail);
	if (rc)
		buf_addf(why, "the gateway: %s",
			 detail.len ? buf_str(&detail) : strerror(-rc));
	return rc;
}

void mount_gateway_free(struct mount_gateway *g)
{
	gateway_free(g->gateway);
	buf_clear(&g->hosts);
	free(g->users);
	*g = (struct mount_gateway){ .gateway = NULL };
}

void mount_gateway_greet(const struct mount_gateway *g, const char *data,
			 const char *mountpoint)
{
	BUF_LOCAL origin = BUF_INIT(BUF_LINE), file = BUF_INIT(BUF_LINE);
	BUF_LOCAL path = BUF_INIT(BUF_LINE);

	gateway_origin(g->gateway, &origin);
	buf_addf(&path, "%s/~/hello", mountpoint);
	text_shell_quote(&file, buf_str(&path));
	printf("data:    %s\n"
	       "mount:   %s, URLs and uploads at %s\n"
	       "try:     date >%s; getfattr --only-values "
	       "-n user.presign.download %s\n",
	       data, mountpoint, buf_str(&origin), buf_str(&file),
	       buf_str(&file));
	fflush(stdout);
}
