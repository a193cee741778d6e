noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/http.c src/net/http.h \
	src/net/http_easy.c \
	src/net/http_engine.c src/net/http_engine.h \
	src/net/http_flow.c \
	src/net/http_lane.c \
	src/net/http_loop.c src/net/http_loop.h \
	src/net/http_perform.c \
	src/net/http_retry.c src/net/http_retry.h \
	src/net/http_timer.c src/net/http_timer.h \
	src/net/url.c src/net/url.h

EXTRA_DIST += \
	tests/standin/server.py tests/standin/faults.py \
	tests/standin/s3.py tests/standin/s3_list.py tests/standin/sigv4.py

check_PROGRAMS += tests/unit/test_http_engine
TESTS += tests/unit/test_http_engine
tests_unit_test_http_engine_SOURCES = tests/unit/test_http_engine.c \
	tests/unit/engine_calls.c tests/unit/engine_calls.h \
	tests/unit/standin.c tests/unit/standin.h
tests_unit_test_http_engine_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_engine_LDADD = $(NET_LIBS) $(UNIT_LIBS)
