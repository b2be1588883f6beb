// SPDX-License-Identifier: GPL-2.0-or-later
#include "wifi.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "../lib/util.h"

#define NM "org.freedesktop.NetworkManager"
#define NM_PATH "/org/freedesktop/NetworkManager"
#define NM_DEVICE NM ".Device"
#define NM_WIRELESS NM ".Device.Wireless"
#define NM_POINT NM ".AccessPoint"
#define PATH_SIZE 128
#define TIMEOUT_US UINT64_C(10000000)
/* Of NetworkManager's interface: a type of device, and flags of an access point. */
#define DEVICE_TYPE_WIFI 2
#define RSN_KEY_PSK 0x100u
#define RSN_KEY_SAE 0x400u
#define POINTS_MAX 256

/**
 * struct access - a connection to NetworkManager
 * @device: path of the Wi-Fi device
 */
struct access {
	sd_bus *bus;
	char device[PATH_SIZE];
};

/**
 * struct point - one access point
 */
struct point {
	char path[PATH_SIZE];
	char ssid[WIFI_SSID_SIZE];
	uint8_t strength;
	uint32_t wpa;
	uint32_t rsn;
};

static void close_bus(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

static int property(sd_bus *bus, const char *path, const char *interface, const char *name,
		    char type, void *ret)
{
	return sd_bus_get_property_trivial(bus, NM, path, interface, name, NULL, type, ret);
}

static int open_device(struct access *access)
{
	sd_bus_message *reply __cleanup(sd_bus_message_unrefp) = NULL;
	const char *path;
	int ret = sd_bus_open_system(&access->bus);

	if (ret < 0) {
		return -ENODEV;
	}
	sd_bus_set_method_call_timeout(access->bus, TIMEOUT_US);
	ret = sd_bus_call_method(access->bus, NM, NM_PATH, NM, "GetDevices", NULL, &reply, "");
	ret = ret < 0 ? ret : sd_bus_message_enter_container(reply, 'a', "o");
	while (ret >= 0 && sd_bus_message_read(reply, "o", &path) > 0) {
		uint32_t type = 0;

		if (property(access->bus, path, NM_DEVICE, "DeviceType", 'u', &type) >= 0 &&
		    type == DEVICE_TYPE_WIFI) {
			snprintf(access->device, sizeof(access->device), "%s", path);
			return 0;
		}
	}
	return -ENODEV;
}

/* Is it UTF-8? Checks the continuation bytes, not overlong sequences. */
static bool is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		int more = *at < 0x80		       ? 0
			   : *at >= 0xc2 && *at < 0xe0 ? 1
			   : *at >= 0xe0 && *at < 0xf0 ? 2
			   : *at >= 0xf0 && *at < 0xf5 ? 3
						       : -1;

		if (more < 0) {
			return false;
		}
		for (at++; more > 0; more--, at++) {
			if ((*at & 0xc0) != 0x80) {
				return false;
			}
		}
	}
	return true;
}

/* The name of an access point, if it is text. */
static int read_ssid(sd_bus *bus, const char *path, char ssid[WIFI_SSID_SIZE])
{
	sd_bus_message *reply __cleanup(sd_bus_message_unrefp) = NULL;
	const void *bytes;
	size_t n = 0;
	int ret = sd_bus_get_property(bus, NM, path, NM_POINT, "Ssid", NULL, &reply, "ay");

	ret = ret < 0 ? ret : sd_bus_message_read_array(reply, 'y', &bytes, &n);
	if (ret < 0 || n == 0 || n >= WIFI_SSID_SIZE || memchr(bytes, 0, n)) {
		return -EBADMSG; /* hidden, or no text */
	}
	memcpy(ssid, bytes, n);
	ssid[n] = '\0';
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)ssid[i] < ' ') {
			return -EBADMSG;
		}
	}
	return is_utf8(ssid) ? 0 : -EBADMSG;
}

