// What an answer looks like. Every text from the server goes in as text, never as HTML.
import { english, optionWords, t } from "./text.js";

const CHARACTERS = { 목: "甲乙寅卯", 화: "丙丁巳午", 토: "戊己辰戌丑未", 금: "庚辛申酉", 수: "壬癸亥子" };
const elementOf = char => Object.keys(CHARACTERS).find(e => CHARACTERS[e].includes(char));
export const ELEMENTS = { 목: "木", 화: "火", 토: "土", 금: "金", 수: "水" };

export const h = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

const ko = (tag, attributes, ...children) => h(tag, { lang: "ko", ...attributes }, ...children);  // text that stays Korean in the English page
const chip = element => element && h("dd", {}, h("span", { class: "chip", "data-e": element }, t(element)));
const button = (label, onclick, kind = "second", name) => h("button", { type: "button", class: kind, "aria-label": name, onclick }, label);

export const hangul = name => name.surname + name.given;
export const hanja = name => name.given_hanja && (name.surname_hanja || "") + name.given_hanja;

function pillarCell(char, reading) {
  if (!char) return h("td", { class: "none" }, h("b", { "aria-hidden": "true" }, "–"), h("span", {}, t("모름")));
  return h("td", { "data-e": elementOf(char) }, ko("b", {}, char), h("span", {}, ko("span", {}, reading), " · ", t(elementOf(char))));
}

export function pillars({ pillars, pillars_ko }) {
  const row = (title, at) => h("tr", {}, h("th", { scope: "row" }, t(title)), [0, 1, 2, 3].map(i => pillarCell(pillars[i]?.[at], pillars_ko[i]?.[at])));
  return h("table", { class: "pillars" }, h("caption", {}, t("네 기둥")),
    h("thead", {}, h("tr", {}, h("td"), ["년", "월", "일", "시"].map(title => h("th", { scope: "col" }, t(title))))),
    h("tbody", {}, row("천간", 0), row("지지", 1)));
}

export function elements(counts, added) {
  const blocks = (n, kind) => Array.from({ length: n }, () => h("i", { class: kind }));
  const items = Object.entries(ELEMENTS).map(([e, sign]) => {
    const n = counts[e] ?? 0, more = added.filter(x => x === e).length;
    return h("li", { "data-e": e },
      h("span", { class: "sr" }, t("{e} {n}개, 이름까지 {m}개", { e: t(e), n, m: n + more })),
      h("span", { class: "stack", "aria-hidden": "true" }, blocks(n, "own"), blocks(more, "added"), n + more === 0 && h("i", { class: "void" })),
      ko("b", { "aria-hidden": "true" }, sign), h("span", { class: "n", "aria-hidden": "true" }, more ? `${n} → ${n + more}` : String(n)));
  });
  return h("div", {}, h("h3", {}, t("오행: 이름을 더하기 전과 후")), h("ul", { class: "elements" }, items),
    h("p", { class: "key", "aria-hidden": "true" }, h("span", {}, h("i"), t("사주")), h("span", {}, h("i", { class: "added" }), t("이름으로 더함"))));
}

export function glyphs(name) {
  const family = h("div", { class: `family${name.given_hanja ? "" : " plain"}` }, ko("dt", {}, name.given_hanja ? name.surname_hanja : name.surname), h("dd", {}, name.given_hanja ? ko("span", {}, name.surname) : optionWords("surname")));
  const given = name.chars.map(c => h("div", { "data-e": c.element || undefined, class: c.hanja ? undefined : "plain" },
    ko("dt", {}, c.hanja || c.reading), c.hanja && ko("dd", {}, `${c.meaning} ${c.reading}`.trim()), chip(c.element)));
  return h("dl", { class: "glyphs" }, family, given);
}

const rowsOf = (title, head, rows) => h("table", { class: "facts" }, h("caption", {}, t(title)),
  h("thead", {}, h("tr", {}, head.map(([label, kind]) => h("th", { scope: "col", class: kind }, t(label))))), h("tbody", {}, rows.map(cells => h("tr", {}, cells))));

function strokes(name) {
  const chars = name.chars.filter(c => c.original_strokes);
  if (!chars.length) return [];
  const pair = name.eumyang.slice(-name.chars.length);
  const own = rowsOf("획수", [["글자"], ["필획", "num"], ["원획", "num"], ["음양"]], chars.map((c, i) =>
    [ko("td", { class: "hanja" }, c.hanja), h("td", { class: "num" }, String(c.strokes)), h("td", { class: "num" }, String(c.original_strokes)), h("td", {}, pair[i] ? t(pair[i]) : "")]));
  const frames = rowsOf("사격", [["격"], ["수리", "num"], ["길흉"], ["풀이"]], name.suri.map(([frame, number, luck, label]) =>
    [h("td", {}, t(frame)), h("td", { class: "num" }, String(number)), h("td", {}, t(luck)), ko("td", {}, label)]));
  return [own, name.suri.length ? frames : null];
}

