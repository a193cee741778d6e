/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as a QR code of half blocks, two modules to a character.
 */
#ifndef CLIENT_QR_H
#define CLIENT_QR_H

#include <stdbool.h>

struct buf;

/* Lines that end in '\n', light on dark, with a quiet zone; colours: with
 * escapes that make it so on any terminal. *width: columns. 0, -EMSGSIZE (the
 * text is too long for one), -ENOMEM. */
int qr_print(const char *text, bool colours, struct buf *out, unsigned *width);

#endif
