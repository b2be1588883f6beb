// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The service keeps a roof map as rows and columns, as the manual's template does; the roof map shows places.
 * A cell is as large as a module; where some modules are upright and others across, it has room for both.
 */
import { MODULE_HEIGHT } from "../parts/roof.js";

/** Columns and rows of the manual's template. */
export const TEMPLATE = { rows: 22, columns: 22, azimuth_deg: 180, tilt_deg: 30, modules: [], labels: [] };

export const isAcross = (map) => map.modules.length > 0 && map.modules.every((each) => each.upright === false);

function cellOf(map) {
	const some = (across) => map.modules.some((each) => (each.upright === false) === across);
	return [some(true) ? MODULE_HEIGHT : 1, some(false) || !map.modules.length ? MODULE_HEIGHT : 1];
}

/** Modules of the map as {serial, channel, x, y, turn}. */
export function placesOf(map) {
	const [width, height] = cellOf(map);
	return map.modules.map((each) => ({ serial: each.serial, channel: each.input, turn: each.upright === false ? 90 : 0,
		x: (each.column + 0.5) * width, y: (each.row + 0.5) * height }));
}

/** The map with its modules at other places, which are on the grid of gridOf(@across). */
export function withPlaces(map, places, across) {
	const [width, height] = across ? [MODULE_HEIGHT, 1] : [1, MODULE_HEIGHT];
	const cells = places.map((each) => ({ each, column: Math.round(each.x / width - 0.5), row: Math.round(each.y / height - 0.5) }));
	const west = Math.min(0, ...cells.map((cell) => cell.column));
	const north = Math.min(0, ...cells.map((cell) => cell.row));
	const modules = cells.map(({ each, column, row }) => ({ serial: each.serial, input: each.channel,
		row: row - north, column: column - west, upright: !across }));
	return { ...map, modules, rows: Math.max(map.rows, ...modules.map((each) => each.row + 1)),
		columns: Math.max(map.columns, ...modules.map((each) => each.column + 1)),
		labels: labelsOf(modules) };
}

/* An inverter's label is at its first input's module. */
function labelsOf(modules) {
	const first = new Map();
	for (const each of [...modules].sort((a, b) => a.input - b.input)) {
		if (!first.has(each.serial))
			first.set(each.serial, { serial: each.serial, row: each.row, column: each.column, upright: each.upright });
	}
	return [...first.values()];
}
