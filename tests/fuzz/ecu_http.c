// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bodies of REST and messages of MQTT: the first byte chooses the operation, the rest is the body.
 * Each request gets exactly one reply.
 */
#include "http_server.h"
#include "mqtt.h"
#include "ecu_site.h"

static const struct http_route routes[] = {
	{ "POST", "/api/v1/commands", 0, 0, 4096, rest_post_commands },
	{ "POST", "/api/v1/inverters/{serial}/commands", 0, 0, 4096,
	  rest_post_inverters_serial_commands },
	{ "PUT", "/api/v1/inverters/{serial}", 0, 0, 4096, rest_put_inverters_serial },
	{ "POST", "/api/v1/inverters/{serial}/replace", 0, 0, 4096,
	  rest_post_inverters_serial_replace },
	{ "PUT", "/api/v1/limits/{owner}", 0, 0, 4096, rest_put_limits_owner },
	{ "PUT", "/api/v1/topology", 0, 0, 4096, rest_put_topology },
	{ "POST", "/api/v1/pairing", 0, 0, 4096, rest_post_pairing },
};

static void ask(struct ecu *ecu, const struct http_route *route, const uint8_t *data, size_t size)
{
	static struct rest rest;
	static struct http_server server = { .config.ctx = &rest };
	struct http_request *request = calloc(1, sizeof(*request));

	assert(request);
	rest.ecu = ecu;
	request->server = &server;
	request->method = route->method;
	request->path = route->path;
	request->route = route;
	request->known = true;
	request->who = (struct auth_identity){ .role = AUTH_INSTALLER, .name = "fuzz" };
	strcpy(request->param[0],
	       route->handler == rest_put_limits_owner ? "installer" : "806000000001");
	request->body = malloc(size + 1);
	memcpy(request->body, data, size);
	request->body_size = size;
	if (http_parse(request)) {
		assert(!request->reply);
		route->handler(request);
	}
	assert(request->reply && request->status >= 200 && request->status < 600);
	http_free(request);
}

/* The body as a message: topic, newline, text. */
static void publish(const uint8_t *data, size_t size)
{
	char text[2048], err[ORDER_TEXT_SIZE] = "";
	struct order order;
	char *message;

	if (size >= sizeof(text)) {
		return;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	message = strchr(text, '\n');
	if (!message) {
		return;
	}
	*message++ = '\0';
	if (mqtt_command(text, message, 1800000000000, &order, err, sizeof(err)) < 0) {
		assert(err[0]);
	} else {
		assert(order.role == ROLE_MQTT && order.lease_s > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ecu *ecu = fuzz_site();
	unsigned int chosen;

	if (!size) {
		return 0;
	}
	chosen = data[0] % (ARRAY_SIZE(routes) + 1);
	if (chosen < ARRAY_SIZE(routes)) {
		ask(ecu, &routes[chosen], data + 1, size - 1);
	} else {
		publish(data + 1, size - 1);
	}
	fuzz_orders(ecu);
	return 0;
}
