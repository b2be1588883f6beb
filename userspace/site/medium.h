/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The air with modems on pseudo terminals, a capture, an interferer, a foreign coordinator and
 * signal levels, and the console commands for these. The program sets its time.
 */
#ifndef QS1_SITE_MEDIUM_H
#define QS1_SITE_MEDIUM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "modem_port.h"

#define MEDIUM_PORTS 16
#define MEDIUM_UNITS 100

/**
 * struct medium_config - settings of the whole medium
 * @seed: of all random numbers
 * @level_dbm: signal level of every radio at every other radio
 * @channel: of the interferer and of the foreign coordinator
 * @capture: file for all frames, or NULL
 * @folder: for links modem0, modem1, ... to the pseudo terminals, or NULL; made if missing
 */
struct medium_config {
	uint64_t seed;
	double level_dbm;
	uint8_t channel;
	const char *capture;
	const char *folder;
};

/**
 * struct medium - the owner's memory, which does not move
 * @air: what carries the frames
 * @port, @ports: modems; the first is the coordinator's
 * @unit_radio, @units: radio of each unit, which the owner has added with medium_add_unit()
 */
struct medium {
	struct air *air;
	struct medium_config config;
	struct modem_port port[MEDIUM_PORTS];
	int ports;
	int unit_radio[MEDIUM_UNITS];
	int units;
	int interferer;
	int foreign;
	bool foreign_on;
	uint8_t foreign_seq;
	double jam_pct;
	FILE *capture;
};

/* Return: 0 or a negative errno. */
int medium_init(struct medium *medium, const struct medium_config *config);
/* Return: 0, or a negative errno when the capture could not be written. */
int medium_free(struct medium *medium);

/* One more modem. Return: its number or a negative errno. */
int medium_add_port(struct medium *medium, enum modem_chip chip);

/* A unit's radio, which is on the air already, with the levels of the others. */
void medium_add_unit(struct medium *medium, int radio);

/**
 * medium_command() - a line of the console
 * @word: its words, NULL-terminated
 * @err: on failure what was expected
 *
 * Return: 0; -ENOENT for a word that is not the medium's; -EINVAL.
 */
int medium_command(struct medium *medium, char **word, char *err, size_t size);

/* The word on or off: 1 or 0, -1 for another or none. */
int medium_switch(const char *text);

/* Usage of each word, one a line. */
void medium_help(FILE *file);

/* Bytes and reset lines of the hosts; to be called each MODEM_LINE_MS at the latest. */
void medium_hosts(struct medium *medium);

#endif /* QS1_SITE_MEDIUM_H */
