// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/names.h"
#include "../lib/util.h"
#include "../service/http.h"
#include "rest.h"

#define TOTAL "_total"

/**
 * struct output - where metrics go
 * @open: in OpenMetrics
 */
struct output {
	FILE *file;
	bool open;
	const struct snapshot *snapshot;
};

bool metrics_wants_open(const char *accept)
{
	return accept && strstr(accept, "application/openmetrics-text");
}

/* Is it a counter, by its name? */
static bool is_counter(const char *metric)
{
	size_t n = strlen(metric);

	return n > strlen(TOTAL) && !strcmp(metric + n - strlen(TOTAL), TOTAL);
}

/* HELP and TYPE. The family of a counter has no _total in OpenMetrics. */
static void head(const struct output *out, const char *metric, const char *help)
{
	int length = strlen(metric);
	bool counter = is_counter(metric);

	if (counter && out->open) {
		length -= strlen(TOTAL);
	}
	fprintf(out->file, "# HELP %.*s %s\n# TYPE %.*s %s\n", length, metric, help, length, metric,
		counter ? "counter" : "gauge");
}

/* A label's value with its quotes; backslash, quote and newline are escaped. */
static void put_label(FILE *file, const char *name, const char *value, bool first)
{
	fprintf(file, "%s%s=\"", first ? "{" : ",", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", file);
		} else {
			fprintf(file, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
		}
	}
	fputc('"', file);
}

/* A sample; an absent value gives none. */
static void sample(const struct output *out, const char *metric, const struct model_unit *unit,
		   const char *label, const char *label_value, double value, int decimals)
{
	char serial[SERIAL_TEXT_SIZE];

	if (isnan(value)) {
		return;
	}
	fputs(metric, out->file);
	if (unit) {
		put_label(out->file, "serial", serial_format(serial, &unit->serial), true);
		put_label(out->file, "name", unit->name, false);
	}
	if (label) {
		put_label(out->file, label, label_value, !unit);
	}
	if (isinf(value)) {
		fprintf(out->file, "%s %cInf\n", unit || label ? "}" : "", value > 0 ? '+' : '-');
	} else {
		fprintf(out->file, "%s %.*f\n", unit || label ? "}" : "", decimals, value);
	}
}

/* Prometheus asks for base units. */
static double in_base_unit(const struct reading_desc *desc, double value)
{
	return strcmp(desc->unit, "Wh") ? value : value * 3600;
}

/* All samples of a reading. */
static void write_reading(const struct output *out, enum reading_id id)
{
	const struct reading_desc *desc = &model_reading[id];
	const struct snapshot *snapshot = out->snapshot;

	head(out, desc->metric, desc->help);
	if (desc->scope == SCOPE_SITE) {
		sample(out, desc->metric, NULL, NULL, NULL,
		       in_base_unit(desc, snapshot->site[id].value), desc->decimals);
		return;
	}
	for (int i = 0; i < snapshot->units; i++) {
		const struct model_unit *unit = &snapshot->unit[i];

		if (desc->scope == SCOPE_UNIT) {
			sample(out, desc->metric, unit, NULL, NULL,
			       in_base_unit(desc, unit->reading[id][0].value), desc->decimals);
			continue;
		}
		for (int channel = 0; channel < MODEL_CHANNELS; channel++) {
			char number[4];

			snprintf(number, sizeof(number), "%d", channel + 1);
			sample(out, desc->metric, unit, "channel", number,
			       in_base_unit(desc, unit->reading[id][channel].value),
			       desc->decimals);
		}
	}
}

/* Numbers of units that are no readings. Columns: metric, help, expression of unit. */
/* clang-format off */
#define UNIT_METRICS(X) \
	X("qs1_up", "1 while the inverter answers", \
	  unit->link == LINK_LIVE || unit->link == LINK_LATE) \
	X("qs1_seen_timestamp_seconds", "Time of the last reply", \
	  unit->seen_ms ? unit->seen_ms / 1e3 : (double)NAN) \
	X("qs1_polls_total", "Requests for readings", unit->counters.polls) \
	X("qs1_replies_total", "Answers", unit->counters.replies) \
	X("qs1_timeouts_total", "Requests without an answer", unit->counters.timeouts) \
	X("qs1_refused_replies_total", "Answers that did not decode", unit->counters.refused) \
	X("qs1_forged_replies_total", "Answers with a wrong seal", unit->counters.forged) \
	X("qs1_limit_desired_watts", "Lowest limit of all owners", unit->limit.desired_w) \
	X("qs1_limit_confirmed", "1 when the limit that was read back is the desired one", \
	  unit->limit.confirm == CONFIRM_CONFIRMED)

