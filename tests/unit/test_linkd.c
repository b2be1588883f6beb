// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * linkd between a modem on the simulated air and a simulated qs1d, in virtual time. An ECU's stack
 * is at the other end of the air.
 */
#include "link_bench.h"

#include <sodium.h>
#include <unistd.h>

#include "config.h"
#include "core.h"
#include "modem.h"
#include "names.h"
#include "node.h"
#include "state.h"

/* A status as Documentation/protocol.md has it. */
#define STATUS                                                                                         \
	"{\"state\":\"producing\",\"inverter\":\"ok\",\"profile\":\"note1\",\"profile_applied\":true," \
	"\"armed\":true,\"shutdown\":false,\"faults\":{\"active\":[\"UV1\"],\"latched\":[\"GFDI\"]},"  \
	"\"meter\":{\"pv1\":{\"v\":34.5,\"i\":5.25,\"p\":181.1,\"energy_wh\":1234.5},"                 \
	"\"pv2\":{\"v\":33.0,\"i\":5.0,\"p\":165.0,\"energy_wh\":1000.25},"                            \
	"\"pv3\":null,\"pv4\":{\"v\":30.0,\"i\":1.0,\"p\":30.0,\"energy_wh\":10.0},"                   \
	"\"grid\":{\"v\":240.5,\"i\":1.5,\"f\":60.012,\"p\":355.5,\"q\":-12.5,\"energy_wh\":2000.5},"  \
	"\"temp_c\":41.25,\"dc_link_v\":400.1},\"enter_service_s\":null,\"power_limit_w\":1200,"       \
	"\"limits\":[{\"owner\":\"ema\",\"w\":900},{\"owner\":\"stock-ecu\",\"w\":500}],"              \
	"\"seal\":{\"serial\":\"806000000001\",\"boot\":\"00c0ffee00c0ffee\",\"counter\":7,"           \
	"\"paired\":true},\"firmware\":\"1.7.2\",\"uptime_s\":3600.5}"

#define EVENTS                                                                                     \
	"[{\"number\":11,\"boot\":2,\"time_ms\":1795336800123,\"monotonic_ms\":81234,"             \
	"\"source\":\"firmware\",\"kind\":\"trip\",\"cause\":\"UV1\",\"from\":\"producing\","      \
	"\"to\":\"fault\",\"value\":199},"                                                         \
	"{\"number\":12,\"boot\":2,\"time_ms\":1795336800200,\"monotonic_ms\":81300,"              \
	"\"source\":\"policy\",\"kind\":\"reminder\",\"text\":\"ground fault latched\"},"          \
	"{\"number\":13,\"kind\":\"novelty\"}]"

static struct air *air;
static struct modem modem;
static struct linkd linkd;
static bool port_open;
static int hard_resets;
static bool daemon_answers;
static char asked[16][LINKD_LINE_MAX + 64];
static int asks;
static int logged;
static int lines_logged;
static char last_log[256];
static const char *status_result;
static const char *answer_of_sealed;
static const char *answer_of_stock;

static struct {
	struct stack stack;
	struct stack_message got[16];
	int n;
	enum znp_status status;
	uint64_t sent_us;
} ecu;

static void to_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	modem_input(&modem, bytes, n);
}

static void from_modem(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	if (port_open) {
		linkd_modem_bytes(&linkd, bytes, n, air_now(air));
	}
}

static void to_daemon(void *ctx, const char *line)
{
	(void)ctx;
	snprintf(asked[asks++ % 16], sizeof(asked[0]), "%s", line);
}

static void hard_reset(void *ctx)
{
	(void)ctx;
	hard_resets++;
	modem_reset(&modem);
}

static void to_log(void *ctx, int priority, const char *text)
{
	(void)ctx;
	(void)priority;
	logged += strstr(text, "expected a label") != NULL;
	lines_logged++;
	snprintf(last_log, sizeof(last_log), "%s", text);
}

static int networks;

static void network(void *ctx, uint16_t pan)
{
	(void)ctx;
	networks++;
	assert_int_equal(pan, linkd.config.pan);
}

static const struct linkd_ops ops = { to_modem, to_daemon, hard_reset, to_log, network };

static void ecu_received(void *ctx, uint64_t now_us, const struct stack_message *message)
{
	(void)ctx;
	(void)now_us;
	ecu.got[ecu.n++ % 16] = *message;
}

