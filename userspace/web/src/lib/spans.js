// SPDX-License-Identifier: GPL-2.0-or-later
/* Days, months and years in local time, also on the days when clocks change. */

export const dayStart = (time) => new Date(time.getFullYear(), time.getMonth(), time.getDate());

/*
 * Spans of time that a chart can show: the step of its points as the API names it, how their times are
 * shown, and the span @by spans later.
 */
export const SPANS = {
	day: { step: null, points: "time", first: dayStart,
		shift: (start, by) => new Date(start.getFullYear(), start.getMonth(), start.getDate() + by) },
	month: { step: "day", points: "day", first: (time) => new Date(time.getFullYear(), time.getMonth(), 1),
		shift: (start, by) => new Date(start.getFullYear(), start.getMonth() + by, 1) },
	year: { step: "month", points: "month", first: (time) => new Date(time.getFullYear(), 0, 1),
		shift: (start, by) => new Date(start.getFullYear() + by, 0, 1) },
	all: { step: "year", points: "month", first: (time) => new Date(time.getFullYear() - 24, 0, 1),
		shift: (start, by) => new Date(start.getFullYear() + by * 25, 0, 1) },
};

/** Begin and end, ms since 1970, of the span that a time is in. */
export function spanBounds(span, time) {
	const first = SPANS[span].first(time);
	const end = span === "all" ? new Date(time.getFullYear() + 1, 0, 1) : SPANS[span].shift(first, 1);
	return { from: +first, to: +end };
}

/**
 * The time that the browser's clock shows when that of a site does: for charts and texts in a site's local
 * time. @zone_min: local time of the site minus UTC, minutes.
 */
export const siteClock = (time, zoneMin) => time + (zoneMin + new Date(time).getTimezoneOffset()) * 60000;

/** The opposite: the time when the clock of a site shows what the browser's shows at @time. */
export const siteMoment = (time, zoneMin) => time - (zoneMin + new Date(time).getTimezoneOffset()) * 60000;

/** A date as a date field has it. */
export const inputDate = (time) => `${time.getFullYear()}-${String(time.getMonth() + 1).padStart(2, "0")}-${
	String(time.getDate()).padStart(2, "0")}`;

/**
 * Series of several sets of times on one axis, for charts: times in seconds; a value that a set does not have
 * is null. Each set is {times (ms), series}.
 */
export function joinSeries(...sets) {
	const times = [...new Set(sets.flatMap((set) => set.times))].sort((a, b) => a - b);
	const series = sets.flatMap((set) => {
		const index = new Map(set.times.map((time, at) => [time, at]));
		return set.series.map((each) => ({ ...each,
			values: times.map((time) => each.values[index.get(time)] ?? null) }));
	});
	return { times: times.map((time) => time / 1000), series };
}
