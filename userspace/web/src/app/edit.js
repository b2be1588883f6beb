// SPDX-License-Identifier: GPL-2.0-or-later
/* One job, step by step: site, ECU, inverters, roof map, hand-over. Each change is kept at once. */
import { html, useState } from "/vendor/preact.js";
import { t } from "../lib/texts.js";
import { go, link } from "../lib/route.js";
import { useStore } from "../lib/hooks.js";
import { Act, Check, Field, Form } from "../parts/basics.js";
import { LabelList, serialOf } from "../parts/labels.js";
import { Placing, gridOf } from "../parts/placing.js";
import { Title } from "../parts/shell.js";
import { TEMPLATE } from "../ema/gridmap.js";
import { isSigned, jobs, saveJob, synchronize } from "./jobs.js";
import { Camera, decodePhoto } from "./scan.js";

const JOB_STEPS = ["site", "ecu", "inverters", "map", "handover"];

function SiteStep({ job, change }) {
	const [here, setHere] = useState({ lat: job.site.lat, lon: job.site.lon });
	const locate = () => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(({ coords }) => {
		setHere({ lat: Number(coords.latitude.toFixed(5)), lon: Number(coords.longitude.toFixed(5)) });
		resolve();
	}, reject));
	return html`<${Form} submit=${t("app.next")} act=${async (values) => {
		const site = { name: values.name, address: values.address, customer_name: values.customer_name, note: values.note };
		if (values.lat !== null && values.lon !== null)
			Object.assign(site, { lat: values.lat, lon: values.lon });
		await change({ site });
		go("job", job.id, "ecu");
	}}>
		<${Field} label=${t("site.name")} name="name" required maxlength="120" initial=${job.site.name ?? ""} />
		<${Field} label=${t("site.address")} name="address" maxlength="200" autocomplete="off" initial=${job.site.address ?? ""} />
		<${Field} label=${t("site.customer")} name="customer_name" required maxlength="120" autocomplete="off" initial=${job.site.customer_name ?? ""} />
		<div class="inline"><${Field} label=${t("site.lat")} name="lat" type="number" step="any" min="-90" max="90" initial=${here.lat ?? ""} />
			<${Field} label=${t("site.lon")} name="lon" type="number" step="any" min="-180" max="180" initial=${here.lon ?? ""} />
			<${Act} label=${t("app.here")} act=${locate} /></div>
		<${Field} label=${t("site.note")} name="note" kind="textarea" rows="3" initial=${job.site.note ?? ""} /><//>`;
}

function EcuStep({ job, change }) {
	const take = (text) => {
		const serial = serialOf(text);
		if (serial && serial !== job.ecu)
			change({ ecu: serial });
	};
	return html`<p>${t("app.ecu_hint")}</p><${Camera} onCode=${take} />
		<${Form} submit=${t("app.next")} act=${async (values) => {
			await change({ ecu: values.ecu });
			go("job", job.id, "inverters");
		}}><${Field} label=${t("ecus.number")} name="ecu" pattern="[0-9]{12}" inputmode="numeric" maxlength="12" initial=${job.ecu} /><//>`;
}

function InverterStep({ job, change }) {
	const add = (text) => {
		const serial = serialOf(text);
		if (serial && serial !== job.ecu && !job.labels.some((each) => serialOf(each) === serial))
			change({ labels: [...job.labels, text] });
	};
	return html`<${Camera} onCode=${add} />
		<${LabelList} labels=${job.labels} known=${[job.ecu]} onLabels=${(labels) => change({ labels })} decode=${decodePhoto} />
		<div class="buttons"><${Act} main label=${t("app.next")} act=${() => go("job", job.id, "map")} /></div>`;
}

function MapStep({ job, change }) {
	const serials = job.labels.map(serialOf);
	return html`<${Field} label=${t("map.shape")} kind="select" value=${job.across ? "across" : "upright"}
			onChange=${(event) => change({ across: event.target.value === "across", places: [] })}>
			<option value="upright">${t("map.upright")}</option><option value="across">${t("map.across")}</option><//>
		<${Placing} key=${`${job.across} ${serials.join()}`} serials=${serials} columns=${TEMPLATE.columns} places=${gridOf(job.across)}
			modules=${job.places.filter((each) => serials.includes(each.serial))} onChange=${(places) => change({ places })} />
		<div class="buttons"><${Act} main label=${t("app.next")} act=${() => go("job", job.id, "handover")} /></div>`;
}

/* The job as it is, for a person who logs in at the ECU. */
function unsignedCode(job) {
	const bytes = new TextEncoder().encode(JSON.stringify({ labels: job.labels, places: job.places }));
	return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The job in the address of the ECU's own page, for a site without network. */
export const ecuLink = (job) => `https://ecu-${job.ecu}.local:8443/${link("job", isSigned(job) ? job.signed.text : unsignedCode(job))}`;

function HandoverStep({ job, change }) {
	const { online } = useStore(jobs);
	const missing = [[!job.site.name, t("app.no_site")], [!job.labels.length, t("app.no_labels")]]
		.filter(([holds]) => holds).map(([, text]) => text);
	return html`<ul><li>${job.site.name}</li><li>${t("ecus.number")}: ${job.ecu || t("limit.none")}</li>
			<li>${t("labels.count", { n: job.labels.length })}</li><li>${t("app.placed", { n: job.places.length })}</li></ul>
		<p><${Check} label=${t("app.commission")} checked=${job.commission} onChange=${(event) => change({ commission: event.target.checked })} /></p>
		${missing.map((text) => html`<div class="notice warn"><p>${text}</p></div>`)}
		${job.error && html`<div class="notice bad" role="alert"><p>${job.error}</p></div>`}
		<div class="buttons"><button type="button" class="main" disabled=${missing.length > 0} onClick=${async () => {
			await change({ state: "queued", error: null });
			go("jobs");
			synchronize();
		}}>${t("app.hand_over")}</button></div>
		${!online && html`<div class="notice"><p>${t("app.later")}</p></div>`}
		${job.ecu && job.labels.length > 0 && html`<h3>${t("app.without")}</h3><p>${t("app.without_hint")}</p>
			<p><a class="button" href=${ecuLink(job)} target="_blank" rel="noopener">${t("app.open_ecu")}</a></p>`}`;
}

const STEP_CONTENT = { site: SiteStep, ecu: EcuStep, inverters: InverterStep, map: MapStep, handover: HandoverStep };

export function Edit({ args }) {
	const { jobs: list } = useStore(jobs);
	const job = list.find((each) => each.id === args[0]);
	const step = JOB_STEPS.includes(args[1]) ? args[1] : JOB_STEPS[0];
	if (!job)
		return html`<p>${t("app.no_job")}</p>`;
	const change = (values) => saveJob({ ...jobs.get().jobs.find((each) => each.id === job.id), ...values });
	return html`<${Title} text=${job.site.name || t("app.new")} />
		<ol class="steps">${JOB_STEPS.map((each, at) => html`<li><a class="button" href=${link("job", job.id, each)}
			aria-current=${each === step ? "step" : null}>${at + 1}. ${t(`app.step_${each}`)}</a></li>`)}</ol>
		<section class="card"><h2>${t(`app.step_${step}`)}</h2><${STEP_CONTENT[step]} key=${step} job=${job} change=${change} /></section>`;
}
