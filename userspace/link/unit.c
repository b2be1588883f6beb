// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <qs1/codes.h>

typedef void send_fn(void *ctx, const uint8_t *payload, size_t n);

const char *unit_reject_text(enum unit_reject reject)
{
	static const char *const text[] = {
#define X(id, text) [UNIT_REJECT_##id] = text,
		UNIT_REJECTS(X)
#undef X
	};

	return (unsigned int)reject < UNIT_REJECT_COUNT ? text[reject] : "?";
}

static struct unit_request reject(struct unit_inbox *inbox, enum unit_reject reason)
{
	inbox->rejected[reason]++;
	return (struct unit_request){ .kind = UNIT_NONE };
}

static struct unit_request receive_own(struct unit_inbox *inbox, uint16_t sender,
				       const struct own_part *part)
{
	if (sender != inbox->sender) {
		memset(&inbox->message, 0, sizeof(inbox->message));
		inbox->sender = sender;
	}
	/* A message of one part is whole at each repetition; only of longer ones is a part known.
	 */
	if (part->parts == 1) {
		inbox->message.seen = 0;
		inbox->message.n = 0;
	}
	if (!own_collect(&inbox->message, part)) {
		return (struct unit_request){ .kind = UNIT_NONE };
	}
	return (struct unit_request){
		.kind = UNIT_OWN,
		.type = part->type,
		.id = part->id,
		.body = inbox->message.body,
		.n = inbox->message.n,
	};
}

struct unit_request unit_receive(struct unit_inbox *inbox, uint16_t sender, const uint8_t *payload,
				 size_t n)
{
	struct unit_request request = { .kind = UNIT_L2 };
	struct own_part part;
	struct l2 frame;
	int ret = own_parse(payload, n, &part);

	if (ret == 0) {
		return receive_own(inbox, sender, &part);
	}
	if (ret != -ENOMSG) {
		return reject(inbox,
			      ret == -EPROTONOSUPPORT ? UNIT_REJECT_VERSION : UNIT_REJECT_PART);
	}
	if (n < UNIT_ECU_BYTES) {
		return reject(inbox, UNIT_REJECT_SHORT);
	}
	if (l2_parse(payload + UNIT_ECU_BYTES, n - UNIT_ECU_BYTES, &frame) < 0) {
		return reject(inbox, UNIT_REJECT_L2);
	}
	request.command = l2_command(&frame, &request.broadcast);
	if (request.command == L2_COMMAND_UNKNOWN) {
		return reject(inbox, UNIT_REJECT_COMMAND);
	}
	memcpy(request.ecu, payload, UNIT_ECU_BYTES);
	if (request.command == L2_LIMIT) {
		request.panel_w = l2_limit_w(&frame);
		if (request.panel_w < 0) {
			return reject(inbox, UNIT_REJECT_COMMAND);
		}
	}
	return request;
}

void unit_state_clear(struct unit_state *state)
{
	memset(state, 0, sizeof(*state));
	for (int i = 0; i < OWN_STATUS_COUNT; i++) {
		state->status[i] = FIELD_ABSENT;
	}
	state->panel_w = L2_LIMIT_MAX_W;
}

/* Our assignment of faults to stock status bits. */
static const struct {
	enum qs1_fault fault;
	unsigned int bit;
} fault_bit[] = {
	{ QS1_FAULT_UV1, L2_STATUS_UV_SLOW },
	{ QS1_FAULT_UV2, L2_STATUS_UV_FAST },
	{ QS1_FAULT_OV1, L2_STATUS_OV_SLOW },
	{ QS1_FAULT_OV2, L2_STATUS_OV_FAST },
	{ QS1_FAULT_OF1, L2_STATUS_OF_SLOW },
	{ QS1_FAULT_OF2, L2_STATUS_OF_FAST },
	{ QS1_FAULT_UF1, L2_STATUS_UF_SLOW },
	{ QS1_FAULT_UF2, L2_STATUS_UF_FAST },
	{ QS1_FAULT_GFDI, L2_STATUS_GFDI },
	{ QS1_FAULT_OVERTEMP, L2_STATUS_OVER_TEMPERATURE },
	{ QS1_FAULT_RELAY, L2_STATUS_GRID_RELAY },
	{ QS1_FAULT_TOV, L2_STATUS_DC_BUS },
};

