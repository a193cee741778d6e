#include "transfer/transfer_send.h"

static int send_prepare(struct http_call *http, struct http_wire *wire)
{
	return transfer_call_prepare(((struct transfer_send *)http)->row, wire);
}

static enum http_verdict send_judge(struct http_call *http,
				    const struct http_reply *reply)
{
	return transfer_call_judge(reply);
}

int transfer_send_init(struct transfer_send *s, const struct transfer_row *row,
		       int fd, uint64_t offset, uint64_t len, struct buf *why)
{
	static const struct http_call_ops ops = { .prepare = send_prepare,
						  .judge = send_judge };

	*s = (struct transfer_send){
		.http = { .ops = &ops,
			  .class = HTTP_DATA,
			  .body = { .data = fd < 0 ? "" : NULL,
				    .fd = fd,
				    .offset = offset,
				    .len = len } },
		.row = row,
	};
	return transfer_call_verb(row, &s->http.verb, why);
}
