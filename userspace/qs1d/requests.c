// SPDX-License-Identifier: GPL-2.0-only
/* The requests of the control socket, see Documentation/protocol.md. */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>
#include <sodium.h>

#include "../lib/protocol.h"
#include "../policy/command.h"
#include "daemon.h"

#define REASON_SIZE 512
/* The largest limit of an input that a stock ECU can set, W. */
#define PANEL_MAX_W 500

/**
 * struct request - one request while it is carried out
 * @daemon: the daemon
 * @client: its client
 * @object: the request
 * @sealed: it came in a sealed message
 * @key: in force when that was opened
 * @counter: of that message
 * @outer: the request that the sealed message came in
 * @result: what to answer, or NULL
 * @reason: on failure, in words
 */
struct request {
	struct daemon *daemon;
	struct control_client *client;
	struct json_object *object;
	bool sealed;
	struct seal_key key;
	uint32_t counter;
	struct json_object *outer;
	struct json_object *result;
	char reason[REASON_SIZE];
};

/* What a request returns besides 0 and a negative errno. */
enum {
	REQUEST_WAITS = 1, /* the command is under way */
	REQUEST_LATER,	   /* another command of its slot is */
	REQUEST_ANSWERED,  /* the answer has been sent */
};

static int expected(struct request *request, const char *name, const char *what)
{
	snprintf(request->reason, sizeof(request->reason), "expected '%s': %s", name, what);
	return -EINVAL;
}

/* Give policy a command. Its answer may come at once, or later. */
static int command(struct request *request, const struct policy_command *command)
{
	struct daemon *daemon = request->daemon;
	struct asked *asked = &daemon->asked[policy_slot(command->kind)];
	struct json_object *object = request->outer ?: request->object;
	struct json_object *id = NULL;

	if (policy_is_open(&daemon->policy, command->kind)) {
		return REQUEST_LATER;
	}
	json_object_object_get_ex(object, "id", &id);
	*asked = (struct asked){
		.client = request->client,
		.serial = request->client->serial,
		.id = json_object_get(id),
		.fault = command->fault,
		.kind = command->kind,
		.sealed = request->sealed,
		.key = request->key,
		.counter = request->counter,
	};
	daemon_command(daemon, command);
	return asked->client ? REQUEST_WAITS : REQUEST_ANSWERED;
}

static int do_status(struct request *request)
{
	request->result = report_status(request->daemon);
	return 0;
}

/* What an ECU asks for; it shows that there is one. */
static int do_report(struct request *request)
{
	request->daemon->ecu = true;
	return do_status(request);
}

/* The loop's angle, with which an ECU finds the phase of the unit. */
static int do_angle(struct request *request)
{
	struct board *board = &request->daemon->board;
	double deg;
	int64_t us;
	int ret = board_angle(board, &deg, &us);

	if (ret < 0) {
		snprintf(request->reason, sizeof(request->reason), "no angle: %s",
			 ret == -ENODATA ? "not locked to a grid" : strerror(-ret));
		return ret;
	}
	request->result = json_object_new_object();
	report_number(request->result, "deg", deg, 2);
	report_number(request->result, "f", board->sample.meter[BOARD_GRID_F], 3);
	json_object_object_add(request->result, "monotonic_us", json_object_new_int64(us));
	return 0;
}

/* A command of policy. */
static int do_command(struct request *request)
{
	struct policy_command wanted;
	int ret = command_parse(request->object, daemon_time().mono_ms, &wanted, request->reason,
				sizeof(request->reason));

	return ret < 0 ? ret : command(request, &wanted);
}

/*
 * A stock ECU, whose frames have no seal: whether it may pair and command now; and with a member
 * "on" or "panel_w", its command.
 */
static int do_stock(struct request *request)
{
	struct daemon *daemon = request->daemon;
	int64_t now_ms = daemon_time().mono_ms;
	int64_t window_ms = config_is_on(daemon->config.stock_ecu) ? COMMAND_STOCK_WINDOW_MS : 0;
	struct policy_command wanted;
	int64_t panel_w = -1;
	const char *reason;
	bool on = false;
	int ret = command_stock_check(&daemon->policy, window_ms, now_ms, &reason);

	if (ret < 0) {
		snprintf(request->reason, sizeof(request->reason), "%s", reason);
		return ret;
	}
	if (protocol_bool(request->object, "on", &on) < 0) {
		return expected(request, "on", "true or false");
	}
	if (protocol_int(request->object, "panel_w", 0, PANEL_MAX_W, &panel_w) < 0) {
		return expected(request, "panel_w", "W of each input");
	}
	if (panel_w >= 0) {
		wanted = command_stock_limit((int)panel_w, now_ms);
	} else if (json_object_object_get_ex(request->object, "on", NULL)) {
		wanted = command_stock_switch(on, now_ms);
	} else {
		return 0;
	}
	return command(request, &wanted);
}