/* Access points in range whose names are text. Return: their number, or a negative errno. */
static int read_points(const struct access *access, struct point *points, int max)
{
	sd_bus_message *reply __cleanup(sd_bus_message_unrefp) = NULL;
	const char *path;
	int count = 0;
	int ret = sd_bus_call_method(access->bus, NM, access->device, NM_WIRELESS,
				     "GetAllAccessPoints", NULL, &reply, "");

	ret = ret < 0 ? ret : sd_bus_message_enter_container(reply, 'a', "o");
	while (ret >= 0 && count < max && sd_bus_message_read(reply, "o", &path) > 0) {
		struct point *point = &points[count];

		*point = (struct point){ 0 };
		snprintf(point->path, sizeof(point->path), "%s", path);
		if (read_ssid(access->bus, path, point->ssid) == 0 &&
		    property(access->bus, path, NM_POINT, "Strength", 'y', &point->strength) >= 0 &&
		    property(access->bus, path, NM_POINT, "WpaFlags", 'u', &point->wpa) >= 0 &&
		    property(access->bus, path, NM_POINT, "RsnFlags", 'u', &point->rsn) >= 0) {
			count++;
		}
	}
	return ret < 0 ? ret : count;
}

static int stronger(const void *a, const void *b)
{
	return ((const struct point *)b)->strength - ((const struct point *)a)->strength;
}

/* Columns: NetworkManager's state from which it holds, its name. */
static const char *name_state(uint32_t state)
{
	static const struct {
		uint32_t from;
		const char *name;
	} names[] = {
		{ 120, "failed" },    { 110, "disconnected" }, { 100, "connected" },
		{ 40, "connecting" }, { 30, "disconnected" },  { 0, "unavailable" },
	};
	size_t i = 0;

	while (state < names[i].from) {
		i++;
	}
	return names[i].name;
}

static struct wifi_network *find(struct wifi *wifi, const char *ssid)
{
	for (int i = 0; i < wifi->networks; i++) {
		if (!strcmp(wifi->network[i].ssid, ssid)) {
			return &wifi->network[i];
		}
	}
	return NULL;
}

/* Networks of the access points, which are sorted. */
static void take_points(struct wifi *wifi, const struct point *points, int count,
			const char *active)
{
	for (int i = 0; i < count; i++) {
		struct wifi_network *network = find(wifi, points[i].ssid);

		if (!network && wifi->networks < WIFI_NETWORKS_MAX) {
			network = &wifi->network[wifi->networks++];
			snprintf(network->ssid, sizeof(network->ssid), "%s", points[i].ssid);
			network->strength = points[i].strength;
			network->secured = points[i].wpa || points[i].rsn;
		}
		if (network && !strcmp(points[i].path, active)) {
			network->connected = true;
		}
	}
}

/* The access point in use, "" for none. */
static void read_active(const struct access *access, char *ret, size_t size)
{
	sd_bus_message *reply __cleanup(sd_bus_message_unrefp) = NULL;
	const char *path = "";

	if (sd_bus_get_property(access->bus, NM, access->device, NM_WIRELESS, "ActiveAccessPoint",
				NULL, &reply, "o") >= 0) {
		sd_bus_message_read(reply, "o", &path);
	}
	snprintf(ret, size, "%s", path);
}

void wifi_list(struct wifi *ret)
{
	sd_bus *bus __cleanup(close_bus) = NULL;
	struct point *points __cleanup(free_ptr) = calloc(POINTS_MAX, sizeof(*points));
	char *name __cleanup(free_ptr) = NULL;
	char active[PATH_SIZE];
	struct access access = { 0 };
	uint32_t state = 0;
	int count, error;

	*ret = (struct wifi){ .state = name_state(0) };
	error = points ? open_device(&access) : -ENOMEM;
	bus = access.bus;
	if (error < 0 || sd_bus_get_property_string(bus, NM, access.device, NM_DEVICE, "Interface",
						    NULL, &name) < 0) {
		return;
	}
	snprintf(ret->device, sizeof(ret->device), "%s", name);
	if (property(bus, access.device, NM_DEVICE, "State", 'u', &state) >= 0) {
		ret->state = name_state(state);
	}
	read_active(&access, active, sizeof(active));
	count = read_points(&access, points, POINTS_MAX);
	if (count > 0) {
		qsort(points, (size_t)count, sizeof(*points), stronger);
		take_points(ret, points, count, active);
	}
}

