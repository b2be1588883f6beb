// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The roof map. Places are as the service has them: the centre of a module in widths of a module, to the
 * right and down, and its turn clockwise in degrees. Modules are buttons: Tab reaches the map, arrow keys
 * go from module to module. While modules are being placed, arrow keys move the chosen module instead, and
 * the letter R turns it.
 */
import { html, useLayoutEffect, useRef, useState } from "/vendor/preact.js";
import { ABSENT, t } from "../lib/texts.js";

/* A module of 60 or 72 cells is 1.65 to 2 times as long as it is wide. */
export const MODULE_HEIGHT = 1.65;
const LEVELS = 10;
/* A finger's target, and the largest module that still looks like a map, px. */
const WIDTH_MIN_PX = 46;
const WIDTH_MAX_PX = 92;
const GAP_PX = 3;
/* Steps of an arrow key with Shift. */
const FAR = 4;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Half the width and half the height of what a module covers. */
function reach({ turn }) {
	const [c, s] = [Math.abs(Math.cos(turn * Math.PI / 180)), Math.abs(Math.sin(turn * Math.PI / 180))];
	return [(c + MODULE_HEIGHT * s) / 2, (s + MODULE_HEIGHT * c) / 2];
}

/** The rectangle around all modules: {x, y, width, height}. */
function extent(modules) {
	const edges = modules.map((each) => [each, reach(each)]);
	const x = Math.min(...edges.map(([each, [w]]) => each.x - w));
	const y = Math.min(...edges.map(([each, [, h]]) => each.y - h));
	return { x, y, width: Math.max(...edges.map(([each, [w]]) => each.x + w)) - x,
		height: Math.max(...edges.map(([each, [, h]]) => each.y + h)) - y };
}

/** Whether a module may be where it is: on no other. Rounding of a place may cost 1 % of a width. */
export const placeIsFree = (module, modules) => !modules.some((each) => {
	if (each.id === module.id)
		return false;
	const [[w1, h1], [w2, h2]] = [reach(each), reach(module)];
	return Math.abs(each.x - module.x) < w1 + w2 - 0.01 && Math.abs(each.y - module.y) < h1 + h2 - 0.01;
});

/** The first free place in reading order, in rows of @columns places of @cell (width and height). */
export function freePlace(modules, columns, cell, turn) {
	for (let place = 0; ; place++) {
		const module = { x: (place % columns + 0.5) * cell[0], y: (Math.floor(place / columns) + 0.5) * cell[1], turn };
		if (placeIsFree(module, modules))
			return module;
	}
}

/** The nearest module from @from in a direction; undefined if there is none. */
function neighbour(from, modules, [dx, dy]) {
	const distance = (each) => {
		const along = (each.x - from.x) * dx + (each.y - from.y) * dy;
		const aside = Math.abs((each.x - from.x) * dy) + Math.abs((each.y - from.y) * dx);
		return along > 0.01 ? along + 2 * aside : Infinity;
	};
	return modules.filter((each) => distance(each) < Infinity).sort((a, b) => distance(a) - distance(b))[0];
}

const level = (share) => Math.round(Math.min(1, Math.max(0, share)) * LEVELS);

function Tile({ module, origin, scale, chosen, reachable, movable, ...handlers }) {
	const known = module.share !== null && module.share !== undefined;
	const classes = ["module", known ? `p${level(module.share)}` : "absent", chosen && "selected",
		movable && "movable", module.trouble && "trouble"].filter(Boolean).join(" ");
	const place = { width: `${scale - GAP_PX}px`, height: `${MODULE_HEIGHT * scale - GAP_PX}px`,
		left: `${(module.x - origin.x) * scale}px`, top: `${(module.y - origin.y) * scale}px`,
		transform: `translate(-50%, -50%) rotate(${module.turn}deg)` };
	return html`<button type="button" class=${classes} style=${place} data-id=${module.id}
		tabindex=${reachable ? 0 : -1} aria-pressed=${chosen} ...${handlers}>
		<span style=${{ transform: `rotate(${-module.turn}deg)` }}><b>${module.text ?? ABSENT}</b>
			<small>${module.name}</small></span><span class="hidden-text">${module.label}</span></button>`;
}

