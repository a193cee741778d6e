noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	src/gateway/gateway.c src/gateway/gateway.h \
	src/gateway/gateway_impl.h \
	src/gateway/address.c src/gateway/address.h \
	src/gateway/admit.c src/gateway/admit.h \
	src/gateway/counters.c src/gateway/counters.h \
	src/gateway/exchange.c src/gateway/exchange.h \
	src/gateway/exchange_file.c src/gateway/exchange_impl.h \
	src/gateway/health.c src/gateway/health.h \
	src/gateway/hosts.c src/gateway/hosts.h \
	src/gateway/http_text.c src/gateway/http_text.h \
	src/gateway/links.c src/gateway/links.h \
	src/gateway/listen.c src/gateway/listen.h \
	src/gateway/object.c src/gateway/object.h \
	src/gateway/object_get.c \
	src/gateway/object_put.c \
	src/gateway/object_wire.c \
	src/gateway/query.c src/gateway/query.h \
	src/gateway/proof.c src/gateway/proof.h \
	src/gateway/routes.c src/gateway/routes.h \
	src/gateway/served.c src/gateway/served.h \
	src/gateway/server.c src/gateway/server.h \
	src/gateway/settings.c src/gateway/settings.h \
	src/gateway/stores.c src/gateway/stores.h

include src/gateway/upload.mk

GATEWAY_RIG_SOURCES = tests/unit/gateway_rig.c tests/unit/gateway_rig.h \
	tests/unit/local_rig.c tests/unit/local_rig.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_gateway_signed
TESTS += tests/unit/test_gateway_signed
tests_unit_test_gateway_signed_SOURCES = tests/unit/test_gateway_signed.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_signed_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_signed_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_text tests/unit/test_hosts
TESTS += tests/unit/test_http_text tests/unit/test_hosts
tests_unit_test_http_text_SOURCES = tests/unit/test_http_text.c \
	tests/unit/unit.h
tests_unit_test_http_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_text_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
tests_unit_test_hosts_SOURCES = tests/unit/test_hosts.c tests/unit/unit.h
tests_unit_test_hosts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hosts_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_links
TESTS += tests/unit/test_links
tests_unit_test_links_SOURCES = tests/unit/test_links.c tests/unit/unit.h
tests_unit_test_links_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_links_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway_get tests/unit/test_gateway_put \
	tests/unit/test_gateway_headers tests/unit/test_gateway_limits \
	tests/unit/test_gateway_change
TESTS += tests/unit/test_gateway_get tests/unit/test_gateway_put \
	tests/unit/test_gateway_headers tests/unit/test_gateway_limits \
	tests/unit/test_gateway_change
tests_unit_test_gateway_get_SOURCES = tests/unit/test_gateway_get.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_get_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_get_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
tests_unit_test_gateway_put_SOURCES = tests/unit/test_gateway_put.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_put_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_put_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
tests_unit_test_gateway_headers_SOURCES = tests/unit/test_gateway_headers.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_headers_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_headers_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
tests_unit_test_gateway_limits_SOURCES = tests/unit/test_gateway_limits.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_limits_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_limits_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
tests_unit_test_gateway_change_SOURCES = tests/unit/test_gateway_change.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_change_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_change_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_gateway_address
TESTS += tests/unit/test_gateway_address
tests_unit_test_gateway_address_SOURCES = tests/unit/test_gateway_address.c \
	$(GATEWAY_RIG_SOURCES)
tests_unit_test_gateway_address_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gateway_address_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

# What reads bytes from outside; `make fuzz`, and here over the corpus.
check_PROGRAMS += tests/fuzz/fuzz_query tests/fuzz/fuzz_http
TESTS += tests/fuzz/fuzz_query tests/fuzz/fuzz_http
tests_fuzz_fuzz_query_SOURCES = tests/fuzz/fuzz_query.c tests/fuzz/corpus.c
tests_fuzz_fuzz_query_LDADD = $(GATEWAY_LIBS)
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c tests/fuzz/corpus.c \
	$(GATEWAY_RIG_SOURCES)
tests_fuzz_fuzz_http_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_http_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_http_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
