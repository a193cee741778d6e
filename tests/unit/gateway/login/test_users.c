/* SPDX-License-Identifier: Apache-2.0 */
/* Which user comes in, and to which stages. */
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "gateway/exchange.h"
#include "gateway/service/gateway.h"
#include "gateway/login/users.h"
#include "socket_pair.h"
#include "stage/stage.h"
#include "memstore.h"

/* ---- logins ---- */

enum { HERE, ELSEWHERE };

#define FORWARDED "X-Forwarded-For"
#define OTHERWISE "x-forwarded-host"
#define REAL "X-Real-IP"

static const struct {
	const char *sentence;
	const char *login; /* NULL: no header; else of Basic */
	int from;
	const char *raw; /* in place of login */
	const char *more; /* another header */
	int rc;
	const char *name; /* of the user it is */
	bool by_password;
} rows[] = {
	{ "nothing, from here", NULL, HERE, NULL, NULL, 0, "alice", false },
	{ "nothing, from elsewhere", NULL, ELSEWHERE, NULL, NULL, -EACCES, NULL,
	  false },
	{ "nothing, through a proxy here", NULL, HERE, NULL, FORWARDED, -EACCES,
	  NULL, false },
	{ "root and no password", "root:", HERE, NULL, NULL, 0, "alice",
	  false },
	{ "root and no password, from elsewhere", "root:", ELSEWHERE, NULL,
	  NULL, -EACCES, NULL, false },
	{ "the user's name and no password", "alice:", HERE, NULL, NULL, 0,
	  "alice", false },
	{ "neither name nor password", ":", HERE, NULL, NULL, 0, "alice",
	  false },
	{ "another's name and no password", "bob:", HERE, NULL, NULL, -EACCES,
	  NULL, false },
	{ "nobody's name and no password", "eve:", HERE, NULL, NULL, -EACCES,
	  NULL, false },
	{ "a password", "bob:secret", HERE, NULL, NULL, 0, "bob", true },
	{ "a password, from elsewhere", "bob:secret", ELSEWHERE, NULL, NULL, 0,
	  "bob", true },
	{ "a password, through a proxy", "bob:secret", ELSEWHERE, NULL,
	  FORWARDED, 0, "bob", true },
	{ "root with the user's password", "root:wonder", ELSEWHERE, NULL, NULL,
	  0, "alice", true },
	{ "a colon in a password", "carol:a:b", HERE, NULL, NULL, 0, "carol",
	  true },
	{ "a wrong password", "bob:Secret", HERE, NULL, NULL, -EACCES, NULL,
	  false },
	{ "another's password", "carol:secret", HERE, NULL, NULL, -EACCES, NULL,
	  false },
	{ "nobody's password", "eve:secret", HERE, NULL, NULL, -EACCES, NULL,
	  false },
	{ "no name, and a password", ":secret", HERE, NULL, NULL, -EACCES, NULL,
	  false },
	{ "the scheme in other letters", NULL, HERE,
	  "bASIC Ym9iOnNlY3JldA==", NULL, 0, "bob", true },
	{ "no colon", "bob", HERE, NULL, NULL, -EACCES, NULL, false },
	{ "a token", NULL, HERE, "Bearer x", NULL, -EACCES, NULL, false },
	{ "an empty header", NULL, HERE, "", NULL, -EACCES, NULL, false },
	{ "no base64", NULL, HERE, "Basic ???", NULL, -EACCES, NULL, false },
	{ "nothing behind the scheme", NULL, HERE, "Basic ", NULL, -EACCES,
	  NULL, false },
	{ "a NUL behind a name", NULL, HERE, "Basic cm9vdDoAeA==", NULL,
	  -EACCES, NULL, false },
	{ "two headers", "bob:secret", HERE, NULL, "authorization", -EACCES,
	  NULL, false },
	{ "a proxy that tells another thing", NULL, HERE, NULL, OTHERWISE,
	  -EACCES, NULL, false },
	{ "a proxy that tells the client alone", NULL, HERE, NULL, REAL,
	  -EACCES, NULL, false },
};

static void hash_of(const char *password, char out[KDF_HASH_MAX])
{
	struct buf b = BUF_INIT(KDF_HASH_MAX);

	assert_int_equal(kdf_hash(password, strlen(password), &b), 0);
	snprintf(out, KDF_HASH_MAX, "%s", buf_str(&b));
	buf_clear(&b);
}

static int admit_row(struct users *u, size_t i, const struct pair *p,
		     struct users_actor *who, struct buf *why)
{
	struct buf text = BUF_INIT(BUF_MESSAGE);
	struct field fields[2];
	struct exchange x = { .headers = fields,
			      .peer = p->peer,
			      .local = p->local };
	int rc;

	if (rows[i].from == ELSEWHERE) {
		struct sockaddr_in *in = (struct sockaddr_in *)&x.peer;

		in->sin_addr.s_addr = htonl(0x0a000001);
	}
	if (rows[i].raw) {
		buf_adds(&text, rows[i].raw);
	} else if (rows[i].login) {
		buf_adds(&text, "Basic ");
		base64_encode(rows[i].login, strlen(rows[i].login), &text);
	}
	if (rows[i].raw || rows[i].login)
		fields[x.n_headers++] =
			(struct field){ "Authorization", buf_str(&text) };
	if (rows[i].more)
		fields[x.n_headers++] =
			(struct field){ rows[i].more, "1.2.3.4" };
	rc = users_admit(u, &x, who, why);
	buf_clear(&text);
	return rc;
}

