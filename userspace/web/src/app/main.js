// SPDX-License-Identifier: GPL-2.0-or-later
import { html, render } from "/vendor/preact.js";
import { loadTexts, t, scaled } from "../lib/texts.js";
import { get } from "../lib/api.js";

await loadTexts();
const status = await get("/status");
render(html`<main><h1>${t("now.title")}</h1><p>${scaled(status.power_w, "W")}</p></main>`,
	document.getElementById("app"));
