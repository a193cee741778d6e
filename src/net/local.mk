noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/url.c src/net/url.h
