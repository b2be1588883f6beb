// SPDX-License-Identifier: GPL-2.0-or-later
/* The ECU's pages. */
import { html, render, useEffect, useState } from "/vendor/preact.js";
import { remove } from "../lib/api.js";
import { loadTexts, t, word } from "../lib/texts.js";
import { useRoute } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Act, Failure, Loading } from "../parts/basics.js";
import { Entrance } from "../parts/access.js";
import { Shell } from "../parts/shell.js";
import { Events } from "./events.js";
import { History } from "./history.js";
import { Install } from "./install.js";
import { Inverter } from "./inverter.js";
import { Job, SignedJob, isSigned } from "./job.js";
import { Limits } from "./limits.js";
import { live, mayControl, start, stop } from "./live.js";
import { Now } from "./now.js";
import { Settings } from "./settings.js";

/* Pages in the order of the navigation; @control: only for who may change something; @hidden: reached by links. */
const PAGES = [
	{ name: "now", component: Now },
	{ name: "history", component: History },
	{ name: "events", component: Events },
	{ name: "inverter", component: Inverter },
	{ name: "limits", component: Limits },
	{ name: "install", component: Install, control: true },
	{ name: "settings", component: Settings, control: true },
	{ name: "job", component: Job, hidden: true },
];

const PAGE_TITLES = { inverter: "inverters.title" };

function Foot({ identity, onLogin }) {
	const leave = async () => {
		await remove("/session");
		stop();
		await start();
	};
	return identity.logged_in ? html`<div>${identity.name} <span class="muted">${word("role", identity.role)}</span></div>
		<${Act} label=${t("access.leave")} act=${leave} />` : html`<button type="button" onClick=${onLogin}>${t("access.enter")}</button>`;
}

function App() {
	const state = useStore(live);
	const route = useRoute();
	const [, setLanguageTurn] = useState(0);
	const [entering, setEntering] = useState(false);
	const translated = () => setLanguageTurn((n) => n + 1);
	useEffect(() => {
		start();
	}, []);
	if (state.error)
		return html`<main class="alone"><h1>qs1 ECU</h1><${Failure} error=${state.error} />
			<p><a href="/status">${t("state.plain")}</a></p></main>`;
	if (!state.identity)
		return html`<main class="alone"><h1>qs1 ECU</h1><${Loading} /></main>`;
	const { identity } = state;
	const enter = identity.setup_needed || !(identity.logged_in || identity.open_reads);
	/* A signed job needs no login. */
	if (enter && route.name === "job" && isSigned(route.args[0]))
		return html`<main class="alone"><h1>${t("job.title")}</h1><${SignedJob} key=${route.args[0]} code=${route.args[0]} /></main>`;
	if (entering || enter)
		return html`<${Entrance} first=${identity.setup_needed ? "/setup" : null} title=${`qs1 ECU ${identity.site_name || identity.ecu_id}`}
			codeHint=${t("access.code_ecu")} onLanguage=${translated} onEntered=${async () => {
				await start();
				setEntering(false);
			}} />`;
	const pages = PAGES.filter((page) => !page.control || mayControl(state))
		.map((page) => ({ ...page, title: t(PAGE_TITLES[page.name] ?? `${page.name}.title`) }));
	const page = pages.find((each) => each.name === route.name) ?? pages[0];
	const menu = pages.filter((each) => !each.hidden);
	return html`<${Shell} brand=${identity.site_name || "qs1 ECU"} pages=${menu} current=${page.name} onLanguage=${translated}
		foot=${html`<${Foot} identity=${identity} onLogin=${() => setEntering(true)} />`}>
		<${page.component} key=${page.name + route.args.join()} args=${route.args} /><//>`;
}

await loadTexts();
render(html`<${App} />`, document.getElementById("app"));
