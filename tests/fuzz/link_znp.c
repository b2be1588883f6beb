// SPDX-License-Identifier: GPL-2.0-or-later
/* A modem's serial stream: it is used up, and each message that parses is built again. */
#include "fuzz.h"
#include "znp.h"

static void check_frame(const struct znp_frame *frame)
{
	uint8_t out[ZNP_FRAME_MAX];
	struct znp_data_request request;
	struct znp_device_info info;
	struct znp_incoming incoming;
	struct znp_confirm confirm;
	int n = znp_build(frame->command, frame->data, frame->n, out, sizeof(out));

	assert(n == (int)frame->n + ZNP_OVERHEAD);
	if (znp_incoming_parse(frame, &incoming) == 0) {
		assert(incoming.data + incoming.n <= frame->data + frame->n);
		n = znp_incoming_build(&incoming, out, sizeof(out));
		assert(n > 0 && n <= (int)frame->n + ZNP_OVERHEAD);
	}
	if (znp_data_request_parse(frame, &request) == 0) {
		assert(request.data + request.n <= frame->data + frame->n);
		n = znp_data_request_build(&request, out, sizeof(out));
		assert(n > 0 && n <= (int)frame->n + ZNP_OVERHEAD);
	}
	if (znp_confirm_parse(frame, &confirm) == 0) {
		assert(znp_status_name(confirm.status));
		assert(znp_confirm_build(&confirm, out, sizeof(out)) == ZNP_OVERHEAD + 3);
	}
	if (znp_device_info_parse(frame, &info) == 0) {
		assert(znp_device_info_build(&info, out, sizeof(out)) == ZNP_OVERHEAD + 14);
	}
	znp_name(frame->command);
}

/* The input with its XOR put right at the first frame, and as it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stream[4096];
	size_t at = 0;

	size = size < sizeof(stream) ? size : sizeof(stream);
	memcpy(stream, data, size);
	if (size >= ZNP_OVERHEAD && stream[0] == 0xfe && stream[1] + ZNP_OVERHEAD <= size) {
		uint8_t sum = 0;

		for (size_t i = 1; i < stream[1] + 4u; i++) {
			sum ^= stream[i];
		}
		stream[stream[1] + 4] = sum;
	}
	for (;;) {
		struct znp_frame frame;
		size_t used = SIZE_MAX;
		int ret = znp_parse(stream + at, size - at, &frame, &used);

		assert(used <= size - at);
		if (ret == 0) {
			assert(size - at < ZNP_FRAME_MAX);
			return 0;
		}
		assert(used > 0);
		if (ret == 1) {
			check_frame(&frame);
		}
		at += used;
	}
}
