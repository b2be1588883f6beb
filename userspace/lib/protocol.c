// SPDX-License-Identifier: GPL-2.0-only
#include "protocol.h"

#include <errno.h>
#include <stdio.h>

#include "names.h"

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
