// SPDX-License-Identifier: GPL-2.0-or-later
/* Power and energy of a site or an inverter over a day, a month or years. */
import { html, useMemo, useState } from "/vendor/preact.js";
import { scaled, t } from "../lib/texts.js";
import { SPANS, dayStart, inputDate, siteClock, siteMoment, spanBounds } from "../lib/spans.js";
import { useGet } from "../lib/hooks.js";
import { Answer, Choice, Field, Figure } from "../parts/basics.js";
import { Chart } from "../parts/chart.js";

/* Steps of the service's history, s. */
const STEP_S = { day: 900, month: 86400, year: 2592000, all: 2592000 };

const total = (values) => values.reduce((sum, value) => sum + (value ?? 0), 0);

function Energies({ history, span, zone }) {
	const { times, series, sum } = useMemo(() => {
		/* Of a day, the service gives the mean power of each quarter hour, otherwise energies. */
		const power = span === "day";
		const parts = history.series.filter((each) => each.name === (power ? "power_w" : "energy_wh"));
		const values = history.time_ms.map((_, at) => parts.some((each) => each.values[at] !== null) ?
			total(parts.map((each) => each.values[at])) : null);
		return { times: history.time_ms.map((time) => siteClock(time, zone) / 1000), sum: total(values) * (power ? history.step_s / 3600 : 1),
			series: [{ label: t(power ? "reading.power" : "reading.energy"), digits: power ? 0 : 1,
				values: values.map((value) => value === null || power ? value : value / 1000) }] };
	}, [history, span]);
	return html`<div class="figures"><${Figure} name=${t("history.sum")} value=${scaled(sum, "Wh")} /></div>
		<${Chart} label=${series[0].label} times=${times} series=${series} unit=${span === "day" ? "W" : "kWh"}
			step=${SPANS[span].points} bars=${span !== "day"} least=${1} />`;
}

/** @zone: local time of the site minus UTC, minutes. @serial: of one inverter; undefined for the whole site */
export function Energy({ site, zone, serial }) {
	const [span, setSpan] = useState("day");
	const [start, setStart] = useState(() => dayStart(new Date(siteClock(Date.now(), zone))));
	const bounds = spanBounds(span, start);
	const answer = useGet(`/sites/${site}/history`, { from_ms: siteMoment(bounds.from, zone),
		to_ms: siteMoment(bounds.to, zone), step_s: STEP_S[span], serial });
	return html`<div class="buttons"><${Choice} label=${t("history.span")} value=${span} onChange=${setSpan}
			options=${Object.keys(SPANS).map((each) => [each, t(`history.${each}`)])} />
			<button type="button" onClick=${() => setStart(SPANS[span].shift(start, -1))}>← ${t("history.before")}</button>
			<button type="button" disabled=${bounds.to > Date.now()} onClick=${() => setStart(SPANS[span].shift(start, 1))}>${t("history.after")} →</button></div>
		<div class="inline"><${Field} label=${t("history.date")} type="date" value=${inputDate(start)} max=${inputDate(new Date())}
			onChange=${(event) => event.target.value && setStart(dayStart(new Date(`${event.target.value}T00:00`)))} /></div>
		<${Answer} from=${answer}>${(history) => html`<${Energies} history=${history} span=${span} zone=${zone} />`}<//>`;
}
