// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands to inverters and what became of them. */
import { html, useState } from "/vendor/preact.js";
import { post } from "../lib/api.js";
import { word } from "../lib/texts.js";
import { useStore } from "../lib/hooks.js";
import { Chip } from "../parts/basics.js";
import { ORDER_KIND } from "../parts/inverter.js";
import { changeOrder, live } from "./live.js";

/** Send a command to an inverter, or with a serial number of null to all; returns the order. */
export async function sendCommand(serial, command) {
	const order = await post(serial ? `/inverters/${serial}/commands` : "/commands", command);
	changeOrder(order);
	return order;
}

/** What has become of the order with this number. */
export function OrderState({ id }) {
	const order = useStore(live).orders.get(id);
	return order ? html`<p role="status"><${Chip} kind=${ORDER_KIND[order.state]}>${word("order", order.state)}<//>
		${word("command", order.command)} ${order.message && html`<span class="muted" lang="en">${order.message}</span>`}</p>` : null;
}

/** Remembers the last order of a place on a page: [element, function that sends a command]. */
export function useOrder(serial) {
	const [id, setId] = useState(null);
	const send = async (command) => setId((await sendCommand(serial, command)).id);
	return [id !== null && html`<${OrderState} id=${id} />`, send];
}
