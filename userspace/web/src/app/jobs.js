// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs of the installer's app: kept in the browser's database, handed over when there is network. A job has
 * an identity of its own from the beginning, and the service takes the same identity only once, so that a
 * hand-over that is repeated after a lost answer doubles nothing.
 */
import { get, post } from "../lib/api.js";
import { makeStore } from "../lib/hooks.js";
import { serialOf } from "../parts/labels.js";
import { TEMPLATE, withPlaces } from "../ema/gridmap.js";

const DATABASE = "qs1-installer";
const STORE = "jobs";

/* What the service may still change about a job that it has. */
const OPEN_STATES = ["waiting", "enrolled", "commissioning"];

/** jobs: newest first; identity: null until the service has answered; error: of the last hand-over */
export const jobs = makeStore({ jobs: [], identity: null, online: navigator.onLine, error: null });

const promised = (request) => new Promise((resolve, reject) => {
	request.onsuccess = () => resolve(request.result);
	request.onerror = () => reject(request.error);
});

let opened = null;

function database() {
	opened ??= new Promise((resolve, reject) => {
		const request = indexedDB.open(DATABASE, 1);
		request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
	return opened;
}

const store = async (mode) => (await database()).transaction(STORE, mode).objectStore(STORE);

async function show() {
	const list = await promised((await store("readonly")).getAll());
	jobs.set({ jobs: list.sort((a, b) => b.created_ms - a.created_ms) });
}

export async function saveJob(job) {
	await promised((await store("readwrite")).put(job));
	await show();
}

export async function removeJob(id) {
	await promised((await store("readwrite")).delete(id));
	await show();
}

/** A job with nothing in it. state: draft, queued, or sent. */
export const newJob = () => ({ id: crypto.randomUUID(), created_ms: Date.now(), state: "draft", site: {}, ecu: "",
	labels: [], across: false, places: [], commission: true, result: null, error: null });

/** The job as the service takes it. */
function requestOf(job) {
	const map = job.places.length ? withPlaces(TEMPLATE, job.places, job.across) : undefined;
	return { id: job.id, site: job.site, ecu: job.ecu || undefined, map, commission: job.commission,
		inverters: job.labels.map((label) => ({ serial: serialOf(label), label })) };
}

/* A job that the service refuses is a draft again, with the reason. Without an answer it stays as it is. */
async function handOver(job) {
	try {
		const result = await post("/jobs", requestOf(job));
		await saveJob({ ...job, state: "sent", result, error: null });
	} catch (error) {
		if (error.status >= 400 && error.status < 500 && ![401, 403, 429].includes(error.status))
			await saveJob({ ...job, state: "draft", error: error.message });
		else
			throw error;
	}
}

/** Is there a text that the ECU takes without login? */
export const isSigned = (job) => Boolean(job.signed?.text) && job.signed.expires_ms > Date.now();

/* The work of the job at the ECU itself, as the service signs it. */
const workOf = (job) => ({ labels: job.labels, commission: job.commission,
	places: job.places.map(({ serial, channel, x, y, turn }) => ({ serial, channel, x, y, turn })) });

/* A service that does not sign says so once. */
async function sign(job) {
	const signed = await post(`/jobs/${job.id}/signature`, workOf(job)).catch((error) => {
		if (error.status < 400 || error.status >= 500 || [401, 429].includes(error.status))
			throw error;
		return { text: null };
	});
	await saveJob({ ...job, signed });
}

/* The one-time code comes with the first answer alone. */
async function follow(job) {
	const result = await get(`/jobs/${job.id}`);
	await saveJob({ ...job, result: { ...result, enrolment: result.enrolment ?? job.result.enrolment } });
}

let running = null;

async function pass() {
	try {
		jobs.set({ identity: await get("/session"), error: null });
		if (!jobs.get().identity.name)
			return;
		for (const job of jobs.get().jobs) {
			if (job.state === "queued")
				await handOver(job);
			else if (job.state === "sent" && OPEN_STATES.includes(job.result.state))
				await follow(job);
		}
		for (const job of jobs.get().jobs)
			if (job.state === "sent" && job.ecu && job.labels.length && !job.signed)
				await sign(job);
	} catch (error) {
		jobs.set({ error });
	}
}

/** Hand over what is queued and ask how the rest goes; one pass at a time. */
export function synchronize() {
	running ??= pass().finally(() => {
		running = null;
	});
	return running;
}

const PERIOD_MS = 20000;

export async function startJobs() {
	await show();
	addEventListener("online", () => {
		jobs.set({ online: true });
		synchronize();
	});
	addEventListener("offline", () => jobs.set({ online: false }));
	setInterval(synchronize, PERIOD_MS);
	await synchronize();
}
