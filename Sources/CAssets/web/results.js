// Asks the service and shows its replies: recommendations, careers, and what went wrong. It keeps no state; that is
// state.js's. Every text from the service enters the page as a text node, never as markup.

const REQUEST_TIMEOUT_MS = 30_000;
const BANDS = {
  excellent: { dots: 4, words: "Excellent match" },
  strong: { dots: 3, words: "Strong match" },
  fair: { dots: 2, words: "Fair match" },
  weak: { dots: 1, words: "Weak match" },
};

export const byId = (id) => document.getElementById(id);

/** Makes an element: attributes and `on…` handlers from `props`, children as nodes or texts (null is left out). */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// MARK: Requests

/** A reply that is not a success, with what the problem document says. */
export class ServiceError extends Error {
  constructor(response, problem) {
    super(problem.detail ?? problem.title ?? "");
    this.status = response.status;
    this.problem = problem;
    this.code = problem.code;
    this.requestID = response.headers.get("X-Request-ID");
    this.retryAfter = response.headers.get("Retry-After");
  }
}

/** A name for one write, so that sending it again after a lost reply does nothing twice. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID(); // Only where the page came over HTTPS or from this machine.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What every write of somebody signed in carries, so that no other site can write in their name; null for who is not.
 * It is that of the sign-in under which the page was loaded: what the page has shown is not sent under another one.
 */
const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? null;

/** The header fields of a request with `body`. */
function fields(body, key) {
  if (body === undefined) return {};
  const token = csrfToken();
  return {
    "Content-Type": "application/json",
    ...(key === undefined ? {} : { "Idempotency-Key": key }),
    ...(token === null ? {} : { "X-CSRF-Token": token }),
  };
}

/** Sends `body`, if there is one, under the idempotency key `key`. */
export async function request(path, body, { key } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: fields(body, key),
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: abort.signal,
    });
    const text = await response.text();
    if (response.status === 401 && csrfToken() !== null) dispatchEvent(new Event("signinover"));
    let document = null;
    try {
      document = text === "" ? {} : JSON.parse(text);
    } catch {
      // A proxy in between may answer with a page of its own.
    }
    if (!response.ok) throw new ServiceError(response, document ?? {});
    if (document === null) throw new ServiceError(response, { title: "The reply could not be read." });
    return document;
  } finally {
    clearTimeout(timer);
  }
}

/** Says in words what went wrong and what to do: `{title, lines, questions, retry, reload}`. */
function describe(error) {
  if (!(error instanceof ServiceError)) {
    return {
      title: error.name === "AbortError" ? "No answer came in time." : "Pathlight could not be reached.",
      lines: ["Please check your connection and try again. Nothing you entered is lost."],
      retry: true,
    };
  }
  const { status, problem, code } = error;
  if (code === "session_not_found" || code === "recommendation_not_found") {
    return {
      title: "These results are no longer kept.",
      lines: ["Please ask for them again below the list or from your answers; then this works."],
    };
  }
  if (code === "csrf_token_invalid" || status === 401) {
    const lines = status === 401 && csrfToken() !== null
      ? ["Nothing was changed, and this browser keeps what you entered no longer. Please load the page again."]
      : ["Nothing was changed. Please load the page again; what you entered stays in this browser."];
    return status === 401
      ? { title: "You are not signed in any more.", lines, reload: true }
      : { title: "You have signed in or out since this page was loaded.", lines, reload: true };
  }
  if (code === "career_not_found") {
    return { title: "This career is gone.", lines: ["It has left the catalogue since the list was made."] };
  }
  if (code === "idempotency_in_progress") {
    return { title: "That is still being done.", lines: ["Please try again in a moment."], retry: true };
  }
  if (code === "text_needs_model") { // Waiting does not help: the model is not installed.
    return { title: "What you wrote cannot be read here.", lines: [problem.detail, "The quiz works all the same."] };
  }
  if (status === 429 || status === 503) {
    const seconds = Number.parseInt(error.retryAfter, 10);
    const wait = Number.isFinite(seconds) ? `in about ${count(seconds, "second")}` : "in a moment";
    return {
      title: status === 429 ? "That was a little too fast." : "Pathlight is busy just now.",
      lines: [problem.detail, `Please try again ${wait}. Nothing you entered is lost.`],
      retry: true,
    };
  }
  if (status === 408) return { title: "The connection was too slow.", lines: ["Please try again."], retry: true };
  if (status === 413) {
    return { title: "That is too long.", lines: [problem.detail, "Please shorten your text and try again."] };
  }
  if (status >= 400 && status < 500) {
    const errors = (problem.errors ?? []).filter((each) => each?.message);
    return {
      title: errors.length > 0 ? "Something you entered could not be used." : problem.title ?? "That did not work.",
      lines: errors.length > 0 ? errors.map((each) => each.message) : [problem.detail],
      questions: errors.map((each) => /answers["\]./[]+([^"\]./[]+)/.exec(each.path ?? "")?.[1]).filter(Boolean),
    };
  }
  return {
    title: "Something went wrong on our side.",
    lines: [
      problem.detail,
      "Please try again. Nothing you entered is lost.",
      error.requestID ? `If it happens again, quote this number: ${error.requestID}` : null,
    ],
    retry: true,
  };
}

