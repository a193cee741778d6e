/* SPDX-License-Identifier: Apache-2.0 */
#include "client/presign_page.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

void presign_page_begin(struct buf *out, const char *title)
{
	buf_adds(out, "<!DOCTYPE html>\n<html lang=\"en\">\n"
		      "<meta charset=\"utf-8\">\n"
		      "<meta name=\"referrer\" content=\"no-referrer\">\n"
		      "<meta name=\"viewport\" "
		      "content=\"width=device-width\">\n<title>");
	text_xml(out, title);
	buf_adds(out, "</title>\n<style>\n"
		      "body { font-family: sans-serif; margin: 2em }\n"
		      "td, th { padding: .2em 1em .2em 0; text-align: left }\n"
		      "td.size { text-align: right }\n</style>\n<h1>");
	text_xml(out, title);
	buf_adds(out, "</h1>\n<table>\n<tr><th>File<th>Size<th>Until\n");
}

void presign_page_row(struct buf *out, const char *name, uint64_t size,
		      const char *url, int64_t until)
{
	char time[TIME_RFC3339_SIZE] = "";

	if (until)
		clock_rfc3339(until, time);
	buf_adds(out, "<tr><td><a href=\"");
	text_xml(out, url);
	buf_adds(out, "\">");
	text_xml(out, name);
	buf_adds(out, "</a><td class=\"size\">");
	if (size != PRESIGN_PAGE_UNKNOWN)
		text_bytes(out, size);
	buf_addf(out, "<td>%s\n", time);
}

void presign_page_end(struct buf *out)
{
	buf_adds(out, "</table>\n</html>\n");
}
