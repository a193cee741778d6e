/* SPDX-License-Identifier: Apache-2.0 */
/* What a line looks like, and that it stays one line. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"

static const struct {
	const char *sentence;
	enum log_level level;
	const char *text;
	struct log_where where;
	const char *wanted;
} rows[] = {
	{ "a sentence alone",
	  LOG_LEVEL_ERROR,
	  "cannot mount",
	  { NULL },
	  "error: cannot mount" },
	{ "all that is known",
	  LOG_LEVEL_ERROR,
	  "cannot upload",
	  { "s", "a b.csv", "SlowDown", "tx0001", 503, -EIO },
	  "error: cannot upload: stage=s key=\"a b.csv\" code=SlowDown "
	  "status=503 request=tx0001: Input/output error (errno 5)" },
	{ "an errno alone",
	  LOG_LEVEL_WARN,
	  "cannot read",
	  { .rc = ENOENT },
	  "warning: cannot read: No such file or directory (errno 2)" },
	{ "an errno that is none",
	  LOG_LEVEL_WARN,
	  "x",
	  { .rc = 99999 },
	  "warning: x: unknown (errno 99999)" },
	{ "a key of several lines",
	  LOG_LEVEL_INFO,
	  "x",
	  { .key = "a\nb\"c\\\x1b" },
	  "info: x: key=\"a\\nb\\\"c\\\\\\x1b\"" },
	{ "an empty key",
	  LOG_LEVEL_INFO,
	  "x",
	  { .key = "" },
	  "info: x: key=\"\"" },
	{ "a server that forges fields",
	  LOG_LEVEL_INFO,
	  "x",
	  { .code = "a stage=b", .request = "r\r\nstagefs: error: no" },
	  "info: x: code=\"a stage=b\" "
	  "request=\"r\\r\\nstagefs: error: no\"" },
	{ "a sentence of several lines",
	  LOG_LEVEL_DEBUG,
	  "a\nb \"c\" \\ \x9b",
	  { NULL },
	  "debug: a\\nb \"c\" \\ \\x9b" },
};

static char directory[] = "/tmp/stagefs-test-log-XXXXXX";
static char path[100];

static int set_up(void **state)
{
	umask(022);
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/log", directory);
	return 0;
}

static int tear_down(void **state)
{
	log_close();
	unlink(path);
	return rmdir(directory);
}

/* The file's text, which the caller frees; the file is empty afterwards. */
static char *read_log(size_t *len)
{
	int fd = open(path, O_RDWR);
	struct stat st;
	char *text;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(text);
	assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	if (len)
		*len = (size_t)st.st_size;
	return text;
}

/* Takes "2024-01-01T00:00:00.123Z stagefs[1]: " off; NULL if it is no such. */
static const char *after_time(const char *line)
{
	char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ stagefs[";

	for (const char *s = shape; *s; s++, line++) {
		if (*s == 'd' ? *line < '0' || *line > '9' : *s != *line)
			return NULL;
	}
	line += strspn(line, "0123456789");
	return strncmp(line, "]: ", 3) ? NULL : line + 3;
}

static void test_file_lines(void **state)
{
	assert_int_equal(log_open(path, LOG_LEVEL_DEBUG), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text;
		const char *line;

		errno = EXDEV;
		log_at(rows[i].level, &rows[i].where, "%s", rows[i].text);
		row_number(rows[i].sentence, errno, EXDEV);
		text = read_log(NULL);
		row_check(rows[i].sentence,
			  strchr(text, '\n') == text + strlen(text) - 1);
		text[strlen(text) - 1] = '\0';
		line = after_time(text);
		row_check(rows[i].sentence, line != NULL);
		row_equal(rows[i].sentence, line, rows[i].wanted);
		free(text);
	}
}

static void test_file_is_private_and_appended(void **state)
{
	struct stat st;
	char *text;

	assert_int_equal(log_open(path, LOG_LEVEL_ERROR), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	log_error("one");
	assert_int_equal(log_open(path, LOG_LEVEL_ERROR), 0);
	log_error("two");
	log_close();
	text = read_log(NULL);
	assert_non_null(strstr(text, "error: one\n"));
	assert_non_null(strstr(text, "error: two\n"));
	free(text);
}

static void test_levels(void **state)
{
	char *text;

	assert_int_equal(log_open(path, LOG_LEVEL_WARN), 0);
	assert_true(log_wants(LOG_LEVEL_WARN));
	assert_false(log_wants(LOG_LEVEL_INFO));
	log_warn("heard %d", 1);
	log_info("unheard %d", 2);
	log_debug("unheard");
	text = read_log(NULL);
	assert_non_null(strstr(text, "warning: heard 1\n"));
	assert_null(strstr(text, "unheard"));
	free(text);
}

static void test_failed_open_keeps_the_target(void **state)
{
	char *text;

	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	assert_int_equal(log_open("/nonexistent/log", LOG_LEVEL_ERROR),
			 -ENOENT);
	log_info("still here");
	text = read_log(NULL);
	assert_non_null(strstr(text, "info: still here\n"));
	free(text);
}

static void test_long_lines_are_cut_and_say_so(void **state)
{
	static char key[40000], sentence[9000];
	struct log_where where = { .key = key };
	size_t len;
	char *text;

	memset(key, 'k', sizeof(key) - 1);
	memset(sentence, 's', sizeof(sentence) - 1);
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	log_at(LOG_LEVEL_INFO, &where, "long");
	text = read_log(&len);
	assert_int_equal(len, 16384);
	assert_string_equal(text + len - 8, "kkkk...\n");
	free(text);
	log_info("%s", sentence);
	text = read_log(&len);
	assert_true(len < 4200);
	assert_string_equal(text + len - 8, "ssss...\n");
	free(text);
}

static void test_stderr(void **state)
{
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	char *text;

	assert_true(saved >= 0 && fd >= 0);
	log_close();
	dup2(fd, STDERR_FILENO);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	log_error("cannot %s", "start");
	log_close();
	log_info("closed");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	text = read_log(NULL);
	assert_string_equal(text, "stagefs: error: cannot start\n"
				  "stagefs: info: closed\n");
	free(text);
}

static int syslog_priority;
static char syslog_text[100];

/* syslog(3) in place of the library's; what it is given stands above. */
void __wrap_syslog(int priority, const char *fmt, ...);
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...);

void __wrap_syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	assert_string_equal(fmt, "%s");
	syslog_priority = priority;
	snprintf(syslog_text, sizeof(syslog_text), "%s",
		 va_arg(ap, const char *));
	va_end(ap);
}

