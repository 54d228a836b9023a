"""What an administrator is told of the settings."""

from conftest import needs_model
from harness import run_command

pytestmark = needs_model


def test_an_administrator_sees_what_holds_and_no_secret(start_service):
    service = start_service(OPENAI_API_KEY="sk-seen-by-nobody", PATHLIGHT_TOP_N_MAXIMUM="17", LOG_LEVEL="warning")
    made = run_command("keys", "create", "--role", "admin", "--data", service.data)
    assert made.returncode == 0, made.stderr
    with service.client() as client:
        client.get("/api/admin/settings/").expect_problem(401, "unauthorised")
        reply = client.request(
            "GET", "/api/admin/settings/", headers={"Authorization": f"Bearer {made.stdout.strip()}"})
        page = reply.expect(200)
    assert b"sk-seen" not in reply.body
    settings = {item["name"]: item for item in page["items"]}
    assert page["total"] == len(page["items"]) == len(settings) > 80
    assert settings["top_n_maximum"]["value"] == "17" and settings["top_n_maximum"]["source"] == "environment"
    assert settings["port"]["value"] == str(service.port) and settings["port"]["source"] == "command line"
    assert settings["timeouts.request_seconds"] == {
        "name": "timeouts.request_seconds", "variable": "PATHLIGHT_TIMEOUTS_REQUEST_SECONDS", "value": "30",
        "is_secret": False, "is_set": False, "source": "default"}
    key = settings["llm.openai_api_key"]
    assert key["is_secret"] and key["is_set"] and key["value"] is None
