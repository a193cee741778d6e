# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/http.c src/net/http.h \
	src/net/http_counts.c src/net/http_counts.h \
	src/net/http_easy.c \
	src/net/http_engine.c src/net/http_engine.h \
	src/net/http_flow.c \
	src/net/http_inbox.c src/net/http_inbox.h \
	src/net/http_lane.c \
	src/net/http_loop.c src/net/http_loop.h \
	src/net/http_outage.c src/net/http_outage.h \
	src/net/http_poller.c src/net/http_poller.h \
	src/net/http_retry.c src/net/http_retry.h \
	src/net/http_timer.c src/net/http_timer.h \
	src/net/url.c src/net/url.h
