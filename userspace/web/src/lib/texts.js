// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Texts and numbers in the reader's language. A text is a string with {name} where a value stands, or an
 * object of strings by plural category ("one", "other"), chosen by the value {n}.
 */

export const LANGUAGES = ["en", "de"];
const LANGUAGE_KEY = "language";

let texts = {};
let language = "en";
/* How numbers and times are written: the browser's region of the language, as en-GB. */
let locale = "en";

const wanted = () => [localStorage.getItem(LANGUAGE_KEY), ...navigator.languages.map((l) => l.slice(0, 2))];

/** Load the texts of the language that the reader chose, or else of the browser's first that we have. */
export async function loadTexts() {
	language = wanted().find((each) => LANGUAGES.includes(each)) ?? LANGUAGES[0];
	const answer = await fetch(`/texts/${language}.json`);
	texts = await answer.json();
	locale = navigator.languages.find((each) => each.startsWith(language)) ?? language;
	document.documentElement.lang = language;
}

export const currentLanguage = () => language;

export async function chooseLanguage(name) {
	localStorage.setItem(LANGUAGE_KEY, name);
	await loadTexts();
}

/** The text of a key; a key without text shows itself. */
export function t(key, values = {}) {
	let text = texts[key] ?? key;
	if (typeof text === "object")
		text = text[new Intl.PluralRules(language).select(values.n)] ?? text.other;
	const shown = (value) => typeof value === "number" ? new Intl.NumberFormat(locale).format(value) : value;
	return text.replace(/\{(\w+)\}/g, (all, name) => shown(values[name]) ?? all);
}

/** The text of a word that comes from outside, in a group of keys; the word itself where there is none. */
export const word = (group, name) => texts[`${group}.${name}`] ?? name;

export const hasText = (key) => key in texts;

/** Shown where a reading is absent: never 0. */
export const ABSENT = "–";

const absent = (value) => value === null || value === undefined || Number.isNaN(value);

/** A number with its unit; @digits after the decimal sign. */
export function number(value, unit = "", digits = 0) {
	if (absent(value))
		return ABSENT;
	const text = new Intl.NumberFormat(locale, {
		minimumFractionDigits: digits, maximumFractionDigits: digits,
	}).format(value);
	return unit ? `${text} ${unit}` : text;
}

/** A large quantity in its unit, its thousand or its million: three figures. */
export function scaled(value, unit) {
	if (absent(value))
		return ABSENT;
	const size = Math.abs(value);
	const [factor, prefix] = size >= 999500 ? [1e6, "M"] : size >= 999.5 ? [1e3, "k"] : [1, ""];
	const digits = factor === 1 ? 0 : size / factor < 10 ? 2 : size / factor < 100 ? 1 : 0;
	return number(value / factor, prefix + unit, digits);
}

const moment = (options) => (time) => absent(time) ? ABSENT :
	new Intl.DateTimeFormat(locale, options).format(new Date(time));

export const dateTime = moment({ dateStyle: "medium", timeStyle: "medium" });
export const date = moment({ dateStyle: "medium" });
export const clockTime = moment({ timeStyle: "short" });
export const monthName = moment({ month: "short", year: "numeric" });

const STEPS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** A duration as its largest unit, "2 minutes". */
export function duration(seconds) {
	if (absent(seconds))
		return ABSENT;
	const [size, unit] = STEPS.find(([each]) => seconds >= each) ?? STEPS[3];
	return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" })
		.format(Math.round(seconds / size));
}

/** How long ago a time was. */
export function ago(time, now = Date.now()) {
	if (absent(time))
		return t("time.never");
	return t("time.ago", { time: duration(Math.max(0, (now - new Date(time)) / 1000)) });
}
