/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is an alarm. Pure: rules take what is known of a site and give findings; the difference of
 * the findings and the open alarms gives what begins and what ends.
 */
#ifndef EMAD_WATCH_H
#define EMAD_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report.h"

enum watch_severity {
	WATCH_INFO,
	WATCH_WARNING,
	WATCH_ALARM,
};

const char *watch_severity_name(enum watch_severity severity);

/* The severity of a name, or -ENOENT. */
int watch_severity_find(const char *name);

/*
 * Rules. Columns: identifier, name, severity, usual threshold, its unit, smallest and largest,
 * usual delay in minutes, title, what it means, what to do.
 */
/* clang-format off */
#define WATCH_RULES(X) \
	X(NO_DATA, "no-data", WARNING, 60, "min", 10, 10080, 0, "No data", \
	  "The site has been silent by day for longer than the threshold; at night it may be silent for " \
	  "26 h.", \
	  "Check that the ECU has power and that its network reaches this service.") \
	X(UNIT_SILENT, "unit-silent", WARNING, 120, "min", 15, 10080, 0, "Inverter does not report", \
	  "One inverter is silent while others of the site produce.", \
	  "Check its AC breaker; move the ECU closer, or check the wiring of its branch.") \
	X(GROUND_FAULT, "ground-fault", ALARM, 0, "", 0, 0, 0, "Ground fault", \
	  "An inverter reports a ground fault (GFDI) and has stopped.", \
	  "Have the modules, connectors and cables of this inverter checked, then clear the fault.") \
	X(GRID_TRIPS, "grid-trips", WARNING, 3, "trips in an hour", 2, 100, 0, "Grid trips", \
	  "Inverters of the site have left the grid several times within an hour: voltage, frequency or an " \
	  "island.", \
	  "Ask the utility about the grid; have the service drop and the connections measured.") \
	X(FAULT, "fault", WARNING, 0, "", 0, 0, 15, "Inverter fault", \
	  "An inverter reports a fault that is neither of the grid nor a ground fault.", \
	  "Follow the troubleshooting chapter of the manual for the fault that the inverter page names.") \
	X(MODULE_LOW, "module-low", WARNING, 15, "%", 5, 90, 0, "Module below its neighbours", \
	  "A module has given less energy than its neighbours by more than the threshold for three days.", \
	  "Look for shade, dirt, a loose connector or a damaged module.") \
	X(HOT, "hot", WARNING, 75, "degC", 50, 100, 15, "Inverter hot", \
	  "An inverter is hotter than the threshold.", \
	  "Check that air can pass below the modules and above the inverter.") \
	X(CLOCK, "clock", WARNING, 120, "s", 10, 86400, 15, "Clock of the ECU is off", \
	  "The ECU's clock differs from this service's; times of its reports are corrected.", \
	  "Check the ECU's network time, and its battery if it has one.") \
	X(ENERGY_FALLS, "energy-falls", ALARM, 0, "", 0, 0, 0, "Energy counter falls", \
	  "An energy counter of an inverter has gone backwards; nothing is counted for that time.", \
	  "Check whether the inverter was exchanged without a replacement order.") \
	X(CONFLICT, "conflict", ALARM, 0, "", 0, 0, 0, "ECU sends contradictory data", \
	  "A batch came with the number of one that is stored, and with other contents.", \
	  "Check whether two ECUs have the same identity, or an ECU was restored from a backup.")
/* clang-format on */

enum watch_rule {
#define X(id, ...) WATCH_##id,
	WATCH_RULES(X)
#undef X
		WATCH_RULE_COUNT
};

struct watch_rule_info {
	const char *name;
	enum watch_severity severity;
	double threshold;
	const char *unit;
	double min;
	double max;
	int delay_min;
	const char *title;
	const char *meaning;
	const char *advice;
};

extern const struct watch_rule_info watch_rules[WATCH_RULE_COUNT];

/* The rule of a name, or -ENOENT. */
int watch_rule_find(const char *name);

/**
 * struct watch_setting - a rule as a tenant has set it
 */
struct watch_setting {
	bool enabled;
	double threshold;
	int delay_min;
};

/* The usual settings. */
void watch_defaults(struct watch_setting settings[WATCH_RULE_COUNT]);

#define WATCH_DAYS 24

/**
 * struct watch_unit - what is known of an inverter
 * @newest: its newest report
 * @energy_falls: a counter was lower than the day before
 * @low: inputs whose alarm MODULE_LOW is open, one bit each, from bit 0
 * @energy_wh: energy of each input in each of the last WATCH_DAYS complete local days, the newest
 *             first; NAN where it is unknown
 */
