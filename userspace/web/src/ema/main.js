// SPDX-License-Identifier: GPL-2.0-or-later
/* The pages of the monitoring service. */
import { html, render, useEffect, useState } from "/vendor/preact.js";
import { remove } from "../lib/api.js";
import { loadTexts, t, word } from "../lib/texts.js";
import { go, useRoute } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Act, Failure, Loading } from "../parts/basics.js";
import { Entrance } from "../parts/access.js";
import { Shell } from "../parts/shell.js";
import { Alarms } from "./alarms.js";
import { Compare } from "./compare.js";
import { Fleet } from "./fleet.js";
import { live, may, start, stop } from "./live.js";
import { Module } from "./module.js";
import { Audit, People } from "./people.js";
import { Site } from "./site.js";

/* @hidden: reached by links, not from the navigation; @right: needed to see it */
const PAGES = [
	{ name: "fleet", component: Fleet },
	{ name: "alarms", component: Alarms },
	{ name: "compare", component: Compare },
	{ name: "people", component: People },
	{ name: "audit", component: Audit, right: "edit" },
	{ name: "site", component: Site, hidden: "fleet" },
	{ name: "module", component: Module, hidden: "fleet" },
];

function Foot({ identity }) {
	const leave = async () => {
		await remove("/session");
		stop();
		await start();
	};
	return html`<div>${identity.name} <span class="muted">${[word("role", identity.role), identity.tenant_name].filter(Boolean).join(", ")}</span></div>
		${may({ identity }, "edit") && html`<a href="/app/">${t("shell.app")}</a>`}
		<${Act} label=${t("access.leave")} act=${leave} />`;
}

/* The path that creates a user by a code: the first one, or a customer who takes a site over. */
function firstPath(identity, route) {
	if (identity.setup)
		return "/setup";
	return route.name === "handover" ? "/handover" : null;
}

function App() {
	const { identity, error } = useStore(live);
	const route = useRoute();
	const [, setLanguageTurn] = useState(0);
	const translated = () => setLanguageTurn((n) => n + 1);
	useEffect(() => {
		start();
	}, []);
	if (error)
		return html`<main class="alone"><h1>qs1 EMA</h1><${Failure} error=${error} /></main>`;
	if (!identity)
		return html`<main class="alone"><h1>qs1 EMA</h1><${Loading} /></main>`;
	const first = firstPath(identity, route);
	if (first || !identity.name)
		return html`<${Entrance} first=${first} title="qs1 EMA" code=${first === "/handover" ? route.args[0] : ""}
			codeHint=${t(first === "/handover" ? "access.code_handover" : "access.code_ema")} onLanguage=${translated} onEntered=${async () => {
				await start();
				go("fleet");
			}} />`;
	const pages = PAGES.filter((page) => !page.right || may({ identity }, page.right));
	const page = pages.find((each) => each.name === route.name) ?? pages[0];
	const menu = pages.filter((each) => !each.hidden).map((each) => ({ name: each.name, title: t(`${each.name}.title`) }));
	return html`<${Shell} brand=${identity.tenant_name || "qs1 EMA"} pages=${menu} current=${page.hidden ?? page.name} onLanguage=${translated}
		foot=${html`<${Foot} identity=${identity} />`}><${page.component} key=${page.name + route.args.join()} args=${route.args} /><//>`;
}

await loadTexts();
render(html`<${App} />`, document.getElementById("app"));
