// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readings of a site through the gateway's store, faster than they come: the store's code runs as
 * in ecud, on a clock that this program sets. The units are those of qs1-ether, so that ecud can go
 * on with the folder. Sun, clouds and noise are drawn, so that readings differ as on a roof.
 *
 * Prints JSON: what was written since --measure, and the size of the database.
 */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "inverter.h"
#include "manual_clock.h"
#include "power_vfs.h"
#include "report.h"
#include "store.h"
#include "store_history.h"
#include "util.h"

#define FIRST_ADDRESS 0x1001
#define MODULE_W 300.0
#define EFFICIENCY 0.955
#define MINUTE_MS 60000
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * INT64_C(3600000))
/* A paced run takes a second of the site in this time, us; another one as long as it needs. */
#define SECOND_US 1000
#define FAST_RATE 1e6
#define QUARTER_MS (15 * MINUTE_MS)
/* Look for the sums so often, us. */
#define SUMS_US 500
/* How late the store sums up, with a minute to spare. */
#define SUMS_LATE_MS (3 * MINUTE_MS)
/* Below this power an inverter sleeps, W. */
#define AWAKE_W 6.0

static struct {
	double units;
	double days;
	double cadence_s;
	double end_s;
	double measure_h;
	const char *state;
	bool always_light;
} setting = { .units = 50, .days = 365, .cadence_s = 60, .measure_h = 0 };

static struct unit {
	struct model_unit model;
	struct account account[ACCOUNT_CHANNELS];
	double mwh[ACCOUNT_CHANNELS];
	double module[MODEL_CHANNELS]; /* share of the nominal power: dirt, angle */
	double grid_v;
} unit[MODEL_UNITS_MAX];

static struct {
	double clearness; /* drifts to its target; clouds change the target */
	double target;
	double hz;
} sky = { .clearness = 0.8, .target = 0.8, .hz = 60 };

/* Uniform in [-1, 1]. */
static double noise(void)
{
	return (double)power_draw(1u << 30) / (1u << 29) - 1;
}

/* Power of the sun on a module, 0 to 1: 8 hours of light in December, 16 in June. */
static double sun(int64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	double hour, season, light;
	struct tm tm;

	localtime_r(&seconds, &tm);
	hour = tm.tm_hour + tm.tm_min / 60.0 + tm.tm_sec / 3600.0;
	season = -cos(2 * M_PI * (tm.tm_yday + 10) / 365);
	light = sin(M_PI * (hour - 12) / (12 + 4 * season) + M_PI / 2);
	return setting.always_light		  ? 0.7
	       : fabs(hour - 12) < 6 + 2 * season ? light * (0.7 + 0.3 * season)
						  : 0;
}

/* Clouds come and go within minutes; the grid's frequency wanders. */
static void pass_clouds(double seconds)
{
	if (power_draw(1000000) < 2000 * seconds) {
		sky.target = power_draw(3) ? 0.9 : 0.2 + 0.2 * (double)power_draw(3);
	}
	sky.clearness += (sky.target - sky.clearness) * fmin(1, seconds / 20);
	sky.hz += 0.003 * noise() + 0.05 * (60 - sky.hz);
}

static void put(struct unit *one, int64_t time_ms)
{
	struct model_unit *model = &one->model;
	double dc_w = 0, seconds = setting.cadence_s;

	for (int i = 0; i < MODEL_CHANNELS; i++) {
		double w =
			MODULE_W * one->module[i] * sun(time_ms) * (sky.clearness + 0.01 * noise());
		double v = 34 - 3 * sun(time_ms) + 0.3 * noise();

		model_put(model, READING_DC_V, i, v, time_ms);
		model_put(model, READING_DC_I, i, w / v, time_ms);
		one->mwh[i] += w * seconds / 3.6;
		dc_w += w;
	}
	one->grid_v += 0.2 * noise() + 0.02 * (240 - one->grid_v);
	one->mwh[ACCOUNT_GRID] += dc_w * EFFICIENCY * seconds / 3.6;
	model_put(model, READING_POWER, 0, dc_w * EFFICIENCY, time_ms);
	model_put(model, READING_REACTIVE_POWER, 0, 3 * noise(), time_ms);
	model_put(model, READING_GRID_V, 0, one->grid_v, time_ms);
	model_put(model, READING_GRID_F, 0, sky.hz, time_ms);
	model_put(model, READING_POWER_LIMIT, 0, MODEL_RATED_W, time_ms);
	model_put(model, READING_TEMPERATURE, 0, 25 + dc_w / 40 + noise(), time_ms);
	model_put(model, READING_LINK_QUALITY, 0, 80 + 8 * noise(), time_ms);
	for (int i = 0; i < ACCOUNT_CHANNELS; i++) {
		one->account[i].total_mwh = (uint64_t)one->mwh[i];
		account_cut(&one->account[i], time_ms);
	}
}

static void add_units(struct store *store)
{
	uint8_t code[INSTALL_CODE_BYTES];

	for (int i = 0; i < (int)setting.units; i++) {
		struct store_unit kept = { 0 };

		unit[i].grid_v = 240;
		inverter_label(i + 1, &unit[i].model.serial, code);
		unit[i].model.state = QS1_STATE_PRODUCING;
		for (int id = 0; id < READING_COUNT; id++) {
			for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
				unit[i].model.reading[id][channel].value = (double)NAN;
			}
		}
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			unit[i].module[channel] = 0.95 + 0.05 * noise();
		}
		kept.unit = unit[i].model;
		kept.unit.address = (uint16_t)(FIRST_ADDRESS + i);
		kept.unit.modbus_unit = (uint8_t)(2 + i);
		snprintf(kept.unit.name, sizeof(kept.unit.name), "unit %d", i + 1);
		store_put_unit(store, &kept);
	}
	store_flush(store);
}

