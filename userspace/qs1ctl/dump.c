// SPDX-License-Identifier: GPL-2.0-only
/*
 * qs1ctl dump: the flight recorder. The daemon gives its last decisions and
 * their inputs; the driver keeps the waveform around the last trip.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "../lib/iio.h"
#include "../lib/names.h"
#include "../lib/util.h"
#include "commands.h"
#include "wave.h"

#define TRIP_WAVE "trip_wave"
/* Maximum size of the attribute. */
#define TRIP_WAVE_SIZE                                                                             \
	(sizeof(struct qs1_trip_wave) + (sizeof(struct qs1_scan) << QS1_WAVE_LOG2_MAX))
#define ATTEMPTS 3

/* Read to the end. Return the number of bytes or a negative errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	do {
		n = pread(fd, buf + used, size - used, used);
		used += n > 0 ? n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : (ssize_t)used;
}

/* Read again if a new recording replaced this one during the read. */
static int read_trip(int fd, struct qs1_trip_wave *head, struct wave *wave)
{
	char *buf __cleanup(free_ptr) = malloc(TRIP_WAVE_SIZE);
	int ret = -EAGAIN;

	if (!buf) {
		return -ENOMEM;
	}
	for (int i = 0; i < ATTEMPTS && ret == -EAGAIN; i++) {
		ssize_t size = read_all(fd, buf, TRIP_WAVE_SIZE);
		struct qs1_trip_wave after;

		if (size < 0) {
			return size;
		}
		if (pread(fd, &after, sizeof(after), 0) != sizeof(after)) {
			return -EAGAIN;
		}
		if (memcmp(buf, &after, sizeof(after)) == 0) {
			ret = wave_trip(buf, size, head, wave);
		}
	}
	return ret;
}

/* -ENODATA when there has been no trip; -ENODEV when there is no driver. */
static int load_trip(struct qs1_trip_wave *head, struct wave *wave)
{
	char path[PATH_MAX];
	int ret = iio_find(QS1_SYSFS_ROOT, "qs1-meter", path);
	int dir __cleanup(close_fd) = -1;
	int fd __cleanup(close_fd) = -1;

	if (ret < 0) {
		return ret;
	}
	dir = iio_open_parent(path, TRIP_WAVE);
	fd = dir < 0 ? -1 : openat(dir, TRIP_WAVE, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -ENODEV : read_trip(fd, head, wave);
}

static void format_time(int64_t ms, char *buf, size_t size)
{
	time_t seconds = ms / 1000;
	struct tm local;
	size_t n;

	localtime_r(&seconds, &local);
	n = strftime(buf, size, "%F %T", &local);
	snprintf(buf + n, size - n, ".%03d", (int)(ms % 1000));
}

static void write_int(struct writer *writer, const char *name, const char *label, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	writer_number(writer, name, label, text, "");
}

static void write_trip(struct writer *writer, const struct qs1_trip_wave *head,
		       const struct wave *wave, bool values)
{
	char when[40];

	format_time(head->real_ns / 1000000, when, sizeof(when));
	writer_object(writer, "trip", "last trip", WRITER_LINES);
	writer_string(writer, "fault", "fault", qs1_fault_name(head->fault));
	writer_string(writer, "text", "meaning", qs1_fault_text(head->fault));
	writer_string(writer, "time", "time", when);
	write_int(writer, "time_ms", "time, ms", head->real_ns / 1000000);
	writer_string(writer, "state", "state before", qs1_state_name(head->state));
	write_int(writer, "value", "value", head->value);
	write_int(writer, "ticks", "tick", head->ticks);
	writer_object(writer, "wave", "waveform", WRITER_LINES);
	wave_write(wave, writer, values);
	writer_end(writer);
	writer_end(writer);
}

/* A value of the daemon's JSON, groups and lists in a row. */
static void write_json(struct writer *writer, struct json_object *around, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(around, name, &value);
	if (json_object_is_type(value, json_type_object)) {
		writer_object(writer, name, name, WRITER_ROW);
		json_object_object_foreach(value, key, member) {
			(void)member;
			write_json(writer, value, key);
		}
		writer_end(writer);
	} else if (json_object_is_type(value, json_type_array)) {
		writer_array(writer, name, name, WRITER_ROW);
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			writer_string(writer, NULL, "",
				      json_object_get_string(json_object_array_get_idx(value, i)));
		}
		writer_end(writer);
	} else {
		write_member(writer, around, name, name, "");
	}
}

static int64_t int_of(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return json_object_get_int64(value);
}

static void write_decision(struct writer *writer, struct json_object *decision)
{
	int64_t steps = int_of(decision, "steps");
	char when[40], label[120];

	format_time(int_of(decision, "time_ms"), when, sizeof(when));
	snprintf(label, sizeof(label), "%s, %lld step%s in %.1f s", when, (long long)steps,
		 steps == 1 ? "" : "s",
		 (int_of(decision, "last_ms") - int_of(decision, "monotonic_ms")) / 1000.0);
	writer_object(writer, NULL, label, WRITER_LINES);
	json_object_object_foreach(decision, key, value) {
		(void)value;
		write_json(writer, decision, key);
	}
	writer_end(writer);
}

static int write_dump(struct context *context, struct json_object *decisions,
		      const struct qs1_trip_wave *head, const struct wave *wave)
{
	struct writer *writer = writer_new(context->format, stdout);

	if (!writer) {
		return -ENOMEM;
	}
	writer_array(writer, "decisions", "decisions", WRITER_LINES);
	for (size_t i = 0; i < json_object_array_length(decisions); i++) {
		write_decision(writer, json_object_array_get_idx(decisions, i));
	}
	writer_end(writer);
	if (wave) {
		write_trip(writer, head, wave, context->format == WRITER_JSON);
	} else {
		writer_none(writer, "trip", "last trip", "none since the driver was loaded");
	}
	return writer_finish(writer);
}

static int show_trip(struct context *context, const struct qs1_trip_wave *head,
		     const struct wave *wave)
{
	char title[200], when[40];

	format_time(head->real_ns / 1000000, when, sizeof(when));
	snprintf(title, sizeof(title), "Trip %s (%s), %s", qs1_fault_name(head->fault),
		 qs1_fault_text(head->fault), when);
	return show_wave(context, wave, title);
}

static int ask(struct context *context, const struct qs1_trip_wave *head, const struct wave *wave)
{
	struct json_object *decisions;
	int ret = call(context, "dump", NULL, &decisions);

	if (ret < 0) {
		return ret;
	}
	ret = write_dump(context, decisions, head, wave);
	json_object_put(decisions);
	return ret;
}

int command_dump(struct context *context)
{
	bool to_file = context->plot || context->csv;
	struct qs1_trip_wave head;
	struct wave wave;
	int ret, loaded;

	if (context->argc != 0) {
		return -E2BIG;
	}
	loaded = load_trip(&head, &wave);
	if (loaded < 0 && (to_file || (loaded != -ENODATA && loaded != -ENODEV))) {
		snprintf(context->err, sizeof(context->err), "waveform of the last trip: %s",
			 loaded == -ENODATA ? "there has been none since the driver was loaded"
					    : strerror(-loaded));
		return loaded;
	}
	/* A file is written whether the daemon runs or not. */
	ret = to_file ? 0 : ask(context, loaded < 0 ? NULL : &head, loaded < 0 ? NULL : &wave);
	if (loaded < 0) {
		return ret;
	}
	ret = ret ?: show_trip(context, &head, &wave);
	wave_free(&wave);
	return ret;
}
