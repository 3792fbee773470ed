// Times as "4 min ago", said anew each minute: a page stays open for hours.

const AGO = []; // the server puts its own table here (`words.py`): both say the same

export function ago(seconds) {
  const [size, one, several] = AGO.find(([least]) => seconds >= least) ?? AGO.at(-1);
  const count = Math.floor(seconds / size);
  return count === 1 ? one : several.replace("{n}", count);
}

export function tellTimes(place) {
  for (const time of place.querySelectorAll("time[data-ago]")) {
    const text = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}