function rules(name) {
  return rowsOf("등록 규칙", [["규칙"], ["결과"], ["내용"]], name.legality.map(rule => [ko("td", {}, rule.rule), h("td", {}, t(rule.ok ? "통과" : "걸림")), ko("td", {}, rule.detail)]));
}

const LEVELS = { ok: ["목", "괜찮습니다"], caution: ["토", "알고 고르세요"], stop: ["화", "권하지 않습니다"], unknown: [undefined, "아직 모릅니다"] };

export function verdicts(found) {
  return h("ul", { class: "verdicts" }, found.map(({ about, level, sentences }) => h("li", { class: "verdict", "data-e": LEVELS[level][0] },
    h("strong", {}, t(about), ": ", t(LEVELS[level][1])), ko("ul", {}, sentences.map(said => h("li", {}, said))))));
}

/* 해마다 이 이름을 받은 아이 */
const WIDE = 144, TALL = 26, EDGE = 2;

function runs(told) {  // the years in a row that are known, as points; what is not known stays a gap
  const most = Math.max(...told.map(([, n]) => n ?? 0)), found = [];
  told.forEach(([, n], i) => {
    if (n === null) return;
    if (!i || told[i - 1][1] === null) found.push([]);
    found.at(-1).push(`${EDGE + i * (WIDE - 2 * EDGE) / (told.length - 1)},${TALL - EDGE - n / most * (TALL - 2 * EDGE)}`);
  });
  return found.map(points => points.length > 1 ? points : [points[0], points[0]]);  // a year alone is a dot
}

export function years(name) {
  const told = Object.entries(name.popularity), known = told.filter(([, n]) => n !== null);
  if (!known.some(([, n]) => n)) return null;
  const top = known.reduce((a, b) => b[1] > a[1] ? b : a), last = known.at(-1), gaps = told.length - known.length;
  const said = t("{a}년부터 {b}년까지 해마다 이 이름을 받은 아이. 가장 많은 해는 {top}년 {n}명.", { a: told[0][0], b: told.at(-1)[0], top: top[0], n: number(top[1]) });
  const line = svg("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, role: "img", "aria-label": gaps ? `${said} ${t("표에 없는 해 {n}번.", { n: gaps })}` : said },
    runs(told).map(points => svg("polyline", { points: points.join(" ") })));
  return h("p", { class: "years" }, line, h("span", {}, t("{year}년 {n}명", { year: last[0], n: number(last[1]) })));
}

const COUNTED = /^(소리는|소리의|획수 사격은)/;  // details that the fold shows as tables

export function details(name) {
  return ko("ul", { class: "why" }, name.details.filter(said => !COUNTED.test(said)).map(said => h("li", {}, said)));
}

function fold(name) {
  const sounds = [...hangul(name)].map((syllable, i) => h("li", {}, h("span", { class: "chip", "data-e": name.sound[i] }, ko("span", {}, syllable), " ", t(name.sound[i]))));
  return h("details", { class: "fold" }, h("summary", {}, t("획수와 소리")), strokes(name), h("h4", {}, t("소리")), h("ul", { class: "sounds" }, sounds),
    name.details.filter(said => COUNTED.test(said)).map(said => ko("p", {}, said)));
}

export function card(name, { choose, label = "고르기", copy, chosen = false, full = false }) {
  const called = hangul(name);
  return h("article", { class: "card", "data-chosen": chosen },
    glyphs(name), h("h3", {}, ko("span", {}, called), h("small", { lang: "en" }, name.romanization)),
    name.meaning && ko("p", { class: "wish" }, name.meaning), name.reason.length > 0 && ko("ul", { class: "why" }, name.reason.map(said => h("li", {}, said))),
    years(name), full && details(name), fold(name), full && rules(name),
    h("div", { class: "actions" }, choose && button(t(label), () => choose(name), "main", `${called} ${t(label)}`), button(t("복사"), () => copy([name]), "second", `${called} ${t("복사")}`)));
}

export function told(answer) {
  const { analysis } = answer;
  return h("div", { class: "told" }, ko("p", {}, answer.explanation ?? analysis.sentences.slice(2).join(" ")),
    analysis.notes.length && h("details", {}, h("summary", {}, t("셈에 쓴 규칙")), ko("ul", {}, analysis.notes.map(note => h("li", {}, note)))));
}

export const number = n => n.toLocaleString(english() ? "en" : "ko");
