/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people know from ~/.aws, s3fs, rclone, geesefs and mount(8) and type
 * here too, where no distance of letters leads to the right word.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config_builder.h"

static const struct {
	const char *theirs, *ours;
} foreign[] = {
	{ "aws_access_key_id", "access_key_id" },
	{ "aws_secret_access_key", "secret_access_key" },
	{ "aws_session_token", "session_token" },
	{ "aws_region", "region" },
	{ "aws_default_region", "region" },
	{ "aws_profile", "credentials = profile:NAME" },
	{ "profile", "credentials = profile:NAME" },
	{ "passwd_file", "credentials = profile:NAME" },
	{ "iam_role", "credentials = imds" },
	{ "public_bucket", "credentials = anonymous" },
	{ "no_sign_request", "credentials = anonymous" },
	{ "access_key", "access_key_id" },
	{ "secret_key", "secret_access_key" },
	{ "bucket", "url = s3://BUCKET/PATH/" },
	{ "use_path_request_style", "addressing = path" },
	{ "force_path_style", "addressing = path" },
	{ "use_cache", "cache_dir" },
	{ "writeback", "write_back" },
	{ "vfs_cache_mode", "write_back" },
	{ "stat_cache_expire", "metadata_ttl" },
	{ "attr_timeout", "metadata_ttl" },
	{ "entry_timeout", "metadata_ttl" },
	{ "dir_cache_time", "metadata_ttl" },
	{ "dbglevel", "log_level" },
	{ "debug", "log_level = debug" },
	{ "no_check_certificate", "ca_file = FILE" },
	{ "no_verify_ssl", "ca_file = FILE" },
	{ "allow_root", "allow_other" },
	{ "read_only", "ro" },
	{ "netdev", "_netdev" },
	{ "no_fail", "nofail" },
};

const char *config_foreign(const char *name)
{
	MEM_LOCAL char *word = strdup(name);

	for (char *c = word; c && *c; c++)
		*c = *c == '-' ? '_' : text_lower(*c);
	for (size_t i = 0; word && i < sizeof(foreign) / sizeof(*foreign); i++)
		if (!strcmp(word, foreign[i].theirs))
			return foreign[i].ours;
	return NULL;
}
