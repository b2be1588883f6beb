// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ZNP host that is not ours, at a modem: zigbee-herdsman starts the coordinator, reads its version, and
 * sends one payload. Prints what it got as JSON.
 *
 *   host.cjs MODULES PORT PAN CHANNEL ADDRESS PAYLOAD    the last four in hexadecimal digits
 */
"use strict";

const path = require("path");

const [modules, port, pan, channel, address, payload] = process.argv.slice(2);
const zstack = path.join(modules, "zigbee-herdsman/dist/adapter/z-stack");
const Znp = require(path.join(zstack, "znp")).Znp;
const { Subsystem, Type } = require(path.join(zstack, "unpi/constants"));

const ENDPOINT = 0x14;
const PROFILE = 0x0f05;
const REQUEST = 0x0006;
const COORDINATOR = 9;
const TIMEOUT_MS = 10000;

function little(value, bytes)
{
	const buffer = Buffer.alloc(bytes);

	buffer.writeUIntLE(value, 0, bytes);
	return buffer;
}

/* Items of the modem's configuration: clear the former one; coordinator; PAN; channels. */
const ITEMS = [
	[0x03, Buffer.from([3])],
	[0x87, Buffer.from([0])],
	[0x83, little(parseInt(pan, 16), 2)],
	[0x84, little(2 ** parseInt(channel, 16), 4)],
];

async function main()
{
	const znp = new Znp(port, 115200, false);
	const later = (subsystem, command, fields) =>
		znp.waitFor(Type.AREQ, subsystem, command, fields, TIMEOUT_MS).start().promise;

	await znp.open();
	const reset = later(Subsystem.SYS, "resetInd");
	await znp.request(Subsystem.SYS, "resetReq", { type: 1 });
	await reset;
	const version = await znp.request(Subsystem.SYS, "version", {});
	for (const [id, value] of ITEMS)
		await znp.request(Subsystem.SYS, "osalNvWrite", { id, offset: 0, len: value.length, value });
	await znp.request(Subsystem.AF, "register", {
		endpoint: ENDPOINT, appprofid: PROFILE, appdeviceid: 0, appdevver: 0, latencyreq: 0,
		appnuminclusters: 0, appinclusterlist: [], appnumoutclusters: 0, appoutclusterlist: [],
	});
	const up = later(Subsystem.ZDO, "stateChangeInd", { state: COORDINATOR });
	await znp.request(Subsystem.ZDO, "startupFromApp", { startdelay: 0 }, undefined, undefined, [0, 1]);
	await up;
	const data = Buffer.from(payload, "hex");
	const reply = later(Subsystem.AF, "incomingMsg");
	await znp.request(Subsystem.AF, "dataRequest", {
		dstaddr: parseInt(address, 16), destendpoint: ENDPOINT, srcendpoint: ENDPOINT, clusterid: REQUEST,
		transid: 1, options: 0, radius: 15, len: data.length, data,
	});
	const message = (await reply).payload;
	console.log(JSON.stringify({
		version: version.payload, source: message.srcaddr, cluster: message.clusterid,
		data: message.data.toString("hex"),
	}));
	await znp.close();
	process.exit(0);
}

main().catch((error) => {
	console.error(String(error && error.stack || error));
	process.exit(1);
});
