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

/* `0100007F:1F40 0100007F:A1B2 01`, as a line of the list has it. */
static void peer_write_ends(const struct ends *e, bool as_v6, char *out,
			    size_t size)
{
	static const uint32_t none[2];
	const uint32_t mapped = htonl(0xffff);
	char from[40], to[40];

	if (e->family == AF_INET6) {
		snprintf(from, sizeof(from), "%08X%08X%08X%08X", e->from[0],
			 e->from[1], e->from[2], e->from[3]);
		snprintf(to, sizeof(to), "%08X%08X%08X%08X", e->to[0], e->to[1],
			 e->to[2], e->to[3]);
	} else if (as_v6) {
		snprintf(from, sizeof(from), "%08X%08X%08X%08X", none[0],
			 none[1], mapped, e->from[0]);
		snprintf(to, sizeof(to), "%08X%08X%08X%08X", none[0], none[1],
			 mapped, e->to[0]);
	} else {
		snprintf(from, sizeof(from), "%08X", e->from[0]);
		snprintf(to, sizeof(to), "%08X", e->to[0]);
	}
	snprintf(out, size, "%s:%04X %s:%04X %02X ", from, ntohs(e->from_port),
		 to, ntohs(e->to_port), ESTABLISHED);
}

static int peer_walk(const char *path, const char *ends, uid_t *out)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
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
	free(line);
	fclose(f);
	return rc;
}

int peer_uid_listed(const struct sockaddr_storage *peer,
		    const struct sockaddr_storage *local, uid_t *out)
{
	char ends[128];
	struct ends e;
	int rc = -ENOENT;

	if (!peer_take_ends(peer, local, &e))
		return -ENOENT;
	if (e.family == AF_INET) {
		peer_write_ends(&e, false, ends, sizeof(ends));
		rc = peer_walk("/proc/net/tcp", ends, out);
	}
	/* A socket of the newer kind speaks IPv4 too. */
	if (rc) {
		peer_write_ends(&e, true, ends, sizeof(ends));
		rc = peer_walk("/proc/net/tcp6", ends, out);
	}
	return rc;
}

int peer_uid(const struct sockaddr_storage *peer,
	     const struct sockaddr_storage *local, uid_t *out)
{
	int rc = peer_uid_asked(peer, local, out);

	return rc && rc != -ENOENT ? peer_uid_listed(peer, local, out) : rc;
}
