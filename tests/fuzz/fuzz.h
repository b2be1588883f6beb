/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzers share: libFuzzer's entry, and a file in memory. */
#ifndef QS1_FUZZ_H
#define QS1_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A regular file with this content; the name stays valid until the next call. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		assert(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	assert(pwrite(fd, data, size, 0) == (ssize_t)size);
	assert(ftruncate(fd, size) == 0);
	return path;
}

#endif /* QS1_FUZZ_H */
