// SPDX-License-Identifier: GPL-2.0-or-later
/* The stock protocol: a row of requests. */
#include "aps.h"
#include "ecu_site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ecu *ecu = fuzz_site();
	static uint8_t reply[APS_REPLY_MAX];
	size_t n = 0;

	while (size > 0) {
		ssize_t used = aps_take(ecu, data, size, reply, &n);

		assert(used <= (ssize_t)size && n <= sizeof(reply));
		assert(!n || (n > 16 && !memcmp(reply, "APS11", 5) && reply[n - 1] == '\n'));
		if (used <= 0) {
			break;
		}
		data += used;
		size -= used;
	}
	return 0;
}
