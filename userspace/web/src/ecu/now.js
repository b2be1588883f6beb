// SPDX-License-Identifier: GPL-2.0-or-later
/* The first page: what the site does now. */
import { html, useState } from "/vendor/preact.js";
import { ago, dateTime, duration, number, scaled, t, word } from "../lib/texts.js";
import { go, link } from "../lib/route.js";
import { useClock, useStore } from "../lib/hooks.js";
import { Choice, Figure, Table } from "../parts/basics.js";
import { LinkChip, StateChip } from "../parts/inverter.js";
import { Roof, Scale } from "../parts/roof.js";
import { Title } from "../parts/shell.js";
import { inverterName, live } from "./live.js";
import { eventAdvice, eventText } from "./words.js";
import { roofFull, roofModules } from "./roof.js";

function Reporting({ reporting }) {
	if (reporting.all_in_s === null || reporting.reported >= reporting.total)
		return html`<p class="muted">${t("now.all_reported", { n: reporting.total })}</p>`;
	return html`<div class="card"><p>${t("now.reporting", { reported: reporting.reported, total: reporting.total,
		time: duration(reporting.all_in_s) })}</p>
		<progress aria-label=${t("now.reporting_label")} value=${reporting.reported} max=${reporting.total}></progress></div>`;
}

const Alarm = ({ event }) => html`<div class="notice ${event.severity === "alarm" ? "bad" : "warn"}">
	<p><strong>${eventText(event)}</strong>${event.serial && html` – <a href=${link("inverter", event.serial)}>${event.serial}</a>`}</p>
	${eventAdvice(event) && html`<p>${eventAdvice(event)}</p>`}</div>`;

/* What is wrong beside the inverters, as rows of [whether, text]. */
const troubles = ({ radio, uplink, store, meter, ecu }) => [
	[!radio.up, t("now.radio_down")],
	[radio.foreign_pan !== null, t("now.foreign", { pan: radio.foreign_pan })],
	[!store.ok, t("now.store_failed", { error: store.error })],
	[meter.time_ms !== null && !meter.ok, t("now.meter_lost")],
	[uplink.time_ms !== null && !uplink.ok, t("now.uplink_down", { n: uplink.outbox })],
	[ecu.night, t("now.night")],
].filter(([holds]) => holds).map(([, text]) => text);

const INVERTER_COLUMNS = [
	{ title: () => t("inverter.name"), cell: (each) => html`<a href=${link("inverter", each.serial)}>${inverterName(each)}</a>`,
		sort: inverterName },
	{ title: () => t("inverter.state"), cell: (each) => html`<${StateChip} state=${each.state} />` },
	{ title: () => t("inverter.link"), cell: (each) => html`<${LinkChip} link=${each.link.state} />` },
	{ title: () => t("reading.power"), num: true, cell: (each) => scaled(each.readings.power, "W"),
		sort: (each) => each.readings.power ?? -1 },
	{ title: () => t("reading.energy_today"), num: true, cell: (each) => scaled(each.readings.energy_today, "Wh"),
		sort: (each) => each.readings.energy_today ?? -1 },
	{ title: () => t("inverter.age"), num: true, cell: (each) => ago(each.seen_ms) },
];

export const InverterTable = ({ inverters }) => html`<${Table} caption=${t("inverters.title")} rows=${inverters}
	id=${(each) => each.serial} empty=${t("inverters.none")}
	columns=${INVERTER_COLUMNS.map((column) => ({ ...column, title: column.title() }))} />`;

export function Now() {
	const state = useStore(live);
	const [value, setValue] = useState("power");
	useClock(10);
	const { status, inverters, modules } = state;
	const { readings } = status;
	return html`<${Title} text=${t("now.title")} />
		${status.alarms.map((event) => html`<${Alarm} key=${event.id} event=${event} />`)}
		${troubles(status).map((text) => html`<div class="notice"><p>${text}</p></div>`)}
		<div class="figures">
			<${Figure} name=${t("now.power")} value=${scaled(readings.power, "W")} />
			<${Figure} name=${t("now.today")} value=${scaled(readings.energy_today, "Wh")} />
			<${Figure} name=${t("now.total")} value=${scaled(readings.energy, "Wh")} />
			${status.meter.ok && html`<${Figure} value=${scaled(Math.abs(readings.grid_power), "W")}
				name=${readings.grid_power < 0 ? t("now.export") : t("now.import")} />`}
			${status.limit.desired_w !== null && html`<${Figure} name=${t("now.limit")}
				value=${scaled(status.limit.desired_w, "W")}><a href=${link("limits")}>${t("now.limit_why")}</a><//>`}
		</div>
		<${Reporting} reporting=${status.reporting} />
		${modules.length > 0 && html`<section class="card"><h2>${t("roof.title")}</h2>
			<div class="buttons"><${Choice} label=${t("roof.shows")} value=${value} onChange=${setValue}
				options=${[["power", t("roof.power")], ["today", t("roof.today")]]} /></div>
			<${Roof} label=${t("roof.title")} modules=${roofModules(state, value)}
				onChoose=${(id) => go("inverter", id.split("/")[0])} />
			<${Scale} low=${t("roof.zero")} high=${roofFull(state, value)} /></section>`}
		${status.phases.filter((each) => each.phase !== "unknown").length > 1 && html`<section class="card">
			<h2>${t("now.phases")}</h2><div class="figures">${status.phases.map((each) => html`<${Figure}
				name=${`${word("phase", each.phase)} · ${t("now.units", { n: each.units })}`} value=${scaled(each.power, "W")} />`)}</div></section>`}
		<section class="card"><${InverterTable} inverters=${inverters} /></section>
		<p class="muted">${t("now.as_of", { time: dateTime(status.time_ms), cadence: number(inverters[0]?.cadence_s, "s") })}
			${!state.connected && html` <strong>${t("now.not_live")}</strong>`}</p>`;
}
