// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "../lib/util.h"

const struct order_desc order_desc[] = {
#define X(id, name, argument, scope, roles, interfaces, help)                                      \
	[COMMAND_##id] = { name, argument, ORDER_##scope, roles, interfaces, help },
	ORDER_COMMANDS(X)
#undef X
};

int order_command_find(const char *name)
{
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(order_desc[i].name, name)) {
			return i;
		}
	}
	return -ENOENT;
}

const char *order_role_name(unsigned int role)
{
#define X(id, bit, name)                                                                           \
	if (role == ROLE_##id) {                                                                   \
		return name;                                                                       \
	}
	ORDER_ROLES(X)
#undef X
	return "?";
}

const char *order_interface_name(unsigned int interface)
{
#define X(id, bit, name)                                                                           \
	if (interface == INTERFACE_##id) {                                                         \
		return name;                                                                       \
	}
	ORDER_INTERFACES(X)
#undef X
	return "?";
}

/* ---- arguments ---- */

enum argument_type {
	TYPE_NUMBER,
	TYPE_INTEGER,
	TYPE_TEXT,
	TYPE_ARRAY,
};

static const char *const type_names[] = {
	[TYPE_NUMBER] = "a number",
	[TYPE_INTEGER] = "an integer",
	[TYPE_TEXT] = "a text with a length",
	[TYPE_ARRAY] = "an array with a length",
};

static const struct argument {
	const char *name;
	enum argument_type type;
	double min;
	double max;
	bool may_be_null;
} arguments_known[] = {
#define X(id, name, type, min, max, null) { name, TYPE_##type, min, max, null },
	ORDER_ARGUMENTS(X)
#undef X
};

/* Length of a text or an array, or a number; false for another type. */
static bool size_of(enum argument_type type, struct json_object *value, double *ret)
{
	switch (type) {
	case TYPE_TEXT:
		*ret = json_object_get_string_len(value);
		return json_object_is_type(value, json_type_string) &&
		       strlen(json_object_get_string(value)) ==
			       (size_t)json_object_get_string_len(value);
	case TYPE_ARRAY:
		*ret = json_object_is_type(value, json_type_array)
			       ? (double)json_object_array_length(value)
			       : -1;
		return *ret >= 0;
	default:
		*ret = json_object_get_double(value);
		return json_object_is_type(value, json_type_int) ||
		       (type == TYPE_NUMBER && json_object_is_type(value, json_type_double));
	}
}

static bool fits(const struct argument *argument, struct json_object *value)
{
	double size;

	return size_of(argument->type, value, &size) && size >= argument->min &&
	       size <= argument->max;
}

/* One argument by its row: @name is a word of the command's list. */
static int check_argument(const char *name, size_t length, bool optional,
			  struct json_object *arguments, char *err, size_t size)
{
	struct json_object *value = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(arguments_known); i++) {
		const struct argument *argument = &arguments_known[i];

		if (strlen(argument->name) != length || strncmp(argument->name, name, length)) {
			continue;
		}
		if (!json_object_object_get_ex(arguments, argument->name, &value) || !value) {
			if (optional ||
			    (argument->may_be_null &&
			     json_object_object_get_ex(arguments, argument->name, NULL))) {
				return 0;
			}
			snprintf(err, size, "arguments: expected %s, found none", argument->name);
			return -EINVAL;
		}
		if (!fits(argument, value)) {
			snprintf(err, size,
				 "arguments: expected %s to be %s from %.10g to %.10g, found %.60s",
				 argument->name, type_names[argument->type], argument->min,
				 argument->max, json_object_to_json_string(value));
			return -EINVAL;
		}
		return 0;
	}
	snprintf(err, size, "arguments: no row for %.*s", (int)length, name);
	return -EINVAL;
}

/* Is @name a word of the command's list? */
static bool is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at += n) {
		if ((at == list || at[-1] == ' ') && strchr(" ?", at[n])) {
			return true;
		}
	}
	return false;
}

int order_check_arguments(enum order_command command, struct json_object *arguments, char *err,
			  size_t size)
{
	const char *list = order_desc[command].argument;
	int ret = 0;

	if (arguments && !json_object_is_type(arguments, json_type_object)) {
		snprintf(err, size, "arguments: expected an object");
		return -EINVAL;
	}
	for (const char *word = list; *word && ret == 0;) {
		size_t length = strcspn(word, "? ");

		ret = check_argument(word, length, word[length] == '?', arguments, err, size);
		word += strcspn(word, " ");
		word += strspn(word, " ");
	}
	if (ret < 0 || !arguments) {
		return ret;
	}
	json_object_object_foreach(arguments, name, value) {
		(void)value;
		if (!is_listed(list, name)) {
			snprintf(err, size, "arguments: unknown member '%.40s'", name);
			return -EINVAL;
		}
	}
	return 0;
}
