// SPDX-License-Identifier: GPL-2.0-only
#include "capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "../lib/iio.h"
#include "../lib/scan.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

#define DEVICE "qs1-wave"
/* Length of the kernel's buffer, 0.4 s: the tool loses no scans if it is delayed for less. */
#define BUFFER_SCANS "8192"
/* Timeout after which the stream counts as stopped. */
#define STALL_MS 2000
/* How long to wait for a trigger. */
#define TRIGGER_S 10
#define BEFORE_TRIGGER 0.1

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/**
 * struct source - the device while it is captured
 * @dir: its folder in sysfs
 * @fd: its stream
 * @wave: its channels
 * @element: their places in a scan
 * @wanted: which of them are enabled
 * @shown: which of them were asked for
 * @scan_size: bytes of a scan
 */
struct source {
	int dir;
	int fd;
	struct wave wave;
	struct scan_element element[WAVE_CHANNELS];
	char stem[WAVE_CHANNELS][64];
	bool wanted[WAVE_CHANNELS];
	bool shown[WAVE_CHANNELS];
	size_t scan_size;
};

static void close_dir(DIR **dir)
{
	if (*dir) {
		closedir(*dir);
	}
}

static int read_number(const struct source *source, const char *name, double *ret_value)
{
	char text[64];
	int ret = sysfs_read_at(source->dir, name, text, sizeof(text));

	return ret < 0 ? ret : sysfs_double(text, ret_value);
}

/* IIO's units are mV and mA; a phase is in rad. */
static double in_unit(const struct wave_channel *channel, double scale)
{
	return channel->unit[0] == 'V' || channel->unit[0] == 'A' ? scale * 1e-3 : scale;
}

/* Add a channel of the buffer by its stem, "in_voltage3"; skip one without a label. */
static void add_channel(struct source *source, const char *stem)
{
	struct wave_channel channel = { .scale = 1 };
	struct scan_element element = { 0 };
	char name[128], text[64], type[32];
	double index;

	snprintf(type, sizeof(type), "%.*s", (int)strcspn(stem + 3, "0123456789"), stem + 3);
	snprintf(name, sizeof(name), "%s_label", stem);
	if (sysfs_read_at(source->dir, name, text, sizeof(text)) < 0 ||
	    wave_name(type, text, &channel) < 0) {
		return;
	}
	snprintf(name, sizeof(name), "scan_elements/%s_type", stem);
	if (sysfs_read_at(source->dir, name, text, sizeof(text)) < 0 ||
	    scan_type_parse(text, &element) < 0) {
		return;
	}
	snprintf(name, sizeof(name), "scan_elements/%s_index", stem);
	if (read_number(source, name, &index) < 0 || index < 0 || index > INT_MAX) {
		return;
	}
	element.index = index;
	snprintf(name, sizeof(name), "%s_scale", stem);
	read_number(source, name, &channel.scale);
	channel.scale = in_unit(&channel, channel.scale);
	snprintf(source->stem[source->wave.channels], sizeof(source->stem[0]), "%s", stem);
	source->element[source->wave.channels] = element;
	source->wave.channel[source->wave.channels++] = channel;
}

/* In the order of their indices, which is the contract's. */
static void sort_channels(struct source *source)
{
	for (size_t i = 1; i < source->wave.channels; i++) {
		for (size_t k = i; k > 0 && source->element[k].index < source->element[k - 1].index;
		     k--) {
			struct scan_element element = source->element[k];
			struct wave_channel channel = source->wave.channel[k];
			char stem[sizeof(source->stem[0])];

			memcpy(stem, source->stem[k], sizeof(stem));
			source->element[k] = source->element[k - 1];
			source->wave.channel[k] = source->wave.channel[k - 1];
			memcpy(source->stem[k], source->stem[k - 1], sizeof(stem));
			source->element[k - 1] = element;
			source->wave.channel[k - 1] = channel;
			memcpy(source->stem[k - 1], stem, sizeof(stem));
		}
	}
}

static int find_channels(struct source *source)
{
	static const char ending[] = "_index";
	int fd = openat(source->dir, "scan_elements", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list __cleanup(close_dir) = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!list) {
		return -errno;
	}
	while ((entry = readdir(list)) && source->wave.channels < WAVE_CHANNELS) {
		size_t length = strlen(entry->d_name);
		char stem[64];

		if (length < 3 + sizeof(ending) || length >= sizeof(stem) + sizeof(ending) - 1 ||
		    strcmp(entry->d_name + length - strlen(ending), ending)) {
			continue;
		}
		snprintf(stem, sizeof(stem), "%.*s", (int)(length - strlen(ending)), entry->d_name);
		add_channel(source, stem);
	}
	sort_channels(source);
	return source->wave.channels ? 0 : -ENODEV;
}

