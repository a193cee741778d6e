/*
 * What the verbs say on stderr: one line a failure or warning.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

/* `stagefs: what failed: why`, one line whatever the two contain. */
void message(const char *what, const char *why);

#endif
