// SPDX-License-Identifier: GPL-2.0-or-later
/* One inverter: what it does, why, and what a person may do about it. */
import { html } from "/vendor/preact.js";
import { put, remove } from "../lib/api.js";
import { ago, dateTime, duration, number, scaled, t, word } from "../lib/texts.js";
import { go, link } from "../lib/route.js";
import { useClock, useStore } from "../lib/hooks.js";
import { Act, Ask, Facts, Field, Form, Table } from "../parts/basics.js";
import { Led, LinkChip, StateChip, faultAdvice, faultText } from "../parts/inverter.js";
import { LimitFacts, LimitForm } from "../parts/limit.js";
import { Title } from "../parts/shell.js";
import { EventList } from "./events.js";
import { changeOrder, inverterName, inverterOf, isInstaller, live, mayControl } from "./live.js";
import { InverterTable } from "./now.js";
import { sendCommand, useOrder } from "./orders.js";

const PHASES = ["unknown", "L1", "L2", "L3", "L1-L2", "L2-L3", "L3-L1"];

/* A command to clear a fault goes to the inverter, and the LED and the fault's row show when it has worked. */
const Faults = ({ inverter, control }) => inverter.faults.map((fault) => html`<div class="notice bad">
	<p><strong>${faultText(fault)}</strong> (${fault.code})</p><p>${faultAdvice(fault)}</p>
	${control && fault.latched && fault.clearable && html`<${Ask} danger label=${t("fault.clear")} question=${t("fault.clear_ask")}
		act=${() => sendCommand(inverter.serial, { command: "clear", fault: fault.code })} />`}
	${fault.latched && !fault.clearable && html`<p>${t("fault.not_clearable")}</p>`}</div>`);

const Modules = ({ inverter }) => html`<${Table} caption=${t("module.title")} rows=${inverter.channels} id=${(each) => each.channel}
	columns=${[
		{ title: t("module.input_title"), cell: (each) => each.channel },
		{ title: t("reading.dc_voltage"), num: true, cell: (each) => number(each.dc_voltage, "V", 1) },
		{ title: t("reading.dc_current"), num: true, cell: (each) => number(each.dc_current, "A", 2) },
		{ title: t("reading.power"), num: true, cell: (each) => number(each.dc_power, "W") },
		{ title: t("reading.dc_energy_today"), num: true, cell: (each) => scaled(each.dc_energy_today, "Wh") },
	]} />`;

const Readings = ({ inverter: { readings } }) => html`<${Facts} rows=${[
	[t("reading.power"), number(readings.power, "W")],
	[t("reading.reactive_power"), number(readings.reactive_power, "var")],
	[t("reading.grid_voltage"), number(readings.grid_voltage, "V", 1)],
	[t("reading.grid_current"), number(readings.grid_current, "A", 2)],
	[t("reading.grid_frequency"), number(readings.grid_frequency, "Hz", 2)],
	[t("reading.temperature"), number(readings.temperature, "°C", 1)],
	[t("reading.energy_today"), scaled(readings.energy_today, "Wh")],
	[t("reading.energy"), scaled(readings.energy, "Wh")],
	readings.enter_service > 0 && [t("reading.enter_service"), duration(readings.enter_service)],
]} />`;

const RadioLink = ({ inverter: { link: radio, seen_ms: seen, cadence_s: cadence } }) => html`<${Facts} rows=${[
	[t("inverter.link"), html`<${LinkChip} link=${radio.state} />`],
	[t("inverter.seen"), ago(seen)],
	[t("link.quality"), number(radio.quality_percent, "%")],
	[t("link.cadence"), number(cadence, "s")],
	[t("link.replies"), `${number(radio.replies)} / ${number(radio.polls)}`],
	[t("link.timeouts"), number(radio.timeouts)],
	[t("link.forged"), number(radio.forged)],
	[t("link.round_trip"), number(radio.round_trip_ms, "ms")],
]} />`;

const profileState = ({ actual, wanted, applied }) =>
	wanted === null || wanted === actual ? (applied === false ? t("profile.not_applied") : t("profile.read_back")) : t("profile.differs");

const Profile = ({ inverter: { profile } }) => html`<${Facts} rows=${[
	[t("profile.actual"), profile.actual ?? t("state.unknown")],
	[t("profile.wanted"), profile.wanted ?? t("profile.any")],
	[t("profile.state"), profileState(profile)],
]} />`;

