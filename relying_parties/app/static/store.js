// What the app keeps on this phone: an IndexedDB of its own for each channel, one table of names and values.
// Keys of WebCrypto are kept as they are; the browser hands them out to no script, this one included.

import { channel } from "./config.js";

const TABLE = "kept";

const nameOf = (of) => `tongxing-${of.key}`;

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inTable(of, mode, work) {
  const opening = indexedDB.open(nameOf(of), 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await asked(opening);
  try {
    return await asked(work(database.transaction(TABLE, mode).objectStore(TABLE)));
  } finally {
    database.close();
  }
}

/**
 * @param {string} name
 * @param {import("./config.js").Channel} [of] another app than this page's
 * @returns {Promise<any>} what is kept under this name; undefined for nothing
 */
export const kept = (name, of = channel()) => inTable(of, "readonly", (table) => table.get(name));

/**
 * @param {string} name
 * @param {any} value anything that can be cloned, non-extractable keys too
 * @param {import("./config.js").Channel} [of]
 */
export const keep = (name, value, of = channel()) => inTable(of, "readwrite", (table) => table.put(value, name));

/**
 * Forget names, or everything this app kept.
 * @param {...string} names none: everything
 */
export async function forget(...names) {
  if (!names.length) return inTable(channel(), "readwrite", (table) => table.clear());
  for (const name of names) await inTable(channel(), "readwrite", (table) => table.delete(name));
  return undefined;
}
