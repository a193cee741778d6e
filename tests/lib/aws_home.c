/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char home[] = "/tmp/stagefs-home-XXXXXX";
static char path[128];

static void place(char out[128], const char *name, const char *suffix)
{
	snprintf(out, 128, "%s/.aws/%s%s", home, name, suffix);
}

void aws_home_init(void)
{
	static const char *const names[] = {
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"AWS_SECURITY_TOKEN",
		"AWS_CREDENTIAL_EXPIRATION",
		"AWS_PROFILE",
		"AWS_DEFAULT_PROFILE",
		"AWS_SHARED_CREDENTIALS_FILE",
		"AWS_CONFIG_FILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_ARN",
		"AWS_ROLE_SESSION_NAME",
		"AWS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL_STS",
		"AWS_ENDPOINT_URL_SSO",
		"AWS_REGION",
		"AWS_DEFAULT_REGION",
		"AWS_CA_BUNDLE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	assert_non_null(mkdtemp(home));
	chmod(home, 0755);
	setenv("HOME", home, 1);
	place(path, "", "");
	assert_int_equal(mkdir(path, 0755), 0);
}

void aws_home_clear(void)
{
	aws_home_write("credentials", NULL);
	aws_home_write("config", NULL);
	place(path, "", "");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(home), 0);
}

const char *aws_home_write(const char *name, const char *content)
{
	char fresh[128];
	FILE *f;

	place(path, name, "");
	if (!content) {
		unlink(path);
		return path;
	}
	place(fresh, name, ".new");
	f = fopen(fresh, "w");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(fresh, 0600), 0);
	assert_int_equal(rename(fresh, path), 0);
	return path;
}
