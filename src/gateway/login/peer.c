/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket that its program has closed goes on living in the kernel until all
 * of it was sent, and is root's then: only one that is ESTABLISHED, and has an
 * inode, tells its user. A client that has sent its request and left has none,
 * and so has one that still waits in a listener's queue.
 */
#include "gateway/login/peer.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "gateway/ip.h"

#define ESTABLISHED 1 /* as the kernel numbers it, in both answers */

/* The two ends as the peer has them. */
struct ends {
	int family;
	uint32_t from[4], to[4]; /* network order; IPv4: the first */
	in_port_t from_port, to_port; /* network order */
};

static int peer_take_end(const struct sockaddr_storage *a, uint32_t out[4],
			 in_port_t *port)
{
	const struct sockaddr_storage plain = ip_plain(a);
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&plain;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&plain;

	memset(out, 0, 4 * sizeof(*out));
	if (plain.ss_family == AF_INET) {
		out[0] = in->sin_addr.s_addr;
		*port = in->sin_port;
	} else if (plain.ss_family == AF_INET6) {
		memcpy(out, in6->sin6_addr.s6_addr, 16);
		*port = in6->sin6_port;
	} else {
		return 0;
	}
	return plain.ss_family;
}

static bool peer_take_ends(const struct sockaddr_storage *peer,
			   const struct sockaddr_storage *local,
			   struct ends *out)
{
	out->family = peer_take_end(peer, out->from, &out->from_port);
	return out->family &&
	       peer_take_end(local, out->to, &out->to_port) == out->family;
}

/* ---- asked ---- */

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 ask;
};

struct answer {
	struct nlmsghdr head;
	union {
		struct nlmsgerr err;
		struct inet_diag_msg msg;
		char room[1024];
	} body;
};

static int peer_read_answer(const struct answer *a, ssize_t n, uid_t *out)
{
	if (n < (ssize_t)(sizeof(a->head) + sizeof(int)))
		return -EIO;
	if (a->head.nlmsg_type == NLMSG_ERROR)
		return a->body.err.error ? a->body.err.error : -EIO;
	if (a->head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    n < (ssize_t)(sizeof(a->head) + sizeof(a->body.msg)))
		return -EIO;
	if (a->body.msg.idiag_state != ESTABLISHED || !a->body.msg.idiag_inode)
		return -ENOENT;
	*out = a->body.msg.idiag_uid;
	return 0;
}

int peer_uid_asked(const struct sockaddr_storage *peer,
		   const struct sockaddr_storage *local, uid_t *out)
{
	struct question q = {
		.head = { .nlmsg_len = sizeof(q),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST },
		.ask = { .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = UINT32_MAX,
			 .id = { .idiag_cookie = { INET_DIAG_NOCOOKIE,
						   INET_DIAG_NOCOOKIE } } },
	};
	const struct timeval patience = { .tv_sec = 2 };
	struct answer a = { 0 };
	struct ends e;
	int fd, rc;

	if (!peer_take_ends(peer, local, &e))
		return -ENOENT;
	q.ask.sdiag_family = (uint8_t)e.family;
	memcpy(q.ask.id.idiag_src, e.from, sizeof(e.from));
	memcpy(q.ask.id.idiag_dst, e.to, sizeof(e.to));
	q.ask.id.idiag_sport = e.from_port;
	q.ask.id.idiag_dport = e.to_port;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (send(fd, &q, sizeof(q), 0) != (ssize_t)sizeof(q)) {
		rc = -errno;
	} else {
		ssize_t n = recv(fd, &a, sizeof(a), 0);

		rc = n < 0 ? -errno : peer_read_answer(&a, n, out);
	}
	close(fd);
	return rc;
}

/* ---- listed ---- */

static int peer_walk(const char *path, const char *ends, uid_t *out)
{
	FILE *f = fopen(path, "re");
	MEM_LOCAL char *line = NULL;
	size_t size = 0;
	int rc = -ENOENT;

	if (!f)
		return -errno;
	while (rc == -ENOENT && getline(&line, &size, f) > 0) {
		const char *at = strchr(line, ':');
		unsigned long uid, inode;

		if (!at || strncmp(at + 2, ends, strlen(ends)))
			continue;
		/* tx:rx, tr:when, retrnsmt, uid, timeout, inode */
		if (sscanf(at + 2 + strlen(ends), "%*s %*s %*s %lu %*s %lu",
			   &uid, &inode) == 2 &&
		    inode) {
			*out = (uid_t)uid;
			rc = 0;
		}
	}
	fclose(f);
	return rc;
}

/* An end as a line of the list has it: `0100007F:1F40 `. */
static void peer_add_end(struct buf *out, const struct ends *e, bool as_v6,
			 const uint32_t words[4], in_port_t port)
{
	const uint32_t mapped[4] = { 0, 0, htonl(0xffff), words[0] };
	bool v4 = e->family == AF_INET;

	for (int i = 0; i < (v4 && !as_v6 ? 1 : 4); i++)
		buf_addf(out, "%08X", v4 && as_v6 ? mapped[i] : words[i]);
	buf_addf(out, ":%04X ", ntohs(port));
}

/* Looks for a connection of these ends, and open. */
static int peer_find(const char *path, const struct ends *e, bool as_v6,
		     uid_t *out)
{
	BUF_LOCAL ends = BUF_INIT(BUF_MESSAGE);

	peer_add_end(&ends, e, as_v6, e->from, e->from_port);
	peer_add_end(&ends, e, as_v6, e->to, e->to_port);
	buf_addf(&ends, "%02X ", ESTABLISHED);
	return buf_err(&ends) ? -ENOMEM : peer_walk(path, buf_str(&ends), out);
}

int peer_uid_listed(const struct sockaddr_storage *peer,
		    const struct sockaddr_storage *local, uid_t *out)
{
	struct ends e;
	int rc = -ENOENT;

	if (!peer_take_ends(peer, local, &e))
		return -ENOENT;
	if (e.family == AF_INET)
		rc = peer_find("/proc/net/tcp", &e, false, out);
	/* A socket of the newer kind speaks IPv4 too. */
	return rc ? peer_find("/proc/net/tcp6", &e, true, out) : rc;
}

int peer_uid(const struct sockaddr_storage *peer,
	     const struct sockaddr_storage *local, uid_t *out)
{
	int rc = peer_uid_asked(peer, local, out);

	return rc && rc != -ENOENT ? peer_uid_listed(peer, local, out) : rc;
}