static void logins(void **state)
{
	char wonder[KDF_HASH_MAX], secret[KDF_HASH_MAX], colon[KDF_HASH_MAX];
	const struct gateway_user users[] = {
		{ "alice", wonder, "", "" },
		{ "bob", secret, "", "s1" },
		{ "carol", colon, "", "*" },
	};
	const struct gateway_settings set = { .user = "alice",
					      .users = users,
					      .n_users = 3 };
	struct pair p;

	hash_of("wonder", wonder);
	hash_of("secret", secret);
	hash_of("a:b", colon);
	assert_true(listen_at(&p, AF_INET));
	assert_true(connect_client(&p, AF_INET, false));
	accept_client(&p);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);
		struct users_actor who = { 0 };
		struct users *u = NULL;

		/* Each row anew: none is slowed by the one before. */
		assert_int_equal(users_new(&set, &u), 0);
		row_number(rows[i].sentence, admit_row(u, i, &p, &who, &why),
			   rows[i].rc);
		if (!rows[i].rc) {
			row_equal(rows[i].sentence, who.name, rows[i].name);
			row_number(rows[i].sentence, who.user != NULL,
				   rows[i].by_password);
		} else {
			row_check(rows[i].sentence, why.len);
		}
		buf_clear(&why);
		users_free(u);
	}
	close_pair(&p);
}

static void without_users(void **state)
{
	const struct gateway_settings alone = { .user = "alice" }, none = { 0 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct users_actor who;
	struct users *u = NULL;
	struct pair p;

	assert_true(listen_at(&p, AF_INET));
	assert_true(connect_client(&p, AF_INET, false));
	accept_client(&p);
	assert_int_equal(users_new(&alone, &u), 0);
	row_number("nothing", admit_row(u, 0, &p, &who, &why), 0);
	row_number("a password", admit_row(u, 9, &p, &who, &why), -EACCES);
	users_free(u);
	assert_int_equal(users_new(&none, &u), 0);
	row_number("nobody to act as", admit_row(u, 0, &p, &who, &why),
		   -EACCES);
	users_free(u);
	buf_clear(&why);
	close_pair(&p);
}

/* An explicit [user root] is no other name. */
static void a_user_root(void **state)
{
	char hash[KDF_HASH_MAX];
	const struct gateway_user users[] = { { "root", hash, "", "" } };
	const struct gateway_settings set = { .user = "alice",
					      .users = users,
					      .n_users = 1 };
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct users_actor who = { 0 };
	struct users *u = NULL;
	struct pair p;

	hash_of("wonder", hash);
	assert_true(listen_at(&p, AF_INET));
	assert_true(connect_client(&p, AF_INET, false));
	accept_client(&p);
	assert_int_equal(users_new(&set, &u), 0);
	row_number("root without a password", admit_row(u, 3, &p, &who, &why),
		   -EACCES);
	row_number("root with one", admit_row(u, 12, &p, &who, &why), 0);
	row_equal("is root", who.name, "root");
	users_free(u);
	buf_clear(&why);
	close_pair(&p);
}

/* ---- stages ---- */

static const struct {
	const char *sentence, *list, *stage;
	bool files, upload_api;
	int name_rc, reach_rc;
} stages[] = {
	{ "no password, a folder", NULL, "s1", true, false, 0, 0 },
	{ "no password, elsewhere", NULL, "s1", false, false, 0, -EACCES },
	{ "no password, elsewhere and open", NULL, "s1", false, true, 0,
	  -EACCES },
	{ "listed", "s0, s1", "s1", true, false, 0, 0 },
	{ "listed, elsewhere", "s1", "s1", false, false, 0, -EPERM },
	{ "listed, elsewhere and open", "s1", "s1", false, true, 0, 0 },
	{ "all", "*", "s1", false, true, 0, 0 },
	{ "all among others", "x *", "s1", false, true, 0, 0 },
	{ "not listed", "s2", "s1", true, true, -EPERM, 0 },
	{ "a longer name listed", "s11", "s1", true, true, -EPERM, 0 },
	{ "a shorter name listed", "s", "s1", true, true, -EPERM, 0 },
	{ "none listed", "", "s1", true, true, -EPERM, 0 },
	{ "their own", "", "~", true, false, 0, 0 },
	{ "their own, elsewhere", "", "~", false, false, 0, -EPERM },
	{ "their own, elsewhere and open", "", "~", false, true, 0, 0 },
};

static void what_is_open(void **state)
{
	for (size_t i = 0; i < COUNT(stages); i++) {
		const struct gateway_user user = { "bob", "", "",
						   stages[i].list };
		const struct users_actor who = { "bob", stages[i].list ? &user
								       : NULL };
		struct store *s = memstore_new("mem");
		struct stage *stage = stage_new(stages[i].stage, STAGE_INTERNAL,
						s, "", false, 0);
		struct buf why = BUF_INIT(BUF_MESSAGE);

		s->limits.files = stages[i].files;
		stage->upload_api = stages[i].upload_api;
		row_number(stages[i].sentence,
			   users_may_write(&who, stages[i].stage, &why),
			   stages[i].name_rc);
		row_number(stages[i].sentence,
			   users_may_reach(&who, stage, &why),
			   stages[i].reach_rc);
		row_check(stages[i].sentence,
			  !why.len ==
				  (!stages[i].name_rc && !stages[i].reach_rc));
		buf_clear(&why);
		stage_unref(stage);
		store_unref(s);
	}
}

SUITE(users)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins),
		cmocka_unit_test(without_users),
		cmocka_unit_test(a_user_root),
		cmocka_unit_test(what_is_open),
	};

	digest_init();
	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
