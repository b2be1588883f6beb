// SPDX-License-Identifier: GPL-2.0-or-later
/* All sites: sums, map, a list to filter. */
import { html, useEffect, useState } from "/vendor/preact.js";
import { post } from "../lib/api.js";
import { ago, number, scaled, t, word } from "../lib/texts.js";
import { go, link } from "../lib/route.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Answer, Check, Chip, Field, Figure, Form, Table } from "../parts/basics.js";
import { Title } from "../parts/shell.js";
import { WorldMap } from "./world.js";
import { Incomplete } from "./incomplete.js";
import { live, may } from "./live.js";

const PAGE = 50;
const TYPING_MS = 150;
const SITE_STATES = ["producing", "night", "fault", "silent", "new"];
const SITE_KIND = { producing: "ok", fault: "bad", silent: "warn", new: "info" };
const SORTS = ["name", "power", "energy", "alarms", "last"];

export const SiteState = ({ state }) => html`<${Chip} kind=${SITE_KIND[state]}>${word("site", state)}<//>`;

/** The site with what the stream has said since. */
export const withNews = (site, { sites }) => ({ ...site, ...sites.get(site.id) });

const Sums = ({ fleet }) => html`<div class="figures">
	<${Figure} name=${t("fleet.power")} value=${scaled(fleet.power_w, "W")} />
	<${Figure} name=${t("fleet.today")} value=${scaled(fleet.energy_today_wh, "Wh")} />
	<${Figure} name=${t("fleet.sites")} value=${number(fleet.sites)} />
	<${Figure} name=${t("fleet.units")} value=${number(fleet.units)} />
	<${Figure} name=${t("fleet.alarms")} value=${number(fleet.alarms)}><a href=${link("alarms")}>${t("fleet.show_alarms")}</a><//></div>`;

/** How many sites the sums and the map are without, as far as the service knows. */
const Missing = ({ fleet }) => fleet.missing_shards > 0 && html`<div class="notice warn" role="status"><p>${
	fleet.missing_sites === undefined ? t("fleet.missing_some") : t("fleet.missing", { n: fleet.missing_sites })}</p></div>`;

const columns = (state) => [
	{ title: t("site.name"), cell: (each) => html`<a href=${link("site", each.id)}>${each.name}</a>` },
	{ title: t("site.address"), cell: (each) => each.address },
	{ title: t("inverter.state"), cell: (each) => html`<${SiteState} state=${withNews(each, state).state} />` },
	{ title: t("reading.power"), num: true, cell: (each) => scaled(withNews(each, state).power_w, "W") },
	{ title: t("reading.energy_today"), num: true, cell: (each) => scaled(each.energy_today_wh, "Wh") },
	{ title: t("fleet.reporting"), num: true, cell: (each) => `${number(each.units_reporting)} / ${number(each.units)}` },
	{ title: t("fleet.alarms"), num: true, cell: (each) => number(each.alarms) },
	{ title: t("site.last"), cell: (each) => ago(withNews(each, state).last_ms) },
	{ title: t("site.customer"), cell: (each) => each.customer_name },
];

/** A text that follows another one when it has rested. */
function useRested(text) {
	const [rested, setRested] = useState(text);
	useEffect(() => {
		const timer = setTimeout(() => setRested(text), TYPING_MS);
		return () => clearTimeout(timer);
	}, [text]);
	return rested;
}

function SiteList() {
	const state = useStore(live);
	const [filter, setFilter] = useState({ search: "", state: "", alarms: false, sort: "name", offset: 0 });
	const change = (values) => setFilter({ ...filter, offset: 0, ...values });
	const search = useRested(filter.search);
	const answer = useGet("/sites", { ...filter, search, alarms: filter.alarms || undefined, limit: PAGE });
	const [last, setLast] = useState(null);
	useEffect(() => answer.value && setLast(answer.value), [answer.value]);
	const shown = answer.value ?? last;
	return html`<section class="card"><h2>${t("fleet.list")}</h2>
		<div class="inline" role="search">
			<${Field} label=${t("fleet.search")} type="search" value=${filter.search} onInput=${(event) => change({ search: event.target.value })} />
			<${Field} label=${t("inverter.state")} kind="select" value=${filter.state} onChange=${(event) => change({ state: event.target.value })}>
				<option value="">${t("fleet.any")}</option>
				${SITE_STATES.map((each) => html`<option value=${each}>${word("site", each)}</option>`)}<//>
			<${Field} label=${t("fleet.sort")} kind="select" value=${filter.sort} onChange=${(event) => change({ sort: event.target.value })}>
				${SORTS.map((each) => html`<option value=${each}>${t(`fleet.by_${each}`)}</option>`)}<//>
			<${Check} label=${t("fleet.with_alarms")} checked=${filter.alarms} onChange=${(event) => change({ alarms: event.target.checked })} /></div>
		<${Answer} from=${answer.error ? answer : { value: shown ?? undefined }}>${({ total, sites, missing_shards: missing }) => html`
			<${Incomplete} missing=${missing} />
			<p role="status">${t("fleet.found", { n: total })}</p>
			<${Table} caption=${t("fleet.list")} rows=${sites} id=${(each) => each.id} columns=${columns(state)} />
			<div class="buttons"><button type="button" disabled=${filter.offset === 0}
				onClick=${() => setFilter({ ...filter, offset: filter.offset - PAGE })}>← ${t("fleet.previous")}</button>
			<button type="button" disabled=${filter.offset + PAGE >= total}
				onClick=${() => setFilter({ ...filter, offset: filter.offset + PAGE })}>${t("fleet.next")} →</button></div>`}<//></section>`;
}

const NewSite = ({ identity }) => html`<section class="card"><h2>${t("fleet.new")}</h2>
	<${Form} submit=${t("fleet.create")} act=${async (values) => {
		const coordinates = { lat: values.lat ?? undefined, lon: values.lon ?? undefined };
		const site = await post("/sites", { name: values.name, address: values.address, ...coordinates,
			customer_name: values.customer_name || undefined });
		go("site", site.id);
	}}>
		<${Field} label=${t("site.name")} name="name" required maxlength="120" />
		<${Field} label=${t("site.address")} name="address" maxlength="200" />
		${identity.role !== "owner" && html`<${Field} label=${t("site.customer")} name="customer_name" required maxlength="120" />`}
		<div class="inline"><${Field} label=${t("site.lat")} name="lat" type="number" step="any" min="-90" max="90" />
			<${Field} label=${t("site.lon")} name="lon" type="number" step="any" min="-180" max="180" /></div><//></section>`;

export function Fleet() {
	const state = useStore(live);
	const fleet = useGet("/fleet");
	const map = useGet("/fleet/map");
	return html`<${Title} text=${t("fleet.title")} />
		<${Answer} from=${fleet}>${(value) => html`<${Missing} fleet=${value} /><${Sums} fleet=${value} />`}<//>
		<section class="card"><h2>${t("fleet.map")}</h2><${Answer} from=${map}>${({ sites }) =>
			html`<${WorldMap} sites=${sites} states=${SITE_STATES} />`}<//></section>
		<${SiteList} />
		${may(state, "edit") && html`<${NewSite} identity=${state.identity} />`}`;
}
