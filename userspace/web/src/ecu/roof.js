// SPDX-License-Identifier: GPL-2.0-or-later
/* The modules of the ECU's inverters for the roof map. */
import { number, scaled, t } from "../lib/texts.js";
import { inverterName } from "./live.js";

const moduleId = (module) => `${module.serial}/${module.channel}`;

/* What the map can show. A module's share is of a quarter of the inverter's rating, or of the best module. */
const ROOF_VALUES = {
	power: { reading: "dc_power", unit: "W", full: (inverter) => inverter.rated_w / 4 },
	today: { reading: "dc_energy_today", unit: "Wh", full: null },
};

const channelOf = (inverter, channel) => inverter.channels.find((each) => each.channel === channel) ?? {};

/** @value: a key of ROOF_VALUES */
export function roofModules({ inverters, modules }, value) {
	const { reading, unit, full } = ROOF_VALUES[value];
	const bySerial = new Map(inverters.map((each) => [each.serial, each]));
	const known = modules.filter((module) => bySerial.has(module.serial)).map((module) => {
		const inverter = bySerial.get(module.serial);
		return { module, inverter, amount: channelOf(inverter, module.channel)[reading] ?? null };
	});
	const best = Math.max(1, ...known.map((each) => each.amount ?? 0));
	return known.map(({ module, inverter, amount }) => ({
		id: moduleId(module), x: module.x, y: module.y, turn: module.turn,
		share: amount === null ? null : amount / (full ? full(inverter) : best),
		text: amount === null ? null : number(Math.round(amount)),
		name: `${inverter.serial.slice(-3)}·${module.channel}`,
		trouble: inverter.faults.length > 0,
		label: t("roof.module", { inverter: inverterName(inverter), channel: module.channel,
			unit: amount === null ? t("roof.absent") : unit,
			trouble: inverter.faults.length ? t("roof.trouble") : "" }),
	}));
}

export const roofFull = ({ inverters }, value) => value === "power" ?
	scaled(Math.max(0, ...inverters.map((each) => each.rated_w / 4)), "W") : t("roof.best");
