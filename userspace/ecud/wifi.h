/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wi-Fi of this machine, through NetworkManager. */
#ifndef ECUD_WIFI_H
#define ECUD_WIFI_H

#include <stdbool.h>
#include <stddef.h>

/* A name has up to 32 bytes (IEEE 802.11-2020, 9.4.2.2), and a key of WPA 8 to 63 characters. */
#define WIFI_SSID_SIZE 33
#define WIFI_KEY_MIN 8
#define WIFI_KEY_MAX 63
#define WIFI_NETWORKS_MAX 64

/**
 * struct wifi_network - one network in range
 * @ssid: its name, UTF-8; networks with other names are left out
 * @strength: of the strongest access point, percent
 * @secured: it needs a key
 * @connected: this machine uses it
 */
struct wifi_network {
	char ssid[WIFI_SSID_SIZE];
	int strength;
	bool secured;
	bool connected;
};

/**
 * struct wifi - what this machine has
 * @device: name of the interface; "" without Wi-Fi or NetworkManager
 * @state: "unavailable", "disconnected", "connecting", "connected" or "failed"
 * @network: strongest first
 */
struct wifi {
	char device[16];
	const char *state;
	struct wifi_network network[WIFI_NETWORKS_MAX];
	int networks;
};

/**
 * wifi_list() - networks in range, as NetworkManager has them
 *
 * Waits for NetworkManager, some 10 ms. Without it there is no device.
 */
void wifi_list(struct wifi *ret);

/**
 * wifi_join() - join a network, and remember it
 * @ssid: of a network in range
 * @key: "" for an open network
 *
 * Return: 0 when NetworkManager has begun to connect, and wifi_list() shows the result; -ENODEV
 * without Wi-Fi; -ENOENT for a network out of range; -EINVAL for a key that is missing or not
 * needed; -EACCES where NetworkManager refuses; -EIO. The reason is in @err.
 */
int wifi_join(const char *ssid, const char *key, char *err, size_t size);

#endif /* ECUD_WIFI_H */
