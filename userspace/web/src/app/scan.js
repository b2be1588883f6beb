// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Labels by the camera or from pictures: the browser's own detector where there is one, zbar as WebAssembly
 * otherwise.
 */
import { html, useEffect, useRef, useState } from "/vendor/preact.js";
import { t } from "../lib/texts.js";

const LOOK_MS = 150;
/* A longer side, px, costs time and finds no more. */
const SIDE_MAX = 1600;
const FORMATS = ["qr_code", "code_128"];

let detecting = null;

/** A function that gives the texts of all codes in a canvas. */
function detector() {
	detecting ??= makeDetector();
	return detecting;
}

async function makeDetector() {
	if ("BarcodeDetector" in window) {
		const native = new BarcodeDetector({ formats: FORMATS });
		return async (canvas) => (await native.detect(canvas)).map((code) => code.rawValue);
	}
	const { scanImageData } = await import("/vendor/zbar.js");
	return async (canvas) => {
		const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		return (await scanImageData(image)).map((code) => code.decode());
	};
}

/** Codes in a picture, a video's frame or a bitmap of this size. */
async function codesIn(source, width, height) {
	const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
	const canvas = document.createElement("canvas");
	canvas.width = Math.round(width * scale);
	canvas.height = Math.round(height * scale);
	canvas.getContext("2d", { willReadFrequently: true }).drawImage(source, 0, 0, canvas.width, canvas.height);
	return (await detector())(canvas);
}

/** Codes in a file, in the form of the ECU's answer. */
export async function decodePhoto(file) {
	const bitmap = await createImageBitmap(file);
	const texts = await codesIn(bitmap, bitmap.width, bitmap.height);
	return { labels: texts.map((text) => ({ text })) };
}

/** The camera's picture; @onCode is called with the text of each code in it, again and again. */
export function Camera({ onCode }) {
	const video = useRef();
	const latest = useRef(onCode);
	const [running, setRunning] = useState(false);
	const [error, setError] = useState(null);
	latest.current = onCode;
	useEffect(() => {
		if (!running)
			return undefined;
		let stream = null, timer = null, ended = false;
		const look = async () => {
			const { videoWidth, videoHeight } = video.current;
			if (videoWidth)
				(await codesIn(video.current, videoWidth, videoHeight)).forEach((text) => latest.current(text));
			if (!ended)
				timer = setTimeout(look, LOOK_MS);
		};
		const begin = async () => {
			try {
				stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
				video.current.srcObject = stream;
				await video.current.play();
				await look();
			} catch (reason) {
				setError(reason);
				setRunning(false);
			}
		};
		begin();
		return () => {
			ended = true;
			clearTimeout(timer);
			stream?.getTracks().forEach((track) => track.stop());
		};
	}, [running]);
	return html`<div class="buttons"><button type="button" aria-pressed=${running} onClick=${() => setRunning(!running)}>
			${running ? t("scan.stop") : t("scan.start")}</button></div>
		${error && html`<div class="notice warn" role="alert"><p>${t("scan.no_camera", { reason: error.message })}</p></div>`}
		${running && html`<video class="scan" ref=${video} muted playsinline aria-label=${t("scan.picture")}></video>`}`;
}