void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	__wrap_syslog(priority, fmt, va_arg(ap, const char *));
	va_end(ap);
}

/* systemd.exec(5): the journal is known by the device and the inode of stderr,
 * and takes a priority off a line (sd-daemon(3)). */
static void test_journal(void **state)
{
	int saved = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	char stream[64], *text;
	struct stat st;

	assert_true(saved >= 0 && fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	log_warn("elsewhere");
	dup2(fd, STDERR_FILENO);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	log_error("one");
	log_warn("two");
	log_info("three");
	log_close();
	log_error("four");
	assert_string_equal(log_priority(LOG_LEVEL_ERROR), "<3>");
	assert_string_equal(log_priority(LOG_LEVEL_WARN), "<4>");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(log_priority(LOG_LEVEL_ERROR), "");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	text = read_log(NULL);
	assert_string_equal(text, "<3>stagefs: error: one\n"
				  "<4>stagefs: warning: two\n"
				  "<6>stagefs: info: three\n"
				  "stagefs: error: four\n");
	free(text);
}

static void test_formats(void **state)
{
	static char key[40000];
	const struct log_where where = { .key = key, .rc = EIO };
	char *text;

	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	log_set_format(LOG_FORMAT_JSON);
	log_error("a \"word\"");
	text = read_log(NULL);
	assert_non_null(strstr(text, ",\"msg\":\"a \\\"word\\\"\"}\n"));
	assert_int_equal(strncmp(text, "{\"time\":\"2", 10), 0);
	free(text);
	memset(key, 'k', sizeof(key) - 1);
	log_at(LOG_LEVEL_ERROR, &where, "long");
	text = read_log(NULL);
	assert_non_null(strstr(text, ",\"msg\":\"long\"}\n"));
	free(text);
	log_set_format(LOG_FORMAT_TEXT);
	log_error("a sentence again");
	text = read_log(NULL);
	assert_non_null(strstr(text, "]: error: a sentence again\n"));
	free(text);
}

static void test_syslog(void **state)
{
	assert_int_equal(log_open("syslog", LOG_LEVEL_DEBUG), 0);
	log_warn("odd: %s", "100%n");
	assert_int_equal(syslog_priority, LOG_WARNING);
	assert_string_equal(syslog_text, "warning: odd: 100%n");
	log_debug("x");
	assert_int_equal(syslog_priority, LOG_DEBUG);
	log_close();
}

#define THREADS 4
#define LINES 200

static void *writer(void *arg)
{
	for (int i = 0; i < LINES; i++)
		log_info("%s", (const char *)arg);
	return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
	static char words[THREADS][600];
	pthread_t threads[THREADS];
	char *text, *line, *rest;
	int lines = 0;

	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	for (int i = 0; i < THREADS; i++) {
		memset(words[i], 'a' + i, sizeof(words[i]) - 1);
		pthread_create(&threads[i], NULL, writer, words[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_close();
	text = read_log(NULL);
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest), lines++) {
		const char *said = after_time(line);

		assert_non_null(said);
		said += strlen("info: ");
		assert_string_equal(said, words[*said - 'a']);
	}
	assert_int_equal(lines, THREADS * LINES);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_lines),
		cmocka_unit_test(test_file_is_private_and_appended),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_failed_open_keeps_the_target),
		cmocka_unit_test(test_long_lines_are_cut_and_say_so),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests_name("log", tests, set_up, tear_down);
}