static int open_stream(struct source *source, const char *dev, const char *path)
{
	char node[PATH_MAX];
	int ret = 0;

	snprintf(node, sizeof(node), "%s/%s", dev, strrchr(path, '/') + 1);
	source->fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (source->fd < 0) {
		ret = -errno;
	}
	return ret;
}

/* The open device gives us exclusive use of the buffer: stop a capture that was left running. */
static int start(struct source *source)
{
	int ret = sysfs_write_at(source->dir, "buffer/enable", "0");

	for (size_t i = 0; i < source->wave.channels && !ret; i++) {
		char name[128];

		snprintf(name, sizeof(name), "scan_elements/%s_en", source->stem[i]);
		ret = sysfs_write_at(source->dir, name, source->wanted[i] ? "1" : "0");
	}
	ret = ret ?: sysfs_write_at(source->dir, "scan_elements/in_timestamp_en", "0");
	ret = ret ?: sysfs_write_at(source->dir, "buffer/length", BUFFER_SCANS);
	ret = ret ?: sysfs_write_at(source->dir, "buffer/watermark", "256");
	return ret ?: sysfs_write_at(source->dir, "buffer/enable", "1");
}

/* Lay out the enabled channels: their elements first, in the same order as the channels. */
static int lay_out(struct source *source)
{
	struct scan_element enabled[WAVE_CHANNELS];
	size_t n = 0;
	int size;

	for (size_t i = 0; i < source->wave.channels; i++) {
		if (source->wanted[i]) {
			enabled[n++] = source->element[i];
		}
	}
	size = scan_layout(enabled, n);
	if (size < 0) {
		return size;
	}
	n = 0;
	for (size_t i = 0; i < source->wave.channels; i++) {
		if (source->wanted[i]) {
			source->element[i] = enabled[n++];
		}
	}
	source->scan_size = size;
	return 0;
}

/* Some bytes. Return their number, 0 when a signal came first, or a negative errno. */
static ssize_t read_some(const struct source *source, uint8_t *buf, size_t size)
{
	struct pollfd fds = { .fd = source->fd, .events = POLLIN };
	ssize_t n;

	do {
		int ret = poll(&fds, 1, STALL_MS);

		if (interrupted) {
			return -EINTR;
		}
		if (ret == 0) {
			return -ENODATA;
		}
		n = read(source->fd, buf, size);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n < 0 ? -errno : n;
}

/**
 * struct recording - the scans of a capture
 * @at: index of the next scan to write; wraps around until the trigger
 * @taken: scans so far
 * @trigger: channel that is awaited, -1 for none
 * @level: of the trigger
 * @before: scans to keep from before the trigger
 * @left: scans to record after the trigger
 */
struct recording {
	size_t at;
	size_t taken;
	int trigger;
	double level;
	size_t before;
	size_t left;
};

static void take_scan(struct source *source, struct recording *recording, const uint8_t *scan)
{
	struct wave *wave = &source->wave;
	size_t last = (recording->at + wave->scans - 1) % wave->scans;

	for (size_t i = 0; i < wave->channels; i++) {
		struct wave_channel *channel = &wave->channel[i];

		if (channel->value) {
			channel->value[recording->at] =
				scan_value(&source->element[i], scan) * channel->scale;
		}
	}
	if (recording->trigger >= 0) {
		const float *value = wave->channel[recording->trigger].value;

		if (recording->taken > recording->before && value[last] < recording->level &&
		    value[recording->at] >= recording->level) {
			recording->trigger = -1;
			recording->left = wave->scans - recording->before;
		}
	}
	recording->at = (recording->at + 1) % wave->scans;
	recording->taken++;
	if (recording->trigger < 0) {
		recording->left--;
	}
}

/* Rotate each channel so that its oldest scan is first. */
static int unroll(struct wave *wave, size_t first)
{
	float *copy __cleanup(free_ptr) = calloc(wave->scans, sizeof(float));

	if (!copy) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < wave->channels && first; i++) {
		float *value = wave->channel[i].value;

		if (value) {
			memcpy(copy, value + first, (wave->scans - first) * sizeof(float));
			memcpy(copy + wave->scans - first, value, first * sizeof(float));
			memcpy(value, copy, wave->scans * sizeof(float));
		}
	}
	return 0;
}

