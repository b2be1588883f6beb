// SPDX-License-Identifier: GPL-2.0-or-later
/* One site: what it does, its roof over a day, charts, phases, events, documents, ECUs, control. */
import { html, useState } from "/vendor/preact.js";
import { API, post, put, remove } from "../lib/api.js";
import { ago, date, dateTime, duration, number, scaled, t, word } from "../lib/texts.js";
import { go, link } from "../lib/route.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Act, Answer, Ask, Chip, Facts, Field, Figure, Form, Table } from "../parts/basics.js";
import { StateChip, faultText } from "../parts/inverter.js";
import { Placing, gridOf } from "../parts/placing.js";
import { Title } from "../parts/shell.js";
import { AlarmList } from "./alarms.js";
import { Energy } from "./energy.js";
import { SiteState, withNews } from "./fleet.js";
import { TEMPLATE, isAcross, placesOf, withPlaces } from "./gridmap.js";
import { live, may } from "./live.js";
import { Control } from "./orders.js";
import { Replay } from "./replay.js";

const EVENTS = 50;
const DOCUMENTS = ["installation-map", "registration-card", "warranty-card"];
const ECU_KIND = { enrolled: "ok", waiting: "info", revoked: "warn" };

const SiteSums = ({ site }) => html`<div class="figures">
	<${Figure} name=${t("reading.power")} value=${scaled(site.power_w, "W")} />
	<${Figure} name=${t("reading.energy_today")} value=${scaled(site.energy_today_wh, "Wh")} />
	<${Figure} name=${t("inverter.rated")} value=${scaled(site.rated_w, "W")} />
	<${Figure} name=${t("fleet.reporting")} value=${`${number(site.units_reporting)} / ${number(site.units)}`} />
	<${Figure} name=${t("site.last")} value=${ago(site.last_ms)} /></div>`;

const Inverters = ({ site, inverters }) => html`<${Table} caption=${t("inverters.title")} rows=${inverters} id=${(each) => each.serial} columns=${[
	{ title: t("inverter.serial"), cell: (each) => html`<a href=${link("module", site, each.serial, 1)}>${each.name ?? each.serial}</a>`, sort: (each) => each.serial },
	{ title: t("inverter.state"), cell: (each) => html`<${StateChip} state=${each.state} /> ${each.faults.map((code) => faultText({ code })).join(", ")}` },
	{ title: t("reading.power"), num: true, cell: (each) => scaled(each.power_w, "W"), sort: (each) => each.power_w ?? -1 },
	{ title: t("reading.energy_today"), num: true, cell: (each) => scaled(each.energy_today_wh, "Wh"), sort: (each) => each.energy_today_wh ?? -1 },
	{ title: t("reading.temperature"), num: true, cell: (each) => number(each.temperature_c, "°C") },
	{ title: t("inverter.age"), cell: (each) => ago(each.time_ms) },
]} />`;

/* Power of each phase; the balance is what the strongest has above the weakest. */
function Phases({ inverters }) {
	const sums = new Map();
	for (const each of inverters) {
		if (each.phase)
			sums.set(each.phase, (sums.get(each.phase) ?? 0) + (each.power_w ?? 0));
	}
	if (sums.size < 2)
		return null;
	const powers = [...sums.values()];
	return html`<section class="card"><h2>${t("site.phases")}</h2><div class="figures">
		${[...sums].sort().map(([phase, power]) => html`<${Figure} name=${phase} value=${scaled(power, "W")} />`)}
		<${Figure} name=${t("site.balance")} value=${scaled(Math.max(...powers) - Math.min(...powers), "W")} /></div></section>`;
}

const Events = ({ site }) => {
	const answer = useGet(`/sites/${site}/events`, { limit: EVENTS });
	return html`<${Answer} from=${answer}>${({ events }) => html`<${Table} caption=${t("events.title")} rows=${events} id=${(each) => each.id}
		empty=${t("events.none")} columns=${[
			{ title: t("chart.time"), cell: (each) => dateTime(each.time_ms) },
			{ title: t("inverter.serial"), cell: (each) => each.serial ?? t("history.site") },
			{ title: t("event.what"), cell: (each) => word("event", each.name) },
			{ title: t("event.detail"), cell: (each) => html`<span lang="en">${each.text}</span>` },
		]} />`}<//>`;
};

