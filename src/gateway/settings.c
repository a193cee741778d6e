/*
 * The gateway's own copy of its settings.
 */
#include "gateway/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define CONNECTIONS 1500
#define HEADER_TIMEOUT_S 20
#define BODY_TIMEOUT_S 60
#define LISTEN "127.0.0.1:8000"

static bool copy(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static bool copy_users(const struct gateway_settings *from,
		       struct gateway_settings *to)
{
	struct gateway_user *users = calloc(from->n_users + 1, sizeof(*users));
	bool good = users;

	to->users = users;
	for (unsigned i = 0; good && i < from->n_users; i++) {
		const struct gateway_user *u = &from->users[i];

		to->n_users = i + 1;
		good = copy(&users[i].name, u->name) &&
		       copy(&users[i].password_hash, u->password_hash) &&
		       copy(&users[i].read, u->read) &&
		       copy(&users[i].write, u->write);
	}
	return good;
}

int settings_copy(const struct gateway_settings *from,
		  struct gateway_settings *to)
{
	bool good;

	*to = *from;
	to->inherited = NULL;
	to->users = NULL;
	to->n_users = 0;
	good = copy(&to->listen, from->listen ? from->listen : LISTEN);
	good &= copy(&to->tls_certificate, from->tls_certificate);
	good &= copy(&to->tls_key, from->tls_key);
	good &= copy(&to->allowed_hosts, from->allowed_hosts);
	good &= copy(&to->cors_origins, from->cors_origins);
	good &= copy(&to->user, from->user);
	good &= copy_users(from, to);
	if (!to->now_s)
		to->now_s = clock_now_s;
	if (!to->connections)
		to->connections = CONNECTIONS;
	if (!to->header_timeout_s)
		to->header_timeout_s = HEADER_TIMEOUT_S;
	if (!to->body_timeout_s)
		to->body_timeout_s = BODY_TIMEOUT_S;
	return good ? 0 : -ENOMEM;
}

static void drop(const char **s)
{
	free((char *)*s);
	*s = NULL;
}

void settings_clear(struct gateway_settings *set)
{
	for (unsigned i = 0; i < set->n_users; i++) {
		struct gateway_user *u = (struct gateway_user *)&set->users[i];

		drop(&u->name);
		drop(&u->password_hash);
		drop(&u->read);
		drop(&u->write);
	}
	free((void *)set->users);
	set->users = NULL;
	drop(&set->listen);
	drop(&set->tls_certificate);
	drop(&set->tls_key);
	drop(&set->allowed_hosts);
	drop(&set->cors_origins);
	drop(&set->user);
}
