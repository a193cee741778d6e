noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	src/gateway/gateway.h \
	src/gateway/gateway_impl.h \
	src/gateway/counters.c src/gateway/counters.h \
	src/gateway/exchange.h \
	src/gateway/hosts.c src/gateway/hosts.h \
	src/gateway/http_text.c src/gateway/http_text.h \
	src/gateway/links.c src/gateway/links.h \
	src/gateway/listen.c src/gateway/listen.h \
	src/gateway/settings.c

include src/gateway/upload.mk
