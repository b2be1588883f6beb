// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels of inverters, by a scanner that types and presses Enter, by hand, or from a photo: one field for
 * all three.
 */
import { html, useRef, useState } from "/vendor/preact.js";
import { t } from "../lib/texts.js";
import { useAction } from "../lib/hooks.js";
import { Failure } from "./basics.js";

const SERIAL = /^\d{12}$/;
const SERIAL_IN_LABEL = /(?<!\d)\d{12}(?!\d)/;

/** The serial number in a label's text: the text itself, or 12 digits between others; null if there is none. */
export const serialOf = (text) => text.trim().match(SERIAL_IN_LABEL)?.[0] ?? null;

/**
 * @labels: texts so far
 * @known: serial numbers that exist already
 * @onLabels: called with the new list
 * @decode: called with a photo, gives {labels: [{text, serial, known, message}]}
 */
export function LabelList({ labels, known, onLabels, decode }) {
	const field = useRef();
	const [wrong, setWrong] = useState(null);
	const add = (texts) => {
		const list = [...labels];
		let problem = null;
		for (const text of texts) {
			const serial = serialOf(text);
			if (!serial)
				problem = t("labels.no_serial", { text });
			else if (known.includes(serial))
				problem = t("labels.known", { serial });
			else if (list.some((each) => serialOf(each) === serial))
				problem = t("labels.twice", { serial });
			else
				list.push(text.trim());
		}
		setWrong(problem);
		onLabels(list);
	};
	const enter = (event) => {
		event.preventDefault();
		if (field.current.value.trim())
			add([field.current.value]);
		field.current.value = "";
		field.current.focus();
	};
	const photo = useAction(async (event) => {
		const [file] = event.target.files;
		if (!file)
			return;
		const { labels: found } = await decode(file);
		event.target.value = "";
		if (!found.length)
			setWrong(t("labels.none_found"));
		else
			add(found.map((each) => each.text));
	});
	return html`<form class="inline" onSubmit=${enter}>
			<div class="field"><label for="label">${t("labels.field")}</label><span class="hint" id="label-hint">${t("labels.hint")}</span>
				<input id="label" ref=${field} aria-describedby="label-hint" autocomplete="off" spellcheck="false" autofocus /></div>
			<button>${t("action.add")}</button>
			<div class="field"><label for="photo">${t("labels.photo")}</label>
				<input id="photo" type="file" accept="image/*" capture="environment" disabled=${photo.busy} onChange=${photo.run} /></div></form>
		<div role="status">${photo.busy && html`<p>${t("labels.reading")}</p>`}</div>
		${wrong && html`<div class="notice warn" role="alert"><p>${wrong}</p></div>`}<${Failure} error=${photo.error} />
		<ol>${labels.map((label) => html`<li><code>${serialOf(label)}</code> <button type="button"
			aria-label=${t("labels.remove", { serial: serialOf(label) })}
			onClick=${() => onLabels(labels.filter((each) => each !== label))}>${t("action.remove")}</button></li>`)}</ol>
		<p>${t("labels.count", { n: labels.length })}</p>`;
}
