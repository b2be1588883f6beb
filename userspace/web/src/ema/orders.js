// SPDX-License-Identifier: GPL-2.0-or-later
/* Orders to a site: sent with a time to live, shown until each inverter has confirmed. */
import { html } from "/vendor/preact.js";
import { post } from "../lib/api.js";
import { dateTime, t, word } from "../lib/texts.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Act, Answer, Ask, Chip, Field, Form } from "../parts/basics.js";
import { LimitForm } from "../parts/limit.js";
import { ORDER_KIND } from "../parts/inverter.js";
import { changeOrder, live, may } from "./live.js";

const SHOWN = 10;
/* What the service orders ends by itself. */
const STOP_S = 86400;

const Order = ({ order }) => html`<li><div class="buttons"><${Chip} kind=${ORDER_KIND[order.state]}>${word("order", order.state)}<//>
		<strong>${word("command", order.command)}</strong> ${order.serial ?? t("history.site")}
		<span class="muted">${order.by} · ${dateTime(order.issued_ms)}</span></div>
	${order.results.length > 0 && html`<details><summary>${t("order.results", { n: order.results.length })}</summary><ul>
		${order.results.map((each) => html`<li>${each.serial ?? t("history.site")}: ${word("order", each.state)}
			<span lang="en">${each.text}</span></li>`)}</ul></details>`}</li>`;

/** The control of a site or of one of its inverters. */
export function Control({ site, serial }) {
	const state = useStore(live);
	const orders = useGet(`/sites/${site}/commands`, { limit: SHOWN });
	const send = async (command, values = {}) => {
		changeOrder(await post(`/sites/${site}/commands`, { command, serial: serial ?? null, arguments: values }));
		orders.reload();
	};
	const known = (list) => list.map((order) => state.orders.get(order.id) ?? order)
		.filter((order) => !serial || order.serial === serial);
	return html`${may(state, "control") && html`<div class="buttons">
			<${Ask} danger label=${serial ? t("command.stop") : t("command.stop_site")} act=${() => send("stop", { lease_s: STOP_S })}
				question=${`${serial ? t("command.stop_ask", { inverter: serial }) : t("command.stop_site_ask")} ${t("command.stop_day")}`} />
			<${Act} label=${serial ? t("command.start") : t("command.start_site")} act=${() => send("start")} />
			<${Ask} danger label=${t("fault.clear")} question=${t("fault.clear_ask")} act=${() => send("clear", { fault: "GFDI" })} />
			${serial && html`<${Act} label=${t("command.identify")} act=${() => send("identify")} />`}</div>
		<h3>${t("limit.title")}</h3><${LimitForm} leased act=${(limit) => send("limit", limit)} />
		<div class="buttons"><${Act} label=${t("limit.remove")} act=${() => send("limit", { w: null })} /></div>
		${may(state, "profile") && html`<h3>${t("profile.title")}</h3><${Form} submit=${t("profile.use")} act=${(values) => send("profile", { name: values.name })}>
			<${Field} label=${t("profile.name")} hint=${t("profile.hint")} name="name" required maxlength="63" /><//>`}`}
		<h3>${t("order.title")}</h3>
		<${Answer} from=${orders}>${({ orders: list }) => known(list).length ?
			html`<ul class="plain">${known(list).map((order) => html`<${Order} key=${order.id} order=${order} />`)}</ul>` :
			html`<p class="muted">${t("order.none")}</p>`}<//>`;
}
