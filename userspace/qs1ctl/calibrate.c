// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl calibrate: record readings of a real board's channels against a reference. */
#include <errno.h>
#include <string.h>

#include "../lib/calibration.h"
#include "../lib/iio.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"
#include "capture.h"
#include "commands.h"

#define TIME_S 1.0

/* The mean of a channel over a second, in counts. */
static int measure(struct context *context, char *name, double *ret_counts)
{
	struct capture capture = { .words = &name, .count = 1, .time_s = TIME_S };
	struct wave wave;
	double sum = 0;
	int ret = capture_run(QS1_SYSFS_ROOT, "/dev", &capture, &wave, context->err,
			      sizeof(context->err));

	if (ret < 0) {
		return ret;
	}
	for (size_t i = 0; i < wave.channels; i++) {
		for (size_t scan = 0; wave.channel[i].value && scan < wave.scans; scan++) {
			sum += wave.channel[i].value[scan] / wave.channel[i].scale;
		}
	}
	*ret_counts = sum / (double)wave.scans;
	wave_free(&wave);
	return 0;
}

static int take_point(struct context *context, const char *file, char *name, const char *text)
{
	int channel = calibration_channel(name), ret;
	struct calibration calibration;
	double value, counts;

	if (channel < 0 || sysfs_double(text, &value) < 0) {
		snprintf(context->err, sizeof(context->err),
			 "expected a channel and the reference in its unit, found '%s' and '%s'",
			 name, text);
		return -EINVAL;
	}
	ret = calibration_read(file, &calibration, context->err, sizeof(context->err));
	ret = ret ?: measure(context, name, &counts);
	ret = ret ?: calibration_add(&calibration, (enum qs1_adc)channel, counts, value);
	ret = ret ?: calibration_write(file, &calibration);
	if (ret < 0 && !context->err[0]) {
		snprintf(context->err, sizeof(context->err), "%s: %s", file, strerror(-ret));
	}
	return ret;
}

static void write_value(struct writer *writer, const char *name, double value, int digits)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*f", digits, value);
	writer_number(writer, name, name, text, "");
}

static const char *verdict(int ret)
{
	switch (ret) {
	case -EDOM:
		return "points too close";
	case -ERANGE:
		return "out of range";
	default:
		return "good";
	}
}

static int show(struct context *context, const char *file)
{
	struct calibration calibration;
	struct writer *writer;
	int ret = calibration_read(file, &calibration, context->err, sizeof(context->err));

	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		return -ENOMEM;
	}
	for (int i = 0; i < QS1_ADC_COUNT; i++) {
		const char *name = calibration_name((enum qs1_adc)i);
		struct calibration_line line;

		ret = calibration_line(&calibration, (enum qs1_adc)i, &line);
		writer_object(writer, name, name, WRITER_ROW);
		write_value(writer, "points", (double)line.points, 0);
		write_value(writer, "gain", line.gain, 5);
		write_value(writer, "offset", line.offset, 1);
		write_value(writer, "worst", line.worst, 1);
		writer_string(writer, "verdict", "", verdict(ret));
		writer_end(writer);
	}
	return writer_finish(writer);
}

static int write_image(struct context *context, const char *file, const char *image,
		       const char *copy)
{
	struct calibration calibration;
	int ret = calibration_read(file, &calibration, context->err, sizeof(context->err));

	return ret
		       ?: calibration_image(&calibration, image, copy, context->err,
					    sizeof(context->err));
}

int command_calibrate(struct context *context)
{
	char **word = context->argv;

	if (context->argc == 4 && !strcmp(word[0], "point")) {
		return take_point(context, word[1], word[2], word[3]);
	}
	if (context->argc == 2 && !strcmp(word[0], "show")) {
		return show(context, word[1]);
	}
	if (context->argc == 4 && !strcmp(word[0], "write")) {
		return write_image(context, word[1], word[2], word[3]);
	}
	return -E2BIG;
}