static void ecu_done(void *ctx, uint64_t now_us, const struct stack_message *message,
		     enum znp_status status)
{
	(void)ctx;
	(void)message;
	ecu.sent_us = now_us;
	ecu.status = status;
}

static void ecu_alarm(void *ctx, uint64_t now_us)
{
	(void)ctx;
	(void)now_us;
}

static const struct stack_ops ecu_ops = { ecu_received, ecu_done, ecu_alarm, NULL };

/* The grid at the unit, and what qs1d says of it a moment after it was asked. */
#define GRID_HZ 60.0
#define ANGLE_DELAY_US 3000

static double grid_deg(uint64_t us)
{
	return 360 * fmod(GRID_HZ * (double)us * 1e-6, 1);
}

static const char *angle_result(void)
{
	static char text[128];
	uint64_t us = air_now(air) + ANGLE_DELAY_US;

	snprintf(text, sizeof(text),
		 "true,\"result\":{\"deg\":%.2f,\"f\":%.3f,\"monotonic_us\":%llu}", grid_deg(us),
		 GRID_HZ, (unsigned long long)us);
	return text;
}

static void answer(int from)
{
	for (int i = from; daemon_answers && i < asks; i++) {
		char line[4096];
		unsigned int id = 0;
		const char *ask = asked[i % 16];

		assert_int_equal(sscanf(ask, "{\"v\":1,\"id\":%u,", &id), 1);
		snprintf(line, sizeof(line), "{\"v\":1,\"id\":%u,\"ok\":%s}", id,
			 strstr(ask, "\"report\"") || strstr(ask, "\"status\"") ? status_result
			 : strstr(ask, "\"events\"") ? "true,\"result\":" EVENTS
			 : strstr(ask, "\"angle\"")  ? angle_result()
			 : strstr(ask, "\"stock\"")  ? answer_of_stock
						     : answer_of_sealed);
		linkd_daemon_line(&linkd, line, air_now(air));
	}
}

static void run(uint64_t us)
{
	uint64_t until = air_now(air) + us;
	static int answered;

	answered = asks < answered ? 0 : answered;
	while (air_now(air) < until) {
		uint64_t next = air_next(air) < linkd.due_us ? air_next(air) : linkd.due_us;

		next = next < until ? next : until;
		air_run(air, next > air_now(air) ? next : air_now(air));
		if (air_now(air) >= linkd.due_us) {
			linkd_run(&linkd, air_now(air));
		}
		if (answered < asks) {
			int from = answered;

			answered = asks;
			answer(from);
		}
	}
}

static void set_up(enum modem_chip chip)
{
	const struct linkd_config config = { .pan = 0xa3d8,
					     .channel = 16,
					     .byte_us = MODEM_BYTE_US };
	struct modem_config modem_config = { .chip = chip, .address = 0x3a10 };
	struct air_radio_config radio = { .channel = 16, .pan = 0xa3d8 };

	air_free(air);
	air = air_new(&air_config_default);
	memset(&ecu, 0, sizeof(ecu));
	asks = hard_resets = logged = 0;
	status_result = "true,\"result\":" STATUS;
	port_open = daemon_answers = true;
	answer_of_stock = "false,\"error\":{\"code\":\"EACCES\",\"message\":\"\"}";
	answer_of_sealed = "false,\"error\":{\"code\":\"ENOKEY\",\"message\":\"\"}";
	assert_int_equal(modem_init(&modem, air, &modem_config, from_modem, NULL), 0);
	assert_int_equal(stack_init(&ecu.stack, air, &radio, &ecu_ops, NULL), 1);
	air_level(air, 0, 1, -60);
	air_level(air, 1, 0, -60);
	linkd_init(&linkd, &config, &ops, NULL);
	linkd_daemon(&linkd, true, 0);
	linkd_port(&linkd, true, 0);
	run(8000000);
	assert_int_equal(linkd.host.phase, HOST_UP);
}

static void request(const uint8_t *payload, size_t n)
{
	struct stack_message message = { .peer = 0x3a10,
					 .dst_endpoint = ZIGBEE_ENDPOINT,
					 .src_endpoint = ZIGBEE_ENDPOINT,
					 .cluster = ZIGBEE_CLUSTER_REQUEST,
					 .radius = 15,
					 .n = n };

	memcpy(message.data, payload, n);
	ecu.n = 0;
	assert_int_equal(stack_send(&ecu.stack, &message), 0);
	run(2000000);
}

