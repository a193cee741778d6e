/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `PUT` and `POST /v1/upload_to_stage`, as Databend has it: a form whose files
 * go into a stage (docs/gateway.md).
 */
#ifndef GATEWAY_UPLOAD_UPLOAD_H
#define GATEWAY_UPLOAD_UPLOAD_H

#include "gateway/exchange.h"

extern const struct exchange_handler upload_handler;

#endif
