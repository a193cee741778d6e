/*
 * A stamp folds what stat(2) tells of both files: device, inode, size, and
 * times to the nanosecond. The status-change time is among them, because
 * `cp -p` and editors set the other one back.
 */
#include "auth/aws_files.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any entry of the user database needs. */
#define PASSWD_MAX 65536

static const struct {
	const char *variable, *path;
} files[AWS_FILES] = {
	[AWS_CREDENTIALS] = { "AWS_SHARED_CREDENTIALS_FILE",
			      "~/.aws/credentials" },
	[AWS_CONFIG] = { "AWS_CONFIG_FILE", "~/.aws/config" },
};

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static char *home_directory(void)
{
	const char *home = variable("HOME");
	struct passwd entry, *found = NULL;
	char *text, *out = NULL;

	if (home)
		return strdup(home);
	text = malloc(PASSWD_MAX);
	if (text && !getpwuid_r(geteuid(), &entry, text, PASSWD_MAX, &found) &&
	    found)
		out = strdup(found->pw_dir);
	free(text);
	return out;
}

char *aws_profile_home(const char *below)
{
	char *home = home_directory(), *out = NULL;

	if (home && asprintf(&out, "%s/%s", home, below) < 0)
		out = NULL;
	free(home);
	return out;
}

char *aws_profile_file(enum aws_file which)
{
	const char *path = variable(files[which].variable);

	if (!path)
		path = files[which].path;
	return strncmp(path, "~/", 2) ? strdup(path)
				      : aws_profile_home(path + 2);
}

bool aws_profile_is_named(void)
{
	return variable("AWS_PROFILE") || variable("AWS_DEFAULT_PROFILE");
}

const char *aws_profile_default(void)
{
	const char *name = variable("AWS_PROFILE");

	if (!name)
		name = variable("AWS_DEFAULT_PROFILE");
	return name ? name : "default";
}

/* FNV-1a, eight bytes at a time. */
static void fold(uint64_t *sum, uint64_t value)
{
	for (int i = 0; i < 64; i += 8) {
		*sum ^= value >> i & 0xff;
		*sum *= 0x100000001b3;
	}
}

int64_t aws_files_stamp(void)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (int i = 0; i < AWS_FILES; i++) {
		char *path = aws_profile_file(i);
		struct stat st;

		if (!path || stat(path, &st)) {
			fold(&sum, path ? (uint64_t)errno : 0);
		} else {
			fold(&sum, st.st_dev);
			fold(&sum, st.st_ino);
			fold(&sum, (uint64_t)st.st_size);
			fold(&sum, (uint64_t)st.st_mtim.tv_sec);
			fold(&sum, (uint64_t)st.st_mtim.tv_nsec);
			fold(&sum, (uint64_t)st.st_ctim.tv_sec);
			fold(&sum, (uint64_t)st.st_ctim.tv_nsec);
		}
		free(path);
	}
	return (int64_t)(sum >> 1 | 1);
}