static void request_l2(enum l2_command command)
{
	uint8_t payload[6 + L2_SHORT] = { 0x80, 0x97, 0x1b, 0x01, 0xa3, 0xd8 };

	assert_int_equal(l2_request(command, payload + 6, L2_SHORT), L2_SHORT);
	request(payload, sizeof(payload));
}

static uint8_t own_id;

/* Send a message of ours, and put together what comes back. */
static void request_own(enum own_type type, const uint8_t *body, size_t n,
			struct own_message *reply)
{
	uint8_t payload[OWN_FRAME_MAX];

	own_id++;
	memset(reply, 0, sizeof(*reply));
	for (unsigned int p = 0; p < own_parts(n); p++) {
		int length = own_build(type, own_id, body, n, p, payload, sizeof(payload));

		request(payload, (size_t)length);
	}
	for (int i = 0; i < ecu.n; i++) {
		struct own_part part;

		assert_int_equal(own_parse(ecu.got[i].data, ecu.got[i].n, &part), 0);
		assert_int_equal(part.id, own_id);
		assert_int_equal(own_collect(reply, &part), i == ecu.n - 1);
	}
}

static double reading(const int64_t *raw, enum l2_telemetry_field field)
{
	return field_physical(&l2_telemetry_field[field], raw[field]);
}

static void a_stock_poll_is_answered_with_the_readings_of_qs1d(void **state)
{
	int64_t raw[L2_TELEMETRY_COUNT];
	struct l2 frame;

	(void)state;
	for (int chip = MODEM_CC2530; chip <= MODEM_CC2652; chip++) {
		set_up(chip);
		request_l2(L2_POLL);
		assert_int_equal(ecu.n, 1);
		assert_int_equal(ecu.got[0].n, 94);
		assert_memory_equal(ecu.got[0].data, "\x80\x60\x00\x00\x00\x01", 6);
		assert_int_equal(l2_parse(ecu.got[0].data + 6, 88, &frame), 0);
		assert_int_equal(l2_telemetry_decode(&frame, raw), 0);
		check_near("voltage A", reading(raw, L2_VOLTAGE_A), 34.5, 0.02);
		check_near("current A", reading(raw, L2_CURRENT_A), 5.25, 0.005);
		check_near("voltage D", reading(raw, L2_VOLTAGE_D), 30, 0.02);
		check_near("grid", reading(raw, L2_GRID), 240.5, 0.1);
		check_near("frequency", reading(raw, L2_FREQUENCY), 60.012, 1e-3);
		check_near("temperature", reading(raw, L2_TEMP), 41.25, 0.15);
		check_near("energy A", reading(raw, L2_ENERGY_A), 0, 1e-6);
		assert_int_equal(raw[L2_SECONDS], 3600);
		assert_int_equal(raw[L2_STATUS], 1u << L2_STATUS_GFDI | 1u << L2_STATUS_UV_SLOW);
		assert_non_null(strstr(asked[(asks - 1) % 16], "\"cmd\":\"report\""));
	}
}

static void frame_of(void *ctx, const uint8_t *payload, size_t n)
{
	struct linkd_frame *frame = ctx;

	frame->n = n;
	memcpy(frame->byte, payload, n);
}

/* The unit of the host-built site and the board: one state, one answer. */
static void a_simulated_unit_answers_with_the_same_bytes(void **state)
{
	struct json_object *status = json_tokener_parse(STATUS);
	struct unit_request poll = { .kind = UNIT_L2, .command = L2_POLL };
	struct linkd_frame expected = { 0 };
	struct unit_state unit;

	(void)state;
	set_up(MODEM_CC2530);
	request_l2(L2_POLL);
	unit_state_clear(&unit);
	assert_int_equal(state_read(status, &unit), 0);
	memcpy(unit.base_wh, linkd.state.base_wh, sizeof(unit.base_wh));
	assert_true(unit_answer(&unit, &poll, frame_of, &expected));
	assert_int_equal(expected.n, ecu.got[0].n);
	assert_memory_equal(expected.byte, ecu.got[0].data, expected.n);
	json_object_put(status);
}