function MapEditor({ site, map, serials, onSaved }) {
	const [across, setAcross] = useState(isAcross(map));
	const places = gridOf(across);
	const [width, height] = places.cell;
	const modules = placesOf(map).map((each, at) => ({ ...each, turn: places.turn,
		x: (map.modules[at].column + 0.5) * width, y: (map.modules[at].row + 0.5) * height }));
	return html`<${Field} label=${t("map.shape")} kind="select" value=${across ? "across" : "upright"}
			onChange=${(event) => setAcross(event.target.value === "across")}>
			<option value="upright">${t("map.upright")}</option><option value="across">${t("map.across")}</option><//>
		<${Placing} key=${`${across} ${serials.join()}`} serials=${serials} modules=${modules} places=${places} columns=${TEMPLATE.columns}
			onSave=${async (list) => {
				await put(`/sites/${site}/map`, withPlaces(map, list, across));
				onSaved();
			}} />`;
}

const Documents = ({ site }) => html`<section class="card"><h2>${t("documents.title")}</h2><div class="buttons">
	${DOCUMENTS.map((each) => html`<a class="button" href=${`${API}/sites/${site}/documents/${each}`} target="_blank">${t(`documents.${each}`)}</a>`)}
	<a class="button" download href=${`${API}/sites/${site}/export?${new URLSearchParams({ from_ms: 0, to_ms: Date.now(), step_s: 86400 })}`}>${t("history.csv")}</a></div></section>`;

