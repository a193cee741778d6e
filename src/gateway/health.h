/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `GET /health` and `GET /metrics`, for operators.
 */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include "gateway/exchange.h"

extern const struct exchange_handler health_handler, metrics_handler;

#endif
