// SPDX-License-Identifier: GPL-2.0-or-later
/* Alarms with their rules and where they are sent. */
import { html, useState } from "/vendor/preact.js";
import { post, put } from "../lib/api.js";
import { dateTime, hasText, t, word } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Act, Answer, Check, Chip, Field, Form } from "../parts/basics.js";
import { SEVERITY_KIND } from "../parts/inverter.js";
import { Title } from "../parts/shell.js";
import { Incomplete } from "./incomplete.js";
import { live, may } from "./live.js";

const SEVERITIES = ["info", "warning", "alarm"];

const advice = (alarm) => hasText(`rule.${alarm.rule}.do`) ? t(`rule.${alarm.rule}.do`) : alarm.advice;

const Alarm = ({ alarm, onChange }) => html`<li><div class="buttons">
		<${Chip} kind=${alarm.end_ms === null ? SEVERITY_KIND[alarm.severity] : ""}>${alarm.end_ms === null ? word("severity", alarm.severity) : t("alarm.ended")}<//>
		<strong>${word("rule", alarm.rule)}</strong>
		<a href=${link("site", alarm.site)}>${alarm.site_name}</a>
		${alarm.serial && html`<a href=${link("module", alarm.site, alarm.serial, alarm.input ?? 1)}>${alarm.serial}${alarm.input ? ` · ${alarm.input}` : ""}</a>`}
		<span class="muted">${dateTime(alarm.begin_ms)}${alarm.end_ms !== null && ` – ${dateTime(alarm.end_ms)}`}</span></div>
	<p class="muted" lang="en">${alarm.text}</p>
	<p>${t("event.todo")} ${advice(alarm)}</p>
	${alarm.acknowledged_ms !== null ? html`<p class="muted">${t("alarm.acknowledged", { who: alarm.acknowledged_by ?? "", time: dateTime(alarm.acknowledged_ms) })}</p>` :
		onChange && html`<div class="buttons"><${Act} label=${t("alarm.acknowledge")} act=${async () => {
			await post(`/alarms/${alarm.id}/acknowledge`);
			onChange();
		}} /></div>`}</li>`;

/** Alarms of all sites, or of one. */
export function AlarmList({ site }) {
	const state = useStore(live);
	const [active, setActive] = useState(true);
	const answer = useGet("/alarms", { active: active || undefined, site, limit: 100, turn: state.alarms || undefined });
	return html`<div class="buttons"><${Check} label=${t("alarm.active")} checked=${active} onChange=${(event) => setActive(event.target.checked)} /></div>
		<${Answer} from=${answer}>${({ alarms, missing_shards: missing }) => html`<${Incomplete} missing=${missing} />${alarms.length ? html`<ul class="plain">${alarms.map((alarm) => html`<${Alarm} key=${alarm.id}
			alarm=${alarm} onChange=${may(state, "edit") && answer.reload} />`)}</ul>` : html`<p class="muted">${t("alarm.none")}</p>`}`}<//>`;
}

const Rule = ({ rule, onChange }) => html`<li><h3>${word("rule", rule.name)}</h3><p class="muted" lang="en">${rule.description}</p>
	<${Form} submit=${t("action.save")} done=${t("action.saved")} act=${async (values) => {
		await put(`/rules/${rule.name}`, { enabled: values.enabled, delay_min: values.delay_min,
			threshold: values.threshold ?? rule.threshold });
		onChange();
	}}><div class="inline"><${Check} label=${t("rule.enabled")} name="enabled" initial=${rule.enabled} />
		${rule.threshold_unit && html`<${Field} label=${t("rule.threshold", { unit: rule.threshold_unit })} name="threshold" type="number" step="any"
			min=${rule.threshold_min} max=${rule.threshold_max} initial=${rule.threshold} required />`}
		<${Field} label=${t("rule.delay")} name="delay_min" type="number" min="0" max="10080" initial=${rule.delay_min} required /></div><//></li>`;

const clock = (minutes) => minutes === null ? "" : `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const minutesOf = (text) => text ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5)) : null;

const Notifications = ({ value }) => html`<${Form} submit=${t("action.save")} done=${t("action.saved")} act=${(values) => put("/notifications", {
		emails: values.emails.split(/[\s,]+/).filter(Boolean), webhook: values.webhook || null, min_severity: values.min_severity,
		quiet_from_min: minutesOf(values.quiet_from), quiet_to_min: minutesOf(values.quiet_to) })}>
	<${Field} label=${t("notify.emails")} hint=${t("notify.emails_hint")} name="emails" kind="textarea" rows="3" initial=${value.emails.join("\n")} />
	<${Field} label=${t("notify.webhook")} hint=${t("notify.webhook_hint")} name="webhook" type="url" initial=${value.webhook ?? ""} />
	<${Field} label=${t("notify.severity")} name="min_severity" kind="select" initial=${value.min_severity}>
		${SEVERITIES.map((each) => html`<option value=${each}>${word("severity", each)}</option>`)}<//>
	<div class="inline"><${Field} label=${t("notify.quiet_from")} name="quiet_from" type="time" initial=${clock(value.quiet_from_min)} />
		<${Field} label=${t("notify.quiet_to")} name="quiet_to" type="time" initial=${clock(value.quiet_to_min)} /></div>
	<p class="muted">${t("notify.quiet_hint")}</p><//>`;

function Rules() {
	const rules = useGet("/rules");
	const notifications = useGet("/notifications");
	return html`<section class="card"><h2>${t("notify.title")}</h2>
			<${Answer} from=${notifications}>${(value) => html`<${Notifications} value=${value} />`}<//></section>
		<section class="card"><h2>${t("rule.title")}</h2><${Answer} from=${rules}>${({ rules: list }) => html`<ul class="plain">
			${list.map((rule) => html`<${Rule} key=${rule.name} rule=${rule} onChange=${rules.reload} />`)}</ul>`}<//></section>`;
}

export function Alarms() {
	const state = useStore(live);
	return html`<${Title} text=${t("alarms.title")} /><section class="card"><${AlarmList} /></section>
		${may(state, "edit") && html`<${Rules} />`}`;
}
