/*
 * Where the text of statements comes from.
 */
#ifndef CLI_CMD_SQL_TEXT_H
#define CLI_CMD_SQL_TEXT_H

#include "base/buf.h"

/* All of a file (`-`: standard input) of at most SQL_TEXT_MAX bytes. 0 or
 * -errno. Blocks. */
int cmd_sql_text_read(const char *path, struct buf *out);

#endif
