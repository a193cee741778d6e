/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user that sends a request, and what is open to them.
 *
 * A [user NAME] comes with their password (Basic). Without one, or with an
 * empty one, a request acts as `[stagefs] user`, when it comes from a program
 * of our own user's or root's on this machine; it gets to stages on this
 * machine's disks only, which that program could write to itself.
 */
#ifndef GATEWAY_LOGIN_USERS_H
#define GATEWAY_LOGIN_USERS_H

struct buf;
struct exchange;
struct gateway_settings;
struct gateway_user;
struct stage;
struct users;

struct users_actor {
	const char *name; /* the owner of stage `~` */
	const struct gateway_user *user; /* NULL: came without a password */
};

/* Borrows the settings. 0 or -ENOMEM. */
int users_new(const struct gateway_settings *set, struct users **out);
void users_free(struct users *u); /* NULL is fine */

/* Blocks while a password is checked. 0, or why not in why: -EACCES, -EAGAIN
 * (guesses too often), -EINTR, -ENOMEM. */
int users_admit(struct users *u, const struct exchange *x,
		struct users_actor *out, struct buf *why);

/* Before a stage of that name is looked for: 0, or -EPERM with why set. */
int users_may_write(const struct users_actor *a, const char *stage,
		    struct buf *why);
/* Is its store open to them? 0; -EACCES with a password it might be, -EPERM it
 * is not, why set. */
int users_may_reach(const struct users_actor *a, const struct stage *s,
		    struct buf *why);

#endif
