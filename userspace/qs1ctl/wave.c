// SPDX-License-Identifier: GPL-2.0-only
#include "wave.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../lib/util.h"

/* One turn of the PLL in struct qs1_scan. */
#define PLL_TURN 4294967296.0

/* Columns: IIO type, what is appended to the label, unit. */
static const struct {
	const char *type;
	const char *suffix;
	const char *unit;
} kinds[] = {
	{ "voltage", ".v", "V" },
	{ "current", ".i", "A" },
	{ "phase", "", "rad" },
	{ "index", "", "" },
};

void wave_free(struct wave *wave)
{
	for (size_t i = 0; i < wave->channels; i++) {
		free(wave->channel[i].value);
		wave->channel[i].value = NULL;
	}
}

double wave_time(const struct wave *wave, size_t scan)
{
	return ((double)scan - (double)wave->zero) / wave->hz;
}

int wave_name(const char *type, const char *label, struct wave_channel *channel)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(type, kinds[i].type)) {
			snprintf(channel->name, sizeof(channel->name), "%s%s", label,
				 kinds[i].suffix);
			channel->unit = kinds[i].unit;
			return 0;
		}
	}
	return -ENOENT;
}

int wave_select(const struct wave *wave, const char *word, bool wanted[WAVE_CHANNELS], char *err,
		size_t size)
{
	size_t length = strlen(word);
	bool found = false;
	size_t used;

	for (size_t i = 0; i < wave->channels; i++) {
		const char *name = wave->channel[i].name;

		if (!strcmp(word, "all") || !strcmp(name, word) ||
		    (!strncmp(name, word, length) && name[length] == '.')) {
			wanted[i] = true;
			found = true;
		}
	}
	if (found) {
		return 0;
	}
	used = snprintf(err, size, "no channel '%s', expected some of: all", word);
	for (size_t i = 0; i < wave->channels && used < size; i++) {
		used += snprintf(err + used, size - used, " %s", wave->channel[i].name);
	}
	return -ENOENT;
}

int wave_alloc(struct wave *wave, const bool wanted[WAVE_CHANNELS], size_t scans)
{
	wave->scans = scans;
	for (size_t i = 0; i < wave->channels; i++) {
		if (wanted[i]) {
			wave->channel[i].value = calloc(scans, sizeof(float));
			if (!wave->channel[i].value) {
				wave_free(wave);
				return -ENOMEM;
			}
		}
	}
	return 0;
}

void wave_contract(struct wave *wave)
{
	static const struct {
		const char *label;
		const char *unit;
		const char *suffix;
		double lsb;
	} adc[] = {
#define VOLTAGE "V", ".v"
#define CURRENT "A", ".i"
#define TEMP "C", ".t"
#define X(id, label, type, index, lsb) { label, type, (lsb)*1e-6 },
		QS1_ADC_CHANNELS(X)
#undef X
#undef VOLTAGE
#undef CURRENT
#undef TEMP
	};

	*wave = (struct wave){ .channels = WAVE_CHANNELS };
	for (size_t i = 0; i < QS1_SCAN_CHANNELS; i++) {
		struct wave_channel *channel = &wave->channel[i];

		snprintf(channel->name, sizeof(channel->name), "%s%s", adc[i].label, adc[i].suffix);
		channel->unit = adc[i].unit;
		channel->scale = adc[i].lsb;
	}
	wave_name("phase", "pll", &wave->channel[QS1_SCAN_CHANNELS]);
	wave->channel[QS1_SCAN_CHANNELS].scale = 2 * M_PI / PLL_TURN;
	wave_name("index", "status", &wave->channel[QS1_SCAN_CHANNELS + 1]);
	wave->channel[QS1_SCAN_CHANNELS + 1].scale = 1;
}

static void take_scan(struct wave *wave, size_t n, const struct qs1_scan *scan)
{
	struct wave_channel *channel = wave->channel;

	for (size_t i = 0; i < QS1_SCAN_CHANNELS; i++) {
		channel[i].value[n] = scan->ch[i] * channel[i].scale;
	}
	channel[QS1_SCAN_CHANNELS].value[n] = scan->phase * channel[QS1_SCAN_CHANNELS].scale;
	channel[QS1_SCAN_CHANNELS + 1].value[n] = scan->status;
}

int wave_trip(const void *data, size_t size, struct qs1_trip_wave *ret_head, struct wave *ret_wave)
{
	const uint8_t *bytes = data;
	bool all[WAVE_CHANNELS];
	struct qs1_trip_wave head;
	struct qs1_scan scan;
	struct wave wave;

	if (size < sizeof(head)) {
		return -EPROTO;
	}
	memcpy(&head, data, sizeof(head));
	if (head.magic != QS1_TRIP_WAVE_MAGIC || head.control_hz == 0 || head.trip >= head.count ||
	    head.count > (1u << QS1_WAVE_LOG2_MAX) ||
	    size != sizeof(head) + head.count * sizeof(scan)) {
		return -EPROTO;
	}
	wave_contract(&wave);
	memset(all, true, sizeof(all));
	if (wave_alloc(&wave, all, head.count) < 0) {
		return -ENOMEM;
	}
	wave.hz = head.control_hz;
	wave.zero = head.trip;
	for (size_t n = 0; n < head.count; n++) {
		memcpy(&scan, bytes + sizeof(head) + n * sizeof(scan), sizeof(scan));
		take_scan(&wave, n, &scan);
	}
	*ret_head = head;
	*ret_wave = wave;
	return 0;
}

