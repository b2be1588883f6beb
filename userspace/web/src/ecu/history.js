// SPDX-License-Identifier: GPL-2.0-or-later
/* Charts of what was: power of a day, energy of a month, a year and all years, one day over another. */
import { html, useMemo, useState } from "/vendor/preact.js";
import { API } from "../lib/api.js";
import { date, scaled, t } from "../lib/texts.js";
import { SPANS, dayStart, inputDate, joinSeries, spanBounds } from "../lib/spans.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Answer, Choice, Field, Figure } from "../parts/basics.js";
import { Chart } from "../parts/chart.js";
import { Title } from "../parts/shell.js";
import { inverterName, live } from "./live.js";

const DAY_STEP_S = 300;

/* Series of an answer that a chart shows: those of a reading, with a name for each input. */
function seriesOf(history, name, label) {
	return history.series.filter((each) => each.name === name)
		.map((each) => ({ label: each.channel === null ? label : `${label} ${t("module.input", { n: each.channel })}`,
			values: each.values, digits: 0 }));
}

const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

function DayChart({ path, day, overlay, reading, label }) {
	const query = (start) => ({ ...spanBounds("day", start), step: DAY_STEP_S });
	const one = useGet(path, query(day));
	const other = useGet(overlay ? path : null, overlay ? query(overlay) : undefined);
	return html`<${Answer} from=${one}>${(history) => html`<${DayLines} history=${history} other=${other.value}
		reading=${reading} label=${label} day=${day} overlay=${overlay} />`}<//>`;
}

function DayLines({ history, other, reading, label, day, overlay }) {
	const { times, series } = useMemo(() => joinSeries(
		{ times: history.time_ms, series: seriesOf(history, reading, other ? date(day) : label) },
		...(other ? [{ times: other.time_ms.map((time) => time - overlay + +day),
			series: seriesOf(other, reading, date(overlay)).map((each) => ({ ...each, dashed: true })) }] : [])),
	[history, other, reading, label]);
	return html`<${Chart} label=${`${label}, ${date(day)}`} times=${times} series=${series} unit="W" step="time" least=${100} />`;
}

function EnergyChart({ path, span, start, label }) {
	const answer = useGet(path, { ...spanBounds(span, start), step: SPANS[span].step });
	return html`<${Answer} from=${answer}>${(history) => html`<${EnergyBars} history=${history} span=${span} label=${label} />`}<//>`;
}

function EnergyBars({ history, span, label }) {
	const { times, series, total } = useMemo(() => {
		const all = history.series.find((each) => each.name === "energy_wh" && each.channel === null) ??
			history.series.find((each) => each.name === "energy_wh");
		const values = all?.values ?? [];
		return { times: history.time_ms.map((time) => time / 1000), total: sum(values),
			series: [{ label, values: values.map((value) => value === null ? null : value / 1000), digits: 1 }] };
	}, [history, label]);
	return html`<div class="figures"><${Figure} name=${t("history.sum")} value=${scaled(total, "Wh")} /></div>
		<${Chart} label=${label} times=${times} series=${series} unit="kWh" step=${SPANS[span].points} bars least=${1} />`;
}

export function History({ args }) {
	const { inverters } = useStore(live);
	const [span, setSpan] = useState("day");
	const [start, setStart] = useState(() => dayStart(new Date()));
	const [overlay, setOverlay] = useState(null);
	const [serial, setSerial] = useState(args[0] ?? "");
	const [reading, setReading] = useState("power");
	const path = serial ? `/inverters/${serial}/history` : "/history";
	const bounds = spanBounds(span, start);
	const shown = serial && reading === "dc_power" ? "dc_power" : "power";
	const step = (by) => setStart(SPANS[span].shift(start, by));
	return html`<${Title} text=${t("history.title")} />
		<div class="buttons"><${Choice} label=${t("history.span")} value=${span} onChange=${setSpan}
			options=${Object.keys(SPANS).map((each) => [each, t(`history.${each}`)])} />
			<button type="button" onClick=${() => step(-1)}>← ${t("history.before")}</button>
			<button type="button" onClick=${() => step(1)} disabled=${bounds.to > Date.now()}>${t("history.after")} →</button></div>
		<div class="inline">
			<${Field} label=${t("history.source")} kind="select" value=${serial} onChange=${(event) => setSerial(event.target.value)}>
				<option value="">${t("history.site")}</option>
				${inverters.map((each) => html`<option value=${each.serial}>${inverterName(each)}</option>`)}<//>
			<${Field} label=${t("history.date")} type="date" value=${inputDate(start)} max=${inputDate(new Date())}
				onChange=${(event) => event.target.value && setStart(dayStart(new Date(`${event.target.value}T00:00`)))} />
			${span === "day" && html`<${Field} label=${t("history.overlay")} type="date" max=${inputDate(new Date())}
				value=${overlay ? inputDate(overlay) : ""}
				onChange=${(event) => setOverlay(event.target.value ? dayStart(new Date(`${event.target.value}T00:00`)) : null)} />`}
			${span === "day" && serial && html`<${Field} label=${t("history.reading")} kind="select" value=${reading}
				onChange=${(event) => setReading(event.target.value)}>
				<option value="power">${t("reading.power")}</option><option value="dc_power">${t("reading.dc_power")}</option><//>`}
		</div>
		<section class="card">${span === "day" ?
			html`<${DayChart} path=${path} day=${start} overlay=${overlay} reading=${shown} label=${t(`reading.${shown}`)} />` :
			html`<${EnergyChart} path=${path} span=${span} start=${start} label=${t("reading.energy")} />`}</section>
		<p><a class="button" download href=${`${API}/export?${new URLSearchParams({ ...bounds, step: SPANS[span].step ?? DAY_STEP_S })}`}>${t("history.csv")}</a></p>`;
}
