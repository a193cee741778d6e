# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgateway_service.a
libgateway_service_a_SOURCES = \
	src/gateway/service/gateway.c src/gateway/service/gateway.h
