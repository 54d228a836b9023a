"""The recommend route as one would write it with FastAPI: sentence-transformers, FAISS, abilities, a cap per cluster.

usage: fastapi_service.py --careers FILE --model FOLDER --port N [--threads N]

Embeds the careers' descriptions at the start. A request's text is embedded, FAISS gives the 100 nearest careers, the
score is 70 % the cosine of the texts and 30 % that of the abilities (the first alone where no abilities are given), and
of each cluster the best is taken. Sessions are kept in memory, so a request does not wait for a disk.
"""

import argparse
import json
import os
import uuid

os.environ["HF_HUB_OFFLINE"] = "1"

import faiss
import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sentence_transformers import SentenceTransformer

LIMIT = 100
ABILITIES = (
    "analytical_reasoning", "creativity", "verbal_communication", "technical_aptitude", "numerical_reasoning",
    "leadership", "problem_solving", "empathy", "attention_to_detail", "physical_ability", "digital_literacy",
    "teamwork", "organisation", "entrepreneurship", "adaptability")


class Request(BaseModel):
    text: str = Field(max_length=10_000)
    abilities: list[float] | None = Field(default=None, min_length=15, max_length=15)
    top_n: int = Field(default=5, ge=1, le=100)
    alpha: float = Field(default=0.7, ge=0, le=1)
    diversity: bool = True


class Recommender:
    def __init__(self, careers, model):
        self.careers = careers
        self.model = SentenceTransformer(model, device="cpu")
        texts = [f"{career['name']}. {career.get('description', '')}" for career in careers]
        self.embeddings = self.model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        self.index = faiss.IndexFlatIP(self.embeddings.shape[1])
        self.index.add(self.embeddings)
        abilities = np.array(
            [[career.get("abilities", {}).get(name, 5.0) for name in ABILITIES] for career in careers], dtype=np.float32)
        self.abilities = abilities / np.linalg.norm(abilities, axis=1, keepdims=True)

    def recommend(self, request):
        query = self.model.encode([request.text], normalize_embeddings=True, show_progress_bar=False)
        cosines, numbers = self.index.search(query, min(LIMIT, len(self.careers)))
        embedding = (1 + cosines[0]) / 2
        ability = np.full(len(embedding), np.nan, dtype=np.float32)
        score = embedding
        if request.abilities is not None:
            asked = np.array(request.abilities, dtype=np.float32)
            ability = (1 + self.abilities[numbers[0]] @ (asked / max(float(np.linalg.norm(asked)), 1e-9))) / 2
            score = request.alpha * embedding + (1 - request.alpha) * ability
        found, clusters = [], set()
        for place in np.argsort(-score):
            career = self.careers[numbers[0][place]]
            if request.diversity and career["cluster"] in clusters:
                continue
            clusters.add(career["cluster"])
            has_ability = not np.isnan(ability[place])
            found.append({
                "career": career["name"],
                "score": round(100 * float(score[place]), 1),
                "embedding_similarity": round(100 * float(embedding[place]), 1),
                "ability_similarity": round(100 * float(ability[place]), 1) if has_ability else None,
                "cluster": career["cluster"],
                "salary_range": career.get("salary_range"),
            })
            if len(found) == request.top_n:
                break
        return found


def application(recommender):
    app = FastAPI()
    sessions = {}

    # On the event loop's own thread, which a single client is served soonest by: no hop to a pool and back.
    @app.post("/api/results/recommend/")
    async def recommend(request: Request):
        session = str(uuid.uuid4())
        reply = {"session_id": session, "recommendations": recommender.recommend(request)}
        sessions[session] = reply
        return reply

    @app.get("/api/results/{session_id}/")
    async def result(session_id: str):
        if session_id not in sessions:
            raise HTTPException(404)
        return sessions[session_id]

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--careers", required=True, help="what `pathlight export careers` wrote as JSON")
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    faiss.omp_set_num_threads(options.threads)
    with open(options.careers, encoding="utf-8") as file:
        careers = json.load(file)["careers"]
    recommender = Recommender(careers, options.model)
    uvicorn.run(application(recommender), host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
