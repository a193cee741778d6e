/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of passwords: others' vectors, ours round and round, and what is
 * refused before it costs anything.
 *
 * Covers: base/random.c
 */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/kdf.h"
#include "base/text.h"

struct match_row {
	const char *says, *hash, *password;
	int wanted;
};

/* passlib's documentation; RFC 7914, section 12; Python's hashlib.scrypt. */
#define PASSLIB \
	"$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$" \
	"nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
#define RFC \
	"$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$" \
	"cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr5" \
	"5h6F3A1lHkDfzwF7RVdYhw"

static const struct match_row matches[] = {
	{ "passlib's example", PASSLIB, "password", 1 },
	{ "passlib's with another password", PASSLIB, "Password", 0 },
	{ "passlib's with more behind it", PASSLIB, "password ", 0 },
	{ "passlib's with nothing", PASSLIB, "", 0 },
	{ "RFC 7914's third", RFC, "pleaseletmein", 1 },
	{ "what is no hash", "pleaseletmein", "pleaseletmein", -EINVAL },
};

static void test_matches(void **state)
{
	for (size_t i = 0; i < COUNT(matches); i++) {
		const struct match_row *r = &matches[i];

		row_number(r->says,
			   kdf_matches(r->hash, r->password,
				       strlen(r->password)),
			   r->wanted);
	}
}

static void test_round(void **state)
{
	struct buf a = BUF_INIT(KDF_HASH_MAX), b = BUF_INIT(KDF_HASH_MAX);
	struct buf why = BUF_INIT(BUF_MESSAGE);
	char big[KDF_PASSWORD_MAX + 1];

	memset(big, 'x', sizeof(big));
	assert_int_equal(kdf_hash("gehei\xc3\x9fm", 9, &a), 0);
	assert_int_equal(kdf_hash("gehei\xc3\x9fm", 9, &b), 0);
	assert_true(text_starts_with(buf_str(&a), "$scrypt$ln=14,r=8,p=5$"));
	assert_string_not_equal(buf_str(&a), buf_str(&b));
	assert_int_equal(kdf_check(buf_str(&a), &why), 0);
	assert_int_equal(kdf_matches(buf_str(&a), "gehei\xc3\x9fm", 9), 1);
	assert_int_equal(kdf_matches(buf_str(&b), "gehei\xc3\x9fm", 9), 1);
	assert_int_equal(kdf_matches(buf_str(&b), "geheissm", 8), 0);
	assert_int_equal(kdf_hash("", 0, &a), -EINVAL);
	assert_int_equal(kdf_hash(big, sizeof(big), &a), -EINVAL);
	buf_reset(&a);
	assert_int_equal(kdf_hash(big, sizeof(big) - 1, &a), 0);
	assert_int_equal(kdf_matches(buf_str(&a), big, sizeof(big) - 1), 1);
	assert_int_equal(kdf_matches(buf_str(&a), big, sizeof(big)), 0);
	buf_clear(&a);
	buf_clear(&b);
	buf_clear(&why);
}

struct bad_row {
	const char *says, *hash;
};

#define TAIL "$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBs"

static const struct bad_row bad[] = {
	{ "nothing", "" },
	{ "another function", "$argon2id$v=19$m=1,t=1,p=1" TAIL },
	{ "a password as it is", "secret" },
	{ "a parameter less", "$scrypt$ln=14,r=8" TAIL },
	{ "a cost of nothing", "$scrypt$ln=0,r=8,p=1" TAIL },
	{ "a sign", "$scrypt$ln=+14,r=8,p=1" TAIL },
	{ "too much memory", "$scrypt$ln=17,r=8,p=1" TAIL },
	{ "too much work", "$scrypt$ln=16,r=8,p=20" TAIL },
	{ "far too much", "$scrypt$ln=63,r=8,p=1" TAIL },
	{ "beyond a number", "$scrypt$ln=99999999999999999999,r=8,p=1" TAIL },
	{ "no hash", "$scrypt$ln=14,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$" },
	{ "a hash too short to be one",
	  "$scrypt$ln=14,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh" },
	{ "a salt too short to be one",
	  "$scrypt$ln=14,r=8,p=1$aM15$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBs" },
	{ "a byte that base64 has not", "$scrypt$ln=14,r=8,p=1$aM1!" TAIL },
	{ "something behind it", "$scrypt$ln=14,r=8,p=1" TAIL "$x" },
};

static void test_bad(void **state)
{
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf why = BUF_INIT(BUF_MESSAGE);

		row_number(bad[i].says, kdf_check(bad[i].hash, &why), -EINVAL);
		row_check(bad[i].says, why.len);
		buf_clear(&why);
	}
}

SUITE(kdf)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_bad),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
