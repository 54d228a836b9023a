/**
 * A typed client of Pathlight's HTTP API, on `fetch` alone: for browsers, Node, Deno and Bun.
 *
 * Only the fields that most clients need are typed here; `GET /openapi.json` describes all of them.
 */

export type Ability =
  | "analytical_reasoning" | "creativity" | "verbal_communication" | "technical_aptitude" | "numerical_reasoning"
  | "leadership" | "problem_solving" | "empathy" | "attention_to_detail" | "physical_ability" | "digital_literacy"
  | "teamwork" | "organisation" | "entrepreneurship" | "adaptability";

interface QuestionBase { readonly id: string; readonly text: string }

/** A question has only its own kind's field. */
export type Question =
  | (QuestionBase & { readonly type: "choice"; readonly choices: readonly { readonly id: string; readonly text: string }[] })
  | (QuestionBase & { readonly type: "scale"; readonly scale: { readonly min: number; readonly max: number; readonly labels: readonly string[] } })
  | (QuestionBase & { readonly type: "text" });

export type Answers = Readonly<Record<string, string | number>>;

export interface Filters {
  readonly cluster?: readonly string[];
  readonly education?: readonly ("none" | "secondary" | "certificate" | "associate" | "bachelor" | "master" | "doctorate")[];
  readonly skills?: readonly string[];
  readonly salary_min?: number;
  readonly salary_max?: number;
  readonly growth_min?: number;
  readonly attributes?: Readonly<Record<string, readonly string[] | { readonly min?: number; readonly max?: number }>>;
}

/** At least one of the first seven is needed. */
export interface RecommendRequest {
  readonly session_id?: string;
  readonly answers?: Answers;
  readonly text?: string;
  readonly skills?: readonly string[];
  readonly abilities?: readonly number[] | Readonly<Partial<Record<Ability, number>>>;
  readonly liked?: readonly string[];
  readonly disliked?: readonly string[];
  readonly examples_strategy?: "average_vector" | "best_score";
  readonly approximate?: boolean;
  readonly exclude?: readonly string[];
  readonly top_n?: number;
  readonly skip?: number;
  readonly generation?: number;
  readonly alpha?: number;
  readonly diversity?: boolean | "cap" | "mmr" | "none";
  readonly max_per_cluster?: number;
  readonly mmr_weight?: number;
  readonly filters?: Filters;
  readonly personalise?: boolean;
}

export interface Attribution {
  readonly source: string;
  readonly title: string;
  readonly attribution: string | null;
  readonly licence: string | null;
  readonly url: string | null;
}

export interface Recommendation {
  readonly career_id: string;
  readonly rank: number;
  readonly career: string;
  readonly cluster: string;
  readonly score: number;
  readonly embedding_similarity: number | null;
  readonly ability_similarity: number | null;
  readonly band: "excellent" | "strong" | "fair" | "weak";
  readonly salary_range: string | null;
  readonly explanation: { readonly summary: string; readonly for: readonly string[]; readonly against: readonly string[] };
}

export interface RecommendReply {
  readonly session_id: string;
  readonly recommendation_id: string;
  readonly recommendations: readonly Recommendation[];
  readonly alpha: number;
  /** False only where `approximate` was asked for. */
  readonly exact: boolean;
  readonly degraded: { readonly reason: string; readonly detail: string } | null;
  readonly generation: number;
  readonly matched: number;
  readonly skip: number;
  readonly attributions: readonly Attribution[];
}

export interface CareerSummary {
  readonly id: string;
  readonly name: string;
  readonly cluster: string;
  readonly salary_range: string | null;
  readonly job_growth: string | null;
  readonly required_education: { readonly level: string; readonly text: string };
  readonly soc_code: string | null;
  readonly source: string | null;
}

export interface CareerList {
  readonly items: readonly CareerSummary[];
  readonly total: number;
  readonly skip: number;
  readonly limit: number;
  readonly generation: number;
  readonly attributions: readonly Attribution[];
}

export interface CareerQuery {
  readonly cluster?: readonly string[];
  readonly q?: string;
  readonly limit?: number;
}

export type Deed = "save" | "view" | "dismiss" | "choose";

export interface CareerEvent {
  readonly session_id: string;
  readonly career_id: string;
  readonly recommendation_id?: string;
  /** Not for views. */
  readonly undo?: boolean;
}

