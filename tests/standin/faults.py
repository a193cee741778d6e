# SPDX-License-Identifier: Apache-2.0
"""Scripted misbehaviour: which requests, how often, and what then.

A fault is {"match": {...}, "action": {...}}.
match (all of them optional):
    method   "GET"
    key      a regular expression, searched in the key (or the whole decoded
             path when the server is no S3)
    query    a string that the raw query contains
    header   a regular expression, searched in the lines `name: value`
    lacking  the same, and no line has it
    nth      the first matching request that it hits (default 1)
    every    and each so manieth from there on (default 1)
    count    how many it hits (default 1; 0: all)
action: type is one of
    status         status, code, message, retry_after, headers, body
    error_in_200   code, message
    garbage        body: a 200 whose body is no XML
    reset          when "before" (default) or "body"; after: body bytes sent
    cut            after: body bytes sent before the connection is closed, or
                   "half"
    wrong_length   delta: added to Content-Length
    no_length      no Content-Length: chunked, or with "close" ended by the
                   connection's end; append: more bytes; headers: more of them;
                   "as": "whole": ranges are ignored
    rewrite        the right answer with from (a regular expression) replaced
                   by to in its body, or in the header that is named;
                   server: what it calls itself
    list           as: a listing of another kind (s3_list.py)
    stall          seconds; when "headers" (default), "request" (before the
                   request's body is read), "answer" (carried out already) or
                   "body"; after
    latency        seconds, then the right answer
    hold           the right answer, once POST /_release (or /_reset) came
    trickle        pieces: of the body, each after seconds
    redirect       status (301, 307 or 400), region: unless signed for it
    raw            text: sent instead of an answer, then closed
    lose           the request is carried out, the answer is lost (a reset)
    deaf           a copy or a removal takes no notice of its condition on what
                   is there
    skew           seconds: the server's clock is off from now on (no match)
"""
import re
import threading

TYPES = ("status", "error_in_200", "garbage", "reset", "cut", "wrong_length",
         "no_length", "rewrite", "list", "stall", "latency", "hold",
         "trickle", "redirect", "raw", "lose", "deaf", "skew")


class Fault:
    def __init__(self, spec):
        match = spec.get("match", {})
        unknown = set(match) - {"method", "key", "query", "header", "lacking",
                                "nth", "every", "count"}
        self.action = spec["action"]
        if unknown or self.action.get("type") not in TYPES:
            raise ValueError("no such fault: %r" % spec)
        self.method = match.get("method")
        self.key = re.compile(match.get("key", ""), re.S)
        self.query = match.get("query", "")
        self.header = re.compile(match.get("header", ""), re.S | re.I)
        self.lacking = re.compile(match.get("lacking", "(?!)"), re.S | re.I)
        self.nth = int(match.get("nth", 1))
        self.every = int(match.get("every", 1))
        self.count = int(match.get("count", 1))
        self.seen = 0

    def hits(self, method, key, query, headers):
        if self.method not in (None, method) or self.query not in query:
            return False
        if not self.key.search(key) or not self.header.search(headers):
            return False
        if self.lacking.search(headers):
            return False
        self.seen += 1
        past, between = divmod(self.seen - self.nth, self.every)
        return past >= 0 and between == 0 and (
            self.count == 0 or past < self.count)


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.gate = threading.Event()
        self.clear()

    def clear(self):
        with self.lock:
            self.faults = []
            self.clock_shift = 0
            self.regions = []
            self.gate.set()
            self.gate = threading.Event()  # of what is held

    def add(self, spec):
        fault = Fault(spec)
        with self.lock:
            if fault.action["type"] == "skew":
                self.clock_shift = float(fault.action["seconds"])
                return
            if fault.action["type"] == "redirect":
                self.regions.append(fault.action["region"])
            self.faults.append(fault)

    def release(self):
        """Nothing is held any more, until clear()."""
        with self.lock:
            self.gate.set()

    def find(self, method, key, query, region, headers=""):
        """The action for this request, or None. One fault at a time."""
        with self.lock:
            for fault in self.faults:
                action = fault.action
                if (action["type"] == "redirect" and
                        action["region"] == region):
                    continue
                if fault.hits(method, key, query, headers):
                    return dict(action, gate=self.gate)
        return None