/**
 * Fills an alert region; `trigger` gets the focus back, as a pressed retry button goes away. Problems with answers
 * link to their `questions`. `scrolls` is false for what the reader did not ask for.
 */
export function showProblem(region, error, { retry, trigger, questions = [], scrolls = true }) {
  const told = describe(error);
  const links = (told.questions ?? [])
    .map((id) => questions.findIndex((question) => question.id === id))
    .filter((index) => index >= 0)
    .map((index) => h("p", null, h("a", { href: `#question/${index + 1}` }, `Go to question ${index + 1}`)));
  const again = () => {
    trigger?.focus();
    region.replaceChildren();
    retry();
  };
  region.replaceChildren(
    h("p", null, h("strong", null, told.title)),
    ...told.lines.filter(Boolean).map((line) => h("p", null, line)),
    ...links,
    ...(told.retry && retry ? [h("p", null, h("button", { type: "button", onclick: again }, "Try again"))] : []),
    ...(told.reload
      ? [h("p", null, h("button", { type: "button", onclick: () => location.reload() }, "Load the page again"))] : []),
  );
  if (scrolls) region.scrollIntoView({ block: "nearest" });
}

export function announce(message) {
  byId("announcer").textContent = message;
}

// MARK: Lists of careers

/** What is asked of the service for `key`, the text or the answers that a list is to come from. */
export const asked = (source, key) =>
  (source === "text" ? { text: key } : { answers: Object.fromEntries(JSON.parse(key)) });

/**
 * The first careers of a reply that are not `listed` yet, as many as hold `wanted` that were not dismissed. Each keeps
 * the id of the recommendation that showed it.
 */
export function pick(reply, listed, wanted, marks) {
  const known = new Set(listed.map((each) => each.career_id));
  const picked = [];
  let missing = wanted;
  for (const item of reply.recommendations) {
    if (missing === 0) break;
    if (known.has(item.career_id)) continue;
    picked.push({ ...item, recommendation_id: reply.recommendation_id });
    if (!marks.has("dismissed", item.career_id)) missing -= 1;
  }
  return picked;
}

// MARK: Words and numbers

export const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const decimal = (number, digits = 1) => (Number.isFinite(number) ? number.toFixed(digits).replace("-", "−") : "–");
const signed = (number) => (number > 0 ? "+" : "") + decimal(number);
const capitalised = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const readable = (id) => capitalised(String(id).replaceAll(/[-_]/g, " "));
const list = (value) => (Array.isArray(value) ? value : value ? [value] : []);

