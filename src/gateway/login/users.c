/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules in one place; what they stand on is in peer.c (the socket's user)
 * and login_throttle.c (is it the password).
 */
#include "gateway/login/users.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/exchange.h"
#include "gateway/settings.h"
#include "gateway/login/login_throttle.h"
#include "gateway/hosts.h"
#include "gateway/ip.h"
#include "gateway/login/peer.h"
#include "stage/stage.h"
#include "store/store.h"

#define LOGIN_MAX (256 + KDF_PASSWORD_MAX)
#define ALIAS "root"

struct users {
	const struct gateway_settings *set;
	struct login_throttle *throttle;
};

int users_new(const struct gateway_settings *set, struct users **out)
{
	struct users *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->set = set;
	if (set->n_users)
		u->throttle =
			login_throttle_new(set->users[0].password_hash, NULL);
	if (set->n_users && !u->throttle) {
		users_free(u);
		return -ENOMEM;
	}
	*out = u;
	return 0;
}

void users_free(struct users *u)
{
	if (!u)
		return;
	login_throttle_free(u->throttle);
	free(u);
}

static const struct gateway_user *users_find(const struct users *u,
					     const char *name)
{
	for (unsigned i = 0; i < u->set->n_users; i++)
		if (!strcmp(u->set->users[i].name, name))
			return &u->set->users[i];
	return NULL;
}

/* `root` is another name of `[stagefs] user`, where no [user root] is. */
static const char *users_resolve(const struct users *u, const char *name)
{
	if (!strcmp(name, ALIAS) && u->set->user && !users_find(u, ALIAS))
		return u->set->user;
	return name;
}

/* ---- without a password ---- */

static int users_refuse(struct buf *why, const char *reason)
{
	return buf_fail(why, -EACCES, "%s", reason);
}

/* Some proxies tell of the client in one of these, some in all. */
static bool users_was_forwarded(const struct exchange *x)
{
	static const char prefix[] = "X-Forwarded-";

	for (size_t i = 0; i < x->n_headers; i++)
		if (!strncasecmp(x->headers[i].name, prefix,
				 sizeof(prefix) - 1))
			return true;
	return exchange_header(x, "Forwarded") || exchange_header(x, "Via") ||
	       exchange_header(x, "X-Real-IP");
}

static int users_admit_local(const struct users *u, const struct exchange *x,
			     struct users_actor *out, struct buf *why)
{
	uid_t uid;

	if (!u->set->user || !ip_is_loopback(&x->peer) ||
	    users_was_forwarded(x))
		return users_refuse(why,
				    "a user's name and password are needed");
	if (peer_uid(&x->peer, &x->local, &uid))
		return users_refuse(why,
				    "a user's name and password are needed: "
				    "whose this connection is cannot be seen");
	if (uid && uid != geteuid())
		return users_refuse(why,
				    "a user's name and password are needed: "
				    "without them only programs of root and of "
				    "the server's own user are let in");
	*out = (struct users_actor){ .name = u->set->user };
	return 0;
}

/* ---- with one ---- */

/* Told to the operator. What is no user's name may be a
 * password that was typed in the wrong place. */
static int users_refuse_login(const struct exchange *x,
			      const struct gateway_user *user, struct buf *why)
{
	socklen_t n = x->peer.ss_family == AF_INET6
			      ? sizeof(struct sockaddr_in6)
			      : sizeof(struct sockaddr_in);
	char from[NI_MAXHOST] = "?";

	getnameinfo((const struct sockaddr *)&x->peer, n, from, sizeof(from),
		    NULL, 0, NI_NUMERICHOST);
	log_warn("upload API: wrong password of %s, from %s",
		 user ? user->name : "no user", from);
	return users_refuse(why, "wrong user or password");
}

static int users_admit_user(struct users *u, const struct exchange *x,
			    const char *name, const char *password, size_t n,
			    struct users_actor *out, struct buf *why)
{
	const struct gateway_user *user = users_find(u, users_resolve(u, name));
	struct login_attempt attempt = {
		.peer = &x->peer,
		.name = name,
		.hash = user ? user->password_hash : NULL,
		.password = password,
		.n = n,
	};
	int rc = 0;

	attempt.has_uid = ip_is_loopback(&x->peer) &&
			  !peer_uid(&x->peer, &x->local, &attempt.uid);
	if (u->throttle)
		rc = login_throttle_check(u->throttle, &attempt);
	if (rc == 1 && user) {
		*out = (struct users_actor){ .name = user->name, .user = user };
		return 0;
	}
	if (rc == -EAGAIN)
		buf_adds(why, "too many wrong passwords: try again in a "
			      "moment");
	else if (rc < 0)
		buf_adds(why, strerror(-rc));
	else
		return users_refuse_login(x, user, why);
	return rc;
}

static int users_admit_login(struct users *u, const struct exchange *x,
			     struct buf *login, struct users_actor *out,
			     struct buf *why)
{
	char *name = login->data;
	char *colon = login->len ? strchr(name, ':') : NULL;

	/* A NUL would hide what stands behind it. */
	if (!colon || strlen(name) != login->len)
		return users_refuse(why,
				    "the Authorization header cannot be read");
	*colon = '\0';
	if (colon[1])
		return users_admit_user(u, x, name, colon + 1,
					strlen(colon + 1), out, why);
	if (*name &&
	    (!u->set->user || strcmp(users_resolve(u, name), u->set->user)))
		return users_refuse(why, "wrong user or password");
	return users_admit_local(u, x, out, why);
}

int users_admit(struct users *u, const struct exchange *x,
		struct users_actor *out, struct buf *why)
{
	static const char scheme[] = "Basic ";
	const char *text = exchange_header(x, "Authorization");
	BUF_SECRET login = BUF_INIT(LOGIN_MAX);
	int rc;

	if (!text)
		return users_admit_local(u, x, out, why);
	if (exchange_header_count(x, "Authorization") > 1)
		return users_refuse(why, "there are two Authorization headers");
	if (strncasecmp(text, scheme, sizeof(scheme) - 1))
		return users_refuse(why,
				    "of Authorization there is Basic alone");
	text += sizeof(scheme) - 1;
	text += strspn(text, " ");
	if (base64_decode(text, strlen(text), &login))
		rc = users_refuse(why,
				  "the Authorization header cannot be read");
	else
		rc = users_admit_login(u, x, &login, out, why);
	return rc;
}

/* ---- what is open ---- */

static bool users_list_has(const char *list, const char *name)
{
	size_t len = strlen(name), n;

	for (const char *s = list; (n = hosts_list_next(&s)); s += n)
		if ((n == 1 && *s == '*') || (n == len && !memcmp(s, name, n)))
			return true;
	return false;
}

int users_may_write(const struct users_actor *a, const char *stage,
		    struct buf *why)
{
	if (!a->user || !strcmp(stage, "~") ||
	    users_list_has(a->user->write, stage))
		return 0;
	buf_adds(why, "user ");
	text_printable(why, a->user->name);
	buf_adds(why, " may not write to stage ");
	text_printable(why, stage);
	return -EPERM;
}

int users_may_reach(const struct users_actor *a, const struct stage *s,
		    struct buf *why)
{
	if (s->store->limits.files)
		return 0;
	if (!a->user) {
		buf_adds(why, "stage ");
		text_printable(why, s->name);
		return buf_fail(why, -EACCES,
				" is not on this machine: a user's name and "
				"password are needed");
	}
	if (s->upload_api)
		return 0;
	buf_adds(why, "stage ");
	text_printable(why, s->name);
	return buf_fail(why, -EPERM,
			" takes no uploads: its upload_api is not set");
}
