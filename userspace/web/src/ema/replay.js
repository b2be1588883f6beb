// SPDX-License-Identifier: GPL-2.0-or-later
/* The roof map over a day: a slider goes through its reports. */
import { html, useEffect, useMemo, useState } from "/vendor/preact.js";
import { clockTime, number, scaled, t } from "../lib/texts.js";
import { go } from "../lib/route.js";
import { inputDate, siteClock } from "../lib/spans.js";
import { useGet } from "../lib/hooks.js";
import { Answer, Field } from "../parts/basics.js";
import { Roof, Scale } from "../parts/roof.js";
import { placesOf } from "./gridmap.js";

const FRAME_MS = 120;

const keyOf = (serial, input) => `${serial}/${input}`;

const siteDate = (zone) => inputDate(new Date(siteClock(Date.now(), zone)));

/* Today is shown as it is now, another day when it was brightest. */
const firstFrame = ({ date, power_w: power }, zone) => Math.max(0, date === siteDate(zone) ?
	power.findLastIndex((value) => value !== null) : power.indexOf(Math.max(...power)));

function Frames({ site, map, day, zone }) {
	const [frame, setFrame] = useState(() => firstFrame(day, zone));
	const [playing, setPlaying] = useState(false);
	const series = useMemo(() => new Map(day.modules.map((each) => [keyOf(each.serial, each.input), each.power_w])), [day]);
	const best = useMemo(() => Math.max(1, ...day.modules.flatMap((each) => each.power_w)), [day]);
	useEffect(() => {
		if (!playing)
			return undefined;
		const timer = setInterval(() => setFrame((n) => (n + 1) % day.time_ms.length), FRAME_MS);
		return () => clearInterval(timer);
	}, [playing, day]);
	const modules = placesOf(map).map((each) => {
		const power = series.get(keyOf(each.serial, each.channel))?.[frame] ?? null;
		return { ...each, id: keyOf(each.serial, each.channel), share: power === null ? null : power / best,
			text: power === null ? null : number(Math.round(power)), name: `${each.serial.slice(-3)}·${each.channel}`,
			label: t("roof.module", { unit: power === null ? t("roof.absent") : "W", inverter: each.serial,
				channel: each.channel, trouble: "" }) };
	});
	const shown = (at) => clockTime(siteClock(day.time_ms[at], zone));
	if (!day.time_ms.length)
		return html`<p class="muted">${t("replay.none")}</p>`;
	return html`<div class="inline"><button type="button" aria-pressed=${playing} onClick=${() => setPlaying(!playing)}>
			${playing ? t("replay.pause") : t("replay.play")}</button>
			<p>${shown(frame)} · ${scaled(day.power_w[frame], "W")}</p></div>
		<${Field} label=${t("replay.time")} type="range" min="0" max=${day.time_ms.length - 1} value=${frame}
			aria-valuetext=${shown(frame)} onInput=${(event) => setFrame(Number(event.target.value))} />
		<${Roof} label=${t("roof.title")} modules=${modules} onChoose=${(id) => go("module", site, ...id.split("/"))} />
		<${Scale} low=${t("roof.zero")} high=${scaled(best, "W")} />`;
}

export function Replay({ site, map, zone }) {
	const [date, setDate] = useState(() => siteDate(zone));
	const day = useGet(`/sites/${site}/day`, { date });
	return html`<${Field} label=${t("history.date")} type="date" value=${date} max=${siteDate(zone)}
			onChange=${(event) => event.target.value && setDate(event.target.value)} />
		<${Answer} from=${day}>${(value) => html`<${Frames} key=${value.date} site=${site} map=${map} day=${value} zone=${zone} />`}<//>`;
}
