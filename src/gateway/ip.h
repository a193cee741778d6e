/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the two kinds of IP. An IPv4 address within IPv6 counts as what
 * it is. Pure.
 */
#ifndef GATEWAY_IP_H
#define GATEWAY_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define IP_NETWORK_SIZE 8

/* IPv4 in IPv6 undressed, the port with it. */
struct sockaddr_storage ip_plain(const struct sockaddr_storage *a);
bool ip_is_loopback(const struct sockaddr_storage *a);
/* What one client has: an address of IPv4, a whole network of IPv6. The number
 * of bytes; 0: neither. */
size_t ip_network(const struct sockaddr_storage *a,
		  unsigned char out[IP_NETWORK_SIZE]);

#endif