static void add_param(struct request *request, struct json_object *object, enum qs1_param id)
{
	const struct qs1_param_desc *desc = qs1_param_desc(id);
	char text[QS1_DECIMAL_SIZE];
	int32_t value;

	if (board_get(&request->daemon->board, id, &value) < 0) {
		json_object_object_add(object, desc->name, NULL);
		return;
	}
	json_object_object_add(
		object, desc->name,
		json_object_new_string(qs1_decimal_format(text, value, desc->decimals)));
}

/* Values in force: of some parameters, or of all. */
static int do_get(struct request *request)
{
	bool wanted[QS1_PARAM_COUNT];
	int ret =
		protocol_params(request->object, wanted, request->reason, sizeof(request->reason));

	if (ret < 0) {
		return ret;
	}
	request->result = json_object_new_object();
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (wanted[id]) {
			add_param(request, request->result, id);
		}
	}
	return 0;
}

/* The events from a number on, and whether to send those to come as well. */
static int do_events(struct request *request)
{
	struct events *events = &request->daemon->events;
	int64_t from = 1;
	bool follow = false;

	if (protocol_int(request->object, "from", 1, INT64_MAX, &from) < 0) {
		return expected(request, "from", "the number of an event, from 1");
	}
	if (protocol_bool(request->object, "follow", &follow) < 0) {
		return expected(request, "follow", "true or false");
	}
	request->result = json_object_new_array();
	for (uint64_t n = from; n <= events->newest; n++) {
		const struct event *event = events_get(events, n);

		if (event) {
			json_object_array_add(request->result, event_json(event));
		} else if (events->newest >= EVENTS_KEPT && n <= events->newest - EVENTS_KEPT) {
			n = events->newest - EVENTS_KEPT;
		}
	}
	request->client->follow = follow ? events->newest + 1 : 0;
	return 0;
}

void requests_follow(struct daemon *daemon, struct control_client *client)
{
	while (client->follow && client->follow <= daemon->events.newest) {
		const struct event *event = events_get(&daemon->events, client->follow);

		client->follow++;
		if (event) {
			struct json_object *object = json_object_new_object();

			json_object_object_add(object, "v", json_object_new_int(PROTOCOL_VERSION));
			json_object_object_add(object, "event", event_json(event));
			control_send(client, json_object_to_json_string_ext(
						     object, JSON_C_TO_STRING_PLAIN));
			json_object_put(object);
		}
	}
}

/* The flight recorder. */
static int do_dump(struct request *request)
{
	request->result = recorder_json(&request->daemon->recorder);
	return 0;
}

static int do_sealed(struct request *request);

/* Where a request may come from. */
enum {
	FROM_CONTROL = 1,
	FROM_RADIO = 2,
	FROM_SEALED = 4,
};

/* clang-format off */
static const struct {
	const char *name;
	int (*run)(struct request *request);
	unsigned int from;
} requests[] = {
	{ "status", do_status, FROM_CONTROL | FROM_RADIO },
	{ "report", do_report, FROM_CONTROL | FROM_RADIO },
	{ "angle", do_angle, FROM_CONTROL | FROM_RADIO },
	{ "events", do_events, FROM_CONTROL | FROM_RADIO },
	{ "sealed", do_sealed, FROM_CONTROL | FROM_RADIO },
	{ "stock", do_stock, FROM_CONTROL | FROM_RADIO },
	{ "start", do_command, FROM_CONTROL },
	{ "stop", do_command, FROM_CONTROL },
	{ "dump", do_dump, FROM_CONTROL },
	{ "get", do_get, FROM_CONTROL | FROM_SEALED },
	{ "clear", do_command, FROM_CONTROL | FROM_SEALED },
	{ "set", do_command, FROM_CONTROL | FROM_SEALED },
	{ "profile-use", do_command, FROM_CONTROL | FROM_SEALED },
	{ "limit", do_command, FROM_CONTROL | FROM_SEALED },
};
/* clang-format on */

static unsigned int source_of(const struct request *request)
{
	return request->sealed					     ? FROM_SEALED
	       : request->client->control == &request->daemon->radio ? FROM_RADIO
								     : FROM_CONTROL;
}

static int dispatch(struct request *request)
{
	const char *name = protocol_text(request->object, "cmd");

	for (size_t i = 0; name && i < ARRAY_SIZE(requests); i++) {
		if (strcmp(name, requests[i].name)) {
			continue;
		}
		if (!(requests[i].from & source_of(request))) {
			snprintf(request->reason, sizeof(request->reason),
				 "'%s' is not allowed here", name);
			return -EACCES;
		}
		return requests[i].run(request);
	}
	snprintf(request->reason, sizeof(request->reason), "unknown request '%.32s'", name ?: "");
	return -ENOENT;
}

