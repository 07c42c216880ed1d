// Talking to the naming server: the one that served this page, or the one whose address was given.
import { recall, remember } from "./store.js";
import { t } from "./text.js";

const BESIDE = new URL(".", document.baseURI).href;
const WAIT = 90;  // seconds
let base = BESIDE;
let key = "";

export class Failure extends Error {  // `field` and `detail` when the server says what to mend
  constructor(message, { status = 0, field = "", detail = false } = {}) { super(message); Object.assign(this, { status, field, detail }); }
}

function refusal(reply, said) {
  if (reply.status === 401) return new Failure(t("서버가 API 키를 바랍니다. 서버 칸에 적어 주세요."), { status: 401 });
  const seconds = Number(reply.headers.get("Retry-After")) || 5;
  if ([429, 503].includes(reply.status)) return new Failure(t("서버가 지금 바쁩니다. {n}초 뒤에 다시 해 보세요.", { n: seconds }), { status: reply.status });
  if (said?.error?.reason) return new Failure(`${said.error.reason}. ${said.error.remedy}.`, { status: reply.status, field: said.error.field, detail: true });
  return new Failure(t("서버가 알 수 없는 답을 보냈습니다({status}).", { status: reply.status }), { status: reply.status });
}

async function json(reply) {
  try { return await reply.json(); } catch (error) { if (error.name === "AbortError" || error.name === "TimeoutError") throw error; return null; }
}

export async function request(path, body, { signal, wait = WAIT } = {}) {
  const clock = AbortSignal.timeout(wait * 1000);
  const headers = { "ngrok-skip-browser-warning": "1", ...(body && { "Content-Type": "application/json" }), ...(key && { "X-API-Key": key }) };
  let reply, said;
  try {
    reply = await fetch(new URL(path, base), { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal: signal ? AbortSignal.any([signal, clock]) : clock });
    said = await json(reply);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(clock.aborted ? t("서버가 {n}초 동안 답하지 않았습니다.", { n: wait }) : t("서버에 닿지 못했습니다. 서버가 켜져 있는지, 네트워크가 이어져 있는지 확인해 주세요."));
  }
  if (reply.ok && said) return said;
  throw refusal(reply, said);
}

export async function readiness() {  // "ready" | "wait" | "none"
  try {
    const { isReady } = await request("check", null, { wait: 10 });
    return isReady === true ? "ready" : isReady === false ? "wait" : "none";
  } catch (error) {
    if (error instanceof Failure) return "none";
    throw error;
  }
}

export function useAddress(text, apiKey = "") {  // throws Failure when no address
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!/^https?:$/.test(url?.protocol)) throw new Failure(t("http:// 나 https:// 로 시작하는 주소를 적어 주세요."));
  const near = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (location.protocol === "https:" && url.protocol === "http:" && !near) throw new Failure(t("https 페이지에서는 http 서버에 닿을 수 없습니다. https 주소를 적어 주세요."));
  base = url.origin + url.pathname.replace(/\/*$/, "/");
  key = apiKey;
}

export const useKey = apiKey => { key = apiKey; };
export const rememberAddress = () => remember("server", base);
export const knownAddress = () => recall("server");
