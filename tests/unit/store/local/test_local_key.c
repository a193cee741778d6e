/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing key of a local store, which gateway answers its URLs, and that
 * these are what the verifier accepts.
 *
 * Covers: base/query.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "local_rig.h"
#include "sign/sigv4_verify.h"
#include "store/local/local.h"
#include "unit.h"

static struct local_rig rig;

static int start(void **state)
{
	local_rig_open(&rig);
	return 0;
}

static int stop(void **state)
{
	local_rig_close(&rig);
	return 0;
}

/* ---- the key ---- */

static struct local_key key_of(struct store *s)
{
	struct local_key key;

	assert_int_equal(local_key(s, &key), 0);
	return key;
}

static bool same_key(const struct local_key *a, const struct local_key *b)
{
	return !strcmp(a->id, b->id) && !strcmp(a->secret, b->secret);
}

static void made_at_first_need(void **state)
{
	const char *path = local_rig_path(&rig, ".stagefs/keys");
	struct local_key key, again;
	struct store *other;
	struct stat st;

	assert_int_equal(access(path, F_OK), -1);
	key = key_of(rig.s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(strlen(key.id), 20);
	assert_int_equal(strlen(key.secret), 40);
	again = key_of(rig.s);
	assert_true(same_key(&key, &again));
	other = local_rig_again(&rig);
	again = key_of(other);
	assert_true(same_key(&key, &again));
	store_unref(other);
}

static void rotated(void **state)
{
	struct store *other = local_rig_again(&rig);
	struct local_key old = key_of(rig.s), now, seen;
	struct buf why = BUF_INIT(BUF_MESSAGE);

	key_of(other);
	assert_int_equal(local_key_rotate(rig.root, &why), 0);
	now = key_of(rig.s);
	assert_false(same_key(&old, &now));
	assert_string_not_equal(old.id, now.id);
	assert_string_not_equal(old.secret, now.secret);
	/* processes that run follow */
	seen = key_of(other);
	assert_true(same_key(&now, &seen));
	store_unref(other);
	/* and where there is no store none is made */
	assert_int_equal(mkdir(local_rig_path(&rig, "plain"), 0755), 0);
	assert_int_equal(local_key_rotate(local_rig_path(&rig, "plain"), &why),
			 -ENOENT);
	assert_non_null(strstr(buf_str(&why), "there is no local store"));
	assert_int_equal(access(local_rig_path(&rig, "plain/.stagefs"), F_OK),
			 -1);
	buf_clear(&why);
}

static void made_once_by_many(void **state)
{
	enum { N = 8 };
	struct local_key keys[N];
	int pipes[2];

	assert_int_equal(unlink(local_rig_path(&rig, ".stagefs/keys")), 0);
	assert_int_equal(pipe(pipes), 0);
	for (int i = 0; i < N; i++) {
		struct store *s;

		if (fork())
			continue;
		s = local_rig_again(&rig);
		keys[0] = key_of(s);
		_exit(write(pipes[1], keys, sizeof(*keys)) != sizeof(*keys));
	}
	for (int i = 0; i < N; i++) {
		assert_int_equal(read(pipes[0], &keys[i], sizeof(*keys)),
				 sizeof(*keys));
		assert_true(same_key(&keys[0], &keys[i]));
		wait(NULL);
	}
	close(pipes[0]);
	close(pipes[1]);
}

static const struct {
	const char *sentence;
	const char *text;
	mode_t mode;
	int rc;
	const char *id;
} files[] = {
	{ "as Amazon's tools write it",
	  "[default]\naws_access_key_id=ID1\n"
	  "aws_secret_access_key=a/b+c\n",
	  0600, 0, "ID1" },
	{ "with blanks, comments and DOS lines",
	  "# c\r\n[default]\r\naws_access_key_id \t= ID2  \r\n"
	  "aws_secret_access_key =  s\r\n",
	  0400, 0, "ID2" },
	{ "without an end of line",
	  "aws_access_key_id=ID3\naws_secret_access_key=s", 0600, 0, "ID3" },
	{ "open to others", "aws_access_key_id=ID\naws_secret_access_key=s\n",
	  0640, -EACCES, NULL },
	{ "without a secret", "aws_access_key_id=ID\n", 0600, -EINVAL, NULL },
	{ "without an id", "aws_secret_access_key=s\n", 0600, -EINVAL, NULL },
	{ "with an id that is no word",
	  "aws_access_key_id=a/b\naws_secret_access_key=s\n", 0600, -EINVAL,
	  NULL },
	{ "with an id that is too long",
	  "aws_access_key_id=IIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII\n"
	  "aws_secret_access_key=s\n",
	  0600, -EINVAL, NULL },
	{ "empty", "", 0600, -EINVAL, NULL },
};

static void reads_a_file(void **state)
{
	const char *path = local_rig_path(&rig, ".stagefs/keys");

	for (size_t i = 0; i < COUNT(files); i++) {
		struct local_key key;
		int rc;

		unlink(path);
		local_rig_write(&rig, ".stagefs/keys", files[i].text);
		assert_int_equal(chmod(path, files[i].mode), 0);
		rc = local_key(rig.s, &key);
		row_number(files[i].sentence, rc, files[i].rc);
		if (files[i].id)
			row_equal(files[i].sentence, key.id, files[i].id);
	}
	unlink(path);
}

/* ---- the gateway that answers ---- */

static const struct {
	const char *sentence;
	const char *origin;
	int rc;
	const char *address;
} origins[] = {
	{ "a port", "http://127.0.0.1:8001", 0, "http://127.0.0.1:8001" },
	{ "TLS", "https://files.example.com", 0, "https://files.example.com" },
	{ "the scheme's own port is left out", "https://h:443", 0,
	  "https://h" },
	{ "an IPv6 address", "http://[::1]:8000", 0, "http://[::1]:8000" },
	{ "a slash at the end", "http://h:8000/", 0, "http://h:8000" },
	{ "a path", "http://h/x", -EINVAL, NULL },
	{ "another scheme", "ftp://h", -EINVAL, NULL },
	{ "no scheme", "127.0.0.1:8000", -EINVAL, NULL },
	{ "two lines", "http://h\nhttp://i", -EINVAL, NULL },
	{ "nothing", "", -EINVAL, NULL },
};

static void address(void **state)
{
	struct store *other = local_rig_again(&rig);
	struct buf out = BUF_INIT(1024);
	const char *last = "";

	assert_int_equal(local_address(rig.s, &out), 0);
	assert_string_equal(buf_str(&out), "");
	for (size_t i = 0; i < COUNT(origins); i++) {
		row_number(origins[i].sentence,
			   local_address_set(rig.s, origins[i].origin),
			   origins[i].rc);
		last = origins[i].rc ? last : origins[i].address;
		buf_reset(&out);
		row_number(origins[i].sentence, local_address(other, &out), 0);
		row_equal(origins[i].sentence, buf_str(&out), last);
	}
	store_unref(other);
	buf_clear(&out);
}

/* ---- URLs ---- */

/* As a server gets it: the target, and a Host header from the URL. */
static enum sigv4_verdict verify(const struct local_key *key,
				 const char *method, const char *url,
				 const struct field *header)
{
	const char *host = strstr(url, "://") + 3, *path = strchr(host, '/');
	char *name = strndup(host, path - host);
	const struct field headers[] = {
		{ "Host", name },
		{ header ? header->name : "Accept",
		  header ? header->value : "*/*" },
	};
	const struct sigv4_received r = { .method = method,
					  .target = path,
					  .headers = headers,
					  .n_headers = COUNT(headers) };
	const struct sigv4_trust trust = { .access_key_id = key->id,
					   .secret = key->secret,
					   .region = "us-east-1",
					   .service = "s3",
					   .now = clock_now_s() };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	enum sigv4_verdict v = sigv4_verify(&r, &trust, &why);

	buf_clear(&why);
	free(name);
	return v;
}

static const struct {
	const char *sentence;
	enum presign_action action;
	const char *key;
	const char *path; /* of the URL */
} urls[] = {
	{ "a download", PRESIGN_DOWNLOAD, "a.csv", "/storage/a.csv?" },
	{ "an upload", PRESIGN_UPLOAD, "d/e/f", "/storage/d/e/f?" },
	{ "a question", PRESIGN_HEAD, "a.csv", "/storage/a.csv?" },
	{ "an odd name", PRESIGN_DOWNLOAD, "a b+c%&=?#'\xc3\xa9\xff",
	  "/storage/a%20b%2Bc%25%26%3D%3F%23%27%C3%A9%FF?" },
};

static void urls_hold(void **state)
{
	static const struct field type = { "content-type", "text/csv" };
	static const struct field query = { "response-content-disposition",
					    "attachment; filename=\"x\"" };
	const struct field sent = { "Content-Type", "text/csv" };

	for (size_t i = 0; i < COUNT(urls); i++) {
		const char *row = urls[i].sentence;
		struct store_presign req = { .action = urls[i].action,
					     .key = urls[i].key,
					     .expire = 60,
					     .headers = &type,
					     .n_headers = 1,
					     .query = &query,
					     .n_query = 1 };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct local_key key = key_of(rig.s), wrong = key;
		struct store_presigned p;
		char *x;

		row_number(row, store_presign(rig.s, &req, &p, &why), 0);
		row_check(row, strstr(p.url, urls[i].path));
		row_number(row, verify(&key, p.method, p.url, &sent),
			   SIGV4_VALID);
		row_number(row, verify(&key, "DELETE", p.url, &sent),
			   SIGV4_MISMATCH);
		row_number(row,
			   verify(&key, p.method, p.url, NULL) != SIGV4_VALID,
			   1);
		wrong.secret[0] ^= 1;
		row_number(row, verify(&wrong, p.method, p.url, &sent),
			   SIGV4_MISMATCH);
		x = strstr(p.url, "response-content-disposition=") + 30;
		*x = 'A';
		row_number(row, verify(&key, p.method, p.url, &sent),
			   SIGV4_MISMATCH);
		store_presign_clear(&p);
		buf_clear(&why);
	}
}

static const struct {
	const char *sentence;
	enum presign_action action;
	const char *key;
	int rc;
} refused[] = {
	{ "a removal", PRESIGN_DELETE, "a", -ENOTSUP },
	{ "a part", PRESIGN_PART, "a", -ENOTSUP },
	{ "a completion", PRESIGN_COMPLETE, "a", -ENOTSUP },
	{ "an abort", PRESIGN_ABORT, "a", -ENOTSUP },
	{ "a key above the root", PRESIGN_DOWNLOAD, "../a", -EINVAL },
	{ "the key itself", PRESIGN_DOWNLOAD, ".stagefs/keys", -EPERM },
};

static void urls_refused(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct store_presign req = { .action = refused[i].action,
					     .key = refused[i].key,
					     .expire = 60 };
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct store_presigned p;

		row_number(refused[i].sentence,
			   store_presign(rig.s, &req, &p, &why), refused[i].rc);
		row_check(refused[i].sentence, why.len);
		buf_clear(&why);
	}
}

