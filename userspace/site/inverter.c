// SPDX-License-Identifier: GPL-2.0-only
#include "inverter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>
#include <sodium.h>

#include "command.h"
#include "protocol.h"
#include "util.h"

#define REASON_SIZE 512
/* As qs1d: the meter is read each second. */
#define READING_STEPS 10
/* Most bytes of records in a reply to a request for events. */
#define EVENTS_BYTES 1000

static int64_t now_ms_of(uint64_t now_us)
{
	return (int64_t)(now_us / 1000);
}

static struct own_event *new_event(struct inverter *inverter, int64_t now_ms,
				   enum own_event_kind kind)
{
	struct own_event *event = &inverter->event[++inverter->newest % INVERTER_EVENTS];

	*event = (struct own_event){
		.number = inverter->newest,
		.boot = 1,
		.time_ms = (uint64_t)(inverter->config.start_wall_ms + now_ms),
		.monotonic_ms = (uint64_t)now_ms,
		.kind = kind,
		.from = UINT8_MAX,
		.to = UINT8_MAX,
	};
	return event;
}

static void take_events(struct inverter *inverter, int64_t now_ms)
{
	static const enum own_event_kind kinds[] = {
		[QS1_EVENT_TRANSITION] = OWN_EVENT_TRANSITION,
		[QS1_EVENT_TRIP] = OWN_EVENT_TRIP,
		[QS1_EVENT_CLEAR] = OWN_EVENT_CLEAR,
	};
	struct qs1_event event;

	while (inverter->firmware->event(inverter->ctx, &event)) {
		struct own_event *own;

		if (event.kind < QS1_EVENT_TRANSITION || event.kind > QS1_EVENT_CLEAR) {
			continue;
		}
		own = new_event(inverter, now_ms, kinds[event.kind]);
		own->cause = (uint8_t)event.cause;
		own->value = event.value;
		if (event.kind == QS1_EVENT_TRANSITION) {
			own->from = (uint8_t)event.from;
			own->to = (uint8_t)event.to;
		}
	}
}

/* An operation of the firmware. Return: 0 or a negative errno, as the driver has them. */
static int operate(struct inverter *inverter, enum qs1_op op, uint32_t arg, int32_t value)
{
	static const int error[] = {
		[QS1_OK] = 0,
		[QS1_ERR_OP] = -EOPNOTSUPP,
		[QS1_ERR_ARG] = -EINVAL,
		[QS1_ERR_RANGE] = -ERANGE,
		[QS1_ERR_STATE] = -EBUSY,
		[QS1_ERR_CONFLICT] = -EINVAL,
		[QS1_ERR_ACTIVE] = -EBUSY,
	};
	int32_t ignored;
	int result = inverter->firmware->command(inverter->ctx, op, arg, value, &ignored);

	return result < 0 ? result : result < (int)ARRAY_SIZE(error) ? error[result] : -EIO;
}

static bool in_force(struct inverter *inverter, const struct qs1_profile *profile)
{
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE &&
		    inverter->firmware->param(inverter->ctx, id) != profile->value[id]) {
			return false;
		}
	}
	return true;
}

static int apply(struct inverter *inverter, const struct qs1_profile *profile)
{
	int ret;

	if (in_force(inverter, profile)) {
		return 0;
	}
	ret = operate(inverter, QS1_OP_PROFILE_BEGIN, 0, 0);
	for (int id = 0; !ret && id < QS1_PARAM_COUNT; id++) {
		if (qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE) {
			ret = operate(inverter, QS1_OP_SET_PARAM, (uint32_t)id, profile->value[id]);
		}
	}
	if (ret) {
		operate(inverter, QS1_OP_PROFILE_ABORT, 0, 0);
		return ret;
	}
	return operate(inverter, QS1_OP_PROFILE_COMMIT, 0, 0);
}

static int act(struct inverter *inverter, const struct policy_output *out)
{
	switch (out->action) {
	case POLICY_APPLY_PROFILE:
		return apply(inverter, out->profile);
	case POLICY_SET:
		return operate(inverter, QS1_OP_SET_PARAM, out->param, out->value);
	case POLICY_LATCH:
		return operate(inverter, QS1_OP_LATCH, out->fault, 0);
	case POLICY_CLEAR:
		return operate(inverter, QS1_OP_CLEAR, out->fault, 0);
	case POLICY_ARM:
		return operate(inverter, QS1_OP_ARM, 0, 0);
	default:
		return operate(inverter, QS1_OP_DISARM, 0, 0);
	}
}

