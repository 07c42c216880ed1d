// The page at work: form → request → answer.
import { Failure, knownAddress, readiness, rememberAddress, request, useAddress, useKey } from "./api.js";
import { loadOptions } from "./options.js";
import { asText, copy, picture, save } from "./share.js";
import { english, switchLanguage, t, translate } from "./text.js";
import * as view from "./view.js";

const $ = id => document.getElementById(id);
const form = $("form");
const state = { place: "beside", ready: "wait", later: 0, kind: "", answer: null, asked: null, chosen: null, running: null, meaning: null };

/* 서버 */
const WORDS = { ready: "준비됨", wait: "준비하는 중", none: "서버 없음" };

function showReady() {
  $("ready").dataset.state = state.ready;
  $("ready").firstElementChild.dataset.t = WORDS[state.ready];
  translate();
}

async function look() {
  clearTimeout(state.later);
  state.ready = await readiness();
  showReady();
  if (state.ready === "wait") state.later = setTimeout(look, 2000);
}

async function connect(event) {
  event.preventDefault();
  $("e-address").textContent = "";
  try {
    if (state.place === "beside") useKey($("key").value);
    else useAddress($("address").value.trim(), $("key").value);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    $("e-address").textContent = error.message;
    return $("address").focus();
  }
  await look();
  if (state.ready === "none") $("e-address").textContent = t("이 주소의 서버가 답하지 않습니다. 켜져 있는지, 이 페이지를 허락하는지 확인해 주세요.");
  else if (state.place === "elsewhere") rememberAddress();
  if (state.ready !== "none") lookupSurname();
}

async function findServer() {
  await look();
  if (state.ready !== "none") return;
  state.place = "elsewhere";
  $("server").hidden = false;
  $("address").value = knownAddress();
  if ($("address").value) await connect(new Event("submit"));
}

function askKey() {
  $("server").hidden = $("key-field").hidden = false;
  $("address").closest("label").hidden = state.place === "beside";
  $("key").focus();
}

/* 적는 칸 */
const FIRST = { birth: "year", lunar: "year", surname_hanja: "surname" };  // fields that are mended at another's input
const OTHER = { name: "own", review: "making" };  // what the task does not ask
const task = () => form.elements.task.value;

