// How days and times are said: the clock of the platform, whatever the phone's own zone is.

const ZONE = "Asia/Shanghai";
const DAY_MILLISECONDS = 86_400_000;

const format = (options) => new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, ...options });
const clock = format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const calendar = format({ year: "numeric", month: "numeric", day: "numeric" });
const weekdays = format({ weekday: "long" });

function dayOf(instant) {
  const parts = Object.fromEntries(calendar.formatToParts(instant).map(({ type, value }) => [type, value]));
  return { key: `${parts.year}-${parts.month}-${parts.day}`, year: parts.year, words: `${parts.month} 月 ${parts.day} 日` };
}

/**
 * @param {Date} [now]
 * @returns {string} "11 月 20 日，星期五"
 */
export const today = (now = new Date()) => `${dayOf(now).words}，${weekdays.format(now)}`;

/**
 * @param {string} iso a time with offset
 * @param {Date} [now]
 * @returns {string} "今天 09:12", "昨天 16:40", "11 月 18 日 10:05", with the year where it is another one
 */
export function when(iso, now = new Date()) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "时间未知";
  const [day, present] = [dayOf(at), dayOf(now)];
  const yesterday = dayOf(new Date(now.getTime() - DAY_MILLISECONDS));
  let said = day.year === present.year ? day.words : `${day.year} 年 ${day.words}`;
  if (day.key === present.key) said = "今天";
  else if (day.key === yesterday.key) said = "昨天";
  return `${said} ${clock.format(at)}`;
}

const PHONES = new Set(["安卓手机", "iPhone"]);

/**
 * @param {{system?: string}} browser the one that waits
 * @returns {boolean} whether it is a phone's, most likely this one's: its page is spoken of, and no computer
 */
export const isOnAPhone = ({ system }) => PHONES.has(system);

/**
 * @param {Date} [now]
 * @returns {string} "早上好", "上午好", "中午好", "下午好", "晚上好"
 */
export function greeting(now = new Date()) {
  const hour = Number(clock.format(now).slice(0, 2));
  if (hour < 5) return "晚上好";
  if (hour < 9) return "早上好";
  if (hour < 12) return "上午好";
  if (hour < 14) return "中午好";
  return hour < 18 ? "下午好" : "晚上好";
}
