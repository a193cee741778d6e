noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	src/gateway/address.c src/gateway/address.h \
	src/gateway/admit.c src/gateway/admit.h \
	src/gateway/counters.c src/gateway/counters.h \
	src/gateway/exchange.c src/gateway/exchange.h \
	src/gateway/exchange_file.c \
	src/gateway/exchange_impl.h \
	src/gateway/gateway_impl.h \
	src/gateway/health.c src/gateway/health.h \
	src/gateway/hosts.c src/gateway/hosts.h \
	src/gateway/links.c src/gateway/links.h \
	src/gateway/listen.c src/gateway/listen.h \
	src/gateway/proof.c src/gateway/proof.h \
	src/gateway/routes.c src/gateway/routes.h \
	src/gateway/served.c src/gateway/served.h \
	src/gateway/server.c src/gateway/server.h \
	src/gateway/settings.c src/gateway/settings.h \
	src/gateway/stores.c src/gateway/stores.h
