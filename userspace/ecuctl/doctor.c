// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doctor: what is wrong with which inverter, and whether it is the inverter or its link.
 * Chapter 6.2 of the installation manual knows four pictures: no data, erratic data, 0 or 2 W, and
 * data unlike the neighbours'. Without data the LED decides, so doctor asks for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/util.h"
#include "commands.h"

/* A module gives at most 2 W, where others give more than 30 W: it is not connected, or in shade.
 */
#define NOTHING_W 2
#define SUN_W 30
#define INPUTS 4
/* Less than this share of the median of its neighbours. */
#define UNLIKE 0.5
/* More than this share of polls without an answer, after as many polls. */
#define ERRATIC 0.2
#define ERRATIC_POLLS 20

/* What an inverter without data shows. Columns: word, what it means. */
static const struct {
	const char *word;
	const char *meaning;
} leds[] = {
	{ "off",
	  "the inverter has no power: check the DC connectors, the module voltage (above 22 V) "
	  "and the AC cable; if both are right, it is defective" },
	{ "red", "ground fault: measure the insulation of the modules before you clear it" },
	{ "red-flashing",
	  "no grid at the inverter, or voltage or frequency out of range: check the AC "
	  "cable and the breaker" },
	{ "green-10s",
	  "the inverter produces and hears a gateway: check that it is paired with this "
	  "one" },
	{ "green-2s",
	  "the inverter produces and hears no gateway, so the link is the problem: move the "
	  "gateway's radio nearer, or away from metal" },
};

static const char *text_of(struct json_object *object, const char *path)
{
	const char *text = json_object_get_string(member(object, path));

	return text ? text : "";
}

static bool has_number(struct json_object *object, const char *path)
{
	return json_object_get_type(member(object, path)) != json_type_null;
}

static double number_of(struct json_object *object, const char *path)
{
	return json_object_get_double(member(object, path));
}

/**
 * struct patient - an inverter and what it is compared with
 * @median_w: of all modules of the site; 0 for none
 * @led: word of the command line or the answer; "" for none
 */
struct patient {
	struct json_object *inverter;
	double median_w;
	const char *led;
};

/* Each finding writes its text and returns whether it applies. */

/* In daylight it does not report, or has never reported. */
static bool is_silent(struct json_object *inverter)
{
	const char *link = text_of(inverter, "link.state");

	return !strcmp(link, "lost") || !strcmp(link, "new");
}

static bool no_data(const struct patient *patient, char *text, size_t size)
{
	if (!is_silent(patient->inverter)) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(leds); i++) {
		if (!strcmp(leds[i].word, patient->led)) {
			snprintf(text, size, "no data, LED %s: %s", leds[i].word, leds[i].meaning);
			return true;
		}
	}
	snprintf(text, size,
		 "no data: look at the LED, and call 'ecuctl doctor SERIAL LED' with off, red, "
		 "red-flashing, green-10s or green-2s");
	return true;
}

static bool ground_fault(const struct patient *patient, char *text, size_t size)
{
	struct json_object *faults = member(patient->inverter, "faults");

	for (size_t i = 0; i < json_object_array_length(faults); i++) {
		struct json_object *fault = json_object_array_get_idx(faults, i);

		if (json_object_get_boolean(member(fault, "latched"))) {
			snprintf(text, size, "%s: %s", text_of(fault, "text"),
				 text_of(fault, "advice"));
			return true;
		}
	}
	return false;
}

static bool erratic(const struct patient *patient, char *text, size_t size)
{
	double polls = number_of(patient->inverter, "link.polls");
	double lost = number_of(patient->inverter, "link.timeouts");

	if (polls < ERRATIC_POLLS || lost / polls < ERRATIC) {
		return false;
	}
	snprintf(
		text, size,
		"erratic data: %.0f %% of the requests have no answer; the link is the problem: move "
		"the gateway's radio, and look for another sender on its channel",
		100 * lost / polls);
	return true;
}

/* The module with the least power, from 1. */
static int weakest(const struct patient *patient, double *ret_w)
{
	struct json_object *channels = member(patient->inverter, "channels");
	int found = 0;

	for (size_t i = 0; i < json_object_array_length(channels); i++) {
		struct json_object *channel = json_object_array_get_idx(channels, i);
		double w = number_of(channel, "dc_power");

		if (has_number(channel, "dc_power") && (!found || w < *ret_w)) {
			found = json_object_get_int(member(channel, "channel"));
			*ret_w = w;
		}
	}
	return found;
}

/* The limit is so low that no input shows the available power of its module. */
static bool is_held_down(struct json_object *inverter)
{
	return has_number(inverter, "limit.desired_w") &&
	       number_of(inverter, "limit.desired_w") < INPUTS * SUN_W;
}

static bool no_power(const struct patient *patient, char *text, size_t size)
{
	double w = 0;
	int channel = weakest(patient, &w);

	if (!channel || w > NOTHING_W || patient->median_w < SUN_W ||
	    is_held_down(patient->inverter)) {
		return false;
	}
	snprintf(
		text, size,
		"input %d gives %.0f W where others give %.0f W: exchange its module with that of a "
		"good input; if the fault moves along, it is the module, otherwise the inverter",
		channel, w, patient->median_w);
	return true;
}

