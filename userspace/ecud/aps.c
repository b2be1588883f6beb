// SPDX-License-Identifier: GPL-2.0-or-later
#include "aps.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../lib/util.h"
#include "../lib/version.h"
#include "../link/bytes.h"
#include "../service/service_clock.h"
#include "account.h"
#include "tcp.h"
#include "view.h"

#define CLIENTS_MAX 16
#define IDLE_S 15
#define REQUEST_S 5
#define HEAD "APS11"
#define HEAD_SIZE 13   /* APS11, length, command */
#define REQUEST_MAX 64 /* longest that the protocol has: 39 bytes and a newline */
#define STEP_S 300     /* of the power of a day, as the stock ECU has it */
#define TYPE_QS1 "03"
#define NEVER 0xd0 /* first byte of the time of the last upload, when there was none */

/**
 * struct reply - bytes of a reply
 * @n: so far; beyond @room nothing is written
 */
struct reply {
	uint8_t *bytes;
	size_t n;
};

static void put_bytes(struct reply *reply, const void *bytes, size_t n)
{
	/* Room for the end of the frame stays. */
	if (reply->n + n <= APS_REPLY_MAX - 8) {
		memcpy(reply->bytes + reply->n, bytes, n);
		reply->n += n;
	}
}

static void put_text(struct reply *reply, const char *text)
{
	put_bytes(reply, text, strlen(text));
}

/* Big endian, at most the largest number; an absent value is 0. */
static void put_number(struct reply *reply, unsigned int width, double value)
{
	double most = (double)((UINT64_C(1) << 8 * width) - 1);
	uint8_t bytes[4];

	value = isnan(value) || value < 0 ? 0 : fmin(round(value), most);
	bytes_put_be(bytes, width, (uint64_t)value);
	put_bytes(reply, bytes, width);
}

static uint8_t bcd(int number)
{
	return number / 10 << 4 | number % 10;
}

/* Local time as BCD: @count bytes from the century on, or from the hour with @from 4. */
static void put_time(struct reply *reply, int64_t time_ms, int from, int count)
{
	time_t seconds = time_ms / 1000;
	struct tm tm;
	uint8_t bytes[7];

	localtime_r(&seconds, &tm);
	bytes[0] = bcd((tm.tm_year + 1900) / 100);
	bytes[1] = bcd(tm.tm_year % 100);
	bytes[2] = bcd(tm.tm_mon + 1);
	bytes[3] = bcd(tm.tm_mday);
	bytes[4] = bcd(tm.tm_hour);
	bytes[5] = bcd(tm.tm_min);
	bytes[6] = bcd(tm.tm_sec);
	put_bytes(reply, bytes + from, count);
}

static bool is_online(const struct model_unit *unit)
{
	return unit->link == LINK_LIVE || unit->link == LINK_LATE;
}

/* 0001: the ECU. */
static int info(struct ecu *ecu, const char *argument, struct reply *reply)
{
	static const uint8_t no_address[6];
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_take(ecu->model);
	const char *zone = getenv("TZ");
	char text[80];
	int online = 0;

	(void)argument;
	if (!snapshot) {
		return -ENOMEM;
	}
	for (int i = 0; i < snapshot->units; i++) {
		online += is_online(&snapshot->unit[i]);
	}
	put_text(reply, snapshot->ecu_id);
	put_text(reply, "01");
	put_number(reply, 4, snapshot->site[READING_SITE_ENERGY].value / 100);
	put_number(reply, 4, snapshot->site[READING_SITE_POWER].value);
	put_number(reply, 4, snapshot->site[READING_SITE_ENERGY_TODAY].value / 10);
	if (snapshot->status.uplink_ms) {
		put_time(reply, snapshot->status.uplink_ms, 0, 7);
	} else {
		static const uint8_t never[7] = { NEVER };

		put_bytes(reply, never, sizeof(never));
	}
	put_number(reply, 2, snapshot->units);
	put_number(reply, 2, online);
	put_text(reply, "10");
	snprintf(text, sizeof(text), "%03zu%.30s", strlen(qs1_version), qs1_version);
	put_text(reply, text);
	zone = zone && *zone ? zone : "UTC";
	snprintf(text, sizeof(text), "%03zu%.60s", strnlen(zone, 60), zone);
	put_text(reply, text);
	put_bytes(reply, no_address, sizeof(no_address));
	put_bytes(reply, no_address, sizeof(no_address));
	return 0;
}

