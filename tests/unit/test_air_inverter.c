// SPDX-License-Identifier: GPL-2.0-only
/* A simulated inverter on the air: pairing, sealed commands, stock commands, events. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "inverter.h"
#include "steady.h"
#include "util.h"

#define CHANNEL 16
#define PAN 0x1234
#define ADDRESS 0x1001
#define WATTS 200.0

static struct {
	struct air *air;
	struct inverter unit;
	struct steady steady;
	struct stack ecu;
	struct own_message reply;
	bool replied;
	int acknowledged; /* stock: 1 done, 0 refused, -1 none */
	uint8_t id;
	struct seal_key key;
	uint32_t counter;
} bench;

static void on_received(void *ctx, uint64_t now_us, const struct stack_message *message)
{
	struct own_part part;
	struct l2 frame;

	(void)ctx;
	(void)now_us;
	if (own_parse(message->data, message->n, &part) == 0) {
		bench.replied |= own_collect(&bench.reply, &part);
	} else if (message->n > SERIAL_BYTES &&
		   l2_parse(message->data + SERIAL_BYTES, message->n - SERIAL_BYTES, &frame) == 0) {
		bench.acknowledged = frame.command == 0xde;
	}
}

static void on_done(void *ctx, uint64_t now_us, const struct stack_message *message,
		    enum znp_status status)
{
	(void)ctx;
	(void)now_us;
	(void)message;
	assert_int_equal(status, 0);
}

static void on_alarm(void *ctx, uint64_t now_us)
{
	(void)ctx;
	(void)now_us;
}

static const struct stack_ops ecu_ops = { on_received, on_done, on_alarm, NULL };

static void run_ms(int ms)
{
	for (int i = 0; i < ms; i += 10) {
		uint64_t now_us = air_now(bench.air) + 10000;

		air_run(bench.air, now_us);
		steady_run(&bench.steady, now_us);
		inverter_run(&bench.unit, now_us);
	}
}

static int set_up(void **state)
{
	struct air_radio_config radio = { .channel = CHANNEL, .pan = PAN, .address = ADDRESS };
	const struct air_radio_config ecu = { .channel = CHANNEL, .pan = PAN, .address = 0 };
	struct inverter_config config = { .stock_ms = INT64_MAX,
					  .start_wall_ms = 1000000,
					  .version = 1000 };
	char err[QS1_PROFILE_ERR_SIZE];
	int unit;

	(void)state;
	memset(&bench, 0, sizeof(bench));
	bench.acknowledged = -1;
	assert_int_equal(inverter_profile("ieee1547-2018-cat3", &config.profile, err, sizeof(err)),
			 0);
	serial_parse("806000000001", &config.serial);
	memset(config.code, 7, sizeof(config.code));
	bench.air = air_new(&air_config_default);
	assert_int_equal(stack_init(&bench.ecu, bench.air, &ecu, &ecu_ops, NULL), 0);
	steady_init(&bench.steady, WATTS);
	unit = inverter_init(&bench.unit, bench.air, &radio, &config, &steady_firmware,
			     &bench.steady);
	assert_int_equal(unit, 1);
	air_level(bench.air, 0, 1, -60);
	air_level(bench.air, 1, 0, -60);
	run_ms(3000);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	air_free(bench.air);
	return 0;
}

static void send(const uint8_t *bytes, size_t n)
{
	struct stack_message message = { .peer = ADDRESS,
					 .dst_endpoint = ZIGBEE_ENDPOINT,
					 .src_endpoint = ZIGBEE_ENDPOINT,
					 .cluster = ZIGBEE_CLUSTER_REQUEST,
					 .radius = 15,
					 .n = n };

	memcpy(message.data, bytes, n);
	assert_int_equal(stack_send(&bench.ecu, &message), 0);
}

/* Send a message of ours; true with a reply of that type within @ms. */
static bool ask(enum own_type type, const uint8_t *body, size_t n, int ms)
{
	uint8_t frame[OWN_FRAME_MAX];

	bench.id++;
	bench.replied = false;
	memset(&bench.reply, 0, sizeof(bench.reply));
	for (unsigned int part = 0; part < own_parts(n); part++) {
		int length = own_build(type, bench.id, body, n, part, frame, sizeof(frame));

		send(frame, (size_t)length);
		run_ms(20);
	}
	for (int waited = 0; waited < ms && !bench.replied; waited += 10) {
		run_ms(10);
	}
	return bench.replied && bench.reply.id == bench.id;
}

