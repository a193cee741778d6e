/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount with write_back on a store in memory: nothing is sent before it is
 * flushed, and a daemon that dies is a file system that is freed without its
 * end (fs_drain()).
 */
#ifndef TESTS_LIB_LATER_RIG_H
#define TESTS_LIB_LATER_RIG_H

#include "fs_fixture.h"

int later_setup(void **state);
int later_teardown(void **state);
struct fs_settings later_settings(void);
void later_up(struct mount *m);
int later_flush(struct mount *m);
/* The daemon dies, and the next one comes. */
void later_crash(struct mount *m);
/* What the journal is now; and the daemon died when it was that. */
void later_keep(void);
void later_crash_then(struct mount *m);
void later_down(struct mount *m);
/* How many names wait. */
unsigned later_waiting(struct mount *m);
/* What programs read there; what the store has. */
void later_reads(struct mount *m, const char *path, const char *text);
void later_stored(struct mount *m, const char *key, const char *text);

#endif
