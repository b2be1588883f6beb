// SPDX-License-Identifier: GPL-2.0-or-later
/* What both services show of an inverter: state, LED, faults. */
import { html } from "/vendor/preact.js";
import { hasText, t, word } from "../lib/texts.js";
import { Chip } from "./basics.js";

const STATE_KIND = { producing: "ok", derating: "info", waiting: "info", connecting: "info", "self-test": "info",
	ceased: "warn", shutdown: "warn", fault: "bad", "ground-fault": "bad" };

export const ORDER_KIND = { queued: "info", sent: "info", confirmed: "ok", refused: "bad", expired: "warn", unconfirmed: "warn" };

export const SEVERITY_KIND = { alarm: "bad", warning: "warn", info: "info" };

const LINK_KIND = { live: "ok", late: "warn", lost: "bad" };

export const StateChip = ({ state }) => state ?
	html`<${Chip} kind=${STATE_KIND[state]}>${word("state", state)}<//>` :
	html`<${Chip}>${t("state.unknown")}<//>`;

export const LinkChip = ({ link }) => html`<${Chip} kind=${LINK_KIND[link]}>${word("link", link)}<//>`;

/* How a LED's words look: colour, then rhythm. */
const LED_COLOURS = ["green", "red"];
const LED_RHYTHMS = [[/every 10 s/, "blink-10s"], [/every 2 s/, "blink-2s"], [/flash/, "blink-1s"]];

/** The LED of an inverter as it is now, with what that means. */
export function Led({ text }) {
	const colour = LED_COLOURS.find((each) => text?.includes(each)) ?? "unlit";
	const rhythm = LED_RHYTHMS.find(([pattern]) => pattern.test(text ?? ""))?.[1] ?? "";
	return html`<span class="chip"><span class="led ${colour} ${rhythm}" aria-hidden="true"></span>${
		text ? word("led", text) : t("state.unknown")}</span>`;
}

const local = (code, suffix, given) => hasText(`fault.${code}${suffix}`) ? t(`fault.${code}${suffix}`) : given;

/** Name of a fault in plain words, and what to do about it; in the service's words where we have none. */
export const faultText = (fault) => local(fault.code, "", fault.text ?? fault.code);
export const faultAdvice = (fault) => local(fault.code, ".do", fault.advice ?? "");