static char *url_for(struct store *s, char **warning)
{
	const struct store_presign req = { .key = "k", .expire = 60 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store_presigned p;
	char *url;

	assert_int_equal(store_presign(s, &req, &p, &why), 0);
	url = strndup(p.url, strcspn(p.url, "?"));
	*warning = p.warning ? strdup(p.warning) : NULL;
	store_presign_clear(&p);
	buf_clear(&why);
	return url;
}

static void assert_url(struct store *s, const char *want, bool warned)
{
	char *warning, *url = url_for(s, &warning);

	assert_string_equal(url, want);
	assert_int_equal(warning != NULL, warned);
	free(url);
	free(warning);
}

static void whom_urls_name(void **state)
{
	struct local_settings set = {
		.name = "x",
		.root = rig.root,
		.url_name = "my stage",
		.public_endpoint_url = "https://files.example.com/",
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct store *s;

	unlink(local_rig_path(&rig, ".stagefs/gateway"));
	assert_url(rig.s, "http://127.0.0.1:8000/storage/k", true);
	assert_int_equal(local_address_set(rig.s, "http://127.0.0.1:8017"), 0);
	assert_url(rig.s, "http://127.0.0.1:8017/storage/k", false);
	assert_int_equal(local_new(&set, &s, &why), 0);
	assert_url(s, "https://files.example.com/my%20stage/k", false);
	store_unref(s);
	set.public_endpoint_url = "https://files.example.com/x/";
	assert_int_equal(local_new(&set, &s, &why), -EINVAL);
	assert_null(s);
	buf_clear(&why);
}

SUITE(local_key)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_at_first_need),
		cmocka_unit_test(rotated),
		cmocka_unit_test(made_once_by_many),
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(address),
		cmocka_unit_test(urls_hold),
		cmocka_unit_test(urls_refused),
		cmocka_unit_test(whom_urls_name),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("local_key", tests, start, stop);
}
