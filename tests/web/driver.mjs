// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chromium for the tests of the pages: reads one JSON object a line, {"new": {options}} for a fresh page or
 * {"run": "statements"}, and answers {"value": ...} or {"error": "..."}. Statements see page, context, axe
 * (source of axe-core), and problems: errors of the page and requests to other hosts, since the page is new.
 *
 *	node driver.mjs NODE_MODULES [CHROMIUM_ARGUMENT...]
 */
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [modules, ...extra] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", ...extra] });
let context, page, problems;

async function fresh(options) {
	await context?.close();
	problems = [];
	context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
	page = await context.newPage();
	page.on("console", (message) => ["error", "warning"].includes(message.type()) &&
		problems.push(`${message.text()} (${message.location().url})`));
	page.on("pageerror", (error) => problems.push(String(error.stack)));
}

const AsyncFunction = (async () => {}).constructor;

for await (const line of createInterface({ input: process.stdin })) {
	let answer;
	try {
		const order = JSON.parse(line);
		if (order.new) {
			await fresh(order.new);
			answer = { value: null };
		} else {
			const run = new AsyncFunction("page", "context", "axe", "problems", order.run);
			answer = { value: await run(page, context, axe, problems) ?? null };
		}
	} catch (error) {
		answer = { error: String(error.stack) };
	}
	process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
