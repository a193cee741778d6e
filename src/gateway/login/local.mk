# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgateway_login.a
libgateway_login_a_SOURCES = \
	src/gateway/login/login_throttle.c src/gateway/login/login_throttle.h \
	src/gateway/login/peer.c src/gateway/login/peer.h \
	src/gateway/login/users.c src/gateway/login/users.h
