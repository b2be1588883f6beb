// SPDX-License-Identifier: GPL-2.0-only
/* The air: times, error rates, collisions, hidden nodes, interference; stacks and modems on it. */
#include "link_bench.h"

#include "../../userspace/plant/rng.h"
#include "air.h"
#include "l2.h"
#include "modem.h"
#include "stack.h"

#define NODES 4
#define LONG_FRAME 100
/* Longer than two such frames and the longest backoff. */
#define PAUSE_US 10000

struct node {
	int radio;
	struct air *air;
	int received;
	int received_from[NODES];
	int sent[3];
	uint64_t sent_us;
	uint64_t received_us;
	double period_us;
	struct rng *rng;
};

static struct air *air;
static struct node node[NODES];

static void on_received(void *ctx, uint64_t now_us, const uint8_t *frame, size_t n,
			double level_dbm)
{
	struct node *self = ctx;
	struct mac_frame mac;

	(void)level_dbm;
	assert_int_equal(mac_parse(frame, n, &mac), 0);
	self->received++;
	self->received_from[mac.src.address]++;
	self->received_us = now_us;
}

static void on_sent(void *ctx, uint64_t now_us, enum air_result result)
{
	struct node *self = ctx;

	self->sent[result]++;
	self->sent_us = now_us;
}

static int try_data(int from, int to, bool ack, size_t n)
{
	static uint8_t seq;
	uint8_t payload[MAC_FRAME_MAX] = { 0 };
	uint8_t frame[MAC_FRAME_MAX];
	struct mac_frame mac = {
		.type = MAC_DATA,
		.ack_request = ack,
		.seq = seq++,
		.dst = { MAC_MODE_SHORT, 7, to < 0 ? MAC_BROADCAST : (uint64_t)to },
		.src = { MAC_MODE_SHORT, 7, (uint64_t)from },
		.payload = payload,
		.n = n - 11,
	};
	int length = mac_build(&mac, frame, sizeof(frame));

	assert_int_equal(length, n);
	return air_send(air, node[from].radio, frame, n);
}

static void data(int from, int to, bool ack, size_t n)
{
	assert_int_equal(try_data(from, to, ack, n), 0);
}

/* Broadcasts repeatedly, after a fixed pause and a random one. */
static void on_alarm(void *ctx, uint64_t now_us, int alarm)
{
	struct node *self = ctx;
	double pause_us = PAUSE_US - log(rng_uniform(self->rng, 1e-12, 1)) * self->period_us;

	(void)alarm;
	/* a long backoff may still be under way */
	try_data((int)(self - node), -1, false, LONG_FRAME);
	air_alarm(air, self->radio, 0, now_us + (uint64_t)pause_us);
}

static const struct air_ops ops = { on_received, on_sent, on_alarm };

/* Nodes 0 to 3 in one PAN; nobody hears anybody. */
static void set_up(const struct air_config *config)
{
	air_free(air);
	air = air_new(config);
	assert_non_null(air);
	memset(node, 0, sizeof(node));
	for (int i = 0; i < NODES; i++) {
		struct air_radio_config radio = { .channel = 16, .pan = 7, .address = (uint16_t)i };

		node[i].radio = air_add(air, &radio, &ops, &node[i]);
		assert_int_equal(node[i].radio, i);
	}
}

static void hear(int a, int b, double dbm)
{
	air_level(air, a, b, dbm);
	air_level(air, b, a, dbm);
}