static void send_sealed(struct inverter *inverter, uint16_t peer, uint8_t id, const uint8_t *sealed,
			size_t n)
{
	uint8_t message[1 + PAIRING_MESSAGE_MAX] = { 0 };

	memcpy(message + 1, sealed, n);
	node_reply(&inverter->node, peer, OWN_SEALED_REPLY, id, message, 1 + n);
}

static void reply_sealed(struct inverter *inverter, const struct inverter_asked *asked,
			 struct json_object *answer)
{
	const char *body = json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN);
	uint8_t sealed[PAIRING_MESSAGE_MAX];
	int n = pairing_reply(&inverter->pairing, &asked->key, asked->counter, body, sealed);

	if (n > 0) {
		send_sealed(inverter, asked->peer, asked->id, sealed, (size_t)n);
	}
	json_object_put(answer);
}

/* While the command is under way its first copy will be answered. */
static void repeat_reply(struct inverter *inverter, uint16_t peer, uint8_t id)
{
	const struct pairing *pairing = &inverter->pairing;

	if (pairing->reply_n) {
		send_sealed(inverter, peer, id, pairing->reply, pairing->reply_n);
	}
}

static void reply_pair_result(struct inverter *inverter, uint16_t peer, uint8_t id, int error)
{
	const struct own_pair pair = { .serial = inverter->config.serial, .error = error };
	uint8_t body[OWN_PAIR_MAX];
	int n = own_pair_put(OWN_PAIR_RESULT, &pair, body, sizeof(body));

	if (n > 0) {
		node_reply(&inverter->node, peer, OWN_PAIR_RESULT, id, body, (size_t)n);
	}
}

static void answer(struct inverter *inverter, enum policy_slot slot,
		   const struct policy_answer *end)
{
	struct inverter_asked *asked = &inverter->asked[slot];
	struct json_object *object;
	char reason[REASON_SIZE];

	if (!asked->waits) {
		return;
	}
	asked->waits = false;
	if (asked->stock) {
		node_acknowledge(&inverter->node, asked->peer, end->outcome == POLICY_DONE);
		return;
	}
	if (asked->reply == OWN_PAIR_RESULT) {
		reply_pair_result(inverter, asked->peer, asked->id,
				  end->outcome == POLICY_DONE ? 0 : end->error);
		return;
	}
	object = json_object_new_object();
	if (end->outcome == POLICY_DONE) {
		protocol_add_result(object, NULL);
	} else {
		command_outcome_text(&inverter->policy, asked->kind, end, "", reason,
				     sizeof(reason));
		protocol_add_error(object, policy_outcome_name(end->outcome), end->error, reason);
	}
	reply_sealed(inverter, asked, object);
}

static bool give(struct inverter *inverter, const struct policy_command *command,
		 const struct inverter_asked *asked)
{
	if (inverter->commanded || policy_is_open(&inverter->policy, command->kind)) {
		return false;
	}
	inverter->command = *command;
	inverter->commanded = true;
	inverter->asked[policy_slot(command->kind)] = *asked;
	return true;
}

bool inverter_command(struct inverter *inverter, const struct policy_command *command)
{
	return give(inverter, command, &(struct inverter_asked){ .waits = false });
}

static struct json_object *refusal(int error, const char *reason)
{
	struct json_object *object = json_object_new_object();

	protocol_add_error(object, policy_outcome_name(POLICY_REFUSED), error, reason);
	return object;
}

/* The request "get": values in force, of some parameters or of all. */
static struct json_object *values(struct inverter *inverter, struct json_object *request)
{
	struct json_object *object, *result;
	bool wanted[QS1_PARAM_COUNT];
	char reason[REASON_SIZE];
	int ret = protocol_params(request, wanted, reason, sizeof(reason));

	if (ret < 0) {
		return refusal(ret, reason);
	}
	object = json_object_new_object();
	result = json_object_new_object();
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);
		char text[QS1_DECIMAL_SIZE];

		if (wanted[id]) {
			json_object_object_add(
				result, desc->name,
				json_object_new_string(qs1_decimal_format(
					text, inverter->firmware->param(inverter->ctx, id),
					desc->decimals)));
		}
	}
	protocol_add_result(object, result);
	return object;
}

