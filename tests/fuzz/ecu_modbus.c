// SPDX-License-Identifier: GPL-2.0-or-later
/* SunSpec Modbus: a row of requests from an address that may write. */
#include "modbus.h"
#include "ecu_site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct modbus *modbus;
	struct ecu *ecu = fuzz_site();
	uint8_t reply[MODBUS_REPLY_MAX];
	size_t n = 0;

	if (!modbus) {
		modbus = modbus_new(ecu);
	}
	while (size > 0) {
		ssize_t used = modbus_take(modbus, "192.0.2.1", data, size, reply, &n);

		assert(used <= (ssize_t)size && n <= sizeof(reply));
		assert(used <= 0 || (n >= 9 && reply[0] == data[0] && reply[1] == data[1]));
		if (used <= 0) {
			break;
		}
		data += used;
		size -= used;
	}
	fuzz_orders(ecu);
	return 0;
}