/* The strongest access point of a network. */
static int find_point(const struct access *access, const char *ssid, struct point *ret)
{
	struct point *points __cleanup(free_ptr) = calloc(POINTS_MAX, sizeof(*points));
	int count = points ? read_points(access, points, POINTS_MAX) : -ENOMEM;

	if (count < 0) {
		return count;
	}
	qsort(points, (size_t)count, sizeof(*points), stronger);
	for (int i = 0; i < count; i++) {
		if (!strcmp(points[i].ssid, ssid)) {
			*ret = points[i];
			return 0;
		}
	}
	return -ENOENT;
}

/* One group of settings, with texts alone: "name", "value", ..., NULL. */
static int add_settings(sd_bus_message *message, const char *group, const char *const *texts)
{
	int ret = sd_bus_message_open_container(message, 'e', "sa{sv}");

	ret = ret < 0 ? ret : sd_bus_message_append(message, "s", group);
	ret = ret < 0 ? ret : sd_bus_message_open_container(message, 'a', "{sv}");
	for (; ret >= 0 && texts[0]; texts += 2) {
		ret = sd_bus_message_append(message, "{sv}", texts[0], "s", texts[1]);
	}
	ret = ret < 0 ? ret : sd_bus_message_close_container(message);
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

/* NetworkManager takes the missing settings from the access point. */
static int fill(sd_bus_message *message, const struct access *access, const struct point *point,
		const char *key)
{
	const char *const connection[] = { "id", point->ssid, NULL };
	const char *const security[] = { "key-mgmt",
					 (point->rsn & RSN_KEY_SAE) && !(point->rsn & RSN_KEY_PSK)
						 ? "sae"
						 : "wpa-psk",
					 "psk", key, NULL };
	int ret = sd_bus_message_open_container(message, 'a', "{sa{sv}}");

	ret = ret < 0 ? ret : add_settings(message, "connection", connection);
	if (*key) {
		ret = ret < 0 ? ret : add_settings(message, "802-11-wireless-security", security);
	}
	ret = ret < 0 ? ret : sd_bus_message_close_container(message);
	return ret < 0 ? ret : sd_bus_message_append(message, "oo", access->device, point->path);
}

static int join(const struct access *access, const struct point *point, const char *key, char *err,
		size_t size)
{
	sd_bus_message *message __cleanup(sd_bus_message_unrefp) = NULL;
	sd_bus_error error __cleanup(sd_bus_error_free) = SD_BUS_ERROR_NULL;
	int ret = sd_bus_message_new_method_call(access->bus, &message, NM, NM_PATH, NM,
						 "AddAndActivateConnection");

	ret = ret < 0 ? ret : sd_bus_message_sensitive(message);
	ret = ret < 0 ? ret : fill(message, access, point, key);
	ret = ret < 0 ? ret : sd_bus_call(access->bus, message, TIMEOUT_US, &error, NULL);
	if (ret < 0) {
		snprintf(err, size, "NetworkManager: %s",
			 error.message ? error.message : strerror(-ret));
		return ret == -EACCES || ret == -EPERM ||
				       sd_bus_error_has_name(&error, NM ".PermissionDenied")
			       ? -EPERM
			       : -EIO;
	}
	return 0;
}

int wifi_join(const char *ssid, const char *key, char *err, size_t size)
{
	sd_bus *bus __cleanup(close_bus) = NULL;
	struct access access = { 0 };
	struct point point;
	bool secured;
	int ret = open_device(&access);

	bus = access.bus;
	if (ret < 0) {
		snprintf(err, size, "expected Wi-Fi and NetworkManager, found none");
		return ret;
	}
	ret = find_point(&access, ssid, &point);
	if (ret < 0) {
		snprintf(err, size, "ssid: expected a network in range, found '%s'", ssid);
		return ret;
	}
	secured = point.wpa || point.rsn;
	if (secured != (*key != '\0')) {
		snprintf(err, size, "key: expected %s, found %s",
			 secured ? "8 to 63 characters" : "none for an open network",
			 secured ? "none" : "one");
		return -EINVAL;
	}
	return join(&access, &point, key, err, size);
}
