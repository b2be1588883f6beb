// SPDX-License-Identifier: GPL-2.0-or-later
/* The installer's app: jobs that are collected without network and handed over later. */
import { html, render, useEffect, useState } from "/vendor/preact.js";
import { post } from "../lib/api.js";
import { date, loadTexts, t, word } from "../lib/texts.js";
import { go, link, useRoute } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Ask, Chip, Failure, Field, Form } from "../parts/basics.js";
import { ORDER_KIND } from "../parts/inverter.js";
import { Shell, Title } from "../parts/shell.js";
import { Edit, ecuLink } from "./edit.js";
import { isSigned, jobs, newJob, removeJob, saveJob, startJobs, synchronize } from "./jobs.js";

const JOB_KIND = { queued: "info", sent: "ok" };

function Result({ result }) {
	return html`<p>${t("app.result")} <${Chip} kind=${result.state === "done" ? "ok" : result.state === "failed" ? "bad" : "info"}>${word("job", result.state)}<//>
			${" "}<a href=${`/${link("site", result.site)}`}>${t("app.show_site")}</a></p>
		${result.enrolment && html`<p>${t("ecus.code", { code: result.enrolment.code, date: date(result.enrolment.expires_ms) })}</p>`}
		${result.orders.map((order) => html`<p><${Chip} kind=${ORDER_KIND[order.state]}>${word("order", order.state)}<//> ${word("command", order.command)}</p>`)}`;
}

const Job = ({ job }) => html`<li><div class="buttons"><strong>${job.site.name || t("app.unnamed")}</strong>
		<${Chip} kind=${JOB_KIND[job.state]}>${word("job", job.state)}<//>
		<span class="muted">${date(job.created_ms)} · ${t("labels.count", { n: job.labels.length })}</span></div>
	${job.error && html`<div class="notice bad"><p>${job.error}</p></div>`}
	${job.result && html`<${Result} result=${job.result} />`}
	${isSigned(job) && html`<p>${t("app.signed", { date: date(job.signed.expires_ms) })}
		<a class="button" href=${ecuLink(job)} target="_blank" rel="noopener">${t("app.open_ecu")}</a></p>`}
	<div class="buttons">${job.state !== "sent" && html`<a class="button" href=${link("job", job.id, "site")}>${t("app.edit")}</a>`}
		<${Ask} danger label=${t("action.remove")} question=${t("app.remove_ask")} act=${() => removeJob(job.id)} /></div></li>`;

const Login = () => html`<section class="card"><h2>${t("access.login")}</h2><p>${t("app.login_hint")}</p>
	<${Form} submit=${t("access.enter")} act=${async (values) => {
		await post("/session", values);
		await synchronize();
	}}><${Field} label=${t("access.name")} name="name" required maxlength="63" autocomplete="username" />
		<${Field} label=${t("access.password")} name="password" type="password" required autocomplete="current-password" /><//></section>`;

function Jobs() {
	const { jobs: list, identity, online, error } = useStore(jobs);
	const begin = async () => {
		const job = newJob();
		await saveJob(job);
		go("job", job.id, "site");
	};
	return html`<${Title} text=${t("app.jobs")} />
		${!online && html`<div class="notice" role="status"><p>${t("app.offline")}</p></div>`}
		${online && error && html`<${Failure} error=${error} />`}
		<div class="buttons"><button type="button" class="main" onClick=${begin}>${t("app.new")}</button>
			<button type="button" onClick=${synchronize}>${t("app.synchronize")}</button></div>
		<section class="card">${list.length ? html`<ul class="plain">${list.map((job) => html`<${Job} key=${job.id} job=${job} />`)}</ul>` :
			html`<p class="muted">${t("app.none")}</p>`}</section>
		${identity && !identity.name && html`<${Login} />`}`;
}

function App() {
	const route = useRoute();
	const { identity } = useStore(jobs);
	const [, setLanguageTurn] = useState(0);
	useEffect(() => {
		startJobs();
	}, []);
	const page = route.name === "job" ? Edit : Jobs;
	return html`<${Shell} brand=${t("app.title")} pages=${[{ name: "jobs", title: t("app.jobs") }]} current="jobs"
		onLanguage=${() => setLanguageTurn((n) => n + 1)} foot=${html`<div>${identity?.name ?? t("app.not_in")}</div><a href="/">${t("app.service")}</a>`}>
		<${page} key=${route.name + route.args.join()} args=${route.args} /><//>`;
}

if ("serviceWorker" in navigator)
	navigator.serviceWorker.register("/app/sw.js", { scope: "/app/" });
await loadTexts();
render(html`<${App} />`, document.getElementById("app"));