static void our_status_has_known_readings_and_marks_others_absent(void **state)
{
	struct own_identity identity;
	struct own_message reply;
	int64_t raw[OWN_STATUS_COUNT];

	(void)state;
	set_up(MODEM_CC2530);
	request_own(OWN_STATUS_REQUEST, NULL, 0, &reply);
	assert_int_equal(reply.type, OWN_STATUS);
	assert_int_equal(own_status_parse(reply.body, reply.n, &identity, raw), 0);
	assert_true(identity.boot == 0x00c0ffee00c0ffee);
	assert_int_equal(identity.counter, 7);
	assert_int_equal(raw[OWN_STATE], QS1_STATE_PRODUCING);
	assert_int_equal(raw[OWN_FLAGS],
			 OWN_FLAG_ARMED | OWN_FLAG_PROFILE_APPLIED | OWN_FLAG_PAIRED);
	assert_int_equal(raw[OWN_PV1_ENERGY], 1234500);
	assert_int_equal(raw[OWN_GRID_Q], -125);
	assert_true(raw[OWN_PV3_V] == FIELD_ABSENT);
	assert_true(raw[OWN_ENTER_SERVICE] == FIELD_ABSENT);
	assert_int_equal(raw[OWN_FAULTS_LATCHED], QS1_FAULT_BIT(QS1_FAULT_GFDI));
}

static void events_come_with_the_newest_number(void **state)
{
	uint8_t body[OWN_EVENTS_REQUEST_BYTES];
	struct own_message reply;
	struct own_event event;
	int n;

	(void)state;
	set_up(MODEM_CC2530);
	own_events_request_put(11, 5, body);
	request_own(OWN_EVENTS_REQUEST, body, sizeof(body), &reply);
	assert_int_equal(reply.type, OWN_EVENTS);
	assert_int_equal(reply.body[0], 12);
	n = own_event_parse(reply.body + 4, reply.n - 4, &event);
	assert_true(n > 0);
	assert_int_equal(event.number, 11);
	assert_int_equal(event.kind, OWN_EVENT_TRIP);
	assert_int_equal(event.cause, QS1_CAUSE_FAULT_BASE + QS1_FAULT_UV1);
	assert_int_equal(event.to, QS1_STATE_FAULT);
	assert_int_equal(event.value, 199);
	assert_true(own_event_parse(reply.body + 4 + n, reply.n - 4 - (size_t)n, &event) > 0);
	assert_string_equal(event.text, "ground fault latched");
	assert_non_null(strstr(asked[(asks - 1) % 16], "\"from\":11"));
}

static void mark(uint16_t number)
{
	struct stack_message message = { .peer = NWK_BROADCAST,
					 .pan = MAC_BROADCAST,
					 .dst_endpoint = ZIGBEE_ENDPOINT,
					 .src_endpoint = ZIGBEE_ENDPOINT,
					 .cluster = ZIGBEE_CLUSTER_REQUEST,
					 .radius = 1 };
	uint8_t body[OWN_MARK_BYTES];

	own_mark_put(number, body);
	message.n = (size_t)own_build(OWN_MARK, (uint8_t)number, body, sizeof(body), 0,
				      message.data, sizeof(message.data));
	assert_int_equal(stack_send(&ecu.stack, &message), 0);
	run(300000);
}

/* The grid's angle when the mark's frame ended: neither the modem's line nor qs1d's delay shows. */
static void the_angle_at_a_mark_is_that_of_the_frames_end(void **state)
{
	uint64_t sent_us[OWN_ANGLES_MAX + 2];
	struct own_message reply;
	uint8_t body[OWN_MARK_BYTES];
	struct own_angle angle;

	(void)state;
	set_up(MODEM_CC2530);
	for (unsigned int i = 0; i < COUNT(sent_us); i++) {
		mark((uint16_t)(65530 + i));
		sent_us[i] = ecu.sent_us;
	}
	own_mark_put(65530 + 2, body);
	request_own(OWN_ANGLE_REQUEST, body, sizeof(body), &reply);
	assert_int_equal(reply.type, OWN_ANGLE);
	assert_int_equal(reply.n, OWN_ANGLES_MAX * OWN_ANGLE_BYTES);
	for (unsigned int i = 2; i < COUNT(sent_us); i++) {
		const uint8_t *record = reply.body + (i - 2) * OWN_ANGLE_BYTES;
		double off;

		assert_int_equal(own_angle_parse(record, OWN_ANGLE_BYTES, &angle), 0);
		assert_int_equal(angle.mark, (uint16_t)(65530 + i));
		off = remainder(angle.deg - grid_deg(sent_us[i]), 360);
		print_message("mark %u: off by %.2f degrees, read %.2f ms after it\n", angle.mark,
			      off, angle.latency_s * 1e3);
		assert_true(fabs(off) < 2);
		assert_true(angle.latency_s > ANGLE_DELAY_US * 1e-6);
	}
	/* none is left, and a request of another length */
	own_mark_put((uint16_t)(65530 + COUNT(sent_us)), body);
	request_own(OWN_ANGLE_REQUEST, body, sizeof(body), &reply);
	assert_int_equal(reply.n, 0);
	own_id++;
	request((const uint8_t *)"\x51\x01\x06\xee\x00\x01\x05", 7);
	assert_int_equal(ecu.n, 0);
}

