/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as people write them. Every row is also read with its values made too
 * long for inih (an `@` stands for padding), and must mean the same.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ini.h"

static char directory[] = "/tmp/stagefs-test-ini-XXXXXX";
static char path[100];

static int set_up(void **state)
{
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/conf", directory);
	return 0;
}

static int tear_down(void **state)
{
	unlink(path);
	return rmdir(directory);
}

static void write_file(const char *bytes, size_t n, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Every `@` of s as n letters. */
static void pad(struct buf *out, const char *s, size_t len, int n)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '@') {
			buf_addc(out, s[i]);
			continue;
		}
		for (int j = 0; j < n; j++)
			buf_addc(out, 'p');
	}
}

struct notes {
	struct buf text; /* "line [section] name=value|" for every setting */
	const char *refuse; /* the name to refuse */
};

static int note(void *arg, const char *section, const char *name,
		const char *value, const struct ini_place *place,
		struct buf *why)
{
	struct notes *n = arg;

	assert_string_equal(place->file, path);
	assert_true(S_ISREG(place->st->st_mode));
	if (n->refuse && !strcmp(name, n->refuse)) {
		buf_addf(why, "%s is refused", name);
		return -EKEYREJECTED;
	}
	buf_addf(&n->text, "%u [%s] %s%s=%s|", place->line, section, name,
		 place->continued ? "+" : "", value);
	return 0;
}

#define TEXT(s) (s), sizeof(s) - 1

static const struct {
	const char *sentence, *file;
	size_t len;
	const char *wanted;
	int result;
	const char *why; /* behind the path */
} rows[] = {
	{ "nothing", TEXT(""), "", 0, "" },
	{ "one setting", TEXT("a = b@\n"), "1 [] a=b@|", 0, "" },
	{ "no line end", TEXT("a = b@"), "1 [] a=b@|", 0, "" },
	{ "no spaces", TEXT("a=b@"), "1 [] a=b@|", 0, "" },
	{ "many spaces", TEXT("  a \t=\t b@ c \t\n"), "1 [] a=b@ c|", 0, "" },
	{ "a colon", TEXT("a: b@\n"), "1 [] a=b@|", 0, "" },
	{ "an equals sign in the value", TEXT("a = b@=c:d\n"), "1 [] a=b@=c:d|",
	  0, "" },
	{ "no value", TEXT("a =\n"), "1 [] a=|", 0, "" },
	{ "sections", TEXT("[s]\na=1@\n[t]\na=2@\n"), "2 [s] a=1@|4 [t] a=2@|",
	  0, "" },
	{ "a section of 50 bytes and more",
	  TEXT("[stage x@]\na=1\n[t]\nb=2@\n"), "2 [stage x@] a=1|4 [t] b=2@|",
	  0, "" },
	{ "a comment behind a section", TEXT("[s@] ; c@\na=1\n[t] # d\nb=2\n"),
	  "2 [s@] a=1|4 [t] b=2|", 0, "" },
	{ "a key of 50 bytes and more", TEXT("k@ = v@\n"), "1 [] k@=v@|", 0,
	  "" },
	{ "comments and blank lines", TEXT("; c@\n\n#d = e@\n  ; f@\na=1@\n"),
	  "5 [] a=1@|", 0, "" },
	{ "a comment behind a value", TEXT("a = b@ ; c@\n"), "1 [] a=b@|", 0,
	  "" },
	{ "a comment for a value", TEXT("a = ;@\n"), "1 [] a=|", 0, "" },
	{ "a semicolon in a value", TEXT("a =;b@;c #d\n"), "1 [] a=;b@;c #d|",
	  0, "" },
	{ "quotes stay", TEXT("a = \"b@\"\n"), "1 [] a=\"b@\"|", 0, "" },
	{ "a byte order mark", TEXT("\xef\xbb\xbf[s@]\na=b@\n"), "2 [s@] a=b@|",
	  0, "" },
	{ "a byte order mark before a setting",
	  TEXT("\xef\xbb\xbf"
	       "a=b@\n"),
	  "1 [] a=b@|", 0, "" },
	{ "line ends of DOS", TEXT("[s]\r\n\r\na=b@\r\nc=d@\r\n"),
	  "3 [s] a=b@|4 [s] c=d@|", 0, "" },
	{ "not ASCII", TEXT("a = \xc3\xa4@\xff\n"), "1 [] a=\xc3\xa4@\xff|", 0,
	  "" },
	{ "AWS' nested settings",
	  TEXT("[profile p@]\ns3 =\n  addressing_style = path@\n\n"
	       "  max = 2 ; no comment\nregion = r\n"),
	  "2 [profile p@] s3=|3 [profile p@] s3+=addressing_style = path@|"
	  "5 [profile p@] s3+=max = 2 ; no comment|6 [profile p@] region=r|",
	  0, "" },
	{ "a nested setting below a long key", TEXT("k@ =\n\t[v@]\n"),
	  "1 [] k@=|2 [] k@+=[v@]|", 0, "" },
	{ "an indented setting below a section", TEXT("[s]\n  a = b@\n"),
	  "2 [s] a=b@|", 0, "" },
	{ "a key alone", TEXT("[s]\na=1\nb@\nc=2\n"), "2 [s] a=1|", -EINVAL,
	  ":3: neither `key = value` nor `[section]`" },
	{ "a key cut off at the end", TEXT("a=1@\naws_secr"), "1 [] a=1@|",
	  -EINVAL, ":2: neither `key = value` nor `[section]`" },
	{ "the equals sign in a comment", TEXT("a@ ;=b\n"), "", -EINVAL,
	  ":1: neither `key = value` nor `[section]`" },
	{ "no key", TEXT(" = b@\n"), "", -EINVAL, ":1: no key before the `=`" },
	{ "a section cut off", TEXT("[s@\na=1\n"), "", -EINVAL,
	  ":1: a section without its `]`" },
	{ "a section that ends in a comment", TEXT("[s@ ;]\na=1\n"), "",
	  -EINVAL, ":1: a section without its `]`" },
	{ "a section without a name", TEXT("[]\n"), "", -EINVAL,
	  ":1: a section without a name" },
	{ "a section of white space", TEXT("[ ]\n"), "", -EINVAL,
	  ":1: a section without a name" },
	{ "text behind a section", TEXT("[s@] a=1\n"), "", -EINVAL,
	  ":1: only a comment may follow a section's `]`" },
	{ "a NUL byte", TEXT("a=1\nb=\0@\nc=2\n"), "1 [] a=1|", -EINVAL,
	  ":2: a NUL byte" },
	{ "a control byte", TEXT("a=1@\x01\n"), "", -EINVAL,
	  ":1: a control byte" },
	{ "a carriage return in a line", TEXT("a=1@\rb=2\n"), "", -EINVAL,
	  ":1: a control byte" },
	{ "a setting that is refused", TEXT("a=1@\nbad = x@\nc=2\n"),
	  "1 [] a=1@|", -EKEYREJECTED, ":2: bad is refused" },
};

