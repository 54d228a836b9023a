// The way from one view to the next, and what starts the page.

import { announce, byId } from "./results.js";
import { addCareers, keepPlace, makeAnew, showResults } from "./list.js";
import { answer, checkStoredAnswer, loadQuestions, questions, showQuestion } from "./quiz.js";
import { findByQuiz, findByText, TOP_N } from "./asking.js";
import { forgetAll, go, route, state, store } from "./state.js";
import { showCareer } from "./career.js";

// MARK: Views

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
  forgetAll();
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
addEventListener("scroll", keepPlace, { passive: true });
addEventListener("hashchange", () => showRoute({ takeFocus: true }));
history.scrollRestoration = "manual"; // Views are shown and hidden: the browser's own memory of places does not fit.

showRoute({ takeFocus: false });
loadQuestions(() => {
  if (route().view === "question") showRoute({ takeFocus: false });
});
