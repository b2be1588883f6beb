/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rights that the owner changes at run time: who may read without login, and which programs may
 * write. The configuration file gives the first values, the store keeps the later ones.
 */
#ifndef ECUD_SETTINGS_H
#define ECUD_SETTINGS_H

#include <stdbool.h>

#include "ecud.h"

#define SETTINGS_WRITERS_MAX 16
#define SETTINGS_ADDRESS_SIZE 46

/**
 * struct settings - a copy of them
 * @open_reads: reading needs no login
 * @mqtt_commands: commands by MQTT are carried out
 * @writer: addresses that may write by Modbus
 * @writers: number of them
 */
struct settings {
	bool open_reads;
	bool mqtt_commands;
	char writer[SETTINGS_WRITERS_MAX][SETTINGS_ADDRESS_SIZE];
	int writers;
};

/* Load from configuration and store, at the start. */
void settings_load(struct ecu *ecu);

/* The present settings; from any thread. */
struct settings settings_get(void);

/* Replace and store them; from any thread. */
void settings_put(struct ecu *ecu, const struct settings *settings);

/**
 * settings_parse_writers() - addresses with commas
 *
 * Return: 0; -EINVAL for a word that is no IPv4 or IPv6 address, -E2BIG for too many.
 */
int settings_parse_writers(const char *text, struct settings *settings);

/* Add an address in its canonical form. Return: as settings_parse_writers(). */
int settings_add_writer(struct settings *settings, const char *address);

/* May this address write by Modbus? */
bool settings_is_writer(const struct settings *settings, const char *address);

#endif /* ECUD_SETTINGS_H */
