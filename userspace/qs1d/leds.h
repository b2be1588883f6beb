/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two LEDs, through the LED class; the kernel's pattern trigger blinks them.
 * When the daemon has crashed or was stopped, the driver takes over the lines and shows
 * "not producing", see driver/gpio.c.
 */
#ifndef QS1D_LEDS_H
#define QS1D_LEDS_H

#include <stdbool.h>

#include "../policy/policy.h"

enum led {
	LED_GREEN,
	LED_RED,
	LED_COUNT,
};

enum led_pattern {
	LED_OFF,
	LED_ON,
	LED_BLINK,
	LED_EVERY_2S,
	LED_EVERY_10S,
	LED_STARTUP,
	LED_PATTERN_COUNT,
};

/* After so many failures in a row a missing LED is logged. */
#define LEDS_FAILURES 100

/**
 * struct leds - the LEDs and what they show
 * @root: where sysfs is mounted
 * @shown: last pattern of each LED, LED_PATTERN_COUNT for none
 * @failures: how often in a row it could not be set; reported once
 */
struct leds {
	const char *root;
	enum led_pattern shown[LED_COUNT];
	unsigned int failures[LED_COUNT];
};

void leds_init(struct leds *leds, const char *root);

/* Write the patterns again at the next leds_show(): the driver was bound again. */
void leds_forget(struct leds *leds);

/**
 * leds_show() - write the patterns that have changed, or failed before
 *
 * Return: 0, or the negative errno of an LED that could not be set.
 */
int leds_show(struct leds *leds, enum policy_show show);

/* The pattern of an LED for @show, and the name of a pattern. */
enum led_pattern leds_pattern(enum policy_show show, enum led led);
const char *led_pattern_name(enum led_pattern pattern);

#endif /* QS1D_LEDS_H */
