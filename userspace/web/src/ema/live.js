// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is logged in, and what the service's stream has said since. */
import { API, get } from "../lib/api.js";
import { makeStore } from "../lib/hooks.js";

/**
 * identity: who is logged in; sites: newest {power_w, last_ms, state} of a site by its number; orders: newest
 * state of an order by its number; alarms: how many alarms the stream has brought, for lists that follow them
 */
export const live = makeStore({ identity: null, sites: new Map(), orders: new Map(), alarms: 0, connected: false,
	error: null });

export const changeOrder = (order) => live.set({ orders: new Map(live.get().orders).set(order.id, order) });

const HANDLERS = {
	site: (site) => live.set({ sites: new Map(live.get().sites).set(site.id, site) }),
	order: changeOrder,
	alarm: () => live.set({ alarms: live.get().alarms + 1 }),
	reset: () => live.set({ alarms: live.get().alarms + 1 }),
};

let stream = null;

export const stop = () => stream?.close();

function follow() {
	stop();
	stream = new EventSource(`${API}/stream`);
	stream.onopen = () => live.set({ connected: true });
	stream.onerror = () => live.set({ connected: false });
	for (const [name, handle] of Object.entries(HANDLERS))
		stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
}

/** Begin, or begin again after a login or logout. */
export async function start() {
	try {
		const identity = await get("/session");
		live.set({ identity, error: null });
		if (identity.name)
			follow();
	} catch (error) {
		live.set({ error });
	}
}

/* What a role may do, as the table of the API's description has it. */
const RIGHTS = {
	control: ["owner", "installer"],
	profile: ["installer"],
	edit: ["owner", "installer", "operator"],
	handover: ["installer", "operator"],
	remove: ["owner", "operator"],
	tenants: ["operator"],
};

export const may = ({ identity }, right) => !identity.read_only && RIGHTS[right].includes(identity.role);