struct watch_unit {
	struct report newest;
	bool energy_falls;
	uint8_t low;
	float energy_wh[WATCH_DAYS][REPORT_INPUTS];
};

/**
 * struct watch_site - what is known of a site
 * @now_s: time
 * @last_s: newest report of the site, 0 for none
 * @contact_s: last request of an ECU, 0 for none
 * @local_s: seconds since local midnight
 * @clock_offset_s: of the ECU that is off most
 * @trips: events of leaving the grid in the last hour
 * @conflicts: contradictory batches in the last day
 */
struct watch_site {
	int64_t now_s;
	int64_t last_s;
	int64_t contact_s;
	int local_s;
	int64_t clock_offset_s;
	int trips;
	int conflicts;
	const struct watch_unit *unit;
	size_t units;
};

/**
 * struct watch_finding - a condition that holds
 * @serial, @input: what it concerns; 0 for the site or the whole inverter
 */
struct watch_finding {
	enum watch_rule rule;
	uint64_t serial;
	int input;
	char text[160];
};

/**
 * watch_find() - all conditions that hold
 * @modules: compare modules with their neighbours too, which changes once a day
 * @findings: room for @max
 *
 * Return: their number.
 */
size_t watch_find(const struct watch_site *site,
		  const struct watch_setting settings[WATCH_RULE_COUNT], bool modules,
		  struct watch_finding *findings, size_t max);

/**
 * watch_module_deviation() - how far a module is below its neighbours
 * @unit, @units: of the site
 * @which, @input: the module
 * @ret_sigma: spread of the site's modules, in the same measure
 *
 * The method: a day counts when the median module gave at least WATCH_SUN_WH. For each such day
 * x is the logarithm of a module's energy over the median of all modules of the site. The module's
 * deviation is the median of x over its last three such days, less its own usual x, the median over
 * the earlier ones, of which it needs five. The usual value excuses at most 5 %: a module that was
 * bad from the beginning is found too, and one that stays bad is not forgotten. An alarm ends at
 * half the threshold. The spread is 1.4826 times the median absolute deviation of x over the
 * modules, at least 1 %. Comparison with peers instead of measured irradiance: J. Leloux et al.,
 * "Automatic fault detection on BIPV systems without solar irradiation data", 29th EU PVSEC, 2014.
 * Median and median absolute deviation instead of mean and standard deviation: C. Leys et al., J.
 * Exp. Social Psychology 49 (2013) 764.
 *
 * Return: ln of the ratio, negative for less energy; NAN when there are less than three days or
 * four modules.
 */
#define WATCH_SUN_WH 150.0
double watch_module_deviation(const struct watch_unit *unit, size_t units, size_t which, int input,
			      double *ret_sigma);

/* How many of the spreads a finding needs. */
#define WATCH_SIGMAS 4.0

/**
 * struct watch_open - an alarm that has not ended
 * @since_s: when its condition was first seen
 * @begun: it is an alarm; before that its delay runs
 */
struct watch_open {
	int64_t id;
	enum watch_rule rule;
	uint64_t serial;
	int input;
	int64_t since_s;
	bool begun;
};

enum watch_action_kind {
	WATCH_PEND,  /* new condition, whose delay begins */
	WATCH_BEGIN, /* it is an alarm now */
	WATCH_END,
	WATCH_FORGET, /* the condition ended within the delay */
};

/**
 * struct watch_action - what to do
 * @finding: index, for WATCH_PEND and WATCH_BEGIN
 * @open: index, -1 for one that is new
 */
struct watch_action {
	enum watch_action_kind kind;
	int finding;
	int open;
};

/**
 * watch_diff() - from findings to actions
 * @actions: room for @findings_n + @open_n
 *
 * A finding with a delay of 0 begins at once.
 *
 * Return: their number.
 */
size_t watch_diff(const struct watch_finding *findings, size_t findings_n,
		  const struct watch_open *open, size_t open_n,
		  const struct watch_setting settings[WATCH_RULE_COUNT], int64_t now_s,
		  struct watch_action *actions);

/**
 * watch_quiet() - may a message not be sent now?
 * @from_min, @to_min: quiet hours, minutes since local midnight, over midnight too; -1 for none
 * @local_min: now
 */
bool watch_quiet(int from_min, int to_min, int local_min);

#endif /* EMAD_WATCH_H */
