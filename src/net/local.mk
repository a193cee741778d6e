noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/http.c src/net/http.h \
	src/net/http_easy.c \
	src/net/http_engine.c src/net/http_engine.h \
	src/net/http_flow.c \
	src/net/http_inbox.c src/net/http_inbox.h \
	src/net/http_lane.c \
	src/net/http_loop.c src/net/http_loop.h \
	src/net/http_perform.c \
	src/net/http_retry.c src/net/http_retry.h \
	src/net/http_timer.c src/net/http_timer.h \
	src/net/url.c src/net/url.h

EXTRA_DIST += \
	tests/standin/server.py tests/standin/faults.py \
	tests/standin/s3.py tests/standin/s3_list.py tests/standin/sigv4.py \
	tests/standin/aws_auth.py

ENGINE_TEST_FILES = \
	tests/unit/engine_calls.c tests/unit/engine_calls.h \
	tests/unit/standin.c tests/unit/standin.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_url
TESTS += tests/unit/test_url
tests_unit_test_url_SOURCES = tests/unit/test_url.c
tests_unit_test_url_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_url_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http
TESTS += tests/unit/test_http
tests_unit_test_http_SOURCES = tests/unit/test_http.c
tests_unit_test_http_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_retry
TESTS += tests/unit/test_http_retry
tests_unit_test_http_retry_SOURCES = tests/unit/test_http_retry.c
tests_unit_test_http_retry_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_retry_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_timer
TESTS += tests/unit/test_http_timer
tests_unit_test_http_timer_SOURCES = tests/unit/test_http_timer.c
tests_unit_test_http_timer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_timer_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_engine
TESTS += tests/unit/test_http_engine
tests_unit_test_http_engine_SOURCES = tests/unit/test_http_engine.c \
	$(ENGINE_TEST_FILES)
tests_unit_test_http_engine_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_engine_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_lanes
TESTS += tests/unit/test_http_lanes
tests_unit_test_http_lanes_SOURCES = tests/unit/test_http_lanes.c \
	$(ENGINE_TEST_FILES)
tests_unit_test_http_lanes_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_lanes_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_flow
TESTS += tests/unit/test_http_flow
tests_unit_test_http_flow_SOURCES = tests/unit/test_http_flow.c \
	$(ENGINE_TEST_FILES)
tests_unit_test_http_flow_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_flow_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_perform
TESTS += tests/unit/test_http_perform
tests_unit_test_http_perform_SOURCES = tests/unit/test_http_perform.c \
	$(ENGINE_TEST_FILES)
tests_unit_test_http_perform_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_perform_LDADD = $(NET_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_http_tls
TESTS += tests/unit/test_http_tls
tests_unit_test_http_tls_SOURCES = tests/unit/test_http_tls.c \
	$(ENGINE_TEST_FILES)
tests_unit_test_http_tls_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_tls_LDADD = $(NET_LIBS) $(UNIT_LIBS)

TESTS += tests/standin/test_standin.py
dist_check_SCRIPTS += tests/standin/test_standin.py
