// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may do what, on both services: login, first use, users, tokens. */
import { html, useState } from "/vendor/preact.js";
import { post, remove } from "../lib/api.js";
import { date, dateTime, t, word } from "../lib/texts.js";
import { useGet } from "../lib/hooks.js";
import { Answer, Ask, Check, Field, Form, Table } from "./basics.js";
import { Language } from "./shell.js";

const PASSWORD_MIN = 10;
const AUDIT_PAGE = 100;

const NewPassword = ({ name = "password", label }) => html`<${Field} label=${label ?? t("access.password")} name=${name}
	type="password" autocomplete="new-password" required minlength=${PASSWORD_MIN} maxlength="256"
	hint=${t("access.password_hint", { n: PASSWORD_MIN })} />`;

/**
 * The page before a login.
 * @first: path that takes a code and creates a user; null for a login
 * @code: filled in already
 */
export function Entrance({ first, title, onEntered, onLanguage, code, codeHint }) {
	const enter = async (values) => {
		await post(first ?? "/session", values);
		await onEntered();
	};
	return html`<main class="alone"><h1>${first ? t("access.first") : t("access.login")}</h1><p class="muted">${title}</p>
		<${Form} act=${enter} submit=${first ? t("access.create") : t("access.enter")}>
			${first && html`<${Field} label=${t("access.code")} initial=${code} hint=${codeHint} name="code" required maxlength="16"
				autocapitalize="characters" autocomplete="off" spellcheck="false" />`}
			<${Field} label=${t("access.name")} name="name" required maxlength="63" autocomplete="username" />
			${first ? html`<${NewPassword} />` : html`<${Field} label=${t("access.password")} name="password" type="password" required
				maxlength="256" autocomplete="current-password" />`}<//>
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

/** @roles: that a token may have; null where it has its maker's. @secret: name of the secret in the answer. */
export function Tokens({ roles, secret }) {
	const tokens = useGet("/tokens");
	const [made, setMade] = useState(null);
	const add = async (values) => {
		setMade((await post("/tokens", { ...values, days: values.days ?? 365 }))[secret]);
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
			${roles && html`<${RoleField} roles=${roles} />`}
			<${Field} label=${t("access.days")} name="days" type="number" min="1" max="3650" initial="365" />
			<${Check} label=${t("access.read_only")} name="read_only" /><//></section>`;
}

/** @current: name of the present password in the request */
export const OwnPassword = ({ current }) => html`<section class="card"><h2>${t("access.own_password")}</h2>
	<${Form} act=${(values) => post("/session/password", values)} submit=${t("action.save")} done=${t("access.password_changed")}>
		<${Field} label=${t("access.current")} name=${current} type="password" required autocomplete="current-password" />
		<${NewPassword} label=${t("access.new_password")} /><//></section>`;

/** The audit log, newest first. */
export function AuditLog() {
	const [before, setBefore] = useState(undefined);
	const audit = useGet("/audit", { limit: AUDIT_PAGE, before });
	/* An answer without a number to go on with ends when it is shorter than a page. */
	const older = ({ entries, next }) => next !== undefined ? next : entries.length === AUDIT_PAGE ? entries.at(-1).id : null;
	return html`<section class="card"><${Answer} from=${audit}>${(page) => html`
		<${Table} caption=${t("audit.title")} rows=${page.entries} id=${(each) => each.id} columns=${[
			{ title: t("chart.time"), cell: (each) => html`<time datetime=${new Date(each.time_ms).toISOString()}>${dateTime(each.time_ms)}</time>` },
			{ title: t("audit.who"), cell: (each) => html`${each.who} <span class="muted">${word("role", each.role)}</span>` },
			{ title: t("audit.from"), cell: (each) => `${each.interface} ${each.from}` },
			{ title: t("audit.action"), cell: (each) => `${each.action} ${each.target} ${each.detail}` },
			{ title: t("audit.result"), cell: (each) => each.result },
		]} />
		<div class="buttons">${before !== undefined && html`<button type="button" onClick=${() => setBefore(undefined)}>${t("audit.newest")}</button>`}
			${older(page) !== null && html`<button type="button" onClick=${() => setBefore(older(page))}>${t("events.older")}</button>`}</div>`}<//></section>`;
}

