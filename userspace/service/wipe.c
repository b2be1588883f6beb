// SPDX-License-Identifier: GPL-2.0-or-later
#include "wipe.h"

#include <stdlib.h>
#include <string.h>

void wipe_free(void *bytes, size_t n)
{
	if (bytes) {
		explicit_bzero(bytes, n);
		free(bytes);
	}
}

void wipe_text(char **text)
{
	wipe_free(*text, *text ? strlen(*text) : 0);
	*text = NULL;
}

static void wipe_tree(struct json_object *json)
{
	if (json_object_is_type(json, json_type_string)) {
		/* json-c owns the text and returns it as constant */
		explicit_bzero((char *)json_object_get_string(json),
			       (size_t)json_object_get_string_len(json));
	} else if (json_object_is_type(json, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(json); i++) {
			wipe_tree(json_object_array_get_idx(json, i));
		}
	} else if (json_object_is_type(json, json_type_object)) {
		json_object_object_foreach(json, name, member) {
			(void)name;
			wipe_tree(member);
		}
	}
}

void wipe_json(struct json_object *json)
{
	wipe_tree(json);
	json_object_put(json);
}