/**
 * @modules: {id, x, y, turn, share (0 to 1, or null), text, name, trouble}, and label: what a screen reader says
 *           after text and name
 * @chosen: id of the chosen module; undefined where none can be chosen
 * @onChoose: called with an id
 * @onMove: called with {id, x, y, turn}; with it, modules can be moved by multiples of @step (widths of a
 *          module, to the right and down) and, with @canTurn, turned
 */
export function Roof({ label, modules, chosen, onChoose, onMove, step = [1, 1], canTurn }) {
	const frame = useRef();
	const drag = useRef(null);
	const [focus, setFocus] = useState(null);
	const [room, setRoom] = useState(0);
	useLayoutEffect(() => {
		const measure = () => setRoom(frame.current.clientWidth);
		const observer = new ResizeObserver(measure);
		observer.observe(frame.current);
		measure();
		return () => observer.disconnect();
	}, []);
	const around = modules.length ? extent(modules) : { x: 0, y: 0, width: 1, height: 1 };
	const margin = onMove ? 1 : 0;
	const origin = { x: around.x - margin, y: around.y - margin };
	const [width, height] = [around.width + 2 * margin, around.height + 2 * margin];
	const scale = Math.min(WIDTH_MAX_PX, Math.max(WIDTH_MIN_PX, (room - 20) / width));
	const reachable = modules.some((each) => each.id === focus) ? focus : chosen ?? modules[0]?.id;

	const move = (module, change) => {
		const next = { id: module.id, x: module.x, y: module.y, turn: module.turn, ...change };
		if (placeIsFree(next, modules))
			onMove(next);
	};
	const key = (module) => (event) => {
		const arrow = ARROWS[event.key];
		if (onMove && canTurn && event.key.toLowerCase() === "r") {
			move(module, { turn: (module.turn + 90) % 360 });
		} else if (arrow && onMove && module.id === chosen) {
			const far = event.shiftKey ? FAR : 1;
			move(module, { x: module.x + arrow[0] * far * step[0], y: module.y + arrow[1] * far * step[1] });
		} else if (arrow) {
			const next = neighbour(module, modules, arrow) ?? module;
			frame.current.querySelector(`[data-id="${CSS.escape(next.id)}"]`).focus();
			setFocus(next.id);
		} else {
			return;
		}
		event.preventDefault();
	};
	const press = (module) => (event) => {
		if (!onMove || event.button !== 0)
			return;
		event.currentTarget.setPointerCapture(event.pointerId);
		drag.current = { module, x: event.clientX, y: event.clientY };
		onChoose?.(module.id);
	};
	const dragged = (event) => {
		if (!drag.current)
			return;
		const { module, x, y } = drag.current;
		const snap = (pixels, size) => Math.round(pixels / scale / size) * size;
		move(module, { x: module.x + snap(event.clientX - x, step[0]), y: module.y + snap(event.clientY - y, step[1]) });
	};
	const release = () => {
		drag.current = null;
	};
	return html`<div class="roof-frame" ref=${frame}><div class="roof" role="group" aria-label=${label}
		style=${{ width: `${width * scale}px`, height: `${height * scale}px` }}
		onPointerMove=${dragged} onPointerUp=${release} onPointerCancel=${release}>
		${modules.map((module) => html`<${Tile} key=${module.id} module=${module} origin=${origin} scale=${scale}
			chosen=${chosen === undefined ? null : module.id === chosen} reachable=${module.id === reachable}
			movable=${Boolean(onMove)} onKeyDown=${key(module)} onPointerDown=${press(module)}
			onClick=${() => onChoose?.(module.id)} />`)}
	</div></div>`;
}

/** The colours of the map with the values at both ends. */
export const Scale = ({ low, high }) => html`<div class="scale"><span>${low}</span>
	<ol aria-hidden="true">${Array.from({ length: LEVELS + 1 }, (_, each) => html`<li class="p${each}"></li>`)}</ol>
	<span>${high}</span><span class="absent sample" aria-hidden="true"></span><span>${t("roof.absent")}</span></div>`;
