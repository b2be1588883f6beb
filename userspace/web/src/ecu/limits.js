// SPDX-License-Identifier: GPL-2.0-or-later
/* All limits with their owners: the lowest is in force, each ends with its lease. */
import { html } from "/vendor/preact.js";
import { put } from "../lib/api.js";
import { dateTime, scaled, t, word } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Act, Answer, Ask, Chip, Table } from "../parts/basics.js";
import { LimitForm, ownerName } from "../parts/limit.js";
import { Title } from "../parts/shell.js";
import { changeOrder, live, mayControl } from "./live.js";
import { OrderState, useOrder } from "./orders.js";

/* The lowest limit of each place, the site or an inverter, is the one in force. */
const inForce = (limit, limits) => limits.every((each) => each.serial !== limit.serial || each.w >= limit.w);

const Stack = ({ limits }) => html`<${Table} caption=${t("limits.all")} rows=${limits} id=${(each) => `${each.owner}/${each.serial}`}
	empty=${t("limits.none")} columns=${[
		{ title: t("limit.scope"), cell: (each) => each.serial ? html`<a href=${link("inverter", each.serial)}>${each.serial}</a>` : t("history.site") },
		{ title: t("limit.owner"), cell: (each) => ownerName(each.owner) },
		{ title: t("limit.w"), num: true, cell: (each) => scaled(each.w, "W") },
		{ title: t("limit.state"), cell: (each) => inForce(each, limits) ? html`<${Chip} kind="ok">${t("limit.in_force")}<//>` : t("limit.overruled") },
		{ title: t("limit.until"), cell: (each) => each.until_ms === null ? t("limit.revoked") : dateTime(each.until_ms) },
		{ title: t("limit.then"), cell: (each) => each.then_w === null ? t("limit.none") : scaled(each.then_w, "W") },
		{ title: t("limit.reason"), cell: (each) => each.reason },
		{ title: t("limit.by"), cell: (each) => `${each.by}, ${dateTime(each.since_ms)}` },
	]} />`;

const Recent = ({ orders }) => html`<ul class="plain">${[...orders.values()].sort((a, b) => b.id - a.id).slice(0, 10)
	.map((order) => html`<li key=${order.id}><${OrderState} id=${order.id} />
		<span class="muted">${order.serial ?? t("history.site")} · ${order.by} · ${dateTime(order.issued_ms)}</span></li>`)}</ul>`;

export function Limits() {
	const state = useStore(live);
	const { status, orders, identity } = state;
	const changed = [...orders.values()].filter((each) => ["confirmed", "unconfirmed"].includes(each.state)).length;
	const limits = useGet("/limits", { changed });
	const [result, send] = useOrder(null);
	const own = async (values) => {
		changeOrder(await put(`/limits/${identity.role}`, values));
		limits.reload();
	};
	return html`<${Title} text=${t("limits.title")} />
		<p>${t("limits.explained")}</p>
		${status.export.text && html`<div class="notice"><p>${t("limits.export")} <span lang="en">${status.export.text}</span></p></div>`}
		<section class="card"><${Answer} from=${limits}>${({ limits: list }) => html`<${Stack} limits=${list} />`}<//></section>
		${mayControl(state) && html`<section class="card"><h2>${t("limits.own", { owner: ownerName(identity.role) })}</h2>
			<${LimitForm} act=${own} />
			<div class="buttons"><${Act} label=${t("limit.remove")} act=${() => own({ w: null })} />
				<${Ask} danger label=${t("command.stop_site")} question=${t("command.stop_site_ask")} act=${() => send({ command: "stop" })} />
				<${Act} label=${t("command.start_site")} act=${() => send({ command: "start" })} /></div>${result}</section>`}
		<section class="card"><h2>${t("limits.orders")}</h2>
			${orders.size ? html`<${Recent} orders=${orders} />` : html`<p class="muted">${word("order", "none")}</p>`}</section>`;
}
