/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket that was put into [storage] though it has no stages: what its owner
 * meant is a [stage NAME].
 */
#ifndef CLIENT_STORAGE_HINT_H
#define CLIENT_STORAGE_HINT_H

struct buf;
struct catalog;
struct config;

/*
 * When nothing is below stage/ in [storage] but other keys are: a sentence for
 * a warning, and the section to write for it, lines that end in '\n'; else
 * nothing. A request where there are stages, else two. A failure is silence.
 * Blocks.
 */
void storage_hint(const struct config *config, struct catalog *c,
		  struct buf *sentence, struct buf *section);

#endif
