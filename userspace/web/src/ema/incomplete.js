// SPDX-License-Identifier: GPL-2.0-or-later
/* A list that shows less than there is. */
import { html } from "/vendor/preact.js";
import { t } from "../lib/texts.js";

/** @missing: missing_shards of the answer; undefined where none is missing */
export const Incomplete = ({ missing }) => missing > 0 && html`<div class="notice warn" role="status"><p>${t("fleet.incomplete")}</p></div>`;