/* A record of command 0002. */
static void put_unit(struct reply *reply, const struct model_unit *unit)
{
	bool online = is_online(unit);
	double t = unit->reading[READING_TEMPERATURE][0].value + 100;
	double v = unit->reading[READING_GRID_V][0].value;
	double hz = unit->reading[READING_GRID_F][0].value * 10;

	put_bytes(reply, unit->serial.bcd, sizeof(unit->serial.bcd));
	put_number(reply, 1, online);
	put_text(reply, TYPE_QS1);
	put_number(reply, 2, online ? hz : 0);
	put_number(reply, 2, online ? t : 0);
	for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
		double w = unit->reading[READING_DC_P][channel].value;

		put_number(reply, 2, online ? w : 0);
		if (channel == 0) {
			put_number(reply, 2, online ? v : 0);
		}
	}
}

/* 0002: readings of all inverters. */
static int realtime(struct ecu *ecu, const char *argument, struct reply *reply)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_take(ecu->model);
	int64_t newest = 0;

	(void)argument;
	if (!snapshot) {
		return -ENOMEM;
	}
	for (int i = 0; i < snapshot->units; i++) {
		int64_t time_ms = view_time_ms(&snapshot->unit[i]);

		newest = time_ms > newest ? time_ms : newest;
	}
	if (!newest) {
		return -ENODATA;
	}
	put_text(reply, "00");
	put_text(reply, "01");
	put_number(reply, 2, snapshot->units);
	put_time(reply, newest, 0, 7);
	for (int i = 0; i < snapshot->units; i++) {
		put_unit(reply, &snapshot->unit[i]);
	}
	return 0;
}

/* 0030: link quality of all inverters. */
static int signal_strength(struct ecu *ecu, const char *argument, struct reply *reply)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_take(ecu->model);

	(void)argument;
	if (!snapshot) {
		return -ENOMEM;
	}
	put_text(reply, "00");
	for (int i = 0; i < snapshot->units; i++) {
		const struct model_unit *unit = &snapshot->unit[i];

		put_bytes(reply, unit->serial.bcd, sizeof(unit->serial.bcd));
		put_number(reply, 1, is_online(unit) ? unit->lqi : 0);
	}
	return 0;
}

/* A reader of the store for one command. */
static int open_reader(struct ecu *ecu, struct store_reader **ret_reader)
{
	char err[256];

	return store_reader_open(ret_reader, store_folder(ecu->store), err, sizeof(err));
}

static int put_power(void *ctx, const struct store_point *point)
{
	double w = point->value[READING_SITE_POWER][0];

	if (!isnan(w)) {
		put_time(ctx, point->time_ms, 4, 2);
		put_number(ctx, 2, w);
	}
	return 0;
}

