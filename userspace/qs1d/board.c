// SPDX-License-Identifier: GPL-2.0-only
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/log.h"
#include "../lib/names.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

#define METER "qs1-meter"
#define WAVE "qs1-wave"
#define ANGLE_READS 3
#define LAYOUT "qs1_layout_version"

static const struct {
	const char *type;
	const char *label;
	const char *quantity;
	double factor;
} readings[] = {
#define X(id, type, label, quantity, factor) [BOARD_##id] = { type, label, quantity, factor },
	BOARD_READINGS(X)
#undef X
};

/*
 * Outside these a reading says that its sensor is broken: 32000 counts of 32768,
 * and -800 for what cannot be negative; temperatures from -60 to 150 degree C. The
 * peak of an RMS value has the same bound.
 */
static const struct {
	enum board_reading first;
	enum board_reading last;
	enum qs1_adc_lsb lsb;
	int min;
	int max;
	double rms;
} bounds[] = {
	{ BOARD_PV1_V, BOARD_PV4_V, QS1_LSB_VPV1, -800, 32000, 1 },
	{ BOARD_PV1_I, BOARD_PV4_I, QS1_LSB_IPV1, -800, 32000, 1 },
	{ BOARD_GRID_V, BOARD_GRID_V, QS1_LSB_VGRID, 0, 32000, M_SQRT1_2 },
	{ BOARD_GRID_I, BOARD_GRID_I, QS1_LSB_IGRID, 0, 32000, M_SQRT1_2 },
	{ BOARD_LINK_V, BOARD_LINK_V, QS1_LSB_VLINK, -800, 32000, 1 },
	{ BOARD_CASE_T, BOARD_CASE_T, QS1_LSB_TCASE, -6000, 15000, 1 },
};

bool board_plausible(enum board_reading reading, double value)
{
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		double unit = bounds[i].lsb * 1e-6 * bounds[i].rms;

		if (reading >= bounds[i].first && reading <= bounds[i].last) {
			return isnan(value) ||
			       (value >= bounds[i].min * unit && value <= bounds[i].max * unit);
		}
	}
	return true;
}

static void close_one(int *fd)
{
	close_fd(fd);
	*fd = -1;
}

void board_init(struct board *board, const char *root)
{
	*board = (struct board){
		.root = root,
		.dir = -1,
		.status = -1,
		.faults_active = -1,
		.faults_latched = -1,
		.ticks = -1,
		.crashes = -1,
		.events = -1,
	};
	for (int i = 0; i < BOARD_READING_COUNT; i++) {
		board->channel[i] = IIO_CHANNEL_CLOSED;
		board->sample.meter[i] = NAN;
	}
	board->pll = IIO_CHANNEL_CLOSED;
	board->sample.plausible = true;
}

void board_close(struct board *board)
{
	int *const fds[] = { &board->dir,   &board->status,  &board->faults_active,
			     &board->ticks, &board->crashes, &board->faults_latched,
			     &board->events };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		close_one(fds[i]);
	}
	for (int i = 0; i < BOARD_READING_COUNT; i++) {
		iio_channel_close(&board->channel[i]);
	}
	iio_channel_close(&board->pll);
	board->bound = false;
	board->running = false;
}

static int check_layout(struct board *board)
{
	char text[32];
	int64_t version = -1;
	int ret = sysfs_read_at(board->dir, LAYOUT, text, sizeof(text));

	if (ret >= 0) {
		ret = sysfs_int(text, &version);
	}
	if (ret < 0) {
		return ret;
	}
	if (version != QS1_LAYOUT_VERSION) {
		if (!board->layout_reported) {
			log_err("driver: expected layout version %u, found %s", QS1_LAYOUT_VERSION,
				text);
		}
		board->layout_reported = true;
		return -EPROTO;
	}
	board->layout_reported = false;
	return 0;
}

