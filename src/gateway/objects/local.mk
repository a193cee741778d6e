# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libgateway_objects.a
libgateway_objects_a_SOURCES = \
	src/gateway/objects/conditions.c src/gateway/objects/conditions.h \
	src/gateway/objects/object.c src/gateway/objects/object.h \
	src/gateway/objects/object_get.c \
	src/gateway/objects/object_put.c \
	src/gateway/objects/object_request.c
