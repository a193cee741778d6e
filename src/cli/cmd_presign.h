/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of `stagefs presign`, shared by its files only.
 */
#ifndef CLI_CMD_PRESIGN_H
#define CLI_CMD_PRESIGN_H

#include "cli/cmd.h"
#include "stage/location.h"
#include "presign/presign.h"
#include "client/statement.h"

struct presign_options {
	char *config, *expire;
	struct presign_request r; /* its texts */
	char *meta, *headers; /* lines */
	int method; /* enum presign_verb */
	int format;
	uint64_t parts;
	bool qr, recursive, nul, verbose, header, compat_host, literal;
};

/* --method's choices. */
enum presign_verb { VERB_GET, VERB_PUT, VERB_HEAD, VERB_DELETE, VERB_ANY };

#define LOCATION_IS_STAGE \
	"which file? a whole stage has no URL: name it as @stage/path"

/* Locations from standard input, a row each. An enum cmd_status; the message
 * was said. */
int cmd_presign_input(struct session *s, const struct presign_options *o,
		      const struct presign_request *request);

#endif