static void open_channels(struct board *board, const char *meter)
{
	int dir __cleanup(close_fd) = open(meter, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < BOARD_READING_COUNT && dir >= 0; i++) {
		int ret = iio_channel_open(dir, readings[i].type, readings[i].label,
					   readings[i].quantity, &board->channel[i]);

		if (ret < 0) {
			log_warning(METER ": no channel of type %s with label '%s'%s%s",
				    readings[i].type, readings[i].label,
				    readings[i].quantity ? " and " : "",
				    readings[i].quantity ?: "");
		}
	}
}

static void open_pll(struct board *board)
{
	char wave[PATH_MAX];
	int dir __cleanup(close_fd) = iio_find(board->root, WAVE, wave) < 0
					      ? -1
					      : open(wave, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || iio_channel_open(dir, "phase", "pll", NULL, &board->pll) < 0) {
		log_warning(WAVE ": no channel of type phase with label 'pll'");
	}
}

static int open_board(struct board *board)
{
	char meter[PATH_MAX];
	int ret = iio_find(board->root, METER, meter);

	if (ret < 0) {
		return ret;
	}
	board->dir = iio_open_parent(meter, LAYOUT);
	if (board->dir < 0) {
		return board->dir;
	}
	ret = check_layout(board);
	if (ret < 0) {
		return ret;
	}
	/* A udev rule gives them to our group, a moment after they appear. */
	if (faccessat(board->dir, "armed", W_OK, AT_EACCESS) < 0 ||
	    faccessat(board->dir, "heartbeat", W_OK, AT_EACCESS) < 0) {
		return -EACCES;
	}
	board->status = sysfs_open(board->dir, "status_flags");
	board->faults_active = sysfs_open(board->dir, "fault_flags_active");
	board->faults_latched = sysfs_open(board->dir, "fault_flags_latched");
	board->crashes = sysfs_open(board->dir, "coproc_crashes");
	board->events = sysfs_open(board->dir, "event_log");
	board->ticks = sysfs_open(board->dir, "telemetry_ticks");
	if (board->status < 0 || board->faults_active < 0 || board->faults_latched < 0 ||
	    board->ticks < 0 || board->crashes < 0 || board->events < 0) {
		return -ENOENT;
	}
	open_channels(board, meter);
	open_pll(board);
	board->bound = true;
	log_notice("driver found: %s", meter);
	return 0;
}

static int read_u32(int fd, uint32_t *ret_value)
{
	char text[32];
	int64_t value;
	int ret = sysfs_read(fd, text, sizeof(text));

	if (ret >= 0) {
		ret = sysfs_int(text, &value);
	}
	if (ret < 0) {
		return ret;
	}
	if (value < 0 || value > UINT32_MAX) {
		return -ERANGE;
	}
	*ret_value = value;
	return 0;
}

/* The firmware has restarted. */
static void begin_epoch(struct board *board)
{
	struct board_sample *sample = &board->sample;

	sample->epoch++;
	board->last_ticks = 0;
	if (sysfs_read_at(board->dir, "firmware_version", sample->firmware,
			  sizeof(sample->firmware)) < 0) {
		snprintf(sample->firmware, sizeof(sample->firmware), "unknown");
	}
	log_notice("firmware %s runs", sample->firmware);
}

/*
 * A sample is fresh when the telemetry's time has moved. The time goes back only
 * when the firmware restarted between two readings.
 */
static int read_ticks(struct board *board, bool *ret_fresh)
{
	char text[32];
	int64_t ticks;
	int ret;

	ret = sysfs_read(board->ticks, text, sizeof(text));
	if (ret >= 0) {
		ret = sysfs_int(text, &ticks);
	}
	if (ret < 0) {
		return ret;
	}
	if ((uint64_t)ticks < board->last_ticks) {
		begin_epoch(board);
	}
	*ret_fresh = (uint64_t)ticks != board->last_ticks;
	board->last_ticks = ticks;
	return 0;
}

static int read_state(struct board *board)
{
	struct board_sample *sample = &board->sample;
	uint32_t status, active, latched, crashes;
	bool fresh = false;
	int ret = read_u32(board->status, &status);

	ret = ret < 0 ? ret : read_u32(board->faults_active, &active);
	ret = ret < 0 ? ret : read_u32(board->faults_latched, &latched);
	ret = ret < 0 ? ret : read_u32(board->crashes, &crashes);
	if (ret < 0) {
		return ret;
	}
	if (!board->running || crashes != sample->crashes) {
		begin_epoch(board);
	}
	ret = read_ticks(board, &fresh);
	if (ret < 0) {
		return ret;
	}
	sample->status = status;
	sample->faults_active = active;
	sample->faults_latched = latched;
	sample->crashes = crashes;
	sample->number += fresh;
	return 0;
}

