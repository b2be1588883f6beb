// SPDX-License-Identifier: GPL-2.0-or-later
/* Roll-ups of a day, see rollup.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rollup.h"

#define GAP_MAX_S 3600

static void put(struct rollup *rollup, int64_t quarter, int input, int64_t energy)
{
	int64_t *at;

	if (quarter < 0 || quarter >= ROLLUP_QUARTERS) {
		return;
	}
	at = &rollup->quarter[quarter][input];
	*at = (*at == REPORT_ABSENT ? 0 : *at) + energy;
}

/* Energy of a pair of reports, by the quarters that it crosses. The rest of each division stays
 * for the next part, so that the sum is exact. */
static void spread(struct rollup *rollup, int input, int64_t from_s, int64_t to_s, int64_t energy)
{
	int64_t total_s = to_s - from_s;
	int64_t given = 0;

	for (int64_t at = from_s; at < to_s;) {
		int64_t quarter = (at - rollup->begin_s) / ROLLUP_QUARTER_S;
		int64_t end = rollup->begin_s + (quarter + 1) * ROLLUP_QUARTER_S;
		int64_t until = end < to_s ? end : to_s;
		int64_t part =
			(int64_t)((double)energy * (double)(until - from_s) / (double)total_s) -
			given;

		if (until == to_s) {
			part = energy - given;
		}
		put(rollup, quarter, input, part);
		given += part;
		at = until;
	}
}

static void derive_input(const struct report *reports, size_t n, int input, struct rollup *rollup)
{
	enum report_field field = (enum report_field)(REPORT_E1 + input);
	const struct report *before = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct report *report = &reports[i];
		int64_t energy = report->value[field];

		if (energy == REPORT_ABSENT) {
			continue;
		}
		if (!before) {
			rollup->first[input] = energy;
			put(rollup, (report->time_s - rollup->begin_s) / ROLLUP_QUARTER_S, input,
			    0);
		} else {
			int64_t gained = energy - before->value[field];

			/* Energy in a gap counts, whenever it was produced. A gap without energy
			 * may be missing reports. */
			if (gained > 0 || report->time_s - before->time_s <= GAP_MAX_S) {
				spread(rollup, input, before->time_s, report->time_s,
				       gained > 0 ? gained : 0);
			}
		}
		rollup->last[input] = energy;
		before = report;
	}
}

void rollup_day(const struct report *reports, size_t n, int64_t begin_s, struct rollup *ret)
{
	ret->peak_w = REPORT_ABSENT;
	ret->begin_s = begin_s;
	for (int input = 0; input < REPORT_INPUTS; input++) {
		ret->first[input] = REPORT_ABSENT;
		ret->last[input] = REPORT_ABSENT;
		for (int i = 0; i < ROLLUP_QUARTERS; i++) {
			ret->quarter[i][input] = REPORT_ABSENT;
		}
		derive_input(reports, n, input, ret);
	}
	for (size_t i = 0; i < n; i++) {
		int64_t power = reports[i].value[REPORT_POWER];

		if (power > ret->peak_w) {
			ret->peak_w = power;
		}
	}
}

void rollup_carry(struct rollup *rollup, int input, int64_t energy)
{
	int quarter = 0;

	while (quarter < ROLLUP_QUARTERS && rollup->quarter[quarter][input] == REPORT_ABSENT) {
		quarter++;
	}
	if (energy > 0 && quarter < ROLLUP_QUARTERS) {
		spread(rollup, input, rollup->begin_s,
		       rollup->begin_s + (quarter + 1) * ROLLUP_QUARTER_S, energy);
	}
}

/* Runs: begin, first quarter that is known, count; then the quarters of each input. */
void rollup_pack(const struct rollup *rollup, struct packer *packer)
{
	int first = 0;
	int end = ROLLUP_QUARTERS;

	while (first < end && rollup->quarter[first][0] == REPORT_ABSENT &&
	       rollup->quarter[first][1] == REPORT_ABSENT &&
	       rollup->quarter[first][2] == REPORT_ABSENT &&
	       rollup->quarter[first][3] == REPORT_ABSENT) {
		first++;
	}
	while (end > first && rollup->quarter[end - 1][0] == REPORT_ABSENT &&
	       rollup->quarter[end - 1][1] == REPORT_ABSENT &&
	       rollup->quarter[end - 1][2] == REPORT_ABSENT &&
	       rollup->quarter[end - 1][3] == REPORT_ABSENT) {
		end--;
	}
	pack_signed(packer, rollup->begin_s);
	pack_unsigned(packer, (uint64_t)first);
	pack_unsigned(packer, (uint64_t)(end - first));
	for (int input = 0; input < REPORT_INPUTS; input++) {
		for (int i = first; i < end; i++) {
			int64_t energy = rollup->quarter[i][input];

			pack_unsigned(packer, energy == REPORT_ABSENT ? 0 : (uint64_t)energy + 1);
		}
	}
}

int rollup_unpack(const uint8_t *bytes, size_t n, struct rollup *ret_rollup)
{
	struct unpacker unpacker = { bytes, n, false };
	int first, count;

	ret_rollup->begin_s = unpack_signed(&unpacker);
	first = (int)unpack_limited(&unpacker, ROLLUP_QUARTERS);
	count = (int)unpack_limited(&unpacker, (uint64_t)(ROLLUP_QUARTERS - first));
	for (int input = 0; input < REPORT_INPUTS; input++) {
		for (int i = 0; i < ROLLUP_QUARTERS; i++) {
			uint64_t energy = i >= first && i < first + count
						  ? unpack_limited(&unpacker, INT64_MAX)
						  : 0;

			ret_rollup->quarter[i][input] = energy ? (int64_t)energy - 1
							       : REPORT_ABSENT;
		}
	}
	return unpacker.failed || unpacker.n > 0 ? -EBADMSG : 0;
}

int64_t rollup_merge(const struct report *old, size_t old_n, const struct report *new, size_t new_n,
		     struct report **ret_reports)
{
	struct report *all = malloc((old_n + new_n + 1) * sizeof(*all));
	size_t i = 0, j = 0;
	int64_t n = 0;

	if (!all) {
		return -ENOMEM;
	}
	while (i < old_n || j < new_n) {
		const struct report *next;

		if (j == new_n || (i < old_n && old[i].time_s <= new[j].time_s)) {
			next = &old[i++];
		} else {
			next = &new[j++];
		}
		if (n == 0 || all[n - 1].time_s != next->time_s) {
			all[n++] = *next;
		}
	}
	*ret_reports = all;
	return n;
}
