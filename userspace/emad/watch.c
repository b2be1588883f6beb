// SPDX-License-Identifier: GPL-2.0-or-later
/* What is an alarm, see watch.h. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <qs1/codes.h>

#include "util.h"
#include "watch.h"

/* By day means from 9 to 16 h: the sun is up in every season south of 60 degrees. */
#define DAY_FROM_S (9 * 3600)
#define DAY_TO_S (16 * 3600)
#define NIGHT_MAX_S (26 * 3600)
#define FRESH_S 1800
#define RECENT_DAYS 3
#define USUAL_DAYS_MIN 5
#define MODULES_MIN 4
#define EXCUSED 0.05
/* An open alarm ends at this part of the threshold. */
#define HYSTERESIS 0.5
#define SIGMA_MIN 0.01
#define MAD_TO_SIGMA 1.4826
/* ln of a module without any energy: far below every threshold. */
#define NOTHING (-5.0)
#define MODULES_MAX 1024

const struct watch_rule_info watch_rules[WATCH_RULE_COUNT] = {
#define X(id, name, severity, threshold, unit, min, max, delay, title, meaning, advice)            \
	{ name, WATCH_##severity, threshold, unit, min, max, delay, title, meaning, advice },
	WATCH_RULES(X)
#undef X
};

static const char *const severities[] = { "info", "warning", "alarm" };

const char *watch_severity_name(enum watch_severity severity)
{
	return severities[severity];
}

int watch_severity_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(severities); i++) {
		if (strcmp(severities[i], name) == 0) {
			return (int)i;
		}
	}
	return -ENOENT;
}

int watch_rule_find(const char *name)
{
	for (int i = 0; i < WATCH_RULE_COUNT; i++) {
		if (strcmp(watch_rules[i].name, name) == 0) {
			return i;
		}
	}
	return -ENOENT;
}

void watch_defaults(struct watch_setting settings[WATCH_RULE_COUNT])
{
	for (int i = 0; i < WATCH_RULE_COUNT; i++) {
		settings[i] = (struct watch_setting){ true, watch_rules[i].threshold,
						      watch_rules[i].delay_min };
	}
}

