// SPDX-License-Identifier: GPL-2.0-or-later
/* Sites beside each other: energy of each day for each kW of rated power. */
import { html, useEffect, useMemo, useState } from "/vendor/preact.js";
import { get } from "../lib/api.js";
import { number, t } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { inputDate, joinSeries, spanBounds } from "../lib/spans.js";
import { useGet } from "../lib/hooks.js";
import { Act, Answer, Failure, Field, Table } from "../parts/basics.js";
import { CHART_COLOURS, Chart } from "../parts/chart.js";
import { Title } from "../parts/shell.js";
import { Incomplete } from "./incomplete.js";

const DAY_S = 86400;

/* Energy of each day for each kW, in order of time. */
function yields(site, history) {
	const energies = history.series.filter((each) => each.name === "energy_wh");
	return history.time_ms.map((_, at) => {
		const known = energies.map((each) => each.values[at]).filter((value) => value !== null);
		return known.length && site.rated_w ? known.reduce((sum, value) => sum + value, 0) / site.rated_w : null;
	});
}

function Chooser({ chosen, onChoose }) {
	const [search, setSearch] = useState("");
	const found = useGet("/sites", { search, limit: 10 });
	return html`<${Field} label=${t("compare.add")} type="search" value=${search} onInput=${(event) => setSearch(event.target.value)} />
		<${Answer} from=${found}>${({ sites, missing_shards: missing }) => html`<${Incomplete} missing=${missing} /><div class="buttons">${sites.filter((site) => !chosen.some((each) => each.id === site.id))
			.map((site) => html`<button type="button" disabled=${chosen.length >= CHART_COLOURS} onClick=${() => onChoose(site)}>+ ${site.name}</button>`)}</div>`}<//>`;
}

export function Compare() {
	const [sites, setSites] = useState([]);
	const [month, setMonth] = useState(() => inputDate(new Date()).slice(0, 7));
	const [histories, setHistories] = useState(new Map());
	const [error, setError] = useState(null);
	const bounds = spanBounds("month", new Date(`${month}-01T00:00`));
	useEffect(() => {
		let current = true;
		Promise.all(sites.map(async (site) => [site.id, await get(`/sites/${site.id}/history`, { from_ms: bounds.from,
			to_ms: bounds.to, step_s: DAY_S })])).then((list) => current && setHistories(new Map(list)), setError);
		return () => {
			current = false;
		};
	}, [sites, month]);
	const ready = sites.filter((site) => histories.has(site.id));
	const { times, series } = useMemo(() => {
		const sets = ready.map((site) => ({ times: histories.get(site.id).time_ms,
			series: [{ label: site.name, digits: 2, values: yields(site, histories.get(site.id)) }] }));
		return sets.length ? joinSeries(...sets) : { times: [], series: [] };
	}, [sites, histories]);
	const sum = (name) => series.find((each) => each.label === name)?.values.reduce((all, value) => all + (value ?? 0), 0) ?? null;
	return html`<${Title} text=${t("compare.title")} /><p>${t("compare.explained")}</p>
		<section class="card"><${Field} label=${t("history.month")} type="month" value=${month} onChange=${(event) => event.target.value && setMonth(event.target.value)} />
			<${Chooser} chosen=${sites} onChoose=${(site) => setSites([...sites, site])} /><${Failure} error=${error} /></section>
		${ready.length > 0 && html`<section class="card"><${Chart} label=${t("compare.chart")} times=${times} series=${series} unit="kWh/kW" step="day" least=${1} />
			<${Table} caption=${t("compare.sums")} rows=${ready} id=${(each) => each.id} columns=${[
				{ title: t("site.name"), cell: (each) => html`<a href=${link("site", each.id)}>${each.name}</a>` },
				{ title: t("compare.yield"), num: true, cell: (each) => number(sum(each.name), "kWh/kW", 1) },
				{ title: t("action.title"), cell: (each) => html`<${Act} label=${t("action.remove")} act=${() => setSites(sites.filter((site) => site !== each))} />` },
			]} /></section>`}`;
}
