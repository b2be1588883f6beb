// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages within one document: the address "#/history/806000000001" is the page "history" with one argument.
 */
import { useEffect, useState } from "/vendor/preact.js";

function parse() {
	const [name, ...args] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
	return { name, args };
}

export const link = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

export const go = (...parts) => {
	location.hash = link(...parts);
};

/** The page of the address, again at each change. */
export function useRoute() {
	const [route, setRoute] = useState(parse);
	useEffect(() => {
		const change = () => setRoute(parse());
		addEventListener("hashchange", change);
		return () => removeEventListener("hashchange", change);
	}, []);
	return route;
}
