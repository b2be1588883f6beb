// SPDX-License-Identifier: GPL-2.0-or-later
/* REST interface: labels in a photo. */
#include <errno.h>
#include <string.h>

#include "../service/labels.h"
#include "rest.h"

/**
 * struct scan - labels found so far
 */
struct scan {
	struct model *model;
	struct json_object *labels;
};

static int take_label(void *ctx, const char *symbology, const char *text)
{
	struct scan *scan = ctx;
	struct json_object *json = json_object_new_object();
	uint8_t code[INSTALL_CODE_BYTES];
	const char *message = "";
	struct model_unit unit;
	struct serial serial;
	char serial_text[SERIAL_TEXT_SIZE];
	bool known;
	int ret = label_parse(text, &serial, code);

	explicit_bzero(code, sizeof(code));
	if (ret == -EBADMSG) {
		message = "the check of the install code is wrong: scan or type it again";
	} else if (ret < 0) {
		ret = serial_parse(text, &serial);
		message = ret < 0 ? "not the label of an inverter"
				  : "a serial number without install code: a stock inverter";
	}
	known = ret == 0 && model_copy(scan->model, &serial, &unit) == 0;
	json_object_object_add(json, "text", json_object_new_string(text));
	json_object_object_add(json, "symbology", json_object_new_string(symbology));
	json_object_object_add(
		json, "serial",
		ret == 0 ? json_object_new_string(serial_format(serial_text, &serial)) : NULL);
	json_object_object_add(json, "known", json_object_new_boolean(known));
	json_object_object_add(json, "message",
			       json_object_new_string(known ? "is here already" : message));
	return json_object_array_add(scan->labels, json);
}

void rest_post_scan(struct http_request *request)
{
	struct scan scan = { rest_of(request)->ecu->model, json_object_new_array() };
	struct json_object *json = json_object_new_object();
	char err[256] = "";
	size_t n;
	const void *jpeg = http_body(request, &n);
	int ret = labels_scan(jpeg, n, take_label, &scan, err, sizeof(err));

	json_object_object_add(json, "labels", scan.labels);
	if (ret < 0) {
		json_object_put(json);
		http_reply_errno(request, ret, "%s", err);
	} else {
		http_reply_secret(request, 200, json);
	}
}
