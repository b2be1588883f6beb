// SPDX-License-Identifier: GPL-2.0-or-later
/* What components need of the outside: answers of the service, actions, a store that many read. */
import { useCallback, useEffect, useState } from "/vendor/preact.js";
import { get } from "./api.js";

/**
 * The answer to a GET: {value, error, reload}. A new path or query asks again; a path of null asks nothing.
 */
export function useGet(path, query) {
	const [result, setResult] = useState({});
	const [turn, setTurn] = useState(0);
	const key = path && path + JSON.stringify(query ?? {});
	useEffect(() => {
		let current = true;
		if (path === null) {
			setResult({});
			return undefined;
		}
		get(path, query).then(
			(value) => current && setResult({ value, key }),
			(error) => current && setResult({ error, key }));
		return () => {
			current = false;
		};
	}, [key, turn]);
	const known = result.key === key ? result : {};
	return { ...known, reload: useCallback(() => setTurn((n) => n + 1), []) };
}

/**
 * An action that a person starts: {run, busy, error, done}. The error stays until the next start.
 */
export function useAction(act) {
	const [state, setState] = useState({ busy: false });
	const run = async (...args) => {
		setState({ busy: true });
		try {
			const result = await act(...args);
			setState({ busy: false, done: true, result });
			return result;
		} catch (error) {
			setState({ busy: false, error });
			return undefined;
		}
	};
	return { run, ...state };
}

/** A value with listeners. */
export function makeStore(value) {
	const listeners = new Set();
	return {
		get: () => value,
		set: (change) => {
			value = { ...value, ...change };
			listeners.forEach((listener) => listener(value));
		},
		listen: (listener) => {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}

export function useStore(store) {
	const [value, setValue] = useState(store.get);
	useEffect(() => {
		setValue(store.get());
		return store.listen(setValue);
	}, [store]);
	return value;
}

/** The time, again every @seconds. */
export function useClock(seconds) {
	const [now, setNow] = useState(Date.now);
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), seconds * 1000);
		return () => clearInterval(timer);
	}, [seconds]);
	return now;
}
