/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `GET /health?nonce=...&store=NAME`; the answer's JSON has a "proof" then.
 */
#include "gateway/proof.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "gateway/listen.h"
#include "gateway/stores.h"
#include "store/local/local.h"

#define PATIENCE_MS 2000
#define ANSWER_BYTES 8192

int proof_make(struct store *s, const char *name, const char *nonce,
	       const struct listen_address *at, char out[SHA256_HEX_SIZE])
{
	BUF_LOCAL text = BUF_INIT(BUF_MESSAGE);
	unsigned char mac[SHA256_SIZE];
	struct local_key key;
	int rc = local_key(s, &key);

	if (rc)
		return rc;
	buf_addf(&text, "stagefs gateway proof\n%s\n%s\n", name, nonce);
	listen_name(at, &text);
	rc = buf_err(&text);
	if (!rc) {
		hmac_sha256(key.secret, strlen(key.secret), buf_str(&text),
			    text.len, mac);
		hex_encode(mac, sizeof(mac), out);
	}
	wipe(&key, sizeof(key));
	return rc;
}

/* ---- asking ---- */

static int proof_converse(const struct listen_address *a, const struct buf *ask,
			  struct buf *answer)
{
	const struct timeval patience = { .tv_usec = 500000 };
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	FD_LOCAL fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -errno : 0;
	ssize_t n = 0;

	if (rc)
		return rc;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&a->sa, a->len) ||
	    send(fd, ask->data, ask->len, MSG_NOSIGNAL) != (ssize_t)ask->len)
		rc = -errno;
	while (!rc && clock_mono_ms() < until && answer->len < ANSWER_BYTES) {
		char some[512];

		n = recv(fd, some, sizeof(some), 0);
		if (n <= 0)
			break;
		buf_add(answer, some, (size_t)n);
	}
	return rc ? rc : buf_err(answer);
}

struct question {
	const struct listen_address *address;
	unsigned asked;
};

static int proof_ask_one(void *arg, const char *name, struct store *s)
{
	static const char mark[] = "\"proof\":\"";
	struct question *q = arg;
	BUF_LOCAL ask = BUF_INIT(BUF_MESSAGE), answer = BUF_INIT(BUF_LINE);
	char nonce[33], want[SHA256_HEX_SIZE];
	const char *at;
	int rc = -EIO;

	random_hex(nonce, sizeof(nonce) / 2);
	q->asked++;
	buf_addf(&ask,
		 "GET /health?nonce=%s&store=%s HTTP/1.1\r\n"
		 "Host: localhost\r\nConnection: close\r\n\r\n",
		 nonce, name);
	if (!proof_make(s, name, nonce, q->address, want) &&
	    !proof_converse(q->address, &ask, &answer)) {
		at = strstr(buf_str(&answer), mark);
		if (at && strlen(at) >= sizeof(mark) - 1 + 64 &&
		    digest_equal(at + sizeof(mark) - 1, want, 64))
			rc = 0;
	}
	wipe(want, sizeof(want));
	return rc;
}

bool proof_ask(struct gateway *g, const struct listen_address *a)
{
	struct question q = { .address = a };

	return !stores_each(g, proof_ask_one, &q) && q.asked;
}
