// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Announces the pages and Modbus by mDNS (RFC 6762, RFC 6763). ecud registers the records with
 * Avahi over the system bus, and again when Avahi has restarted or has changed the host name. The
 * name ecu-ID.local, for which the certificate is valid, is an alias of the host's. Without a bus
 * or Avahi, and on loopback alone, nothing is announced.
 */
#include "mdns.h"

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "../lib/log.h"
#include "../lib/util.h"

#define AVAHI "org.freedesktop.Avahi"
#define SERVER AVAHI ".Server"
#define GROUP AVAHI ".EntryGroup"
/* Of Avahi's protocol: all interfaces and protocols, server's state "running", flags of a record.
 */
#define ANY (-1)
#define SERVER_RUNNING 2
#define FLAGS_NONE 0u
#define FLAG_USE_MULTICAST 256u
/* RFC 1035, 3.2. */
#define CLASS_IN 1
#define TYPE_CNAME 5
/* As Avahi's own host names have it. */
#define TTL_S 120u
#define LABEL_MAX 63

/**
 * struct mdns - the announcement
 * @group: Avahi's object with our records; "" for none
 * @step: the call for a group or for the host name that is under way
 */
struct mdns {
	struct ecu *ecu;
	sd_bus *bus;
	sd_bus_slot *step;
	char group[128];
};

int mdns_encode_name(const char *name, uint8_t *ret)
{
	size_t n = 0;

	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > LABEL_MAX) {
			return -EINVAL;
		}
		if (n + 1 + length + 1 > MDNS_NAME_MAX) {
			return -ENAMETOOLONG;
		}
		ret[n++] = (uint8_t)length;
		memcpy(ret + n, name, length);
		n += length;
		name += length + (name[length] == '.');
	}
	ret[n++] = 0;
	return (int)n;
}

static void failed(const char *what, int error, const char *message)
{
	log_notice("mdns: %s: %s", what, message ? message : strerror(-error));
}

/* Takes the reply to a call that has no result. */
static int on_reply(sd_bus_message *reply, void *ctx, sd_bus_error *error)
{
	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		failed(ctx, 0, sd_bus_message_get_error(reply)->message);
	}
	return 0;
}

/* Call a method of our group with a complete message. @what names the call in the log. */
static int call(struct mdns *mdns, sd_bus_message *message, const char *what)
{
	return sd_bus_call_async(mdns->bus, NULL, message, on_reply, (void *)what, 0);
}

static int new_call(struct mdns *mdns, sd_bus_message **message, const char *member)
{
	return sd_bus_message_new_method_call(mdns->bus, message, AVAHI, mdns->group, GROUP,
					      member);
}

static int add_text(sd_bus_message *message, const char *name, const char *value)
{
	char text[64];

	snprintf(text, sizeof(text), "%s=%s", name, value);
	return sd_bus_message_append_array(message, 'y', text, strlen(text));
}

static int add_service(struct mdns *mdns, const char *type, uint16_t port)
{
	const char *id = mdns->ecu->model->ecu_id;
	sd_bus_message *message __cleanup(sd_bus_message_unrefp) = NULL;
	char name[64];
	int ret = new_call(mdns, &message, "AddService");

	snprintf(name, sizeof(name), "qs1 ECU %s", id);
	ret = ret < 0 ? ret
		      : sd_bus_message_append(message, "iiussssq", ANY, ANY, FLAGS_NONE, name, type,
					      "", "", port);
	ret = ret < 0 ? ret : sd_bus_message_open_container(message, 'a', "ay");
	ret = ret < 0 ? ret : add_text(message, "id", id);
	ret = ret < 0 ? ret : sd_bus_message_close_container(message);
	return ret < 0 ? ret : call(mdns, message, type);
}

/* ecu-ID.local is the host. */
static int add_alias(struct mdns *mdns, const char *host)
{
	sd_bus_message *message __cleanup(sd_bus_message_unrefp) = NULL;
	uint8_t target[MDNS_NAME_MAX];
	char name[48];
	int n = mdns_encode_name(host, target);
	int ret = n < 0 ? n : new_call(mdns, &message, "AddRecord");

	snprintf(name, sizeof(name), "ecu-%s.local", mdns->ecu->model->ecu_id);
	ret = ret < 0 ? ret
		      : sd_bus_message_append(message, "iiusqqu", ANY, ANY, FLAG_USE_MULTICAST,
					      name, CLASS_IN, TYPE_CNAME, TTL_S);
	ret = ret < 0 ? ret : sd_bus_message_append_array(message, 'y', target, (size_t)n);
	return ret < 0 ? ret : call(mdns, message, "name");
}

