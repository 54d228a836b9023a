// The list of results as the reader works on it: more of it, and what is saved, dismissed and chosen.

import {
  announce, byId, count, degradedNotice, h, leaningNotice, listEntry, markPath, marksChanged, newKey, pick, reading,
  request, showProblem, sources, withSources,
} from "./results.js";
import { answersKey, isMarked, route, state, store } from "./state.js";
import { findCareers, MAX_TOP_N, recommend, TOP_N } from "./asking.js";

// MARK: The list

let shownResult = null;
let resultsScroll = 0;
let lastOpened = null;

/** Notes how far the list is scrolled, for the way back to it. */
export function keepPlace() {
  if (route().view === "results" && !byId("view-results").hidden) resultsScroll = scrollY;
}

/** Notes the career that the list was left for; on the way back it has the focus. */
export function keepOpened(id) {
  lastOpened = id;
}

export function showResults(takeFocus) {
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
    found.length === 0 && !reply.degraded
      ? h("p", null, "Nothing fits yet. Answer a few more questions, or write a little more.") : null,
    found.length === 0 && reply.degraded ? h("p", null, "Try again in a moment, or answer the quiz.") : null,
    isStale ? h("p", { class: "notice" }, `You have changed your ${input} since. `,
      h("a", { href: inputView }, "Go back to ask for new results"), ".") : null,
    reply.personalised || isLeftOut ? leaningNotice(reply.personalised, isLeftOut, togglesLeaning) : null,
  ].filter(Boolean));
  byId("results-change").textContent = `Change my ${input}`;
  byId("results-change").setAttribute("href", inputView);
  if (shownResult !== state.result) { // Kept as it is otherwise, so that opened details stay open.
    shownResult = state.result;
    resultsScroll = 0;
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
export function makeAnew(trigger, how = {}) {
  const { source, key } = state.result;
  return findCareers({ source, key, trigger, busy: byId("results-busy"), region: byId("results-problem"), ...how });
}

let additions = Promise.resolve();

/** Adds `wanted` careers, one addition after the other; where that `takesFocus`, it goes to the first of them. */
export function addCareers(wanted, takesFocus) {
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
  if (next.session_id !== reply.session_id) {
    for (const each of listed) delete each.recommendation_id; // Another session has not recommended these.
  }
  listed.push(...picked);
  reply.session_id = next.session_id;
  reply.attributions = withSources(reply.attributions, next.attributions);
  return picked;
}

// MARK: Saving, dismissing, choosing

const OPPOSITES = { saved: "dismissed", dismissed: "saved" };

export const marks = {
  has: isMarked,
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
