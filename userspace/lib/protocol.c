// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

/* Nothing that a client sends is nested deeper. */
#define JSON_DEPTH 4

int protocol_profile(const char *name, struct json_object *values, struct qs1_profile *ret_profile,
		     char *err, size_t size)
{
	struct qs1_profile_reader reader;
	int line = 0;
	int ret = qs1_profile_begin(&reader, name, err, size);

	if (ret < 0) {
		return ret;
	}
	json_object_object_foreach(values, key, value) {
		if (!json_object_is_type(value, json_type_string)) {
			snprintf(err, size, "%s: expected a number in quotes", key);
			return -EINVAL;
		}
		ret = qs1_profile_value(&reader, ++line, key, json_object_get_string(value), err,
					size);
		if (ret < 0) {
			return ret;
		}
	}
	return qs1_profile_end(&reader, ret_profile, err, size);
}

static int want_param(struct json_object *name, bool *wanted, char *err, size_t size)
{
	int id = json_object_is_type(name, json_type_string)
			 ? qs1_param_find(json_object_get_string(name))
			 : -EINVAL;

	if (id < 0) {
		snprintf(err, size, "expected the name of a parameter, found '%.64s'",
			 json_object_get_string(name));
		return id;
	}
	wanted[id] = true;
	return 0;
}

int protocol_params(struct json_object *request, bool ret_wanted[QS1_PARAM_COUNT], char *err,
		    size_t size)
{
	bool wanted[QS1_PARAM_COUNT] = { false };
	struct json_object *name;
	int ret = 0;

	if (!json_object_object_get_ex(request, "name", &name)) {
		memset(wanted, true, sizeof(wanted));
	} else if (!json_object_is_type(name, json_type_array)) {
		ret = want_param(name, wanted, err, size);
	} else {
		for (size_t i = 0; i < json_object_array_length(name) && ret == 0; i++) {
			ret = want_param(json_object_array_get_idx(name, i), wanted, err, size);
		}
	}
	if (ret == 0) {
		memcpy(ret_wanted, wanted, sizeof(wanted));
	}
	return ret;
}

struct json_object *protocol_values(const struct qs1_profile *profile)
{
	struct json_object *object = json_object_new_object();
	char text[QS1_DECIMAL_SIZE];

	for (int id = 0; id < QS1_PARAM_COUNT; id++) {
		const struct qs1_param_desc *desc = qs1_param_desc(id);

		if (desc->group == QS1_PARAM_GROUP_PROFILE) {
			json_object_object_add(object, desc->name,
					       json_object_new_string(qs1_decimal_format(
						       text, profile->value[id], desc->decimals)));
		}
	}
	return object;
}

struct json_object *protocol_faults(uint32_t bits)
{
	struct json_object *array = json_object_new_array();

	for (int fault = 0; fault < QS1_FAULT_ALL_COUNT; fault++) {
		if (bits & QS1_FAULT_BIT(fault)) {
			json_object_array_add(array, json_object_new_string(qs1_fault_name(fault)));
		}
	}
	return array;
}

struct json_object *protocol_parse(const char *text, size_t n)
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

static struct json_object *member(struct json_object *request, const char *name,
				  enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(request, name, &value) && json_object_is_type(value, type)
		       ? value
		       : NULL;
}

const char *protocol_text(struct json_object *request, const char *name)
{
	struct json_object *value = member(request, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

int protocol_bool(struct json_object *request, const char *name, bool *ret_value)
{
	struct json_object *value = member(request, name, json_type_boolean);

	if (value) {
		*ret_value = json_object_get_boolean(value);
		return 0;
	}
	return json_object_object_get_ex(request, name, NULL) ? -EINVAL : 0;
}

int protocol_int(struct json_object *request, const char *name, int64_t min, int64_t max,
		 int64_t *ret_value)
{
	struct json_object *value = member(request, name, json_type_int);
	int64_t number = value ? json_object_get_int64(value) : 0;

	if (!value) {
		return json_object_object_get_ex(request, name, NULL) ? -EINVAL : 0;
	}
	if (number < min || number > max) {
		return -EINVAL;
	}
	*ret_value = number;
	return 0;
}

void protocol_add_result(struct json_object *answer, struct json_object *result)
{
	json_object_object_add(answer, "ok", json_object_new_boolean(true));
	json_object_object_add(answer, "result", result);
}

void protocol_add_error(struct json_object *answer, const char *outcome, int error,
			const char *message)
{
	struct json_object *member = json_object_new_object();

	json_object_object_add(member, "outcome", json_object_new_string(outcome));
	json_object_object_add(member, "code", json_object_new_string(strerrorname_np(-error)));
	json_object_object_add(member, "message", json_object_new_string(message));
	json_object_object_add(answer, "ok", json_object_new_boolean(false));
	json_object_object_add(answer, "error", member);
}