static int add_all(struct mdns *mdns, const char *host)
{
	const struct config *config = mdns->ecu->config;
	/* Service names of IANA's registry. Columns: name, port. */
	const struct {
		const char *type;
		double port;
	} services[] = {
		{ "_https._tcp", config->port },
		{ "_mbap._tcp", config->modbus_port },
	};
	sd_bus_message *message __cleanup(sd_bus_message_unrefp) = NULL;
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(services) && ret >= 0; i++) {
		if (services[i].port > 0) {
			ret = add_service(mdns, services[i].type, (uint16_t)services[i].port);
		}
	}
	ret = ret < 0 ? ret : add_alias(mdns, host);
	ret = ret < 0 ? ret : new_call(mdns, &message, "Commit");
	return ret < 0 ? ret : call(mdns, message, "commit");
}

static int on_host(sd_bus_message *reply, void *ctx, sd_bus_error *error)
{
	struct mdns *mdns = ctx;
	const char *host;
	int ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		failed("host name", 0, sd_bus_message_get_error(reply)->message);
		return 0;
	}
	ret = sd_bus_message_read(reply, "s", &host);
	ret = ret < 0 ? ret : add_all(mdns, host);
	if (ret < 0) {
		failed("announcement", ret, NULL);
	}
	return 0;
}

/* The next step, in place of one under way: Avahi's start may come while one is. */
static int step(struct mdns *mdns, const char *member, sd_bus_message_handler_t on_step)
{
	mdns->step = sd_bus_slot_unref(mdns->step);
	return sd_bus_call_method_async(mdns->bus, &mdns->step, AVAHI, "/", SERVER, member, on_step,
					mdns, "");
}

static int on_group(sd_bus_message *reply, void *ctx, sd_bus_error *error)
{
	struct mdns *mdns = ctx;
	const char *path;
	int ret;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		failed("Avahi", 0, sd_bus_message_get_error(reply)->message);
		return 0;
	}
	ret = sd_bus_message_read(reply, "o", &path);
	if (ret >= 0) {
		snprintf(mdns->group, sizeof(mdns->group), "%s", path);
		ret = step(mdns, "GetHostNameFqdn", on_host);
	}
	if (ret < 0) {
		failed("announcement", ret, NULL);
	}
	return 0;
}

/* Announce, and replace the earlier announcement. */
static void announce(struct mdns *mdns)
{
	int ret;

	if (*mdns->group) {
		sd_bus_call_method_async(mdns->bus, NULL, AVAHI, mdns->group, GROUP, "Free",
					 on_reply, (void *)"former announcement", "");
		mdns->group[0] = '\0';
	}
	ret = step(mdns, "EntryGroupNew", on_group);
	if (ret < 0) {
		failed("Avahi", ret, NULL);
	}
}

/* Avahi has started or ended. */
static int on_owner(sd_bus_message *signal, void *ctx, sd_bus_error *error)
{
	struct mdns *mdns = ctx;
	const char *name, *before, *now;

	(void)error;
	if (sd_bus_message_read(signal, "sss", &name, &before, &now) >= 0) {
		mdns->group[0] = '\0'; /* the former Avahi held it */
	}
	return 0;
}

/* The host name is registered, at Avahi's start and when it has changed. */
static int on_state(sd_bus_message *signal, void *ctx, sd_bus_error *error)
{
	int32_t state;

	(void)error;
	if (sd_bus_message_read(signal, "i", &state) >= 0 && state == SERVER_RUNNING) {
		announce(ctx);
	}
	return 0;
}

static int watch(struct mdns *mdns)
{
	int ret = sd_bus_open_system(&mdns->bus);

	ret = ret < 0 ? ret : sd_bus_attach_event(mdns->bus, mdns->ecu->event, 0);
	ret = ret < 0 ? ret
		      : sd_bus_add_match_async(mdns->bus, NULL,
					       "type='signal',sender='org.freedesktop.DBus',"
					       "member='NameOwnerChanged',arg0='" AVAHI "'",
					       on_owner, NULL, mdns);
	return ret < 0 ? ret
		       : sd_bus_match_signal_async(mdns->bus, NULL, AVAHI, "/", SERVER,
						   "StateChanged", on_state, NULL, mdns);
}

static bool is_loopback(const char *address)
{
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1");
}

static void mdns_stop(void *state)
{
	struct mdns *mdns = state;

	/* Avahi removes what a client has announced when the client leaves the bus. */
	sd_bus_slot_unref(mdns->step);
	sd_bus_flush_close_unref(mdns->bus);
	free(mdns);
}

static int mdns_start(struct ecu *ecu, void **ret_state)
{
	struct mdns *mdns;
	int ret;

	*ret_state = NULL;
	if (is_loopback(ecu->config->listen)) {
		return 0;
	}
	mdns = calloc(1, sizeof(*mdns));
	if (!mdns) {
		return -ENOMEM;
	}
	mdns->ecu = ecu;
	ret = watch(mdns);
	if (ret < 0) {
		failed("system bus", ret, NULL);
		mdns_stop(mdns);
		return 0;
	}
	announce(mdns);
	*ret_state = mdns;
	return 0;
}

const struct interface interface_mdns = { "mdns", mdns_start, mdns_stop };