static void check_row(size_t i, int padding)
{
	struct notes n = { .text = BUF_INIT(100000), .refuse = "bad" };
	struct buf file = BUF_INIT(100000), wanted = BUF_INIT(100000);
	struct buf why = BUF_INIT(BUF_MESSAGE), message = BUF_INIT(BUF_MESSAGE);

	pad(&file, rows[i].file, rows[i].len, padding);
	pad(&wanted, rows[i].wanted, strlen(rows[i].wanted), padding);
	if (*rows[i].why)
		buf_addf(&message, "%s%s", path, rows[i].why);
	write_file(buf_str(&file), file.len, 0600);
	row_number(rows[i].sentence, ini_read(path, note, &n, &why),
		   rows[i].result);
	row_equal(rows[i].sentence, buf_str(&n.text), buf_str(&wanted));
	row_equal(rows[i].sentence, buf_str(&why), buf_str(&message));
	buf_clear(&file);
	buf_clear(&wanted);
	buf_clear(&why);
	buf_clear(&message);
	buf_clear(&n.text);
}

static void test_files(void **state)
{
	static const int paddings[] = { 0,   1,   40,  47,   48,  49,  50,
					150, 170, 180, 190,  195, 196, 197,
					198, 199, 200, 1000, 5000 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t j = 0; j < COUNT(paddings); j++)
			check_row(i, paddings[j]);
	}
}

/* A first line "a=vvv..." of n bytes, and a second. */
static int read_long_line(size_t n, struct notes *notes, struct buf *why)
{
	struct buf file = BUF_INIT(100000);
	int result;

	buf_adds(&file, "a=");
	while (file.len < n)
		buf_addc(&file, 'v');
	buf_adds(&file, "\nb=2\n");
	write_file(buf_str(&file), file.len, 0600);
	result = ini_read(path, note, notes, why);
	buf_clear(&file);
	return result;
}

