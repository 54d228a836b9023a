// The quiz, what the reader has entered, and the way from one view to the next.

import {
  announce, asked, byId, careerBody, count, degradedNotice, h, leaningNotice, listEntry, markPath, marksChanged,
  newKey, pick, readable, reading, request, showProblem, sources, withSources,
} from "./results.js";

const STORAGE_KEY = "pathlight.v1";
const TOP_N = 5;
const MAX_TOP_N = 100; // The service takes no more at once.

// MARK: What is kept

/**
 * `sessions` holds one id for each source, as answers of a session would count for a text as well; `marks` for each
 * kind what was marked, as `{name, session}` by id; `result` a list as `{source, key, reply, …}`, with the answers or
 * the text it came from as `key`, and further pages added to its reply.
 */
const emptyState = () => ({
  answers: {}, step: 0, text: "", sessions: { quiz: null, text: null }, result: null, personalise: true,
  marks: { saved: {}, dismissed: {}, chosen: {} },
});
let state = { ...emptyState(), ...readStored() };

function readStored() {
  try {
    const stored = JSON.parse(localStorage.getItem(STORAGE_KEY));
    return stored !== null && typeof stored === "object" ? upgraded(stored) : {};
  } catch {
    return {};
  }
}

/** Earlier versions of the page kept names of saved careers alone, and one session. */
function upgraded({ saved, submitted, ...stored }) {
  if (stored.marks) return stored;
  const { source, reply } = stored.result ?? {};
  const entries = Object.entries(saved ?? {}).map(([id, name]) => [id, { name, session: reply?.session_id }]);
  const text = source === "text" ? reply?.session_id : null;
  const marks = { ...emptyState().marks, saved: Object.fromEntries(entries) };
  return { ...stored, sessions: { quiz: submitted?.id ?? null, text }, marks };
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

/**
 * Asks for a list once at a time, with a busy line, and shows it or what went wrong. `key` is the answers or the text;
 * a retry sends the same request under the same `write`, so that nothing is done twice.
 */
async function findCareers(asking) {
  const { source, key, trigger, busy, region, notice = null } = asking;
  const { personalise = state.personalise, write = newKey() } = asking;
  if (isAsking) return;
  isAsking = true;
  region.replaceChildren();
  busy.textContent = "Finding careers…";
  announce("Finding careers…");
  trigger.setAttribute("aria-disabled", "true");
  try {
    if (source === "quiz" && !state.sessions.quiz) {
      const reply = await request("/api/quiz/submit/", asked(source, key), { key: write });
      state.sessions.quiz = reply.session_id;
      store();
    }
    const top_n = Math.min(TOP_N + Object.keys(state.marks.dismissed).length, MAX_TOP_N);
    const reply = await recommend({ source, key, personalise, page: { top_n }, write });
    const picked = pick(reply, [], TOP_N, marks);
    const isAtEnd = reply.recommendations.length < top_n && picked.length === reply.recommendations.length;
    reply.recommendations = picked;
    state.result = { source, key, notice, isAtEnd, isChanged: false, places: TOP_N, reply };
    state.personalise = personalise;
    store();
    announce("");
    resultsScroll = 0;
    go("#results");
  } catch (error) {
    announce("");
    showProblem(region, error, { trigger, questions, retry: () => findCareers({ ...asking, personalise, write }) });
  } finally {
    isAsking = false;
    busy.textContent = "";
    trigger.removeAttribute("aria-disabled");
  }
}

/** A recommendation in the session of its source, or in a new one where the service no longer keeps that. */
async function recommend({ source, key, personalise, page, write }) {
  const session = state.sessions[source];
  const body = { ...asked(source, key), ...page, personalise, ...(session ? { session_id: session } : {}) };
  try {
    const reply = await request("/api/results/recommend/", body, { key: write });
    state.sessions[source] = reply.session_id;
    return reply;
  } catch (error) {
    if (error.code === "session_not_found" && session) state.sessions[source] = null;
    else if (error.code !== "idempotency_key_reused") throw error;
    return await recommend({ source, key, personalise, page, write: newKey() });
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
  findCareers({ source: "quiz", key: answersKey(), trigger, busy: byId("question-busy"), region });
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
  });
}

// MARK: Results

let shownResult = null;
let resultsScroll = 0;

