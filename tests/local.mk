EXTRA_DIST += .clang-format
TESTS += tests/check-tap.sh
dist_check_SCRIPTS += tests/check-tap.sh
EXTRA_DIST += check tests/packages tests/tap.awk tests/mount
