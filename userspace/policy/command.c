// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/protocol.h"
#include "../lib/util.h"

struct parse {
	struct json_object *request;
	int64_t now_ms;
	struct policy_command *command;
	char *err;
	size_t size;
};

static int expected(struct parse *parse, const char *name, const char *what)
{
	snprintf(parse->err, parse->size, "expected '%s': %s", name, what);
	return -EINVAL;
}

static int parse_nothing(struct parse *parse)
{
	(void)parse;
	return 0;
}

static int parse_clear(struct parse *parse)
{
	const char *name = protocol_text(parse->request, "fault");
	int fault = name ? qs1_fault_find_word(name) : -ENOENT;

	if (!name) {
		return expected(parse, "fault", "the code of a latched fault, such as \"gfdi\"");
	}
	if (fault < 0 || !(QS1_FAULTS_CLEARABLE & QS1_FAULT_BIT(fault))) {
		snprintf(parse->err, parse->size,
			 "expected a fault that a command clears, found '%.32s'", name);
		return -EINVAL;
	}
	parse->command->fault = (unsigned int)fault;
	return 0;
}

static int parse_set(struct parse *parse)
{
	const char *name = protocol_text(parse->request, "name");
	const char *value = protocol_text(parse->request, "value");
	int id;

	if (!name || !value) {
		return expected(parse, "name' and 'value", "a parameter and a number, as strings");
	}
	id = qs1_param_find(name);
	if (id < 0) {
		snprintf(parse->err, parse->size, "expected the name of a parameter, found '%.64s'",
			 name);
		return -ENOENT;
	}
	parse->command->param = (enum qs1_param)id;
	return qs1_param_parse(id, value, &parse->command->value, parse->err, parse->size);
}

