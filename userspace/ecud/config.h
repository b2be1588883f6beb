/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ecud's configuration file, `name value` lines. One table: parser, defaults and documentation come
 * from it. What people change at run time (units, cadence, limits) is in the store instead.
 */
#ifndef ECUD_CONFIG_H
#define ECUD_CONFIG_H

#include <limits.h>
#include <stddef.h>

#include "serial.h"

#define CONFIG_FILE "/etc/qs1/ecud.conf"
#define CONFIG_TEXT_SIZE 256

/*
 * Columns: identifier, name, kind (TEXT or NUMBER), default, least, most, help. NUMBER is a double;
 * for TEXT least and most are lengths.
 */
/* clang-format off */
#define CONFIG_KEYS(X) \
	X(ECU_ID, ecu_id, TEXT, "", 0, 12, "identity, 12 digits; made at the first start when absent") \
	X(SITE_NAME, site_name, TEXT, "Home", 1, 63, "name of the site") \
	X(STATE, state, TEXT, "/var/lib/qs1-ecu", 1, 255, "state folder; STATE_DIRECTORY and --state go before") \
	X(LISTEN, listen, TEXT, "", 0, 64, "address of all servers; all addresses when absent") \
	X(PORT, port, NUMBER, 8443, 0, 65535, "port of pages and API; 0 for none") \
	X(MODBUS_PORT, modbus_port, NUMBER, 502, 0, 65535, "port of SunSpec Modbus; 0 for none") \
	X(APS_PORT, aps_port, NUMBER, 8899, 0, 65535, "port of the stock protocol; 0 for none") \
	X(RADIO, radio, TEXT, "/dev/qs1-radio", 0, 255, "serial port of the modem") \
	X(RADIO_ID, radio_id, TEXT, "", 0, 12, "identity on the air, 12 hexadecimal digits; gives the PAN; ecu_id when absent") \
	X(CHANNEL, channel, NUMBER, 16, 11, 26, "channel") \
	X(CADENCE, cadence_s, NUMBER, 5, 1, 300, "time between two readings of an inverter, s") \
	X(PROFILES, profiles, TEXT, "/usr/share/qs1/profiles", 1, 255, "folder of grid profiles") \
	X(EXPORT_LIMIT, export_limit_w, NUMBER, (double)NAN, 0, 1e6, "largest export, W; 0 for none at all; absent: no control") \
	X(EXPORT_SAFE, export_safe_w, NUMBER, 0, 0, 1e6, "power of the site while the meter is lost, W") \
	X(BALANCE, balance_w, NUMBER, (double)NAN, 0, 1e6, "largest difference between phases, W; absent: no control") \
	X(TOGETHER, stop_together, NUMBER, 0, 0, 1, "1: while a phase stops, the others stop too") \
	X(METER, meter, TEXT, "", 0, 255, "modbus:HOST[:PORT[:UNIT]] or mqtt:TOPIC") \
	X(MQTT, mqtt, TEXT, "", 0, 255, "broker, HOST[:PORT]; none when absent") \
	X(MQTT_USER, mqtt_user, TEXT, "", 0, 64, "user name at the broker") \
	X(MQTT_PASSWORD_FILE, mqtt_password_file, TEXT, "", 0, 255, "file with the password") \
	X(MODBUS_WRITERS, modbus_writers, TEXT, "", 0, 255, "addresses that may write by Modbus, with commas") \
	X(OPEN_READING, open_reading, NUMBER, 0, 0, 1, "1: reading needs no login on the local network") \
	X(EMA, ema, TEXT, "", 0, 255, "address of the monitoring service, https://HOST:PORT") \
	X(EMA_CA, ema_ca, TEXT, "", 0, 255, "file with its certificate authority") \
	X(EMA_CODE, ema_code, TEXT, "", 0, 31, "one-time code with which the service enrols us")
/* clang-format on */

#define CONFIG_MEMBER_TEXT(member) char member[CONFIG_TEXT_SIZE]
#define CONFIG_MEMBER_NUMBER(member) double member

struct config {
#define X(id, name, kind, standard, least, most, help) CONFIG_MEMBER_##kind(name);
	CONFIG_KEYS(X)
#undef X
};

/**
 * config_load() - defaults, and what a file says
 * @path: NULL for CONFIG_FILE, which need not exist
 * @ret: untouched on failure
 * @err: on failure the reason, with file and line
 *
 * Return: 0 or a negative errno.
 */
int config_load(const char *path, struct config *ret, char *err, size_t size);

#endif /* ECUD_CONFIG_H */
