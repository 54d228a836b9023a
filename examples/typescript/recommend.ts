/**
 * Takes the quiz, asks for recommendations, saves the best one and counts the careers of its field.
 *
 *     node --experimental-strip-types examples/typescript/recommend.ts http://127.0.0.1:8080
 */

import { Pathlight, Problem } from "./pathlight.ts";
import type { Answers, Question } from "./pathlight.ts";

declare const process: { readonly argv: readonly string[]; exitCode: number | undefined };

/** Somebody who always takes the first choice and the upper end of a scale; a person would be asked here. */
function answersTo(questions: readonly Question[]): Answers {
  const answers: Record<string, string | number> = {};
  for (const question of questions) {
    switch (question.type) {
      case "choice": answers[question.id] = question.choices[0]?.id ?? ""; break;
      case "scale": answers[question.id] = question.scale.max; break;
      case "text": answers[question.id] = "I like to find out how things work and to explain it to others."; break;
    }
  }
  return answers;
}

async function main(url: string): Promise<void> {
  const client = new Pathlight(url);
  const questions = await client.questions();
  const session = await client.submit(answersTo(questions));
  console.log(`${questions.length} questions answered in session ${session}`);

  const reply = await client.recommend({ session_id: session, top_n: 5 });
  for (const item of reply.recommendations) {
    console.log(`${item.rank}. ${item.career} (${item.cluster}): ${item.score} %, ${item.band}`);
    console.log(`   ${item.explanation.summary}`);
  }
  for (const source of reply.attributions) console.log(`Source: ${source.attribution ?? source.title}`);

  const best = reply.recommendations[0];
  if (!best) return;
  const saved = await client.note("save", {
    session_id: session, career_id: best.career_id, recommendation_id: reply.recommendation_id,
  });
  console.log(`saved ${saved.career_id} at ${saved.saved_at ?? "an unknown time"}`);

  let count = 0;
  for await (const career of client.careers({ cluster: [best.cluster], limit: 10 })) {
    if (career.cluster === best.cluster) count += 1;
  }
  console.log(`${count} careers in ${best.cluster}`);
}

try {
  await main(process.argv[2] ?? "http://127.0.0.1:8080");
} catch (error) {
  if (error instanceof Problem) {
    console.error(`The service refused (${error.status} ${error.code}): ${error.message}`);
    for (const each of error.errors) console.error(`  ${each.path}: ${each.message}`);
  } else {
    console.error(`That did not work: ${String(error)}`);
  }
  process.exitCode = 1;
}
