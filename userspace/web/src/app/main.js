// SPDX-License-Identifier: GPL-2.0-or-later
import { html, render } from "/vendor/preact.js";
import { loadTexts, t } from "../lib/texts.js";

await loadTexts();
render(html`<main class="alone"><h1>qs1</h1><p>${t("state.loading")}</p></main>`, document.getElementById("app"));
