noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/url.c src/net/url.h

EXTRA_DIST += \
	tests/standin/server.py tests/standin/faults.py \
	tests/standin/s3.py tests/standin/s3_list.py tests/standin/sigv4.py
