/* SPDX-License-Identifier: Apache-2.0 */
/* Published vectors: FIPS 180, RFC 1321, 3720, 4231 and 4648. */
#include "unit.h"

#include <errno.h>

#include "base/buf.h"
#include "base/digest.h"

static const struct {
	const char *sentence, *bytes, *sha256, *md5;
} digests[] = {
	{ "nothing", "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	  "d41d8cd98f00b204e9800998ecf8427e" },
	{ "three bytes", "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "900150983cd24fb0d6963f7d28e17f72" },
	{ "two blocks",
	  "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	  "8215ef0796a20bcaaae116d3876c664a" },
};

static void by_pieces(enum digest_kind kind, const char *bytes, char *hex)
{
	struct digest *d = digest_new(kind);
	unsigned char out[SHA256_SIZE];

	assert_non_null(d);
	for (; *bytes; bytes++)
		digest_add(d, bytes, 1);
	hex_encode(out, digest_end(d, out), hex);
}

static void test_digests(void **state)
{
	for (size_t i = 0; i < COUNT(digests); i++) {
		const char *name = digests[i].sentence;
		const char *bytes = digests[i].bytes;
		unsigned char out[MD5_SIZE];
		char hex[SHA256_HEX_SIZE];

		sha256_hex(bytes, strlen(bytes), hex);
		row_equal(name, hex, digests[i].sha256);
		by_pieces(DIGEST_SHA256, bytes, hex);
		row_equal(name, hex, digests[i].sha256);
		md5(bytes, strlen(bytes), out);
		hex_encode(out, sizeof(out), hex);
		row_equal(name, hex, digests[i].md5);
		by_pieces(DIGEST_MD5, bytes, hex);
		row_equal(name, hex, digests[i].md5);
	}
}

static const struct {
	const char *sentence, *key;
	size_t key_len;
	const char *bytes, *wanted;
} hmacs[] = {
	{ "RFC 4231, case 1",
	  "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
	  "\x0b\x0b\x0b\x0b",
	  20, "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "RFC 4231, case 2", "Jefe", 4, "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "no key, no bytes", NULL, 0, "",
	  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	{ "no key after one that had one", "", 0, "",
	  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
};

static void test_hmac(void **state)
{
	for (size_t i = 0; i < COUNT(hmacs); i++) {
		unsigned char out[SHA256_SIZE];
		char hex[SHA256_HEX_SIZE];

		hmac_sha256(hmacs[i].key, hmacs[i].key_len, hmacs[i].bytes,
			    strlen(hmacs[i].bytes), out);
		hex_encode(out, sizeof(out), hex);
		row_equal(hmacs[i].sentence, hex, hmacs[i].wanted);
	}
}

static void test_hmac_long_key(void **state)
{
	static const char text[] =
		"Test Using Larger Than Block-Size Key - Hash Key First";
	unsigned char key[131], out[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];

	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key), text, strlen(text), out);
	hex_encode(out, sizeof(out), hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f"
				 "8e0bc6213728c5140546040f0ee37f54");
}

static void test_crc32c(void **state)
{
	unsigned char bytes[32];

	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0xe3069283, "", 0), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
}

static const struct {
	const char *sentence, *plain, *encoded;
} base64[] = {
	{ "nothing", "", "" },
	{ "one byte", "f", "Zg==" },
	{ "two bytes", "fo", "Zm8=" },
	{ "three bytes", "foo", "Zm9v" },
	{ "four bytes", "foob", "Zm9vYg==" },
	{ "five bytes", "fooba", "Zm9vYmE=" },
	{ "six bytes", "foobar", "Zm9vYmFy" },
	{ "the last two digits", "\xff\xef\xbe", "/+++" },
};

static void test_base64(void **state)
{
	for (size_t i = 0; i < COUNT(base64); i++) {
		struct buf b = BUF_INIT(100);

		base64_encode(base64[i].plain, strlen(base64[i].plain), &b);
		row_equal(base64[i].sentence, buf_str(&b), base64[i].encoded);
		buf_reset(&b);
		row_number(base64[i].sentence,
			   base64_decode(base64[i].encoded,
					 strlen(base64[i].encoded), &b),
			   0);
		row_equal(base64[i].sentence, buf_str(&b), base64[i].plain);
		buf_clear(&b);
	}
}

static const struct {
	const char *sentence, *encoded;
} no_base64[] = {
	{ "no padding", "Zg" },
	{ "one digit", "Z===" },
	{ "padding alone", "====" },
	{ "padding in the middle", "Zg==Zm9v" },
	{ "a digit behind padding", "Zg=a" },
	{ "white space", "Zm9v\n" },
	{ "the URL alphabet", "_-__" },
	{ "bits that no byte has", "Zh==" },
	{ "bits that no byte has, of two", "Zm9=" },
};

static void test_no_base64(void **state)
{
	for (size_t i = 0; i < COUNT(no_base64); i++) {
		struct buf b = BUF_INIT(100);

		buf_adds(&b, "before");
		row_number(no_base64[i].sentence,
			   base64_decode(no_base64[i].encoded,
					 strlen(no_base64[i].encoded), &b),
			   -EINVAL);
		row_equal(no_base64[i].sentence, buf_str(&b), "before");
		buf_clear(&b);
	}
}

static void test_hex(void **state)
{
	static const struct {
		const char *sentence, *digits;
		size_t n;
		bool good;
	} rows[] = {
		{ "nothing", "", 0, true },
		{ "both cases", "00fFAa", 3, true },
		{ "more than is asked for", "00ffaa00", 3, true },
		{ "no digit first", "00gfaa", 3, false },
		{ "no digit second", "00f:aa", 3, false },
		{ "an end too early", "00f", 3, false },
		{ "an end at a byte", "00ff", 3, false },
	};
	static const unsigned char wanted[3] = { 0, 255, 0xaa };
	unsigned char out[3];

	for (size_t i = 0; i < COUNT(rows); i++) {
		row_number(rows[i].sentence,
			   hex_decode(rows[i].digits, rows[i].n, out),
			   rows[i].good);
		if (rows[i].good)
			assert_memory_equal(out, wanted, rows[i].n);
	}
}

static void test_base64_with_nul_and_limit(void **state)
{
	struct buf b = BUF_INIT(2);

	assert_int_equal(base64_decode("Zm\0v", 4, &b), -EINVAL);
	assert_int_equal(base64_decode("Zm9v", 4, &b), -EMSGSIZE);
	buf_clear(&b);
}

static void test_secrets(void **state)
{
	char secret[] = "secret";

	assert_int_equal(digest_equal("secret", secret, 6), 1);
	assert_int_equal(digest_equal("secreT", secret, 6), 0);
	assert_int_equal(digest_equal("x", "y", 0), 1);
	wipe(secret, sizeof(secret));
	assert_memory_equal(secret, "\0\0\0\0\0\0\0", 7);
}

SUITE(digest)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_hmac_long_key),
		cmocka_unit_test(test_crc32c),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_no_base64),
		cmocka_unit_test(test_base64_with_nul_and_limit),
		cmocka_unit_test(test_secrets),
	};

	if (digest_init())
		return 1;
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
