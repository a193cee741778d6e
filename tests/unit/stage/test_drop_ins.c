/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stages in files of their own: written whole and closed, read with the checks
 * of a configuration.
 *
 * Covers: base/dirs.c
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "base/log.h"
#include "drop_ins_fixture.h"

static const struct {
	const char *sentence;
	const char *pairs[9];
	bool refused;
} written[] = {
	{ "a url alone", { "url", "s3://b/" } },
	{ "keys",
	  { "url", "s3://b/a/", "aws_key_id", "K", "aws_secret_key",
	    "S/+=", "endpoint_url", "http://127.0.0.1:9000" } },
	{ "what looks like a reference",
	  { "url", "s3://b/", "comment", "${env:HOME} $${x} $$${y" } },
	{ "marks of INI files",
	  { "url", "s3://b/", "comment", "a;b #c = [d] \"e\" 'f'" } },
	{ "other types",
	  { "url", "s3://b/", "addressing", "virtual", "ro", "yes", "part_size",
	    "8M" } },
	{ "what the machine has, asked for",
	  { "url", "s3://b/", "credentials", "env" } },
	{ "a comment that a file would cut",
	  { "url", "s3://b/", "comment", "a ; b" },
	  true },
	{ "a blank at the end", { "url", "s3://b/", "comment", "a " }, true },
};

static void test_written(void **state)
{
	for (size_t i = 0; i < COUNT(written); i++) {
		const char *sentence = written[i].sentence;
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct drop_ins read;
		struct conn wanted;
		int rc;

		empty_dir(state);
		rc = write_stage("s", written[i].pairs, &why);
		row_number(sentence, rc, written[i].refused ? -EINVAL : 0);
		buf_reset(&why);
		rc = drop_ins_read(dir, &read, &why);
		row_equal(sentence, buf_str(&why), "");
		row_number(sentence, rc, 0);
		row_number(sentence, read.n, !written[i].refused);
		if (read.n) {
			make_conn(&wanted, written[i].pairs);
			row_equal(sentence, read.list[0].name, "s");
			row_check(sentence,
				  conn_equal(&wanted, &read.list[0].conn));
			option_clear(conn_options, &wanted);
		}
		drop_ins_clear(&read);
		buf_clear(&why);
	}
}

static unsigned count_files(void)
{
	unsigned n = 0;
	struct dirent *e;
	DIR *d = opendir(dir);

	assert_non_null(d);
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(d);
	return n;
}

static void test_modes(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct stat st;
	char path[128];
	mode_t old = umask(0);

	row_number("written", write_stage("s", PAIRS("url", "s3://b/"), &why),
		   0);
	snprintf(path, sizeof(path), "%s/s.conf", dir);
	row_number("there", stat(path, &st), 0);
	row_number("closed whatever the umask", st.st_mode & 07777, 0600);
	row_number("the folder", stat(dir, &st), 0);
	row_number("is closed too", st.st_mode & 07777, 0700);
	row_number("refused",
		   write_stage("t", PAIRS("url", "s3://b/", "comment", "a "),
			       &why),
		   -EINVAL);
	row_number("nothing is left of what was refused", count_files(), 1);
	row_number("replaced", write_stage("s", PAIRS("url", "s3://c/"), &why),
		   0);
	row_number("no temporary file stays", count_files(), 1);
	row_number("removed", drop_ins_remove(dir, "s", &why), 0);
	row_number("removed twice", drop_ins_remove(dir, "s", &why), -ENOENT);
	umask(old);
	buf_clear(&why);
}

