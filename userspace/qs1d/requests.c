// SPDX-License-Identifier: GPL-2.0-only
/* The requests of the control socket, see Documentation/protocol.md. */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "../lib/names.h"
#include "../lib/protocol.h"
#include "daemon.h"

#define REASON_SIZE 512

/**
 * struct request - one request while it is carried out
 * @daemon: the daemon
 * @client: who asked
 * @object: the request
 * @result: what to answer, or NULL
 * @reason: on failure, in words
 */
struct request {
	struct daemon *daemon;
	struct control_client *client;
	struct json_object *object;
	struct json_object *result;
	char reason[REASON_SIZE];
};

/* A text member of the request, or NULL. */
static const char *text_member(const struct request *request, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(request->object, name, &value) ||
	    !json_object_is_type(value, json_type_string)) {
		return NULL;
	}
	return json_object_get_string(value);
}

static int missing(struct request *request, const char *name, const char *what)
{
	snprintf(request->reason, sizeof(request->reason), "expected '%s': %s", name, what);
	return -EINVAL;
}

/* Put policy's refusal, or the firmware's, in words. */
static void explain(struct request *request, int result)
{
	const char *refusal = request->daemon->refusal;
	const char *words;

	switch (result) {
	case -ENODEV:
		words = "the inverter's firmware can not be reached";
		break;
	case -EPERM:
		words = "a ground fault is latched: have its cause removed, then 'qs1ctl clear "
			"gfdi'";
		break;
	case -EBUSY:
		words = "the firmware refuses it now";
		break;
	case -ERANGE:
	case -EINVAL:
		words = "the firmware refuses the value";
		break;
	case -EIO:
		words = "read back another value than was written";
		break;
	case -ETIMEDOUT:
	case -ESHUTDOWN:
		words = "the firmware does not answer";
		break;
	default:
		words = strerror(-result);
		break;
	}
	snprintf(request->reason, sizeof(request->reason), "%s%s%s%s", words,
		 refusal[0] ? " (" : "", refusal, refusal[0] ? ")" : "");
}

static int command(struct request *request, const struct policy_command *command)
{
	int ret = daemon_command(request->daemon, command);

	if (ret < 0) {
		explain(request, ret);
	}
	return ret;
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
	char upper[24];
	int fault;
	int ret;

	if (!name || strlen(name) >= sizeof(upper)) {
		return missing(request, "fault", "the code of a latched fault, such as \"gfdi\"");
	}
	for (size_t i = 0; i <= strlen(name); i++) {
		upper[i] = name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i];
	}
	fault = qs1_fault_find(upper);
	if (fault < 0) {
		snprintf(request->reason, sizeof(request->reason),
			 "expected the code of a fault, found '%s'", name);
		return -EINVAL;
	}
	ret = command(request,
		      &(struct policy_command){ .kind = POLICY_COMMAND_CLEAR, .fault = fault });
	if (ret == -EBUSY) {
		snprintf(request->reason, sizeof(request->reason),
			 "the cause of %s (%s) is still there", upper, qs1_fault_text(fault));
	}
	return ret;
}

static int do_set(struct request *request)
{
	const char *name = text_member(request, "name");
	const char *value = text_member(request, "value");
	struct policy_command set = { .kind = POLICY_COMMAND_SET };
	int id, ret;

	if (!name || !value) {
		return missing(request, "name' and 'value", "a parameter and a number, as strings");
	}
	id = qs1_param_find(name);
	if (id < 0) {
		snprintf(request->reason, sizeof(request->reason),
			 "expected the name of a parameter, found '%s'", name);
		return -ENOENT;
	}
	ret = qs1_param_parse(id, value, &set.value, request->reason, sizeof(request->reason));
	if (ret < 0) {
		return ret;
	}
	set.param = id;
	return command(request, &set);
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
	struct json_object *values;
	int ret;

	if (!name || !json_object_object_get_ex(request->object, "values", &values) ||
	    !json_object_is_type(values, json_type_object)) {
		return missing(request, "name' and 'values",
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
	struct json_object *value;
	uint64_t from = 1;
	bool follow = false;

	if (json_object_object_get_ex(request->object, "from", &value)) {
		int64_t number = json_object_get_int64(value);

		if (!json_object_is_type(value, json_type_int) || number < 1) {
			return missing(request, "from", "the number of an event, from 1");
		}
		from = number;
	}
	if (json_object_object_get_ex(request->object, "follow", &value)) {
		follow = json_object_get_boolean(value);
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

static const struct {
	const char *name;
	int (*run)(struct request *request);
} requests[] = {
	{ "status", do_status }, { "report", do_report },
	{ "start", do_start },	 { "stop", do_stop },
	{ "clear", do_clear },	 { "set", do_set },
	{ "get", do_get },	 { "profile-use", do_profile_use },
	{ "events", do_events }, { "dump", do_dump },
};

static int carry_out(struct request *request)
{
	struct json_object *version;
	const char *name;

	if (!json_object_is_type(request->object, json_type_object)) {
		snprintf(request->reason, sizeof(request->reason), "expected a JSON object");
		return -EINVAL;
	}
	if (!json_object_object_get_ex(request->object, "v", &version) ||
	    json_object_get_int(version) != PROTOCOL_VERSION) {
		snprintf(request->reason, sizeof(request->reason), "expected protocol version %d",
			 PROTOCOL_VERSION);
		return -EPROTO;
	}
	name = text_member(request, "cmd");
	for (size_t i = 0; name && i < ARRAY_SIZE(requests); i++) {
		if (!strcmp(name, requests[i].name)) {
			return requests[i].run(request);
		}
	}
	snprintf(request->reason, sizeof(request->reason), "unknown request '%s'", name ?: "");
	return -ENOENT;
}

static struct json_object *answer(struct request *request, int ret)
{
	struct json_object *object = json_object_new_object();
	struct json_object *id;

	json_object_object_add(object, "v", json_object_new_int(PROTOCOL_VERSION));
	if (json_object_object_get_ex(request->object, "id", &id)) {
		json_object_object_add(object, "id", json_object_get(id));
	}
	json_object_object_add(object, "ok", json_object_new_boolean(ret >= 0));
	if (ret < 0) {
		struct json_object *error = json_object_new_object();

		json_object_object_add(error, "code",
				       json_object_new_string(strerrorname_np(-ret)));
		json_object_object_add(error, "message", json_object_new_string(request->reason));
		json_object_object_add(object, "error", error);
		json_object_put(request->result);
	} else {
		json_object_object_add(object, "result", request->result);
	}
	return object;
}

void requests_line(void *daemon, struct control_client *client, const char *line)
{
	struct request request = { .daemon = daemon, .client = client };
	struct json_object *reply;
	int ret;

	request.object = json_tokener_parse(line);
	ret = carry_out(&request);
	reply = answer(&request, ret);
	control_send(client, json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
	json_object_put(reply);
	json_object_put(request.object);
}
