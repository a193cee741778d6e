/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the server at an address is a gateway of the same stores: it knows
 * their keys. It says so by an HMAC over a nonce of the asker's and the address
 * and port at which it was asked; so no server can pass on the answer of
 * another one.
 */
#ifndef GATEWAY_PROOF_H
#define GATEWAY_PROOF_H

#include <stdbool.h>

#include "base/digest.h"

struct gateway;
struct listen_address;
struct store;

#define PROOF_NONCE_MAX 64

/* The proof of knowing a store's key; at: where it was asked. 0 or -errno. */
int proof_make(struct store *s, const char *name, const char *nonce,
	       const struct listen_address *at, char out[SHA256_HEX_SIZE]);

/* Asks over plain HTTP, at most two seconds a store. true: it answers for all
 * local stores of g, of which there is one at least. */
bool proof_ask(struct gateway *g, const struct listen_address *a);

#endif