static void a_sealed_request_goes_to_qs1d_and_its_reply_back(void **state)
{
	struct seal_key key = { { 1 } };
	struct seal_head head = { SEAL_COMMAND, { { 0x80, 0x60, 0, 0, 0, 1 } }, 5, 8 };
	static const char body[] =
		"{\"cmd\":\"limit\",\"owner\":\"utility\",\"w\":600,\"lease_s\":900,\"then\":1200}";
	uint8_t message[256];
	char hex_text[513];
	struct own_message reply;
	int n = seal_make(&key, &head, (const uint8_t *)body, sizeof(body) - 1, message,
			  sizeof(message));

	(void)state;
	set_up(MODEM_CC2530);
	answer_of_sealed = "true,\"result\":{\"message\":\"01020304\"}";
	request_own(OWN_SEALED, message, (size_t)n, &reply);
	sodium_bin2hex(hex_text, sizeof(hex_text), message, (size_t)n);
	assert_non_null(strstr(asked[(asks - 1) % 16], hex_text));
	assert_int_equal(reply.type, OWN_SEALED_REPLY);
	assert_int_equal(reply.n, 5);
	assert_memory_equal(reply.body, "\0\1\2\3\4", 5);
	answer_of_sealed = "false,\"error\":{\"code\":\"EALREADY\",\"message\":\"\"}";
	request_own(OWN_SEALED, message, (size_t)n, &reply);
	assert_int_equal(reply.n, 1);
	assert_int_equal(reply.body[0], EALREADY);
}

static void pairing_goes_to_qs1d_for_this_serial_number_only(void **state)
{
	struct own_pair pair = { .serial = { { 0x80, 0x60, 0, 0, 0, 1 } }, .nonce = { 0xab } };
	struct own_message reply;
	struct own_pair got;
	uint8_t body[OWN_PAIR_MAX];
	char ok[300];
	int n = own_pair_put(OWN_PAIR_REQUEST, &pair, body, sizeof(body));

	(void)state;
	set_up(MODEM_CC2530);
	snprintf(ok, sizeof(ok), "true,\"result\":{\"nonce\":\"%032x\",\"message\":\"%072x\"}", 5,
		 6);
	answer_of_sealed = ok;
	request_own(OWN_PAIR_REQUEST, body, (size_t)n, &reply);
	assert_non_null(strstr(asked[(asks - 1) % 16], "\"nonce\":\"ab00"));
	assert_int_equal(reply.type, OWN_PAIR_OFFER);
	assert_int_equal(own_pair_parse(OWN_PAIR_OFFER, reply.body, reply.n, &got), 0);
	assert_int_equal(got.nonce[15], 5);
	assert_int_equal(got.proof[35], 6);
	n = own_pair_put(OWN_PAIR_CONFIRM, &pair, body, sizeof(body));
	answer_of_sealed = "true,\"result\":null";
	request_own(OWN_PAIR_CONFIRM, body, (size_t)n, &reply);
	assert_int_equal(reply.type, OWN_PAIR_RESULT);
	assert_int_equal(own_pair_parse(OWN_PAIR_RESULT, reply.body, reply.n, &got), 0);
	assert_int_equal(got.error, 0);
	pair.serial.bcd[5] = 2;
	n = own_pair_put(OWN_PAIR_CONFIRM, &pair, body, sizeof(body));
	request_own(OWN_PAIR_CONFIRM, body, (size_t)n, &reply);
	assert_int_equal(ecu.n, 0);
	assert_int_equal(linkd.inbox.rejected[UNIT_REJECT_SERIAL], 1);
}

