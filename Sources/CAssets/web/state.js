// What the reader has entered, kept in this browser's storage, and where they are, kept in the page's address.

const STORAGE_KEY = "pathlight.v1";

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
export let state = { ...emptyState(), ...readStored() };

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

/** Set when the page's sign-in has ended: the browser is told to forget, and what is still shown is not for later. */
let isOver = false;
/** Another page may be the one that learns of it. Browsers need not tell what the service had them forget, but may. */
addEventListener("storage", ({ key, newValue }) => {
  const isGone = key === null || (key === STORAGE_KEY && newValue === null);
  if (isGone && document.querySelector('meta[name="csrf-token"]') !== null) isOver = true;
});
addEventListener("signinover", () => {
  isOver = true;
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // As below.
  }
});

export function store() {
  if (isOver) return;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(state));
  } catch {
    // Storage can be full or forbidden (private windows); the page then works until it is closed.
  }
}

export function forgetAll() {
  state = emptyState();
  store();
}

export const answeredCount = () => Object.keys(state.answers).length;
export const answersKey = () => JSON.stringify(Object.entries(state.answers).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Whether a career is marked as `kind`: saved, dismissed or chosen. */
export const isMarked = (kind, id) => Object.hasOwn(state.marks[kind], id);

/** Tells whether `answer` fits `question` as it is now: questions may have changed since it was stored. */
export function fits(question, answer) {
  if (question === undefined) return false;
  if (question.type === "choice") return question.choices.some((choice) => choice.id === answer);
  if (question.type === "scale") {
    return Number.isInteger(answer) && answer >= question.scale.min && answer <= question.scale.max;
  }
  return typeof answer === "string" && answer.trim() !== "";
}

// MARK: Routes: #question/3, #write, #results, #career/registered-nurse

export function route() {
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

/** Shows the view of `hash`, anew where it is shown already: a browser says nothing of an address that stays. */
export function go(hash) {
  if (location.hash === hash) dispatchEvent(new Event("hashchange"));
  else location.hash = hash;
}
