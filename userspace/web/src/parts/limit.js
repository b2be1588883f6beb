// SPDX-License-Identifier: GPL-2.0-or-later
/* A power limit: form to set one's own, and how desired and actual value compare. */
import { html } from "/vendor/preact.js";
import { dateTime, scaled, t, word } from "../lib/texts.js";
import { Chip, Facts, Field, Form } from "./basics.js";

const CONFIRM_KIND = { confirmed: "ok", pending: "info", unconfirmed: "warn", refused: "bad" };

/* Leases that the form offers, seconds; "" is until revoked. */
const LEASES = [["", "limit.revoked"], [900, "limit.quarter"], [3600, "limit.hour"], [28800, "limit.hours8"], [86400, "limit.day"]];

/** Owners are words of ours or addresses of programs. */
export const ownerName = (owner) => word("owner", owner);

/**
 * @limit: of an inverter, as the API has it
 */
export function LimitFacts({ limit }) {
	const none = limit.desired_w === null;
	return html`<${Facts} rows=${[
		[t("limit.desired"), none ? t("limit.none") : scaled(limit.desired_w, "W")],
		!none && [t("limit.owner"), ownerName(limit.owner)],
		!none && limit.reason && [t("limit.reason"), limit.reason],
		!none && limit.by && [t("limit.by"), limit.by],
		!none && [t("limit.until"), limit.until_ms === null ? t("limit.revoked") : dateTime(limit.until_ms)],
		!none && [t("limit.then"), limit.then_w === null ? t("limit.none") : scaled(limit.then_w, "W")],
		[t("limit.actual"), html`${limit.confirm === "unknown" ? null : limit.actual_w === null ? t("limit.none") :
			scaled(limit.actual_w, "W")} <${Chip} kind=${CONFIRM_KIND[limit.confirm]}>${word("confirm", limit.confirm)}<//>`],
		[t("limit.fallback"), limit.fallback ? t("limit.fallback_yes") : t("limit.fallback_no")],
	]} />`;
}

/**
 * @act: called with {w, lease_s, then_w, reason}
 * @leased: a limit has to end by itself
 */
export const LimitForm = ({ act, rated, leased }) => html`<${Form} submit=${t("limit.set")} act=${(values) => act({
		w: values.w, reason: values.reason, then_w: values.then_w,
		lease_s: values.lease_s === "" ? null : Number(values.lease_s) })}>
	<div class="inline"><${Field} label=${t("limit.w")} name="w" type="number" min="0" max=${rated} required />
		<${Field} label=${t("limit.lease")} name="lease_s" kind="select">
			${LEASES.filter(([value]) => value || !leased).map(([value, key]) => html`<option value=${value}>${t(key)}</option>`)}<//>
		<${Field} label=${t("limit.then_w")} name="then_w" type="number" min="0" max=${rated} />
		<${Field} label=${t("limit.reason")} name="reason" maxlength="95" /></div><//>`;
