/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main() of the unit tests. A suite's process writes its TAP to a pipe;
 * results are numbered anew, with the suite's name before each sentence. What
 * a suite owes, because it crashed or ended early, is a failure of its own.
 */
#include "suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What has come of one suite. */
struct progress {
	unsigned planned, results, failed;
	bool has_plan;
};

static struct suite *suites;
static unsigned total, failures;

/* In the order of their names. */
void suite_register(struct suite *s)
{
	struct suite **at = &suites;

	while (*at && strcmp((*at)->name, s->name) < 0)
		at = &(*at)->next;
	s->next = *at;
	*at = s;
}

static bool is_chosen(const struct suite *s)
{
	const char *list = getenv("TEST_SUITES");
	size_t n = strlen(s->name);

	if (!list)
		return true;
	for (const char *p = list; (p = strstr(p, s->name)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static void result(struct progress *p, bool ok, const char *suite,
		   const char *sentence)
{
	p->results++;
	p->failed += !ok;
	printf("%sok %u - %s: %s", ok ? "" : "not ", ++total, suite, sentence);
}

/* `ok 3 - sentence` without what stands before the sentence. */
static const char *sentence_of(const char *line)
{
	line += strspn(line, " ");
	line += strspn(line, "0123456789");
	line += strspn(line, " ");
	return *line == '-' ? line + 1 + strspn(line + 1, " ") : line;
}

static void take_line(struct progress *p, const char *suite, const char *line)
{
	if (!strncmp(line, "ok ", 3)) {
		result(p, true, suite, sentence_of(line + 3));
	} else if (!strncmp(line, "not ok ", 7)) {
		result(p, false, suite, sentence_of(line + 7));
	} else if (!strncmp(line, "1..", 3)) {
		p->planned += (unsigned)strtoul(line + 3, NULL, 10);
		p->has_plan = true;
	} else if (strncmp(line, "TAP version", 11)) {
		fputs(line, stdout);
	}
}

static void judge_end(struct progress *p, const char *suite, int status)
{
	char why[64] = "";

	if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "ended by signal %d\n",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) && !p->failed)
		snprintf(why, sizeof(why), "ended with exit status %d\n",
			 WEXITSTATUS(status));
	else if (!p->has_plan || p->planned != p->results)
		snprintf(why, sizeof(why), "%u results where %u were due\n",
			 p->results, p->planned);
	if (*why)
		result(p, false, suite, why);
	failures += p->failed;
}

static void run_suite(const struct suite *s)
{
	struct progress p = { 0 };
	char *line = NULL;
	size_t cap = 0;
	int ends[2], status;
	FILE *in;
	pid_t pid;

	fflush(stdout);
	if (pipe(ends) || (pid = fork()) < 0) {
		perror(s->name);
		exit(99);
	}
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		exit(s->run() ? 1 : 0);
	}
	close(ends[1]);
	in = fdopen(ends[0], "r");
	while (in && getline(&line, &cap, in) > 0)
		take_line(&p, s->name, line);
	free(line);
	if (in)
		fclose(in);
	if (waitpid(pid, &status, 0) != pid)
		status = 1 << 8;
	judge_end(&p, s->name, status);
}

int main(void)
{
	/* What a suite says on stderr goes to the same file, perhaps. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("CMOCKA_MESSAGE_OUTPUT", "TAP", 1); /* what take_line() reads */
	for (const struct suite *s = suites; s; s = s->next)
		if (is_chosen(s))
			run_suite(s);
	if (total)
		printf("1..%u\n", total);
	else
		puts("1..0 # SKIP none of its suites was chosen");
	return failures ? 1 : 0;
}
