/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request, as libmicrohttpd tells of it: the callbacks of a daemon. Their
 * first argument is the struct gateway.
 */
#ifndef GATEWAY_CALLBACKS_H
#define GATEWAY_CALLBACKS_H

#include <microhttpd.h>
#include <stddef.h>

void *callbacks_on_target(void *gateway, const char *target,
			  struct MHD_Connection *c);
enum MHD_Result callbacks_on_request(void *gateway, struct MHD_Connection *c,
				     const char *url, const char *method,
				     const char *version, const char *bytes,
				     size_t *n, void **state);
void callbacks_on_completed(void *gateway, struct MHD_Connection *c,
			    void **state, enum MHD_RequestTerminationCode how);

#endif
