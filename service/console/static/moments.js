// Times as "4 min ago", said anew each minute: a page stays open for hours. The words are those of `words.py: ago`.

const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const LONG = [[365 * DAY, "year"], [30 * DAY, "month"], [DAY, "day"]];

export function ago(seconds) {
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  if (seconds < 2 * DAY) return "yesterday";
  const [size, unit] = LONG.find(([size]) => seconds >= size);
  const number = Math.floor(seconds / size);
  return `${number} ${unit}${number === 1 ? "" : "s"} ago`;
}

export function tellTimes(place) {
  for (const time of place.querySelectorAll("time[data-ago]")) {
    const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}
