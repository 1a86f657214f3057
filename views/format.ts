const units = ["bytes", "KB", "MB", "GB", "TB", "PB"];
const unitStep = 1024;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `3.4 MB`; units of 1,024, as in `max_file_size_mb`. */
export function shortBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  // 1,023.5 KB would be shown as 1024 KB.
  while (value >= unitStep - 0.5 && unit < units.length - 1) {
    value /= unitStep;
    unit += 1;
  }
  if (unit === 0) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return `${value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, "")} ${units[unit]}`;
}

/** `3,565,158 bytes`. */
export function exactBytes(bytes: number): string {
  return `${bytes.toLocaleString("en-GB")} ${bytes === 1 ? "byte" : "bytes"}`;
}

/**
 * `23 Nov 2026, 20:30`, in the zone the text is written in; text that is not an ISO 8601 date is given back.
 * @param iso as the catalog has it: UTC, or a camera's local time.
 */
export function shortDate(iso: string): string {
  let match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}))?/.exec(iso);
  let month = months[Number(match?.[2]) - 1];
  if (!match || month === undefined) return iso;
  let day = `${Number(match[3])} ${month} ${match[1]}`;
  return match[4] === undefined ? day : `${day}, ${match[4]}`;
}

/** `3.1 s`, `2:05`, `1:02:05`. */
export function shortDuration(seconds: number): string {
  let whole = Math.round(seconds);
  if (whole < 60) return `${Number(seconds.toPrecision(2))} s`;
  let clock = new Date((whole % 3600) * 1000).toISOString().slice(14, 19);
  let hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${clock}` : clock.replace(/^0/, "");
}

/** `48.85837, 2.29448`: five decimals are a metre. */
export function shortPosition(latitude: number, longitude: number): string {
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
}

/** The place on OpenStreetMap. */
export function mapHref(latitude: number, longitude: number): string {
  let place = `mlat=${latitude}&mlon=${longitude}`;
  return `https://www.openstreetmap.org/?${place}#map=15/${latitude}/${longitude}`;
}
