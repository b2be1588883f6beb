// SPDX-License-Identifier: GPL-2.0-or-later
/* The installer's way: labels, places, phases, commissioning with its report. */
import { html, useState } from "/vendor/preact.js";
import { API, post, put } from "../lib/api.js";
import { dateTime, t, word } from "../lib/texts.js";
import { link } from "../lib/route.js";
import { useGet, useStore } from "../lib/hooks.js";
import { Act, Answer, Chip, Field, Form, Table } from "../parts/basics.js";
import { LabelList } from "../parts/labels.js";
import { Placing } from "../parts/placing.js";
import { Title } from "../parts/shell.js";
import { changeOrder, inverterName, live, reload } from "./live.js";
import { OrderState, useOrder } from "./orders.js";

/* The service reads JPEG alone, as cameras give it. */
async function jpegOf(file) {
	if (file.type === "image/jpeg")
		return file;
	const bitmap = await createImageBitmap(file);
	const canvas = document.createElement("canvas");
	canvas.width = bitmap.width;
	canvas.height = bitmap.height;
	canvas.getContext("2d").drawImage(bitmap, 0, 0);
	return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

function Labels({ known }) {
	const [labels, setLabels] = useState([]);
	const [orders, setOrders] = useState([]);
	const pair = async () => {
		const answer = await post("/pairing", { labels });
		answer.orders.forEach(changeOrder);
		setOrders(answer.orders);
		setLabels([]);
	};
	return html`<section class="card"><h2>1. ${t("install.labels")}</h2>
		<${LabelList} labels=${labels} known=${known} onLabels=${setLabels} decode=${async (photo) => post("/scan", await jpegOf(photo))} />
		${labels.length > 0 && html`<div class="buttons"><${Act} main label=${t("install.pair", { n: labels.length })} act=${pair} /></div>`}
		${orders.map((order) => html`<${OrderState} key=${order.id} id=${order.id} />`)}</section>`;
}

export const savePlaces = async (modules) => {
	const { orders } = await put("/topology", { modules });
	orders.forEach(changeOrder);
	await reload();
};

function Phases({ inverters }) {
	const [result, send] = useOrder(null);
	return html`<section class="card"><h2>3. ${t("install.phases")}</h2><p>${t("install.phases_hint")}</p>
		<${Table} caption=${t("install.phases")} rows=${inverters} id=${(each) => each.serial} columns=${[
			{ title: t("inverter.name"), cell: (each) => html`<a href=${link("inverter", each.serial)}>${inverterName(each)}</a>` },
			{ title: t("inverter.phase"), cell: (each) => word("phase", each.phase) },
		]} />
		<div class="buttons"><${Act} label=${t("install.find_phases")} act=${() => send({ command: "phases" })} /></div>${result}</section>`;
}

/* Checks of the commissioning, in the order of the table; a check that has no answer is null. */
const CHECKS = ["seen", "producing", "voltage_in_range", "frequency_in_range", "profile_as_wanted"];

const Verdict = ({ held }) => held === null ? html`<${Chip}>${t("state.unknown")}<//>` :
	html`<${Chip} kind=${held ? "ok" : "bad"}>${held ? t("install.yes") : t("install.no")}<//>`;

function Commissioning({ inverters, status }) {
	const result = useGet("/commissioning");
	const named = (serial) => inverters.find((each) => each.serial === serial)?.name || serial;
	return html`<section class="card"><h2>4. ${t("install.commission")}</h2>
		<${Answer} from=${result}>${({ complete, units }) => html`
			<div class="notice ${complete ? "ok" : "warn"}" role="status"><p>${complete ? t("install.complete") : t("install.incomplete")}</p></div>
			<${Table} caption=${t("install.report", { site: status.ecu.name || status.ecu.id, time: dateTime(Date.now()) })} rows=${units}
				id=${(each) => each.serial} columns=${[
				{ title: t("inverter.name"), cell: (each) => named(each.serial) },
				...CHECKS.map((check) => ({ title: t(`install.${check}`), cell: (each) => html`<${Verdict} held=${each[check]} />` })),
			]} />`}<//>
		<div class="buttons"><button type="button" onClick=${result.reload}>${t("install.again")}</button>
			<a class="button" download="commissioning.pdf" href=${`${API}/commissioning/report`}>${t("install.pdf")}</a></div></section>`;
}

const Replace = ({ inverters }) => html`<section class="card"><h2>${t("install.replace")}</h2><p>${t("install.replace_hint")}</p>
	<${Form} submit=${t("install.replace")} done=${t("action.saved")} danger act=${async (values) => {
		changeOrder(await post(`/inverters/${values.old}/replace`, { label: values.label, rma: values.rma || undefined }));
	}}>
		<${Field} label=${t("install.old")} name="old" kind="select">
			${inverters.map((each) => html`<option value=${each.serial}>${inverterName(each)}</option>`)}<//>
		<${Field} label=${t("install.new")} name="label" required minlength="12" maxlength="159" autocomplete="off" />
		<${Field} label=${t("inverter.rma")} name="rma" maxlength="31" /><//></section>`;

export function Install() {
	const { inverters, modules, status } = useStore(live);
	const serials = inverters.map((each) => each.serial);
	return html`<${Title} text=${t("install.title")} />
		<${Labels} known=${serials} />
		<section class="card"><h2>2. ${t("install.places")}</h2>
			${serials.length ? html`<${Placing} key=${serials.join()} serials=${serials} modules=${modules} onSave=${savePlaces} />` :
				html`<p class="muted">${t("inverters.none")}</p>`}</section>
		<${Phases} inverters=${inverters} />
		<${Commissioning} inverters=${inverters} status=${status} />
		${inverters.length > 0 && html`<${Replace} inverters=${inverters} />`}`;
}
