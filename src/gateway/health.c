/*
 * For operators: is it alive, and what has it done. A request with a nonce gets
 * the proof of proof.h too.
 */
#include "gateway/health.h"

#include <string.h>

#include "base/budget.h"
#include "base/buf.h"
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

static void health_answer(struct exchange *x)
{
	struct buf out = BUF_INIT(BUF_MESSAGE);
	struct query q;

	buf_adds(&out,
		 "{\"status\":\"ok\",\"version\":\"" PACKAGE_VERSION "\"");
	if (!query_parse(&q, x->query))
		health_add_proof(x, query_get(&q, "store"),
				 query_get(&q, "nonce"), &out);
	query_clear(&q);
	buf_adds(&out, "}\n");
	exchange_answer(x, 200, "application/json", buf_str(&out), out.len);
	buf_clear(&out);
}

/* Of the whole daemon: a mount's readers and writers count too. */
static void health_add_memory(struct budget *b, struct buf *out)
{
	buf_addf(out,
		 "# HELP stagefs_memory_bytes Object data in memory.\n"
		 "# TYPE stagefs_memory_bytes gauge\n"
		 "stagefs_memory_bytes %zu\n"
		 "# HELP stagefs_memory_peak_bytes The most it has been.\n"
		 "# TYPE stagefs_memory_peak_bytes gauge\n"
		 "stagefs_memory_peak_bytes %zu\n"
		 "# HELP stagefs_memory_limit_bytes The setting `memory`.\n"
		 "# TYPE stagefs_memory_limit_bytes gauge\n"
		 "stagefs_memory_limit_bytes %zu\n",
		 budget_used(b), budget_peak(b), budget_limit(b));
}

static void health_answer_metrics(struct exchange *x)
{
	struct gateway *g = x->gateway;
	struct connections_counts c = connections_count(g->connections);
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
		 c.now, (unsigned long long)c.cut);
	health_add_memory(g->set.budget, &out);
	if (g->set.metrics)
		g->set.metrics(g->set.metrics_arg, &out);
	exchange_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8",
			buf_str(&out), out.len);
	buf_clear(&out);
}

const struct exchange_handler health_handler = {
	.kind = "health",
	.begin = health_answer,
};

const struct exchange_handler metrics_handler = {
	.kind = "metrics",
	.begin = health_answer_metrics,
};