/* ---- neighbours ---- */

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts @values; NAN for none. */
static double median(double *values, size_t n)
{
	if (n == 0) {
		return NAN;
	}
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Median energy of all modules on a day; NAN on a day without sun or with too few modules. */
static double day_median(const struct watch_unit *unit, size_t units, int day)
{
	double values[MODULES_MAX];
	size_t n = 0;
	double energy;

	for (size_t i = 0; i < units; i++) {
		for (int input = 0; input < REPORT_INPUTS && n < MODULES_MAX; input++) {
			if (isfinite(unit[i].energy_wh[day][input])) {
				values[n++] = unit[i].energy_wh[day][input];
			}
		}
	}
	energy = median(values, n);
	return n >= MODULES_MIN && energy >= WATCH_SUN_WH ? energy : NAN;
}

/* ln of a module's share of the median; NAN where either is unknown. */
static double share(const struct watch_unit *unit, int day, int input, double energy)
{
	double own = unit->energy_wh[day][input];

	if (!isfinite(own) || !isfinite(energy)) {
		return NAN;
	}
	return own > 0 ? fmax(log(own / energy), NOTHING) : NOTHING;
}

static double deviation(const struct watch_unit *unit, int input, const double medians[WATCH_DAYS])
{
	double recent[RECENT_DAYS];
	double usual[WATCH_DAYS];
	size_t recent_n = 0;
	size_t usual_n = 0;
	double excuse = 0;

	for (int day = 0; day < WATCH_DAYS; day++) {
		double x = share(unit, day, input, medians[day]);

		if (!isfinite(x)) {
			continue;
		}
		if (recent_n < RECENT_DAYS) {
			recent[recent_n++] = x;
		} else {
			usual[usual_n++] = x;
		}
	}
	if (recent_n < RECENT_DAYS) {
		return NAN;
	}
	if (usual_n >= USUAL_DAYS_MIN) {
		excuse = fmin(fmax(median(usual, usual_n), -EXCUSED), EXCUSED);
	}
	return median(recent, recent_n) - excuse;
}

static void all_medians(const struct watch_unit *unit, size_t units, double medians[WATCH_DAYS])
{
	for (int day = 0; day < WATCH_DAYS; day++) {
		medians[day] = day_median(unit, units, day);
	}
}

static double spread(const struct watch_unit *unit, size_t units, const double medians[WATCH_DAYS])
{
	double values[MODULES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < units; i++) {
		for (int input = 0; input < REPORT_INPUTS && n < MODULES_MAX; input++) {
			double x = deviation(&unit[i], input, medians);

			if (isfinite(x)) {
				values[n++] = fabs(x);
			}
		}
	}
	return n ? fmax(MAD_TO_SIGMA * median(values, n), SIGMA_MIN) : SIGMA_MIN;
}

double watch_module_deviation(const struct watch_unit *unit, size_t units, size_t which, int input,
			      double *ret_sigma)
{
	double medians[WATCH_DAYS];

	all_medians(unit, units, medians);
	*ret_sigma = spread(unit, units, medians);
	return deviation(&unit[which], input, medians);
}

/* ---- findings ---- */

struct list {
	struct watch_finding *finding;
	size_t n;
	size_t max;
	const struct watch_setting *settings;
};

static void found(struct list *list, enum watch_rule rule, uint64_t serial, int input,
		  const char *format, ...) __printf(5, 6);

static void found(struct list *list, enum watch_rule rule, uint64_t serial, int input,
		  const char *format, ...)
{
	struct watch_finding *finding = &list->finding[list->n];
	va_list arguments;

	if (list->n == list->max || !list->settings[rule].enabled) {
		return;
	}
	*finding = (struct watch_finding){ .rule = rule, .serial = serial, .input = input };
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	list->n++;
}

static bool by_day(const struct watch_site *site)
{
	return site->local_s >= DAY_FROM_S && site->local_s < DAY_TO_S;
}

static void find_silence(const struct watch_site *site, struct list *list)
{
	/* An ECU that has contact and no reports has silent inverters, not a silent site. */
	int64_t last_s = site->contact_s > site->last_s ? site->contact_s : site->last_s;
	int64_t silent_s = site->now_s - last_s;
	double threshold_s = list->settings[WATCH_NO_DATA].threshold * 60;

	if (last_s > 0 && (silent_s > NIGHT_MAX_S || (by_day(site) && silent_s > threshold_s))) {
		found(list, WATCH_NO_DATA, 0, 0, "no data for %" PRId64 " min", silent_s / 60);
	}
}

static bool any_produces(const struct watch_site *site)
{
	for (size_t i = 0; i < site->units; i++) {
		if (site->now_s - site->unit[i].newest.time_s < FRESH_S &&
		    site->unit[i].newest.value[REPORT_POWER] > 0) {
			return true;
		}
	}
	return false;
}

static void find_in_unit(const struct watch_site *site, const struct watch_unit *unit,
			 struct list *list)
{
	const struct report *newest = &unit->newest;
	int64_t age_s = site->now_s - newest->time_s;
	int64_t faults = newest->value[REPORT_FAULTS];
	double temperature = report_get(newest, REPORT_TEMPERATURE);

	if (by_day(site) && any_produces(site) &&
	    (double)age_s > list->settings[WATCH_UNIT_SILENT].threshold * 60) {
		found(list, WATCH_UNIT_SILENT, newest->serial, 0, "no report for %" PRId64 " min",
		      age_s / 60);
	}
	if (faults != REPORT_ABSENT && (faults & QS1_FAULT_BIT(QS1_FAULT_GFDI))) {
		found(list, WATCH_GROUND_FAULT, newest->serial, 0, "ground fault");
	}
	if (faults != REPORT_ABSENT &&
	    (faults &
	     ~(int64_t)(QS1_FAULTS_GRID | QS1_FAULT_BIT(QS1_FAULT_GFDI) |
			QS1_FAULT_BIT(QS1_FAULT_SHUTDOWN) | QS1_FAULT_BIT(QS1_FAULT_NIGHT)))) {
		found(list, WATCH_FAULT, newest->serial, 0, "faults 0x%" PRIx64, faults);
	}
	if (age_s < FRESH_S && temperature > list->settings[WATCH_HOT].threshold) {
		found(list, WATCH_HOT, newest->serial, 0, "%.0f degrees C", temperature);
	}
	if (unit->energy_falls) {
		found(list, WATCH_ENERGY_FALLS, newest->serial, 0, "energy counter has fallen");
	}
}

static void find_modules(const struct watch_site *site, struct list *list)
{
	double limit = log(1 - list->settings[WATCH_MODULE_LOW].threshold / 100);
	double medians[WATCH_DAYS];
	double sigma;

	all_medians(site->unit, site->units, medians);
	sigma = spread(site->unit, site->units, medians);
	for (size_t i = 0; i < site->units; i++) {
		for (int input = 0; input < REPORT_INPUTS; input++) {
			double x = deviation(&site->unit[i], input, medians);
			double part = site->unit[i].low >> input & 1 ? HYSTERESIS : 1;

			if (x < limit * part && x < -WATCH_SIGMAS * sigma * part) {
				found(list, WATCH_MODULE_LOW, site->unit[i].newest.serial,
				      input + 1, "input %d gives %.0f %% less than its neighbours",
				      input + 1, 100 * (1 - exp(x)));
			}
		}
	}
}

size_t watch_find(const struct watch_site *site,
		  const struct watch_setting settings[WATCH_RULE_COUNT], bool modules,
		  struct watch_finding *findings, size_t max)
{
	struct list list = { findings, 0, max, settings };

	find_silence(site, &list);
	if (site->trips >= settings[WATCH_GRID_TRIPS].threshold) {
		found(&list, WATCH_GRID_TRIPS, 0, 0, "%d trips within an hour", site->trips);
	}
	if (fabs((double)site->clock_offset_s) > settings[WATCH_CLOCK].threshold) {
		found(&list, WATCH_CLOCK, 0, 0, "clock of the ECU is off by %" PRId64 " s",
		      site->clock_offset_s);
	}
	if (site->conflicts > 0) {
		found(&list, WATCH_CONFLICT, 0, 0, "%d contradictory batches", site->conflicts);
	}
	for (size_t i = 0; i < site->units; i++) {
		find_in_unit(site, &site->unit[i], &list);
	}
	if (modules) {
		find_modules(site, &list);
	}
	return list.n;
}

/* ---- from findings to actions ---- */

static bool same(const struct watch_finding *finding, const struct watch_open *open)
{
	return finding->rule == open->rule && finding->serial == open->serial &&
	       finding->input == open->input;
}

static int find_open(const struct watch_finding *finding, const struct watch_open *open,
		     size_t open_n)
{
	for (size_t i = 0; i < open_n; i++) {
		if (same(finding, &open[i])) {
			return (int)i;
		}
	}
	return -1;
}

size_t watch_diff(const struct watch_finding *findings, size_t findings_n,
		  const struct watch_open *open, size_t open_n,
		  const struct watch_setting settings[WATCH_RULE_COUNT], int64_t now_s,
		  struct watch_action *actions)
{
	size_t n = 0;

	for (size_t i = 0; i < findings_n; i++) {
		int at = find_open(&findings[i], open, open_n);
		int64_t since_s = at < 0 ? now_s : open[at].since_s;
		bool due = now_s - since_s >= settings[findings[i].rule].delay_min * 60;

		if (at >= 0 && open[at].begun) {
			continue;
		}
		if (due || at < 0) {
			actions[n++] =
				(struct watch_action){ due ? WATCH_BEGIN : WATCH_PEND, (int)i, at };
		}
	}
	for (size_t i = 0; i < open_n; i++) {
		size_t j = 0;

		while (j < findings_n && !same(&findings[j], &open[i])) {
			j++;
		}
		if (j == findings_n) {
			actions[n++] =
				(struct watch_action){ open[i].begun ? WATCH_END : WATCH_FORGET, -1,
						       (int)i };
		}
	}
	return n;
}

bool watch_quiet(int from_min, int to_min, int local_min)
{
	if (from_min < 0 || to_min < 0 || from_min == to_min) {
		return false;
	}
	return from_min < to_min ? local_min >= from_min && local_min < to_min
				 : local_min >= from_min || local_min < to_min;
}
