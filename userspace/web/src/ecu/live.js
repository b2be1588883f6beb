// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the ECU knows, kept up to date by its stream of events: one store that all pages read.
 */
import { API, get } from "../lib/api.js";
import { makeStore } from "../lib/hooks.js";

/**
 * identity: who is logged in; status, inverters, topology, orders: as the API gives them; connected: the
 * stream is open; error: why nothing can be shown; newest: last event of the stream
 */
export const live = makeStore({ identity: null, status: null, inverters: [], modules: [], orders: new Map(),
	connected: false, error: null, newest: null });

const mayRead = (identity) => identity.logged_in || identity.open_reads;

function changeInverter(inverter) {
	const { inverters } = live.get();
	const known = inverters.some((each) => each.serial === inverter.serial);
	live.set({ inverters: known ? inverters.map((each) => each.serial === inverter.serial ? inverter : each) :
		[...inverters, inverter] });
}

export const changeOrder = (order) => live.set({ orders: new Map(live.get().orders).set(order.id, order) });

/** Ask for everything, as at the beginning and after a gap in the stream. */
export async function reload() {
	const [status, { inverters }, { modules }, { orders }] = await Promise.all(
		[get("/status"), get("/inverters"), get("/topology"), get("/orders")]);
	live.set({ status, inverters, modules, orders: new Map(orders.map((order) => [order.id, order])) });
}

let stream = null;

const HANDLERS = {
	status: (status) => live.set({ status }),
	inverter: changeInverter,
	order: changeOrder,
	event: (event) => live.set({ newest: event }),
	reset: () => reload().catch(() => {}),
};

function follow() {
	stream?.close();
	stream = new EventSource(`${API}/stream`);
	let opened = false;
	stream.onopen = () => {
		live.set({ connected: true });
		if (opened)
			reload().catch(() => {});
		opened = true;
	};
	stream.onerror = () => live.set({ connected: false });
	for (const [name, handle] of Object.entries(HANDLERS))
		stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
}

/** Begin, or begin again after a login or logout. */
export async function start() {
	try {
		const identity = await get("/session");
		if (mayRead(identity)) {
			await reload();
			follow();
		}
		live.set({ identity, error: null });
	} catch (error) {
		live.set({ error });
	}
}

export const stop = () => stream?.close();

export const mayControl = ({ identity }) => ["owner", "installer"].includes(identity?.role) && !identity.read_only;
export const isOwner = ({ identity }) => identity?.role === "owner" && !identity.read_only;
export const isInstaller = ({ identity }) => identity?.role === "installer" && !identity.read_only;

export const inverterName = (inverter) => inverter.name || inverter.serial;

export const inverterOf = (state, serial) => state.inverters.find((each) => each.serial === serial);
