/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this the password? Slow for a client that guesses, quick for one that
 * knows: at most two hashes are worked on at once, what was right is let in at
 * once for a day after it was used, and after what was wrong the next guess of
 * that name, by that address or that user of this machine, waits for its turn.
 */
#ifndef GATEWAY_LOGIN_LOGIN_THROTTLE_H
#define GATEWAY_LOGIN_LOGIN_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct login_throttle;

struct login_attempt {
	const struct sockaddr_storage *peer;
	bool has_uid; /* it is a program of this machine, and of uid */
	uid_t uid;
	const char *name;
	const char *hash; /* NULL: no user of that name; costs the same */
	const char *password;
	size_t n; /* bytes of it */
};

/* NULL: kdf_matches(), the clock, and the thread's sleep (0, -EINTR,
 * -ETIMEDOUT). */
struct login_throttle_ops {
	int (*matches)(const char *hash, const void *password, size_t n);
	int64_t (*now_ms)(void);
	int (*park)(int64_t until_ms);
};

/* alike: a hash that costs what the users' do, for names that no user has;
 * borrowed. NULL without memory. */
struct login_throttle *login_throttle_new(const char *alike,
					  const struct login_throttle_ops *ops);
void login_throttle_free(struct login_throttle *g);

/* 1, 0, -EAGAIN (too many wrong ones wait already), -EINTR, -ENOMEM. Blocks. */
int login_throttle_check(struct login_throttle *g,
			 const struct login_attempt *q);

#endif