const Edit = ({ inverter }) => html`<${Form} submit=${t("action.save")} done=${t("action.saved")}
	act=${(values) => put(`/inverters/${inverter.serial}`, values)}>
	<${Field} label=${t("inverter.name")} name="name" maxlength="63" initial=${inverter.name} />
	<${Field} label=${t("inverter.phase")} name="phase" kind="select" initial=${inverter.phase}>
		${PHASES.map((each) => html`<option value=${each}>${word("phase", each)}</option>`)}<//><//>`;

function Control({ inverter, installer }) {
	const [state, send] = useOrder(inverter.serial);
	return html`<section class="card"><h2>${t("inverter.control")}</h2>
		<div class="buttons">
			<${Ask} danger label=${t("command.stop")} question=${t("command.stop_ask", { inverter: inverterName(inverter) })}
				act=${() => send({ command: "stop" })} />
			<${Act} label=${t("command.start")} act=${() => send({ command: "start" })} />
			<${Act} label=${t("command.identify")} act=${() => send({ command: "identify" })} />
			${inverter.rma && html`<${Act} label=${t("command.confirm")} act=${() => send({ command: "confirm" })} />`}
		</div>
		<p class="muted">${t("command.identify_hint")}</p>${state}
		<h3>${t("limit.title")}</h3><${LimitForm} rated=${inverter.rated_w} act=${(limit) => send({ command: "limit", ...limit })} />
		<div class="buttons"><${Act} label=${t("limit.remove")} act=${() => send({ command: "limit", w: null })} /></div>
		${installer && html`<h3>${t("profile.title")}</h3><${Form} submit=${t("profile.use")}
			act=${(values) => send({ command: "profile", profile: values.profile })}>
			<${Field} label=${t("profile.name")} hint=${t("profile.hint")} name="profile" required maxlength="63"
				initial=${inverter.profile.actual ?? ""} /><//>`}</section>`;
}

export function Inverter({ args }) {
	const state = useStore(live);
	useClock(5);
	const inverter = inverterOf(state, args[0]);
	if (!inverter)
		return html`<${Title} text=${t("inverters.title")} />${args[0] && html`<div class="notice warn"><p>${t("inverter.absent", { serial: args[0] })}</p></div>`}
			<section class="card"><${InverterTable} inverters=${state.inverters} /></section>`;
	const control = mayControl(state);
	return html`<${Title} text=${inverterName(inverter)} />
		<div class="buttons"><${StateChip} state=${inverter.state} /><${Led} text=${inverter.led} />
			<a href=${link("history", inverter.serial)}>${t("history.title")}</a></div>
		<${Faults} inverter=${inverter} control=${control} />
		<div class="columns">
			<section class="card"><h2>${t("inverter.readings")}</h2><${Readings} inverter=${inverter} /></section>
			<section class="card"><${Modules} inverter=${inverter} /></section>
			<section class="card"><h2>${t("inverter.link_title")}</h2><${RadioLink} inverter=${inverter} /></section>
			<section class="card"><h2>${t("limit.title")}</h2><${LimitFacts} limit=${inverter.limit} /></section>
			<section class="card"><h2>${t("inverter.identity")}</h2><${Facts} rows=${[
				[t("inverter.serial"), inverter.serial], [t("inverter.model"), inverter.model || t("state.unknown")],
				[t("inverter.make"), word("make", inverter.make)], [t("inverter.firmware"), inverter.firmware ?? t("state.unknown")],
				[t("inverter.phase"), word("phase", inverter.phase)], [t("inverter.rated"), scaled(inverter.rated_w, "W")],
				[t("inverter.modbus"), inverter.modbus_unit], inverter.rma && [t("inverter.rma"), inverter.rma],
			]} /></section>
			<section class="card"><h2>${t("profile.title")}</h2><${Profile} inverter=${inverter} /></section>
		</div>
		${control && html`<${Control} inverter=${inverter} installer=${isInstaller(state)} />
			<section class="card"><h2>${t("inverter.edit")}</h2><${Edit} inverter=${inverter} />
				<${Ask} danger label=${t("inverter.remove")} question=${t("inverter.remove_ask", { inverter: inverterName(inverter) })}
					act=${async () => {
						changeOrder(await remove(`/inverters/${inverter.serial}`));
						go("inverter");
					}} /></section>`}
		<section class="card"><h2>${t("events.title")}</h2><${EventList} serial=${inverter.serial} /></section>
		<p class="muted">${t("inverter.time", { time: dateTime(inverter.seen_ms) })}</p>`;
}
