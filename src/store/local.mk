noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/store_check.c src/store/store_check.h \
	src/store/store_get_sync.c \
	src/store/store_watch.c src/store/store_watch.h \
	src/store/memstore.c src/store/memstore.h \
	src/store/memstore_impl.h src/store/memstore_data.c \
	src/store/memstore_list.c src/store/memstore_object.c \
	src/store/memstore_upload.c

check_PROGRAMS += tests/unit/test_store_contract
TESTS += tests/unit/test_store_contract
tests_unit_test_store_contract_SOURCES = tests/unit/test_store_contract.c \
	tests/unit/store_contract.c tests/unit/store_contract.h
tests_unit_test_store_contract_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_store_contract_LDADD = libstore.a $(BASE_LIBS) $(UNIT_LIBS)