static bool unlike(const struct patient *patient, char *text, size_t size)
{
	double w = 0;
	int channel = weakest(patient, &w);

	if (!channel || patient->median_w < SUN_W || w >= UNLIKE * patient->median_w ||
	    has_number(patient->inverter, "limit.desired_w")) {
		return false;
	}
	snprintf(
		text, size,
		"input %d gives %.0f W, the median of all modules is %.0f W: look for shade, dirt and "
		"a loose connector",
		channel, w, patient->median_w);
	return true;
}

static bool unconfirmed(const struct patient *patient, char *text, size_t size)
{
	if (strcmp(text_of(patient->inverter, "limit.confirm"), "unconfirmed")) {
		return false;
	}
	snprintf(text, size, "its limit is not confirmed: the inverter may produce more");
	return true;
}

/* In this order; the first that applies is shown. */
static bool (*const findings[])(const struct patient *patient, char *text, size_t size) = {
	no_data, ground_fault, erratic, no_power, unlike, unconfirmed,
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median power of the modules of all inverters without a limit. */
static double median_of(struct json_object *inverters)
{
	double w[INPUTS * 254];
	size_t count = 0;

	for (size_t i = 0; i < json_object_array_length(inverters); i++) {
		struct json_object *inverter = json_object_array_get_idx(inverters, i);
		struct json_object *channels = member(inverter, "channels");

		for (size_t n = 0; n < json_object_array_length(channels); n++) {
			struct json_object *channel = json_object_array_get_idx(channels, n);

			if (count < ARRAY_SIZE(w) && has_number(channel, "dc_power") &&
			    !has_number(inverter, "limit.desired_w")) {
				w[count++] = number_of(channel, "dc_power");
			}
		}
	}
	qsort(w, count, sizeof(w[0]), compare);
	return count ? w[count / 2] : 0;
}

/* On a terminal, ask what the LED of an inverter without data shows. */
static const char *ask_led(const char *serial, char *answer, size_t size)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		return "";
	}
	fprintf(stderr,
		"%s: no data. What does its LED show (off, red, red-flashing, green-10s, green-2s)? ",
		serial);
	if (!fgets(answer, size, stdin)) {
		return "";
	}
	answer[strcspn(answer, "\n")] = '\0';
	return answer;
}

static const char *led_of(const struct context *context, struct json_object *inverter, char *answer,
			  size_t size)
{
	const char *serial = text_of(inverter, "serial");

	if (context->argc == 2 && !strcmp(context->argv[0], serial)) {
		return context->argv[1];
	}
	return is_silent(inverter) ? ask_led(serial, answer, size) : "";
}

/* Write what is wrong with the site itself. Return the number of findings. */
static int examine_site(struct writer *writer, struct json_object *status)
{
	static const struct {
		const char *path;
		const char *text;
	} parts[] = {
		{ "radio.up", "the radio does not answer: check its cable and the port in "
			      "ecud.conf" },
		{ "store.ok", "the database does not work: check the free space and the storage "
			      "card" },
	};
	int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!json_object_get_boolean(member(status, parts[i].path))) {
			writer_string(writer, parts[i].path, "gateway", parts[i].text);
			found++;
		}
	}
	if (has_number(status, "radio.foreign_pan")) {
		writer_string(writer, "foreign", "gateway",
			      "another gateway is on this channel: use another channel");
		found++;
	}
	return found;
}

static int examine(struct writer *writer, struct context *context, struct json_object *inverters)
{
	double median_w = median_of(inverters);
	char text[400], answer[32];
	int found = 0;

	for (size_t i = 0; i < json_object_array_length(inverters); i++) {
		struct json_object *inverter = json_object_array_get_idx(inverters, i);
		struct patient patient = {
			.inverter = inverter,
			.median_w = median_w,
			.led = led_of(context, inverter, answer, sizeof(answer)),
		};

		for (size_t n = 0; n < ARRAY_SIZE(findings); n++) {
			if (findings[n](&patient, text, sizeof(text))) {
				writer_string(writer, text_of(inverter, "serial"),
					      text_of(inverter, "serial"), text);
				found++;
				break;
			}
		}
	}
	return found;
}

int command_doctor(struct context *context)
{
	struct json_object *status __cleanup(put_json) = NULL;
	struct json_object *reply __cleanup(put_json) = NULL;
	struct writer *writer;
	int found, ret;

	if (context->argc != 0 && context->argc != 2) {
		return -E2BIG;
	}
	ret = get(context, "/status", &status);
	ret = ret < 0 ? ret : get(context, "/inverters", &reply);
	if (ret < 0) {
		return ret;
	}
	writer = writer_new(context->format, stdout);
	if (!writer) {
		return -ENOMEM;
	}
	writer_object(writer, "findings", "", WRITER_LINES);
	found = examine_site(writer, status);
	found += examine(writer, context, member(reply, "inverters"));
	writer_end(writer);
	if (!found) {
		writer_string(writer, "result", "doctor", "found no problem");
	}
	ret = writer_finish(writer);
	snprintf(context->err, sizeof(context->err), "%d found", found);
	return ret < 0 ? ret : found ? -ECANCELED : 0;
}
