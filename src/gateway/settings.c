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

static bool settings_copy_text(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

static bool settings_copy_users(const struct gateway_settings *from,
				struct gateway_settings *to)
{
	struct gateway_user *users = calloc(from->n_users + 1, sizeof(*users));
	bool good = users;

	to->users = users;
	for (unsigned i = 0; good && i < from->n_users; i++) {
		const struct gateway_user *u = &from->users[i];

		to->n_users = i + 1;
		good = settings_copy_text(&users[i].name, u->name) &&
		       settings_copy_text(&users[i].password_hash,
					  u->password_hash) &&
		       settings_copy_text(&users[i].read, u->read) &&
		       settings_copy_text(&users[i].write, u->write);
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
	good = settings_copy_text(&to->listen,
				  from->listen ? from->listen : LISTEN);
	good &= settings_copy_text(&to->tls_certificate, from->tls_certificate);
	good &= settings_copy_text(&to->tls_key, from->tls_key);
	good &= settings_copy_text(&to->allowed_hosts, from->allowed_hosts);
	good &= settings_copy_text(&to->cors_origins, from->cors_origins);
	good &= settings_copy_text(&to->user, from->user);
	good &= settings_copy_users(from, to);
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

static void settings_drop_text(const char **s)
{
	free((char *)*s);
	*s = NULL;
}

void settings_clear(struct gateway_settings *set)
{
	for (unsigned i = 0; i < set->n_users; i++) {
		struct gateway_user *u = (struct gateway_user *)&set->users[i];

		settings_drop_text(&u->name);
		settings_drop_text(&u->password_hash);
		settings_drop_text(&u->read);
		settings_drop_text(&u->write);
	}
	free((void *)set->users);
	set->users = NULL;
	settings_drop_text(&set->listen);
	settings_drop_text(&set->tls_certificate);
	settings_drop_text(&set->tls_key);
	settings_drop_text(&set->allowed_hosts);
	settings_drop_text(&set->cors_origins);
	settings_drop_text(&set->user);
}