static int parse_profile(struct parse *parse)
{
	const char *name = protocol_text(parse->request, "name");
	struct json_object *values = NULL;

	json_object_object_get_ex(parse->request, "values", &values);
	if (!name || !json_object_is_type(values, json_type_object)) {
		return expected(parse, "name' and 'values",
				"a profile's name, and an object of its values as strings");
	}
	return protocol_profile(name, values, &parse->command->profile, parse->err, parse->size);
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
static int parse_power(struct parse *parse, const char *name, int32_t *ret_w)
{
	const char *text = protocol_text(parse->request, name);
	int64_t w = *ret_w;
	int ret = protocol_int(parse->request, name, 0,
			       qs1_param_desc(QS1_PARAM_POWER_LIMIT_W)->max, &w);

	if (text && !strcmp(text, "none")) {
		*ret_w = LIMITS_NONE;
		return 0;
	}
	if (ret < 0) {
		return expected(parse, name, "W up to rated power, or \"none\"");
	}
	*ret_w = (int32_t)w;
	return 0;
}

static int parse_limit(struct parse *parse)
{
	struct limit *limit = &parse->command->limit;
	const char *owner = protocol_text(parse->request, "owner");
	int64_t lease_s = 0;

	*limit = (struct limit){ .w = -1, .until_ms = LIMITS_FOREVER, .then_w = LIMITS_NONE };
	if (!owner || !is_owner(owner)) {
		return expected(parse, "owner", "a name of lower-case letters, digits and -_.");
	}
	strcpy(limit->owner, owner);
	if (parse_power(parse, "w", &limit->w) < 0 ||
	    parse_power(parse, "then", &limit->then_w) < 0) {
		return -EINVAL;
	}
	if (limit->w < 0) {
		return expected(parse, "w", "W up to rated power, or \"none\"");
	}
	if (protocol_int(parse->request, "lease_s", 1, COMMAND_LEASE_MAX_S, &lease_s) < 0 ||
	    (!lease_s && limit->w != LIMITS_NONE && !may_last(owner))) {
		return expected(parse, "lease_s",
				"s from 1 to 86400; only 'owner' and 'installer' need none");
	}
	if (lease_s) {
		limit->until_ms = parse->now_ms + lease_s * 1000;
	} else {
		limit->then_w = LIMITS_NONE;
	}
	return 0;
}

/* clang-format off */
static const struct {
	const char *name;
	enum policy_command_kind kind;
	int (*parse)(struct parse *parse);
} requests[] = {
	{ "start", POLICY_COMMAND_START, parse_nothing },
	{ "stop", POLICY_COMMAND_STOP, parse_nothing },
	{ "clear", POLICY_COMMAND_CLEAR, parse_clear },
	{ "set", POLICY_COMMAND_SET, parse_set },
	{ "profile-use", POLICY_COMMAND_PROFILE, parse_profile },
	{ "limit", POLICY_COMMAND_LIMIT, parse_limit },
};
/* clang-format on */

int command_parse(struct json_object *request, int64_t now_ms, struct policy_command *ret_command,
		  char *err, size_t size)
{
	const char *name = protocol_text(request, "cmd");
	struct policy_command command = { .kind = POLICY_COMMAND_NONE };
	struct parse parse = { request, now_ms, &command, err, size };
	int ret;

	for (size_t i = 0; name && i < ARRAY_SIZE(requests); i++) {
		if (strcmp(name, requests[i].name)) {
			continue;
		}
		command.kind = requests[i].kind;
		ret = requests[i].parse(&parse);
		if (!ret) {
			*ret_command = command;
		}
		return ret;
	}
	snprintf(err, size, "unknown request '%.32s'", name ?: "");
	return -ENOENT;
}

/* Why policy, the firmware or the disk said no. */
static const char *words_of(const struct policy *policy, enum policy_command_kind kind, int error)
{
	switch (error) {
	case -ENODEV:
		return "the inverter's firmware cannot be reached";
	case -EPERM:
		return policy->kept.ground_fault
			       ? "a ground fault is latched: remove its cause, then 'qs1ctl clear "
				 "gfdi'"
			       : "the store is lost: 'qs1ctl clear store-lost'";
	case -EBUSY:
		return kind == POLICY_COMMAND_CLEAR   ? "the cause of the fault is present"
		       : kind == POLICY_COMMAND_START ? "a stop is under way"
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

void command_outcome_text(const struct policy *policy, enum policy_command_kind kind,
			  const struct policy_answer *answer, const char *refusal, char *text,
			  size_t size)
{
	const char *words = words_of(policy, kind, answer->error);

	switch (answer->outcome) {
	case POLICY_NOT_STORED:
		snprintf(text, size, "not stored: %s; %s", words,
			 kind == POLICY_COMMAND_STOP
				 ? "stopped, but a loss of power would forget it"
			 : answer->undone ? "the former state is in force"
					  : "the former state is being restored");
		break;
	case POLICY_UNKNOWN:
		snprintf(text, size, "the outcome is unknown: %s%s", words,
			 kind == POLICY_COMMAND_STOP || kind == POLICY_COMMAND_LIMIT
				 ? "; it is tried until the firmware answers"
				 : "; the kept state is being restored");
		break;
	default:
		snprintf(text, size, "%s%s%s%s", words, refusal[0] ? " (" : "", refusal,
			 refusal[0] ? ")" : "");
		break;
	}
}

#define STOCK_SWITCH "stock-switch"
#define STOCK_LEASE_MS (24 * 3600 * 1000LL)

int command_stock_check(const struct policy *policy, int64_t window_ms, int64_t up_ms,
			const char **ret_reason)
{
	const char *reason = !window_ms		   ? "stock ECUs are not allowed by the owner"
			     : policy->kept.paired ? "paired with an ECU of ours"
			     : up_ms >= window_ms  ? "ten minutes after power-up are over"
						   : NULL;

	if (reason) {
		*ret_reason = reason;
	}
	return reason ? -EACCES : 0;
}

static struct policy_command stock_limit(const char *owner, int32_t w, int64_t now_ms)
{
	struct policy_command command = { .kind = POLICY_COMMAND_LIMIT };

	command.limit = (struct limit){
		.w = w,
		.until_ms = now_ms + STOCK_LEASE_MS,
		.then_w = LIMITS_NONE,
	};
	snprintf(command.limit.owner, sizeof(command.limit.owner), "%s", owner);
	return command;
}

struct policy_command command_stock_switch(bool on, int64_t now_ms)
{
	return stock_limit(STOCK_SWITCH, on ? LIMITS_NONE : 0, now_ms);
}

struct policy_command command_stock_limit(int panel_w, int64_t now_ms)
{
	return stock_limit(PROTOCOL_STOCK_OWNER, panel_w * QS1_INPUTS, now_ms);
}
