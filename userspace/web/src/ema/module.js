// SPDX-License-Identifier: GPL-2.0-or-later
/* One module beside its neighbours, and its inverter. */
import { html, useMemo, useState } from "/vendor/preact.js";
import { ago, number, scaled, t, word } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { inputDate, siteClock } from "../lib/spans.js";
import { useGet } from "../lib/hooks.js";
import { Answer, Facts, Field } from "../parts/basics.js";
import { Chart } from "../parts/chart.js";
import { StateChip, faultText } from "../parts/inverter.js";
import { Title } from "../parts/shell.js";
import { Control } from "./orders.js";
import { Energy } from "./energy.js";

/** The middle value of those that are known; null if there is none. */
function median(values) {
	const known = values.filter((value) => value !== null).sort((a, b) => a - b);
	return known.length ? known[Math.floor(known.length / 2)] : null;
}

const ofModule = (serial, input) => (each) => each.serial === serial && each.input === input;

function Beside({ day, serial, input, zone }) {
	const { times, series } = useMemo(() => {
		const own = day.modules.find(ofModule(serial, input));
		const others = day.modules.filter((each) => each !== own);
		return { times: day.time_ms.map((time) => siteClock(time, zone) / 1000), series: [
			{ label: t("module.this"), values: own?.power_w ?? day.time_ms.map(() => null) },
			{ label: t("module.median"), dashed: true, values: day.time_ms.map((_, at) => median(others.map((each) => each.power_w[at]))) },
		] };
	}, [day, serial, input]);
	return html`<${Chart} label=${t("module.beside")} times=${times} series=${series} unit="W" step="time" least=${50} />`;
}

const InverterFacts = ({ inverter, input }) => {
	const own = inverter.inputs.find((each) => each.input === input);
	return html`<${Facts} rows=${[
		[t("inverter.state"), html`<${StateChip} state=${inverter.state} />`],
		inverter.faults.length > 0 && [t("event.fault"), inverter.faults.map((code) => faultText({ code })).join(", ")],
		[t("inverter.seen"), ago(inverter.time_ms)],
		[t("module.power"), number(own?.power_w, "W")],
		[t("reading.dc_voltage"), number(own?.v, "V", 1)],
		[t("reading.dc_current"), number(own?.i, "A", 2)],
		[t("reading.dc_energy_today"), scaled(own?.energy_today_wh, "Wh")],
		[t("module.inverter_power"), scaled(inverter.power_w, "W")],
		[t("reading.grid_voltage"), number(inverter.grid_v, "V", 1)],
		[t("reading.grid_frequency"), number(inverter.grid_hz, "Hz", 2)],
		[t("reading.temperature"), number(inverter.temperature_c, "°C")],
		[t("link.quality"), number(inverter.link_pct, "%")],
		[t("limit.title"), inverter.limit_w === null ? t("limit.none") : scaled(inverter.limit_w, "W")],
		[t("inverter.phase"), word("phase", inverter.phase ?? "unknown")],
	]} />`;
};

function Charts({ site, serial, input, zone }) {
	const [date, setDate] = useState(() => inputDate(new Date(siteClock(Date.now(), zone))));
	const day = useGet(`/sites/${site}/day`, { date });
	return html`<section class="card"><${Field} label=${t("history.date")} type="date" value=${date}
			onChange=${(event) => event.target.value && setDate(event.target.value)} />
			<${Answer} from=${day}>${(value) => html`<${Beside} day=${value} serial=${serial} input=${input} zone=${zone} />`}<//></section>
		<section class="card"><h2>${t("module.inverter_history")}</h2><${Energy} site=${site} zone=${zone} serial=${serial} /></section>`;
}

export function Module({ args }) {
	const [site, serial, input] = [args[0], args[1], Number(args[2] ?? 1)];
	const detail = useGet(`/sites/${site}`);
	const inverters = useGet(`/sites/${site}/inverters`);
	return html`<${Title} text=${t("module.page", { serial, input })} />
		<p><a href=${link("site", site)}>${t("site.back")}</a></p>
		<div class="columns"><section class="card"><h2>${t("module.now")}</h2><${Answer} from=${inverters}>${({ inverters: list }) => {
			const inverter = list.find((each) => each.serial === serial);
			return inverter ? html`<${InverterFacts} inverter=${inverter} input=${input} />` : html`<p>${t("inverter.absent", { serial })}</p>`;
		}}<//></section>
		<section class="card"><h2>${t("inverter.control")}</h2><${Control} site=${site} serial=${serial} /></section></div>
		<${Answer} from=${detail}>${(value) => html`<${Charts} site=${site} serial=${serial} input=${input} zone=${value.zone_min} />`}<//>`;
}
