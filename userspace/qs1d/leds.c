// SPDX-License-Identifier: GPL-2.0-only
#include "leds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "../lib/log.h"
#include "../lib/sysfs.h"
#include "../lib/util.h"

static const char *const folders[LED_COUNT] = {
	[LED_GREEN] = "qs1:green:status",
	[LED_RED] = "qs1:red:fault",
};

static const enum led_pattern shows[POLICY_SHOW_COUNT][LED_COUNT] = {
#define X(id, green, red) [POLICY_SHOW_##id] = { LED_##green, LED_##red },
	POLICY_SHOWS(X)
#undef X
};

/* One level of a pattern: lit or not, and how long. */
struct level {
	bool on;
	int ms;
};

#define LEVELS_MAX 8

/* A pattern of one level; the trigger sets it again once a minute. */
#define STEADY_MS 60000

/*
 * Patterns, level by level.
 * Start-up: one short red blink, then three short green ones, in two seconds.
 */
static const struct {
	const char *name;
	bool once;
	struct level levels[LED_COUNT][LEVELS_MAX];
} patterns[LED_PATTERN_COUNT] = {
	[LED_OFF] = {
		"off", false, {
			[LED_RED] = { { false, STEADY_MS } },
			[LED_GREEN] = { { false, STEADY_MS } },
		},
	},
	[LED_ON] = { "on", false, { [LED_RED] = { { true, STEADY_MS } } } },
	[LED_BLINK] = { "blink", false, { [LED_RED] = { { true, 500 }, { false, 500 } } } },
	[LED_EVERY_2S] = { "every-2s", false, { [LED_GREEN] = { { true, 100 }, { false, 1900 } } } },
	[LED_EVERY_10S] = { "every-10s", false, { [LED_GREEN] = { { true, 100 }, { false, 9900 } } } },
	[LED_STARTUP] = {
		"startup", true, {
			[LED_RED] = { { true, 200 }, { false, 1600 } },
			[LED_GREEN] = { { false, 600 }, { true, 150 }, { false, 250 }, { true, 150 },
					{ false, 250 }, { true, 150 }, { false, 250 } },
		},
	},
};

enum led_pattern leds_pattern(enum policy_show show, enum led led)
{
	return shows[show][led];
}

const char *led_pattern_name(enum led_pattern pattern)
{
	return patterns[pattern].name;
}

void leds_init(struct leds *leds, const char *root)
{
	*leds = (struct leds){ .root = root };
	leds_forget(leds);
}

void leds_forget(struct leds *leds)
{
	for (int i = 0; i < LED_COUNT; i++) {
		leds->shown[i] = LED_PATTERN_COUNT;
	}
}

/*
 * The pattern trigger fades from each brightness to the next in the time given;
 * a level is the same brightness twice, and no time to the next level. The
 * number of repeats comes last: it restarts the pattern.
 */
static int write_pattern(int dir, const struct level *levels, bool once, int max)
{
	char text[512];
	size_t used = 0;
	int ret;

	for (int i = 0; i < LEVELS_MAX && levels[i].ms; i++) {
		int brightness = levels[i].on ? max : 0;

		used += snprintf(text + used, sizeof(text) - used, "%s%d %d %d 0", i ? " " : "",
				 brightness, levels[i].ms, brightness);
	}
	ret = sysfs_write_at(dir, "pattern", text);
	return ret < 0 ? ret : sysfs_write_at(dir, "repeat", once ? "1" : "-1");
}

/* Usually the udev rule has set it; we may lack permission. */
static int choose_trigger(int dir)
{
	char text[SYSFS_SIZE];

	if (sysfs_read_at(dir, "trigger", text, sizeof(text)) >= 0 && strstr(text, "[pattern]")) {
		return 0;
	}
	return sysfs_write_at(dir, "trigger", "pattern");
}

static int show_one(const char *root, enum led led, enum led_pattern pattern)
{
	const struct level *levels = patterns[pattern].levels[led];
	char path[PATH_MAX], text[32];
	int dir __cleanup(close_fd) = -1;
	int64_t max = 1;
	int ret;

	snprintf(path, sizeof(path), "%s/class/leds/%s", root, folders[led]);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		return -errno;
	}
	if (sysfs_read_at(dir, "max_brightness", text, sizeof(text)) < 0 ||
	    sysfs_int(text, &max) < 0 || max < 1 || max > 255) {
		max = 1;
	}
	ret = choose_trigger(dir);
	return ret < 0 ? ret : write_pattern(dir, levels, patterns[pattern].once, max);
}

int leds_show(struct leds *leds, enum policy_show show)
{
	int result = 0;

	/* Green first: its start-up pattern begins with a pause for the red blink. */
	for (int i = 0; i < LED_COUNT; i++) {
		enum led_pattern pattern = shows[show][i];
		int ret;

		if (leds->shown[i] == pattern) {
			continue;
		}
		ret = show_one(leds->root, i, pattern);
		if (ret < 0) {
			/* The LED, or its trigger, may appear a moment after the driver. */
			if (++leds->failures[i] == LEDS_FAILURES) {
				log_warning("LED %s: %s", folders[i],
					    ret == -EINVAL ? "no pattern trigger" : strerror(-ret));
			}
			result = ret;
			continue;
		}
		leds->failures[i] = 0;
		leds->shown[i] = pattern;
	}
	return result;
}
