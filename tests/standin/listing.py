#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""listing.py N: an S3 server of one bucket with N keys that are never stored.

Each page is made when it is asked for, so a million of them cost nothing.
Says its port, then serves listings and nothing else, unsigned.
"""
import http.server
import sys
import urllib.parse

N = int(sys.argv[1])
PAGE = 1000
ROW = ("<Contents><Key>d/{0:08d}.csv</Key><Size>{0}</Size>"
       "<LastModified>2023-06-28T04:13:15.178Z</LastModified>"
       "<ETag>&quot;88432bf90aadb79073682988b39d461c&quot;</ETag></Contents>")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        query = urllib.parse.urlparse(self.path).query
        token = urllib.parse.parse_qs(query).get("continuation-token", ["0"])
        at = int(token[0])
        end = min(at + PAGE, N)
        more = ("<IsTruncated>true</IsTruncated><NextContinuationToken>"
                f"{end}</NextContinuationToken>" if end < N
                else "<IsTruncated>false</IsTruncated>")
        body = ('<?xml version="1.0"?><ListBucketResult xmlns='
                '"http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
                f"<KeyCount>{end - at}</KeyCount>{more}"
                + "".join(ROW.format(i) for i in range(at, end))
                + "</ListBucketResult>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
