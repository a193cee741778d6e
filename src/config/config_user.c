/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [user NAME]: a user of the gateway, with a password, and the stages that are
 * open to that user.
 */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/kdf.h"
#include "base/text.h"
#include "config/config_builder.h"
#include "stage/location.h"
#include "stage/stage.h"

#define LIST_MAX 4096

#define ROW(name_, ...) \
	OPTION_ROW(config_user, #name_, STRING, name_, __VA_ARGS__)

const struct option config_user_options[] = {
	ROW(password_hash, .max = KDF_HASH_MAX,
	    .flags = OPTION_SECRET | OPTION_NO_COMMAND,
	    .help = "what `stagefs passwd` printed"),
	ROW(read, .max = LIST_MAX, .def = "",
	    .help = "stages that may be read, or * for all"),
	ROW(write, .max = LIST_MAX, .def = "",
	    .help = "stages that may be written, or * for all; ~, the user's "
		    "own, always may"),
	{ 0 },
};

bool config_user_name_valid(const char *name)
{
	size_t n = strlen(name);

	return location_name_visible(name, n) && !strpbrk(name, ":") &&
	       !text_has_control(name) && text_is_utf8(name) &&
	       name[0] != ' ' && name[n - 1] != ' ';
}

static int user_check_list(const char *key, const char *list, struct buf *why)
{
	for (const char *at = list; at; at += strcspn(at, ", \t")) {
		char name[256] = "";
		size_t n;

		at += strspn(at, ", \t");
		n = strcspn(at, ", \t");
		if (!n)
			break;
		if (n < sizeof(name))
			memcpy(name, at, n);
		if (!strcmp(name, "*") || !strcmp(name, "~") ||
		    stage_name_valid(name))
			continue;
		buf_addf(why, "%s: \"", key);
		text_printable(why, name);
		return buf_fail(why, -EINVAL,
				"\" is no name of a stage, and not *");
	}
	return 0;
}

int config_user_check(const struct config_user *u, struct buf *why)
{
	BUF_LOCAL detail = BUF_INIT(BUF_MESSAGE);
	int rc = 0;

	if (!u->password_hash || !*u->password_hash)
		return buf_fail(why, -EINVAL,
				"no password_hash is given: `stagefs passwd` "
				"makes one");
	rc = kdf_check(u->password_hash, &detail);
	if (rc)
		buf_addf(why, "password_hash: %s", buf_str(&detail));
	if (!rc)
		rc = user_check_list("read", u->read, why);
	return rc ? rc : user_check_list("write", u->write, why);
}
