// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's configuration: refused with a reason, or every key has a value that fits. */
#include "config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	char err[QS1_PROFILE_ERR_SIZE] = "";

	memset(&config, 0xff, sizeof(config));
	if (config_load(fuzz_file(data, size), &config, err, sizeof(err)) == 0) {
#define X(name, def, kind, text) assert(memchr(config.name, '\0', sizeof(config.name)));
		CONFIG_KEYS(X)
#undef X
		assert(config.store_a[0] == '/');
	} else {
		assert(err[0] && (uint8_t)config.store_a[0] == 0xff);
	}
	return 0;
}
