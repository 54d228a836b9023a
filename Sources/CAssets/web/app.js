// The quiz, what the reader has entered, and the way from one view to the next.

import {
  ServiceError, announce, byId, card, careerBody, count, degradedNotice, h, readable, reading, request, showProblem,
} from "./results.js";

const STORAGE_KEY = "pathlight.v1";
const TOP_N = 5;

// MARK: What is kept

const emptyState = () => ({ answers: {}, step: 0, text: "", submitted: null, result: null, saved: {} });
let state = { ...emptyState(), ...readStored() };

function readStored() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORAGE_KEY));
    return stored !== null && typeof stored === "object" ? stored : {};
  } catch {
    return {};
  }
}

function store() {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(state));
  } catch {
    // Storage can be full or forbidden (private windows); the page then works until it is closed.
  }
}

const answeredCount = () => Object.keys(state.answers).length;
const answersKey = () => JSON.stringify(Object.entries(state.answers).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Tells whether `answer` fits `question` as it is now: questions may have changed since it was stored. */
function fits(question, answer) {
  if (question === undefined) return false;
  if (question.type === "choice") return question.choices.some((choice) => choice.id === answer);
  if (question.type === "scale") {
    return Number.isInteger(answer) && answer >= question.scale.min && answer <= question.scale.max;
  }
  return typeof answer === "string" && answer.trim() !== "";
}

// MARK: The quiz

let questions = null;

async function loadQuestions() {
  const trigger = byId("main");
  byId("questions-loading").hidden = false;
  try {
    questions = (await request("/api/quiz/questions/")).items;
  } catch (error) {
    byId("questions-loading").hidden = true;
    showProblem(byId("questions-problem"), error, { retry: loadQuestions, trigger });
    return;
  }
  byId("questions-loading").hidden = true;
  byId("questions-problem").replaceChildren();
  const known = new Map(questions.map((question) => [question.id, question]));
  state.answers = Object.fromEntries(
    Object.entries(state.answers).filter(([id, answer]) => fits(known.get(id), answer)),
  );
  store();
  if (answeredCount() > 0) {
    const kept = answeredCount() === 1 ? "your answer is" : `your ${answeredCount()} answers are`;
    byId("welcome-back").textContent = `Welcome back: ${kept} still here.`;
    byId("welcome-back").hidden = false;
  }
  if (route().view === "question") showRoute({ takeFocus: false });
}

function answer(question, value) {
  if (fits(question, value)) state.answers[question.id] = value;
  else delete state.answers[question.id];
  store();
  showAnswered(question);
}

/** Brings buttons and overview in line with what is answered, without touching the question itself. */
function showAnswered(question) {
  const isLast = state.step === questions.length - 1;
  const isAnswered = question.id in state.answers;
  byId("question-next").textContent = isLast ? "See my results" : isAnswered ? "Next" : "Skip";
  byId("question-next").classList.toggle("primary", isLast || isAnswered);
  byId("question-next").classList.toggle("quiet", !(isLast || isAnswered));
  byId("question-results").hidden = isLast;
  byId("question-results").textContent =
    answeredCount() === 0 ? "See results now" : `See results now (${answeredCount()} answered)`;
  byId("question-clear").hidden = !isAnswered;
  byId("overview-summary").textContent = `All questions (${answeredCount()} of ${questions.length} answered)`;
  byId("overview-list").replaceChildren(
    ...questions.map((each, index) =>
      h("li", null,
        h("a", { href: `#question/${index + 1}`, "aria-current": index === state.step ? "step" : null }, each.text),
        h("span", { class: "hint" }, each.id in state.answers ? ` ✓ ${answerText(each)}` : " Not answered"),
      ),
    ),
  );
}

function answerText(question) {
  const value = state.answers[question.id];
  if (question.type === "choice") return question.choices.find((choice) => choice.id === value)?.text ?? value;
  if (question.type === "scale") return question.scale.labels?.[value - question.scale.min] ?? String(value);
  return value.length > 80 ? `${value.slice(0, 80)}…` : value;
}

function showQuestion(index, takeFocus) {
  const isReady = questions !== null;
  for (const id of ["question-form", "overview"]) byId(id).hidden = !isReady;
  if (!isReady) return;
  state.step = Math.min(Math.max(index, 0), questions.length - 1);
  store();
  const question = questions[state.step];
  const heading = h("h2", { id: "question-text", tabindex: "-1" },
    h("span", { class: "step" }, `Question ${state.step + 1} of ${questions.length} `), question.text);
  byId("question-slot").replaceChildren(
    question.type === "text"
      ? h("div", null, heading, textControl(question))
      : h("fieldset", null, h("legend", null, heading), ...options(question).map(({ value, text }) =>
        h("label", { class: "choice" },
          h("input", {
            type: "radio", name: "answer", value,
            onchange: () => answer(question, value),
          }),
          h("span", null, text)))),
  );
  checkStoredAnswer(question);
  byId("question-progress").max = questions.length;
  byId("question-progress").value = state.step + 1;
  byId("question-back").hidden = state.step === 0;
  byId("lead").hidden = state.step > 0;
  byId("view-question").querySelector("h1").classList.toggle("small", state.step > 0);
  byId("question-problem").replaceChildren();
  showAnswered(question);
  document.title = `Question ${state.step + 1} of ${questions.length} · Pathlight`;
  if (takeFocus) heading.focus({ preventScroll: true });
}

function options(question) {
  if (question.type === "choice") return question.choices.map(({ id, text }) => ({ value: id, text }));
  const { min, max, labels } = question.scale;
  return Array.from({ length: max - min + 1 }, (_, step) => ({
    value: min + step,
    text: labels?.[step] ?? String(min + step),
  }));
}

function textControl(question) {
  const control = h("textarea", {
    rows: 5, "aria-labelledby": "question-text", autocomplete: "off",
    oninput: () => answer(question, control.value),
  });
  return control;
}

function checkStoredAnswer(question) {
  const value = state.answers[question.id];
  for (const control of byId("question-slot").querySelectorAll("input, textarea")) {
    if (control.type === "radio") control.checked = control.value === String(value);
    else control.value = value ?? "";
  }
}

// MARK: Asking for results

let isAsking = false;

/** Runs `ask` once at a time, with a busy line, and shows its reply or what went wrong. */
async function findCareers({ source, key, ask, trigger, busy, region }) {
  if (isAsking) return;
  isAsking = true;
  region.replaceChildren();
  busy.textContent = "Finding careers…";
  announce("Finding careers…");
  trigger.setAttribute("aria-disabled", "true");
  try {
    state.result = { source, key, reply: await ask() };
    store();
    announce("");
    resultsScroll = 0;
    go("#results");
  } catch (error) {
    announce("");
    showProblem(region, error, {
      trigger, questions, retry: () => findCareers({ source, key, ask, trigger, busy, region }),
    });
  } finally {
    isAsking = false;
    busy.textContent = "";
    trigger.removeAttribute("aria-disabled");
  }
}

function findByQuiz(trigger) {
  const region = byId("question-problem");
  if (answeredCount() === 0) {
    region.replaceChildren(h("p", null, "Please answer at least one question first, or ",
      h("a", { href: "#write" }, "write a few lines about yourself"), "."));
    region.scrollIntoView({ block: "nearest" });
    return;
  }
  const key = answersKey();
  const ask = () => recommendForAnswers(key);
  findCareers({ source: "quiz", key, ask, trigger, busy: byId("question-busy"), region });
}

async function recommendForAnswers(key) {
  // A retry after a lost reply uses the session that was already confirmed for the same answers.
  if (state.submitted?.key !== key) {
    const reply = await request("/api/quiz/submit/", { answers: state.answers });
    state.submitted = { key, id: reply.session_id };
    store();
  }
  try {
    return await request("/api/results/recommend/", { session_id: state.submitted.id, top_n: TOP_N });
  } catch (error) {
    if (!(error instanceof ServiceError) || error.status !== 404) throw error;
    state.submitted = null; // The service no longer knows the session: the answers themselves still serve.
    return await request("/api/results/recommend/", { answers: state.answers, top_n: TOP_N });
  }
}

function findByText() {
  const text = state.text.trim();
  const region = byId("write-problem");
  if (text === "") {
    region.replaceChildren(h("p", null, "Please write a sentence or two first."));
    byId("write-text").focus();
    return;
  }
  findCareers({
    source: "text", key: text, region, busy: byId("write-busy"), trigger: byId("write-form").querySelector(".primary"),
    ask: () => request("/api/results/recommend/", { text, top_n: TOP_N }),
  });
}

// MARK: Results

let shownResult = null;
let resultsScroll = 0;

function showResults(takeFocus) {
  const { reply, source, key } = state.result;
  const found = reply.recommendations ?? [];
  const [input, inputView] = source === "quiz" ? ["answers", "#question"] : ["text", "#write"];
  const title = found.length === 0 ? "No careers found" : `${count(found.length, "career")} for you`;
  byId("results-title").textContent = title;
  document.title = `${title} · Pathlight`;
  const isStale = source === "quiz" ? key !== answersKey() : key !== state.text.trim();
  byId("results-notices").replaceChildren(...[
    reply.degraded ? degradedNotice(reply.degraded) : null,
    found.length === 0 ? h("p", null, "Nothing fits yet. Answer a few more questions, or write a little more.") : null,
    isStale ? h("p", { class: "notice" }, `You have changed your ${input} since. `,
      h("a", { href: inputView }, "Go back to ask for new results"), ".") : null,
  ].filter(Boolean));
  byId("results-change").textContent = `Change my ${input}`;
  byId("results-change").setAttribute("href", inputView);
  if (shownResult !== state.result) { // Kept as it is otherwise, so that opened details stay open.
    shownResult = state.result;
    byId("results-list").replaceChildren(...found.map((each) => h("li", null, card(each, reply, saved))));
    byId("results-reading-text").replaceChildren(...reading(reply));
  }
  byId("results-reading").hidden = found.length === 0;
  showSaved();
  if (!takeFocus) return;
  const returned = lastOpened && byId(`more-${lastOpened}`);
  lastOpened = null;
  (returned ?? byId("results-title")).focus({ preventScroll: true });
  scrollTo(0, returned ? resultsScroll : 0);
}
// MARK: Saving

const saved = {
  has: (id) => id in state.saved,
  async add(id, name) {
    await request("/api/results/save_career/", { session_id: state.result.reply.session_id, career_id: id });
    state.saved[id] = name;
    store();
    showSaved();
  },
};

function showSaved() {
  const entries = Object.entries(state.saved);
  byId("saved").hidden = entries.length === 0;
  byId("saved-list").replaceChildren(...entries.map(([id, name]) =>
    h("li", null, h("a", { href: `#career/${encodeURIComponent(id)}` }, name))));
}

// MARK: One career

const careers = new Map();
let lastOpened = null;

async function career(id) {
  if (!careers.has(id)) careers.set(id, await request(`/api/careers/${encodeURIComponent(id)}/`));
  return careers.get(id);
}

async function showCareer(id, takeFocus) {
  const recommended = state.result?.reply.recommendations?.find((each) => each.career_id === id);
  const title = byId("career-title");
  title.textContent = recommended?.career ?? careers.get(id)?.name ?? readable(id);
  document.title = `${title.textContent} · Pathlight`;
  byId("career-return").textContent = state.result ? "Back to your results" : "To the quiz";
  byId("career-return").setAttribute("href", state.result ? "#results" : "#question");
  byId("career-problem").replaceChildren();
  byId("career-body").replaceChildren(h("p", { class: "hint" }, "Fetching the description…"));
  if (takeFocus) title.focus({ preventScroll: true });
  lastOpened = recommended ? id : lastOpened;
  if (state.result?.reply.session_id) {
    // Only a note of interest for the service: when it fails, the reader loses nothing.
    request("/api/results/view_career/", { session_id: state.result.reply.session_id, career_id: id }).catch(() => {});
  }
  const isStillOpen = () => route().view === "career" && route().id === id;
  try {
    const found = await career(id);
    if (!isStillOpen()) return;
    title.textContent = found.name;
    document.title = `${found.name} · Pathlight`;
    const keeps = state.result?.reply.session_id ? saved : null;
    byId("career-body").replaceChildren(...careerBody(found, { relatedItem, saved: keeps }));
    announce(`Description of ${found.name} shown.`);
  } catch (error) {
    if (!isStillOpen()) return;
    byId("career-body").replaceChildren();
    showProblem(byId("career-problem"), error, { retry: () => showCareer(id, false), trigger: title });
  }
}
function relatedItem(id) {
  const link = h("a", { href: `#career/${encodeURIComponent(id)}` }, careers.get(id)?.name ?? readable(id));
  // The catalogue's own name replaces the one read from the id as soon as it is known.
  career(id).then((found) => { link.textContent = found.name; }, () => {});
  return h("li", null, link);
}

// MARK: Routes: #question/3, #write, #results, #career/registered-nurse

function route() {
  const [view, detail] = location.hash.slice(1).split("/");
  if (view === "career" && detail) {
    try {
      return { view, id: decodeURIComponent(detail) };
    } catch {
      return { view: "question", step: state.step };
    }
  }
  if (view === "write" || (view === "results" && state.result)) return { view };
  return { view: "question", step: /^\d+$/.test(detail ?? "") ? Number(detail) - 1 : state.step };
}

function go(hash) {
  if (location.hash === hash) showRoute({ takeFocus: true });
  else location.hash = hash;
}

function showRoute({ takeFocus }) {
  const here = route();
  for (const view of ["question", "write", "results", "career"]) byId(`view-${view}`).hidden = view !== here.view;
  byId("results-link").hidden = !state.result;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === here.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (takeFocus) scrollTo(0, 0);
  if (here.view === "question") {
    document.title = "Find careers that suit you · Pathlight";
    showQuestion(here.step, takeFocus);
    if (questions !== null) history.replaceState(null, "", `#question/${state.step + 1}`);
  } else if (here.view === "write") {
    document.title = "Write about yourself · Pathlight";
    byId("write-text").value = state.text;
    if (takeFocus) byId("write-text").focus({ preventScroll: true });
  } else if (here.view === "results") showResults(takeFocus);
  else showCareer(here.id, takeFocus);
}

function startAgain() {
  state = emptyState();
  store();
  shownResult = null;
  for (const region of document.querySelectorAll(".problem")) region.replaceChildren();
  byId("welcome-back").hidden = true;
  history.replaceState(null, "", "#question/1");
  showRoute({ takeFocus: true });
  announce("Everything is cleared.");
}

// MARK: Start

byId("question-form").addEventListener("submit", (event) => {
  event.preventDefault();
  byId("welcome-back").hidden = true;
  if (state.step === questions.length - 1) findByQuiz(byId("question-next"));
  else go(`#question/${state.step + 2}`);
});
byId("question-back").addEventListener("click", () => go(`#question/${state.step}`));
byId("question-results").addEventListener("click", (event) => findByQuiz(event.currentTarget));
byId("question-clear").addEventListener("click", () => {
  answer(questions[state.step], undefined);
  checkStoredAnswer(questions[state.step]);
  byId("question-text").focus();
  announce("The answer is cleared.");
});
byId("write-text").addEventListener("input", (event) => {
  state.text = event.target.value;
  store();
});
byId("write-form").addEventListener("submit", (event) => {
  event.preventDefault();
  findByText();
});
for (const button of document.querySelectorAll('[data-action="start-again"]')) {
  button.addEventListener("click", () => {
    byId("confirm").returnValue = "";
    byId("confirm").showModal();
  });
}
byId("confirm").addEventListener("close", () => {
  if (byId("confirm").returnValue === "clear") startAgain();
});
document.querySelector(".skip-link").addEventListener("click", (event) => {
  event.preventDefault(); // The hash is the route.
  byId("main").focus();
});
addEventListener("scroll", () => {
  if (route().view === "results" && !byId("view-results").hidden) resultsScroll = scrollY;
}, { passive: true });
addEventListener("hashchange", () => showRoute({ takeFocus: true }));
history.scrollRestoration = "manual"; // Views are shown and hidden: the browser's own memory of places does not fit.

showRoute({ takeFocus: false });
loadQuestions();
