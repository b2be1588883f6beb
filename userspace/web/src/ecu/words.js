// SPDX-License-Identifier: GPL-2.0-or-later
/* Events in the reader's language. */
import { hasText, t } from "../lib/texts.js";
import { faultAdvice, faultText } from "../parts/inverter.js";

/* Events whose text names a fault. */
const FAULT_KINDS = ["fault", "fault-ended", "ground-fault"];

const codeIn = (event) => FAULT_KINDS.includes(event.kind) &&
	event.text.split(/\W+/).find((each) => hasText(`fault.${each}`));

/** An event in plain words. */
export function eventText(event) {
	const code = codeIn(event);
	const kind = t(`event.${event.kind}`);
	if (code)
		return faultText({ code }) === kind ? kind : `${kind}: ${faultText({ code })}`;
	return hasText(`event.${event.kind}`) ? kind : event.text;
}

/** What the service adds to the kind of event: numbers, names. */
export const eventDetail = (event) => {
	const [, ...rest] = event.text.split(": ");
	return codeIn(event) ? "" : rest.join(": ");
};

/** What to do, or "". */
export function eventAdvice(event) {
	const code = codeIn(event);
	if (code && event.kind !== "fault-ended")
		return faultAdvice({ code, advice: event.advice });
	return hasText(`event.${event.kind}.do`) ? t(`event.${event.kind}.do`) : event.advice;
}
