/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ip.h"

#include <netinet/in.h>
#include <string.h>

struct sockaddr_storage ip_plain(const struct sockaddr_storage *a)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
	struct sockaddr_storage out = *a;
	struct sockaddr_in *in = (struct sockaddr_in *)&out;

	if (a->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return out;
	memset(&out, 0, sizeof(out));
	in->sin_family = AF_INET;
	in->sin_port = in6->sin6_port;
	memcpy(&in->sin_addr, in6->sin6_addr.s6_addr + 12, 4);
	return out;
}

bool ip_is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_storage plain = ip_plain(a);
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&plain;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&plain;

	if (plain.ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return plain.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

size_t ip_network(const struct sockaddr_storage *a,
		  unsigned char out[IP_NETWORK_SIZE])
{
	const struct sockaddr_storage plain = ip_plain(a);
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&plain;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&plain;
	size_t n = plain.ss_family == AF_INET    ? sizeof(in->sin_addr)
		   : plain.ss_family == AF_INET6 ? IP_NETWORK_SIZE
						 : 0;

	memset(out, 0, IP_NETWORK_SIZE);
	memcpy(out,
	       plain.ss_family == AF_INET ? (const void *)&in->sin_addr
					  : (const void *)&in6->sin6_addr,
	       n);
	return n;
}