/* 0003: power of a day. */
static int power_of_day(struct ecu *ecu, const char *argument, struct reply *reply)
{
	struct tm tm = { .tm_isdst = -1 };
	struct store_reader *reader = NULL;
	int64_t from_ms, to_ms;
	int ret;

	if (sscanf(argument, "%4d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3 ||
	    tm.tm_year < 2000 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31) {
		return -ENODATA;
	}
	tm.tm_year -= 1900;
	tm.tm_mon--;
	from_ms = mktime(&tm) * 1000LL;
	tm.tm_mday++;
	tm.tm_isdst = -1;
	to_ms = mktime(&tm) * 1000LL;
	ret = open_reader(ecu, &reader);
	if (ret < 0) {
		return ret;
	}
	put_text(reply, "00");
	ret = store_history(reader, NULL, from_ms, to_ms, STEP_S, put_power, reply);
	store_reader_close(reader);
	return ret < 0 ? ret : 0;
}

static int put_energy(void *ctx, int32_t date, const double wh[ACCOUNT_CHANNELS])
{
	struct reply *reply = ctx;
	uint8_t bytes[4] = { bcd(date / 1000000), bcd(date / 10000 % 100), bcd(date / 100 % 100),
			     bcd(date % 100) };

	put_bytes(reply, bytes, sizeof(bytes));
	put_number(reply, 2, wh[ACCOUNT_GRID] / 10);
	return 0;
}

/* The local date so many days ago, as yyyymmdd. */
static int32_t days_ago(int days)
{
	time_t seconds = clock_wall_ms() / 1000;
	struct tm tm;

	localtime_r(&seconds, &tm);
	tm.tm_mday -= days;
	tm.tm_hour = 12;
	tm.tm_isdst = -1;
	mktime(&tm);
	return (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday;
}

/* 0004: energy of each day of a week or a month, or of each month of a year. */
static int energy(struct ecu *ecu, const char *argument, struct reply *reply)
{
	static const struct {
		const char *period;
		int days;
		char unit;
	} periods[] = { { "00", 6, 'd' }, { "01", 29, 'd' }, { "02", 364, 'm' } };
	struct store_reader *reader = NULL;
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
		if (strcmp(argument, periods[i].period)) {
			continue;
		}
		ret = open_reader(ecu, &reader);
		if (ret < 0) {
			return ret;
		}
		put_text(reply, "00");
		put_text(reply, periods[i].period);
		ret = store_energy(reader, NULL, days_ago(periods[i].days), days_ago(0),
				   periods[i].unit, put_energy, reply);
		store_reader_close(reader);
		return ret < 0 ? ret : 0;
	}
	return -ENODATA;
}

/* Commands. Columns: number, needs the ECU's identity, answer. */
static const struct {
	const char *number;
	bool identity;
	int (*answer)(struct ecu *ecu, const char *argument, struct reply *reply);
} commands[] = {
	{ "0001", false, info },  { "0002", true, realtime },	     { "0003", true, power_of_day },
	{ "0004", true, energy }, { "0030", true, signal_strength },
};

/* Finish a reply: end mark, and the length without the newline. */
static size_t finish(struct reply *reply)
{
	char length[5];

	memcpy(reply->bytes + reply->n, "END\n", 4);
	reply->n += 4;
	snprintf(length, sizeof(length), "%04u", (unsigned int)(reply->n - 1) % 10000);
	memcpy(reply->bytes + strlen(HEAD), length, 4);
	return reply->n;
}

/* One request without its newline. */
static size_t answer(struct ecu *ecu, const char *text, uint8_t *bytes)
{
	struct reply reply = { .bytes = bytes };
	const char *number = text + strlen(HEAD) + 4;
	char id[SERIAL_TEXT_SIZE] = "";
	char argument[16] = "";
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strncmp(number, commands[i].number, 4)) {
			continue;
		}
		put_text(&reply, HEAD "0000");
		put_text(&reply, commands[i].number);
		sscanf(number + 4, "%12[0-9]END%15[0-9]END", id, argument);
		if (commands[i].identity && strcmp(id, ecu->model->ecu_id)) {
			put_text(&reply, "01");
			return finish(&reply);
		}
		ret = commands[i].answer(ecu, argument, &reply);
		if (ret < 0) {
			reply.n = HEAD_SIZE;
			put_text(&reply, "02");
		}
		return finish(&reply);
	}
	return 0;
}

ssize_t aps_take(struct ecu *ecu, const uint8_t *bytes, size_t n, uint8_t *reply, size_t *ret_n)
{
	const uint8_t *end = memchr(bytes, '\n', n);
	char text[REQUEST_MAX + 1];
	size_t length = end ? (size_t)(end - bytes) : n;

	*ret_n = 0;
	if (length > REQUEST_MAX || memcmp(bytes, "APS", n < 3 ? n : 3)) {
		return -EPROTO;
	}
	if (!end) {
		return 0;
	}
	memcpy(text, bytes, length);
	text[length] = '\0';
	if (strlen(text) != length || length < HEAD_SIZE + 3 || strncmp(text, HEAD, strlen(HEAD))) {
		return -EPROTO;
	}
	*ret_n = answer(ecu, text, reply);
	return length + 1;
}

static ssize_t take(void *ctx, struct tcp_client *client, const uint8_t *bytes, size_t n)
{
	uint8_t reply[APS_REPLY_MAX];
	size_t reply_n;
	ssize_t used = aps_take(ctx, bytes, n, reply, &reply_n);
	int ret;

	if (used <= 0) {
		return used;
	}
	/* Clients read once: a reply is one write. */
	ret = reply_n ? tcp_reply(client, reply, reply_n) : -EOPNOTSUPP;
	return ret < 0 ? ret : used;
}

static void aps_stop(void *state)
{
	tcp_stop(state);
}

static int aps_start(struct ecu *ecu, void **ret_state)
{
	struct tcp_config config = {
		.name = "8899",
		.address = ecu->config->listen,
		.port = ecu->config->aps_port,
		.clients_max = CLIENTS_MAX,
		.idle_s = IDLE_S,
		.request_s = REQUEST_S,
		.take = take,
		.ctx = ecu,
	};

	*ret_state = NULL;
	return ecu->config->aps_port
		       ? tcp_start((struct tcp_server **)ret_state, ecu->event, &config)
		       : 0;
}

const struct interface interface_aps = { "8899", aps_start, aps_stop };