/* The body of a sealed command: a request that policy takes, or "get". */
static void run_sealed(struct inverter *inverter, int64_t now_ms, const struct inverter_asked *from,
		       const uint8_t *body, size_t n)
{
	struct inverter_asked asked = *from;
	struct json_object *request = protocol_parse((const char *)body, n);
	struct policy_command command;
	char reason[REASON_SIZE] = "expected a JSON object";
	const char *name;
	int ret = -EINVAL;

	if (json_object_is_type(request, json_type_object)) {
		name = protocol_text(request, "cmd");
		if (name && !strcmp(name, "get")) {
			reply_sealed(inverter, &asked, values(inverter, request));
			goto out;
		}
		ret = command_parse(request, now_ms, &command, reason, sizeof(reason));
		/* An operator's start and stop are commands of a person at the unit. */
		if (!ret &&
		    (command.kind == POLICY_COMMAND_START || command.kind == POLICY_COMMAND_STOP)) {
			snprintf(reason, sizeof(reason), "'%.32s' is not allowed here", name);
			ret = -EACCES;
		}
	}
	if (ret < 0) {
		reply_sealed(inverter, &asked, refusal(ret, reason));
		goto out;
	}
	asked.kind = command.kind;
	if (!give(inverter, &command, &asked)) {
		reply_sealed(inverter, &asked, refusal(-EBUSY, "another command is under way"));
	}
out:
	json_object_put(request);
}

static bool on_sealed(struct inverter *inverter, int64_t now_ms, uint16_t peer,
		      const struct unit_request *request)
{
	const struct policy_kept *kept = &inverter->policy.kept;
	struct inverter_asked asked = {
		.waits = true, .peer = peer, .id = request->id, .reply = OWN_SEALED_REPLY
	};
	const uint8_t *body;
	size_t n;
	uint8_t error;
	int ret = -ENOKEY;

	memcpy(asked.key.byte, kept->key, sizeof(kept->key));
	if (kept->paired) {
		ret = pairing_open(&inverter->pairing, &asked.key, request->body, request->n,
				   &asked.counter, &body, &n);
	}
	if (ret < 0) {
		inverter->refused++;
		error = (uint8_t)-ret;
		node_reply(&inverter->node, peer, OWN_SEALED_REPLY, request->id, &error, 1);
		return true;
	}
	if (ret == PAIRING_REPEATED) {
		repeat_reply(inverter, peer, request->id);
		return true;
	}
	run_sealed(inverter, now_ms, &asked, body, n);
	return true;
}

static bool on_pair_request(struct inverter *inverter, uint16_t peer,
			    const struct unit_request *request)
{
	struct own_pair asked, offer = { .serial = inverter->config.serial };
	uint8_t body[OWN_PAIR_MAX];
	int n;

	if (own_pair_parse(OWN_PAIR_REQUEST, request->body, request->n, &asked) < 0 ||
	    memcmp(&asked.serial, &offer.serial, sizeof(offer.serial)) != 0 ||
	    pairing_begin(&inverter->pairing, asked.nonce, offer.nonce, offer.proof) < 0) {
		return false;
	}
	n = own_pair_put(OWN_PAIR_OFFER, &offer, body, sizeof(body));
	node_reply(&inverter->node, peer, OWN_PAIR_OFFER, request->id, body, (size_t)n);
	return true;
}

static bool on_pair_confirm(struct inverter *inverter, uint16_t peer,
			    const struct unit_request *request)
{
	const struct policy_kept *kept = &inverter->policy.kept;
	struct policy_command command = { .kind = POLICY_COMMAND_PAIR };
	struct inverter_asked asked = { .waits = true,
					.peer = peer,
					.id = request->id,
					.kind = command.kind,
					.reply = OWN_PAIR_RESULT };
	struct own_pair confirm;
	struct seal_key key;
	int ret;

	if (own_pair_parse(OWN_PAIR_CONFIRM, request->body, request->n, &confirm) < 0 ||
	    memcmp(&confirm.serial, &inverter->config.serial, sizeof(confirm.serial)) != 0) {
		return false;
	}
	ret = pairing_end(&inverter->pairing, confirm.proof, sizeof(confirm.proof), &key);
	if (!ret && kept->paired && !memcmp(kept->key, key.byte, sizeof(kept->key))) {
		reply_pair_result(inverter, peer, request->id, 0);
		return true;
	}
	if (!ret) {
		memcpy(command.key, key.byte, sizeof(command.key));
		ret = give(inverter, &command, &asked) ? 0 : -EBUSY;
	}
	if (ret < 0) {
		inverter->refused++;
		reply_pair_result(inverter, peer, request->id, ret);
	}
	return true;
}

