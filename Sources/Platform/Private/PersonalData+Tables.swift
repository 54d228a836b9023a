extension PersonalData {
    /// Children come before their parents, so that each erased row is counted where it was.
    package static let tables: [PersonalTable] = feedback + work + models + mail + monitoring + accounts

    private static let feedback: [PersonalTable] = [
        PersonalTable(
            "career_events", key: ["sequence"], links: [.session("session_id")],
            columns: [
                "sequence": .plain, "id": .plain, "kind": .plain, "session_id": .plain, "career_id": .plain,
                "recommendation_id": .plain, "created_at": .plain,
            ]),
        PersonalTable(
            "recommendations", key: ["id"], links: [.session("session_id")],
            columns: [
                "id": .plain, "session_id": .plain, "generation": .plain, "career_ids": .document,
                "request": .sealedDocument, "query": .sealedDocument, "created_at": .plain,
            ]),
        PersonalTable(
            "idempotent_requests", key: ["scope", "key"], links: [.mention], shortNames: ["scope": .caller],
            columns: [
                "scope": .plain, "key": .plain, "request_hash": .plain, "effect_id": .plain, "status": .plain,
                "content_type": .plain, "body": .sealedBytes, "created_at": .plain,
            ]),
        PersonalTable(
            "sessions", key: ["id"], links: [.user("owner")],
            columns: [
                "id": .plain, "kind": .plain, "owner": .plain, "answers": .sealedDocument, "request": .sealedDocument,
                "reply": .sealedDocument, "created_at": .plain, "updated_at": .plain,
            ]),
    ]

    private static let work: [PersonalTable] = [
        PersonalTable(
            "task_effects", key: ["task_id"], links: [.task("task_id"), .mention],
            columns: ["task_id": .plain, "document": .document, "times": .plain, "created_at": .plain]),
        PersonalTable(
            "tasks", key: ["id"], links: [.mention], shortNames: ["unique_key": .parts],
            columns: [
                "id": .plain, "kind": .plain, "payload": .document, "unique_key": .plain, "priority": .plain,
                "state": .plain, "attempts": .plain, "maximum_attempts": .plain, "due_at": .plain,
                "lease_owner": .plain, "lease_token": .secret, "lease_until": .plain, "progress": .document,
                "cancel_requested": .plain, "last_error": .plain, "result": .document, "created_at": .plain,
                "started_at": .plain, "finished_at": .plain,
            ]),
    ]

    private static let models: [PersonalTable] = [
        PersonalTable(
            "llm_cache", key: ["key"], links: [.user("user_id"), .mention],
            columns: [
                "key": .plain, "user_id": .plain, "reply": .sealedDocument, "created_at": .plain, "expires_at": .plain,
            ]),
        PersonalTable(
            "llm_usage", key: ["day", "user_id", "feature", "provider", "model"], links: [.user("user_id")],
            // What was paid was paid: the sums of a day stay, under nobody's name.
            erasing: .fold(
                sql: """
                    INSERT INTO llm_usage
                        (day, user_id, feature, provider, model, calls, input_tokens, output_tokens, cost_nanodollars)
                    SELECT day, '', feature, provider, model, calls, input_tokens, output_tokens, cost_nanodollars
                    FROM llm_usage WHERE user_id = ?
                    ON CONFLICT (day, user_id, feature, provider, model) DO UPDATE SET
                        calls = llm_usage.calls + excluded.calls,
                        input_tokens = llm_usage.input_tokens + excluded.input_tokens,
                        output_tokens = llm_usage.output_tokens + excluded.output_tokens,
                        cost_nanodollars = llm_usage.cost_nanodollars + excluded.cost_nanodollars
                    """),
            columns: [
                "day": .plain, "user_id": .plain, "feature": .plain, "provider": .plain, "model": .plain,
                "calls": .plain, "input_tokens": .plain, "output_tokens": .plain, "cost_nanodollars": .plain,
            ]),
        PersonalTable(
            "prompts", key: ["id"], links: [.user("updated_by")], erasing: .clear("updated_by"),
            columns: ["id": .plain, "text": .plain, "updated_at": .plain, "updated_by": .plain]),
    ]

    private static let mail: [PersonalTable] = [
        PersonalTable(
            "mail_log", key: ["message_key"],
            links: [.address("address_index", indexedAs: "mail_suppressions.address"), .mention],
            shortNames: ["message_key": .parts],
            columns: [
                "message_key": .plain, "address_index": .plain, "outcome": .plain, "detail": .plain,
                "finished_at": .plain, "message_id": .plain,
            ]),
        PersonalTable(
            "mail_suppressions", key: ["address_index", "list", "reason"],
            links: [.address("address_index", indexedAs: "mail_suppressions.address")],
            columns: [
                "address_index": .plain, "list": .plain, "reason": .plain, "detail": .plain, "created_at": .plain,
            ]),
    ]

    private static let monitoring: [PersonalTable] = [
        PersonalTable(
            "interest_lists", key: ["input_mark"],
            links: [.student("input_mark", marks: ["input_mark", "served_mark"])],
            // Each half of the condition has an index of its own.
            erasing: .deleteUnshared(
                condition: """
                    NOT EXISTS (
                        SELECT 1 FROM students
                        WHERE students.user_id <> ? AND (
                            students.input_mark = interest_lists.input_mark
                            OR (students.served_mark = interest_lists.input_mark
                                AND students.served_mark <> students.input_mark)))
                    """),
            columns: [
                "input_mark": .plain, "origin": .plain, "career_count": .plain, "generation": .plain,
                "cost_nanodollars": .plain, "made_at": .plain, "document": .sealedDocument, "asked_market": .plain,
            ]),
        PersonalTable(
            "course_paths", key: ["course_mark"], links: [.student("course_mark", marks: ["course_mark"])],
            // A course is named in the words of whoever named it first.
            erasing: .deleteUnshared(
                condition: """
                    NOT EXISTS (
                        SELECT 1 FROM students
                        WHERE students.user_id <> ? AND students.course_mark = course_paths.course_mark)
                    """),
            columns: [
                "course_mark": .plain, "course": .plain, "origin": .plain, "path_count": .plain, "generation": .plain,
                "cost_nanodollars": .plain, "made_at": .plain, "document": .document, "asked_market": .plain,
            ]),
        PersonalTable(
            "students", key: ["user_id"], links: [.user("user_id")],
            columns: [
                "user_id": .plain, "input": .sealedDocument, "input_mark": .plain, "course_mark": .plain,
                "row_mark": .plain, "served_mark": .plain, "served_at": .plain, "source": .plain, "created_at": .plain,
                "updated_at": .plain, "written_mark": .plain, "read_mark": .plain,
            ]),
    ]

    private static let accounts: [PersonalTable] = [
        PersonalTable(
            "api_keys", key: ["id"], links: [.user("user_id")],
            columns: [
                "id": .plain, "user_id": .plain, "role": .plain, "scopes": .plain, "label": .plain, "salt": .secret,
                "hash": .secret, "created_at": .plain, "expires_at": .plain, "revoked_at": .plain,
                "last_used_at": .plain,
            ]),
        PersonalTable(
            "web_sessions", key: ["id_hash"], links: [.user("user_id")],
            columns: [
                "id_hash": .secret, "user_id": .plain, "created_at": .plain, "last_seen_at": .plain,
                "expires_at": .plain,
            ]),
        PersonalTable(
            "sign_in_attempts", key: ["subject"], links: [.mention],
            columns: ["subject": .plain, "failures": .plain, "locked_until": .plain, "updated_at": .plain]),
        PersonalTable(
            "sign_ins_under_way", key: ["id", "subject"], links: [.mention],
            columns: ["id": .plain, "subject": .plain, "began_at": .plain]),
        PersonalTable(
            "sign_in_links", key: ["hash"], links: [.user("user_id")],
            columns: ["hash": .secret, "user_id": .plain, "expires_at": .plain, "purpose": .plain]),
        PersonalTable(
            "learner_assignments", key: ["educator_id", "learner_id"],
            links: [.user("educator_id"), .user("learner_id")],
            columns: ["educator_id": .plain, "learner_id": .plain]),
        PersonalTable(
            "users", key: ["id"], links: [.user("id")],
            columns: [
                "id": .plain, "email": .sealed, "email_index": .plain, "name": .sealed, "role": .plain,
                "password_hash": .secret, "state": .plain, "created_at": .plain, "updated_at": .plain,
                "last_sign_in_at": .plain, "email_verified_at": .plain,
            ]),
    ]
}
