# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	src/gateway/address.c src/gateway/address.h \
	src/gateway/answer.c src/gateway/answer.h \
	src/gateway/callbacks.c src/gateway/callbacks.h \
	src/gateway/connections.c src/gateway/connections.h \
	src/gateway/context.h \
	src/gateway/counters.c src/gateway/counters.h \
	src/gateway/exchange.c src/gateway/exchange.h \
	src/gateway/file_body.c src/gateway/file_body.h \
	src/gateway/health.c src/gateway/health.h \
	src/gateway/hosts.c src/gateway/hosts.h \
	src/gateway/ip.c src/gateway/ip.h \
	src/gateway/listen.c src/gateway/listen.h \
	src/gateway/proof.c src/gateway/proof.h \
	src/gateway/request_filter.c src/gateway/request_filter.h \
	src/gateway/route.c src/gateway/route.h \
	src/gateway/server.c src/gateway/server.h \
	src/gateway/settings.h \
	src/gateway/stores.c src/gateway/stores.h