static bool on_events(struct inverter *inverter, uint16_t peer, const struct unit_request *request)
{
	uint8_t body[OWN_EVENTS_HEAD_BYTES + EVENTS_BYTES];
	size_t n = OWN_EVENTS_HEAD_BYTES;
	uint32_t from;
	uint8_t max;

	if (own_events_request_parse(request->body, request->n, &from, &max) < 0) {
		return false;
	}
	if (inverter->newest >= INVERTER_EVENTS && from <= inverter->newest - INVERTER_EVENTS) {
		from = inverter->newest - INVERTER_EVENTS + 1;
	}
	own_events_head_put(inverter->newest, body);
	for (uint32_t number = from > 0 ? from : 1; number <= inverter->newest && max > 0;
	     number++, max--) {
		int used = own_event_put(&inverter->event[number % INVERTER_EVENTS], body + n,
					 sizeof(body) - n);

		if (used < 0) {
			break;
		}
		n += (size_t)used;
	}
	node_reply(&inverter->node, peer, OWN_EVENTS, request->id, body, n);
	return true;
}

/* The limit of each module that a stock ECU has set, W. */
static double stock_limit_w(const struct inverter *inverter)
{
	const struct limits *limits = &inverter->policy.limits;

	for (size_t i = 0; i < limits->count; i++) {
		if (!strcmp(limits->limit[i].owner, PROTOCOL_STOCK_OWNER)) {
			return limits->limit[i].w / (double)QS1_INPUTS;
		}
	}
	return L2_LIMIT_MAX_W;
}

static bool allows_stock(const struct inverter *inverter, int64_t now_ms)
{
	const char *ignored;

	return command_stock_check(&inverter->policy, inverter->config.stock_ms,
				   now_ms - inverter->start_ms, &ignored) == 0;
}

/* Commands of a stock ECU, where the owner allows them. */
static bool on_stock(struct inverter *inverter, int64_t now_ms, uint16_t peer,
		     const struct unit_request *request)
{
	struct inverter_asked asked = { .waits = !request->broadcast,
					.stock = true,
					.peer = peer,
					.kind = POLICY_COMMAND_LIMIT };
	struct policy_command command;

	if (!allows_stock(inverter, now_ms)) {
		return false;
	}
	switch (request->command) {
	case L2_ON:
	case L2_OFF:
		command = command_stock_switch(request->command == L2_ON, now_ms);
		break;
	case L2_LIMIT:
		command = command_stock_limit(request->panel_w, now_ms);
		break;
	default:
		return false;
	}
	return give(inverter, &command, &asked);
}

/* A step of a stock pairing: the unit may go over to the network of that ECU. */
static void on_join(void *ctx, uint64_t now_us, uint16_t peer, enum join_step step,
		    const uint8_t *payload, size_t n)
{
	struct inverter *inverter = ctx;
	struct air_radio_config radio =
		*air_configuration(inverter->node.stack.air, inverter->node.stack.radio);
	enum join_action action;

	if (!allows_stock(inverter, now_ms_of(now_us))) {
		return;
	}
	action = join_take(&inverter->join, step, payload, n, &inverter->config.serial);
	if (action == JOIN_MOVE) {
		radio.pan = join_pan(inverter->join.ecu);
		air_configure(inverter->node.stack.air, inverter->node.stack.radio, &radio);
	} else if (action == JOIN_ANSWER) {
		node_join(&inverter->node, peer, inverter->join.ecu);
	}
}

/* The frame has just ended, and the loop is read at once. */
static bool on_mark(struct inverter *inverter, uint64_t now_us, const struct unit_request *request)
{
	struct own_angle angle = { .latency_s = 0 };

	if (own_mark_parse(request->body, request->n, &angle.mark) < 0 ||
	    !inverter->firmware->angle(inverter->ctx, now_us, &angle.deg, &angle.hz)) {
		return false;
	}
	marks_put(&inverter->node.state.marks, now_us, &angle);
	return true;
}

