// The words of the page. Korean is the source; English is looked up by the Korean. What may be asked has its words in options.json.
import { words } from "./options.js";
import { recall, remember } from "./store.js";

const ENGLISH = {
  "본문으로 건너뛰기": "Skip to content", "사주 작명": "Saju naming", "태어난 때에서, 뜻과 까닭이 있는 이름까지": "From a birth to a Korean name, with its meaning and reasons",
  "서버를 찾는 중": "Looking for the server", "준비됨": "Ready", "준비하는 중": "Getting ready", "서버 없음": "No server",
  "페이지에 잘못이 있습니다. 새로 고쳐도 그대로면 아래 글을 알려 주세요.": "Something is wrong with the page. If reloading does not help, please report the text below.", "닫기": "Close",
  "서버": "Server", "이름을 짓는 서버의 주소를 적어 주세요. 이 브라우저가 기억합니다.": "Enter the address of a naming server. This browser remembers it.", "서버 주소": "Server address", "API 키": "API key", "연결": "Connect",
  "할 일": "Task", "이름 짓기": "Find names", "이름 검사": "Check a name", "이름 검사하기": "Check the name", "성과 이름": "Full name", "한자": "Hanja", "(있으면)": "(if any)",
  "태어난 때": "Time of birth", "없어도 됩니다": "optional", "달력": "Calendar", "양력": "Solar date", "년": "Year", "월": "Month", "일": "Day", "시": "Hour", "분": "Minute", "시를 모름": "Hour unknown",
  "어디든": "Either", "더 바라는 것": "More wishes", "여럿이면 쉼표로 나누어 적어 주세요.": "Separate several with commas.",
  "다섯 오행을 고르게": "Five elements, in balance",
  "태어난 때로 네 기둥을 세우고, 모자라는 오행을 채우는 이름을 등록할 수 있는 한자에서 모두 견주어 권합니다.": "The four pillars are set up from the birth. Of all names that Korean registries accept, those that supply the missing elements are compared and offered.",
  "후보를 모두 견주고 이름을 고르는 중입니다.": "Comparing every candidate and choosing names.", "이름을 검사하는 중입니다.": "Checking the name.", "조금 더 걸리고 있습니다. 서버가 답할 때까지 기다립니다.": "This takes a little longer. Still waiting for the server.",
  "그만두기": "Cancel", "답을 받지 못했습니다": "No answer", "다시 해 보기": "Try again", "답": "Answer",
  "복사": "Copy", "모두 복사": "Copy all", "그림으로 저장": "Save as image", "인쇄 · PDF": "Print · PDF", "복사했습니다.": "Copied.", "그림을 저장했습니다.": "Image saved.", "복사하지 못했습니다. 글을 직접 골라 복사해 주세요.": "Could not copy. Please select the text and copy it yourself.",
  "사주와 성명학은 전통이지 과학이 아닙니다. 등록할 수 있는지의 마지막 판단은 시·구·읍·면의 가족관계등록 관서가 합니다.": "Saju and name reading are a tradition, not science. Whether a name can be registered is for the family registry office to decide.",
  "태어난 때는 이름을 짓는 서버로만 보내고, 이 페이지도 서버도 적어 두지 않습니다.": "The birth is sent only to the naming server; neither this page nor the server stores it.",
  "목": "Wood", "화": "Fire", "토": "Earth", "금": "Metal", "수": "Water",
  "사주와 오행": "Pillars and elements", "네 기둥": "Four pillars", "천간": "Stem", "지지": "Branch", "모름": "unknown", "오행: 이름을 더하기 전과 후": "Elements before and after the name", "사주": "Birth", "이름으로 더함": "Added by the name",
  "{e} {n}개, 이름까지 {m}개": "{e}: {n}, with the name {m}", "셈에 쓴 규칙": "Rules used",
  "권하는 이름": "Names", "후보 {n}가지를 모두 견주었습니다.": "All {n} candidates were compared.", "조건에 맞는 이름이 {n}개뿐입니다. 돌림자나 그 자리를 바꾸어 보세요.": "Only {n} names fit. Try another generation syllable or place.",
  "획수와 소리": "Strokes and sound", "획수": "Strokes", "글자": "Character", "필획": "Written", "원획": "Original", "음양": "Yin-yang", "음": "yin", "양": "yang", "사격": "Four frames", "격": "Frame", "수리": "Number", "길흉": "Luck", "풀이": "Reading",
  "원": "Won", "형": "Hyeong", "이": "I", "정": "Jeong", "길": "lucky", "흉": "unlucky", "소리": "Sound", "등록 규칙": "Registration rules", "규칙": "Rule", "결과": "Result", "내용": "Detail", "통과": "fits", "걸림": "objection",
  "고르기": "Choose", "뜻 보기": "Meaning", "뜻을 읽는 중입니다.": "Reading the meaning.", "{mean}의 뜻을 가집니다.": "It means {mean}.",
  "검사한 이름": "Checked name", "등록": "Registration", "어감·놀림": "Sound and teasing", "괜찮습니다": "fine", "알고 고르세요": "with care", "권하지 않습니다": "not advised", "아직 모릅니다": "not known yet",
  "{a}년부터 {b}년까지 해마다 이 이름을 받은 아이. 가장 많은 해는 {top}년 {n}명.": "Children given this name each year from {a} to {b}. Most in {top}: {n}.", "표에 없는 해 {n}번.": "{n} years are not in the tables.", "{year}년 {n}명": "{n} in {year}",
  "년, 월, 일을 모두 적어 주세요.": "Please enter year, month and day.", "시를 적거나 ‘시를 모름’을 골라 주세요.": "Please enter the hour, or choose “Hour unknown”.", "성별을 골라 주세요.": "Please choose a gender.", "성을 적어 주세요.": "Please enter a surname.", "성과 이름을 적어 주세요.": "Please enter a full name.",
  "이 칸을 다시 보아 주세요.": "Please look at this field again.", "http:// 나 https:// 로 시작하는 주소를 적어 주세요.": "Please enter an address that begins with http:// or https://.",
  "https 페이지에서는 http 서버에 닿을 수 없습니다. https 주소를 적어 주세요.": "A page on https cannot reach a server on http. Please enter an https address.", "이 주소의 서버가 답하지 않습니다. 켜져 있는지, 이 페이지를 허락하는지 확인해 주세요.": "No server answers at this address. Please check that it runs and that it allows this page.",
  "서버에 닿지 못했습니다. 서버가 켜져 있는지, 네트워크가 이어져 있는지 확인해 주세요.": "The server cannot be reached. Please check that it runs and that you are online.", "서버가 {n}초 동안 답하지 않았습니다.": "The server did not answer for {n} seconds.",
  "서버가 지금 바쁩니다. {n}초 뒤에 다시 해 보세요.": "The server is busy. Please try again in {n} seconds.", "서버가 API 키를 바랍니다. 서버 칸에 적어 주세요.": "The server asks for an API key. Please enter it in the server field.", "서버가 알 수 없는 답을 보냈습니다({status}).": "The server sent an answer that cannot be read ({status}).",
  "먼저 서버에 연결해 주세요.": "Please connect to a server first.",
};

let language = recall("language") === "en" ? "en" : "ko";

export const english = () => language === "en";

export function t(korean, values = {}) {
  const said = english() ? ENGLISH[korean] ?? korean : korean;
  return said.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export const optionWords = (name, choice) => words(name, language, choice);

export function translate() {
  document.documentElement.lang = language;
  document.title = t("사주 작명");
  for (const node of document.querySelectorAll("[data-t]")) {
    const said = t(node.dataset.t ||= node.textContent);
    if (node.textContent !== said) node.textContent = said;  // a status that stays the same is not read out again
  }
  for (const node of document.querySelectorAll("[data-option]")) node.textContent = optionWords(node.dataset.option, node.dataset.choice) ?? node.textContent;
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
}

export function switchLanguage() {
  language = english() ? "ko" : "en";
  remember("language", language);
  translate();
}
