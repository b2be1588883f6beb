// SPDX-License-Identifier: GPL-2.0-only
/* The requests of the control socket, see Documentation/protocol.md. */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>
#include <sodium.h>

#include "../lib/names.h"
#include "../lib/protocol.h"
#include "daemon.h"

#define REASON_SIZE 512
#define LEASE_MAX_S 86400
/* Nothing that a client sends is nested deeper. */
#define JSON_DEPTH 4

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

/* Strict JSON: one value, nothing after it. Return: the value, or NULL. */
static struct json_object *parse(const char *text, size_t n)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *object = NULL;

	if (!tokener) {
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, n);
	if (object && text[json_tokener_get_parse_end(tokener)] != '\0' &&
	    json_tokener_get_parse_end(tokener) < n) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static struct json_object *member(const struct request *request, const char *name,
				  enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(request->object, name, &value) &&
			       json_object_is_type(value, type)
		       ? value
		       : NULL;
}

/* A text member of the request, or NULL. */
static const char *text_member(const struct request *request, const char *name)
{
	struct json_object *value = member(request, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

/* An optional boolean. Return: 0, or -EINVAL for another type. */
static int bool_member(const struct request *request, const char *name, bool *ret_value)
{
	struct json_object *value = member(request, name, json_type_boolean);

	if (value) {
		*ret_value = json_object_get_boolean(value);
		return 0;
	}
	return json_object_object_get_ex(request->object, name, NULL) ? -EINVAL : 0;
}

/* An optional whole number. Return: 0, or -EINVAL for another type or out of the range. */
static int int_member(const struct request *request, const char *name, int64_t min, int64_t max,
		      int64_t *ret_value)
{
	struct json_object *value = member(request, name, json_type_int);
	int64_t number = value ? json_object_get_int64(value) : 0;

	if (!value) {
		return json_object_object_get_ex(request->object, name, NULL) ? -EINVAL : 0;
	}
	if (number < min || number > max) {
		return -EINVAL;
	}
	*ret_value = number;
	return 0;
}

static int expected(struct request *request, const char *name, const char *what)
{
	snprintf(request->reason, sizeof(request->reason), "expected '%s': %s", name, what);
	return -EINVAL;
}

/* Why policy, the firmware or the disk said no. */
static const char *words_of(const struct daemon *daemon, const struct asked *asked, int error)
{
	switch (error) {
	case -ENODEV:
		return "the inverter's firmware cannot be reached";
	case -EPERM:
		return daemon->policy.kept.ground_fault
			       ? "a ground fault is latched: remove its cause, then 'qs1ctl clear "
				 "gfdi'"
			       : "the store is lost: 'qs1ctl clear store-lost'";
	case -EBUSY:
		return asked->kind == POLICY_COMMAND_CLEAR   ? "the cause of the fault is present"
		       : asked->kind == POLICY_COMMAND_START ? "a stop is under way"
							     : "not allowed in the current state";
	case -ECANCELED:
		return "a stop came first";
	case -ERANGE:
	case -EINVAL:
		return "the firmware refuses the value";
	case -ETIMEDOUT:
	case -ESHUTDOWN:
		return "no answer in time";
	default:
		return strerror(-error);
	}
}

/* The end of a command in words. */
static void explain(const struct daemon *daemon, const struct asked *asked,
		    const struct policy_answer *answer, char *text, size_t size)
{
	const char *words = words_of(daemon, asked, answer->error);
	const char *refusal = daemon->refusal;

	switch (answer->outcome) {
	case POLICY_NOT_STORED:
		snprintf(text, size, "not stored: %s; %s", words,
			 asked->kind == POLICY_COMMAND_STOP
				 ? "stopped, but a loss of power would forget it"
			 : answer->undone ? "the former state is in force"
					  : "the former state is being restored");
		break;
	case POLICY_UNKNOWN:
		snprintf(text, size, "the outcome is unknown: %s%s", words,
			 asked->kind == POLICY_COMMAND_STOP || asked->kind == POLICY_COMMAND_LIMIT
				 ? "; it is tried until the firmware answers"
				 : "; the kept state is being restored");
		break;
	default:
		snprintf(text, size, "%s%s%s%s", words, refusal[0] ? " (" : "", refusal,
			 refusal[0] ? ")" : "");
		break;
	}
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

static int do_start(struct request *request)
{
	return command(request, &(struct policy_command){ .kind = POLICY_COMMAND_START });
}

static int do_stop(struct request *request)
{
	return command(request, &(struct policy_command){ .kind = POLICY_COMMAND_STOP });
}

static int do_clear(struct request *request)
{
	const char *name = text_member(request, "fault");
	int fault = name ? qs1_fault_find_word(name) : -ENOENT;

	if (!name) {
		return expected(request, "fault", "the code of a latched fault, such as \"gfdi\"");
	}
	if (fault < 0 || !(QS1_FAULTS_CLEARABLE & QS1_FAULT_BIT(fault))) {
		snprintf(request->reason, sizeof(request->reason),
			 "expected a fault that a command clears, found '%.32s'", name);
		return -EINVAL;
	}
	return command(request,
		       &(struct policy_command){ .kind = POLICY_COMMAND_CLEAR, .fault = fault });
}

static int do_set(struct request *request)
{
	const char *name = text_member(request, "name");
	const char *value = text_member(request, "value");
	struct policy_command set = { .kind = POLICY_COMMAND_SET };
	int id, ret;

	if (!name || !value) {
		return expected(request, "name' and 'value",
				"a parameter and a number, as strings");
	}
	id = qs1_param_find(name);
	if (id < 0) {
		snprintf(request->reason, sizeof(request->reason),
			 "expected the name of a parameter, found '%.64s'", name);
		return -ENOENT;
	}
	ret = qs1_param_parse(id, value, &set.value, request->reason, sizeof(request->reason));
	if (ret < 0) {
		return ret;
	}
	set.param = id;
	return command(request, &set);
}

/* These may limit without an end: a person revokes it. */
static bool may_last(const char *owner)
{
	return !strcmp(owner, "owner") || !strcmp(owner, "installer");
}

static bool is_owner(const char *owner)
{
	size_t n = strspn(owner, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return n > 0 && n < LIMITS_OWNER_SIZE && !owner[n];
}

/* A power in W, or "none". Return: 0 or -EINVAL; @ret_w stays as it is without the member. */
static int power_member(struct request *request, const char *name, int32_t *ret_w)
{
	const char *text = text_member(request, name);
	int64_t w = *ret_w;
	int ret = int_member(request, name, 0, qs1_param_desc(QS1_PARAM_POWER_LIMIT_W)->max, &w);

	if (text && !strcmp(text, "none")) {
		*ret_w = LIMITS_NONE;
		return 0;
	}
	if (ret < 0) {
		return expected(request, name, "W up to rated power, or \"none\"");
	}
	*ret_w = w;
	return 0;
}

static int do_limit(struct request *request)
{
	struct policy_command limit = {
		.kind = POLICY_COMMAND_LIMIT,
		.limit = { .w = -1, .until_ms = LIMITS_FOREVER, .then_w = LIMITS_NONE },
	};
	const char *owner = text_member(request, "owner");
	int64_t lease_s = 0;

	if (!owner || !is_owner(owner)) {
		return expected(request, "owner", "a name of lower-case letters, digits and -_.");
	}
	strcpy(limit.limit.owner, owner);
	if (power_member(request, "w", &limit.limit.w) < 0 ||
	    power_member(request, "then", &limit.limit.then_w) < 0) {
		return -EINVAL;
	}
	if (limit.limit.w < 0) {
		return expected(request, "w", "W up to rated power, or \"none\"");
	}
	if (int_member(request, "lease_s", 1, LEASE_MAX_S, &lease_s) < 0 ||
	    (!lease_s && limit.limit.w != LIMITS_NONE && !may_last(owner))) {
		return expected(request, "lease_s",
				"s from 1 to 86400; only 'owner' and 'installer' need none");
	}
	if (lease_s) {
		limit.limit.until_ms = daemon_time().mono_ms + lease_s * 1000;
	} else {
		limit.limit.then_w = LIMITS_NONE;
	}
	return command(request, &limit);
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

/* Values in force: of one parameter, or of all. */
static int do_get(struct request *request)
{
	const char *name = text_member(request, "name");
	int only = name ? qs1_param_find(name) : 0;

	if (only < 0) {
		snprintf(request->reason, sizeof(request->reason),
			 "expected the name of a parameter, found '%s'", name);
		return -ENOENT;
	}
	request->result = json_object_new_object();
	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		if (!name || id == only) {
			add_param(request, request->result, id);
		}
	}
	return 0;
}

static int do_profile_use(struct request *request)
{
	struct policy_command use = { .kind = POLICY_COMMAND_PROFILE };
	const char *name = text_member(request, "name");
	struct json_object *values = member(request, "values", json_type_object);
	int ret;

	if (!name || !values) {
		return expected(request, "name' and 'values",
				"a profile's name, and an object of its values as strings");
	}
	ret = protocol_profile(name, values, &use.profile, request->reason,
			       sizeof(request->reason));
	return ret < 0 ? ret : command(request, &use);
}

/* The events from a number on, and whether to send those to come as well. */
static int do_events(struct request *request)
{
	struct events *events = &request->daemon->events;
	int64_t from = 1;
	bool follow = false;

	if (int_member(request, "from", 1, INT64_MAX, &from) < 0) {
		return expected(request, "from", "the number of an event, from 1");
	}
	if (bool_member(request, "follow", &follow) < 0) {
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
	{ "events", do_events, FROM_CONTROL | FROM_RADIO },
	{ "sealed", do_sealed, FROM_CONTROL | FROM_RADIO },
	{ "start", do_start, FROM_CONTROL },
	{ "stop", do_stop, FROM_CONTROL },
	{ "dump", do_dump, FROM_CONTROL },
	{ "get", do_get, FROM_CONTROL | FROM_SEALED },
	{ "clear", do_clear, FROM_CONTROL | FROM_SEALED },
	{ "set", do_set, FROM_CONTROL | FROM_SEALED },
	{ "profile-use", do_profile_use, FROM_CONTROL | FROM_SEALED },
	{ "limit", do_limit, FROM_CONTROL | FROM_SEALED },
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
	const char *name = text_member(request, "cmd");

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
	if (int_member(request, "v", PROTOCOL_VERSION, PROTOCOL_VERSION, &version) < 0 ||
	    version != PROTOCOL_VERSION) {
		snprintf(request->reason, sizeof(request->reason), "expected protocol version %d",
			 PROTOCOL_VERSION);
		return -EPROTO;
	}
	return 0;
}

/* Members of an answer; @result is used up. */
static void add_result(struct json_object *object, struct json_object *result)
{
	json_object_object_add(object, "ok", json_object_new_boolean(true));
	json_object_object_add(object, "result", result);
}

static void add_error(struct json_object *object, enum policy_outcome outcome, int error,
		      const char *message)
{
	struct json_object *member = json_object_new_object();

	json_object_object_add(member, "outcome",
			       json_object_new_string(policy_outcome_name(outcome)));
	json_object_object_add(member, "code", json_object_new_string(strerrorname_np(-error)));
	json_object_object_add(member, "message", json_object_new_string(message));
	json_object_object_add(object, "ok", json_object_new_boolean(false));
	json_object_object_add(object, "error", member);
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

/* Seal an answer: the result of the outer request. Puts @inner. */
static struct json_object *seal(const struct daemon *daemon, const struct seal_key *key,
				uint32_t counter, struct json_object *inner)
{
	const char *body = json_object_to_json_string_ext(inner, JSON_C_TO_STRING_PLAIN);
	struct json_object *result = json_object_new_object();
	uint8_t message[PAIRING_MESSAGE_MAX];
	char text[2 * PAIRING_MESSAGE_MAX + 1];
	int n = pairing_reply(&daemon->pairing, key, counter, body, message);

	if (n < 0) {
		n = pairing_reply(&daemon->pairing, key, counter, "{\"ok\":true,\"result\":null}",
				  message);
	}
	sodium_bin2hex(text, sizeof(text), message, n);
	json_object_object_add(result, "message", json_object_new_string(text));
	json_object_put(inner);
	return result;
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
		add_result(inner_answer, NULL);
	} else {
		explain(daemon, asked, answer, reason, sizeof(reason));
		add_error(inner_answer, answer->outcome, answer->error, reason);
	}
	if (asked->sealed) {
		add_result(object, seal(daemon, &asked->key, asked->counter, inner_answer));
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
	const char *text = text_member(request, name);
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

	inner.object = parse(body, n);
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
		add_error(answer, POLICY_REFUSED, ret, inner.reason);
	} else {
		add_result(answer, inner.result);
	}
	outer->result = seal(outer->daemon, &outer->key, outer->counter, answer);
	return 0;
}

static int do_sealed(struct request *request)
{
	struct pairing *pairing = &request->daemon->pairing;
	const struct policy_kept *kept = &request->daemon->policy.kept;
	uint32_t counter = pairing->counter;
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
	ret = run_sealed(request, (const char *)body, length);
	if (ret == REQUEST_LATER) {
		pairing->counter = counter;
	}
	return ret;
}

enum control_taken requests_line(void *ctx, struct control_client *client, const char *line)
{
	struct request request = { .daemon = ctx, .client = client };
	enum control_taken taken = CONTROL_ANSWERED;
	struct json_object *id = NULL, *object;
	int ret;

	request.object = parse(line, strlen(line));
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
			add_error(object, POLICY_REFUSED, ret, request.reason);
			json_object_put(request.result);
		} else {
			add_result(object, request.result);
		}
		control_send(client,
			     json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
		json_object_put(object);
	}
	json_object_put(request.object);
	return taken;
}
