// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * linkd between a hostile modem, a hostile radio and a qs1d that says anything: a row of pieces,
 * each a kind, a length and that many bytes. Payloads by radio come in sound ZNP frames, which no
 * fuzzer guesses.
 */
#include "core.h"
#include "fuzz.h"
#include "zigbee.h"

#define STATUS                                                                                     \
	"{\"v\":1,\"id\":%u,\"ok\":true,\"result\":{\"state\":\"producing\",\"seal\":{\"serial\":" \
	"\"806000000001\",\"boot\":\"1\",\"counter\":1},\"meter\":{\"grid\":{\"v\":240}}}}"

static struct linkd linkd;
/* The state of @linkd after a start. Its pointers to itself are valid only in @linkd. */
static struct linkd started;
static unsigned int asked;

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	struct znp_frame frame;
	size_t used;

	(void)ctx;
	assert(znp_parse(bytes, n, &frame, &used) == 1 && used == n);
}

static void to_daemon(void *ctx, const char *line)
{
	(void)ctx;
	assert(sscanf(line, "{\"v\":1,\"id\":%u", &asked) == 1 && !strchr(line, '\n'));
}

static void hard_reset(void *ctx)
{
	(void)ctx;
}

static void to_log(void *ctx, int priority, const char *text)
{
	(void)ctx;
	(void)priority;
	assert(text[0]);
}

static void network(void *ctx, uint16_t pan)
{
	(void)ctx;
	assert(pan == linkd.config.pan);
}

static const struct linkd_ops ops = { to_modem, to_daemon, hard_reset, to_log, network };

static void modem_says(uint16_t command, const uint8_t *data, size_t n, uint64_t now)
{
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_build(command, data, n, frame, sizeof(frame));

	if (length > 0) {
		linkd_modem_bytes(&linkd, frame, (size_t)length, now);
	}
}

/* Through the start, as a modem of the older kind goes. */
static void bring_up(void)
{
	static const uint8_t zero[6];
	static const uint8_t up = ZNP_STATE_ROUTER;
	const struct znp_device_info info = { .address = 1, .state = ZNP_STATE_ROUTER };
	uint8_t frame[ZNP_FRAME_MAX];
	int n = znp_device_info_build(&info, frame, sizeof(frame));

	modem_says(ZNP_RESET_IND, zero, 6, 1);
	for (int step = 0; step < 6; step++) {
		modem_says(ZNP_ANSWER(step < 5 ? ZNP_ZB_WRITE_CONFIG : ZNP_AF_REGISTER), zero, 1,
			   2);
	}
	modem_says(ZNP_ZDO_STATE, &up, 1, 3);
	/* it is asked for its state and address */
	linkd_run(&linkd, 3);
	assert(n > 0);
	linkd_modem_bytes(&linkd, frame, (size_t)n, 3);
	assert(linkd.host.address == 1);
	assert(linkd.host.phase == HOST_UP);
}

static void radio_says(const uint8_t *bytes, size_t n, uint64_t now)
{
	/* the first byte chooses the cluster, too: requests, or a step of a stock pairing */
	const unsigned int step = (bytes[0] >> 1 & 7) - 1u;
	const uint16_t cluster = step < JOIN_STEP_COUNT ? join_cluster((enum join_step)step)
							: ZIGBEE_CLUSTER_REQUEST;
	const struct znp_incoming incoming = {
		.cluster = cluster, .src = bytes[0] & 1, .data = bytes + 1, .n = n - 1
	};
	uint8_t frame[ZNP_FRAME_MAX];
	int length = znp_incoming_build(&incoming, frame, sizeof(frame));

	if (length > 0) {
		linkd_modem_bytes(&linkd, frame, (size_t)length, now);
	}
}

static void daemon_says(const uint8_t *bytes, size_t n, uint64_t now)
{
	char line[512];

	if (n == 0) {
		snprintf(line, sizeof(line), STATUS, asked);
	} else {
		snprintf(line, sizeof(line), "{\"v\":1,\"id\":%u,%.*s", asked, (int)n,
			 (const char *)bytes);
	}
	linkd_daemon_line(&linkd, line, now);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct linkd_config config = { .pan = 0xa3d8, .channel = 16 };

	(void)argc;
	(void)argv;
	linkd_init(&linkd, &config, &ops, NULL);
	linkd_daemon(&linkd, true, 0);
	linkd_port(&linkd, true, 0);
	bring_up();
	daemon_says(NULL, 0, 4);
	started = linkd;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = 4;

	linkd = started;
	while (size > 2) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;
		const uint8_t *bytes = data + 2;

		now += (uint64_t)data[0] << 12;
		switch (data[0] & 3) {
		case 0:
			linkd_modem_bytes(&linkd, bytes, n, now);
			break;
		case 1:
			daemon_says(bytes, n, now);
			break;
		case 2:
			linkd_run(&linkd, now);
			break;
		default:
			if (n > 0) {
				radio_says(bytes, n, now);
			}
			break;
		}
		assert(linkd.frames <= LINKD_FRAMES && linkd.asks <= LINKD_ASKS);
		assert(linkd.in_flight >= 0 && linkd.in_flight <= linkd.frames);
		data += n + 2;
		size -= n + 2;
	}
	return 0;
}
