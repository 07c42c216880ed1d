// Taking names along: as text, as a picture.
import { ELEMENTS, hangul, hanja } from "./view.js";

export function asText(name) {
  const chars = name.chars.map(c => c.hanja ? `${c.meaning} ${c.reading}(${c.hanja}), 자원오행 ${c.element}` : c.reading);
  return [`${hangul(name)}${name.given_hanja ? `(${hanja(name)})` : ""} ${name.romanization}`, ...(name.given_hanja ? chars : []), name.meaning, ...name.reason].filter(Boolean).join("\n");
}

export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");  // a page on plain http that is not localhost has no clipboard
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new DOMException("copy", "NotAllowedError");
}

const LIGHT = { 목: "#24702a", 화: "#b3261e", 토: "#855a00", 금: "#5a6068", 수: "#1a4f8b" };
const WIDE = 1080, TALL = 1350;

function lines(pen, text, width) {
  const found = [""];
  for (const word of text.split(" ")) {
    const tried = found.at(-1) ? `${found.at(-1)} ${word}` : word;
    if (pen.measureText(tried).width <= width) found[found.length - 1] = tried; else found.push(word);
  }
  return found;
}

function paper(pen) {
  pen.fillStyle = "#fffefb";
  pen.fillRect(0, 0, WIDE, TALL);
  pen.strokeStyle = "#ddd6c9";
  pen.lineWidth = 3;
  pen.strokeRect(40, 40, WIDE - 80, TALL - 80);
  pen.textAlign = "center";
  pen.textBaseline = "alphabetic";
}

export function picture(name, { analysis, mean, wish }) {  // canvas
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDE, height: TALL }), pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement), sans = style.getPropertyValue("--sans"), serif = style.getPropertyValue("--serif");
  const write = (text, x, y, font, colour = "#23201c") => { pen.font = font; pen.fillStyle = colour; pen.fillText(text, x, y); };
  const paragraph = (text, y, font, step, colour) => { pen.font = font; return lines(pen, text, WIDE - 240).reduce((at, line) => (write(line, WIDE / 2, at, font, colour), at + step), y); };
  canvas.lang = "ko";
  paper(pen);
  if (analysis) write(analysis.pillars.map((p, i) => p + "年月日時"[i]).join("  "), WIDE / 2, 150, `500 40px ${serif}`, "#645d53");
  const shown = [{ hanja: name.given_hanja ? name.surname_hanja : name.surname, family: true }, ...name.chars], gap = Math.min(300, 860 / shown.length), left = WIDE / 2 - gap * (shown.length - 1) / 2;
  shown.forEach((c, i) => {
    write(c.hanja || c.reading, left + gap * i, 470, `500 ${Math.min(240, gap * .86)}px ${serif}`, c.family ? "#645d53" : LIGHT[c.element]);
    write(c.family ? name.surname : c.hanja ? `${c.meaning} ${c.reading}` : "", left + gap * i, 555, `500 38px ${sans}`);
    if (c.element) write(`${ELEMENTS[c.element]} ${c.element}`, left + gap * i, 612, `400 32px ${sans}`, LIGHT[c.element]);
  });
  write(hangul(name), WIDE / 2, 770, `700 88px ${sans}`);
  write(name.romanization, WIDE / 2, 835, `400 38px ${sans}`, "#645d53");
  const next = mean ? paragraph(mean, 950, `600 40px ${sans}`, 58) + 24 : 950;
  if (wish) paragraph(wish, next, `400 40px ${serif}`, 64);
  write("사주 작명", WIDE / 2, TALL - 90, `600 30px ${serif}`, "#a8322a");
  return canvas;
}

export async function save(canvas, file) {
  const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: file });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