static int take_all(struct source *source, struct recording *recording)
{
	uint8_t buf[32768];
	size_t whole = sizeof(buf) / source->scan_size * source->scan_size;
	size_t limit = TRIGGER_S * source->wave.hz;

	while (recording->left > 0) {
		ssize_t n = read_some(source, buf, whole);

		if (n < 0) {
			return n;
		}
		for (ssize_t i = 0; i + (ssize_t)source->scan_size <= n && recording->left > 0;
		     i += source->scan_size) {
			take_scan(source, recording, buf + i);
		}
		if (recording->trigger >= 0 && recording->taken > limit) {
			return -ETIME;
		}
	}
	return unroll(&source->wave, recording->at);
}

static int choose(struct source *source, const struct capture *capture, struct recording *recording,
		  char *err, size_t size)
{
	bool trigger[WAVE_CHANNELS] = { false };
	int ret = 0;

	for (int i = 0; i < capture->count && !ret; i++) {
		ret = wave_select(&source->wave, capture->words[i], source->shown, err, size);
	}
	memcpy(source->wanted, source->shown, sizeof(source->wanted));
	recording->trigger = -1;
	recording->level = capture->level;
	if (ret || !capture->trigger) {
		return ret;
	}
	ret = wave_select(&source->wave, capture->trigger, trigger, err, size);
	for (int i = 0; i < (int)source->wave.channels; i++) {
		if (!ret && trigger[i] && !strcmp(source->wave.channel[i].name, capture->trigger)) {
			recording->trigger = i;
			source->wanted[i] = true;
		}
	}
	if (!ret && recording->trigger < 0) {
		snprintf(err, size, "trigger: expected one channel, found '%s'", capture->trigger);
		ret = -EINVAL;
	}
	return ret;
}

static int prepare(struct source *source, const struct capture *capture,
		   struct recording *recording, char *err, size_t size)
{
	int ret = find_channels(source);

	ret = ret ?: choose(source, capture, recording, err, size);
	ret = ret ?: lay_out(source);
	ret = ret ?: read_number(source, "sampling_frequency", &source->wave.hz);
	ret = ret
		      ?: wave_alloc(&source->wave, source->wanted,
				    fmax(2, ceil(capture->time_s * source->wave.hz)));
	if (recording->trigger >= 0) {
		recording->before = source->wave.scans * BEFORE_TRIGGER;
		source->wave.zero = recording->before;
	}
	recording->left = source->wave.scans;
	return ret;
}

/* Capture, stop the stream in any case, and count the scans that the driver lost meanwhile. */
static int run(struct source *source, struct recording *recording)
{
	const struct sigaction stop = { .sa_handler = on_signal };
	double before = 0, after = 0;
	struct sigaction old;
	int ret;

	sigaction(SIGINT, &stop, &old);
	read_number(source, "wave_lost", &before);
	ret = start(source);
	ret = ret ?: take_all(source, recording);
	read_number(source, "wave_lost", &after);
	sysfs_write_at(source->dir, "buffer/enable", "0");
	sigaction(SIGINT, &old, NULL);
	source->wave.lost = after - before;
	return ret;
}

static void explain(int ret, char *err, size_t size)
{
	static const struct {
		int ret;
		const char *text;
	} reasons[] = {
		{ -ENODEV, "no IIO device " DEVICE "; is the driver loaded?" },
		{ -ENODATA, "the firmware does not run, or its stream has stopped" },
		{ -EBUSY, DEVICE " allows one reader, and another program reads it" },
		{ -ETIME, "the channel did not rise through the trigger level" },
		{ -EINTR, "interrupted" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons) && !err[0]; i++) {
		if (reasons[i].ret == ret) {
			snprintf(err, size, "%s", reasons[i].text);
		}
	}
	if (!err[0]) {
		snprintf(err, size, DEVICE ": %s", strerror(-ret));
	}
}

int capture_run(const char *root, const char *dev, const struct capture *capture,
		struct wave *ret_wave, char *err, size_t size)
{
	struct source *source __cleanup(free_ptr) = calloc(1, sizeof(*source));
	struct recording recording = { 0 };
	char path[PATH_MAX];
	int ret;

	if (!source) {
		return -ENOMEM;
	}
	err[0] = '\0';
	source->dir = source->fd = -1;
	ret = iio_find(root, DEVICE, path);
	if (!ret) {
		source->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		ret = source->dir < 0 ? -errno : prepare(source, capture, &recording, err, size);
	}
	ret = ret ?: open_stream(source, dev, path);
	ret = ret ?: run(source, &recording);
	close_fd(&source->fd);
	close_fd(&source->dir);
	if (ret < 0) {
		explain(ret, err, size);
		wave_free(&source->wave);
		return ret;
	}
	for (size_t i = 0; i < source->wave.channels; i++) {
		if (!source->shown[i]) {
			free(source->wave.channel[i].value);
			source->wave.channel[i].value = NULL;
		}
	}
	*ret_wave = source->wave;
	return 0;
}
