// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests to the service that served this page. */

import { t } from "./texts.js";

export const API = "/api/v1";

/** An answer that is not a success: its HTTP status, the code and the message of the service. */
class ApiError extends Error {
	constructor(status, code, message) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

async function failure(answer) {
	const body = await answer.json().catch(() => ({}));
	return new ApiError(answer.status, body.error?.code ?? "http",
		body.error?.message ?? t("error.http", { status: answer.status }));
}

async function request(method, path, body) {
	const options = { method, headers: {}, credentials: "same-origin" };
	if (body instanceof Blob) {
		options.body = body;
	} else if (body !== undefined) {
		options.headers["Content-Type"] = "application/json";
		options.body = JSON.stringify(body);
	}
	const lost = () => {
		throw new ApiError(0, "network", t("error.network"));
	};
	const answer = await fetch(API + path, options).catch(lost);
	if (!answer.ok)
		throw await failure(answer);
	return answer.status === 204 ? null : answer.json().catch(lost);
}

const query = (values) => {
	const known = Object.entries(values ?? {}).filter(([, value]) => value !== undefined && value !== "");
	return known.length ? `?${new URLSearchParams(known)}` : "";
};

export const get = (path, values) => request("GET", path + query(values));
export const post = (path, body) => request("POST", path, body ?? {});
export const put = (path, body) => request("PUT", path, body);
export const remove = (path) => request("DELETE", path);
