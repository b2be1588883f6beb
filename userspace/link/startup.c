// SPDX-License-Identifier: GPL-2.0-or-later
#include "startup.h"

#include <string.h>

#include "bytes.h"
#include "zigbee.h"

/* An item of the modem's configuration, by the command that its chip has. */
static int write_item(const struct startup *startup, enum znp_item item, const uint8_t *value,
		      uint8_t n, uint8_t *out, size_t size)
{
	uint8_t data[4 + sizeof(startup->ieee)] = { (uint8_t)item };
	size_t head = startup->newer_chip ? 4 : 2;

	data[head - 1] = n;
	memcpy(data + head, value, n);
	return znp_build(startup->newer_chip ? ZNP_NV_WRITE : ZNP_ZB_WRITE_CONFIG, data, head + n,
			 out, size);
}

static int set_startup(const struct startup *startup, uint8_t *out, size_t size)
{
	/* forget the network and the configuration of the time before */
	const uint8_t clear = 3;

	return write_item(startup, ZNP_ITEM_STARTUP_OPTION, &clear, 1, out, size);
}

static int set_address(const struct startup *startup, uint8_t *out, size_t size)
{
	return write_item(startup, ZNP_ITEM_EXTENDED_ADDRESS, startup->ieee, sizeof(startup->ieee),
			  out, size);
}

static int set_type(const struct startup *startup, uint8_t *out, size_t size)
{
	const uint8_t type = (uint8_t)startup->type;

	return write_item(startup, ZNP_ITEM_LOGICAL_TYPE, &type, 1, out, size);
}

static int set_pan(const struct startup *startup, uint8_t *out, size_t size)
{
	uint8_t pan[2];

	bytes_put_le(pan, 2, startup->pan);
	return write_item(startup, ZNP_ITEM_PAN, pan, sizeof(pan), out, size);
}

static int set_channel(const struct startup *startup, uint8_t *out, size_t size)
{
	uint8_t mask[4];

	bytes_put_le(mask, 4, UINT64_C(1) << startup->channel);
	return write_item(startup, ZNP_ITEM_CHANNELS, mask, sizeof(mask), out, size);
}

static int register_endpoint(const struct startup *startup, uint8_t *out, size_t size)
{
	/* endpoint, profile, device, version, latency, one cluster in and none out */
	static const uint8_t data[] = { ZIGBEE_ENDPOINT,
					ZIGBEE_PROFILE & 255,
					ZIGBEE_PROFILE >> 8,
					0x00,
					0x01,
					0x01,
					0x00,
					0x02,
					0x00,
					0x00,
					0x15,
					0x00,
					0x00 };

	(void)startup;
	return znp_build(ZNP_AF_REGISTER, data, sizeof(data), out, size);
}

static int start_network(const struct startup *startup, uint8_t *out, size_t size)
{
	static const uint8_t no_delay[2];

	return startup->newer_chip
		       ? znp_build(ZNP_ZDO_STARTUP, no_delay, sizeof(no_delay), out, size)
		       : znp_build(ZNP_ZB_START, NULL, 0, out, size);
}

/* After the last step the modem reports that the network is up; it answers 0 to the others. */
static int (*const step_of[])(const struct startup *startup, uint8_t *out, size_t size) = {
	set_startup, set_address, set_type, set_pan, set_channel, register_endpoint, start_network,
};
#define STEPS ((int)(sizeof(step_of) / sizeof(step_of[0])))

int startup_begin(struct startup *startup, uint8_t *out, size_t size)
{
	startup->step = 0;
	return step_of[0](startup, out, size);
}

static bool is_up(const struct startup *startup, const struct znp_frame *frame)
{
	uint8_t state = startup->type == STARTUP_COORDINATOR ? ZNP_STATE_COORDINATOR
							     : ZNP_STATE_ROUTER;

	return frame->command == ZNP_ZDO_STATE && frame->n > 0 && frame->data[0] == state;
}

int startup_take(struct startup *startup, const struct znp_frame *frame, bool *ret_up, uint8_t *out,
		 size_t size)
{
	bool last = startup->step == STEPS - 1;

	if (frame->command == ZNP_ERROR && !startup->newer_chip) {
		startup->newer_chip = true;
		return startup_begin(startup, out, size);
	}
	if (last) {
		if (is_up(startup, frame)) {
			*ret_up = true;
		}
		return 0;
	}
	if (ZNP_TYPE(frame->command) != ZNP_SRSP || frame->n == 0 ||
	    frame->data[0] != ZNP_SUCCESS) {
		return 0;
	}
	startup->step++;
	return step_of[startup->step](startup, out, size);
}
