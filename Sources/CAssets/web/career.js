// One career: its description, from the list or by a link of its own.

import { announce, byId, careerBody, h, newKey, readable, request, showProblem } from "./results.js";
import { keepOpened, marks } from "./list.js";
import { route, state } from "./state.js";

const careers = new Map();

async function career(id) {
  if (!careers.has(id)) careers.set(id, await request(`/api/careers/${encodeURIComponent(id)}/`));
  return careers.get(id);
}

export async function showCareer(id, takeFocus) {
  const recommended = state.result?.reply.recommendations?.find((each) => each.career_id === id);
  const title = byId("career-title");
  title.textContent = recommended?.career ?? careers.get(id)?.name ?? readable(id);
  document.title = `${title.textContent} · Pathlight`;
  byId("career-return").textContent = state.result ? "Back to your results" : "To the quiz";
  byId("career-return").setAttribute("href", state.result ? "#results" : "#question");
  byId("career-problem").replaceChildren();
  byId("career-body").replaceChildren(h("p", { class: "hint" }, "Fetching the description…"));
  if (takeFocus) title.focus({ preventScroll: true });
  if (recommended) keepOpened(id);
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
