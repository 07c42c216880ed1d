// What this browser remembers; a browser that allows no storage remembers until the page is closed.
const here = new Map();

export function recall(key) {
  try { return localStorage.getItem("saju-naming." + key) ?? here.get(key) ?? ""; } catch { return here.get(key) ?? ""; }
}

export function remember(key, value) {
  here.set(key, value);
  try { localStorage.setItem("saju-naming." + key, value); } catch { /* kept in `here` */ }
}