static int check_version(struct request *request)
{
	int64_t version = 0;

	if (!json_object_is_type(request->object, json_type_object)) {
		snprintf(request->reason, sizeof(request->reason), "expected a JSON object");
		return -EINVAL;
	}
	if (protocol_int(request->object, "v", PROTOCOL_VERSION, PROTOCOL_VERSION, &version) < 0 ||
	    version != PROTOCOL_VERSION) {
		snprintf(request->reason, sizeof(request->reason), "expected protocol version %d",
			 PROTOCOL_VERSION);
		return -EPROTO;
	}
	return 0;
}

/* An answer that has its version and the request's identifier, which may be NULL. */
static struct json_object *new_answer(struct json_object *id)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "v", json_object_new_int(PROTOCOL_VERSION));
	if (id) {
		json_object_object_add(object, "id", json_object_get(id));
	}
	return object;
}

/* A sealed reply as the result of the outer request. */
static struct json_object *sealed_result(const uint8_t *message, size_t n)
{
	struct json_object *result = json_object_new_object();
	char text[2 * PAIRING_MESSAGE_MAX + 1];

	sodium_bin2hex(text, sizeof(text), message, n);
	json_object_object_add(result, "message", json_object_new_string(text));
	return result;
}

/* Seal an answer: the result of the outer request. Puts @inner. */
static struct json_object *seal(struct daemon *daemon, const struct seal_key *key, uint32_t counter,
				struct json_object *inner)
{
	const char *body = json_object_to_json_string_ext(inner, JSON_C_TO_STRING_PLAIN);
	uint8_t message[PAIRING_MESSAGE_MAX];
	int n = pairing_reply(&daemon->pairing, key, counter, body, message);

	if (n < 0) {
		n = pairing_reply(&daemon->pairing, key, counter, "{\"ok\":true,\"result\":null}",
				  message);
	}
	json_object_put(inner);
	return sealed_result(message, n);
}

