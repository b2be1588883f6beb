// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may do what, on both services: login, first use, users, tokens. */
import { html, useState } from "/vendor/preact.js";
import { post, remove } from "../lib/api.js";
import { date, dateTime, t, word } from "../lib/texts.js";
import { useGet } from "../lib/hooks.js";
import { Answer, Ask, Check, Field, Form, Table } from "./basics.js";
import { Language } from "./shell.js";

const PASSWORD_MIN = 10;

const NewPassword = ({ name = "password", label }) => html`<${Field} label=${label ?? t("access.password")} name=${name}
	type="password" autocomplete="new-password" required minlength=${PASSWORD_MIN} maxlength="256"
	hint=${t("access.password_hint", { n: PASSWORD_MIN })} />`;

/** The page before a login. @setup: nobody exists; ask for the first-use code. */
export function Entrance({ setup, title, onEntered, onLanguage, codeHint, children }) {
	const enter = async (values) => {
		await post(setup ? "/setup" : "/session", values);
		await onEntered();
	};
	return html`<main class="alone"><h1>${setup ? t("access.first") : t("access.login")}</h1><p class="muted">${title}</p>
		<${Form} act=${enter} submit=${setup ? t("access.create") : t("access.enter")}>
			${setup && html`<${Field} label=${t("access.code")} hint=${codeHint} name="code" required maxlength="16"
				autocapitalize="characters" autocomplete="off" spellcheck="false" />`}
			<${Field} label=${t("access.name")} name="name" required maxlength="63" autocomplete="username" />
			${setup ? html`<${NewPassword} />` : html`<${Field} label=${t("access.password")} name="password" type="password" required
				maxlength="256" autocomplete="current-password" />`}<//>${children}
		<p><${Language} onChange=${onLanguage} /></p></main>`;
}

const RoleField = ({ roles }) => html`<${Field} label=${t("access.role")} name="role" kind="select">
	${roles.map((each) => html`<option value=${each}>${word("role", each)}</option>`)}<//>`;

export function Users({ roles }) {
	const users = useGet("/users");
	const add = async (values, form) => {
		await post("/users", values);
		form.reset();
		users.reload();
	};
	return html`<section class="card"><h2>${t("access.users")}</h2>
		<${Answer} from=${users}>${({ users: list }) => html`<${Table} caption=${t("access.users")} rows=${list} id=${(each) => each.id} columns=${[
			{ title: t("access.name"), cell: (each) => each.name },
			{ title: t("access.role"), cell: (each) => word("role", each.role) },
			{ title: t("access.created"), cell: (each) => date(each.created_ms) },
			{ title: t("action.title"), cell: (each) => html`<${Ask} danger label=${t("action.remove")}
				question=${t("access.remove_ask", { name: each.name })} act=${async () => {
					await remove(`/users/${each.id}`);
					users.reload();
				}} />` },
		]} />`}<//>
		<h3>${t("access.add_user")}</h3>
		<${Form} act=${add} submit=${t("action.add")} done=${t("action.saved")}>
			<${Field} label=${t("access.name")} name="name" required maxlength="63" autocomplete="off" />
			<${RoleField} roles=${roles} /><${NewPassword} /><//></section>`;
}

export function Tokens({ roles }) {
	const tokens = useGet("/tokens");
	const [made, setMade] = useState(null);
	const add = async (values) => {
		setMade((await post("/tokens", { ...values, days: values.days ?? 365 })).token);
		tokens.reload();
	};
	return html`<section class="card"><h2>${t("access.tokens")}</h2><p>${t("access.tokens_hint")}</p>
		<${Answer} from=${tokens}>${({ tokens: list }) => html`<${Table} caption=${t("access.tokens")} rows=${list} id=${(each) => each.id} columns=${[
			{ title: t("access.token_name"), cell: (each) => each.name },
			{ title: t("access.role"), cell: (each) => `${word("role", each.role)}${each.read_only ? `, ${t("access.read_only")}` : ""}` },
			{ title: t("access.expires"), cell: (each) => date(each.expires_ms) },
			{ title: t("action.title"), cell: (each) => html`<${Ask} danger label=${t("action.revoke")}
				question=${t("access.revoke_ask", { name: each.name })} act=${async () => {
					await remove(`/tokens/${each.id}`);
					tokens.reload();
				}} />` },
		]} />`}<//>
		${made && html`<div class="notice ok" role="status"><p>${t("access.token_once")}</p><p><code>${made}</code></p></div>`}
		<h3>${t("access.add_token")}</h3>
		<${Form} act=${add} submit=${t("action.add")}>
			<${Field} label=${t("access.token_name")} name="name" required maxlength="63" />
			<${RoleField} roles=${roles} />
			<${Field} label=${t("access.days")} name="days" type="number" min="1" max="3650" value="365" />
			<${Check} label=${t("access.read_only")} name="read_only" /><//></section>`;
}

export const OwnPassword = () => html`<section class="card"><h2>${t("access.own_password")}</h2>
	<${Form} act=${(values) => post("/session/password", values)} submit=${t("action.save")} done=${t("access.password_changed")}>
		<${Field} label=${t("access.current")} name="current" type="password" required autocomplete="current-password" />
		<${NewPassword} label=${t("access.new_password")} /><//></section>`;

/** The audit log, newest first. */
export function AuditLog() {
	const [before, setBefore] = useState(undefined);
	const audit = useGet("/audit", { limit: 100, before });
	return html`<section class="card"><${Answer} from=${audit}>${({ entries, next }) => html`
		<${Table} caption=${t("audit.title")} rows=${entries} id=${(each) => each.id} columns=${[
			{ title: t("chart.time"), cell: (each) => html`<time datetime=${new Date(each.time_ms).toISOString()}>${dateTime(each.time_ms)}</time>` },
			{ title: t("audit.who"), cell: (each) => html`${each.who} <span class="muted">${word("role", each.role)}</span>` },
			{ title: t("audit.from"), cell: (each) => `${each.interface} ${each.from}` },
			{ title: t("audit.action"), cell: (each) => `${each.action} ${each.target} ${each.detail}` },
			{ title: t("audit.result"), cell: (each) => each.result },
		]} />
		<div class="buttons">${before !== undefined && html`<button type="button" onClick=${() => setBefore(undefined)}>${t("audit.newest")}</button>`}
			${next !== null && html`<button type="button" onClick=${() => setBefore(next)}>${t("events.older")}</button>`}</div>`}<//></section>`;
}

