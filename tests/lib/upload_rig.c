/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/kdf.h"
#include "stage/catalog.h"
#include "memstore.h"

static struct upload_rig *opening;

static int open_store(const struct conn *conn, const char *name,
		      struct http_engine *engine, struct store **out,
		      struct buf *why)
{
	const struct local_rig *disk = !strcmp(name, "disk")
					       ? &opening->base.other
					       : &opening->base.disk;
	const struct local_settings set = { .name = name,
					    .root = disk->root,
					    .url_name = name };

	if (!strcmp(name, "storage") || !strcmp(name, "disk"))
		return local_new(&set, out, why);
	*out = memstore_new(name);
	if (!strcmp(name, "mem"))
		opening->mem = *out;
	return *out ? 0 : -ENOMEM;
}

static void open_stages(struct upload_rig *rig)
{
	const struct conn storage = { .url = (char *)"s3://storage/" };
	const struct conn mem = { .url = (char *)"s3://mem/p/",
				  .upload_api = true };
	const struct conn ro = { .url = (char *)"s3://ro/",
				 .upload_api = true,
				 .ro = true };
	const struct conn closed = { .url = (char *)"s3://closed/" };
	const struct conn disk = { .url = (char *)"s3://disk/" };
	const struct catalog_external external[] = { { "mem", &mem },
						     { "ro", &ro },
						     { "closed", &closed },
						     { "disk", &disk } };
	const struct catalog_settings set = {
		.user = "alice",
		.storage = &storage,
		.external = external,
		.n_external = 4,
		.open = open_store,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE);
	struct stage *s;

	opening = rig;
	if (catalog_new(&set, NULL, &rig->base.catalog, &why))
		fail_msg("%s", buf_str(&why));
	buf_clear(&why);
	assert_int_equal(catalog_create(rig->base.catalog, "s1", NULL, &s), 0);
	stage_unref(s);
}

static void hash_of(const char *password, char out[256])
{
	struct buf b = BUF_INIT(KDF_HASH_MAX);

	assert_int_equal(kdf_hash(password, strlen(password), &b), 0);
	snprintf(out, 256, "%s", buf_str(&b));
	buf_clear(&b);
}

void upload_rig_open(struct upload_rig *rig,
		     void (*adjust)(struct gateway_settings *))
{
	struct gateway_settings set = {
		.listen = "127.0.0.1:0",
		.cors_origins = "https://app.example.com",
		.user = "alice",
		.users = rig->users,
		.n_users = 2,
	};
	struct buf why = BUF_INIT(BUF_MESSAGE), origin = BUF_INIT(256);
	struct gateway_rig *b = &rig->base;

	*rig = (struct upload_rig){ 0 };
	digest_init();
	hash_of("secret", rig->hash[0]);
	hash_of("evil", rig->hash[1]);
	rig->users[0] = (struct gateway_user){ "bob", rig->hash[0], "",
					       "s1, mem, ro closed" };
	rig->users[1] = (struct gateway_user){ "eve", rig->hash[1], "*", "" };
	local_rig_open(&b->disk);
	local_rig_open(&b->other);
	open_stages(rig);
	set.budget = b->budget = budget_new(32 << 20);
	if (adjust)
		adjust(&set);
	if (gateway_new(&set, b->catalog, &b->gateway, &why))
		fail_msg("%s", buf_str(&why));
	gateway_origin(b->gateway, &origin);
	b->port = atoi(strrchr(buf_str(&origin), ':') + 1);
	snprintf(b->host, sizeof(b->host), "127.0.0.1:%u", b->port);
	buf_clear(&origin);
	buf_clear(&why);
}

void upload_rig_close(struct upload_rig *rig)
{
	gateway_rig_close(&rig->base);
}

void upload_rig_head(const struct upload_rig *rig, const char *lines,
		     int64_t length, struct buf *out)
{
	buf_addf(out,
		 "PUT /v1/upload_to_stage HTTP/1.1\r\nHost: %s\r\n%s"
		 "Connection: close\r\n",
		 rig->base.host, lines);
	if (length < 0)
		buf_adds(out, "Transfer-Encoding: chunked\r\n\r\n");
	else
		buf_addf(out, "Content-Length: %lld\r\n\r\n",
			 (long long)length);
}

void upload_rig_send(const struct upload_rig *rig, const char *lines,
		     const void *body, size_t n, struct reply *out)
{
	struct buf request = BUF_INIT((size_t)256 << 20);

	upload_rig_head(rig, lines, (int64_t)n, &request);
	buf_add(&request, body, n);
	assert_int_equal(buf_err(&request), 0);
	rig_raw(&rig->base, request.data, request.len, out);
	buf_clear(&request);
}

static unsigned char byte_at(size_t i, unsigned seed)
{
	return (unsigned char)(i * 31 + (i >> 12) + seed);
}

void upload_rig_form(struct buf *out, const char *filename, size_t size,
		     unsigned seed)
{
	char *bytes;

	buf_addf(out,
		 "--b\r\nContent-Disposition: form-data; name=\"upload\"; "
		 "filename=\"%s\"\r\n\r\n",
		 filename);
	bytes = buf_reserve(out, size + 16);
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)byte_at(i, seed);
	out->len += size;
	buf_adds(out, "\r\n--b--\r\n");
}

bool upload_rig_there(struct store *s, const char *key, size_t size,
		      unsigned seed)
{
	const size_t room = 1 << 20;
	unsigned char *bytes = malloc(room);
	struct object_info info;
	struct object_details d;
	bool same;
	size_t n;

	assert_non_null(bytes);
	same = !store_head(s, key, &d) && d.info.size == size;
	for (size_t at = 0; same && at < size; at += n) {
		same = !store_get_sync(s, key, NULL, at, bytes, room, &n,
				       &info) &&
		       n;
		for (size_t i = 0; same && i < n; i++)
			same = bytes[i] == byte_at(at + i, seed);
	}
	free(bytes);
	return same;
}

bool upload_rig_quiet(struct upload_rig *rig)
{
	const struct list_query all = { .prefix = "" };
	struct store_list *list;
	struct list_entry e;
	int rc;

	for (int i = 0; i < 500 && memstore_uploads(rig->mem); i++)
		usleep(10000);
	assert_int_equal(store_list_open(rig->mem, &all, &list), 0);
	rc = store_list_next(list, &e);
	store_list_close(list);
	return !rc && !memstore_uploads(rig->mem);
}