void requests_answer(struct daemon *daemon, enum policy_slot slot,
		     const struct policy_answer *answer)
{
	struct asked *asked = &daemon->asked[slot];
	struct json_object *object = new_answer(asked->id);
	struct json_object *inner_answer = asked->sealed ? json_object_new_object() : object;
	struct control_client *client = asked->client;
	char reason[REASON_SIZE];

	if (answer->outcome == POLICY_DONE) {
		protocol_add_result(inner_answer, NULL);
	} else {
		command_outcome_text(&daemon->policy, asked->kind, answer, daemon->refusal, reason,
				     sizeof(reason));
		protocol_add_error(inner_answer, policy_outcome_name(answer->outcome),
				   answer->error, reason);
	}
	if (asked->sealed) {
		protocol_add_result(object,
				    seal(daemon, &asked->key, asked->counter, inner_answer));
	}
	json_object_put(asked->id);
	asked->id = NULL;
	asked->client = NULL;
	/* Other clients may wait for the slot, also when this one is gone. */
	control_resume(&daemon->control);
	control_resume(&daemon->radio);
	if (client && client->serial == asked->serial) {
		control_answer(client,
			       json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	}
	json_object_put(object);
}

/* The bytes of a hexadecimal member. Return: how many, or a negative errno. */
static int bytes_member(struct request *request, const char *name, uint8_t *bytes, size_t size)
{
	const char *text = protocol_text(request->object, name);
	size_t n = 0;

	if (!text || sodium_hex2bin(bytes, size, text, strlen(text), NULL, &n, NULL) < 0) {
		return expected(request, name, "hexadecimal digits");
	}
	return n;
}

static int refuse_seal(struct request *request, int error)
{
	snprintf(request->reason, sizeof(request->reason), "%s",
		 error == -ENOKEY ? "not paired, or without a label" : seal_error(error));
	return error;
}

/* The first step of a pairing: our nonce, and the proof that we have the install code. */
static int begin_pairing(struct request *request)
{
	uint8_t nonce_ecu[SEAL_NONCE_BYTES], nonce[SEAL_NONCE_BYTES], proof[SEAL_OVERHEAD];
	char text[2 * SEAL_OVERHEAD + 1];
	int ret = bytes_member(request, "nonce", nonce_ecu, sizeof(nonce_ecu));

	if (ret != SEAL_NONCE_BYTES) {
		return expected(request, "nonce", "16 bytes in hexadecimal digits");
	}
	ret = pairing_begin(&request->daemon->pairing, nonce_ecu, nonce, proof);
	if (ret < 0) {
		return refuse_seal(request, ret);
	}
	request->result = json_object_new_object();
	sodium_bin2hex(text, sizeof(text), nonce, sizeof(nonce));
	json_object_object_add(request->result, "nonce", json_object_new_string(text));
	sodium_bin2hex(text, sizeof(text), proof, sizeof(proof));
	json_object_object_add(request->result, "message", json_object_new_string(text));
	return 0;
}

/* The last step: the ECU's proof. From then on its key is in force. */
static int end_pairing(struct request *request, const uint8_t *message, size_t n)
{
	const struct policy_kept *kept = &request->daemon->policy.kept;
	struct policy_command pair = { .kind = POLICY_COMMAND_PAIR };
	struct seal_key key;
	int ret;

	if (policy_is_open(&request->daemon->policy, pair.kind)) {
		return REQUEST_LATER;
	}
	ret = pairing_end(&request->daemon->pairing, message, n, &key);
	if (ret < 0) {
		return refuse_seal(request, ret);
	}
	if (kept->paired && !memcmp(kept->key, key.byte, sizeof(kept->key))) {
		return 0;
	}
	memcpy(pair.key, key.byte, sizeof(pair.key));
	return command(request, &pair);
}

/* Carry out the request in a sealed message; the answer is sealed, too. */
static int run_sealed(struct request *outer, const char *body, size_t n)
{
	struct request inner = {
		.daemon = outer->daemon,
		.client = outer->client,
		.outer = outer->object,
		.sealed = true,
		.key = outer->key,
		.counter = outer->counter,
	};
	struct json_object *answer;
	int ret = -EINVAL;

	inner.object = protocol_parse(body, n);
	if (json_object_is_type(inner.object, json_type_object)) {
		ret = dispatch(&inner);
	} else {
		snprintf(inner.reason, sizeof(inner.reason), "expected a JSON object");
	}
	json_object_put(inner.object);
	if (ret > 0) {
		return ret;
	}
	answer = json_object_new_object();
	if (ret < 0) {
		protocol_add_error(answer, policy_outcome_name(POLICY_REFUSED), ret, inner.reason);
	} else {
		protocol_add_result(answer, inner.result);
	}
	outer->result = seal(outer->daemon, &outer->key, outer->counter, answer);
	return 0;
}

/* The ECU sends a command again when it did not receive the reply. */
static int repeat_reply(struct request *request)
{
	const struct pairing *pairing = &request->daemon->pairing;

	if (!pairing->reply_n) {
		return REQUEST_LATER;
	}
	request->result = sealed_result(pairing->reply, pairing->reply_n);
	return 0;
}

static int do_sealed(struct request *request)
{
	struct pairing *pairing = &request->daemon->pairing;
	const struct policy_kept *kept = &request->daemon->policy.kept;
	const struct pairing before = *pairing;
	uint8_t message[PAIRING_MESSAGE_MAX];
	const uint8_t *body;
	size_t length;
	int n, ret;

	if (json_object_object_get_ex(request->object, "nonce", NULL)) {
		return begin_pairing(request);
	}
	n = bytes_member(request, "message", message, sizeof(message));
	if (n < 0) {
		return n;
	}
	if (pairing_is_proof(message, n)) {
		return end_pairing(request, message, n);
	}
	memcpy(request->key.byte, kept->key, sizeof(kept->key));
	ret = kept->paired ? pairing_open(pairing, &request->key, message, n, &request->counter,
					  &body, &length)
			   : -ENOKEY;
	if (ret < 0) {
		return refuse_seal(request, ret);
	}
	if (ret == PAIRING_REPEATED) {
		return repeat_reply(request);
	}
	ret = run_sealed(request, (const char *)body, length);
	if (ret == REQUEST_LATER) {
		*pairing = before;
	}
	return ret;
}

enum control_taken requests_line(void *ctx, struct control_client *client, const char *line)
{
	struct request request = { .daemon = ctx, .client = client };
	enum control_taken taken = CONTROL_ANSWERED;
	struct json_object *id = NULL, *object;
	int ret;

	request.object = protocol_parse(line, strlen(line));
	ret = check_version(&request);
	if (!ret) {
		ret = dispatch(&request);
	}
	if (ret > 0) {
		taken = ret == REQUEST_WAITS   ? CONTROL_WAITS
			: ret == REQUEST_LATER ? CONTROL_LATER
					       : CONTROL_ANSWERED;
	} else {
		json_object_object_get_ex(request.object, "id", &id);
		object = new_answer(id);
		if (ret < 0) {
			protocol_add_error(object, policy_outcome_name(POLICY_REFUSED), ret,
					   request.reason);
			json_object_put(request.result);
		} else {
			protocol_add_result(object, request.result);
		}
		control_send(client,
			     json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
		json_object_put(object);
	}
	json_object_put(request.object);
	return taken;
}
