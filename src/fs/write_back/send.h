/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker does with a change.
 */
#ifndef FS_WRITE_BACK_SEND_H
#define FS_WRITE_BACK_SEND_H

#include "fs/write_back/queue.h"

/* As a close would have done; 0 too when it is none any more. Blocks on the
 * store. */
int send_change(struct write_back *w, struct queued *q);

#endif