static bool on_request(void *ctx, uint64_t now_us, uint16_t peer,
		       const struct unit_request *request)
{
	struct inverter *inverter = ctx;

	if (request->kind == UNIT_L2) {
		return on_stock(inverter, now_ms_of(now_us), peer, request);
	}
	switch (request->type) {
	case OWN_SEALED:
		return on_sealed(inverter, now_ms_of(now_us), peer, request);
	case OWN_PAIR_REQUEST:
		return on_pair_request(inverter, peer, request);
	case OWN_PAIR_CONFIRM:
		return on_pair_confirm(inverter, peer, request);
	case OWN_EVENTS_REQUEST:
		return on_events(inverter, peer, request);
	case OWN_MARK:
		return on_mark(inverter, now_us, request);
	default:
		return false;
	}
}

static const struct node_ops node_ops = { on_request, on_join };

int inverter_init(struct inverter *inverter, struct air *air, const struct air_radio_config *radio,
		  const struct inverter_config *config, const struct inverter_firmware *firmware,
		  void *ctx)
{
	struct policy_kept kept = { .profile = config->profile };
	char label[LABEL_TEXT_SIZE];

	memset(inverter, 0, sizeof(*inverter));
	inverter->config = *config;
	inverter->firmware = firmware;
	inverter->ctx = ctx;
	inverter->start_ms = now_ms_of(air_now(air));
	inverter->due_ms = inverter->start_ms;
	if (pairing_init(&inverter->pairing, label_format(label, &config->serial, config->code)) <
	    0) {
		return -EIO;
	}
	policy_init(&inverter->policy, &kept, true, inverter->start_ms);
	return node_init(&inverter->node, air, radio, &config->serial, &node_ops, inverter);
}

int inverter_profile(const char *name, struct qs1_profile *ret_profile, char *err, size_t size)
{
	static const char *const folders[] = { "profiles", QS1_PROFILE_DIR_LOCAL, QS1_PROFILE_DIR,
					       NULL };
	__cleanup(free_ptr) char *path = NULL;
	int ret = qs1_profile_find(name, folders, &path, err, size);

	return ret < 0 ? ret : qs1_profile_load(path, ret_profile, err, size);
}

void inverter_label(int number, struct serial *ret_serial, uint8_t *code)
{
	char text[SERIAL_TEXT_SIZE];

	snprintf(text, sizeof(text), "8060%08d", number);
	serial_parse(text, ret_serial);
	for (int i = 0; i < INSTALL_CODE_BYTES; i++) {
		code[i] = (uint8_t)(number + i);
	}
}

static void set(struct inverter *inverter, enum own_status_field field, double physical)
{
	inverter->node.state.status[field] = field_raw(&own_status_field[field], physical);
}

/* The status of the unit, from the last sample. */
static void report(struct inverter *inverter, int64_t now_ms)
{
	static const enum own_status_field input[QS1_INPUTS][3] = {
		{ OWN_PV1_V, OWN_PV1_I, OWN_PV1_ENERGY },
		{ OWN_PV2_V, OWN_PV2_I, OWN_PV2_ENERGY },
		{ OWN_PV3_V, OWN_PV3_I, OWN_PV3_ENERGY },
		{ OWN_PV4_V, OWN_PV4_I, OWN_PV4_ENERGY },
	};
	const struct qs1_telemetry *t = &inverter->telemetry;
	const struct policy_output *out = &inverter->out;
	const struct policy_kept *kept = &inverter->policy.kept;
	struct unit_state *state = &inverter->node.state;

	state->identity.boot = inverter->pairing.boot;
	state->identity.counter = inverter->pairing.counter;
	state->version = inverter->config.version;
	for (int i = 0; i < QS1_INPUTS; i++) {
		set(inverter, input[i][0], t->vpv_mv[i] / 1e3);
		set(inverter, input[i][1], t->ipv_ma[i] / 1e3);
		set(inverter, input[i][2], (double)inverter->energy.total_mj[i] / 3.6e6);
	}
	state->panel_w = stock_limit_w(inverter);
	set(inverter, OWN_STATE, out->state);
	set(inverter, OWN_FLAGS,
	    (out->armed ? OWN_FLAG_ARMED : 0) | (kept->shutdown ? OWN_FLAG_SHUTDOWN : 0) |
		    (inverter->policy.profile_sync == POLICY_SYNC_IN_FORCE
			     ? OWN_FLAG_PROFILE_APPLIED
			     : 0) |
		    (kept->paired ? OWN_FLAG_PAIRED : 0));
	set(inverter, OWN_FAULTS_ACTIVE, out->faults_active);
	set(inverter, OWN_FAULTS_LATCHED, out->faults_latched);
	set(inverter, OWN_UPTIME, (double)(now_ms - inverter->start_ms) / 1e3);
	set(inverter, OWN_EVENT, inverter->newest);
	set(inverter, OWN_GRID_V, t->vgrid_mv / 1e3);
	set(inverter, OWN_GRID_I, t->igrid_ma / 1e3);
	set(inverter, OWN_GRID_F, t->f_mhz / 1e3);
	set(inverter, OWN_GRID_P, t->p_mw / 1e3);
	set(inverter, OWN_GRID_Q, t->q_mvar / 1e3);
	set(inverter, OWN_GRID_ENERGY, (double)inverter->energy.total_mj[ENERGY_GRID] / 3.6e6);
	set(inverter, OWN_CASE_TEMP, t->tcase_mc / 1e3);
	set(inverter, OWN_DC_LINK, t->vlink_mv / 1e3);
	set(inverter, OWN_POWER_LIMIT, t->power_limit_mw / 1e3);
	set(inverter, OWN_ENTER_SERVICE, t->enter_service_ms / 1e3);
}

