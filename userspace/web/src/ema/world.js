// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A map of sites on an outline of coasts and borders, drawn on a canvas, so that 100,000 sites are no burden.
 * No tile server is asked. The list of sites below the map is its equal for those who do not see it.
 */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { t, word } from "../lib/texts.js";
import { go } from "../lib/route.js";

/* The outline is in tenths of a degree, y to the south. */
const UNITS = 10;
const MAP_PX = 360;
const MARGIN = 1.3;
const ZOOM = 1.6;
/* Smallest view, tenths of a degree: below it the outline says nothing. */
const VIEW_MIN = 8;
const NEAR_PX = 12;
const STATE_COLOURS = ["--s3", "--control", "--s5", "--s2", "--s1"];

let outline = null;

const loadOutline = () => {
	outline ??= fetch("/outline.txt").then((answer) => answer.text()).then((text) => new Path2D(text));
	return outline;
};

/* The view that shows all sites: centre and width, in units of the outline. */
function viewOf(sites, ratio) {
	if (!sites.length)
		return { x: 0, y: 0, width: 3600 };
	const bounds = { west: Infinity, east: -Infinity, north: Infinity, south: -Infinity };
	for (const [, lat, lon] of sites) {
		bounds.west = Math.min(bounds.west, lon * UNITS);
		bounds.east = Math.max(bounds.east, lon * UNITS);
		bounds.north = Math.min(bounds.north, -lat * UNITS);
		bounds.south = Math.max(bounds.south, -lat * UNITS);
	}
	return { x: (bounds.west + bounds.east) / 2, y: (bounds.north + bounds.south) / 2,
		width: Math.max(VIEW_MIN * 5, (bounds.east - bounds.west) * MARGIN, (bounds.south - bounds.north) * MARGIN * ratio) };
}

const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(canvas, path, sites, view) {
	const scale = canvas.width / view.width;
	const context = canvas.getContext("2d");
	const toX = (lon) => (lon * UNITS - view.x) * scale + canvas.width / 2;
	const toY = (lat) => (-lat * UNITS - view.y) * scale + canvas.height / 2;
	context.setTransform(1, 0, 0, 1, 0, 0);
	context.clearRect(0, 0, canvas.width, canvas.height);
	context.setTransform(scale, 0, 0, scale, canvas.width / 2 - view.x * scale, canvas.height / 2 - view.y * scale);
	context.strokeStyle = colourOf("--control");
	context.lineWidth = 1.2 * devicePixelRatio / scale;
	context.stroke(path);
	context.setTransform(1, 0, 0, 1, 0, 0);
	const size = (sites.length > 2000 ? 3 : sites.length > 200 ? 5 : 8) * devicePixelRatio;
	STATE_COLOURS.forEach((name, state) => {
		context.fillStyle = colourOf(name);
		for (const [, lat, lon, siteState] of sites) {
			if (siteState === state)
				context.fillRect(toX(lon) - size / 2, toY(lat) - size / 2, size, size);
		}
	});
}

/**
 * @sites: [number, latitude, longitude, index of the state]
 * @states: names of the states
 */
export function WorldMap({ sites, states }) {
	const canvas = useRef();
	const [view, setView] = useState(null);
	const [path, setPath] = useState(null);
	const drag = useRef(null);
	useEffect(() => {
		loadOutline().then((value) => setPath(value));
	}, []);
	useEffect(() => {
		const place = canvas.current;
		place.width = place.clientWidth * devicePixelRatio;
		place.height = MAP_PX * devicePixelRatio;
		setView(viewOf(sites, place.width / place.height));
	}, [sites]);
	useEffect(() => {
		if (path && view)
			draw(canvas.current, path, sites, view);
	}, [path, view, sites]);
	const unitsPerPixel = () => view.width / canvas.current.clientWidth;
	const zoom = (factor) => setView({ ...view, width: Math.min(3600, Math.max(VIEW_MIN, view.width / factor)) });
	const shift = (dx, dy) => setView({ ...view, x: view.x + dx * view.width, y: view.y + dy * view.width });
	const choose = (event) => {
		const box = canvas.current.getBoundingClientRect();
		const x = (event.clientX - box.left - box.width / 2) * unitsPerPixel() + view.x;
		const y = (event.clientY - box.top - box.height / 2) * unitsPerPixel() + view.y;
		let best = null, nearest = NEAR_PX * unitsPerPixel();
		for (const [id, lat, lon] of sites) {
			const distance = Math.hypot(lon * UNITS - x, -lat * UNITS - y);
			if (distance < nearest)
				[best, nearest] = [id, distance];
		}
		if (best !== null)
			go("site", best);
	};
	const press = (event) => {
		drag.current = { x: event.clientX, y: event.clientY, view, moved: false };
	};
	const move = (event) => {
		if (!drag.current)
			return;
		const [dx, dy] = [event.clientX - drag.current.x, event.clientY - drag.current.y];
		drag.current.moved ||= Math.hypot(dx, dy) > 4;
		if (drag.current.moved)
			setView({ ...drag.current.view, x: drag.current.view.x - dx * unitsPerPixel(),
				y: drag.current.view.y - dy * unitsPerPixel() });
	};
	const release = (event) => {
		if (drag.current && !drag.current.moved)
			choose(event);
		drag.current = null;
	};
	return html`<canvas class="world" ref=${canvas} role="img" aria-label=${t("fleet.map_label", { n: sites.length })}
			onPointerDown=${press} onPointerMove=${move} onPointerUp=${release} onPointerLeave=${release}></canvas>
		<div class="buttons"><button type="button" aria-label=${t("map.in")} onClick=${() => zoom(ZOOM)}>+</button>
			<button type="button" aria-label=${t("map.out")} onClick=${() => zoom(1 / ZOOM)}>−</button>
			<button type="button" aria-label=${t("map.west")} onClick=${() => shift(-0.2, 0)}>←</button>
			<button type="button" aria-label=${t("map.east")} onClick=${() => shift(0.2, 0)}>→</button>
			<button type="button" aria-label=${t("map.north")} onClick=${() => shift(0, -0.1)}>↑</button>
			<button type="button" aria-label=${t("map.south")} onClick=${() => shift(0, 0.1)}>↓</button>
			<button type="button" onClick=${() => setView(viewOf(sites, canvas.current.width / canvas.current.height))}>${t("map.all")}</button></div>
		<ul class="legend">${states.map((each, index) => html`<li><i class="site-${index}"></i>${word("site", each)}</li>`)}</ul>`;
}
