// SPDX-License-Identifier: GPL-2.0-or-later
/* Set-up: who may read and write, services, users. */
import { html } from "/vendor/preact.js";
import { API, post, put } from "../lib/api.js";
import { ago, number, scaled, t } from "../lib/texts.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Answer, Check, Facts, Field, Form } from "../parts/basics.js";
import { AuditLog, OwnPassword, Tokens, Users } from "../parts/access.js";
import { Title } from "../parts/shell.js";
import { isOwner, live } from "./live.js";

const ROLES = ["viewer", "installer", "owner"];

const Services = ({ status: { uplink, meter, store, radio, ecu } }) => html`<section class="card"><h2>${t("settings.services")}</h2>
	<${Facts} rows=${[
		[t("settings.ecu"), [ecu.id, ecu.version, ecu.timezone].filter(Boolean).join(" · ")],
		[t("settings.radio"), radio.up ? t("settings.radio_up", { kind: radio.kind, channel: radio.channel, pan: radio.pan }) : t("now.radio_down")],
		[t("settings.ema"), uplink.time_ms === null ? t("settings.unused") : uplink.ok ? t("settings.ok_since", { time: ago(uplink.time_ms) }) : t("now.uplink_down", { n: uplink.outbox })],
		[t("settings.meter"), meter.time_ms === null ? t("settings.unused") : meter.ok ? t("settings.ok_since", { time: ago(meter.time_ms) }) : t("now.meter_lost")],
		[t("settings.store"), store.ok ? scaled(store.size_bytes, "B") : store.error],
	]} /><p class="muted">${t("settings.conf_hint")}</p></section>`;

const Rights = ({ settings, onChange }) => html`<${Form} submit=${t("action.save")} done=${t("action.saved")} act=${async (values) => {
		await put("/settings", { open_reads: values.open_reads, mqtt_commands: values.mqtt_commands,
			modbus_writers: values.modbus_writers.split(/[\s,]+/).filter(Boolean) });
		onChange();
	}}>
	<div class="field"><${Check} label=${t("settings.open_reads")} name="open_reads" initial=${settings.open_reads} /></div>
	<div class="field"><${Check} label=${t("settings.mqtt_commands")} name="mqtt_commands" initial=${settings.mqtt_commands} /></div>
	<${Field} label=${t("settings.modbus_writers")} hint=${t("settings.modbus_hint")} name="modbus_writers" kind="textarea" rows="3"
		initial=${settings.modbus_writers.join("\n")} /><//>`;

export function Settings() {
	const state = useStore(live);
	const settings = useGet("/settings");
	const label = useGet("/label");
	const owner = isOwner(state);
	return html`<${Title} text=${t("settings.title")} />
		<${Services} status=${state.status} />
		${owner && html`<section class="card"><h2>${t("settings.rights")}</h2>
			<${Answer} from=${settings}>${(value) => html`<${Rights} settings=${value} onChange=${settings.reload} />`}<//></section>
			<section class="card"><h2>${t("settings.cadence")}</h2><${Form} submit=${t("action.save")} done=${t("action.saved")}
				act=${(values) => post("/commands", { command: "cadence", period_s: values.period_s })}>
				<${Field} label=${t("settings.cadence_s")} hint=${t("settings.cadence_hint")} name="period_s" type="number" min="1" max="300" required
					initial=${state.inverters[0]?.cadence_s ?? 5} /><//></section>`}
		<section class="card"><h2>${t("settings.identity")}</h2><${Answer} from=${label}>${(value) => html`<${Facts} rows=${[
			[t("settings.id"), value.id], [t("settings.url"), value.url], [t("settings.fingerprint"), html`<code>${value.fingerprint}</code>`]]} />`}<//></section>
		${owner && html`<${Users} roles=${ROLES} /><${Tokens} roles=${ROLES} secret="token" />`}
		<${OwnPassword} current="current" />
		${owner && html`<section class="card"><h2>${t("settings.backup")}</h2><p>${t("settings.backup_hint")}</p>
			<a class="button" download href=${`${API}/backup`}>${t("settings.backup_get")}</a></section>`}
		<h2>${t("audit.title")}</h2><${AuditLog} />
		<p class="muted">${t("settings.units", { n: number(state.inverters.length) })}</p>`;
}
