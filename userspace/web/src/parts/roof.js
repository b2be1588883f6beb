// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The roof map. A module covers 2 x 3 cells upright and 3 x 2 cells across; a cell is half of a module's
 * short side. Modules are buttons: Tab reaches the map, arrow keys go from module to module. While modules
 * are being placed, arrow keys move the chosen one instead, and the letter R turns it.
 */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { ABSENT, t } from "../lib/texts.js";

const LEVELS = 10;
const CELL_PX = 26;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Cells that a module covers: [width, height]. */
export const moduleCells = (module) => module.across ? [3, 2] : [2, 3];

const overlaps = (a, b) => {
	const [aw, ah] = moduleCells(a);
	const [bw, bh] = moduleCells(b);
	return a.x < b.x + bw && b.x < a.x + aw && a.y < b.y + bh && b.y < a.y + ah;
};

/** Whether a module may stand where it is: on the map, and on no other. */
export const placeIsFree = (module, modules) => module.x >= 0 && module.y >= 0 &&
	!modules.some((each) => each.id !== module.id && overlaps(module, each));

/** The nearest module from @from in a direction, by the distance of their corners; undefined if none. */
export function neighbour(from, modules, [dx, dy]) {
	const distance = (each) => {
		const along = (each.x - from.x) * dx + (each.y - from.y) * dy;
		const aside = Math.abs((each.x - from.x) * dy) + Math.abs((each.y - from.y) * dx);
		return along > 0 ? along + 3 * aside : Infinity;
	};
	return modules.filter((each) => distance(each) < Infinity)
		.sort((a, b) => distance(a) - distance(b))[0];
}

const level = (share) => Math.round(Math.min(1, Math.max(0, share)) * LEVELS);

/** The first place in reading order where a module of this shape is free. */
export function freePlace(module, modules, columns) {
	for (let y = 0; ; y++) {
		for (let x = 0; x + moduleCells(module)[0] <= columns; x++) {
			if (placeIsFree({ ...module, x, y }, modules))
				return { x, y };
		}
	}
}

function Module({ module, chosen, reachable, moving, onKey, onPointer, onChoose }) {
	const [width, height] = moduleCells(module);
	const known = module.share !== null && module.share !== undefined;
	const classes = ["module", known ? `p${level(module.share)}` : "absent", chosen && "selected",
		moving && "moving", module.trouble && "trouble"].filter(Boolean).join(" ");
	const place = { gridColumn: `${module.x + 1} / span ${width}`, gridRow: `${module.y + 1} / span ${height}` };
	return html`<button type="button" class=${classes} style=${place} data-id=${module.id}
		tabindex=${reachable ? 0 : -1} aria-pressed=${chosen === undefined ? null : chosen}
		aria-label=${module.label} onKeyDown=${onKey} onPointerDown=${onPointer} onClick=${onChoose}>
		<b aria-hidden="true">${module.text ?? ABSENT}</b><small aria-hidden="true">${module.name}</small></button>`;
}

/**
 * @modules: {id, x, y, across, share (0 to 1, or null), text, name, label, trouble}
 * @chosen: id of the chosen module
 * @onChoose: called with an id
 * @onMove: called with {id, x, y, across}; with it, modules can be moved
 */
export function Roof({ label, modules, chosen, onChoose, onMove }) {
	const frame = useRef();
	const drag = useRef(null);
	const [focus, setFocus] = useState(null);
	const columns = Math.max(8, ...modules.map((each) => each.x + moduleCells(each)[0] + (onMove ? 3 : 0)));
	const rows = Math.max(3, ...modules.map((each) => each.y + moduleCells(each)[1] + (onMove ? 3 : 0)));
	const reachable = modules.some((each) => each.id === focus) ? focus : chosen ?? modules[0]?.id;

	useEffect(() => {
		if (focus !== null)
			frame.current.querySelector(`[data-id="${CSS.escape(focus)}"]`)?.focus();
	}, [focus]);

	const move = (module, change) => {
		const next = { id: module.id, x: module.x, y: module.y, across: module.across, ...change };
		if (placeIsFree(next, modules))
			onMove(next);
	};
	const key = (module) => (event) => {
		const step = STEPS[event.key];
		if (onMove && event.key.toLowerCase() === "r") {
			move(module, { across: !module.across });
		} else if (step && onMove && module.id === chosen) {
			move(module, { x: module.x + step[0], y: module.y + step[1] });
		} else if (step) {
			setFocus(neighbour(module, modules, step)?.id ?? module.id);
		} else {
			return;
		}
		event.preventDefault();
	};
	const pointer = (module) => (event) => {
		if (!onMove || event.button !== 0)
			return;
		event.currentTarget.setPointerCapture(event.pointerId);
		drag.current = { module, x: event.clientX, y: event.clientY };
	};
	const dragged = (event) => {
		if (!drag.current)
			return;
		const { module, x, y } = drag.current;
		const cells = { x: module.x + Math.round((event.clientX - x) / (CELL_PX + 3)),
			y: module.y + Math.round((event.clientY - y) / (CELL_PX + 3)) };
		move({ ...modules.find((each) => each.id === module.id) }, cells);
	};
	const grid = { gridTemplateColumns: `repeat(${columns}, ${CELL_PX}px)`,
		gridTemplateRows: `repeat(${rows}, ${CELL_PX}px)` };
	return html`<div class="roof-frame"><div class="roof" ref=${frame} style=${grid} role="group" aria-label=${label}
		onPointerMove=${dragged} onPointerUp=${() => {
			drag.current = null;
		}}>
		${modules.map((module) => html`<${Module} key=${module.id} module=${module} moving=${Boolean(onMove)}
			chosen=${chosen === undefined ? undefined : module.id === chosen} reachable=${module.id === reachable}
			onKey=${key(module)} onPointer=${pointer(module)}
			onChoose=${() => onChoose?.(module.id)} />`)}
	</div></div>`;
}

/** The colours of the map with the values at both ends. */
export const Scale = ({ low, high }) => html`<div class="scale"><span>${low}</span>
	<ol aria-hidden="true">${Array.from({ length: LEVELS + 1 }, (_, each) => html`<li class="p${each}"></li>`)}</ol>
	<span>${high}</span><span>${t("roof.absent")}</span></div>`;
