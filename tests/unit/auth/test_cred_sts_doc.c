/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STS without a network: where it is, and what it answers.
 *
 * Covers: base/xml.c
 */
#include "unit.h"

#include <errno.h>

#include "auth/cred_sts.h"
#include "base/buf.h"
#include "cred_rig.h"

static const struct {
	const char *region, *given, *from_env, *url, *signing;
} servers[] = {
	{ "eu-west-1", NULL, NULL, "https://sts.eu-west-1.amazonaws.com/",
	  "eu-west-1" },
	{ "cn-north-1", NULL, NULL, "https://sts.cn-north-1.amazonaws.com.cn/",
	  "cn-north-1" },
	{ NULL, NULL, NULL, "https://sts.amazonaws.com/", "us-east-1" },
	{ "auto", NULL, NULL, "https://sts.amazonaws.com/", "us-east-1" },
	{ "x/../y-1", NULL, NULL, "https://sts.amazonaws.com/", "us-east-1" },
	{ NULL, NULL, "eu-west-3", "https://sts.eu-west-3.amazonaws.com/",
	  "eu-west-3" },
	{ "eu-west-1", NULL, "eu-west-3",
	  "https://sts.eu-west-1.amazonaws.com/", "eu-west-1" },
	{ "eu-west-1", "http://h:9000", NULL, "http://h:9000/", "eu-west-1" },
	{ NULL, "h:9000/sts", NULL, "https://h:9000/sts", "us-east-1" },
};

static void server_rows(void **state)
{
	for (size_t i = 0; i < COUNT(servers); i++) {
		const char *env[12] = { 0 };
		struct buf url = BUF_INIT(BUF_URL), region = BUF_INIT(64);
		struct buf why = BUF_INIT(BUF_MESSAGE);
		unsigned n = 0;

		if (servers[i].given) {
			env[n++] = "AWS_ENDPOINT_URL_STS";
			env[n++] = servers[i].given;
		}
		if (servers[i].from_env) {
			env[n++] = "AWS_REGION";
			env[n++] = servers[i].from_env;
		}
		cred_rig_set(env);
		assert_int_equal(cred_sts_server(servers[i].region, &url,
						 &region, &why),
				 0);
		row_equal(servers[i].url, buf_str(&url), servers[i].url);
		row_equal(servers[i].url, buf_str(&region), servers[i].signing);
		buf_clear(&url);
		buf_clear(&region);
		buf_clear(&why);
	}
}

static const struct {
	const char *sentence, *text;
	int rc;
	const char *id, *code;
} docs[] = {
	{ "only what stands in Credentials counts",
	  "<R><AccessKeyId>x</AccessKeyId><Credentials><AccessKeyId>A"
	  "</AccessKeyId></Credentials></R>",
	  0, "A", NULL },
	{ "prefixes do not matter",
	  "<a:R xmlns:a='u'><a:Credentials><a:AccessKeyId>A</a:AccessKeyId>"
	  "</a:Credentials></a:R>",
	  0, "A", NULL },
	{ "an error", "<E><Error><Code>C</Code></Error></E>", 0, NULL, "C" },
	{ "entities of its own",
	  "<!DOCTYPE r [<!ENTITY e 'x'>]><Credentials><AccessKeyId>&e;"
	  "</AccessKeyId></Credentials>",
	  -EBADMSG, NULL, NULL },
	{ "the same key twice",
	  "<Credentials><AccessKeyId>A</AccessKeyId><AccessKeyId>B"
	  "</AccessKeyId></Credentials>",
	  -EBADMSG, "A", NULL },
	{ "too deep", "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
	  -EBADMSG, NULL, NULL },
	{ "not closed", "<Credentials>", -EBADMSG, NULL, NULL },
	{ "nothing", "", -EBADMSG, NULL, NULL },
};

static void doc_rows(void **state)
{
	for (size_t i = 0; i < COUNT(docs); i++) {
		struct cred_sts_doc doc;
		const char *id = docs[i].id, *code = docs[i].code;

		row_number(docs[i].sentence,
			   cred_sts_doc_parse(docs[i].text,
					      strlen(docs[i].text), &doc),
			   docs[i].rc);
		row_equal(docs[i].sentence,
			  doc.fields.id ? doc.fields.id : "none",
			  id ? id : "none");
		row_equal(docs[i].sentence, doc.code ? doc.code : "none",
			  code ? code : "none");
		cred_sts_doc_clear(&doc);
	}
}

SUITE(cred_sts_doc)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_rows),
		cmocka_unit_test(doc_rows),
	};

	return cmocka_run_group_tests_name("cred_sts_doc", tests,
					   cred_rig_start, cred_rig_stop);
}