static void note_action(struct inverter *inverter, int64_t now_ms, int result)
{
	struct own_event *event =
		new_event(inverter, now_ms, result < 0 ? OWN_EVENT_FAILURE : OWN_EVENT_ACTION);

	snprintf(event->text, sizeof(event->text), "%s%s%s",
		 policy_action_text(inverter->out.action), result < 0 ? ": " : "",
		 result < 0 ? strerrordesc_np(-result) : "");
}

static void count_energy(struct inverter *inverter)
{
	uint64_t counter_mj[ENERGY_COUNTERS];

	for (int i = 0; i < QS1_INPUTS; i++) {
		counter_mj[i] = inverter->telemetry.epv_mj[i];
	}
	counter_mj[ENERGY_GRID] = inverter->telemetry.eac_mj;
	energy_update(&inverter->energy, inverter->run, counter_mj);
}

/* One decision, and all actions that follow from it. */
static void step(struct inverter *inverter, int64_t now_ms)
{
	const struct qs1_telemetry *t = &inverter->telemetry;
	uint32_t run;
	struct policy_input in = {
		.epoch = inverter->run,
		.sample = inverter->sample,
		.reading = inverter->reading,
		.plausible = true,
		.ecu = inverter->node.answered != inverter->answered,
		.command = inverter->commanded ? &inverter->command : NULL,
	};

	run = inverter->firmware->run(inverter->ctx);
	if (run) {
		inverter->firmware->telemetry(inverter->ctx, &inverter->telemetry);
		in.present = true;
		in.epoch = inverter->run = run;
		in.sample = ++inverter->sample;
		count_energy(inverter);
	}
	in.status = t->status;
	in.faults_active = t->faults_active;
	in.faults_latched = t->faults_latched;
	inverter->reading += inverter->sample % READING_STEPS == 0;
	inverter->commanded = false;
	inverter->answered = inverter->node.answered;
	do {
		policy_step(&inverter->policy, &in, now_ms, &inverter->out);
		in.command = NULL;
		in.ecu = false;
		in.result = 0;
		in.save_ended = inverter->out.save != NULL;
		in.save_result = 0;
		for (int slot = 0; slot < POLICY_SLOT_COUNT; slot++) {
			if (inverter->out.answer[slot].ended) {
				answer(inverter, slot, &inverter->out.answer[slot]);
			}
		}
		if (inverter->out.heartbeat) {
			inverter->firmware->heartbeat(inverter->ctx);
		}
		if (inverter->out.remind) {
			snprintf(new_event(inverter, now_ms, OWN_EVENT_REMINDER)->text,
				 OWN_EVENT_TEXT_MAX, "ground fault latched");
		}
		if (inverter->out.action != POLICY_NONE) {
			in.result = act(inverter, &inverter->out);
			note_action(inverter, now_ms, in.result);
		}
	} while (inverter->out.action != POLICY_NONE || in.save_ended);
}

void inverter_run(struct inverter *inverter, uint64_t now_us)
{
	int64_t now_ms = now_ms_of(now_us);

	while (inverter->due_ms <= now_ms) {
		if (!inverter->dead) {
			step(inverter, inverter->due_ms);
		}
		inverter->due_ms += POLICY_TICK_MS;
	}
	take_events(inverter, now_ms);
	report(inverter, now_ms);
}