static void test_the_longest_line(void **state)
{
	struct notes n = { .text = BUF_INIT(100000) };
	struct buf why = BUF_INIT(BUF_MESSAGE), message = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(read_long_line(16384, &n, &why), 0);
	assert_int_equal(n.text.len,
			 strlen("1 [] a=|") + 16382 + strlen("2 [] b=2|"));
	buf_reset(&n.text);
	assert_int_equal(read_long_line(16385, &n, &why), -EMSGSIZE);
	assert_int_equal(n.text.len, 0);
	buf_addf(&message, "%s:1: a line of more than 16384 bytes", path);
	assert_string_equal(buf_str(&why), buf_str(&message));
	buf_clear(&n.text);
	buf_clear(&why);
	buf_clear(&message);
}

static void test_files_that_cannot_be_read(void **state)
{
	struct notes n = { .text = BUF_INIT(10) };
	struct buf why = BUF_INIT(BUF_MESSAGE), big = BUF_INIT(2 << 20);

	assert_int_equal(ini_read("/nonexistent/a\nb", note, &n, &why),
			 -ENOENT);
	assert_string_equal(buf_str(&why), "/nonexistent/a\\nb: "
					   "No such file or directory");
	buf_reset(&why);
	assert_int_equal(ini_read("/", note, &n, &why), -EISDIR);
	assert_string_equal(buf_str(&why), "/: Is a directory");
	buf_reset(&why);
	while (big.len <= 1 << 20)
		buf_adds(&big, "; a comment\n");
	write_file(buf_str(&big), big.len, 0600);
	assert_int_equal(ini_read(path, note, &n, &why), -EFBIG);
	assert_non_null(strstr(buf_str(&why), ": File too large"));
	buf_clear(&why);
	buf_clear(&big);
}

static const struct {
	const char *sentence, *value, *wanted;
	int result;
	const char *why;
} values[] = {
	{ "no reference", "a $b {c} }", "a $b {c} }", 0, "" },
	{ "a variable", "x${env:STAGEFS_T}y", "xvalue ${env:STAGEFS_T}y", 0,
	  "" },
	{ "two of them", "${env:STAGEFS_U}${env:STAGEFS_U}", "uu", 0, "" },
	{ "an empty variable", "a${env:STAGEFS_EMPTY}b", "ab", 0, "" },
	{ "a literal one", "a$${env:STAGEFS_U}b", "a${env:STAGEFS_U}b", 0, "" },
	{ "a variable that is not set", "${env:STAGEFS_UNSET}", NULL, -ENOENT,
	  "${env:STAGEFS_UNSET}: it is not set" },
	{ "an unknown kind, which may be a secret", "pass${w0rd}", NULL,
	  -EINVAL,
	  "a `${` that is neither ${env:NAME} nor ${file:PATH} (`$${` is a "
	  "literal one)" },
	{ "no end", "a${env:X", NULL, -EINVAL,
	  "a `${` without its `}` (`$${` is a literal one)" },
	{ "a path that depends on the directory", "${file:a}", NULL, -EINVAL,
	  "${file:a}: a file's path must begin with `/`" },
	{ "a file that is not there", "${file:/nonexistent/f}", NULL, -ENOENT,
	  "${file:/nonexistent/f}: No such file or directory" },
	{ "no file", "${file:/dev/null}", NULL, -EINVAL,
	  "${file:/dev/null}: it is not a regular file" },
};

static void test_expand(void **state)
{
	setenv("STAGEFS_T", "value ${env:STAGEFS_T}", 1);
	setenv("STAGEFS_U", "u", 1);
	setenv("STAGEFS_EMPTY", "", 1);
	unsetenv("STAGEFS_UNSET");
	for (size_t i = 0; i < COUNT(values); i++) {
		struct buf out = BUF_INIT(100), why = BUF_INIT(BUF_MESSAGE);

		row_number(values[i].sentence,
			   ini_expand(values[i].value, &out, &why),
			   values[i].result);
		if (values[i].wanted)
			row_equal(values[i].sentence, buf_str(&out),
				  values[i].wanted);
		row_equal(values[i].sentence, buf_str(&why), values[i].why);
		buf_clear(&out);
		buf_clear(&why);
	}
	assert_true(ini_has_reference("a${"));
	assert_false(ini_has_reference("a$b"));
}