static void write_double(struct writer *writer, const char *name, const char *label, double value,
			 int decimals, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", decimals, value);
	writer_number(writer, name, label, text, unit);
}

static void write_values(struct writer *writer, const struct wave *wave,
			 const struct wave_channel *channel)
{
	char text[64];

	writer_array(writer, "values", "", WRITER_ROW);
	for (size_t n = 0; n < wave->scans; n++) {
		snprintf(text, sizeof(text), "%.7g", channel->value[n]);
		writer_number(writer, NULL, "", text, "");
	}
	writer_end(writer);
}

static void write_channel(struct writer *writer, const struct wave *wave,
			  const struct wave_channel *channel, bool values)
{
	double min = INFINITY, max = -INFINITY, sum = 0, squares = 0;

	for (size_t n = 0; n < wave->scans; n++) {
		double value = channel->value[n];

		min = fmin(min, value);
		max = fmax(max, value);
		sum += value;
		squares += value * value;
	}
	writer_object(writer, channel->name, channel->name, WRITER_ROW);
	write_double(writer, "min", "min", min, 3, "");
	write_double(writer, "max", "max", max, 3, "");
	write_double(writer, "mean", "mean", sum / wave->scans, 3, "");
	write_double(writer, "rms", "rms", sqrt(squares / wave->scans), 3, "");
	writer_string(writer, "unit", "", channel->unit);
	if (values) {
		write_values(writer, wave, channel);
	}
	writer_end(writer);
}

void wave_write(const struct wave *wave, struct writer *writer, bool values)
{
	char text[32];

	write_double(writer, "scan_hz", "scan rate", wave->hz, 0, "Hz");
	snprintf(text, sizeof(text), "%zu", wave->scans);
	writer_number(writer, "scans", "scans", text, "");
	snprintf(text, sizeof(text), "%llu", wave->lost);
	writer_number(writer, "lost", "lost", text, "");
	write_double(writer, "first_s", "from", wave_time(wave, 0), 6, "s");
	writer_object(writer, "channels", "", WRITER_LINES);
	for (size_t i = 0; i < wave->channels; i++) {
		if (wave->channel[i].value) {
			write_channel(writer, wave, &wave->channel[i], values);
		}
	}
	writer_end(writer);
}

int wave_csv(const struct wave *wave, FILE *out)
{
	fprintf(out, "time_s");
	for (size_t i = 0; i < wave->channels; i++) {
		const struct wave_channel *channel = &wave->channel[i];

		if (channel->value) {
			fprintf(out, ",%s%s%s", channel->name, channel->unit[0] ? "_" : "",
				channel->unit);
		}
	}
	fprintf(out, "\n");
	for (size_t n = 0; n < wave->scans; n++) {
		fprintf(out, "%.6f", wave_time(wave, n));
		for (size_t i = 0; i < wave->channels; i++) {
			if (wave->channel[i].value) {
				fprintf(out, ",%.7g", wave->channel[i].value[n]);
			}
		}
		fprintf(out, "\n");
	}
	return fflush(out) ? -errno : ferror(out) ? -EIO : 0;
}

static bool alike(const struct wave_channel *a, const struct wave_channel *b)
{
	return !strcmp(a->unit, b->unit) && a->scale == b->scale;
}

int wave_group(const struct wave *wave, int after, bool member[WAVE_CHANNELS])
{
	for (int first = after + 1; first < (int)wave->channels; first++) {
		const struct wave_channel *channel = &wave->channel[first];
		bool before = false;

		for (int i = 0; i < first; i++) {
			before = before ||
				 (wave->channel[i].value && alike(&wave->channel[i], channel));
		}
		if (!channel->value || before) {
			continue;
		}
		for (int i = 0; i < (int)wave->channels; i++) {
			member[i] = wave->channel[i].value && alike(&wave->channel[i], channel);
		}
		return first;
	}
	return -1;
}

void wave_range(const struct wave *wave, const bool member[WAVE_CHANNELS], double *ret_min,
		double *ret_max)
{
	double min = INFINITY, max = -INFINITY;

	for (size_t i = 0; i < wave->channels; i++) {
		for (size_t n = 0; member[i] && n < wave->scans; n++) {
			min = fmin(min, wave->channel[i].value[n]);
			max = fmax(max, wave->channel[i].value[n]);
		}
	}
	if (max - min < 1e-3) {
		min -= 0.5;
		max += 0.5;
	}
	*ret_min = min;
	*ret_max = max;
}
