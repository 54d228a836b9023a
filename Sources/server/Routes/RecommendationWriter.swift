internal import Engine

/// Writes recommendations as the API shows them: percent with one decimal, parts that add up.
struct RecommendationWriter {
    let reply: RecommendationReply
    /// What later events name this reply by; nil where it is not kept.
    var recommendationID: String?

    /// The whole reply, without what is only known of its session.
    func write(to json: inout JSONWriter) {
        json.object { json in
            fields(to: &json)
            writeTiming(to: &json)
        }
    }

    /// The reply as its session keeps it: without the session's own id and how long it took.
    func kept() -> [UInt8] {
        var json = JSONWriter(capacity: 8_192)
        json.object { json in fields(to: &json) }
        return json.finishBytes()
    }

    /// The reply as it is sent, from what is kept of it.
    func write(kept: [UInt8], to json: inout JSONWriter, sessionID: String) {
        json.object { json in
            json.field("session_id", sessionID)
            json.members(of: kept)
            writeTiming(to: &json)
        }
    }

    private func writeTiming(to json: inout JSONWriter) {
        json.field("timing_ms") { json in
            json.field("total", Self.thousandths(reply.timing.total.milliseconds))
            json.field("embed", Self.thousandths(reply.timing.embed.milliseconds))
            json.field("search", Self.thousandths(reply.timing.search.milliseconds))
            json.field("explain", Self.thousandths(reply.timing.explain.milliseconds))
        }
    }

    private func fields(to json: inout JSONWriter) {
        if let recommendationID { json.field("recommendation_id", recommendationID) }
        json.name("recommendations")
        json.array { json in
            for recommendation in reply.recommendations { write(recommendation, to: &json) }
        }
        json.field("alpha", reply.alpha)
        json.field("lambda", reply.lambda)
        json.field("exact", reply.exact)
        json.field("complete", reply.complete)
        json.name("degraded")
        Self.write(reply.degradation, to: &json)
        json.field("generation", reply.generation)
        json.field("matched", reply.matched)
        json.field("scanned", reply.scanned)
        json.field("rescored", reply.rescored)
        json.field("set_aside", reply.setAside)
        json.field("skip", reply.skip)
        json.name("personalised")
        write(reply.personalisation, to: &json)
        json.field("notices", arrayOf: reply.passedOver) { json, passedOver in Self.write(passedOver, to: &json) }
        json.name("attributions")
        AttributionWriter.write(reply.sources, to: &json)
    }

    private static func write(_ passedOver: PassedOver, to json: inout JSONWriter) {
        json.object { json in
            json.field("code", "career_\(passedOver.reason.rawValue)")
            json.field("field", passedOver.field)
            json.field("career_id", passedOver.career)
            json.field("message", passedOver.message)
        }
    }

    private func write(_ personalisation: Personalisation?, to json: inout JSONWriter) {
        guard let personalisation else { return json.null() }
        json.object { json in
            json.field("events", personalisation.causes.count)
            json.field("because", arrayOf: personalisation.causes) { json, cause in
                json.object { json in
                    json.field("kind", cause.kind.rawValue)
                    json.field("career_id", cause.career)
                    json.field("career", cause.name)
                }
            }
            // In points of a score: half the cosine's change, weighed by α.
            json.field(
                "bound", Percent.rounded(Personalisation.greatestChange * 50 * Double(reply.alpha)))
        }
    }

    static func write(_ degradation: Degradation?, to json: inout JSONWriter) {
        guard let degradation else { return json.null() }
        json.object { json in
            json.field("reason", degradation.reason.rawValue)
            json.field("detail", degradation.detail)
        }
    }

    private func write(_ item: Recommendation, to json: inout JSONWriter) {
        let shown = Percent(
            score: item.score, embedding: item.embeddingSimilarity, ability: item.abilitySimilarity,
            alpha: reply.alpha)
        json.object { json in
            json.field("career_id", item.career.id)
            json.field("rank", item.rank)
            json.field("career", item.career.name)
            json.field("cluster", item.career.cluster)
            json.name("score")
            json.value(oneDecimal: shown.score)
            Self.optional(shown.embedding, named: "embedding_similarity", to: &json)
            Self.optional(shown.ability, named: "ability_similarity", to: &json)
            json.field("parts") { json in
                json.name("embedding")
                json.value(oneDecimal: shown.embeddingPoints)
                json.name("ability")
                json.value(oneDecimal: shown.abilityPoints)
            }
            json.field("band", item.band.rawValue)
            json.field("salary_range", item.career.salary?.text)
            json.name("explanation")
            write(item.explanation, to: &json)
        }
    }

    private func write(_ explanation: Explanation, to json: inout JSONWriter) {
        json.object { json in
            json.field("summary", explanation.summary)
            json.field("for", explanation.speaksFor)
            json.field("against", explanation.speaksAgainst)
            json.field("baseline", explanation.baseline)
            json.name("answers")
            json.array { json in
                for effect in explanation.answers { Self.write(effect, to: &json) }
            }
            json.name("abilities")
            json.array { json in
                for effect in explanation.abilities {
                    json.object { json in
                        json.field("name", effect.ability.rawValue)
                        json.field("label", effect.ability.label)
                        Self.optional(effect.you.map(Percent.rounded), named: "you", to: &json)
                        json.field("career", effect.career)
                        json.name("average")
                        json.value(oneDecimal: effect.average)
                        json.field("effect", effect.points)
                    }
                }
            }
            json.field("skills", explanation.skills)
            json.name("views")
            json.array { json in
                for view in explanation.views {
                    json.object { json in
                        json.field("name", view.name)
                        json.field("weight", view.weight)
                        json.field("cosine", Self.thousandths(Double(view.cosine)))
                        json.field("average", Self.thousandths(Double(view.average)))
                    }
                }
            }
            json.name("reads_like")
            json.array { json in
                for occupation in explanation.readsLike {
                    json.object { json in
                        json.field("career_id", occupation.occupation)
                        json.field("name", occupation.name)
                        json.field("share", Self.thousandths(Double(occupation.share)))
                    }
                }
            }
            json.field("rank_before_cap", explanation.rankBeforeCap)
            json.field("rank_after_cap", explanation.rankAfterCap)
        }
    }

    private static func write(_ effect: Explanation.AnswerEffect, to json: inout JSONWriter) {
        json.object { json in
            switch effect.origin {
            case .answer(let question, let asked, let given):
                json.field("kind", "answer")
                json.field("question", question)
                json.field("text", "\(asked) \(given)")
            case .freeText(let question, let asked):
                json.field("kind", "free_text")
                json.field("question", question)
                json.field("text", asked)
            case .text(let quoted):
                json.field("kind", "text")
                json.field("question", String?.none)
                json.field("text", quoted ?? "what you wrote")
            case .skills(let skills):
                json.field("kind", "skills")
                json.field("question", String?.none)
                json.field("text", skills.joined(separator: ", "))
            case .example(_, let name, let liked):
                json.field("kind", liked ? "liked" : "disliked")
                json.field("question", String?.none)
                json.field("text", name)
            case .history(_, let name, let kind):
                json.field("kind", "history")
                json.field("question", String?.none)
                json.field("text", "\(kind.rawValue) \(name)")
            }
            json.field("effect", effect.points)
        }
    }

    private static func optional(_ value: Double?, named name: String, to json: inout JSONWriter) {
        json.name(name)
        if let value { json.value(oneDecimal: value) } else { json.null() }
    }

    private static func thousandths(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
}
