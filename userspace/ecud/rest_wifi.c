// SPDX-License-Identifier: GPL-2.0-or-later
/* REST interface: Wi-Fi of this machine. */
#include <errno.h>
#include <string.h>

#include "rest.h"
#include "wifi.h"

void rest_get_wifi(struct http_request *request)
{
	struct wifi wifi;
	struct json_object *json = json_object_new_object();
	struct json_object *networks = json_object_new_array();

	wifi_list(&wifi);
	for (int i = 0; i < wifi.networks; i++) {
		const struct wifi_network *network = &wifi.network[i];
		struct json_object *each = json_object_new_object();

		json_object_object_add(each, "ssid", json_object_new_string(network->ssid));
		json_object_object_add(each, "strength", json_object_new_int(network->strength));
		json_object_object_add(each, "secured", json_object_new_boolean(network->secured));
		json_object_object_add(each, "connected",
				       json_object_new_boolean(network->connected));
		json_object_array_add(networks, each);
	}
	json_object_object_add(json, "device",
			       *wifi.device ? json_object_new_string(wifi.device) : NULL);
	json_object_object_add(json, "state", json_object_new_string(wifi.state));
	json_object_object_add(json, "networks", networks);
	http_reply_json(request, 200, json);
}

/* The key of the body; absent for an open network. */
static bool take_key(struct http_request *request, const char **ret_key)
{
	*ret_key = "";
	return !json_object_object_get_ex(http_json(request), "key", NULL) ||
	       http_text(request, "key", WIFI_KEY_MIN, WIFI_KEY_MAX, ret_key);
}

void rest_post_wifi(struct http_request *request)
{
	const char *ssid, *key;
	char err[256] = "";
	int ret;

	if (!http_text(request, "ssid", 1, WIFI_SSID_SIZE - 1, &ssid) || !take_key(request, &key)) {
		return;
	}
	ret = wifi_join(ssid, key, err, sizeof(err));
	rest_audit(request, "wifi", ssid, ret < 0 ? "refused" : "ok");
	if (ret < 0) {
		http_reply_errno(request, ret == -ENODEV || ret == -EIO ? -EAGAIN : ret, "%s", err);
		return;
	}
	http_reply_none(request);
}
