/*
 * A script is read whole: it is checked to its end before anything runs.
 */
#include "cli/cmd_sql_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "sql/sql.h"

int cmd_sql_text_read(const char *path, struct buf *out)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : STDIN_FILENO;
	int rc = fd < 0 ? -errno : io_read_all(fd, out);

	if (fd > STDIN_FILENO)
		close(fd);
	return rc == -EMSGSIZE ? -EFBIG : rc;
}
