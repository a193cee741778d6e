/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Light modules are the blocks: most terminals are dark, and readers take a
 * code that has its colours the right way round only.
 */
#include "client/qr.h"

#include <errno.h>
#include <qrencode.h>

#include "base/buf.h"

#define QUIET 2 /* modules round it; 4 by the book, and readers take less */

/* Is the module light, or outside of the code? */
static bool qr_is_light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return !(code->data[y * code->width + x] & 1);
}

static void qr_add_row(const QRcode *code, int y, bool colours, struct buf *out)
{
	static const char *const blocks[] = { " ", "\u2584", "\u2580",
					      "\u2588" };

	buf_adds(out, colours ? "\033[40;97m" : "");
	for (int x = -QUIET; x < code->width + QUIET; x++)
		buf_adds(out, blocks[2 * qr_is_light(code, x, y) +
				     (y + 1 < code->width + QUIET &&
				      qr_is_light(code, x, y + 1))]);
	buf_adds(out, colours ? "\033[0m\n" : "\n");
}

int qr_print(const char *text, bool colours, struct buf *out, unsigned *width)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

	if (!code)
		return errno == ERANGE ? -EMSGSIZE : -ENOMEM;
	for (int y = -QUIET; y < code->width + QUIET; y += 2)
		qr_add_row(code, y, colours, out);
	*width = (unsigned)code->width + 2 * QUIET;
	QRcode_free(code);
	return buf_err(out);
}
