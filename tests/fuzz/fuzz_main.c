/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer's function over the files of a folder, as a unit test: the
 * folder is tests/fuzz/corpus/NAME, NAME the program's without `fuzz_`.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f)
		return -1;
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	return LLVMFuzzerTestOneInput(data, len);
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *name = strrchr(argv[0], '_');
	char dir[4096], path[8192];
	unsigned n = 0, failed = 0;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", top ? top : ".",
		 name ? name + 1 : "");
	d = opendir(dir);
	if (!d) {
		printf("Bail out! no folder %s\n", dir);
		return 1;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		failed += run_file(path) != 0;
		n++;
	}
	closedir(d);
	printf("1..1\n%sok 1 - the %u files of the corpus do no harm\n",
	       failed || !n ? "not " : "", n);
	return failed || !n;
}
