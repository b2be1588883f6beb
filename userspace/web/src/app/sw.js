// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Service worker of the installer's app: keeps the app's files, so that it works in a cellar without
 * network. The packer puts VERSION and FILES in front. Requests to the API are never answered from here.
 */

const CACHE_NAME = `app-${VERSION}`;

self.addEventListener("install", (event) => {
	event.waitUntil(caches.open(CACHE_NAME)
		.then((cache) => cache.addAll(FILES))
		.then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
	event.waitUntil(caches.keys()
		.then((names) => Promise.all(names.filter((name) => name !== CACHE_NAME)
			.map((name) => caches.delete(name))))
		.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
	const url = new URL(event.request.url);
	if (event.request.method === "GET" && FILES.includes(url.pathname))
		event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(event.request)));
});
