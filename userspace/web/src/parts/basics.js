// SPDX-License-Identifier: GPL-2.0-or-later
/* Small components of all pages. */
import { html, useLayoutEffect, useEffect, useRef, useState } from "/vendor/preact.js";
import { t } from "../lib/texts.js";
import { useAction } from "../lib/hooks.js";

export const Figure = ({ name, value, children }) => html`<div class="figure">
	<span class="name">${name}</span><span class="value">${value}</span>${children}</div>`;

export const Chip = ({ kind, children }) => html`<span class="chip ${kind ?? ""}">${children}</span>`;

/** An error of the service, read out at once. */
export const Failure = ({ error }) => error && html`<div class="notice bad" role="alert"><p>${error.message}</p></div>`;

export const Loading = () => html`<p class="muted" role="status">${t("state.loading")}</p>`;

/** What a GET answered, or why it did not. */
export function Answer({ from, children }) {
	if (from.error)
		return html`<${Failure} error=${from.error} />`;
	return from.value === undefined ? html`<${Loading} />` : children(from.value);
}

/**
 * Names and values; rows of [name, value].
 */
export const Facts = ({ rows }) => html`<dl>${rows.filter(Boolean).map(([name, value]) =>
	html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;

/**
 * @columns: {title, cell(row), num, sort(row)}; a column with @sort can be chosen as the order
 * @id: of a row
 */
export function Table({ caption, columns, rows, id, empty }) {
	const [order, setOrder] = useState({});
	const sort = columns[order.column]?.sort;
	const compare = (a, b) => (sort(a) > sort(b) ? 1 : sort(a) < sort(b) ? -1 : 0) * (order.down ? -1 : 1);
	const sorted = sort ? [...rows].sort(compare) : rows;
	const head = (column, index) => {
		if (!column.sort)
			return html`<th scope="col" class=${column.num ? "num" : null}>${column.title}</th>`;
		const chosen = order.column === index;
		return html`<th scope="col" class=${column.num ? "num" : null}
			aria-sort=${chosen ? (order.down ? "descending" : "ascending") : null}>
			<button type="button" class="sort" onClick=${() =>
				setOrder({ column: index, down: chosen && !order.down })}>${column.title}${
				chosen ? (order.down ? " ↓" : " ↑") : ""}</button></th>`;
	};
	if (!rows.length)
		return html`<p class="muted">${empty ?? t("state.nothing")}</p>`;
	return html`<div class="scroll" role="region" aria-label=${caption} tabindex="0"><table>
		<caption>${caption}</caption>
		<thead><tr>${columns.map(head)}</tr></thead>
		<tbody>${sorted.map((row) => html`<tr key=${id(row)}>${columns.map((column) =>
			html`<td class=${column.num ? "num" : null}>${column.cell(row)}</td>`)}</tr>`)}</tbody>
	</table></div>`;
}

let fields = 0;

/*
 * Give a control a value that a person may then change: set when it is shown and when the value itself
 * changes, not at each update of the page.
 */
function useInitial(control, property, initial) {
	useLayoutEffect(() => {
		if (initial !== undefined)
			control.current[property] = initial;
	}, [initial]);
}

/**
 * A labelled control; other properties go to the control.
 * @initial: its value to begin with, for controls of a form
 */
export function Field({ label, hint, wrong, kind = "input", initial, children, ...rest }) {
	const [id] = useState(() => `field-${++fields}`);
	const control = useRef();
	useInitial(control, "value", initial);
	const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || null;
	return html`<div class="field"><label for=${id}>${label}</label>
		${hint && html`<span class="hint" id="${id}-hint">${hint}</span>`}
		<${kind} id=${id} ref=${control} aria-describedby=${described} aria-invalid=${wrong ? "true" : null} ...${rest}>${children}<//>
		${wrong && html`<span class="wrong" id="${id}-wrong">${wrong}</span>`}</div>`;
}

export function Check({ label, initial, ...rest }) {
	const control = useRef();
	useInitial(control, "checked", initial);
	return html`<label class="check"><input type="checkbox" ref=${control} ...${rest} />${label}</label>`;
}

/** One of some values, as a row of buttons. */
export const Choice = ({ label, options, value, onChange }) => html`<div class="group" role="group" aria-label=${label}>
	${options.map(([each, text]) => html`<button type="button" aria-pressed=${each === value}
		onClick=${() => onChange(each)}>${text}</button>`)}</div>`;

/** The values of a form's controls by name; a check box is true or false, a number's empty field null. */
function formValues(form) {
	const values = {};
	for (const control of form.elements) {
		if (!control.name)
			continue;
		if (control.type === "checkbox")
			values[control.name] = control.checked;
		else if (control.type === "number")
			values[control.name] = control.value === "" ? null : Number(control.value);
		else if (control.type !== "radio" || control.checked)
			values[control.name] = control.value;
	}
	return values;
}

/** A form that hands its values to @act and shows how that ended. */
export function Form({ act, submit, done, danger, children }) {
	const action = useAction(act);
	const send = (event) => {
		event.preventDefault();
		const form = event.target;
		action.run(formValues(form), form);
	};
	return html`<form onSubmit=${send}>${children}
		<div class="buttons"><button class=${danger ? "danger" : "main"} disabled=${action.busy}>${submit}</button></div>
		<${Failure} error=${action.error} />
		${action.done && done && html`<div class="notice ok" role="status"><p>${done}</p></div>`}</form>`;
}

/** A button that asks before it acts. */
export function Ask({ label, question, act, danger, disabled, children }) {
	const dialog = useRef();
	const action = useAction(async () => {
		await act();
		dialog.current.close();
	});
	return html`<button type="button" class=${danger ? "danger" : ""} disabled=${disabled}
			onClick=${() => dialog.current.showModal()}>${label}</button>
		<dialog ref=${dialog} aria-label=${label}><p>${question}</p>${children}
			<${Failure} error=${action.error} />
			<div class="buttons"><button type="button" class=${danger ? "danger" : "main"} disabled=${action.busy}
				onClick=${() => action.run()}>${label}</button>
			<button type="button" onClick=${() => dialog.current.close()}>${t("action.cancel")}</button></div>
		</dialog>`;
}

/** A button that acts at once. */
export function Act({ label, act, main, done }) {
	const action = useAction(act);
	return html`<span><button type="button" class=${main ? "main" : ""} disabled=${action.busy}
		onClick=${() => action.run()}>${label}</button>
		<${Failure} error=${action.error} />
		${action.done && done && html`<span role="status"> ${done}</span>`}</span>`;
}

/** Run something every @seconds while shown, and once at the beginning. */
function useEvery(seconds, act) {
	useEffect(() => {
		act();
		const timer = setInterval(act, seconds * 1000);
		return () => clearInterval(timer);
	}, [seconds]);
}
