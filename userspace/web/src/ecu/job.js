// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A job of the installer's app in this page's address, for a site without network. Nothing happens before a
 * person with the right to install has seen it and said so.
 */
import { html, useState } from "/vendor/preact.js";
import { post } from "../lib/api.js";
import { t } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Act } from "../parts/basics.js";
import { serialOf } from "../parts/labels.js";
import { Title } from "../parts/shell.js";
import { savePlaces } from "./install.js";
import { changeOrder, live } from "./live.js";
import { OrderState } from "./orders.js";

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

export function Job({ args }) {
	const { inverters } = useStore(live);
	const [orders, setOrders] = useState([]);
	const job = jobOf(args[0] ?? "");
	if (!job)
		return html`<${Title} text=${t("job.title")} /><div class="notice bad"><p>${t("job.none")}</p></div>`;
	const known = inverters.map((each) => each.serial);
	const labels = job.labels.filter((label) => !known.includes(serialOf(label)));
	const ready = job.places.filter((each) => known.includes(each.serial));
	return html`<${Title} text=${t("job.title")} /><p>${t("job.explained")}</p>
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