static void stock_commands_are_refused_and_bad_frames_counted(void **state)
{
	static const struct {
		const char *text;
		enum unit_reject reject;
	} bad[] = {
		{ "80971B", UNIT_REJECT_SHORT },
		{ "80971B01A3D8 FBFB06C1000000000000A6FEFE", UNIT_REJECT_L2 },
		{ "80971B01A3D8 FBFB0655000000000000005BFEFE", UNIT_REJECT_COMMAND },
		{ "5102010000 01", UNIT_REJECT_VERSION },
		{ "5101010005 01", UNIT_REJECT_PART },
	};
	struct l2 frame;

	(void)state;
	set_up(MODEM_CC2530);
	request_l2(L2_OFF);
	assert_int_equal(ecu.n, 1);
	assert_int_equal(l2_parse(ecu.got[0].data + 6, ecu.got[0].n - 6, &frame), 0);
	assert_int_equal(l2_reply(&frame), L2_REPLY_REFUSED);
	assert_int_equal(linkd.count[LINKD_REFUSED], 1);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bytes bytes = hex(bad[i].text);
		int before = asks;

		request(bytes.byte, bytes.n);
		assert_int_equal(linkd.inbox.rejected[bad[i].reject], 1);
		assert_int_equal(ecu.n, 0);
		assert_int_equal(asks, before);
	}
}

static void stock_commands_are_done_where_qs1d_allows_them(void **state)
{
	uint8_t limit[6 + L2_SHORT] = { 0x80, 0x97, 0x1b, 0x01, 0xa3, 0xd8 };
	struct l2 frame;

	(void)state;
	set_up(MODEM_CC2530);
	answer_of_stock = "true,\"result\":null";
	request_l2(L2_OFF);
	assert_non_null(strstr(asked[(asks - 1) % 16], "\"cmd\":\"stock\",\"on\":false"));
	assert_int_equal(ecu.n, 1);
	assert_int_equal(l2_parse(ecu.got[0].data + 6, ecu.got[0].n - 6, &frame), 0);
	assert_int_equal(l2_reply(&frame), L2_REPLY_DONE);
	assert_int_equal(l2_limit(125, limit + 6, L2_SHORT), L2_SHORT);
	request(limit, sizeof(limit));
	assert_non_null(strstr(asked[(asks - 1) % 16], "\"cmd\":\"stock\",\"panel_w\":125"));
	assert_int_equal(linkd.count[LINKD_REFUSED], 0);
	/* and page B shows the limit of the report */
	request_l2(L2_PAGE_B);
	assert_int_equal(l2_parse(ecu.got[0].data + 6, ecu.got[0].n - 6, &frame), 0);
	check_near("limit of a module", unit_page_limit(&frame), 125, 0.05);
}

/* One broadcast of a stock pairing by the ECU, which is in the network of its identity. */
static void join(enum join_step step, const struct serial *serial)
{
	static const uint8_t identity[] = { 0x21, 0x60, 0x00, 0x00, 0x00, 0x01 };
	struct stack_message message = { .peer = NWK_BROADCAST,
					 .pan = MAC_BROADCAST,
					 .dst_endpoint = ZIGBEE_ENDPOINT,
					 .src_endpoint = ZIGBEE_ENDPOINT,
					 .cluster = join_cluster(step),
					 .radius = 15 };

	message.n = join_build(step, serial, identity, message.data);
	ecu.n = 0;
	assert_int_equal(stack_send(&ecu.stack, &message), 0);
	run(JOIN_INTERVAL_US);
}

static void join_all(const struct serial *serial)
{
	for (int step = 0; step < JOIN_STEP_COUNT; step++) {
		join((enum join_step)step, serial);
		/* the modem starts again after the move */
		run(8000000);
	}
}

static void a_stock_ecu_pairs_where_qs1d_allows_it(void **state)
{
	const struct serial own = { { 0x80, 0x60, 0, 0, 0, 1 } };
	const struct serial other = { { 0x80, 0x60, 0, 0, 0, 2 } };
	uint64_t rejected;
	int before;

	(void)state;
	for (int chip = MODEM_CC2530; chip <= MODEM_CC2652; chip++) {
		struct air_radio_config radio = { .channel = 16, .pan = 0x6021 };

		set_up(chip);
		networks = 0;
		air_configure(air, ecu.stack.radio, &radio);
		join_all(&own);
		assert_int_equal(linkd.config.pan, 0xa3d8);
		answer_of_stock = "true,\"result\":null";
		before = asks;
		rejected = linkd.inbox.rejected[UNIT_REJECT_JOIN];
		join_all(&other);
		assert_int_equal(asks, before);
		assert_int_equal(linkd.inbox.rejected[UNIT_REJECT_JOIN] - rejected,
				 JOIN_STEP_COUNT);
		join(JOIN_PRIME, &own);
		join(JOIN_ASK, &own);
		assert_int_equal(linkd.config.pan, 0xa3d8);
		join_all(&own);
		assert_int_equal(linkd.config.pan, 0x6021);
		assert_int_equal(networks, 1);
		assert_int_equal(linkd.host.phase, HOST_UP);
		assert_int_equal(ecu.n, 1);
		assert_int_equal(join_reply_address(&own, ecu.got[0].data, ecu.got[0].n), 0x3a10);
		/* in its network already: the second broadcast is answered, and it stays */
		join(JOIN_ASK, &own);
		assert_int_equal(ecu.n, 1);
		join_all(&own);
		assert_int_equal(networks, 1);
		request_l2(L2_POLL);
		assert_int_equal(ecu.got[0].n, 94);
	}
}

