/* SPDX-License-Identifier: GPL-2.0-only */
/* Capture of the stream of all control periods, the IIO device qs1-wave. */
#ifndef QS1CTL_CAPTURE_H
#define QS1CTL_CAPTURE_H

#include <stddef.h>

#include "wave.h"

/**
 * struct capture - what to capture
 * @words: channels, see wave_select()
 * @count: how many words
 * @time_s: how long
 * @trigger: begin when this channel rises through @level; NULL for at once
 * @level: in the channel's unit
 */
struct capture {
	char **words;
	int count;
	double time_s;
	const char *trigger;
	double level;
};

/**
 * capture_run() - capture
 * @root: where sysfs is mounted
 * @dev: folder of device nodes
 * @ret_wave: freed by wave_free(); untouched on failure
 * @err: on failure the reason
 *
 * With a trigger, a tenth of the time is before it. The stream allows one
 * reader at a time.
 *
 * Return: 0; -ENODEV, -ENODATA without driver or firmware; -EBUSY when somebody
 * else reads; -ETIME when the trigger does not come; -EINTR on SIGINT.
 */
int capture_run(const char *root, const char *dev, const struct capture *capture,
		struct wave *ret_wave, char *err, size_t size);

#endif /* QS1CTL_CAPTURE_H */
