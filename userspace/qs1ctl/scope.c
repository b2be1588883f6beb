// SPDX-License-Identifier: GPL-2.0-only
/* qs1ctl scope: capture waveforms now. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/iio.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"
#include "capture.h"
#include "commands.h"

#define TIME_S 0.1
/* 16 channels of this length take 20 MB. */
#define TIME_MAX_S 10

int show_wave(struct context *context, const struct wave *wave, const char *title)
{
	struct winsize window;
	int ret = 0;

	if (context->plot) {
		ret = wave_plot_png(wave, context->plot, title);
		if (ret < 0) {
			snprintf(context->err, sizeof(context->err), "%s: %s", context->plot,
				 strerror(-ret));
		}
		return ret;
	}
	if (context->csv) {
		FILE *file __cleanup(close_file) =
			strcmp(context->csv, "-") ? fopen(context->csv, "we") : fdopen(dup(1), "w");

		ret = file ? wave_csv(wave, file) : -errno;
		if (ret < 0) {
			snprintf(context->err, sizeof(context->err), "%s: %s", context->csv,
				 strerror(-ret));
		}
		return ret;
	}
	if (context->format == WRITER_TEXT) {
		bool terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col;

		wave_plot_text(wave, stdout, terminal ? window.ws_col : 80);
	}
	return 0;
}

/* "grid.v" or "grid.v=100". */
static int take_trigger(struct context *context, struct capture *capture, char *name, size_t size)
{
	const char *equals;

	if (!context->trigger) {
		return 0;
	}
	equals = strchrnul(context->trigger, '=');
	snprintf(name, size, "%.*s", (int)(equals - context->trigger), context->trigger);
	capture->trigger = name;
	if (*equals && sysfs_double(equals + 1, &capture->level) < 0) {
		snprintf(context->err, sizeof(context->err),
			 "--trigger: expected CHANNEL or CHANNEL=LEVEL, found '%s'",
			 context->trigger);
		return -EINVAL;
	}
	return 0;
}

static int take_time(struct context *context, struct capture *capture)
{
	if (context->time && (sysfs_double(context->time, &capture->time_s) < 0 ||
			      !(capture->time_s > 0 && capture->time_s <= TIME_MAX_S))) {
		snprintf(context->err, sizeof(context->err),
			 "--time: expected seconds, more than 0 and at most %d, found '%s'",
			 TIME_MAX_S, context->time);
		return -EINVAL;
	}
	return 0;
}

static int write_summary(struct context *context, const struct wave *wave)
{
	struct writer *writer;

	/* If the file is standard output, print nothing else there. */
	if (context->csv && !strcmp(context->csv, "-")) {
		return 0;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		return -ENOMEM;
	}
	wave_write(wave, writer, context->format == WRITER_JSON);
	return writer_finish(writer);
}

int command_scope(struct context *context)
{
	struct capture capture = {
		.words = context->argv,
		.count = context->argc,
		.time_s = TIME_S,
	};
	char trigger[WAVE_NAME_SIZE];
	struct wave wave;
	int ret;

	if (context->argc == 0) {
		return -E2BIG;
	}
	ret = take_time(context, &capture);
	ret = ret ?: take_trigger(context, &capture, trigger, sizeof(trigger));
	ret = ret
		      ?: capture_run(QS1_SYSFS_ROOT, "/dev", &capture, &wave, context->err,
				     sizeof(context->err));
	if (ret < 0) {
		return ret;
	}
	ret = show_wave(context, &wave, "qs1-wave");
	ret = ret ?: write_summary(context, &wave);
	wave_free(&wave);
	return ret;
}
