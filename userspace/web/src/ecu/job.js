// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A job of the installer's app in this page's address, for a site without network. One that the monitoring
 * service has signed gives the right by itself, once; another needs a person with the right to install. Nothing
 * happens before a person has seen it and said so.
 */
import { html, useEffect, useState } from "/vendor/preact.js";
import { post } from "../lib/api.js";
import { dateTime, t, word } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Act, Chip, Failure, Loading } from "../parts/basics.js";
import { ORDER_KIND } from "../parts/inverter.js";
import { serialOf } from "../parts/labels.js";
import { Title } from "../parts/shell.js";
import { savePlaces } from "./install.js";
import { changeOrder, live } from "./live.js";
import { OrderState } from "./orders.js";

/* A signed job is asked for this often while its orders are under way. */
const PERIOD_MS = 2000;
const FINAL = ["confirmed", "refused", "expired", "unconfirmed"];

/** Payload and signature have a dot between them. */
export const isSigned = (code) => code?.includes(".") ?? false;

/** The job in an address: {labels, places}; null if it is none. */
function jobOf(code) {
	try {
		const text = atob(code.replaceAll("-", "+").replaceAll("_", "/"));
		const job = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0))));
		return Array.isArray(job.labels) && Array.isArray(job.places) && job.labels.every(serialOf) ? job : null;
	} catch {
		return null;
	}
}

const SignedOrder = ({ order }) => html`<li><${Chip} kind=${ORDER_KIND[order.state]}>${word("order", order.state)}<//>
	${word("command", order.command)} ${order.serial ?? ""} ${order.message && html`<span class="muted" lang="en">${order.message}</span>`}</li>`;

/** What a signed job will do, the button that does it, and what became of it. */
export function SignedJob({ code }) {
	const [{ view, error }, setAnswer] = useState({});
	const ask = (path) => post(path, { job: code }).then((answer) => setAnswer({ view: answer }));
	const underWay = view?.done && !view.orders.every((order) => FINAL.includes(order.state));
	useEffect(() => {
		ask("/jobs/check").catch((reason) => setAnswer({ error: reason }));
	}, [code]);
	useEffect(() => {
		const timer = underWay ? setInterval(() => ask("/jobs/check").catch(() => {}), PERIOD_MS) : null;
		return () => clearInterval(timer);
	}, [underWay]);
	if (!view)
		return error ? html`<${Failure} error=${error} />` : html`<${Loading} />`;
	return html`<p>${t("job.signed", { by: view.by, role: word("role", view.role), date: dateTime(view.expires_ms) })}</p>
		<section class="card"><h2>${t("job.will")}</h2><ul>${view.labels.map((label) => html`<li>${t("command.pair")}: <code>${label.serial ?? "?"}</code>
				${label.known && html` ${t("job.known")}`}</li>`)}
			${view.places > 0 && html`<li>${t("job.will_place", { n: view.places })}</li>`}
			${view.commission && html`<li>${t("job.will_commission")}</li>`}</ul>
			${view.done ? html`<div class="notice" role="status"><p>${t("job.carried_out")}</p></div>` :
				html`<div class="buttons"><${Act} main label=${t("job.carry_out")} act=${() => ask("/jobs")} /></div>`}
			${view.orders.length > 0 && html`<ul class="plain">${view.orders.map((order) => html`<${SignedOrder} key=${order.id} order=${order} />`)}</ul>`}</section>`;
}

function UnsignedJob({ code }) {
	const { inverters } = useStore(live);
	const [orders, setOrders] = useState([]);
	const job = jobOf(code);
	if (!job)
		return html`<div class="notice bad"><p>${t("job.none")}</p></div>`;
	const known = inverters.map((each) => each.serial);
	const labels = job.labels.filter((label) => !known.includes(serialOf(label)));
	const ready = job.places.filter((each) => known.includes(each.serial));
	return html`<p>${t("job.explained")}</p>
		<section class="card"><h2>${t("install.labels")}</h2><ul>${job.labels.map((label) => html`<li><code>${serialOf(label)}</code>
			${known.includes(serialOf(label)) && html` ${t("job.paired")}`}</li>`)}</ul>
			${labels.length > 0 && html`<${Act} main label=${t("install.pair", { n: labels.length })} act=${async () => {
				const answer = await post("/pairing", { labels });
				answer.orders.forEach(changeOrder);
				setOrders(answer.orders);
			}} />`}
			${orders.map((order) => html`<${OrderState} key=${order.id} id=${order.id} />`)}</section>
		<section class="card"><h2>${t("install.places")}</h2><p>${t("job.places", { n: ready.length, all: job.places.length })}</p>
			${ready.length > 0 && html`<${Act} label=${t("placing.save")} done=${t("action.saved")} act=${() => savePlaces(ready)} />`}</section>
		<p><a href=${link("install")}>${t("install.title")}</a></p>`;
}

export function Job({ args }) {
	const code = args[0] ?? "";
	return html`<${Title} text=${t("job.title")} />${isSigned(code) ? html`<${SignedJob} code=${code} />` :
		html`<${UnsignedJob} code=${code} />`}`;
}
