// SPDX-License-Identifier: GPL-2.0-or-later
/* What happened, in plain words, and what to do. */
import { html, useEffect, useState } from "/vendor/preact.js";
import { get } from "../lib/api.js";
import { dateTime, t, word } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Check, Chip, Failure, Field, Loading } from "../parts/basics.js";
import { SEVERITY_KIND } from "../parts/inverter.js";
import { Title } from "../parts/shell.js";
import { inverterName, live } from "./live.js";
import { eventAdvice, eventDetail, eventText } from "./words.js";

const PAGE = 100;

const EventItem = ({ event }) => html`<li><div class="buttons"><${Chip} kind=${SEVERITY_KIND[event.severity]}>
		${word("severity", event.severity)}<//>
		<strong>${eventText(event)}</strong>
		${event.serial && html`<a href=${link("inverter", event.serial)}>${event.serial}</a>`}
		<time class="muted" datetime=${new Date(event.time_ms).toISOString()}>${dateTime(event.time_ms)}</time></div>
	${eventDetail(event) && html`<p class="muted" lang="en">${eventDetail(event)}</p>`}
	${eventAdvice(event) && html`<p>${t("event.todo")} ${eventAdvice(event)}</p>`}</li>`;

/** Events of the site or of one inverter, newest first, with those that come meanwhile. */
export function EventList({ serial }) {
	const [logs, setLogs] = useState(false);
	const { newest } = useStore(live);
	const [list, setList] = useState({ events: null, next: null });
	const [error, setError] = useState(null);
	const load = (before) => get("/events", { limit: PAGE, before, serial: serial || undefined })
		.then((page) => setList((old) => ({ events: before ? [...old.events, ...page.events] : page.events, next: page.next })))
		.catch(setError);
	useEffect(() => {
		load();
	}, [serial, newest?.id]);
	if (!list.events)
		return html`<${Failure} error=${error} />${!error && html`<${Loading} />`}`;
	const shown = list.events.filter((event) => logs || event.kind !== "inverter");
	return html`<${Failure} error=${error} />
		<div class="buttons"><${Check} label=${t("events.logs")} checked=${logs} onChange=${(event) => setLogs(event.target.checked)} /></div>
		<ul class="plain">${shown.map((event) => html`<${EventItem} key=${event.id} event=${event} />`)}</ul>
		${!shown.length && html`<p class="muted">${t("events.none")}</p>`}
		${list.next !== null && html`<button type="button" onClick=${() => load(list.next)}>${t("events.older")}</button>`}`;
}

export function Events() {
	const { inverters } = useStore(live);
	const [serial, setSerial] = useState("");
	return html`<${Title} text=${t("events.title")} />
		<div class="inline"><${Field} label=${t("events.of")} kind="select" value=${serial}
			onChange=${(event) => setSerial(event.target.value)}><option value="">${t("history.site")}</option>
			${inverters.map((each) => html`<option value=${each.serial}>${inverterName(each)}</option>`)}<//></div>
		<section class="card"><${EventList} serial=${serial} /></section>`;
}
