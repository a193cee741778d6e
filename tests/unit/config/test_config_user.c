/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [user NAME]: what it says, and what is wrong with it.
 *
 * Covers: config/config_user.c
 */
#include "unit.h"

#include "base/buf.h"
#include "config_fixture.h"
#include "config/config.h"

#define HASH \
	"$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$" \
	"cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI"
#define U S "[user ann]\n"

static int read_text(const char *text, mode_t mode, struct config *c,
		     struct buf *why)
{
	const struct config_request r = { .file = in_dir("user.conf") };

	clear_environment();
	write_file(r.file, text, mode);
	return config_read(&r, c, why);
}

static void users_are_read(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct config c;
	int rc = read_text(U "password_hash = " HASH "\n"
			     "read = a, b\nwrite = *\n"
			     "[user J\xc3\xb6rg M]\npassword_hash = " HASH "\n"
			     "[stage a]\nurl = s3://a/\nupload_api = yes\n",
			   0600, &c, &why);

	row_equal("no error", buf_str(&why), "");
	row_number("read", rc, 0);
	row_number("two users", c.n_users, 2);
	row_equal("the name", c.users[0].name, "ann");
	row_equal("the hash, as it is", c.users[0].password_hash, HASH);
	row_equal("read", c.users[0].read, "a, b");
	row_equal("write", c.users[0].write, "*");
	row_equal("a name of another kind", c.users[1].name, "J\xc3\xb6rg M");
	row_equal("nothing to write", c.users[1].write, "");
	row_check("upload_api", c.stages[0].conn.upload_api);
	row_check("upload_api is no by default", !c.storage.upload_api);
	config_clear(&c);
	buf_clear(&why);
}

static const struct {
	const char *sentence, *text;
	mode_t mode;
	const char *tells;
} refused[] = {
	{ "no hash", U, 0600, ":3: [user ann]: no password_hash is given" },
	{ "a password as it is", U "password_hash = sesame\n", 0600,
	  ":4: [user ann]: password_hash: not a hash that `stagefs passwd`" },
	{ "a hash that costs too much",
	  U "password_hash = $scrypt$ln=20,r=8,p=1$U29kaXVtQ2hsb3JpZGU$"
	    "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI\n",
	  0600, ":4: [user ann]: password_hash: ln=20,r=8,p=1 costs too" },
	{ "a hash that all may read", U "password_hash = " HASH "\n", 0644,
	  ":4: password_hash: " },
	{ "a stage that can be none",
	  U "password_hash = " HASH "\nwrite = a b-c\n", 0600,
	  ":5: [user ann]: write: \"b-c\" is no name of a stage, and not *" },
	{ "a user twice", U "password_hash = " HASH "\n[user ann]\n", 0600,
	  ":5: [user ann] is there a second time (first in line 3)" },
	{ "a name with a colon", S "[user a:b]\n", 0600,
	  ":3: [user a:b]: a user's name has no slash and no colon" },
	{ "a name with a slash", S "[user a/b]\n", 0600,
	  ":3: [user a/b]: a user's name" },
	{ "dot dot", S "[user ..]\n", 0600, ":3: [user ..]: a user's name" },
	{ "no name", S "[user ]\n", 0600, ":3: [user ]: a user's name" },
	{ "a key of a stage", U "url = s3://b/\n", 0600,
	  ":4: url: this key belongs in [storage] or a [stage NAME]" },
	{ "its key elsewhere", S "password_hash = x\n", 0600,
	  ":3: password_hash: this key belongs in a [user NAME]" },
	{ "a typo", U "pasword_hash = x\n", 0600,
	  ":4: unknown key pasword_hash; did you mean password_hash?" },
};

static void bad_users_are_told(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct config c;
		int rc = read_text(refused[i].text, refused[i].mode, &c, &why);

		row_check(refused[i].sentence, rc < 0);
		if (!strstr(buf_str(&why), refused[i].tells))
			row_equal(refused[i].sentence, buf_str(&why),
				  refused[i].tells);
		row_check("no secret", !strstr(buf_str(&why), "sesame"));
		row_check("nothing is left", !c.n_users && !c.users);
		buf_clear(&why);
	}
}

SUITE(config_user)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_read),
		cmocka_unit_test(bad_users_are_told),
	};

	return cmocka_run_group_tests_name("config users", tests, make_dir,
					   remove_dir);
}