function Ecus({ site, onChange }) {
	const [enrolment, setEnrolment] = useState(null);
	const enrol = async ({ ecu }) => {
		setEnrolment(await post(`/sites/${site.id}/ecus`, { ecu }));
		onChange();
	};
	return html`<section class="card"><h2>${t("ecus.title")}</h2>
		<${Table} caption=${t("ecus.title")} rows=${site.ecus} id=${(each) => each.ecu} empty=${t("ecus.none")} columns=${[
			{ title: t("ecus.number"), cell: (each) => each.ecu },
			{ title: t("inverter.state"), cell: (each) => html`<${Chip} kind=${ECU_KIND[each.state]}>${word("ecus", each.state)}<//>` },
			{ title: t("site.last"), cell: (each) => ago(each.last_ms) },
			{ title: t("ecus.clock"), cell: (each) => each.clock_offset_ms === null ? t("state.unknown") : duration(Math.abs(each.clock_offset_ms) / 1000) },
			{ title: t("inverter.firmware"), cell: (each) => each.version ?? t("state.unknown") },
			{ title: t("action.title"), cell: (each) => html`<${Ask} danger label=${t("action.revoke")} question=${t("ecus.revoke_ask", { ecu: each.ecu })}
				act=${async () => {
					await remove(`/sites/${site.id}/ecus/${each.ecu}`);
					onChange();
				}} />` },
		]} />
		<${Form} act=${enrol} submit=${t("ecus.enrol")}><${Field} label=${t("ecus.number")} hint=${t("ecus.hint")} name="ecu" required
			pattern="[0-9]{12}" inputmode="numeric" maxlength="12" /><//>
		${enrolment && html`<div class="notice ok" role="status"><p>${t("ecus.code", { code: enrolment.code, date: date(enrolment.expires_ms) })}</p>
			<p><code>${enrolment.uri}</code></p></div>`}</section>`;
}

function Details({ site, onChange }) {
	const state = useStore(live);
	const [code, setCode] = useState(null);
	const change = async (values) => {
		await put(`/sites/${site.id}`, { name: values.name, address: values.address, installer: values.installer,
			installed_on: values.installed_on || undefined, warranty_years: Number(values.warranty_years), note: values.note,
			lat: values.lat ?? undefined, lon: values.lon ?? undefined });
		onChange();
	};
	return html`<section class="card"><h2>${t("site.details")}</h2><${Form} act=${change} submit=${t("action.save")} done=${t("action.saved")}>
			<${Field} label=${t("site.name")} name="name" required maxlength="120" initial=${site.name} />
			<${Field} label=${t("site.address")} name="address" maxlength="200" initial=${site.address} />
			<div class="inline"><${Field} label=${t("site.lat")} name="lat" type="number" step="any" min="-90" max="90" initial=${site.lat ?? ""} />
				<${Field} label=${t("site.lon")} name="lon" type="number" step="any" min="-180" max="180" initial=${site.lon ?? ""} />
				<${Field} label=${t("site.installed")} name="installed_on" type="date" initial=${site.installed_on ?? ""} /></div>
			<${Field} label=${t("site.installer")} name="installer" maxlength="120" initial=${site.installer} />
			<${Field} label=${t("site.warranty")} name="warranty_years" kind="select" initial=${site.warranty_years}>
				<option value="10">${t("site.years", { n: 10 })}</option><option value="25">${t("site.years", { n: 25 })}</option><//>
			<${Field} label=${t("site.note")} name="note" kind="textarea" rows="3" initial=${site.note} /><//>
		${may(state, "handover") && html`<h3>${t("handover.title")}</h3><p>${t("handover.explained")}</p>
			<div class="buttons"><${Act} label=${t("handover.make")} act=${async () => setCode(await post(`/sites/${site.id}/handover`))} /></div>
			${code && html`<div class="notice ok" role="status"><p>${t("handover.code", { date: date(code.expires_ms) })}</p>
				<p><code>${`${location.origin}/${link("handover", code.code)}`}</code></p></div>`}`}
		${may(state, "remove") && html`<h3>${t("site.delete")}</h3><${Ask} danger label=${t("site.delete")} question=${t("site.delete_ask", { site: site.name })}
			act=${async () => {
				await remove(`/sites/${site.id}`);
				go("fleet");
			}} />`}</section>`;
}

export function Site({ args }) {
	const id = args[0];
	const state = useStore(live);
	const answer = useGet(`/sites/${id}`);
	const inverters = useGet(`/sites/${id}/inverters`);
	const map = useGet(`/sites/${id}/map`);
	const edit = may(state, "edit");
	return html`<${Answer} from=${answer}>${(stored) => {
		const site = withNews(stored, state);
		return html`<${Title} text=${site.name} />
			<p><${SiteState} state=${site.state} /> ${site.address} · ${site.customer_name}</p>
			<${SiteSums} site=${site} />
			<section class="card"><h2>${t("alarms.title")}</h2><${AlarmList} site=${id} /></section>
			<section class="card"><h2>${t("roof.title")}</h2><${Answer} from=${map}>${(value) => value.modules.length ?
				html`<${Replay} site=${id} map=${value} zone=${site.zone_min} />` : html`<p class="muted">${t("map.empty")}</p>`}<//></section>
			<section class="card"><h2>${t("history.title")}</h2><${Energy} site=${id} zone=${site.zone_min} /></section>
			<${Answer} from=${inverters}>${({ inverters: list }) => html`<${Phases} inverters=${list} />
				<section class="card"><${Inverters} site=${id} inverters=${list} /></section>`}<//>
			<section class="card"><h2>${t("inverter.control")}</h2><${Control} site=${id} /></section>
			<section class="card"><${Events} site=${id} /></section>
			<${Documents} site=${id} />
			<section class="card"><h2>${t("site.facts")}</h2><${Facts} rows=${[
				[t("site.customer"), site.customer_name], [t("site.company"), site.company_name ?? t("limit.none")],
				[t("site.installed"), site.installed_on ? date(`${site.installed_on}T00:00`) : t("state.unknown")],
				[t("site.warranty"), t("site.years", { n: site.warranty_years })]]} /></section>
			${edit && html`<${Ecus} site=${site} onChange=${answer.reload} />
				<section class="card"><h2>${t("map.edit")}</h2><${Answer} from=${map}>${(value) => html`<${Answer} from=${inverters}>${({ inverters: list }) =>
					html`<${MapEditor} site=${id} map=${value} serials=${list.map((each) => each.serial)} onSaved=${map.reload} />`}<//>`}<//></section>
				<${Details} site=${site} onChange=${answer.reload} />`}`;
	}}<//>`;
}
