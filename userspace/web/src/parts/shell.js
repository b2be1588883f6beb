// SPDX-License-Identifier: GPL-2.0-or-later
/* The frame of every page: skip link, navigation, language, the page's heading. */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { LANGUAGES, chooseLanguage, currentLanguage, t } from "../lib/texts.js";
import { link } from "../lib/route.js";

const LANGUAGE_NAMES = { en: "English", de: "Deutsch" };

export function Language({ onChange }) {
	const change = async (event) => {
		await chooseLanguage(event.target.value);
		onChange();
	};
	return html`<label>${t("shell.language")} <select value=${currentLanguage()} onChange=${change}>
		${LANGUAGES.map((each) => html`<option value=${each} lang=${each}>${LANGUAGE_NAMES[each]}</option>`)}
	</select></label>`;
}

/**
 * @brand: product and name of what is shown
 * @pages: list of {name, title}
 * @current: name of the page shown
 * @foot: below the navigation
 */
export function Shell({ brand, pages, current, foot, onLanguage, children }) {
	const [open, setOpen] = useState(false);
	useEffect(() => setOpen(false), [current]);
	const title = pages.find((page) => page.name === current)?.title ?? "";
	return html`<div class="frame">
		<a class="skip" href="#content" onClick=${(event) => {
			event.preventDefault();
			document.getElementById("content").focus();
		}}>${t("shell.skip")}</a>
		<header class="side" data-open=${open || null}>
			<a class="brand wide" href=${link(pages[0].name)}><img src="/icon.svg" alt="" />${brand}</a>
			<button class="toggle" aria-expanded=${open} aria-controls="menu" onClick=${() => setOpen(!open)}>
				<span class="brand"><img src="/icon.svg" alt="" />${title || brand}</span>
				<span>${t("shell.menu")}</span>
			</button>
			<div class="menu" id="menu">
				<nav aria-label=${t("shell.pages")}><ul>
					${pages.map((page) => html`<li><a href=${link(page.name)}
						aria-current=${page.name === current ? "page" : null}>${page.title}</a></li>`)}
				</ul></nav>
				<div class="foot">${foot}<${Language} onChange=${onLanguage} />
					<a href="/licences.txt">${t("shell.licences")}</a></div>
			</div>
		</header>
		<main id="content" tabindex="-1">${children}</main>
	</div>`;
}

let shownTitles = 0;

/** The heading of a page. After a change of page it takes the focus, so that a screen reader reads it. */
export function Title({ text, children }) {
	const heading = useRef();
	useEffect(() => {
		document.title = `${text} · qs1`;
	}, [text]);
	useEffect(() => {
		if (shownTitles++ > 0)
			heading.current.focus({ preventScroll: true });
		scrollTo(0, 0);
	}, []);
	return html`<h1 ref=${heading} tabindex="-1">${text}${children}</h1>`;
}