function showResults(takeFocus) {
  const { reply, source, key, notice } = state.result;
  const found = reply.recommendations ?? [];
  const [input, inputView] = source === "quiz" ? ["answers", "#question"] : ["text", "#write"];
  showResultsTitle();
  const isLeftOut = !state.personalise
    && Object.values(state.marks).some((kind) => Object.values(kind).some((each) => each.session === reply.session_id));
  const togglesLeaning = (trigger) => makeAnew(trigger, { personalise: !state.personalise });
  const isStale = source === "quiz" ? key !== answersKey() : key !== state.text.trim();
  byId("results-notices").replaceChildren(...[
    notice ? h("p", { class: "notice" }, notice) : null,
    reply.degraded ? degradedNotice(reply.degraded) : null,
    found.length === 0 ? h("p", null, "Nothing fits yet. Answer a few more questions, or write a little more.") : null,
    isStale ? h("p", { class: "notice" }, `You have changed your ${input} since. `,
      h("a", { href: inputView }, "Go back to ask for new results"), ".") : null,
    reply.personalised || isLeftOut ? leaningNotice(reply.personalised, isLeftOut, togglesLeaning) : null,
  ].filter(Boolean));
  byId("results-change").textContent = `Change my ${input}`;
  byId("results-change").setAttribute("href", inputView);
  if (shownResult !== state.result) { // Kept as it is otherwise, so that opened details stay open.
    shownResult = state.result;
    byId("results-list").replaceChildren();
    byId("results-problem").replaceChildren();
    showEntries(found);
    byId("results-reading-text").replaceChildren(...reading(reply));
  }
  byId("results-reading").hidden = found.length === 0;
  showBelowList();
  showSaved();
  if (!takeFocus) return;
  const returned = lastOpened && byId(`more-${lastOpened}`);
  lastOpened = null;
  (returned ?? byId("results-title")).focus({ preventScroll: true });
  scrollTo(0, returned ? resultsScroll : 0);
}

/** How many careers of the list were not dismissed. */
const openCount = () =>
  (state.result.reply.recommendations ?? []).filter((each) => !marks.has("dismissed", each.career_id)).length;

function showResultsTitle() {
  const isEmpty = !state.result.reply.recommendations?.length;
  const open = openCount();
  const title = isEmpty ? "No careers found" : open > 0 ? `${count(open, "career")} for you` : "Your results";
  byId("results-title").textContent = title;
  if (route().view === "results") document.title = `${title} · Pathlight`;
}

/** Adds careers at the end of the list. A career keeps its number: places are not counted anew on dismissal. */
function showEntries(found) {
  const first = byId("results-list").children.length + 1;
  const { reply } = state.result;
  byId("results-list").append(...found.map((each, place) => listEntry(each, first + place, reply, marks)));
}

function showBelowList() {
  const { reply, isAtEnd, isChanged } = state.result;
  const isEmpty = !reply.recommendations?.length;
  byId("results-more").hidden = isAtEnd || isEmpty;
  byId("results-end").hidden = !isAtEnd || isEmpty;
  byId("results-anew").hidden = !isChanged || !state.personalise;
  byId("results-changed").hidden = byId("results-anew").hidden;
  byId("results-sources").replaceChildren(...sources(reply.attributions));
}

/** Makes the list anew from what it was made from before. */
function makeAnew(trigger, how = {}) {
  const { source, key } = state.result;
  return findCareers({ source, key, trigger, busy: byId("results-busy"), region: byId("results-problem"), ...how });
}

let additions = Promise.resolve();

/** Adds `wanted` careers, one addition after the other; where that `takesFocus`, it goes to the first of them. */
function addCareers(wanted, takesFocus) {
  additions = additions.then(() => addNext(wanted, takesFocus));
}

async function addNext(wanted, takesFocus) {
  const result = state.result;
  if (!result || result.isAtEnd) return;
  const more = byId("results-more");
  more.setAttribute("aria-disabled", "true");
  byId("results-busy").textContent = "Finding careers…";
  byId("results-problem").replaceChildren();
  try {
    const picked = await nextCareers(result, wanted);
    if (state.result !== result) return; // Another list has come meanwhile.
    result.places = Math.max(result.places ?? 0, openCount());
    store();
    showEntries(picked);
    showResultsTitle();
    showBelowList();
    if (picked.length === 0) announce("There are no further careers.");
    else announce(`${picked.map((each) => each.career).join(", ")}: added at the end of the list.`);
    const first = picked.find((each) => !marks.has("dismissed", each.career_id));
    if (takesFocus) byId(first ? `title-${first.career_id}` : "results-change").focus();
  } catch (error) {
    if (state.result !== result) return;
    if (error.code === "generation_gone") {
      await makeAnew(more, { notice: "The careers have changed since your list was made, so this is a new one." });
    } else {
      showProblem(byId("results-problem"), error, {
        retry: () => addCareers(wanted, takesFocus), trigger: more, scrolls: takesFocus,
      });
    }
  } finally {
    more.removeAttribute("aria-disabled");
    byId("results-busy").textContent = "";
  }
}

