/*
 * What the front ends of the verbs share.
 */
#include "cli/cmd.h"

#include "base/buf.h"
#include "client/message.h"
#include "client/statement.h"

int cmd_status(int rc)
{
	return rc ? STATUS_FAILED : STATUS_OK;
}

int cmd_failure(const char *what, const struct failure *f)
{
	message(f->what ? f->what : what, buf_str(&f->why));
	return STATUS_FAILED;
}
