// The shop's pages for times without a network. The shop puts `KEPT` above this: its version, and the files that every
// page needs. Styles and scripts carry a digest in their address, so a kept one is never out of date. Pages come from the
// shop as long as it answers; else the copy of the last visit is shown, marked as such, or the page that shows the kept
// cart. Checkouts, orders and the dashboards are never kept.

"use strict";

const STATIC = `static-${KEPT.version}`;
const PAGES = `pages-${KEPT.version}`;
const PICTURES = `pictures-${KEPT.version}`;
/** The most pages and pictures that are kept: an hour of looking round. */
const MOST = { [PAGES]: 40, [PICTURES]: 200 };
const FALLBACK = "/offline";
/** A network that says nothing for so long is none. */
const PATIENCE_MS = 10_000;

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(STATIC);
    await cache.addAll([FALLBACK, ...KEPT.files]);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    await self.clients.claim();
    const names = await caches.keys();
    await Promise.all(names.filter((name) => ![STATIC, PAGES, PICTURES].includes(name)).map((name) => caches.delete(name)));
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (!pathname.startsWith("/admin") && !pathname.startsWith("/api")) event.respondWith(page(event, pathname));
  } else if (pathname.startsWith("/static/") && search.startsWith("?v=")) {
    event.respondWith(file(request));
  } else if (pathname.startsWith("/static/") || /^\/products\/[^/]+\/picture$/.test(pathname)) {
    event.respondWith(picture(event));
  }
});

async function page(event, pathname) {
  const { request } = event;
  try {
    const answer = await inTime(fetch(request));
    const isKept = /^\/(products(\/[^/]+)?)?$/.test(pathname);
    if (isKept && answer.ok && !answer.redirected) event.waitUntil(put(PAGES, request, answer.clone()));
    return answer;
  } catch {
    const last = await caches.match(request, { cacheName: PAGES, ignoreVary: true });
    return marked(last ?? (await caches.match(FALLBACK, { cacheName: STATIC, ignoreVary: true })));
  }
}

async function file(request) {
  const kept = await caches.match(request, { cacheName: STATIC, ignoreVary: true });
  return kept ?? fetch(request);
}

async function picture(event) {
  const { request } = event;
  try {
    const answer = await fetch(request);
    if (answer.ok) event.waitUntil(put(PICTURES, request, answer.clone()));
    return answer;
  } catch {
    return (await caches.match(request, { cacheName: PICTURES, ignoreVary: true })) ?? Response.error();
  }
}

/** Whoever gives this worker up deletes `STATIC` first: what is put before is deleted by them, and what comes later here. */
async function put(name, request, answer) {
  const cache = await caches.open(name);
  await cache.delete(request, { ignoreVary: true }); // the newest stands last
  await cache.put(request, answer);
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MOST[name])).map((old) => cache.delete(old, { ignoreVary: true })));
  if (!(await caches.has(STATIC))) await caches.delete(name);
}

function inTime(answer) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the network is too slow")), PATIENCE_MS);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The page's scripts must know that the shop did not send it just now. */
async function marked(answer) {
  const html = (await answer.text()).replace("<body", "<body data-offline");
  const headers = new Headers(answer.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(html, { status: 200, headers });
}