/**
 * Fetches what comes next and adds it to the reply of `result`. A list goes on exactly while the same careers and the
 * same history rank it. Once something was saved or dismissed, another list is ranked, and places in this one mean
 * nothing to it: then that one is read from its start, and what the page shows already is passed over.
 */
async function nextCareers(result, wanted) {
  const { source, key, reply } = result;
  const listed = reply.recommendations;
  const goesOn = (!result.isChanged || !state.personalise) && reply.generation !== undefined;
  const ids = new Set(listed.map((each) => each.career_id));
  const unseen = Object.keys(state.marks.dismissed).filter((id) => !ids.has(id)); // They may come, and fill no place.
  const top_n = Math.min((goesOn ? 0 : listed.length) + wanted + unseen.length, MAX_TOP_N);
  const page = goesOn ? { top_n, skip: listed.length, generation: reply.generation } : { top_n };
  const next = await recommend({ source, key, personalise: state.personalise, page, write: newKey() });
  const picked = pick(next, listed, wanted, marks);
  const fresh = pick(next, listed, Infinity, marks).length;
  result.isAtEnd = picked.length === fresh && (next.recommendations.length < top_n || fresh === 0);
  listed.push(...picked);
  reply.session_id = next.session_id;
  reply.attributions = withSources(reply.attributions, next.attributions);
  return picked;
}

// MARK: Saving, dismissing, choosing

const OPPOSITES = { saved: "dismissed", dismissed: "saved" };

const marks = {
  has: (kind, id) => Object.hasOwn(state.marks[kind], id),
  /** @throws what the service answers; nothing is changed then. */
  async set(kind, id, name, isSet, key) {
    const { reply } = state.result ?? {};
    const session = (isSet ? null : state.marks[kind][id]?.session) ?? reply?.session_id;
    const item = reply?.recommendations.find((each) => each.career_id === id);
    const how = isSet ? { recommendation_id: item?.recommendation_id } : { undo: true };
    try {
      await request(markPath(kind), { session_id: session, career_id: id, ...how }, { key });
    } catch (error) {
      if (isSet || error.code !== "session_not_found") throw error; // What is no longer kept is taken back.
    }
    if (!state.result) return; // Everything was cleared meanwhile.
    if (isSet) state.marks[kind][id] = { name, session };
    else delete state.marks[kind][id];
    if (isSet && OPPOSITES[kind]) delete state.marks[OPPOSITES[kind]][id];
    state.result.isChanged = true;
    store();
    showResultsTitle();
    showBelowList();
    showSaved();
    marksChanged();
    // A dismissed career's place is filled, once: taking it back and dismissing it again leaves the list full.
    if (item && (state.result.places ?? TOP_N) > openCount()) addCareers(1, false);
  },
};

function showSaved() {
  const entries = Object.entries({ ...state.marks.saved, ...state.marks.chosen });
  byId("saved").hidden = entries.length === 0;
  byId("saved-list").replaceChildren(...entries.map(([id, { name }]) =>
    h("li", null, h("a", { href: `#career/${encodeURIComponent(id)}` }, name),
      marks.has("chosen", id) ? " – my choice" : "")));
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
    request("/api/results/view_career/", {
      session_id: state.result.reply.session_id, career_id: id, recommendation_id: recommended?.recommendation_id,
    }, { key: newKey() }).catch(() => {});
  }
  const isStillOpen = () => route().view === "career" && route().id === id;
  try {
    const found = await career(id);
    if (!isStillOpen()) return;
    title.textContent = found.name;
    document.title = `${found.name} · Pathlight`;
    const keeps = state.result?.reply.session_id ? marks : null;
    byId("career-body").replaceChildren(...careerBody(found, { relatedItem, marks: keeps }));
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
byId("results-more").addEventListener("click", (event) => {
  if (event.currentTarget.getAttribute("aria-disabled") !== "true") addCareers(TOP_N, true);
});
byId("results-anew").addEventListener("click", (event) => makeAnew(event.currentTarget));
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
