// SPDX-License-Identifier: GPL-2.0-or-later
/* Users and roles, customers, tokens, one's own password, the audit log. */
import { html, useState } from "/vendor/preact.js";
import { post, remove } from "../lib/api.js";
import { number, t, word } from "../lib/texts.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Answer, Ask, Field, Form, Table } from "../parts/basics.js";
import { AuditLog, OwnPassword, Tokens, Users } from "../parts/access.js";
import { Title } from "../parts/shell.js";
import { Incomplete } from "./incomplete.js";
import { live, may } from "./live.js";

/* Roles that each role may give, as the service allows it. */
const GIVES = { owner: ["viewer", "owner"], installer: ["viewer", "installer"], operator: ["viewer", "installer", "owner", "operator"] };

function Tenants() {
	const state = useStore(live);
	const tenants = useGet("/tenants");
	const [gone, setGone] = useState(null);
	return html`<section class="card"><h2>${t("tenants.title")}</h2>
		<${Answer} from=${tenants}>${({ tenants: list, missing_shards: missing }) => html`<${Incomplete} missing=${missing} /><${Table} caption=${t("tenants.title")} rows=${list} id=${(each) => each.id} columns=${[
			{ title: t("access.name"), cell: (each) => each.name },
			{ title: t("tenants.kind"), cell: (each) => word("tenant", each.kind) },
			{ title: t("fleet.sites"), num: true, cell: (each) => number(each.sites) },
			...(may(state, "remove") ? [{ title: t("action.title"), cell: (each) => html`<${Ask} danger label=${t("action.remove")}
				question=${t("tenants.remove_ask", { name: each.name, n: each.sites })} act=${async () => {
					setGone({ ...await remove(`/tenants/${each.id}`), name: each.name });
					tenants.reload();
				}} />` }] : []),
		]} />`}<//>
		${gone && html`<div class="notice ok" role="status"><p>${t("tenants.gone", gone)}</p>
			<p>${gone.key_destroyed ? t("tenants.key_gone") : t("tenants.key_left")}</p></div>`}
		${may(state, "tenants") && html`<h3>${t("tenants.add")}</h3><${Form} submit=${t("action.add")} done=${t("action.saved")} act=${async (values, form) => {
			await post("/tenants", values);
			form.reset();
			tenants.reload();
		}}><${Field} label=${t("access.name")} name="name" required maxlength="120" />
			<${Field} label=${t("tenants.kind")} name="kind" kind="select"><option value="customer">${word("tenant", "customer")}</option>
				<option value="company">${word("tenant", "company")}</option><//><//>`}</section>`;
}

export function People() {
	const state = useStore(live);
	return html`<${Title} text=${t("people.title")} />
		${may(state, "edit") && html`<${Users} roles=${GIVES[state.identity.role]} /><${Tenants} /><${Tokens} roles=${null} secret="secret" />`}
		<${OwnPassword} current="old" />`;
}

export const Audit = () => html`<${Title} text=${t("audit.title")} /><${AuditLog} />`;