static int read_meter(struct board *board)
{
	static const enum board_reading energies[ENERGY_COUNTERS] = { BOARD_PV1_E, BOARD_PV2_E,
								      BOARD_PV3_E, BOARD_PV4_E,
								      BOARD_GRID_E };
	struct board_sample *sample = &board->sample;
	bool plausible = true;

	for (int i = 0; i < BOARD_READING_COUNT; i++) {
		double value = NAN;
		int ret = iio_channel_read(&board->channel[i], &value);

		if (ret < 0 && ret != -ENOENT) {
			return ret;
		}
		sample->meter[i] = value * readings[i].factor;
		plausible = plausible && board_plausible(i, sample->meter[i]);
	}
	sample->plausible = plausible;
	sample->reading++;
	sample->energy_epoch = sample->epoch;
	for (int i = 0; i < ENERGY_COUNTERS; i++) {
		double joule = sample->meter[energies[i]];

		if (joule >= 0 && joule < 1e15) {
			sample->energy_mj[i] = llround(joule * 1000);
		}
	}
	return 0;
}

static int read_sample(struct board *board, bool meter)
{
	uint32_t epoch = board->sample.epoch;
	int ret = read_state(board);

	/* The counters of a new run belong to its first sample. */
	if (ret >= 0 && (meter || epoch != board->sample.epoch)) {
		ret = read_meter(board);
	}
	return ret;
}

int board_poll(struct board *board, bool meter)
{
	bool was_bound = board->bound;
	int ret = was_bound ? 0 : open_board(board);

	if (ret < 0) {
		board_close(board);
		return -ENODEV;
	}
	ret = read_sample(board, meter);
	switch (ret) {
	case -ENODEV:
		log_warning("driver was unbound, waiting until it is bound again");
		board_close(board);
		break;
	case -ENODATA:
		if (board->running || !was_bound) {
			log_warning("firmware does not run, waiting for it");
		}
		board->running = false;
		break;
	case 0:
		board->running = true;
		break;
	default:
		/* A sample that did not come; policy sees it grow stale. */
		break;
	}
	return ret;
}

static int board_write(struct board *board, const char *attribute, const char *word)
{
	return board->bound ? sysfs_write_at(board->dir, attribute, word) : -ENODEV;
}

int board_arm(struct board *board, bool armed)
{
	return board_write(board, "armed", armed ? "1" : "0");
}

int board_clear(struct board *board, enum qs1_fault fault)
{
	return board_write(board, "clear_fault", qs1_fault_name(fault));
}

int board_latch(struct board *board, enum qs1_fault fault)
{
	return board_write(board, "latch_fault", qs1_fault_name(fault));
}

