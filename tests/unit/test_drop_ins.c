/*
 * Stages in files of their own: written whole and closed, read with the checks
 * of a configuration, and seen by a catalog that is open.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "catalog_fixture.h"
#include "stage/catalog_impl.h"
#include "stage/drop_ins.h"

static char top[] = "/tmp/test_drop_ins.XXXXXX";
static char dir[64];

static int make_top(void **state)
{
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_ENDPOINT_URL_S3");
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	if (!mkdtemp(top))
		return -1;
	snprintf(dir, sizeof(dir), "%s/stages.d", top);
	return 0;
}

static int remove_top(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", top);
	return system(command);
}

static int empty_dir(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void put_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *f;

	mkdir(dir, 0700);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A conn with the defaults and these. */
static void make_conn(struct conn *c, const char *const *pairs)
{
	struct buf err = BUF_INIT(BUF_MESSAGE);

	*c = (struct conn){ 0 };
	assert_int_equal(option_defaults(conn_options, c), 0);
	for (; *pairs; pairs += 2)
		row_number(pairs[0],
			   option_set(option_find(conn_options, pairs[0]), c,
				      pairs[1], &err),
			   0);
	if (!strcmp(c->credentials, "auto")) {
		free(c->credentials);
		c->credentials = strdup(conn_sql_credentials(c));
	}
	buf_clear(&err);
}

static int write_stage(const char *name, const char *const *pairs,
		       struct buf *err)
{
	struct conn c;
	int lock, rc = drop_ins_lock(dir, &lock, err);

	assert_int_equal(rc, 0);
	make_conn(&c, pairs);
	rc = drop_in_write(dir, name, &c, err);
	drop_ins_unlock(lock);
	option_clear(conn_options, &c);
	return rc;
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

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
		struct buf err = BUF_INIT(BUF_MESSAGE);
		struct drop_ins read;
		struct conn wanted;
		int rc;

		empty_dir(state);
		rc = write_stage("s", written[i].pairs, &err);
		row_number(sentence, rc, written[i].refused ? -EINVAL : 0);
		buf_reset(&err);
		rc = drop_ins_read(dir, &read, &err);
		row_equal(sentence, buf_str(&err), "");
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
		buf_clear(&err);
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
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct stat st;
	char path[128];
	mode_t old = umask(0);

	row_number("written", write_stage("s", PAIRS("url", "s3://b/"), &err),
		   0);
	snprintf(path, sizeof(path), "%s/s.conf", dir);
	row_number("there", stat(path, &st), 0);
	row_number("closed whatever the umask", st.st_mode & 07777, 0600);
	row_number("the folder", stat(dir, &st), 0);
	row_number("is closed too", st.st_mode & 07777, 0700);
	row_number("refused",
		   write_stage("t", PAIRS("url", "s3://b/", "comment", "a "),
			       &err),
		   -EINVAL);
	row_number("nothing is left of what was refused", count_files(), 1);
	row_number("replaced", write_stage("s", PAIRS("url", "s3://c/"), &err),
		   0);
	row_number("no temporary file stays", count_files(), 1);
	row_number("removed", drop_in_remove(dir, "s", &err), 0);
	row_number("removed twice", drop_in_remove(dir, "s", &err), -ENOENT);
	umask(old);
	buf_clear(&err);
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
		struct buf err = BUF_INIT(BUF_MESSAGE);
		struct drop_ins read;
		int rc;

		empty_dir(state);
		put_file(files[i].name, files[i].text, files[i].mode);
		put_file("z.conf", "[stage z]\nurl = s3://z/\n", 0600);
		put_file(".x.conf", "rubbish", 0600);
		put_file("s.conf.bak", "rubbish", 0600);
		rc = drop_ins_read(dir, &read, &err);
		row_check(sentence, !rc == !files[i].tells);
		row_check(sentence, !files[i].tells || strstr(buf_str(&err),
							      files[i].tells));
		row_number(sentence, read.n, 2);
		row_equal(sentence, read.list[1].name, "z");
		row_check(sentence, !read.list[1].bad);
		row_number(sentence, read.list[0].bad, files[i].tells != NULL);
		if (!rc)
			row_equal(sentence, read.list[0].conn.credentials,
				  files[i].credentials);
		drop_ins_clear(&read);
		buf_clear(&err);
	}
}

