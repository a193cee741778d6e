/*
 * Databend's handler says 400 where a header or a filename is missing and 500
 * for everything else, an unknown stage too; its code is the status then. What
 * it has no word for has HTTP's status.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "gateway/exchange.h"
#include "gateway/upload/upload.h"

#define AUTHENTICATE_FAILURE 5100
#define RETRY_AFTER_S "10"
#define ANSWER_SIZE (1 << 20)

void upload_answer_refuse(struct exchange *x, unsigned status, unsigned code,
			  const char *message)
{
	if (status == 429 || status == 503)
		exchange_add(x, "Retry-After", RETRY_AFTER_S);
	exchange_refuse_json(x, status, code, message);
}

void upload_answer_login(struct exchange *x, const char *message)
{
	exchange_add(x, "WWW-Authenticate",
		     "Basic realm=\"stagefs\", charset=\"UTF-8\"");
	upload_answer_refuse(x, 401, AUTHENTICATE_FAILURE, message);
}

static const struct failure {
	int err;
	unsigned status;
	const char *why; /* NULL: the system's words */
} failures[] = {
	{ -EFBIG, 413, "it is larger than the memory for uploads allows" },
	{ -EBUSY, 503, "too many uploads are under way: no memory came free" },
	{ -ETIME, 408, "its bytes come too slowly" },
	{ -EINTR, 503, "the server is stopping" },
	{ -ENOMEM, 503, NULL },
	{ -EROFS, 403, "the stage is read-only" },
	{ -EPERM, 400, "no file may be called so" },
	{ -EINVAL, 400, "no file can be called so" },
	{ -ENAMETOOLONG, 400, NULL },
	{ -EISDIR, 400, "there is a folder of that name" },
	{ -ENOTDIR, 400, "a file stands where a folder would have to be" },
};

void upload_answer_refuse_file(struct exchange *x, int err, const char *name)
{
	struct failure f = { err, 500, NULL };
	struct buf text = BUF_INIT(BUF_MESSAGE);

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		if (failures[i].err == err)
			f = failures[i];
	buf_adds(&text, "cannot store ");
	text_printable(&text, name);
	buf_addf(&text, ": %s", f.why ? f.why : strerror(-err));
	upload_answer_refuse(x, f.status, f.status, buf_str(&text));
	buf_clear(&text);
}

/* A random UUID. */
static void upload_answer_add_id(struct buf *out)
{
	unsigned char b[16] = { 0 };
	char hex[2 * sizeof(b) + 1];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		memset(b, 0, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	hex_encode(b, sizeof(b), hex);
	buf_addf(out, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
}

void upload_answer(struct exchange *x, const char *stage, const char *files)
{
	struct buf out = BUF_INIT(ANSWER_SIZE);

	buf_adds(&out, "{\"id\":\"");
	upload_answer_add_id(&out);
	buf_adds(&out, "\",\"stage_name\":");
	text_json_string(&out, stage);
	buf_adds(&out, ",\"state\":\"SUCCESS\",\"files\":[");
	buf_adds(&out, files);
	buf_adds(&out, "]}");
	exchange_answer(x, 200, "application/json", buf_str(&out), out.len);
	buf_clear(&out);
}