static int pair(const uint8_t *code)
{
	struct own_pair message = { .serial = bench.unit.config.serial };
	struct seal_head head = { .kind = SEAL_PAIR_ECU, .serial = message.serial };
	uint8_t body[OWN_PAIR_MAX];
	struct own_pair offer, result;
	int n;

	memset(message.nonce, 3, sizeof(message.nonce));
	n = own_pair_put(OWN_PAIR_REQUEST, &message, body, sizeof(body));
	assert_true(ask(OWN_PAIR_REQUEST, body, (size_t)n, 1000));
	assert_int_equal(own_pair_parse(OWN_PAIR_OFFER, bench.reply.body, bench.reply.n, &offer),
			 0);
	seal_derive(code, &message.serial, message.nonce, offer.nonce, &bench.key);
	seal_make(&bench.key, &head, NULL, 0, message.proof, sizeof(message.proof));
	n = own_pair_put(OWN_PAIR_CONFIRM, &message, body, sizeof(body));
	assert_true(ask(OWN_PAIR_CONFIRM, body, (size_t)n, 2000));
	assert_int_equal(own_pair_parse(OWN_PAIR_RESULT, bench.reply.body, bench.reply.n, &result),
			 0);
	return result.error;
}

/* A sealed request; its answer in @text, or the errno by which the seal was refused. */
static int command(const char *request, char *text, size_t size)
{
	struct seal_head head = { .kind = SEAL_COMMAND,
				  .serial = bench.unit.config.serial,
				  .boot = bench.unit.pairing.boot,
				  .counter = bench.counter };
	uint8_t sealed[600];
	const uint8_t *body;
	uint32_t counter;
	size_t length;
	int n = seal_make(&bench.key, &head, (const uint8_t *)request, strlen(request), sealed,
			  sizeof(sealed));

	assert_true(ask(OWN_SEALED, sealed, (size_t)n, 3000));
	if (bench.reply.body[0]) {
		return bench.reply.body[0];
	}
	head.kind = SEAL_REPLY;
	head.counter--;
	assert_int_equal(seal_check(&bench.key, &head, bench.reply.body + 1, bench.reply.n - 1,
				    &counter, &body, &length),
			 0);
	assert_int_equal(counter, bench.counter);
	snprintf(text, size, "%.*s", (int)length, (const char *)body);
	return 0;
}

static double power_w(void)
{
	run_ms(500);
	return bench.unit.telemetry.p_mw / 1e3;
}

static void produces_without_an_ecu(void **state)
{
	(void)state;
	assert_true(power_w() > 4 * WATTS * 0.9);
	assert_int_equal(bench.unit.out.state, QS1_STATE_PRODUCING);
}

static void pairs_with_its_label_and_with_no_other(void **state)
{
	uint8_t wrong[INSTALL_CODE_BYTES] = { 1 };
	char text[600];

	(void)state;
	assert_int_equal(pair(wrong), -EKEYREJECTED);
	assert_false(bench.unit.policy.kept.paired);
	assert_int_equal(pair(bench.unit.config.code), 0);
	assert_true(bench.unit.policy.kept.paired);
	bench.counter = 1;
	assert_int_equal(
		command("{\"cmd\":\"get\",\"name\":\"power_limit_w\"}", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "\"ok\":true"));
}

static void a_sealed_limit_ends_with_its_lease(void **state)
{
	char text[600];

	(void)state;
	assert_int_equal(pair(bench.unit.config.code), 0);
	bench.counter = 1;
	assert_int_equal(
		command("{\"cmd\":\"limit\",\"owner\":\"ecu-export\",\"w\":300,\"lease_s\":10}",
			text, sizeof(text)),
		0);
	assert_non_null(strstr(text, "\"ok\":true"));
	assert_true(power_w() <= 300.5 && power_w() > 290);
	run_ms(10000);
	assert_true(power_w() > 700);
	/* Another message with the same counter is refused. */
	assert_int_equal(
		command("{\"cmd\":\"limit\",\"owner\":\"ecu-export\",\"w\":1,\"lease_s\":10}", text,
			sizeof(text)),
		EALREADY);
	assert_true(power_w() > 700);
	assert_int_equal(bench.unit.refused, 1);
}

static void what_is_not_allowed_by_radio_is_refused_in_words(void **state)
{
	static const struct {
		const char *request;
		const char *code;
	} row[] = {
		{ "{\"cmd\":\"stop\"}", "EACCES" },
		{ "{\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":300}", "EINVAL" },
		{ "{\"cmd\":\"limit\",\"owner\":\"ema\",\"w\":99999,\"lease_s\":9}", "EINVAL" },
		{ "{\"cmd\":\"fly\"}", "ENOENT" },
		{ "[1]", "EINVAL" },
		{ "{\"cmd\":\"set\",\"name\":\"power_limit_w\",\"value\":\"-1\"}", "ERANGE" },
	};
	char text[600];

	(void)state;
	assert_int_equal(pair(bench.unit.config.code), 0);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		bench.counter++;
		assert_int_equal(command(row[i].request, text, sizeof(text)), 0);
		assert_non_null(strstr(text, "\"ok\":false"));
		if (!strstr(text, row[i].code)) {
			fail_msg("%s: expected %s, found %s", row[i].request, row[i].code, text);
		}
	}
	assert_true(power_w() > 700);
}