static void test_no_dir(void **state)
{
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct drop_ins_stamp a, b;
	struct drop_ins read;

	row_number("no folder, no stages", drop_ins_read(dir, &read, &err), 0);
	row_number("none", read.n, 0);
	drop_ins_stamp(dir, &a);
	row_check("nothing changed", !drop_ins_changed(&a, &a));
	mkdir(dir, 0700);
	drop_ins_stamp(dir, &b);
	row_check("the folder came", drop_ins_changed(&a, &b));
	row_check("it may change once more", b.unsettled);
	buf_clear(&err);
}

static void test_lock(void **state)
{
	struct buf err = BUF_INIT(BUF_MESSAGE);
	int lock, status = -1;
	pid_t child;

	row_number("locked", drop_ins_lock(dir, &lock, &err), 0);
	child = fork();
	if (!child) {
		alarm(1);
		_exit(drop_ins_lock(dir, &lock, &err));
	}
	row_number("waited for", waitpid(child, &status, 0), child);
	row_check("another writer waits", WIFSIGNALED(status));
	drop_ins_unlock(lock);
	buf_clear(&err);
}

/* ---- a catalog that is open ---- */

static struct catalog *open_with_dir(void)
{
	struct catalog_settings set = {
		.user = "root",
		.storage = &storage_conn,
		.external = externals,
		.n_external = 1,
		.metadata_ttl = 5,
		.drop_ins = dir,
		.deadline_max = 15,
		.open = open_memory,
	};
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = NULL;

	drop_ins_stamp(dir, &set.stamp);
	row_number("opened", catalog_new(&set, NULL, &c, &err), 0);
	buf_clear(&err);
	return c;
}

/* As if a second had gone by. */
static void a_second_later(struct catalog *c)
{
	lock_take(&c->lock);
	catalog_locked(c)->looked_ms -= 1000;
	lock_drop(&c->lock);
}

static struct stage *find(struct catalog *c, const char *name)
{
	struct stage *s = NULL;

	return catalog_get(c, name, &s) ? NULL : s;
}

static void test_reload(void **state)
{
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = open_with_dir();
	struct stage *one, *same, *other, *ext = find(c, "ext"), **all;
	unsigned n;
	int storage_err;

	row_check("not yet", !find(c, "one"));
	write_stage("one", PAIRS("url", "s3://one/"), &err);
	row_check("not within the second", !find(c, "one"));
	a_second_later(c);
	one = find(c, "one");
	row_check("then it is there", one && one->kind == STAGE_EXTERNAL);
	row_equal("where it says", one->prefix, "");
	row_number("the list too", catalog_list(c, &all, &n, &storage_err), 0);
	row_number("has it", n, 3);
	catalog_list_free(all, n);

	write_stage("two", PAIRS("url", "s3://two/"), &err);
	a_second_later(c);
	same = find(c, "one");
	row_check("another's coming leaves it the same", same == one);
	stage_unref(same);

	write_stage("one", PAIRS("url", "s3://one/sub/"), &err);
	a_second_later(c);
	other = find(c, "one");
	row_check("an altered one is another", other && other != one);
	row_equal("with its new place", other->prefix, "sub/");
	row_equal("who had the old one keeps it", one->prefix, "");
	stage_unref(other);

	put_file("one.conf", "rubbish\n", 0600);
	catalog_refresh(c);
	other = find(c, "one");
	row_check("a broken file keeps what was", other != NULL);
	stage_unref(other);

	drop_in_remove(dir, "one", &err);
	a_second_later(c);
	row_check("a dropped one is not there", !find(c, "one"));
	same = find(c, "ext");
	row_check("the configuration's is the same", same == ext);
	stage_unref(same);
	stage_unref(ext);
	stage_unref(one);
	catalog_free(c);
	buf_clear(&err);
}