static const struct {
	const char *sentence, *name, *text;
	mode_t mode;
	const char *tells; /* NULL: fine */
	const char *credentials;
} files[] = {
	{ "without keys", "s.conf", "[stage s]\nurl = s3://b/\n", 0644, NULL,
	  "anonymous" },
	{ "with keys", "s.conf",
	  "[stage s]\nurl = s3://b/\naws_key_id = a\naws_secret_key = b\n",
	  0600, NULL, "static" },
	{ "with the machine's own", "s.conf",
	  "[stage s]\nurl = s3://b/\ncredentials = auto\n", 0600, NULL,
	  "auto" },
	{ "a secret that others can read", "s.conf",
	  "[stage s]\nurl = s3://b/\naws_key_id = a\naws_secret_key = b\n",
	  0644, "s.conf:4: aws_secret_key: it holds a secret but is open" },
	{ "another section", "s.conf", "[stage t]\nurl = s3://b/\n", 0600,
	  "s.conf:2: this file is for the section [stage s] alone" },
	{ "the mount's section", "s.conf", "[stagefs]\nuser = root\n", 0600,
	  "s.conf:2: this file is for the section [stage s] alone" },
	{ "nothing", "s.conf", "", 0600, "s.conf: there is no [stage s]" },
	{ "no url", "s.conf", "[stage s]\nro = yes\n", 0600,
	  "s.conf: no url is given" },
	{ "an unknown key", "s.conf", "[stage s]\nurll = s3://b/\n", 0600,
	  "s.conf:2: unknown key urll; did you mean url?" },
	{ "a key twice", "s.conf", "[stage s]\nurl=s3://b/\nurl=s3://c/\n",
	  0600, "s.conf:3: url is given a second time" },
	{ "a bad value", "s.conf", "[stage s]\nurl = s3://b/\nro = maybe\n",
	  0600, "s.conf:3: ro = maybe: yes or no" },
	{ "a bad place", "s.conf", "[stage s]\nurl = s3://b/a\n", 0600,
	  "s.conf: url = s3://b/a: the path must end in '/'" },
	{ "no place for a bucket", "s.conf",
	  "[stage s]\nurl = s3://b/\nendpoint_url = http://10.0.0.1\n"
	  "addressing = virtual\n",
	  0600, "s.conf: addressing: a bucket cannot stand in front" },
	{ "a reference to nothing", "s.conf",
	  "[stage s]\nurl = s3://b/\naws_key_id = ${file:/nonexistent}\n", 0600,
	  "s.conf:3: aws_key_id: ${file:/nonexistent}: No such file" },
	{ "a bad name", "a-b.conf", "[stage a-b]\nurl = s3://b/\n", 0600,
	  "a-b.conf: no stage can have that name" },
	{ "a reserved name", "v1.conf", "[stage v1]\nurl = s3://b/\n", 0600,
	  "v1.conf: no stage can have that name" },
};

static void test_files(void **state)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		const char *sentence = files[i].sentence;
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct drop_ins read;
		int rc;

		empty_dir(state);
		put_file(files[i].name, files[i].text, files[i].mode);
		put_file("z.conf", "[stage z]\nurl = s3://z/\n", 0600);
		put_file(".x.conf", "rubbish", 0600);
		put_file("s.conf.bak", "rubbish", 0600);
		rc = drop_ins_read(dir, &read, &why);
		row_number(sentence, rc, 0);
		row_number(sentence, read.n, 2);
		row_equal(sentence, read.list[1].name, "z");
		row_check(sentence, !read.list[1].fault);
		row_check(sentence, !read.list[0].fault == !files[i].tells);
		row_check(sentence,
			  !files[i].tells ||
				  strstr(read.list[0].fault, files[i].tells));
		if (!read.list[0].fault)
			row_equal(sentence, read.list[0].conn.creds.credentials,
				  files[i].credentials);
		drop_ins_clear(&read);
		buf_clear(&why);
	}
}

static void test_no_dir(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct drop_ins_stamp a, b;
	struct drop_ins read;

	row_number("no folder, no stages", drop_ins_read(dir, &read, &why), 0);
	row_number("none", read.n, 0);
	drop_ins_stamp(dir, &a);
	row_check("nothing changed", !drop_ins_changed(&a, &a));
	mkdir(dir, 0700);
	drop_ins_stamp(dir, &b);
	row_check("the folder came", drop_ins_changed(&a, &b));
	row_check("it may change once more", b.unsettled);
	buf_clear(&why);
}

static void test_lock(void **state)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	int lock, status = -1;
	pid_t child;

	row_number("locked", drop_ins_lock(dir, &lock, &why), 0);
	child = fork();
	if (!child) {
		alarm(1);
		_exit(drop_ins_lock(dir, &lock, &why));
	}
	row_number("waited for", waitpid(child, &status, 0), child);
	row_check("another writer waits", WIFSIGNALED(status));
	drop_ins_unlock(lock);
	buf_clear(&why);
}

SUITE(drop_ins)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_written, empty_dir),
		cmocka_unit_test_setup(test_modes, empty_dir),
		cmocka_unit_test_setup(test_files, empty_dir),
		cmocka_unit_test_setup(test_no_dir, empty_dir),
		cmocka_unit_test_setup(test_lock, empty_dir),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