static void test_expand_too_long(void **state)
{
	struct buf out = BUF_INIT(10), why = BUF_INIT(BUF_MESSAGE);

	assert_int_equal(ini_expand("${env:STAGEFS_T}", &out, &why), -EMSGSIZE);
	assert_string_equal(buf_str(&why),
			    "too long with its references replaced");
	buf_clear(&out);
	buf_clear(&why);
}

static const struct {
	const char *sentence, *bytes;
	size_t len;
	int padding;
	mode_t mode;
	const char *wanted; /* NULL: refused */
	const char *why;
} secrets[] = {
	{ "a secret with a line end", TEXT("hush\n"), 0, 0600, "hush", "" },
	{ "only one is taken off", TEXT("hush\n\n"), 0, 0400, "hush\n", "" },
	{ "one of DOS", TEXT("hush\r\n"), 0, 0600, "hush", "" },
	{ "none", TEXT("hush"), 0, 0600, "hush", "" },
	{ "an empty file", TEXT(""), 0, 0600, "", "" },
	{ "the longest", TEXT("@\n"), 16384, 0600, "@", "" },
	{ "too long", TEXT("@"), 16385, 0600, NULL,
	  "it has more than 16384 bytes" },
	{ "much too long", TEXT("@"), 40000, 0600, NULL,
	  "it has more than 16384 bytes" },
	{ "a NUL byte", TEXT("a\0b"), 0, 0600, NULL,
	  "it has a NUL byte in it" },
	{ "open to others", TEXT("hush"), 0, 0604, NULL,
	  "it holds a secret but is open to others (mode 0604): chmod 600" },
	{ "others may write", TEXT("hush"), 0, 0602, NULL,
	  "it holds a secret but is open to others (mode 0602): chmod 600" },
};

static void test_secret_files(void **state)
{
	char reference[200];

	snprintf(reference, sizeof(reference), "${file:%s}", path);
	for (size_t i = 0; i < COUNT(secrets); i++) {
		struct buf file = BUF_INIT(100000), wanted = BUF_INIT(100000);
		struct buf out = BUF_INIT(100000), why = BUF_INIT(BUF_MESSAGE);
		int result;

		pad(&file, secrets[i].bytes, secrets[i].len,
		    secrets[i].padding);
		write_file(buf_str(&file), file.len, secrets[i].mode);
		result = ini_expand(reference, &out, &why);
		row_check(secrets[i].sentence,
			  (result == 0) == (secrets[i].wanted != NULL));
		if (secrets[i].wanted) {
			pad(&wanted, secrets[i].wanted,
			    strlen(secrets[i].wanted), secrets[i].padding);
			row_equal(secrets[i].sentence, buf_str(&out),
				  buf_str(&wanted));
		} else {
			buf_addf(&wanted, "%s: %s", reference, secrets[i].why);
			row_equal(secrets[i].sentence, buf_str(&why),
				  buf_str(&wanted));
		}
		buf_clear(&file);
		buf_clear(&wanted);
		buf_clear(&out);
		buf_clear(&why);
	}
}

static const struct {
	const char *sentence;
	int owner; /* 0: root, 1: the caller, 2: another user */
	mode_t mode;
	int result;
} owners[] = {
	{ "root's, closed", 0, 0600, 0 },
	{ "root's, for a group to read", 0, 0640, 0 },
	{ "root's, for a group to write", 0, 0660, -EPERM },
	{ "root's, for all to read", 0, 0644, -EPERM },
	{ "ours, closed", 1, 0600, 0 },
	{ "somebody else's, closed", 2, 0600, -EPERM },
	{ "somebody else's, open", 2, 0644, -EPERM },
};

static void test_private(void **state)
{
	const uid_t uids[] = { 0, geteuid(), geteuid() + 1 };

	for (size_t i = 0; i < COUNT(owners); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct stat st = { .st_uid = uids[owners[i].owner],
				   .st_mode = S_IFREG | owners[i].mode };

		row_number(owners[i].sentence, ini_file_private(&st, &why),
			   owners[i].result);
		row_check(owners[i].sentence,
			  (why.len != 0) == (owners[i].result != 0));
		buf_clear(&why);
	}
}

SUITE(ini)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_the_longest_line),
		cmocka_unit_test(test_files_that_cannot_be_read),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_expand_too_long),
		cmocka_unit_test(test_secret_files),
		cmocka_unit_test(test_private),
	};

	return cmocka_run_group_tests_name("ini", tests, set_up, tear_down);
}
