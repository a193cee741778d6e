/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user of the program at the other end of a connection within this machine.
 */
#ifndef GATEWAY_LOGIN_PEER_H
#define GATEWAY_LOGIN_PEER_H

#include <sys/socket.h>
#include <sys/types.h>

/*
 * The user that the socket belongs to, by the ends of ours. 0; -ENOENT: there
 * is no such socket here, or its program has closed it; or -errno. The first
 * that works of the two below.
 */
int peer_uid(const struct sockaddr_storage *peer,
	     const struct sockaddr_storage *local, uid_t *out);

/* By a question to the kernel about this one; by a walk through its list. */
int peer_uid_asked(const struct sockaddr_storage *peer,
		   const struct sockaddr_storage *local, uid_t *out);
int peer_uid_listed(const struct sockaddr_storage *peer,
		    const struct sockaddr_storage *local, uid_t *out);

#endif