/* One cadence: the units answer one after the other. Paced, the store's thread keeps its times. */
static void poll_all(struct store *store, int64_t time_ms, bool paced)
{
	int64_t cadence_ms = (int64_t)(setting.cadence_s * 1000);

	pass_clouds(setting.cadence_s);
	for (int i = 0; i < (int)setting.units; i++) {
		int64_t now_ms = time_ms + i * cadence_ms / (int64_t)setting.units;

		if (paced && i % 10 == 0) {
			usleep((useconds_t)(setting.cadence_s * SECOND_US * 10 / setting.units));
		}
		clock_set_ms(now_ms);
		if (sun(now_ms) * MODULE_W * MODEL_CHANNELS > AWAKE_W) {
			put(&unit[i], now_ms);
			store_put_readings(store, &unit[i].model, unit[i].account, now_ms);
		}
	}
}

/* Are all quarters and days that are over summed up? */
static bool is_summed_up(sqlite3 *db, int64_t now_ms)
{
	int64_t open_ms = history_open_ms(db);
	int32_t done = history_day_done(db);
	int32_t next;

	if (!done) {
		return open_ms == INT64_MAX;
	}
	next = history_next_day(done);
	return open_ms > now_ms - QUARTER_MS - SUMS_LATE_MS &&
	       local_day_start(history_next_day(next)) > now_ms - SUMS_LATE_MS;
}

/* The store's thread does it; it has as much time as it needs. */
static void wait_for_sums(int64_t now_ms)
{
	struct store_reader *reader;
	char err[512];

	if (store_reader_open(&reader, setting.state, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
	while (!is_summed_up(store_reader_db(reader), now_ms)) {
		usleep(SUMS_US);
	}
	store_reader_close(reader);
}

static void produce(struct store *store, int64_t from_ms, int64_t to_ms)
{
	int64_t measure_ms = to_ms - (int64_t)(setting.measure_h * HOUR_MS);
	bool measured = false;

	manual_rate = FAST_RATE;
	for (int64_t time_ms = from_ms; time_ms < to_ms;
	     time_ms += (int64_t)(setting.cadence_s * 1000)) {
		bool paced = time_ms >= measure_ms;

		if (paced && !measured) {
			power.written_bytes = power.syncs = 0;
			manual_rate = 1e6 / SECOND_US;
			measured = true;
		}
		poll_all(store, time_ms, paced);
		if (!paced && time_ms % HOUR_MS == 0) {
			store_flush(store);
			wait_for_sums(time_ms);
		}
	}
}

static const struct argp_option options[] = {
	{ "state", 's', "FOLDER", 0, "state folder, which is new", 0 },
	{ "units", 'u', "N", 0, "inverters (50)", 0 },
	{ "days", 'd', "D", 0, "length (365)", 0 },
	{ "cadence", 'c', "S", 0, "time between two readings (60)", 0 },
	{ "end", 'e', "S", 0, "time of the end, s since 1970 (now)", 0 },
	{ "measure", 'm', "H", 0,
	  "count what is written in the last hours, and let the store's thread keep its times", 0 },
	{ "always-light", 'l', NULL, 0, "24 hours of light a day", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	static const struct {
		int key;
		double *value;
		double min;
		double max;
	} number[] = {
		{ 'u', &setting.units, 1, MODEL_UNITS_MAX }, { 'd', &setting.days, 0.01, 4000 },
		{ 'c', &setting.cadence_s, 1, 300 },	     { 'e', &setting.end_s, 1.7e9, 4e9 },
		{ 'm', &setting.measure_h, 0, 10000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(number); i++) {
		if (number[i].key == key) {
			*number[i].value = strtod(text, NULL);
			if (!(*number[i].value >= number[i].min &&
			      *number[i].value <= number[i].max)) {
				argp_error(state, "-%c: expected %g to %g, found '%s'", key,
					   number[i].min, number[i].max, text);
			}
			return 0;
		}
	}
	switch (key) {
	case 's':
		setting.state = text;
		return 0;
	case 'l':
		setting.always_light = true;
		return 0;
	case ARGP_KEY_END:
		if (!setting.state) {
			argp_error(state, "expected --state FOLDER");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .options = options, .parser = parse };
	struct store *store;
	struct model *model;
	char path[POWER_PATH], err[512];
	struct stat st = { 0 };
	int64_t end_ms, start_ms;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	end_ms =
		(setting.end_s > 0 ? (int64_t)setting.end_s : (int64_t)time(NULL)) / 3600 * HOUR_MS;
	start_ms = end_ms - (int64_t)(setting.days * DAY_MS);
	clock_set_ms(start_ms);
	power_install(false);
	model = model_new("216000000001");
	if (!model || store_open(&store, setting.state, model, err, sizeof(err)) < 0) {
		fprintf(stderr, "%s\n", model ? err : "no memory");
		return 1;
	}
	add_units(store);
	produce(store, start_ms, end_ms);
	printf("{\"written_bytes\": %llu, \"syncs\": %llu, ",
	       (unsigned long long)power.written_bytes, (unsigned long long)power.syncs);
	store_close(store);
	snprintf(path, sizeof(path), "%s/ecud.db", setting.state);
	stat(path, &st);
	printf("\"database_bytes\": %lld, \"energy_wh\": %.0f}\n", (long long)st.st_size,
	       unit[0].mwh[ACCOUNT_GRID] / 1e3);
	model_free(model);
	return 0;
}