/* IEEE 802.15.4-2006 E.4.1.8, evaluated on its own; ratio in dB. */
static void bit_errors_follow_the_standards_formula(void **state)
{
	static const struct {
		double db, rate;
	} point[] = {
		{ -6, 1.222104e-01 }, { -4, 3.916346e-02 }, { -2, 5.197000e-03 },
		{ -1, 1.148944e-03 }, { 0, 1.615267e-04 },  { 1, 1.291187e-05 },
		{ 2, 5.131392e-07 },  { 3, 8.597191e-09 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(point); i++) {
		double rate = air_bit_error_rate(pow(10, point[i].db / 10));

		check_near("bit error rate", rate, point[i].rate, 1e-4 * point[i].rate);
	}
	assert_true(air_bit_error_rate(0) <= 0.5);
	assert_true(air_bit_error_rate(1000) >= 0);
}

/* Frames of 20 bytes at each ratio, through the air: 26 bytes with their head. */
static void frame_errors_follow_from_the_bit_errors(void **state)
{
	static const double db[] = { -3, -2, -1, 0, 1 };
	enum { FRAMES = 4000 };

	(void)state;
	for (size_t i = 0; i < COUNT(db); i++) {
		struct air_config config = {
			.seed = 3 + i, .noise_dbm = -90, .sense_dbm = -50, .lock_db = -20
		};
		double ber = air_bit_error_rate(pow(10, db[i] / 10));
		double expected = 1 - pow(1 - ber, 26 * 8);
		double measured;

		set_up(&config);
		hear(0, 1, -90 + db[i]);
		for (int n = 0; n < FRAMES; n++) {
			data(0, 1, false, 20);
			air_run(air, air_now(air) + 20000);
		}
		measured = 1 - (double)node[1].received / FRAMES;
		print_message("%g dB: frame error rate %.4f, expected %.4f\n", db[i], measured,
			      expected);
		check_near("frame error rate", measured, expected,
			   4 * sqrt(expected * (1 - expected) / FRAMES) + 1e-3);
		assert_int_equal(air_count(air, 1)->damaged, FRAMES - node[1].received);
	}
}

static void an_acknowledged_frame_takes_its_time(void **state)
{
	uint64_t done;

	(void)state;
	set_up(&air_config_default);
	hear(0, 1, -60);
	data(0, 1, true, 50);
	air_run(air, 1000000);
	assert_int_equal(node[0].sent[AIR_SENT], 1);
	assert_int_equal(node[1].received, 1);
	done = node[0].sent_us - node[1].received_us;
	assert_int_equal(done, AIR_TURNAROUND_US + (AIR_HEAD_BYTES + AIR_ACK_BYTES) * AIR_BYTE_US);
	assert_true(node[1].received_us >=
		    AIR_CCA_US + AIR_TURNAROUND_US + (AIR_HEAD_BYTES + 50) * AIR_BYTE_US);
	assert_true(node[1].received_us <= 7 * AIR_BACKOFF_US + AIR_CCA_US + AIR_TURNAROUND_US +
						   (AIR_HEAD_BYTES + 50) * AIR_BYTE_US);
	assert_int_equal(air_count(air, 0)->sent, 1);
	assert_int_equal(air_count(air, 1)->sent, 1);
	assert_true(air_next(air) == AIR_NEVER);
}

static void a_frame_without_an_answer_is_sent_four_times(void **state)
{
	(void)state;
	set_up(&air_config_default);
	air_level(air, 0, 1, -60); /* node 0 does not hear the acknowledgements */
	data(0, 1, true, 50);
	air_run(air, 1000000);
	assert_int_equal(node[0].sent[AIR_NO_ACK], 1);
	assert_int_equal(air_count(air, 0)->sent, 1 + AIR_MAX_RETRIES);
	assert_int_equal(air_count(air, 1)->received, 1 + AIR_MAX_RETRIES);
}

static void other_pans_channels_and_addresses_do_not_hear(void **state)
{
	struct air_radio_config radio;

	(void)state;
	set_up(&air_config_default);
	hear(0, 1, -60);
	hear(0, 2, -60);
	hear(0, 3, -60);
	radio = *air_configuration(air, 1);
	radio.pan = 8;
	air_configure(air, 1, &radio);
	radio = *air_configuration(air, 2);
	radio.channel = 17;
	air_configure(air, 2, &radio);
	data(0, -1, false, 50);
	air_run(air, 100000);
	assert_int_equal(node[1].received, 0);
	assert_int_equal(node[2].received, 0);
	assert_int_equal(node[3].received, 1);
	data(0, 1, false, 50);
	air_run(air, 200000);
	assert_int_equal(node[3].received, 1);
}

#define SECONDS 200

/*
 * Node 0 receives from 1, which is weak, and 2, which is strong; both send at random times.
 * Returns the share of node 1's frames that is lost, and how many node 2 has sent.
 */
static double share_lost(bool hidden, int *ret_strong)
{
	struct air_config config = air_config_default;
	struct rng rng;

	config.seed = 11;
	set_up(&config);
	rng_seed(&rng, 5);
	hear(0, 1, -70);
	hear(0, 2, -60);
	if (!hidden) {
		hear(1, 2, -70);
	}
	for (int i = 1; i <= 2; i++) {
		node[i].period_us = 20000;
		node[i].rng = &rng;
		air_alarm(air, i, 0, 0);
	}
	air_run(air, SECONDS * UINT64_C(1000000));
	assert_true(node[1].sent[AIR_SENT] > 1000);
	*ret_strong = node[2].sent[AIR_SENT];
	return 1 - (double)node[0].received_from[1] / node[1].sent[AIR_SENT];
}

/*
 * Pure ALOHA: a weak frame is lost if it overlaps a strong one. With frames of length T that
 * begin every t on average, and never less than 2 T apart, that is the share 2 T / t.
 */
static void hidden_nodes_collide_as_in_pure_aloha(void **state)
{
	const double frame_us = (AIR_HEAD_BYTES + LONG_FRAME) * AIR_BYTE_US;
	int strong;
	double hidden = share_lost(true, &strong);
	double expected = 2 * frame_us * strong / (SECONDS * 1e6);
	double heard = share_lost(false, &strong);

	(void)state;
	print_message("lost: hidden %.4f, by the formula %.4f; within hearing %.4f\n", hidden,
		      expected, heard);
	check_near("lost to a hidden node", hidden, expected, 0.02);
	assert_true(heard < hidden / 4);
}

static void an_interferer_blocks_those_that_hear_it_and_damages_others(void **state)
{
	(void)state;
	set_up(&air_config_default);
	hear(0, 1, -60);
	hear(3, 0, -50);
	assert_int_equal(air_burst(air, 3, 500000), 0);
	assert_int_equal(air_burst(air, 3, 500000), -EBUSY);
	data(0, 1, true, 50);
	air_run(air, 400000);
	assert_int_equal(node[0].sent[AIR_BUSY], 1);
	assert_int_equal(air_count(air, 0)->sent, 0);

	set_up(&air_config_default);
	hear(0, 1, -60);
	hear(3, 1, -50); /* only the receiver hears it */
	air_burst(air, 3, 500000);
	data(0, 1, true, 50);
	air_run(air, 400000);
	assert_int_equal(node[0].sent[AIR_NO_ACK], 1);
	assert_int_equal(node[1].received, 0);
	air_run(air, 500000);
	data(0, 1, true, 50);
	air_run(air, 900000);
	assert_int_equal(node[0].sent[AIR_SENT], 1);
}

struct end {
	struct stack stack;
	int received;
	int statuses[256];
	uint64_t received_us;
	struct stack_message last;
};

static void end_received(void *ctx, uint64_t now_us, const struct stack_message *message)
{
	struct end *end = ctx;

	end->received++;
	end->received_us = now_us;
	end->last = *message;
}

static void end_done(void *ctx, uint64_t now_us, const struct stack_message *message,
		     enum znp_status status)
{
	(void)now_us;
	(void)message;
	((struct end *)ctx)->statuses[status]++;
}

static void end_alarm(void *ctx, uint64_t now_us)
{
	(void)ctx;
	(void)now_us;
}

static const struct stack_ops end_ops = { end_received, end_done, end_alarm, NULL };
static struct end end[2];

static void set_up_ends(double dbm)
{
	air_free(air);
	air = air_new(&air_config_default);
	memset(end, 0, sizeof(end));
	for (int i = 0; i < 2; i++) {
		struct air_radio_config radio = { .channel = 16, .pan = 7, .address = (uint16_t)i };

		assert_int_equal(stack_init(&end[i].stack, air, &radio, &end_ops, &end[i]), i);
	}
	hear(0, 1, dbm);
}

static struct stack_message reply_to(uint16_t peer, size_t n)
{
	struct stack_message message = { .peer = peer,
					 .pan = 7,
					 .dst_endpoint = ZIGBEE_ENDPOINT,
					 .src_endpoint = ZIGBEE_ENDPOINT,
					 .cluster = ZIGBEE_CLUSTER_REPLY,
					 .radius = 15,
					 .n = n };

	for (size_t i = 0; i < n; i++) {
		message.data[i] = (uint8_t)(i * 3);
	}
	return message;
}

/* 94 bytes: two data frames and two acknowledgements of APS, each acknowledged by the MAC. */
static void a_reply_takes_two_acknowledged_fragments(void **state)
{
	struct stack_message message = reply_to(0, 94);

	(void)state;
	set_up_ends(-60);
	assert_int_equal(stack_send(&end[1].stack, &message), 0);
	air_run(air, 1000000);
	assert_int_equal(end[0].received, 1);
	assert_int_equal(end[0].last.n, 94);
	assert_memory_equal(end[0].last.data, message.data, 94);
	assert_int_equal(end[0].last.peer, 1);
	assert_int_equal(end[1].statuses[ZNP_SUCCESS], 1);
	assert_int_equal(air_count(air, 1)->sent, 4);
	assert_int_equal(air_count(air, 0)->sent, 4);
	print_message("two fragments took %.1f ms\n", (double)end[0].received_us / 1000);
}

static void a_lost_second_fragment_ends_as_an_error(void **state)
{
	struct stack_message message = reply_to(0, 94);

	(void)state;
	set_up_ends(-60);
	end[1].stack.fault_lose_block = true;
	stack_send(&end[1].stack, &message);
	air_run(air, 5000000);
	assert_int_equal(end[0].received, 0);
	assert_int_equal(end[1].statuses[ZNP_NO_APS_ACK], 1);
	end[1].stack.fault_lose_block = false;
	stack_send(&end[1].stack, &message);
	air_run(air, 6000000);
	assert_int_equal(end[0].received, 1);
}

#define MESSAGES 300

/*
 * At this level a quarter of the long frames is lost, and acknowledgements too: the layers above
 * repeat, and deliver once. A message without fragments is repeated by the MAC alone.
 */
static void messages_arrive_once_over_a_bad_link(void **state)
{
	static const size_t length[] = { 94, 80 };

	(void)state;
	for (size_t l = 0; l < COUNT(length); l++) {
		struct stack_message message = reply_to(0, length[l]);
		int confirmed;

		set_up_ends(-98.3);
		for (int i = 0; i < MESSAGES; i++) {
			assert_int_equal(stack_send(&end[1].stack, &message), 0);
			air_run(air, air_now(air) + 3000000);
		}
		confirmed = end[1].statuses[ZNP_SUCCESS];
		print_message("%zu bytes: %d of %d confirmed, %d received, %llu frames damaged\n",
			      length[l], confirmed, MESSAGES, end[0].received,
			      (unsigned long long)air_count(air, 0)->damaged);
		assert_true(air_count(air, 0)->damaged > 30);
		assert_true(air_count(air, 0)->received > MESSAGES);
		assert_true(confirmed >= MESSAGES - 10);
		assert_true(end[0].received >= confirmed && end[0].received <= MESSAGES);
	}
}

static void a_late_duplicate_is_delivered_again_when_switched_on(void **state)
{
	struct stack_message message = reply_to(0, 40);

	(void)state;
	set_up_ends(-60);
	end[0].stack.fault_duplicate_us = 700000;
	stack_send(&end[1].stack, &message);
	air_run(air, 600000);
	assert_int_equal(end[0].received, 1);
	air_run(air, 2000000);
	assert_int_equal(end[0].received, 2);
}

static void a_queue_that_is_full_refuses(void **state)
{
	struct stack_message message = reply_to(0, 94);

	(void)state;
	set_up_ends(-60);
	for (int i = 0; i < STACK_QUEUE; i++) {
		assert_int_equal(stack_send(&end[1].stack, &message), 0);
	}
	assert_int_equal(stack_send(&end[1].stack, &message), -ENOBUFS);
	message.n = STACK_MESSAGE_MAX + 1;
	assert_int_equal(stack_send(&end[1].stack, &message), -EMSGSIZE);
	air_run(air, 2000000);
	assert_int_equal(end[1].statuses[ZNP_SUCCESS], STACK_QUEUE);
}

static struct {
	uint8_t byte[8192];
	size_t n;
} line;
static struct modem modem;

static void on_output(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	assert_true(line.n + n <= sizeof(line.byte));
	memcpy(line.byte + line.n, bytes, n);
	line.n += n;
}

/* A modem as number 0 and a stack as number 1, which hear each other. */
static void set_up_modem(enum modem_chip chip)
{
	struct air_radio_config radio = { .channel = 16, .pan = 0xa3d8, .address = 0x3a10 };
	struct modem_config config = { .chip = chip };

	air_free(air);
	air = air_new(&air_config_default);
	memset(end, 0, sizeof(end));
	line.n = 0;
	assert_int_equal(modem_init(&modem, air, &config, on_output, NULL), 0);
	assert_int_equal(stack_init(&end[1].stack, air, &radio, &end_ops, &end[1]), 1);
	hear(0, 1, -60);
	air_run(air, 1000000);
}

/* Send and wait; then the first frame with this command that came, its data; false for none. */
static bool say(const char *text, uint64_t wait_us, uint16_t command, struct znp_frame *ret)
{
	struct bytes bytes = hex(text);
	uint8_t frame[ZNP_FRAME_MAX];
	int n = znp_build((uint16_t)(bytes.byte[0] << 8 | bytes.byte[1]), bytes.byte + 2,
			  bytes.n - 2, frame, sizeof(frame));
	size_t at = 0;

	line.n = 0;
	modem_input(&modem, frame, (size_t)n);
	air_run(air, air_now(air) + wait_us);
	while (at < line.n) {
		size_t used;
		int got = znp_parse(line.byte + at, line.n - at, ret, &used);

		if (got == 0) {
			return false;
		}
		at += used;
		if (got == 1 && ret->command == command) {
			return true;
		}
	}
	return false;
}

#define POLL "2401 103A 14 14 0600 01 00 0F 13 80971B01A3D8 FBFB06BB000000000000C1FEFE"

static void bring_up(void)
{
	static const char *const step[] = {
		"2605 03 01 03",       "2605 01 08 FFFF80971B01A3D8",
		"2605 87 01 00",       "2605 83 02 D8A3",
		"2605 84 04 00000100", "2400 14 050F 0001 01 00 02 0000 1500 00"
	};
	struct znp_frame frame;

	assert_true(say("4100 00", 1000000, ZNP_RESET_IND, &frame));
	for (size_t i = 0; i < COUNT(step); i++) {
		uint16_t command = i + 1 < COUNT(step) ? 0x6605 : 0x6400;

		assert_true(say(step[i], 100000, command, &frame));
		assert_int_equal(frame.data[0], ZNP_SUCCESS);
	}
	assert_true(say("2600", 1000000, ZNP_ZDO_STATE, &frame));
}

/* The sequence of the public clients, and a poll with all that comes back. */
static void a_modem_starts_as_the_public_clients_start_it(void **state)
{
	struct stack_message reply = reply_to(0, 94);
	struct znp_device_info info;
	struct znp_incoming incoming;
	struct znp_frame frame;

	(void)state;
	set_up_modem(MODEM_CC2530);
	assert_true(say(POLL, 100000, 0x6401, &frame));
	assert_int_equal(frame.data[0], ZNP_FAILURE);
	bring_up();
	assert_true(say("2700", 100000, 0x6700, &frame));
	assert_int_equal(znp_device_info_parse(&frame, &info), 0);
	assert_int_equal(info.state, ZNP_STATE_COORDINATOR);
	assert_true(info.ieee == 0xd8a3011b9780ffff);
	assert_true(say(POLL, 100000, ZNP_AF_DATA_CONFIRM, &frame));
	assert_int_equal(frame.data[0], ZNP_SUCCESS);
	assert_int_equal(frame.data[2], 1);
	assert_int_equal(end[1].received, 1);
	assert_int_equal(end[1].last.n, 19);
	assert_int_equal(end[1].last.cluster, ZIGBEE_CLUSTER_REQUEST);
	line.n = 0;
	stack_send(&end[1].stack, &reply);
	assert_true(say("2101", 300000, ZNP_AF_INCOMING_MSG, &frame));
	assert_int_equal(znp_incoming_parse(&frame, &incoming), 0);
	assert_int_equal(incoming.src, 0x3a10);
	assert_int_equal(incoming.n, 94);
	assert_true(incoming.lqi > 90 && incoming.lqi < 130);
}

static void a_poll_of_an_absent_unit_is_reported(void **state)
{
	struct znp_frame frame;

	(void)state;
	set_up_modem(MODEM_CC2530);
	bring_up();
	air_level(air, 0, 1, AIR_SILENT_DBM);
	assert_true(say(POLL, 300000, ZNP_AF_DATA_CONFIRM, &frame));
	assert_int_equal(frame.data[0], ZNP_NO_MAC_ACK);
}

static void a_newer_chip_refuses_the_simple_api(void **state)
{
	struct znp_frame frame;

	(void)state;
	set_up_modem(MODEM_CC2652);
	assert_true(say("2605 83 02 D8A3", 100000, ZNP_ERROR, &frame));
	assert_memory_equal(frame.data + 1, "\x26\x05", 2);
	assert_true(say("2109 8300 00 02 D8A3", 100000, 0x6109, &frame));
	assert_int_equal(frame.data[0], ZNP_SUCCESS);
	assert_true(say("2109 8400 00 04 00000100", 100000, 0x6109, &frame));
	assert_true(say("2109 8700 00 01 00", 100000, 0x6109, &frame));
	assert_true(say("2109 8700 00 01 07", 100000, 0x6109, &frame));
	assert_int_equal(frame.data[0], ZNP_INVALID_PARAMETER);
	assert_true(say("2540 0000", 1000000, ZNP_ZDO_STATE, &frame));
	assert_true(say(POLL, 100000, ZNP_AF_DATA_CONFIRM, &frame));
	assert_int_equal(frame.data[0], ZNP_SUCCESS);
}

static void faults_of_the_chip_appear_and_end(void **state)
{
	struct znp_frame frame;

	(void)state;
	set_up_modem(MODEM_CC2530);
	bring_up();
	modem_fault(&modem, MODEM_FULL, true);
	assert_true(say(POLL, 100000, 0x6401, &frame));
	assert_int_equal(frame.data[0], ZNP_BUFFER_FULL);
	modem_fault(&modem, MODEM_FULL, false);
	modem_fault(&modem, MODEM_GARBAGE, true);
	assert_true(say("2101", 100000, 0x6101, &frame));
	assert_int_not_equal(line.byte[0], 0xfe);
	modem_fault(&modem, MODEM_GARBAGE, false);
	modem_fault(&modem, MODEM_FROZEN, true);
	assert_false(say("2101", 1000000, 0x6101, &frame));
	assert_false(say("4100 00", 1000000, ZNP_RESET_IND, &frame));
	modem_reset(&modem);
	air_run(air, air_now(air) + 1000000);
	assert_true(say("2101", 100000, 0x6101, &frame));
	assert_int_equal(modem_fault_by_name("lost-block"), MODEM_LOST_BLOCK);
	assert_int_equal(modem_fault_by_name("none"), -1);
}

static int tear_down(void **state)
{
	(void)state;
	air_free(air);
	air = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bit_errors_follow_the_standards_formula),
		cmocka_unit_test(frame_errors_follow_from_the_bit_errors),
		cmocka_unit_test(an_acknowledged_frame_takes_its_time),
		cmocka_unit_test(a_frame_without_an_answer_is_sent_four_times),
		cmocka_unit_test(other_pans_channels_and_addresses_do_not_hear),
		cmocka_unit_test(hidden_nodes_collide_as_in_pure_aloha),
		cmocka_unit_test(an_interferer_blocks_those_that_hear_it_and_damages_others),
		cmocka_unit_test(a_reply_takes_two_acknowledged_fragments),
		cmocka_unit_test(a_lost_second_fragment_ends_as_an_error),
		cmocka_unit_test(messages_arrive_once_over_a_bad_link),
		cmocka_unit_test(a_late_duplicate_is_delivered_again_when_switched_on),
		cmocka_unit_test(a_queue_that_is_full_refuses),
		cmocka_unit_test(a_modem_starts_as_the_public_clients_start_it),
		cmocka_unit_test(a_poll_of_an_absent_unit_is_reported),
		cmocka_unit_test(a_newer_chip_refuses_the_simple_api),
		cmocka_unit_test(faults_of_the_chip_appear_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
