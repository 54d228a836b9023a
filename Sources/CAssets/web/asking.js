// Asking for a list of careers, by the answers or by the text.

import { announce, asked, byId, h, newKey, pick, request, showProblem } from "./results.js";
import { answeredCount, answersKey, go, isMarked, state, store } from "./state.js";
import { questions } from "./quiz.js";

export const TOP_N = 5;
export const MAX_TOP_N = 100; // The service takes no more at once.

let isAsking = false;

/**
 * Asks for a list once at a time, with a busy line, and shows it or what went wrong. `key` is the answers or the text;
 * a retry sends the same request under the same `write`, so that nothing is done twice.
 */
export async function findCareers(asking) {
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
    const picked = pick(reply, [], TOP_N, { has: isMarked });
    const isAtEnd = reply.recommendations.length < top_n && picked.length === reply.recommendations.length;
    reply.recommendations = picked;
    state.result = { source, key, notice, isAtEnd, isChanged: false, places: TOP_N, reply };
    state.personalise = personalise;
    store();
    announce("");
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
export async function recommend({ source, key, personalise, page, write }) {
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

export function findByQuiz(trigger) {
  const region = byId("question-problem");
  if (answeredCount() === 0) {
    region.replaceChildren(h("p", null, "Please answer at least one question first, or ",
      h("a", { href: "#write" }, "write a few lines about yourself"), "."));
    region.scrollIntoView({ block: "nearest" });
    return;
  }
  findCareers({ source: "quiz", key: answersKey(), trigger, busy: byId("question-busy"), region });
}

export function findByText() {
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
