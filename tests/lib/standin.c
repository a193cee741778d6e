/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "standin.h"

#define ARGS_MAX 32
#define ANSWER_MAX (4 << 20)

extern char **environ;

static void spawn(struct standin *s, int in, int out, const char *const *argv)
{
	posix_spawn_file_actions_t act;

	assert_int_equal(posix_spawn_file_actions_init(&act), 0);
	posix_spawn_file_actions_adddup2(&act, in, 0);
	posix_spawn_file_actions_adddup2(&act, out, 1);
	assert_int_equal(posix_spawn(&s->pid, argv[0], &act, NULL,
				     (char *const *)argv, environ),
			 0);
	posix_spawn_file_actions_destroy(&act);
}

static unsigned read_port(int fd)
{
	char line[32];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(fd, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = '\0';
	return (unsigned)strtoul(line, NULL, 10);
}

void standin_start(struct standin *s, const char *const *args)
{
	const char *top = getenv("top_srcdir");
	char script[4096];
	const char *argv[ARGS_MAX] = { "/usr/bin/env", "python3", script,
				       "--until-eof" };
	int in[2], out[2], n = 4;

	snprintf(script, sizeof(script), "%s/tests/standin/server.py",
		 top ? top : ".");
	for (; args && *args && n < ARGS_MAX - 1; args++)
		argv[n++] = *args;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	spawn(s, in[0], out[1], argv);
	close(in[0]);
	close(out[1]);
	s->life = in[1];
	s->port = read_port(out[0]);
	close(out[0]);
	assert_int_not_equal(s->port, 0);
}

void standin_stop(struct standin *s)
{
	close(s->life);
	waitpid(s->pid, NULL, 0);
}

void standin_certificate(const char *pem)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "umask 077; openssl req -x509 -newkey rsa:2048 -nodes "
		 "-days 2 -subj /CN=standin -addext "
		 "subjectAltName=IP:127.0.0.1 -keyout %s.key -out %s.crt "
		 "2>/dev/null && cat %s.key %s.crt >%s && rm %s.key %s.crt",
		 pem, pem, pem, pem, pem, pem, pem);
	assert_int_equal(system(command), 0);
}

void standin_certificate_dated(const char *pem, const char *from,
			       const char *until)
{
	static const char script[] =
		"umask 077 && d=$1.ca && mkdir $d && cd $d && : >index && "
		"printf '%s\n' '[ca]' default_ca=one '[one]' database=index "
		"serial=serial rand_serial=yes default_md=sha256 policy=any "
		"new_certs_dir=. copy_extensions=copy '[any]' "
		"commonName=supplied >cnf && "
		"openssl req -new -newkey rsa:2048 -nodes -keyout key -out "
		"asked -subj /CN=standin -addext "
		"subjectAltName=IP:127.0.0.1 2>/dev/null && "
		"openssl ca -batch -config cnf -selfsign -keyfile key "
		"-in asked -startdate $2 -enddate $3 -out crt -notext "
		"2>/dev/null && cat key crt >$1 && rm -r $d";
	char command[2048];

	snprintf(command, sizeof(command), "set -- %s %s %s; %s", pem, from,
		 until, script);
	assert_int_equal(system(command), 0);
}

static int dial(unsigned port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static char *ask(const struct standin *s, const char *method, const char *path,
		 const char *body)
{
	char *answer = calloc(1, ANSWER_MAX), *start;
	int fd = dial(s->port);
	size_t n = 0;
	ssize_t got;

	assert_non_null(answer);
	dprintf(fd,
		"%s %s HTTP/1.1\r\nHost: standin\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		method, path, strlen(body), body);
	while ((got = read(fd, answer + n, ANSWER_MAX - 1 - n)) > 0)
		n += got;
	close(fd);
	if (strncmp(answer, "HTTP/1.1 200 ", 13))
		fail_msg("%s %s %s: %s", method, path, body, answer);
	start = strstr(answer, "\r\n\r\n");
	assert_non_null(start);
	memmove(answer, start + 4, strlen(start + 4) + 1);
	return answer;
}

char *standin_post(const struct standin *s, const char *path, const char *body)
{
	return ask(s, "POST", path, body);
}

char *standin_get(const struct standin *s, const char *path)
{
	return ask(s, "GET", path, "");
}

void standin_fault(const struct standin *s, const char *match,
		   const char *action)
{
	char json[4096];

	snprintf(json, sizeof(json), "{\"match\": {%s}, \"action\": {%s}}",
		 match, action);
	free(standin_post(s, "/_fault", json));
}

void standin_reset(const struct standin *s)
{
	free(standin_post(s, "/_reset", ""));
}

void standin_release(const struct standin *s)
{
	free(standin_post(s, "/_release", ""));
}

long standin_stat(const struct standin *s, const char *name)
{
	char *stats = standin_get(s, "/_stats");
	char quoted[64];
	const char *at;
	long value;

	snprintf(quoted, sizeof(quoted), "\"%s\": ", name);
	at = strstr(stats, quoted);
	assert_non_null(at);
	value = strtol(at + strlen(quoted), NULL, 10);
	free(stats);
	return value;
}

unsigned standin_dead_port(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}
