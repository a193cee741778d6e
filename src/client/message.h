/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs say on stderr: one line a failure or warning.
 */
#ifndef CLIENT_MESSAGE_H
#define CLIENT_MESSAGE_H

/* `stagefs: what failed: why`, one line whatever the two contain; a warning
 * where `what` begins with that word. In the journal it has its priority. */
void message(const char *what, const char *why);

#endif
