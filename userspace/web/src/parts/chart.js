// SPDX-License-Identifier: GPL-2.0-or-later
/* Charts over time by uPlot, which is fetched with the first chart, each with its values as a table. */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { ABSENT, clockTime, date, dateTime, monthName, number, t } from "../lib/texts.js";
import { useStore, makeStore } from "../lib/hooks.js";

const HEIGHT_PX = 280;
export const CHART_COLOURS = 8;

const library = makeStore({ uPlot: null });

async function loadLibrary() {
	const sheet = document.createElement("link");
	sheet.rel = "stylesheet";
	sheet.href = "/vendor/uplot.css";
	document.head.append(sheet);
	library.set({ uPlot: (await import("/vendor/uplot.js")).default });
}

let loading = null;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** How a time reads, by the step between two points. */
const TIME_TEXT = { time: clockTime, day: date, month: monthName };

function options(uPlot, props, width, onCursor) {
	const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 },
		ticks: { stroke: colour("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
	const bars = props.bars && uPlot.paths.bars({ size: [0.7, 60] });
	return {
		width, height: HEIGHT_PX, legend: { show: false },
		cursor: { y: false, drag: { x: true, y: false } },
		scales: { y: { range: (u, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, props.least ?? 1) * 1.05] } },
		axes: [{ ...axis, space: 60, values: (u, times) => times.map((time) => TIME_TEXT[props.step](time * 1000)) },
			{ ...axis, size: 64, values: (u, values) => values.map((value) =>
				number(value, props.unit, Number.isInteger(value) ? 0 : 1)) }],
		series: [{}, ...props.series.map((each, index) => ({
			label: each.label, show: each.show, stroke: colour(`--s${index % CHART_COLOURS + 1}`),
			width: 2, spanGaps: false, points: { show: false }, dash: each.dashed ? [6, 4] : undefined,
			...(bars ? { paths: bars, fill: `${colour(`--s${index % CHART_COLOURS + 1}`)}` } : {}),
		}))],
		hooks: { setCursor: [(u) => onCursor(u.cursor.idx)] },
	};
}

const Values = ({ times, series, unit, step }) => html`<details><summary>${t("chart.values")}</summary>
	<div class="scroll" tabindex="0" role="region" aria-label=${t("chart.values")}><table><thead><tr>
		<th scope="col">${t("chart.time")}</th>
		${series.map((each) => html`<th scope="col" class="num">${each.label}</th>`)}</tr></thead>
		<tbody>${times.map((time, row) => html`<tr><th scope="row">${TIME_TEXT[step](time * 1000)}</th>
			${series.map((each) => html`<td class="num">${number(each.values[row], unit, each.digits ?? 0)}</td>`)}
		</tr>`)}</tbody></table></div></details>`;

/**
 * @label: heading
 * @times: seconds since 1970
 * @series: {label, values (null where absent), dashed, digits}
 * @unit: of all values
 * @step: "time", "day" or "month"
 * @bars: columns instead of lines
 * @least: the smallest upper end of the scale
 */
export function Chart(props) {
	const { label, times, series, unit, step } = props;
	const { uPlot } = useStore(library);
	const place = useRef();
	const [cursor, setCursor] = useState(null);
	const [hidden, setHidden] = useState(() => new Set());
	const [scheme, setScheme] = useState(0);
	useEffect(() => {
		loading ??= loadLibrary();
	}, []);
	useEffect(() => {
		const dark = matchMedia("(prefers-color-scheme: dark)");
		const change = () => setScheme((n) => n + 1);
		dark.addEventListener("change", change);
		return () => dark.removeEventListener("change", change);
	}, []);
	useEffect(() => {
		if (!uPlot)
			return undefined;
		const shown = { ...props, series: series.map((each) => ({ ...each, show: !hidden.has(each.label) })) };
		const plot = new uPlot(options(uPlot, shown, place.current.clientWidth, setCursor),
			[times, ...series.map((each) => each.values)], place.current);
		const resize = new ResizeObserver(() =>
			plot.setSize({ width: place.current.clientWidth, height: HEIGHT_PX }));
		resize.observe(place.current);
		return () => {
			resize.disconnect();
			plot.destroy();
		};
	}, [uPlot, times, series, hidden, scheme, step]);
	const toggle = (name) => {
		const next = new Set(hidden);
		next[next.has(name) ? "delete" : "add"](name);
		setHidden(next);
	};
	const reading = (each) => `${each.label} ${number(each.values[cursor], unit, each.digits ?? 0)}`;
	return html`<figure class="chart"><figcaption>${label}</figcaption>
		<div class="plot" ref=${place} role="img" aria-label=${t("chart.described", { label, n: times.length })}></div>
		<p class="reading" aria-hidden="true">${cursor === null || cursor === undefined ? ABSENT :
			`${(step === "time" ? dateTime : TIME_TEXT[step])(times[cursor] * 1000)}: ${series.filter((each) => !hidden.has(each.label)).map(reading).join(", ")}`}</p>
		${series.length > 1 && html`<ul class="legend">${series.map((each, index) => html`<li><label class="check">
			<input type="checkbox" checked=${!hidden.has(each.label)} onChange=${() => toggle(each.label)} />
			<i class="s${index % CHART_COLOURS + 1}"></i>${each.label}</label></li>`)}</ul>`}
		<${Values} times=${times} series=${series} unit=${unit} step=${step} /></figure>`;
}
