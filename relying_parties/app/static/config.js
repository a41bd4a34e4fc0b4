// What this app is told at its start: the provider, and which app this page is of.

/**
 * @typedef {object} Channel one app of the demo, by its place: 吉事办 at /, the others below a folder
 * @property {string} key     the channel's key at the provider: "jishiban", "social_card", "licence"
 * @property {string} name    its name, as people know it
 * @property {string} path    where it lives: "/" or "/social-card/"
 * @property {string} client_id
 * @property {string[]} surfaces  "app", "mini_program": as what it may run
 * @property {string} says    what it is for
 * @property {string} brings  which identities come with the person
 * @property {boolean} closed it does not scan yet
 */

let told = null;

/**
 * Read the settings; they are the same for every page of this address.
 * @returns {Promise<void>}
 * @throws {Error} without a network at the very first start
 */
export async function loadConfig() {
  const answer = await fetch("/config.json");
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  told = await answer.json();
}

/** @returns {string} the provider's issuer, no trailing slash */
export const issuer = () => told.issuer;

/** @returns {Channel} the app that this page is of */
export function channel() {
  const inFolder = told.channels.find((each) => each.path !== "/" && location.pathname.startsWith(each.path));
  return inFolder || told.channels.find((each) => each.path === "/");
}

/**
 * @param {string} key
 * @returns {Channel | undefined} the app with this key
 */
export const channelOf = (key) => told.channels.find((each) => each.key === key);

/** @returns {Channel[]} every app of this address */
export const channels = () => told.channels;

/**
 * The address of a page of an app.
 * @param {string} route "/", "/scan", "/open?code=…"
 * @param {Channel} [of] another app than this page's
 * @returns {string} a path of this origin
 */
export const at = (route, of = channel()) => of.path.slice(0, -1) + route;

/**
 * As what this app runs on this phone: an app of its own, or a mini program inside another.
 * @returns {"app" | "mini_program"}
 */
export function surface() {
  const { key, surfaces } = channel();
  const chosen = localStorage.getItem(`surface:${key}`);
  return surfaces.includes(chosen) ? chosen : surfaces[0];
}

/**
 * Remember as what this app runs.
 * @param {"app" | "mini_program"} chosen
 */
export const runAs = (chosen) => localStorage.setItem(`surface:${channel().key}`, chosen);
