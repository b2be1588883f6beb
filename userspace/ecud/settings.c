// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "../lib/log.h"

#define OPEN_READS "open_reads"
#define MQTT_COMMANDS "mqtt_commands"
#define MODBUS_WRITERS "modbus_writers"
#define LIST_SIZE (SETTINGS_WRITERS_MAX * SETTINGS_ADDRESS_SIZE)

/* One set in the process: interfaces on several threads ask for it. */
static struct {
	pthread_mutex_t lock;
	struct settings now;
} present = { .lock = PTHREAD_MUTEX_INITIALIZER };

int settings_add_writer(struct settings *settings, const char *address)
{
	unsigned char bytes[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, address, bytes) != 1) {
		return -EINVAL;
	}
	if (settings->writers == SETTINGS_WRITERS_MAX) {
		return -E2BIG;
	}
	inet_ntop(family, bytes, settings->writer[settings->writers++], SETTINGS_ADDRESS_SIZE);
	return 0;
}

int settings_parse_writers(const char *text, struct settings *settings)
{
	char copy[LIST_SIZE];
	char *rest = copy;
	char *word;
	int ret = 0;

	if (strlen(text) >= sizeof(copy)) {
		return -E2BIG;
	}
	strcpy(copy, text);
	settings->writers = 0;
	while (ret == 0 && (word = strsep(&rest, ", "))) {
		if (*word) {
			ret = settings_add_writer(settings, word);
		}
	}
	return ret;
}

bool settings_is_writer(const struct settings *settings, const char *address)
{
	for (int i = 0; i < settings->writers; i++) {
		if (!strcmp(settings->writer[i], address)) {
			return true;
		}
	}
	return false;
}

struct settings settings_get(void)
{
	struct settings copy;

	pthread_mutex_lock(&present.lock);
	copy = present.now;
	pthread_mutex_unlock(&present.lock);
	return copy;
}

static void replace(const struct settings *settings)
{
	pthread_mutex_lock(&present.lock);
	present.now = *settings;
	pthread_mutex_unlock(&present.lock);
}

/* A stored "0" or "1", or the configured value. */
static bool load_flag(struct store *store, const char *name, bool configured)
{
	char value[8];

	return store_get(store, name, value, sizeof(value)) < 0 || !*value ? configured
									   : !strcmp(value, "1");
}

void settings_load(struct ecu *ecu)
{
	struct settings settings = { 0 };
	char list[LIST_SIZE];
	int ret;

	settings.open_reads = load_flag(ecu->store, OPEN_READS, (int)ecu->config->open_reading);
	settings.mqtt_commands = load_flag(ecu->store, MQTT_COMMANDS, false);
	if (store_get(ecu->store, MODBUS_WRITERS, list, sizeof(list)) < 0 || !*list) {
		snprintf(list, sizeof(list), "%s", ecu->config->modbus_writers);
	}
	/* "none" is stored when the owner has removed all of the configuration file. */
	ret = strcmp(list, "none") ? settings_parse_writers(list, &settings) : 0;
	if (ret < 0) {
		log_err("modbus_writers: expected up to %d addresses with commas, found '%s'",
			SETTINGS_WRITERS_MAX, list);
		settings.writers = 0;
	}
	replace(&settings);
}

void settings_put(struct ecu *ecu, const struct settings *settings)
{
	char list[LIST_SIZE] = "";

	for (int i = 0; i < settings->writers; i++) {
		strcat(strcat(list, i ? "," : ""), settings->writer[i]);
	}
	store_set(ecu->store, OPEN_READS, settings->open_reads ? "1" : "0");
	store_set(ecu->store, MQTT_COMMANDS, settings->mqtt_commands ? "1" : "0");
	store_set(ecu->store, MODBUS_WRITERS, *list ? list : "none");
	replace(settings);
}
