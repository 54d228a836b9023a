// The quiz: its questions one by one, and the overview of all.

import { byId, h, request, showProblem } from "./results.js";
import { answeredCount, fits, state, store } from "./state.js";

/** Null until they have come. */
export let questions = null;

/** Fetches the questions and then calls `show`, which brings the page in line with them. */
export async function loadQuestions(show) {
  const trigger = byId("main");
  byId("questions-loading").hidden = false;
  try {
    questions = (await request("/api/quiz/questions/")).items;
  } catch (error) {
    byId("questions-loading").hidden = true;
    showProblem(byId("questions-problem"), error, { retry: () => loadQuestions(show), trigger });
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
  show();
}

export function answer(question, value) {
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

export function showQuestion(index, takeFocus) {
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

export function checkStoredAnswer(question) {
  const value = state.answers[question.id];
  for (const control of byId("question-slot").querySelectorAll("input, textarea")) {
    if (control.type === "radio") control.checked = control.value === String(value);
    else control.value = value ?? "";
  }
}
