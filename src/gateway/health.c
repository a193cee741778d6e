/*
 * For operators: is it alive, and what has it done. Whoever asks with a nonce
 * gets the proof of proof.h too.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/counters.h"
#include "gateway/gateway_impl.h"
#include "gateway/links.h"
#include "gateway/proof.h"
#include "gateway/routes.h"
#include "gateway/server.h"
#include "gateway/stores.h"
#include "store/store.h"

#define NAME_MAX_BYTES 255

/* The value of a plain parameter, without escapes; false: none, or too long. */
static bool parameter(const char *query, const char *name, char *out,
		      size_t size)
{
	size_t len = strlen(name);

	for (const char *p = query; p; p = strchr(p, '&')) {
		size_t n;

		p += *p == '&';
		if (strncmp(p, name, len) != 0 || p[len] != '=')
			continue;
		n = strcspn(p + len + 1, "&");
		if (!n || n >= size)
			return false;
		memcpy(out, p + len + 1, n);
		out[n] = '\0';
		return true;
	}
	return false;
}

static void add_proof(struct exchange *x, struct buf *out)
{
	const struct sockaddr_storage *at = &x->local;
	char nonce[PROOF_NONCE_MAX + 1], name[NAME_MAX_BYTES + 1];
	char proof[SHA256_HEX_SIZE];
	struct stores_entry found;
	unsigned port;

	port = ntohs(at->ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)at)->sin6_port
			     : ((const struct sockaddr_in *)at)->sin_port);
	if (!parameter(x->query, "nonce", nonce, sizeof(nonce)) ||
	    !parameter(x->query, "store", name, sizeof(name)) ||
	    nonce[strspn(nonce, "0123456789abcdef")] ||
	    stores_find(x->gateway, name, &found))
		return;
	if (!proof_make(found.store, name, nonce, port, proof))
		buf_addf(out, ",\"proof\":\"%s\"", proof);
	stores_entry_clear(&found);
}

static void answer_health(struct exchange *x)
{
	struct buf out = BUF_INIT(BUF_MESSAGE);

	buf_adds(&out,
		 "{\"status\":\"ok\",\"version\":\"" PACKAGE_VERSION "\"");
	add_proof(x, &out);
	buf_adds(&out, "}\n");
	exchange_answer(x, 200, "application/json", buf_str(&out), out.len);
	buf_clear(&out);
}

static void answer_metrics(struct exchange *x)
{
	struct gateway *g = x->gateway;
	struct links *links = server_links(g->server);
	struct buf out = BUF_INIT(1 << 20);

	counters_write(g->counters, &out);
	buf_addf(&out,
		 "# HELP stagefs_gateway_connections Connections now.\n"
		 "# TYPE stagefs_gateway_connections gauge\n"
		 "stagefs_gateway_connections %u\n"
		 "# HELP stagefs_gateway_cut_total Slow or idle connections "
		 "that were cut off.\n"
		 "# TYPE stagefs_gateway_cut_total counter\n"
		 "stagefs_gateway_cut_total %llu\n",
		 links_count(links),
		 (unsigned long long)links_cut_total(links));
	if (g->set.metrics)
		g->set.metrics(g->set.metrics_arg, &out);
	exchange_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8",
			buf_str(&out), out.len);
	buf_clear(&out);
}

const struct exchange_handler health_handler = {
	.kind = "health",
	.begin = answer_health,
};

const struct exchange_handler metrics_handler = {
	.kind = "metrics",
	.begin = answer_metrics,
};
