/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws_home.h"
#include "base/buf.h"
#include "base/clock.h"
#include "cred_rig.h"

#define TEXTS 16
#define TEXT_MAX 4096

struct standin cred_server;
struct http_engine *cred_engine;

int cred_rig_start(void **state)
{
	static const char *const args[] = { "--auth",   "--access-key",
					    "AKBASE",   "--secret",
					    "secret/+", NULL };

	aws_home_init();
	standin_start(&cred_server, args);
	cred_engine = http_engine_new();
	assert_non_null(cred_engine);
	return 0;
}

static void sso_file(const char *name, const char *content)
{
	static char last[512];
	const char *home = getenv("HOME");
	FILE *f;

	if (*last) {
		unlink(last);
		*last = '\0';
	}
	snprintf(last, sizeof(last), "%s/.aws/sso", home);
	mkdir(last, 0700);
	snprintf(last, sizeof(last), "%s/.aws/sso/cache", home);
	mkdir(last, 0700);
	if (!name) {
		rmdir(last);
		snprintf(last, sizeof(last), "%s/.aws/sso", home);
		rmdir(last);
		*last = '\0';
		return;
	}
	snprintf(last, sizeof(last), "%s/.aws/sso/cache/%s.json", home, name);
	f = fopen(last, "w");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

int cred_rig_stop(void **state)
{
	http_engine_free(cred_engine);
	standin_stop(&cred_server);
	sso_file(NULL, NULL);
	aws_home_clear();
	return 0;
}

const char *cred_rig_text(const char *s)
{
	static char texts[TEXTS][TEXT_MAX];
	static unsigned next;
	char *out = texts[next++ % TEXTS];
	const char *at = s ? strstr(s, "PORT") : NULL;

	if (!at)
		return s;
	snprintf(out, TEXT_MAX, "%.*s%u%s", (int)(at - s), s, cred_server.port,
		 at + strlen("PORT"));
	return out;
}

void cred_rig_set(const char *const *env)
{
	static const char *before[6];

	for (int i = 0; i < 6; i++)
		if (before[i])
			unsetenv(before[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	for (int i = 0; i < 6; i++) {
		before[i] = env[2 * i];
		if (before[i])
			setenv(before[i], cred_rig_text(env[2 * i + 1]), 1);
	}
}

struct cred_cache *cred_rig_open(const struct cred_row *row)
{
	struct cred_settings settings = row->settings;
	struct cred_cache *c;

	settings.engine = cred_engine;
	standin_reset(&cred_server);
	cred_rig_set(row->env);
	aws_home_write("credentials", cred_rig_text(row->credentials));
	aws_home_write("config", cred_rig_text(row->config));
	sso_file(row->sso_name, row->sso);
	if (row->auth)
		free(standin_post(&cred_server, "/_auth", row->auth));
	if (row->action)
		standin_fault(&cred_server, row->match ? row->match : "",
			      row->action);
	c = cred_cache_new(&settings);
	row_check(row->sentence, c != NULL);
	return c;
}

static void check_message(const struct cred_row *row, const char *why)
{
	static const char *const secrets[] = { RIG_SECRETS };

	for (size_t i = 0; i < COUNT(secrets); i++)
		if (strstr(why, secrets[i]))
			fail_msg("%s: a secret in: %s", row->sentence, why);
	if (row->why && !strstr(why, cred_rig_text(row->why)))
		fail_msg("%s: got \"%s\", wanted \"%s\"", row->sentence, why,
			 row->why);
}

static void check_creds(const struct cred_row *row, const struct creds *c)
{
	if (strncmp(c->access_key_id, row->id, strlen(row->id)))
		fail_msg("%s: got %s, wanted %s", row->sentence,
			 c->access_key_id, row->id);
	if (row->source && !strstr(c->source, row->source))
		fail_msg("%s: source \"%s\", wanted \"%s\"", row->sentence,
			 c->source, row->source);
	if (!strncmp(c->access_key_id, "ASIA", 4)) {
		row_check(row->sentence,
			  c->session_token && c->expires_at > clock_now_s());
		row_check(row->sentence,
			  !strcmp(c->session_token + strlen("token=="),
				  c->access_key_id));
		row_check(row->sentence,
			  !strcmp(c->secret_access_key + strlen("secret/+"),
				  c->access_key_id));
	}
	check_message(&(struct cred_row){ .sentence = row->sentence },
		      c->source);
}

static void run_row(const struct cred_row *row)
{
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct cred_cache *cache = cred_rig_open(row);
	int64_t began_ms = clock_mono_ms(), took_ms;
	struct creds *c;
	int rc = cred_cache_get(cache, &c, &why);

	took_ms = clock_mono_ms() - began_ms;
	if (rc != row->rc)
		fail_msg("%s: %d (%s), wanted %d", row->sentence, rc,
			 buf_str(&why), row->rc);
	if (rc)
		check_message(row, buf_str(&why));
	else
		check_creds(row, c);
	if (row->requests)
		row_number(row->sentence,
			   standin_stat(&cred_server, "requests"),
			   row->requests - 1);
	if (row->most_ms && took_ms > row->most_ms)
		fail_msg("%s: it took %lld ms", row->sentence,
			 (long long)took_ms);
	creds_unref(c);
	cred_cache_free(cache);
	buf_clear(&why);
}

void cred_rig_run(const struct cred_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_row(&rows[i]);
}