static void the_network_of_a_stock_ecu_is_kept(void **state)
{
	struct linkd_settings settings = { .link = { .pan = 0xa3d8 } };
	char err[PATH_MAX + 200];

	(void)state;
	snprintf(settings.network, sizeof(settings.network), "/tmp/qs1-network-%d", getpid());
	assert_int_equal(linkd_network_load(&settings, err, sizeof(err)), 0);
	assert_int_equal(settings.link.pan, 0xa3d8);
	assert_int_equal(linkd_network_save(&settings, 0x6021), 0);
	assert_int_equal(linkd_network_load(&settings, err, sizeof(err)), 0);
	assert_int_equal(settings.link.pan, 0x6021);
	assert_int_equal(truncate(settings.network, 2), 0);
	assert_int_equal(linkd_network_load(&settings, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "expected 4 hexadecimal digits below FFFF, found '60'"));
	unlink(settings.network);
}

static void a_modem_may_freeze_disconnect_or_send_garbage(void **state)
{
	(void)state;
	set_up(MODEM_CC2530);
	modem_fault(&modem, MODEM_FROZEN, true);
	run(60000000);
	assert_true(hard_resets > 0);
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
	modem_fault(&modem, MODEM_GARBAGE, true);
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
	assert_true(linkd.count[LINKD_GARBAGE] > 0);
	modem_fault(&modem, MODEM_GARBAGE, false);
	modem_reset(&modem);
	run(5000000);
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
	port_open = false;
	linkd_port(&linkd, false, air_now(air));
	run(5000000);
	port_open = true;
	linkd_port(&linkd, true, air_now(air));
	run(8000000);
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
}

/* What another program says at the other end of the port: the log has it once, with what was
 * expected. */
static void check_no_modem(const char *words, const char *log)
{
	set_up(MODEM_CC2530);
	linkd_port(&linkd, false, air_now(air));
	linkd_port(&linkd, true, air_now(air));
	port_open = false; /* the modem is cut off */
	lines_logged = 0;
	for (int i = 0; i < 30; i++) {
		linkd_modem_bytes(&linkd, (const uint8_t *)words, strlen(words), air_now(air));
		run(1000000);
	}
	assert_int_equal(lines_logged, 1);
	assert_string_equal(last_log, log);
	assert_true(linkd.count[LINKD_RESETS] >= 10);
	assert_true(words[0] == '\0' || linkd.count[LINKD_GARBAGE] > 0);
}

static void what_is_no_modem_is_named_once(void **state)
{
	(void)state;
	check_no_modem("ERROR\r\n", "no ZNP modem: expected the frame FE 06 41 80 after a reset, "
				    "found 45 52 52 4F 52 0D 0A 45: reset");
	check_no_modem("", "no ZNP modem: expected the frame FE 06 41 80 after a reset, "
			   "found nothing: reset");
	/* and a modem that is plugged in later works */
	port_open = true;
	run(10000000);
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
}

static void a_modem_that_refuses_its_start_is_named(void **state)
{
	static const uint8_t was_reset[] = { 0xfe, 0x06, 0x41, 0x80, 0, 0, 0, 0, 0, 0, 0xc7 };

	(void)state;
	set_up(MODEM_CC2530);
	linkd_port(&linkd, false, air_now(air));
	linkd_port(&linkd, true, air_now(air));
	port_open = false;
	for (int i = 0; i < 8; i++) {
		linkd_modem_bytes(&linkd, was_reset, sizeof(was_reset), air_now(air));
		run(2000000);
	}
	assert_string_equal(last_log,
			    "the modem does not start: expected an answer, found nothing: reset");
}