#define SITE_METRICS(X) \
	X("qs1_site_inverters", "Inverters of the site", snapshot->units) \
	X("qs1_site_reporting_inverters", "Inverters that have reported", snapshot->reported) \
	X("qs1_radio_up", "1 while the radio works", snapshot->radio.up) \
	X("qs1_radio_resets_total", "Resets of the radio's modem", snapshot->radio.resets) \
	X("qs1_meter_up", "1 while the meter answers", snapshot->status.meter_ok) \
	X("qs1_uplink_up", "1 while the monitoring service answers", snapshot->status.uplink_ok) \
	X("qs1_outbox_batches", "Batches that wait for the monitoring service", \
	  snapshot->status.outbox) \
	X("qs1_store_bytes", "Size of the database", snapshot->status.store_bytes) \
	X("qs1_store_damaged_rows", "Damaged rows that were set aside", \
	  snapshot->status.store_damaged) \
	X("qs1_store_up", "1 while the store works", snapshot->status.store_ok)
/* clang-format on */

static void write_units(const struct output *out)
{
	const struct snapshot *snapshot = out->snapshot;

#define X(metric, help, expression)                                                                \
	head(out, metric, help);                                                                   \
	for (int i = 0; i < snapshot->units; i++) {                                                \
		const struct model_unit *unit = &snapshot->unit[i];                                \
                                                                                                   \
		sample(out, metric, unit, NULL, NULL, expression, is_counter(metric) ? 0 : 3);     \
	}
	UNIT_METRICS(X)
#undef X
}

static void write_site(const struct output *out)
{
	const struct snapshot *snapshot = out->snapshot;

#define X(metric, help, expression)                                                                \
	head(out, metric, help);                                                                   \
	sample(out, metric, NULL, NULL, NULL, expression, 0);
	SITE_METRICS(X)
#undef X
}

static void write_states(const struct output *out)
{
	const struct snapshot *snapshot = out->snapshot;

	head(out, "qs1_state", "1 for the state that the inverter is in");
	for (int i = 0; i < snapshot->units; i++) {
		const struct model_unit *unit = &snapshot->unit[i];

		for (int state = 0; state < QS1_STATE_COUNT && unit->state >= 0; state++) {
			sample(out, "qs1_state", unit, "state", qs1_state_name(state),
			       unit->state == state, 0);
		}
	}
	head(out, "qs1_fault_latched", "1 while the fault keeps the inverter off");
	for (int i = 0; i < snapshot->units; i++) {
		const struct model_unit *unit = &snapshot->unit[i];

		for (unsigned int fault = 0; fault < QS1_FAULT_ALL_COUNT; fault++) {
			if (QS1_FAULTS_CLEARABLE & QS1_FAULT_BIT(fault)) {
				sample(out, "qs1_fault_latched", unit, "code",
				       qs1_fault_name(fault),
				       !!(unit->faults_latched & QS1_FAULT_BIT(fault)), 0);
			}
		}
	}
}

char *metrics_render(const struct snapshot *snapshot, bool open, size_t *ret_n)
{
	char *text = NULL;
	struct output out = { .open = open, .snapshot = snapshot };

	out.file = open_memstream(&text, ret_n);
	if (!out.file) {
		return NULL;
	}
	for (int id = 0; id < READING_COUNT; id++) {
		write_reading(&out, id);
	}
	write_units(&out);
	write_states(&out);
	write_site(&out);
	if (open) {
		fputs("# EOF\n", out.file);
	}
	if (fclose(out.file)) {
		free(text);
		return NULL;
	}
	return text;
}

void rest_get_metrics(struct http_request *request)
{
	struct snapshot *snapshot __cleanup(free_ptr) = snapshot_take(rest_of(request)->ecu->model);
	bool open = metrics_wants_open(http_header(request, "Accept"));
	char *text = NULL;
	size_t n = 0;

	if (snapshot) {
		text = metrics_render(snapshot, open, &n);
	}
	if (!text) {
		http_reply_errno(request, -EAGAIN, "no memory");
		return;
	}
	http_reply_take(request, 200, open ? METRICS_OPEN : METRICS_TEXT, text, n);
}
