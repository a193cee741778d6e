# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += libmount.a
libmount_a_SOURCES = \
	src/mount/background.c src/mount/background.h \
	src/mount/cmd_control.c \
	src/mount/cmd_mount.c \
	src/mount/cmd_serve.c \
	src/mount/mount_gateway.c src/mount/mount_gateway.h \
	src/mount/mount_check.c src/mount/mount_check.h \
	src/mount/mount_control.c src/mount/mount_control.h \
	src/mount/mount_end.c src/mount/mount_end.h \
	src/mount/mount_lock.c src/mount/mount_lock.h \
	src/mount/mount_reload.c src/mount/mount_reload.h \
	src/mount/mount_remount.c src/mount/mount_remount.h \
	src/mount/mount_request.c src/mount/mount_request.h \
	src/mount/mount_stats.c src/mount/mount_stats.h \
	src/mount/mount_point.c src/mount/mount_point.h
