/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For operators: is it alive, and what has it done. A request with a nonce gets
 * the proof of proof.h too.
 */
#include "gateway/health.h"

#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/metric.h"
#include "base/query.h"
#include "gateway/counters.h"
#include "gateway/context.h"
#include "gateway/connections.h"
#include "gateway/ip.h"
#include "gateway/listen.h"
#include "gateway/proof.h"
#include "gateway/stores.h"
#include "store/store.h"

/* At the address as the client has named it: IPv4, not IPv4 in IPv6. */
static void health_add_proof(struct exchange *x, const char *name,
			     const char *nonce, struct buf *out)
{
	const struct listen_address at = { .sa = ip_plain(&x->local) };
	char proof[SHA256_HEX_SIZE];
	struct stores_entry found;

	if (!name || !nonce || !*nonce || strlen(nonce) > PROOF_NONCE_MAX ||
	    nonce[strspn(nonce, "0123456789abcdef")] ||
	    stores_find(x->gateway, name, &found))
		return;
	if (!proof_make(found.store, name, nonce, &at, proof))
		buf_addf(out, ",\"proof\":\"%s\"", proof);
	stores_entry_clear(&found);
}

/* Not the status: a supervisor that asks whether the daemon lives must not end
 * it because a server is away. */
static const char *health_storage(const struct gateway *g)
{
	return g->set.down && g->set.down(g->set.metrics_arg) ? "away" : "ok";
}

static void health_answer(struct exchange *x)
{
	BUF_LOCAL out = BUF_INIT(BUF_MESSAGE);
	struct query q;

	buf_addf(&out,
		 "{\"status\":\"ok\",\"storage\":\"%s\",\"version\":\"%s\"",
		 health_storage(x->gateway), PACKAGE_VERSION);
	if (!query_parse(&q, x->query))
		health_add_proof(x, query_get(&q, "store"),
				 query_get(&q, "nonce"), &out);
	query_clear(&q);
	buf_adds(&out, "}\n");
	exchange_answer(x, 200, "application/json", buf_str(&out), out.len);
}

static void health_answer_metrics(struct exchange *x)
{
	struct gateway *g = x->gateway;
	struct connections_counts c = connections_count(g->connections);
	BUF_LOCAL out = BUF_INIT(1 << 20);

	counters_write(g->counters, &out);
	metric_one(&out, "gateway_connections", "gauge", "Connections now.",
		   c.now);
	metric_one(&out, "gateway_cut_total", "counter",
		   "Slow or idle connections that were cut off.", c.cut);
	budget_write_metrics(g->set.budget, &out);
	if (g->set.metrics)
		g->set.metrics(g->set.metrics_arg, &out);
	exchange_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8",
			buf_str(&out), out.len);
}

const struct exchange_handler health_handler = {
	.kind = "health",
	.begin = health_answer,
};

const struct exchange_handler metrics_handler = {
	.kind = "metrics",
	.begin = health_answer_metrics,
};
