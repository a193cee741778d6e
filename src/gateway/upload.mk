# The upload API.
libgateway_a_SOURCES += \
	src/gateway/form.c src/gateway/form.h \
	src/gateway/form_head.c src/gateway/form_head.h \
	src/gateway/guesses.c src/gateway/guesses.h \
	src/gateway/intake.c src/gateway/intake.h \
	src/gateway/intake_parts.c src/gateway/intake_parts.h \
	src/gateway/intake_piece.c src/gateway/intake_piece.h \
	src/gateway/peer.c src/gateway/peer.h \
	src/gateway/upload.c src/gateway/upload.h \
	src/gateway/upload_answer.c \
	src/gateway/upload_stage.c \
	src/gateway/upload_name.c src/gateway/upload_name.h \
	src/gateway/users.c src/gateway/users.h

check_PROGRAMS += tests/unit/test_form
TESTS += tests/unit/test_form
tests_unit_test_form_SOURCES = tests/unit/test_form.c \
	tests/unit/form_text.h
tests_unit_test_form_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_form_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_form
TESTS += tests/fuzz/fuzz_form
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c tests/fuzz/corpus.c \
	tests/unit/form_text.h
tests_fuzz_fuzz_form_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_form_LDADD = $(GATEWAY_LIBS)

check_PROGRAMS += tests/unit/test_upload_name
TESTS += tests/unit/test_upload_name
tests_unit_test_upload_name_SOURCES = tests/unit/test_upload_name.c
tests_unit_test_upload_name_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_upload_name_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_intake
TESTS += tests/unit/test_intake
tests_unit_test_intake_SOURCES = tests/unit/test_intake.c \
	tests/unit/local_rig.c tests/unit/local_rig.h
tests_unit_test_intake_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_intake_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_guesses
TESTS += tests/unit/test_guesses
tests_unit_test_guesses_SOURCES = tests/unit/test_guesses.c
tests_unit_test_guesses_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_guesses_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_peer
TESTS += tests/unit/test_peer
tests_unit_test_peer_SOURCES = tests/unit/test_peer.c tests/unit/socket_pair.h
tests_unit_test_peer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_peer_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_users
TESTS += tests/unit/test_users
tests_unit_test_users_SOURCES = tests/unit/test_users.c \
	tests/unit/socket_pair.h
tests_unit_test_users_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_users_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

UPLOAD_RIG_SOURCES = tests/unit/upload_rig.c tests/unit/upload_rig.h \
	$(GATEWAY_RIG_SOURCES)

check_PROGRAMS += tests/unit/test_upload
TESTS += tests/unit/test_upload
tests_unit_test_upload_SOURCES = tests/unit/test_upload.c \
	$(UPLOAD_RIG_SOURCES)
tests_unit_test_upload_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_upload_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_upload_limits
TESTS += tests/unit/test_upload_limits
tests_unit_test_upload_limits_SOURCES = tests/unit/test_upload_limits.c \
	$(UPLOAD_RIG_SOURCES)
tests_unit_test_upload_limits_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_upload_limits_LDADD = $(GATEWAY_LIBS) $(UNIT_LIBS)
