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

/* One level: lit or not, for how long. */
struct level {
	bool on;
	int ms;
};

#define LEVELS_MAX 8

/*
 * Blinking patterns, level by level; without levels the LED is simply on or off.
 * Start-up: one short red blink, then three short green ones, in two seconds.
 */
static const struct {
	const char *name;
	bool once;
	struct level levels[LED_COUNT][LEVELS_MAX];
} patterns[LED_PATTERN_COUNT] = {
	[LED_OFF] = { .name = "off" },
	[LED_ON] = { .name = "on" },
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

static int write_int(int dir, const char *name, int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", value);
	return sysfs_write_at(dir, name, text);
}

static int write_level(int dir, int brightness)
{
	int ret = sysfs_write_at(dir, "trigger", "none");

	return ret < 0 ? ret : write_int(dir, "brightness", brightness);
}

/*
 * The pattern trigger fades from each brightness to the next in the time given;
 * a level is the same brightness twice, and no time to the next level.
 */
static int write_pattern(int dir, const struct level *levels, bool once, int max)
{
	char text[512];
	size_t used = 0;
	int ret = 0;

	/* The trigger repeats for ever, unless told otherwise ahead of the pattern. */
	if (once) {
		ret = sysfs_write_at(dir, "repeat", "1");
	}
	for (int i = 0; i < LEVELS_MAX && levels[i].ms; i++) {
		int brightness = levels[i].on ? max : 0;

		used += snprintf(text + used, sizeof(text) - used, "%s%d %d %d 0", i ? " " : "",
				 brightness, levels[i].ms, brightness);
	}
	return ret < 0 ? ret : sysfs_write_at(dir, "pattern", text);
}

/* The timer trigger can only repeat one blink. */
static int write_timer(int dir, const struct level *levels, bool once)
{
	int ret;

	if (once) {
		return write_level(dir, 0);
	}
	ret = sysfs_write_at(dir, "trigger", "timer");
	if (!ret) {
		ret = write_int(dir, "delay_on", levels[0].ms);
	}
	return ret < 0 ? ret : write_int(dir, "delay_off", levels[1].ms);
}

static int show_one(const char *root, enum led led, enum led_pattern pattern)
{
	const struct level *levels = patterns[pattern].levels[led];
	char path[PATH_MAX], text[32];
	int dir __cleanup(close_fd) = -1;
	int64_t max = 1;

	snprintf(path, sizeof(path), "%s/class/leds/%s", root, folders[led]);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		return -errno;
	}
	if (sysfs_read_at(dir, "max_brightness", text, sizeof(text)) < 0 ||
	    sysfs_int(text, &max) < 0 || max < 1 || max > 255) {
		max = 1;
	}
	if (!levels[0].ms) {
		return write_level(dir, pattern == LED_ON ? max : 0);
	}
	if (sysfs_write_at(dir, "trigger", "pattern") == 0) {
		return write_pattern(dir, levels, patterns[pattern].once, max);
	}
	return write_timer(dir, levels, patterns[pattern].once);
}

int leds_show(struct leds *leds, enum policy_show show)
{
	int result = 0;

	/* Green first: in the start-up pattern it waits for the red blink to pass. */
	for (int i = 0; i < LED_COUNT; i++) {
		enum led_pattern pattern = shows[show][i];
		int ret;

		if (leds->shown[i] == pattern) {
			continue;
		}
		ret = show_one(leds->root, i, pattern);
		if (ret < 0) {
			/* The LED, or its trigger, may come a moment after the rest. */
			if (++leds->failures[i] == LEDS_FAILURES) {
				log_warning("LED %s: %s", folders[i],
					    ret == -EINVAL ? "no pattern nor timer trigger"
							   : strerror(-ret));
			}
			result = ret;
			continue;
		}
		leds->failures[i] = 0;
		leds->shown[i] = pattern;
	}
	return result;
}