static void a_ground_fault_stays_until_it_is_cleared(void **state)
{
	static const char clear[] = "{\"cmd\":\"clear\",\"fault\":\"gfdi\"}";
	char text[600];

	(void)state;
	assert_int_equal(pair(bench.unit.config.code), 0);
	steady_ground(&bench.steady, true);
	assert_true(power_w() == 0);
	bench.counter = 1;
	assert_int_equal(command(clear, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "EBUSY"));
	steady_ground(&bench.steady, false);
	assert_true(power_w() == 0);
	bench.counter = 2;
	assert_int_equal(command(clear, text, sizeof(text)), 0);
	assert_non_null(strstr(text, "\"ok\":true"));
	run_ms(6000);
	assert_true(power_w() > 700);
}

static void stock_commands_only_before_it_is_paired(void **state)
{
	uint8_t frame[UNIT_ECU_BYTES + L2_SHORT] = { 0 };

	(void)state;
	assert_true(l2_request(L2_OFF, frame + UNIT_ECU_BYTES, L2_SHORT) > 0);
	send(frame, sizeof(frame));
	run_ms(1000);
	assert_int_equal(bench.acknowledged, 1);
	assert_true(power_w() == 0);
	assert_true(l2_request(L2_ON, frame + UNIT_ECU_BYTES, L2_SHORT) > 0);
	send(frame, sizeof(frame));
	run_ms(1000);
	assert_true(power_w() > 700);
	assert_int_equal(pair(bench.unit.config.code), 0);
	bench.acknowledged = -1;
	assert_true(l2_request(L2_OFF, frame + UNIT_ECU_BYTES, L2_SHORT) > 0);
	send(frame, sizeof(frame));
	run_ms(1000);
	assert_int_equal(bench.acknowledged, 0);
	assert_true(power_w() > 700);
}

/* Where the owner allows stock ECUs: pairing and commands for ten minutes after power-up, reading
 * always. */
static void a_stock_ecu_has_ten_minutes(void **state)
{
	uint8_t frame[UNIT_ECU_BYTES + L2_SHORT] = { 0 };
	static const struct {
		int64_t window_ms;
		int after_ms;
		int acknowledged;
	} row[] = { { COMMAND_STOCK_WINDOW_MS, 0, 1 },
		    { 0, 0, 0 },
		    { COMMAND_STOCK_WINDOW_MS, COMMAND_STOCK_WINDOW_MS, 0 },
		    { INT64_MAX, 0, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		bench.unit.config.stock_ms = row[i].window_ms;
		run_ms(row[i].after_ms);
		bench.acknowledged = -1;
		assert_true(l2_request(L2_OFF, frame + UNIT_ECU_BYTES, L2_SHORT) > 0);
		send(frame, sizeof(frame));
		run_ms(1000);
		assert_int_equal(bench.acknowledged, row[i].acknowledged);
	}
	bench.unit.config.stock_ms = 0;
	assert_true(l2_request(L2_POLL, frame + UNIT_ECU_BYTES, L2_SHORT) > 0);
	bench.unit.node.answered = 0;
	send(frame, sizeof(frame));
	run_ms(1000);
	assert_int_equal(bench.unit.node.answered, 1);
}

static void events_have_numbers_and_words(void **state)
{
	uint8_t body[OWN_EVENTS_REQUEST_BYTES];
	struct own_event event;
	uint32_t next = 1;
	size_t at = OWN_EVENTS_HEAD_BYTES;

	(void)state;
	steady_ground(&bench.steady, true);
	run_ms(1000);
	own_events_request_put(1, 20, body);
	assert_true(ask(OWN_EVENTS_REQUEST, body, sizeof(body), 2000));
	while (at < bench.reply.n) {
		int n = own_event_parse(bench.reply.body + at, bench.reply.n - at, &event);

		assert_true(n > 0);
		assert_int_equal(event.number, next++);
		assert_true(event.time_ms >= 1000000);
		at += (size_t)n;
	}
	assert_int_equal(event.number, bench.unit.newest);
	assert_true(next > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(produces_without_an_ecu, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pairs_with_its_label_and_with_no_other, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_sealed_limit_ends_with_its_lease, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_allowed_by_radio_is_refused_in_words,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_ground_fault_stays_until_it_is_cleared, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(stock_commands_only_before_it_is_paired, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_stock_ecu_has_ten_minutes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_have_numbers_and_words, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
