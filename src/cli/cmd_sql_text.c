/*
 * A script is read whole: it is checked to its end before anything runs.
 */
#include "cli/cmd_sql_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sql/sql.h"

#define CHUNK 65536

int cmd_sql_text_read(const char *path, struct buf *out)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : STDIN_FILENO;
	int rc = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		char chunk[CHUNK];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n ? -errno : 0;
			break;
		}
		buf_add(out, chunk, n);
		explicit_bzero(chunk, n);
		rc = buf_err(out) == -EMSGSIZE ? -EFBIG : buf_err(out);
		if (rc)
			break;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}