/* Readings that both formats have. */
static const struct {
	enum own_status_field own;
	enum l2_telemetry_field l2;
} same[] = {
	{ OWN_CASE_TEMP, L2_TEMP },  { OWN_GRID_F, L2_FREQUENCY }, { OWN_GRID_V, L2_GRID },
	{ OWN_PV1_V, L2_VOLTAGE_A }, { OWN_PV1_I, L2_CURRENT_A },  { OWN_PV2_V, L2_VOLTAGE_B },
	{ OWN_PV2_I, L2_CURRENT_B }, { OWN_PV3_V, L2_VOLTAGE_C },  { OWN_PV3_I, L2_CURRENT_C },
	{ OWN_PV4_V, L2_VOLTAGE_D }, { OWN_PV4_I, L2_CURRENT_D },
};

static const struct {
	enum own_status_field own;
	enum l2_telemetry_field l2;
} energy[] = {
	{ OWN_PV1_ENERGY, L2_ENERGY_A },
	{ OWN_PV2_ENERGY, L2_ENERGY_B },
	{ OWN_PV3_ENERGY, L2_ENERGY_C },
	{ OWN_PV4_ENERGY, L2_ENERGY_D },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PF_CODE_1 0x1f

static double physical(const struct unit_state *state, enum own_status_field field)
{
	return field_physical(&own_status_field[field], state->status[field]);
}

static int64_t status_bits(int64_t faults)
{
	int64_t bits = 0;

	if (faults == FIELD_ABSENT) {
		return 0;
	}
	for (size_t i = 0; i < COUNT(fault_bit); i++) {
		if (faults & QS1_FAULT_BIT(fault_bit[i].fault)) {
			bits |= INT64_C(1) << fault_bit[i].bit;
		}
	}
	return bits;
}

uint32_t unit_faults(int64_t status)
{
	uint32_t faults = 0;

	for (size_t i = 0; i < COUNT(fault_bit); i++) {
		if (status != FIELD_ABSENT && status & INT64_C(1) << fault_bit[i].bit) {
			faults |= QS1_FAULT_BIT(fault_bit[i].fault);
		}
	}
	return faults;
}

void unit_telemetry(const struct unit_state *state, int64_t raw[L2_TELEMETRY_COUNT])
{
	double seconds = physical(state, OWN_UPTIME);

	for (int i = 0; i < L2_TELEMETRY_COUNT; i++) {
		raw[i] = FIELD_ABSENT;
	}
	for (size_t i = 0; i < COUNT(same); i++) {
		raw[same[i].l2] =
			field_raw(&l2_telemetry_field[same[i].l2], physical(state, same[i].own));
	}
	for (size_t i = 0; i < COUNT(energy); i++) {
		raw[energy[i].l2] = field_raw(&l2_telemetry_field[energy[i].l2],
					      physical(state, energy[i].own) - state->base_wh[i]);
	}
	if (!isnan(seconds)) {
		raw[L2_SECONDS] = (int64_t)seconds & UINT16_MAX;
	}
	raw[L2_STATUS] = status_bits(state->status[OWN_FAULTS_ACTIVE]) |
			 status_bits(state->status[OWN_FAULTS_LATCHED]);
	raw[L2_PF] = PF_CODE_1;
}

/* The serial number and an L2 frame of n bytes, which stands behind it already. */
static void send_l2(const struct serial *serial, uint8_t *payload, int n, send_fn *send, void *ctx)
{
	if (n > 0) {
		memcpy(payload, serial->bcd, SERIAL_BYTES);
		send(ctx, payload, SERIAL_BYTES + (size_t)n);
	}
}

void unit_acknowledge(const struct serial *serial, bool done, send_fn *send, void *ctx)
{
	uint8_t payload[UNIT_PAYLOAD_MAX];

	send_l2(serial, payload,
		l2_acknowledge(done, payload + SERIAL_BYTES, sizeof(payload) - SERIAL_BYTES), send,
		ctx);
}

/* The stock system's name of the limit on page B. */
static const struct field *limit_field(void)
{
	const struct l2_page_desc *page = &l2_page[L2_B];
	size_t i = 0;

	while (strcmp(page->field[i].name, "DA")) {
		i++;
	}
	return &page->field[i];
}

/* Page B, with the limit of each module alone; the other fields are 0. */
static int limit_page(double panel_w, uint8_t *out, size_t size)
{
	uint8_t body[UINT8_MAX] = { 0 };
	int64_t raw = field_raw(limit_field(), panel_w);

	fields_encode(limit_field(), 1, &raw, body, l2_page[L2_B].body_n);
	return l2_build(L2_BYTE_PAGE_B, body, l2_page[L2_B].body_n, out, size);
}

double unit_page_limit(const struct l2 *frame)
{
	int64_t raw;

	if (l2_reply(frame) != L2_REPLY_PAGE_B) {
		return (double)NAN;
	}
	fields_decode(limit_field(), 1, frame->body, frame->body_n, &raw);
	return field_physical(limit_field(), raw);
}

void unit_send(enum own_type type, uint8_t id, const uint8_t *message, size_t n, send_fn *send,
	       void *ctx)
{
	uint8_t payload[OWN_FRAME_MAX];

	for (unsigned int part = 0; part < own_parts(n); part++) {
		int length = own_build(type, id, message, n, part, payload, sizeof(payload));

		if (length > 0) {
			send(ctx, payload, (size_t)length);
		}
	}
}

static bool answer_l2(const struct unit_state *state, enum l2_command command, send_fn *send,
		      void *ctx)
{
	uint8_t payload[UNIT_PAYLOAD_MAX];
	uint8_t *frame = payload + SERIAL_BYTES;
	const struct l2_info info = { L2_MODEL_QS1, state->version };
	int64_t raw[L2_TELEMETRY_COUNT];
	int n;

	switch (command) {
	case L2_POLL:
		unit_telemetry(state, raw);
		n = l2_telemetry_build(raw, frame, sizeof(payload) - SERIAL_BYTES);
		break;
	case L2_PAGE_B:
		n = limit_page(state->panel_w, frame, sizeof(payload) - SERIAL_BYTES);
		break;
	case L2_INFO:
		n = l2_info_build(&info, frame, sizeof(payload) - SERIAL_BYTES);
		break;
	default:
		return false;
	}
	send_l2(&state->identity.serial, payload, n, send, ctx);
	return true;
}

static bool answer_status(const struct unit_state *state, const struct unit_request *request,
			  send_fn *send, void *ctx)
{
	uint8_t status[OWN_STATUS_BYTES];

	own_status_put(&state->identity, state->status, status);
	unit_send(OWN_STATUS, request->id, status, sizeof(status), send, ctx);
	return true;
}

static bool answer_angles(const struct unit_state *state, const struct unit_request *request,
			  send_fn *send, void *ctx)
{
	uint8_t angles[OWN_ANGLES_MAX * OWN_ANGLE_BYTES];
	uint16_t first;

	if (own_mark_parse(request->body, request->n, &first) < 0) {
		return false;
	}
	unit_send(OWN_ANGLE, request->id, angles, marks_from(&state->marks, first, angles), send,
		  ctx);
	return true;
}

bool unit_answer(const struct unit_state *state, const struct unit_request *request, send_fn *send,
		 void *ctx)
{
	if (request->kind == UNIT_L2) {
		return answer_l2(state, request->command, send, ctx);
	}
	if (request->kind != UNIT_OWN) {
		return false;
	}
	switch (request->type) {
	case OWN_STATUS_REQUEST:
		return answer_status(state, request, send, ctx);
	case OWN_ANGLE_REQUEST:
		return answer_angles(state, request, send, ctx);
	default:
		return false;
	}
}