static void test_left_out(void **state)
{
	static const struct {
		const char *sentence, *name, *url;
		bool there;
	} rows[] = {
		{ "a place of its own", "fine", "s3://fine/", true },
		{ "below the storage", "below", "s3://bucket/root/stage/x/",
		  false },
		{ "above another", "above", "s3://other/", false },
		{ "beside another", "beside", "s3://other/beside/", true },
	};
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct catalog *c = open_with_dir();

	log_open("/dev/null", LOG_LEVEL_WARN);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conn conn;
		struct stage *s;

		make_conn(&conn, PAIRS("url", rows[i].url, "endpoint_url",
				       "http://127.0.0.1:9000"));
		buf_reset(&err);
		row_number(rows[i].sentence,
			   catalog_check(c, rows[i].name, &conn, &err),
			   rows[i].there ? 0 : -EINVAL);
		row_check(rows[i].sentence,
			  rows[i].there || strstr(buf_str(&err), "overlap"));
		option_clear(conn_options, &conn);
		write_stage(rows[i].name,
			    PAIRS("url", rows[i].url, "endpoint_url",
				  "http://127.0.0.1:9000"),
			    &err);
		catalog_refresh(c);
		s = find(c, rows[i].name);
		row_number(rows[i].sentence, s != NULL, rows[i].there);
		stage_unref(s);
		drop_in_remove(dir, rows[i].name, &err);
	}
	write_stage("ext", PAIRS("url", "s3://elsewhere/"), &err);
	catalog_refresh(c);
	{
		struct stage *s = find(c, "ext");

		row_equal("the configuration wins", s->prefix, "data/");
		stage_unref(s);
	}
	log_close();
	catalog_free(c);
	buf_clear(&err);
}

static void test_conn(void **state)
{
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct catalog *c;
	struct conn conn;
	bool drop_in;

	c = open_with_dir();
	write_stage("one", PAIRS("url", "s3://one/", "comment", "hello"), &err);
	catalog_refresh(c);
	row_number("a drop-in's", catalog_conn(c, "one", &conn, &drop_in), 0);
	row_check("is one", drop_in);
	row_equal("has its comment", conn.comment, "hello");
	row_equal("has no keys", conn.credentials, "anonymous");
	row_number("a person waits no longer", conn.deadline, 15);
	option_clear(conn_options, &conn);
	row_number("the configuration's",
		   catalog_conn(c, "ext", &conn, &drop_in), 0);
	row_check("is none", !drop_in);
	option_clear(conn_options, &conn);
	row_number("nobody's", catalog_conn(c, "x", &conn, &drop_in), -ENOENT);
	catalog_free(c);
	buf_clear(&err);
}

/* ---- many who look while stages change ---- */

struct looker {
	struct catalog *c;
	bool stop; /* atomic */
	unsigned odd; /* atomic: answers that cannot be */
};

static void *look(void *arg)
{
	struct looker *l = arg;

	while (!__atomic_load_n(&l->stop, __ATOMIC_ACQUIRE)) {
		struct stage *s = find(l->c, "one"), *ext = find(l->c, "ext");

		if (!ext ||
		    (s && strcmp(s->prefix, "") && strcmp(s->prefix, "sub/")))
			__atomic_add_fetch(&l->odd, 1, __ATOMIC_RELAXED);
		stage_unref(s);
		stage_unref(ext);
		a_second_later(l->c);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct buf err = BUF_INIT(BUF_MESSAGE);
	struct looker l = { .c = open_with_dir() };
	pthread_t threads[4];
	struct stage *s;

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look, &l),
				 0);
	for (int i = 0; i < 30; i++) {
		write_stage("one", PAIRS("url", "s3://one/"), &err);
		write_stage("one", PAIRS("url", "s3://one/sub/"), &err);
		drop_in_remove(dir, "one", &err);
	}
	write_stage("one", PAIRS("url", "s3://one/sub/"), &err);
	__atomic_store_n(&l.stop, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	row_number("nobody saw what never was", l.odd, 0);
	catalog_refresh(l.c);
	s = find(l.c, "one");
	row_check("the last word counts", s && !strcmp(s->prefix, "sub/"));
	stage_unref(s);
	catalog_free(l.c);
	buf_clear(&err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_written, empty_dir),
		cmocka_unit_test_setup(test_modes, empty_dir),
		cmocka_unit_test_setup(test_files, empty_dir),
		cmocka_unit_test_setup(test_no_dir, empty_dir),
		cmocka_unit_test_setup(test_lock, empty_dir),
		cmocka_unit_test_setup(test_reload, empty_dir),
		cmocka_unit_test_setup(test_left_out, empty_dir),
		cmocka_unit_test_setup(test_conn, empty_dir),
		cmocka_unit_test_setup(test_threads, empty_dir),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