export interface RecordedEvent {
  readonly session_id: string;
  readonly career_id: string;
  readonly kind: "saved" | "viewed" | "dismissed" | "chosen";
  readonly recommendation_id: string | null;
  readonly recorded: boolean;
  readonly saved_at?: string;
}

export interface FieldError { readonly path: string; readonly message: string }

interface ProblemDocument { readonly code?: string; readonly detail?: string; readonly errors?: readonly FieldError[] }

/** What the service refuses, as its problem document says it (RFC 9457). */
export class Problem extends Error {
  // Written out, since TypeScript's shorthand in the constructor is more than types, which Node alone strips.
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];

  constructor(status: number, document: ProblemDocument) {
    super(document.detail ?? `status ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = document.code ?? "unknown";
    this.errors = document.errors ?? [];
  }
}

const tries = 4;

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

const isPassing = (problem: Problem): boolean =>
  problem.status === 429 || problem.status === 503 || problem.code === "idempotency_in_progress";

export class Pathlight {
  private readonly url: string;
  /** Replies by address, with the tag under which the service knows them. */
  private readonly known = new Map<string, { readonly tag: string; readonly document: unknown }>();

  constructor(url: string) {
    this.url = url.replace(/\/+$/, "");
  }

  async questions(): Promise<readonly Question[]> {
    return (await this.get<{ readonly items: readonly Question[] }>("/api/quiz/questions/")).items;
  }

  async submit(answers: Answers): Promise<string> {
    return (await this.post<{ readonly session_id: string }>("/api/quiz/submit/", { answers })).session_id;
  }

  recommend(request: RecommendRequest): Promise<RecommendReply> {
    return this.post("/api/results/recommend/", request);
  }

  note(deed: Deed, event: CareerEvent): Promise<RecordedEvent> {
    return this.post(`/api/results/${deed}_career/`, event);
  }

  /**
   * Every career that matches, one by one. All pages are of one generation, so that none is repeated or missed; where
   * that one goes meanwhile, `Problem` with the code `generation_gone` says to begin again.
   */
  async *careers(query: CareerQuery = {}): AsyncGenerator<CareerSummary, void, undefined> {
    let skip = 0;
    let generation: number | undefined;
    for (;;) {
      const page: CareerList = await this.get("/api/careers/", { ...query, skip, generation });
      yield* page.items;
      skip += page.items.length;
      generation = page.generation;
      if (page.items.length === 0 || skip >= page.total) return;
    }
  }

  /** Reads; what has not changed since the last time is not sent again. */
  private async get<Reply>(
    path: string, query: Readonly<Record<string, string | number | readonly string[] | undefined>> = {},
  ): Promise<Reply> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue;
      for (const each of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) parameters.append(name, each);
    }
    const text = parameters.toString();
    const address = text === "" ? path : `${path}?${text}`;
    const before = this.known.get(address);
    const reply = await this.send(address, before ? { headers: { "If-None-Match": before.tag } } : {});
    if (reply.status === 304 && before) return before.document as Reply;
    const document: unknown = await reply.json();
    const tag = reply.headers.get("ETag");
    if (tag !== null) this.known.set(address, { tag, document });
    return document as Reply;
  }

  /** Writes. The key makes it safe to send the same request again: it is carried out once. */
  private async post<Reply>(path: string, body: unknown): Promise<Reply> {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() };
    const reply = await this.send(path, { method: "POST", headers, body: JSON.stringify(body) });
    return (await reply.json()) as Reply;
  }

  /** One request, sent again after a while where that may help. */
  private async send(address: string, request: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      let wait = 0.5 * attempt;
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), 30_000);
      try {
        const reply = await fetch(this.url + address, { ...request, signal: stop.signal });
        if (reply.ok || reply.status === 304) return reply;
        const document = (await reply.json().catch(() => ({}))) as ProblemDocument;
        const problem = new Problem(reply.status, document);
        if (!isPassing(problem) || attempt === tries) throw problem;
        wait = Number(reply.headers.get("Retry-After") ?? wait);
      } catch (error) {
        // Without a reply it is not known whether the request arrived, and need not be.
        if (error instanceof Problem || attempt === tries) throw error;
      } finally {
        clearTimeout(timer);
      }
      await pause(wait);
    }
  }
}
