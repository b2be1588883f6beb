// SPDX-License-Identifier: GPL-2.0-or-later
/* Put modules on the roof map: by dragging, by arrow keys, or by buttons. */
import { html, useState } from "/vendor/preact.js";
import { t } from "../lib/texts.js";
import { Act, Field } from "./basics.js";
import { MODULE_HEIGHT, Roof, freePlace, placeIsFree } from "./roof.js";

const ROW_MODULES = 11;
const CHANNELS = [1, 2, 3, 4];

const idOf = ({ serial, channel }) => `${serial}/${channel}`;

/** Every module of the inverters that is not on the map, in order. */
const unplaced = (serials, modules) => serials.flatMap((serial) => CHANNELS.map((channel) => ({ serial, channel })))
	.filter((each) => !modules.some((module) => idOf(module) === idOf(each)));

/* Where modules can be: at quarters of a width, upright or turned, in rows with a gap; or on a grid. */
const FREE = { step: [0.25, 0.25], cell: [1, 1.75], turn: 0, canTurn: true };

/** Places on a grid whose cells are as large as a module, upright or all across. */
export const gridOf = (across) => {
	const cell = across ? [MODULE_HEIGHT, 1] : [1, MODULE_HEIGHT];
	return { step: cell, cell, turn: across ? 90 : 0, canTurn: false };
};

/**
 * @serials: inverters
 * @modules: {serial, channel, x, y, turn} on the map
 * @places: FREE or gridOf()
 * @onSave: called with the new list when a person saves it
 * @onChange: called with the new list at each change; then there is nothing to save
 */
export function Placing({ serials, modules, places = FREE, columns = ROW_MODULES, onSave, onChange }) {
	const [list, setList] = useState(modules);
	const [chosen, setChosen] = useState(null);
	const [changed, setChanged] = useState(false);
	const shown = list.map((each) => ({ ...each, id: idOf(each), share: 0.8, text: each.serial.slice(-4),
		name: `·${each.channel}`,
		label: t("placing.module", { serial: each.serial, x: each.x, y: each.y }) }));
	const change = (next) => {
		setList(next);
		setChanged(true);
		onChange?.(next);
	};
	const left = unplaced(serials, list);
	const place = (each) => {
		const taken = list.map((module) => ({ ...module, id: idOf(module) }));
		const { x, y, turn } = freePlace(taken, columns, places.cell, places.turn);
		change([...list, { ...each, x, y, turn }]);
		setChosen(idOf(each));
	};
	const placeAll = () => {
		const next = list.map((module) => ({ ...module, id: idOf(module) }));
		for (const each of left)
			next.push({ ...each, ...freePlace(next, columns, places.cell, places.turn), id: idOf(each) });
		change(next.map(({ serial, channel, x, y, turn }) => ({ serial, channel, x, y, turn })));
	};
	const move = ({ id, x, y, turn }) => change(list.map((each) => idOf(each) === id ? { ...each, x, y, turn } : each));
	const current = list.find((each) => idOf(each) === chosen);
	const nudge = (by) => {
		const next = { id: chosen, x: current.x, y: current.y, turn: current.turn, ...by };
		if (placeIsFree(next, shown))
			move(next);
	};
	return html`<p>${t(places.canTurn ? "placing.how" : "placing.how_grid")}</p>
		${list.length > 0 && html`<${Roof} label=${t("roof.title")} modules=${shown} chosen=${chosen}
			onChoose=${setChosen} onMove=${move} step=${places.step} canTurn=${places.canTurn} />`}
		${current && html`<div class="buttons" role="group" aria-label=${t("placing.chosen", { id: chosen })}>
			<span>${t("placing.chosen", { id: chosen })}</span>
			<button type="button" aria-label=${t("placing.left")} onClick=${() => nudge({ x: current.x - places.step[0] })}>←</button>
			<button type="button" aria-label=${t("placing.right")} onClick=${() => nudge({ x: current.x + places.step[0] })}>→</button>
			<button type="button" aria-label=${t("placing.up")} onClick=${() => nudge({ y: current.y - places.step[1] })}>↑</button>
			<button type="button" aria-label=${t("placing.down")} onClick=${() => nudge({ y: current.y + places.step[1] })}>↓</button>
			${places.canTurn && html`<button type="button" onClick=${() => nudge({ turn: (current.turn + 90) % 360 })}>${t("placing.turn")}</button>`}
			<button type="button" onClick=${() => {
				change(list.filter((each) => idOf(each) !== chosen));
				setChosen(null);
			}}>${t("placing.off")}</button></div>`}
		${left.length > 0 && html`<div class="inline"><${Field} label=${t("placing.unplaced", { n: left.length })} kind="select" value=""
			onChange=${(event) => event.target.value && place(left.find((each) => idOf(each) === event.target.value))}>
			<option value="">${t("placing.choose")}</option>
			${left.map((each) => html`<option value=${idOf(each)}>${each.serial} · ${t("module.input", { n: each.channel })}</option>`)}<//>
			<button type="button" onClick=${placeAll}>${t("placing.all")}</button></div>`}
		${onSave && html`<div class="buttons"><${Act} main label=${t("placing.save")} done=${!changed && t("action.saved")} act=${async () => {
			await onSave(list);
			setChanged(false);
		}} />${changed && html`<span class="muted">${t("placing.unsaved")}</span>`}</div>`}`;
}