/** “a”, “a and b”, “a, b and c”; beyond `limit` the rest is counted. */
function sentenceList(texts, limit = Infinity) {
  const shown = texts.length > limit ? [...texts.slice(0, limit), `${texts.length - limit} more`] : texts;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

// MARK: What somebody does with a career

/** Of each kind: its path, the words of its button when off and on, and what is said of a career then. */
const MARKS = {
  saved: { path: "save", off: "Save", on: "Saved", done: "is saved", undone: "is no longer saved" },
  dismissed: { path: "dismiss", off: "Not for me", on: "Not for me", done: "is dismissed", undone: "is back" },
  chosen: {
    path: "choose", off: "This is my choice", on: "My choice",
    done: "is your choice", undone: "is no longer your choice",
  },
};
const VERBS = { saved: "saved", chosen: "chose", dismissed: "dismissed" };

export const markPath = (kind) => `/api/results/${MARKS[kind].path}_career/`;

/** Has every button and card on the page look again at what is marked. */
export function marksChanged() {
  for (const each of document.querySelectorAll("[data-marks]")) each.dispatchEvent(new Event("marks-changed"));
}

/** Runs `show` now and whenever marks change, while `element` is on the page. */
function followMarks(element, show) {
  element.setAttribute("data-marks", "");
  element.addEventListener("marks-changed", show);
  show();
  return element;
}

/** Sets or takes back a mark once at a time; a retry after a failure sends the same write under the same key. */
async function changeMark({ kind, id, name, marks, button, region, isSet, key = newKey() }) {
  if (button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  region.replaceChildren();
  try {
    await marks.set(kind, id, name, isSet, key);
    announce(`${name} ${isSet ? MARKS[kind].done : MARKS[kind].undone}.`);
  } catch (error) {
    const retry = () => changeMark({ kind, id, name, marks, button, region, isSet, key });
    showProblem(region, error, { retry, trigger: button });
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** A button that sets a mark, and takes it back when pressed again. */
function markButton(kind, { id, name, marks, region }) {
  const words = MARKS[kind];
  const button = h("button", {
    type: "button", "data-kind": kind,
    onclick: () => changeMark({ kind, id, name, marks, button, region, isSet: !marks.has(kind, id) }),
  });
  return followMarks(button, () => {
    const isSet = marks.has(kind, id);
    button.textContent = isSet ? `✓ ${words.on}` : words.off;
    button.setAttribute("aria-label", isSet ? `${words.on}: ${name}. Take it back` : `${words.off}: ${name}`);
    button.toggleAttribute("data-done", isSet);
    // Nobody chooses what is not for them: the one is taken back before the other is offered.
    button.hidden = (kind === "dismissed" && marks.has("chosen", id))
      || (kind === "chosen" && marks.has("dismissed", id));
  });
}

/** The row of buttons for a career, `further` controls at its end, and below it a place for what went wrong. */
function markButtons({ id, name, marks }, ...further) {
  const region = h("div", { class: "problem", role: "alert" });
  const buttons = Object.keys(MARKS).map((kind) => markButton(kind, { id, name, marks, region }));
  return [h("div", { class: "actions" }, buttons, further), region];
}

/** A career of the list as item `number`: its card, or one line with “Undo” where it was dismissed. */
export function listEntry(item, number, reply, marks) {
  const { career_id: id, career: name } = item;
  const full = card(item, number, reply, marks);
  const region = h("div", { class: "problem", role: "alert" });
  const undo = h("button", {
    type: "button", class: "plain", "aria-label": `Undo: ${name} is not for me`,
    onclick: () => changeMark({ kind: "dismissed", id, name, marks, button: undo, region, isSet: false }),
  }, "Undo");
  const line = h("div", { class: "card dismissed" },
    h("p", null, h("strong", { title: name }, `${number}. ${name}`), h("span", null, " – not for you")),
    undo, region);
  const entry = h("li", null, full, line);
  return followMarks(entry, () => {
    const isDismissed = marks.has("dismissed", id);
    const hadFocus = entry.contains(document.activeElement);
    if (full.hidden === isDismissed && line.hidden === !isDismissed) return;
    full.hidden = isDismissed;
    line.hidden = !isDismissed;
    // The pressed button has gone from view: its counterpart takes the focus.
    if (hadFocus) (isDismissed ? undo : full.querySelector('[data-kind="dismissed"]')).focus();
  });
}

/** What the list leans on, with a button to leave it out, or to take it in again where it `isLeftOut`. */
export function leaningNotice(personalised, isLeftOut, toggle) {
  const button = (words) => h("button", { type: "button", onclick: (event) => toggle(event.currentTarget) }, words);
  if (isLeftOut) {
    return h("div", { class: "notice leaning" },
      h("p", null, "What you saved, chose and dismissed is left out of this list."), button("Take it into account"));
  }
  const what = (...kinds) => {
    const parts = kinds.map((kind) => {
      const names = personalised.because.filter((each) => each.kind === kind).map((each) => `“${each.career}”`);
      return names.length > 0 ? `${VERBS[kind]} (${sentenceList(names, 3)})` : null;
    }).filter(Boolean);
    return parts.length > 0 ? `what you ${sentenceList(parts)}` : null;
  };
  const [near, far] = [what("saved", "chosen"), what("dismissed")];
  const ways = [near && `towards ${near}`, far && `away from ${far}`].filter(Boolean);
  // With abilities alone nothing leans: what was dismissed is only left out.
  const does = personalised.bound > 0
    ? `leans, by ${decimal(personalised.bound)} points at most, ${sentenceList(ways)}` : `leaves out ${far}`;
  return h("div", { class: "notice leaning" },
    h("p", null, `This list ${does}.`),
    button("Leave that out"));
}

/** Both lists of attributions, each source once. */
export function withSources(known, further) {
  const named = new Set(list(known).map((each) => each.source));
  return [...list(known), ...list(further).filter((each) => !named.has(each.source))];
}

/** The sources that ask to be named where their careers are shown. */
export function sources(attributions) {
  return list(attributions).map((each) => h("p", null, each.attribution ?? each.title,
    each.licence && !each.attribution?.includes(each.licence) ? ` Licence: ${each.licence}.` : "", " ",
    /^https?:\/\//i.test(each.url ?? "") ? h("a", { href: each.url, rel: "noopener" }, each.title) : null));
}

// MARK: Recommendations

export function degradedNotice(degraded) {
  return h("div", { class: "notice" },
    h("p", null, h("strong", null, "These results are simpler than usual.")),
    h("p", null, degraded.detail ?? `Reason: ${readable(degraded.reason)}.`));
}

export function reading(reply) {
  const weight = Math.round((reply.alpha ?? 0) * 100);
  const weights = weight === 100
    ? "Here only the description was compared, as nothing was said about single abilities."
    : weight === 0
      ? "Here only abilities were compared."
      : `Descriptions count for ${weight}% of a score and abilities for ${100 - weight}%.`;
  return [
    h("p", null, "What you wrote and chose makes a description of you. It is compared with what each career is and "
      + `what it takes; your abilities are compared with those it asks for. ${weights}`),
    h("p", null, "The words excellent, strong, fair and weak say how a score stands among the scores that people "
      + "usually get. The percentage is best used to compare careers with each other."),
    Number.isFinite(reply.scanned)
      ? h("p", null, `${count(reply.scanned, "career")} compared`
        + (reply.exact ? ", each one counted exactly" : "")
        + (Number.isFinite(reply.timing_ms?.total) ? `, in ${decimal(reply.timing_ms.total)} milliseconds.` : "."))
      : null,
  ].filter(Boolean);
}

/**
 * `marks` knows and changes what is saved, dismissed and chosen:
 * `{has(kind, id), async set(kind, id, name, isSet, key)}`.
 */
function card(item, number, reply, marks) {
  const band = BANDS[item.band] ?? { dots: 0, words: readable(item.band ?? "") };
  const explanation = item.explanation ?? {};
  return h("article", { class: "card", "aria-labelledby": `title-${item.career_id}` },
    h("h2", { id: `title-${item.career_id}`, tabindex: "-1" }, `${number}. ${item.career}`),
    h("p", { class: "meta" }, [item.cluster, item.salary_range].filter(Boolean).join(" · ")),
    h("p", { class: "score" },
      h("strong", null, `${decimal(item.score)}%`),
      h("span", { class: `band band-${item.band}` },
        h("span", { "aria-hidden": "true" },
          ...[1, 2, 3, 4].map((dot) => h("i", { class: dot <= band.dots ? "on" : null })), " "),
        band.words)),
    ...parts(item, reply),
    explanation.summary ? h("p", null, explanation.summary) : null,
    ...sentences("What speaks for it", "for", explanation.for),
    ...sentences("What speaks against it", "against", explanation.against),
    details(item, explanation, reply),
    ...markButtons({ id: item.career_id, name: item.career, marks }, h("a", {
      class: "button quiet", id: `more-${item.career_id}`, href: `#career/${encodeURIComponent(item.career_id)}`,
      "aria-label": `More about it: ${item.career}`,
    }, "More about it")));
}

/** The bar and the sum in words; widths are set through the object model, as the page's policy forbids inline style. */
function parts(item, reply) {
  const { embedding = 0, ability = 0 } = item.parts ?? {};
  const segment = (name, points) => {
    const element = h("span", { class: name });
    element.style.inlineSize = `${Math.max(0, Math.min(100, points ?? 0))}%`;
    return element;
  };
  const said = (name, label, points, isUsed) =>
    h("span", null, h("span", { class: `key ${name}`, "aria-hidden": "true" }),
      isUsed ? `${label}: ${decimal(points)} points` : `${label}: not used here`);
  return [
    h("div", { class: "bar", "aria-hidden": "true" },
      segment("from-text", embedding), segment("from-abilities", ability)),
    h("p", { class: "sum" }, said("from-text", "Description", embedding, reply.alpha !== 0), " ",
      said("from-abilities", "Abilities", ability, reply.alpha !== 1), " ",
      h("span", null, `Together: ${decimal(item.score)} of 100`)),
  ];
}

function sentences(title, name, texts) {
  if (list(texts).length === 0) return [];
  const items = list(texts).map((text) => h("li", null, text));
  return [h("h3", null, title), h("ul", { class: `sentences ${name}`, role: "list" }, ...items)];
}

/** Rows of a name, a note below it and a number: unlike a table of five columns they fit a phone and large text. */
function rows(title, hint, measure, items) {
  if (items.length === 0) return [];
  return [
    h("h3", null, title),
    h("p", { class: "hint" }, hint),
    h("ul", { class: "rows", role: "list" }, ...items.map(({ name, note, number }) =>
      h("li", null,
        h("span", null, h("strong", null, name), " ", h("span", { class: "hint" }, note)),
        h("span", null, h("span", { class: "visually-hidden" }, `${measure} `), number)))),
  ];
}

function details(item, explanation, reply) {
  const { views, abilities, answers, skills, rank_before_cap: before, rank_after_cap: after } = explanation;
  const order = before === after
    ? `It came to number ${before}, with or without the rule that a field appears once at most.`
    : `It would be number ${before} of all careers; as a field appears once at most, it came to number ${after}.`;
  const [history, said] = [true, false].map((wanted) =>
    list(answers).filter((each) => (each.kind === "history") === wanted));
  return h("details", null, h("summary", null, "How this score came about"),
    reply.alpha !== 0 && Number.isFinite(item.embedding_similarity)
      ? h("p", null, `Your description matches to ${decimal(item.embedding_similarity)}%.`) : null,
    reply.alpha !== 1 && Number.isFinite(item.ability_similarity)
      ? h("p", null, `Your abilities match to ${decimal(item.ability_similarity)}%.`) : null,
    ...rows("Descriptions compared", "Cosine of yours and the career's: 1 would be the same, 0 unrelated.",
      "cosine", list(views).map((view) => ({
        name: readable(view.name), note: `weight ${Math.round(view.weight * 100)}%`, number: decimal(view.cosine, 3),
      }))),
    ...rows("What you wrote reads like", "By the job titles nearest to your own words.", "share",
      list(explanation.reads_like).map((each) => ({
        name: each.name, note: "", number: `${Math.round(each.share * 100)}%`,
      }))),
    ...rows("Abilities compared", "From 0 to 10. An effect above 0 speaks for this career, one below 0 against it.",
      "effect", list(abilities).map((each) => ({
        name: each.label ?? readable(each.name),
        note: `${Number.isFinite(each.you) ? `you ${decimal(each.you)}` : "you: not asked"}, `
          + `this career ${decimal(each.career)}, the average career ${decimal(each.average)}`,
        number: signed(each.effect),
      }))),
    ...rows("Your answers", "What each did to this score.", "effect", said.map((each) => ({
      name: each.text, note: each.question ? `question ${each.question}` : "", number: signed(each.effect),
    }))),
    ...rows("What you did before", "What each did to this score.", "effect", history.map((each) => ({
      name: capitalised(each.text), note: "", number: signed(each.effect),
    }))),
    list(skills).length === 0 ? null : h("h3", null, "Skills that fit"),
    list(skills).length === 0 ? null : tags(skills),
    Number.isFinite(before) ? h("p", null, order) : null);
}

const tags = (texts) => h("ul", { class: "tags", role: "list" }, ...texts.map((text) => h("li", null, text)));

// MARK: One career

/** The description; `relatedItem` makes a list item of an id, `marks` is as for `card` or null. */
export function careerBody(found, { relatedItem, marks }) {
  const fact = (term, ...content) => [h("dt", null, term), h("dd", null, ...content)];
  const skills = list(found.required_skills);
  const tasks = list(found.tasks).slice(0, 6);
  const suits = list(found.suitable_for);
  const companies = list(found.typical_companies);
  const related = list(found.related_careers);
  const education = found.required_education;
  const money = [found.salary?.currency, found.salary?.year].filter(Boolean).join(", ");
  const growth = found.job_growth
    ?? (found.growth ? `${found.growth.percent}% over ${found.growth.from}–${found.growth.to}` : null);
  return [
    h("p", { class: "meta" }, found.cluster),
    h("p", null, found.description),
    tasks.length > 0 ? h("h2", null, "What people do") : null,
    tasks.length > 0 ? h("ul", null, ...tasks.map((task) => h("li", null, task))) : null,
    skills.length > 0 ? h("h2", null, "Skills") : null,
    skills.length > 0 ? tags(skills) : null,
    h("h2", null, "At a glance"),
    h("dl", { class: "facts" },
      suits.length > 0 ? fact("Suits", suits.join(", ")) : [],
      education ? fact("Education", education.text ?? readable(education.level)) : [],
      found.salary_range ? fact("Salary", `${found.salary_range} a year`, money && ` (${money})`) : [],
      growth ? fact("Growth in jobs", growth) : [],
      companies.length > 0 ? fact("Where people work", companies.join(", ")) : [],
      list(found.aliases).length > 0 ? fact("Also called", sentenceList(list(found.aliases), 12)) : []),
    related.length > 0 ? h("h2", null, "Related careers") : null,
    related.length > 0 ? h("ul", null, ...related.map(relatedItem)) : null,
    ...(marks ? markButtons({ id: found.id, name: found.name, marks }) : []),
    h("div", { class: "sources" }, ...sources(found.attributions)),
  ].filter(Boolean);
}
