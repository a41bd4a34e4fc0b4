// The app opens without a network: its files and the empty page are kept, one version at a time. What the provider
// says is never kept: only this address is looked at. VERSION, FILES and SHELLS are put before this by the server.

const CACHE = `tongxing-${VERSION}`;

async function install() {
  const cache = await caches.open(CACHE);
  // Each by itself: one file that cannot be got shall not keep the new version from coming.
  await Promise.allSettled([...SHELLS, ...FILES].map((address) => cache.add(new Request(address, { cache: "reload" }))));
  await self.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith("tongxing-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The network first; without one, what is kept. Nothing that comes now is put away: addresses hold codes. */
async function freshOr(request, address) {
  try {
    return await fetch(request);
  } catch (failed) {
    const known = await caches.match(address);
    if (known) return known;
    throw failed;
  }
}

const keptOr = async (request) => (await caches.match(request)) || fetch(request);

function shellOf(path) {
  return SHELLS.find((shell) => shell !== "/" && path.startsWith(shell)) || "/";
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(freshOr(request, shellOf(pathname)));
  else if (pathname.startsWith("/static/") || pathname.startsWith("/theme/")) event.respondWith(keptOr(request));
  else if (pathname === "/config.json") event.respondWith(freshOr(request, pathname));
});