static void a_full_modem_gets_the_payload_again(void **state)
{
	(void)state;
	set_up(MODEM_CC2530);
	modem_fault(&modem, MODEM_FULL, true);
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 0);
	modem_fault(&modem, MODEM_FULL, false);
	run(1000000);
	assert_int_equal(ecu.n, 1);
}

static void each_request_to_a_silent_or_absent_qs1d_is_counted(void **state)
{
	(void)state;
	set_up(MODEM_CC2530);
	daemon_answers = false;
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 0);
	run(40000000);
	assert_int_equal(linkd.count[LINKD_UNANSWERED], 1);
	linkd_daemon(&linkd, false, air_now(air));
	request_l2(L2_POLL);
	assert_int_equal(linkd.count[LINKD_DROPPED], 1);
	daemon_answers = true;
	linkd_daemon(&linkd, true, air_now(air));
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
}

static void a_unit_without_a_label_answers_nothing_and_logs_it_once(void **state)
{
	(void)state;
	set_up(MODEM_CC2530);
	status_result = "true,\"result\":{\"seal\":{\"serial\":null}}";
	for (int i = 0; i < 3; i++) {
		request_l2(L2_POLL);
		assert_int_equal(ecu.n, 0);
	}
	assert_int_equal(logged, 1);
	status_result = "true,\"result\":" STATUS;
	request_l2(L2_POLL);
	assert_int_equal(ecu.n, 1);
}

static void settings_are_checked(void **state)
{
	static const struct {
		const char *text, *error;
	} file[] = {
		{ "port /dev/ttyS1\nsocket /run/x\npan 12Ab\nchannel 26\n", NULL },
		{ "pan FFFF\n", "pan: expected 4 hexadecimal digits below FFFF, found 'FFFF'" },
		{ "pan 12\n", "pan: expected 4 hexadecimal digits" },
		{ "channel 27\n", "channel: expected 11 to 26, found '27'" },
		{ "port ttyS1\n", "port: expected an absolute path" },
		{ "speed 9600\n", "unknown name 'speed'" },
	};
	char path[] = "/tmp/test-linkd-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT(file); i++) {
		struct linkd_settings settings;
		char err[500] = "";
		int ret;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, file[i].text, strlen(file[i].text), 0),
				 strlen(file[i].text));
		ret = linkd_settings_load(path, &settings, err, sizeof(err));
		assert_int_equal(ret, file[i].error ? -EINVAL : 0);
		if (file[i].error) {
			assert_non_null(strstr(err, file[i].error));
		} else {
			assert_int_equal(settings.link.pan, 0x12ab);
			assert_int_equal(settings.link.channel, 26);
			assert_string_equal(settings.port, "/dev/ttyS1");
		}
	}
	close(fd);
	unlink(path);
}

static int tear_down(void **state)
{
	(void)state;
	air_free(air);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stock_poll_is_answered_with_the_readings_of_qs1d),
		cmocka_unit_test(a_simulated_unit_answers_with_the_same_bytes),
		cmocka_unit_test(our_status_has_known_readings_and_marks_others_absent),
		cmocka_unit_test(events_come_with_the_newest_number),
		cmocka_unit_test(the_angle_at_a_mark_is_that_of_the_frames_end),
		cmocka_unit_test(a_sealed_request_goes_to_qs1d_and_its_reply_back),
		cmocka_unit_test(pairing_goes_to_qs1d_for_this_serial_number_only),
		cmocka_unit_test(stock_commands_are_refused_and_bad_frames_counted),
		cmocka_unit_test(stock_commands_are_done_where_qs1d_allows_them),
		cmocka_unit_test(a_stock_ecu_pairs_where_qs1d_allows_it),
		cmocka_unit_test(the_network_of_a_stock_ecu_is_kept),
		cmocka_unit_test(a_modem_may_freeze_disconnect_or_send_garbage),
		cmocka_unit_test(what_is_no_modem_is_named_once),
		cmocka_unit_test(a_modem_that_refuses_its_start_is_named),
		cmocka_unit_test(a_full_modem_gets_the_payload_again),
		cmocka_unit_test(each_request_to_a_silent_or_absent_qs1d_is_counted),
		cmocka_unit_test(a_unit_without_a_label_answers_nothing_and_logs_it_once),
		cmocka_unit_test(settings_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