function clearErrors() {
  for (const node of form.querySelectorAll(".error")) node.replaceChildren();
  for (const node of form.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
}

function controlOf(field) {
  const found = form.elements.namedItem(field);
  return found instanceof RadioNodeList ? found[0] : found;
}

const placeOf = input => $(input.closest("[aria-describedby]").getAttribute("aria-describedby"));  // where its error is said

function point(field, message, detail = false, go = true) {
  if (task() === "review" && ["surname", "surname_hanja"].includes(field)) field = "name";
  const input = controlOf(FIRST[field] ?? field), place = input ? placeOf(input) : $("e-form");
  place.replaceChildren(...(detail && english() ? [t("이 칸을 다시 보아 주세요."), " ", view.h("span", { lang: "ko" }, message)] : [message]));
  if (!input) return $("go").focus();
  input.closest("details")?.setAttribute("open", "");
  if (input.type !== "radio") { input.setAttribute("aria-invalid", "true"); input.setAttribute("aria-describedby", place.id); }
  if (go) input.focus();
}

function missing(asked) {
  const birth = task() === "name" || asked.year || asked.month || asked.day;
  return [[birth && !(asked.year && asked.month && asked.day), ["year", "month", "day"].find(k => !asked[k]), "년, 월, 일을 모두 적어 주세요."],
    [task() === "name" && !$("unknown").checked && !asked.hour, "hour", "시를 적거나 ‘시를 모름’을 골라 주세요."],
    [task() === "name" && !asked.gender, "gender", "성별을 골라 주세요."], [task() === "name" && !asked.surname, "surname", "성을 적어 주세요."],
    [task() === "review" && !asked.name, "name", "성과 이름을 적어 주세요."]].filter(([bad]) => bad);
}

const CALENDAR = ["hour", "minute", "lunar", "leap"];  // these say nothing without a date

function valueOf(control, typed) {
  if ("many" in control.dataset) return typed.split(/[,，、]/).map(one => one.trim()).filter(Boolean);
  if (control.type === "number") return Number(typed);
  return ["checkbox", "radio"].includes(control.type) && typed === "true" ? true : typed;
}

const usual = control => control.tagName === "SELECT" && control.selectedOptions[0].defaultSelected;  // as the server takes it anyway

function collect() {
  const asked = {};
  for (const [name, text] of new FormData(form)) {
    const control = controlOf(name), typed = text.trim();
    if (typed && !usual(control) && !["task", "unknown"].includes(name) && !$(OTHER[task()]).contains(control)) asked[name] = valueOf(control, typed);
  }
  if (task() === "review" && !asked.year && !asked.month && !asked.day) for (const name of CALENDAR) delete asked[name];
  return asked;
}

function fitForm() {
  const lunar = form.elements.namedItem("lunar").value === "true", review = task() === "review";
  $("leap-field").hidden = !lunar;
  $("leap").disabled = !lunar;
  $("hour").disabled = $("minute").disabled = $("unknown").checked;
  $("position").disabled = !$("fixed_syllable").value.trim();
  $("own").hidden = $("birth-optional").hidden = !review;
  $("making").hidden = review;
  $("go").firstElementChild.dataset.t = review ? "이름 검사하기" : "이름 짓기";
  translate();
}

/* 성의 한자 */
let surname = { stop: new AbortController(), fault: "" };  // the latest look-up

function offerSurname({ surname, choices }) {
  if (!choices.length) return offerNothing();  // a surname that no table lists
  const chips = choices.map(({ hanja, meaning }, i) => view.h("label", {},
    view.h("input", { type: "radio", name: "surname_hanja", value: hanja, checked: i === 0 }), view.h("span", { lang: "ko" }, view.h("b", {}, hanja), view.h("small", {}, hanja.length === 1 && meaning ? `${meaning} ${surname}` : surname))));
  $("surname-hanja").querySelector("div").replaceChildren(...chips);
  $("surname-hanja").hidden = false;
}

function offerNothing() {
  $("surname-hanja").hidden = true;
  $("surname-hanja").querySelector("div").replaceChildren();
}

async function lookupSurname() {
  const typed = $("surname").value.trim();
  surname.stop.abort();
  const mine = surname = { stop: new AbortController(), fault: "" };
  $("e-surname").textContent = "";
  $("surname").removeAttribute("aria-invalid");
  if (!/^[가-힣]{1,2}$/.test(typed)) return offerNothing();
  try { offerSurname(await request("surnames/" + encodeURIComponent(typed), null, { signal: mine.stop.signal })); }
  catch (error) {
    if (mine.stop.signal.aborted) return;
    if (!(error instanceof Failure)) throw error;
    offerNothing();
    if (error.status === 401) return askKey();
    if (error.detail) mine.fault = error.message;
    if (document.activeElement !== $("surname")) tellSurname();
  }
}

function tellSurname() { if (surname.fault) point("surname", surname.fault, true, false); }  // not while one is still typing

/* 물음과 답 */
function stage(name) {
  for (const id of ["intro", "progress", "failed", "shown"]) $(id).hidden = id !== name;
  $("answer").setAttribute("aria-busy", String(name === "progress"));
  $("go").disabled = name === "progress";
}

function rest() { stage(state.answer ? "shown" : "intro"); }

async function submit(event) {
  event?.preventDefault();
  clearErrors();
  const asked = collect(), lacks = missing(asked);
  for (const [, field, message] of lacks.toReversed()) point(field, t(message));
  if (lacks.length) return;
  if (state.ready === "none" && state.place === "elsewhere") { $("e-form").textContent = t("먼저 서버에 연결해 주세요."); return $("address").focus(); }
  await run(task(), asked);
}

async function run(kind, asked) {
  const stop = state.running = new AbortController();
  stage("progress");
  $("status").textContent = t(kind === "name" ? "후보를 모두 견주고 이름을 고르는 중입니다." : "이름을 검사하는 중입니다.");
  $("answer").scrollIntoView({ block: "nearest" });
  const slow = setTimeout(() => { $("status").textContent = t("조금 더 걸리고 있습니다. 서버가 답할 때까지 기다립니다."); }, 6000);
  try {
    const answer = await request(kind, asked, { signal: stop.signal });
    Object.assign(state, { answer: kind === "name" ? answer.result : answer, asked, kind, chosen: null });
    showAnswer();
    if (state.ready !== "ready") look();
  } catch (error) {
    if (stop.signal.aborted) return rest();
    if (!(error instanceof Failure)) { rest(); throw error; }
    fail(error);
  } finally { clearTimeout(slow); }
}

function fail(error) {
  if (error.detail && error.status < 500) { rest(); return point(error.field, error.message, true); }
  stage("failed");
  $("failed-text").textContent = error.message;
  if (error.status === 401) return askKey();
  look();
  $("again").focus();
}

function showAnswer() {
  stage("shown");
  $("status").textContent = "";
  drawAnswer();
  const title = $("shown").querySelector("h2");
  title.focus({ preventScroll: true });
  $("shown").scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function drawAnswer() {
  if (state.answer) $("shown").replaceChildren(...(state.kind === "name" ? namesShown(state.answer) : reviewShown(state.answer)));
}

const heading = (text, ...more) => view.h("div", { class: "heading" }, view.h("h2", { tabindex: "-1" }, text), ...more);
const tools = names => view.h("div", { class: "actions" },
  view.h("button", { type: "button", class: "second", onclick: () => copyNames(names) }, t(names.length > 1 ? "모두 복사" : "복사")), view.h("button", { type: "button", class: "second", onclick: () => print() }, t("인쇄 · PDF")));

function chartShown(analysis, name) {
  return view.h("div", { class: "chart" }, view.pillars(analysis), view.elements(analysis.counts, name.elements));
}

function namesShown(answer) {
  const first = state.chosen ?? answer.names[0], few = answer.names.length < (state.asked.count ?? 0);
  return [view.h("section", { class: "told" }, heading(t("사주와 오행")), chartShown(answer.analysis, first), view.told(answer)),
    view.h("section", { class: "told" }, heading(t("권하는 이름"), tools(answer.names)),
      few && view.h("p", {}, t("조건에 맞는 이름이 {n}개뿐입니다. 돌림자나 그 자리를 바꾸어 보세요.", { n: answer.names.length })),
      view.h("ul", { class: "cards" }, answer.names.map(name => view.h("li", {}, view.card(name, { choose: pick, copy: copyNames, chosen: name === state.chosen })))),
      view.h("p", { class: "source" }, t("후보 {n}가지를 모두 견주었습니다.", { n: view.number(answer.searched) }), " ", view.h("span", { lang: "ko" }, answer.source_reason + ".")))];
}

function reviewShown({ name, analysis, verdicts }) {
  return [view.h("section", { class: "told" }, heading(t("검사한 이름"), tools([name])), view.verdicts(verdicts), view.card(name, { choose: name.given_hanja ? pick : null, label: "뜻 보기", copy: copyNames, full: true })),
    ...(analysis ? [view.h("section", { class: "told" }, heading(t("사주와 오행")), chartShown(analysis, name), view.told({ analysis }))] : [])];
}

/* 고른 이름 */
async function pick(name) {
  Object.assign(state, { chosen: name, meaning: null });
  for (const node of document.querySelectorAll(".card")) node.toggleAttribute("data-chosen", node.querySelector("h3 span").textContent === view.hangul(name));
  if (state.answer.analysis) document.querySelector(".chart").replaceWith(chartShown(state.answer.analysis, name));  // in place: the button that was pressed keeps its focus
  $("picked").showModal();
  drawPicked(t("뜻을 읽는 중입니다."));
  try {
    state.meaning = await request("mean", { name: `${name.given}(${name.given_hanja})` });
    if (state.chosen === name) drawPicked();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (state.chosen === name) drawPicked(error.message);
  }
}

function meanShown({ mean }) {
  const [before, after] = t("{mean}의 뜻을 가집니다.", { mean: "\n" }).split("\n");
  return view.h("p", { class: "mean" }, before, view.h("span", { lang: "ko" }, mean), after);
}

const wishOf = () => state.chosen.meaning || state.meaning?.sentence || "";

function drawPicked(status = "") {
  const name = state.chosen;
  $("picked-body").replaceChildren(view.glyphs(name), view.h("div", {}, view.h("h2", { id: "picked-title", lang: "ko" }, view.hangul(name)), view.h("p", { class: "source", lang: "en" }, name.romanization)),
    view.h("div", { role: "status" }, status && view.h("p", {}, status), state.meaning && meanShown(state.meaning)), view.h("p", { class: "wish", lang: "ko" }, wishOf()), view.details(name));
}

/* 가져가기 */
function say(text) {
  $("said").textContent = text;
  setTimeout(() => { if ($("said").textContent === text) $("said").textContent = ""; }, 3000);
}

async function copyNames(names) {
  try { await copy(names.map(asText).join("\n\n")); say(t("복사했습니다.")); }
  catch (error) {
    if (!(error instanceof DOMException)) throw error;
    say(t("복사하지 못했습니다. 글을 직접 골라 복사해 주세요."));
  }
}

async function saveImage() {
  const name = state.chosen, mean = state.meaning && `${state.meaning.mean}의 뜻을 가집니다.`;
  await save(picture(name, { analysis: state.answer.analysis, mean, wish: wishOf() }), `${view.hangul(name)}.png`);
  say(t("그림을 저장했습니다."));
}

function unfold(open) { for (const node of document.querySelectorAll("#shown details.fold")) { if (open) node.dataset.was = node.open; node.open = open || node.dataset.was === "true"; } }

form.addEventListener("submit", submit);
form.addEventListener("change", fitForm);
$("server").addEventListener("submit", connect);
$("surname").addEventListener("input", lookupSurname);
$("surname").addEventListener("change", tellSurname);
$("fixed_syllable").addEventListener("input", fitForm);
$("cancel").addEventListener("click", () => { state.running.abort(); $("go").disabled = false; $("go").focus(); });
$("again").addEventListener("click", () => submit());
$("picked-close").addEventListener("click", () => $("picked").close());
$("picked-copy").addEventListener("click", () => copyNames([{ ...state.chosen, meaning: wishOf() }]));
$("picked-image").addEventListener("click", saveImage);
$("picked-print").addEventListener("click", () => print());
$("language").addEventListener("click", () => { switchLanguage(); showLanguage(); drawAnswer(); });
addEventListener("beforeprint", () => unfold(true));
addEventListener("afterprint", () => unfold(false));

function showLanguage() { Object.assign($("language"), english() ? { textContent: "한국어", lang: "ko" } : { textContent: "English", lang: "en" }); }

fitForm();
showLanguage();
findServer();
loadOptions().then(translate);