int board_events(struct board *board, struct qs1_event events[QS1_EVENTS])
{
	ssize_t n;

	do {
		n = pread(board->events, events, QS1_EVENTS * sizeof(*events), 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (int)(n / (ssize_t)sizeof(*events));
}

const char *board_refusal(struct board *board, char *buf, size_t size)
{
	if (!board->bound || sysfs_read_at(board->dir, "command_result", buf, size) < 0) {
		buf[0] = '\0';
	}
	return buf;
}

int board_heartbeat(struct board *board)
{
	board->heartbeat_ms = clock_ms(CLOCK_MONOTONIC);
	return board_write(board, "heartbeat", "1");
}

int board_angle(struct board *board, double *ret_deg, int64_t *ret_us)
{
	int64_t shortest_us = INT64_MAX;

	if (board->pll.fd < 0) {
		return -ENOENT;
	}
	if (!board->running || !(board->sample.status & QS1_STATUS_PLL_LOCKED)) {
		return -ENODATA;
	}
	for (int i = 0; i < ANGLE_READS; i++) {
		int64_t start_us = clock_us(CLOCK_MONOTONIC);
		double rad;
		int ret = iio_channel_read(&board->pll, &rad);
		int64_t took_us = clock_us(CLOCK_MONOTONIC) - start_us;

		if (ret < 0) {
			return ret;
		}
		if (took_us < shortest_us) {
			shortest_us = took_us;
			*ret_deg = fmod(rad * 180 / M_PI, 360);
			*ret_us = start_us + took_us / 2;
		}
	}
	return 0;
}

static void param_path(enum qs1_param id, char *path, size_t size)
{
	snprintf(path, size, "params/%s", qs1_param_desc(id)->name);
}

int board_get(struct board *board, enum qs1_param id, int32_t *ret_value)
{
	char path[64], text[64];
	int ret;

	if (!board->bound) {
		return -ENODEV;
	}
	param_path(id, path, sizeof(path));
	ret = sysfs_read_at(board->dir, path, text, sizeof(text));
	return ret < 0 ? ret : qs1_decimal_parse(text, qs1_param_desc(id)->decimals, ret_value);
}

static int write_param(struct board *board, enum qs1_param id, int32_t value)
{
	char path[64], text[QS1_DECIMAL_SIZE];

	if (!board->bound) {
		return -ENODEV;
	}
	param_path(id, path, sizeof(path));
	return sysfs_write_at(board->dir, path,
			      qs1_decimal_format(text, value, qs1_param_desc(id)->decimals));
}

/* 1 when the value is in force, 0 when another one is, or a negative errno. */
static int holds(struct board *board, enum qs1_param id, int32_t value)
{
	int32_t found;
	int ret = board_get(board, id, &found);

	return ret < 0 ? ret : found == value;
}

int board_set(struct board *board, enum qs1_param id, int32_t value)
{
	int ret = holds(board, id, value);

	if (ret) {
		return ret < 0 ? ret : BOARD_UNCHANGED;
	}
	ret = write_param(board, id, value);
	if (ret == -EBUSY) {
		/* A profile that was begun and never ended, after an abort without an answer. */
		board_write(board, "profile", "abort");
		ret = write_param(board, id, value);
	}
	ret = ret < 0 ? ret : holds(board, id, value);
	return ret < 0 ? ret : ret ? 0 : -EIO;
}

static bool in_profile(enum qs1_param id)
{
	return qs1_param_desc(id)->group == QS1_PARAM_GROUP_PROFILE;
}

/* As holds(), for all values of a profile. */
static int holds_profile(struct board *board, const struct qs1_profile *profile)
{
	int ret = 1;

	for (int id = 0; id < QS1_PARAM_COUNT && ret > 0; id++) {
		if (in_profile(id)) {
			ret = holds(board, id, profile->value[id]);
		}
	}
	return ret;
}

/* Each value may take the mailbox's timeout. */
static void keep_alive(struct board *board)
{
	if (clock_ms(CLOCK_MONOTONIC) - board->heartbeat_ms >= POLICY_HEARTBEAT_MS) {
		board_heartbeat(board);
	}
}

static int write_profile(struct board *board, const struct qs1_profile *profile)
{
	int ret = board_write(board, "profile", "begin");

	if (ret < 0) {
		return ret;
	}
	for (int id = 0; id < QS1_PARAM_COUNT && !ret; id++) {
		if (in_profile(id)) {
			ret = write_param(board, id, profile->value[id]);
			keep_alive(board);
		}
	}
	if (ret < 0) {
		/* Without an answer to the abort the profile may be begun still. */
		return board_write(board, "profile", "abort") ?: ret;
	}
	return board_write(board, "profile", "commit");
}

int board_apply(struct board *board, const struct qs1_profile *profile)
{
	int ret = holds_profile(board, profile);

	if (ret) {
		return ret < 0 ? ret : BOARD_UNCHANGED;
	}
	ret = write_profile(board, profile);
	if (ret < 0) {
		return ret;
	}
	ret = holds_profile(board, profile);
	return ret < 0 ? ret : ret ? 0 : -EIO;
}
