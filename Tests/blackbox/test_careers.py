"""The list of careers: its filters, its pages and what it says of its sources."""

from urllib.parse import quote, urlencode

import pytest


def careers(client, **query):
    return client.get("/api/careers/?" + urlencode({"limit": 200, **query}, doseq=True)).expect(200)


@pytest.fixture(scope="module")
def everything(service):
    with service.client() as client:
        return careers(client)


def test_a_cluster_can_be_asked_for_whatever_its_case(client, everything):
    expected = [item for item in everything["items"] if item["cluster"] == "Health Care"]
    for name in ("Health Care", "health care", " HEALTH CARE "):
        page = careers(client, cluster=name)
        assert page["items"] == expected and page["total"] == len(expected) > 3


def test_several_clusters_are_repeated_or_joined_by_commas(client, everything):
    expected = [item for item in everything["items"] if item["cluster"] in ("Health Care", "Finance", "Data & AI")]
    for clusters in (["Health Care", "Finance", "Data & AI"], ["Finance,Data & AI", "Health Care"],
                     ["finance, health care,data & ai"], ["Finance", "Finance,Health Care,Data & AI"]):
        assert careers(client, cluster=clusters)["items"] == expected


@pytest.mark.parametrize("name", ["Helth Care", "Finance,Helth Care", ",", "Finance,"])
def test_an_unknown_cluster_is_refused_by_name(client, name):
    problem = client.get("/api/careers/?cluster=" + quote(name)).expect_named("cluster")
    if "Helth" in name:
        assert "Helth Care" in problem["detail"] and "Health Care" in problem["detail"]


def test_words_are_found_in_names_and_aliases(client, everything):
    def found(text):
        return {item["id"] for item in careers(client, q=text)["items"]}

    assert "registered-nurse" in found("nurse")
    assert found("NURSE") == found("nurse") == found(" nurse ") == found("nürse")
    assert found("nur") >= found("nurse"), "the beginning of a word is enough"
    assert "registered-nurse" not in found("urse"), "the middle of a word is not"
    assert found("nurse registered") == found("registered nurse") <= found("nurse")
    assert found("zzzz") == set()
    alias, owner = next(
        (career["aliases"][0], career["id"])
        for item in everything["items"]
        for career in [client.get(f"/api/careers/{item['id']}/").expect(200)] if career["aliases"])
    assert owner in found(alias)


def test_filters_work_together_and_page_by_page(client):
    both = careers(client, cluster="Health Care", q="nurse")
    assert all(item["cluster"] == "Health Care" for item in both["items"]) and both["total"] == len(both["items"]) > 0
    pages = [careers(client, cluster="Health Care", skip=skip, limit=3) for skip in range(0, 60, 3)]
    ids = [item["id"] for page in pages for item in page["items"]]
    assert len(ids) == len(set(ids)) == pages[0]["total"]


@pytest.mark.parametrize("query", ["q=%20", "q=---", "q=" + "x" * 201, "q=a&q=b", "generation=x", "generation=-1"])
def test_a_wrong_query_is_refused_by_name(client, query):
    client.get(f"/api/careers/?{query}").expect_named(query.split("=")[0])


def test_pages_of_a_generation_belong_together(client, everything):
    number = everything["generation"]
    assert careers(client, generation=number) == everything
    ahead = [
        client.get(f"/api/careers/?generation={number + 1000}"),
        client.post("/api/results/recommend/", {"text": "a", "generation": number + 1000})]
    for reply in ahead:
        problem = reply.expect_problem(409, "generation_gone")
        assert "without" in problem["detail"] and f"it is {number} now" in problem["detail"]
        assert "first page" in problem["detail"] and str(number) in problem["errors"][0]["message"]


def test_sources_are_named_wherever_careers_are(client, everything):
    def check(reply, sources):
        named = [each["source"] for each in reply["attributions"]]
        # The product's own careers need no mention; what comes from elsewhere asks for one.
        assert named == sorted(set(named)) and set(named) <= set(sources)
        for each in reply["attributions"]:
            assert set(each) == {"source", "title", "attribution", "licence", "url"} and each["title"]

    check(everything, [item["source"] for item in everything["items"]])
    assert all(item["source"] for item in everything["items"])
    career = client.get("/api/careers/chef/").expect(200)
    check(career, [career["source"]])
    for name, kind in (("tasks", list), ("technologies", list), ("attributes", dict)):
        assert isinstance(career[name], kind)
    similar = client.get("/api/careers/chef/similar/?limit=3").expect(200)
    assert similar["generation"] == everything["generation"]
    sources = {item["id"]: item["source"] for item in everything["items"]}
    check(similar, [sources[item["career_id"]] for item in similar["items"]])


def test_similar_careers_can_be_of_some_clusters_only(client, everything):
    whole = client.get("/api/careers/chef/similar/?limit=100").expect(200)
    wanted = ["Health Care", "Finance"]
    found = client.get("/api/careers/chef/similar/?limit=100&" + urlencode({"cluster": wanted}, doseq=True)).expect(200)
    assert {item["cluster"] for item in found["items"]} == set(wanted)
    assert found["total"] == sum(item["cluster"] in wanted for item in everything["items"])
    assert [item for item in whole["items"] if item["cluster"] in wanted] == found["items"][:sum(
        item["cluster"] in wanted for item in whole["items"])]
    client.get("/api/careers/chef/similar/?cluster=Helth%20Care").expect_named("Health Care")


def test_an_id_in_a_path_is_percent_decoded(client):
    assert client.get("/api/careers/%63he%66/").expect(200)["id"] == "chef"
    assert client.get("/api/careers/che%66/similar/").expect(200)["items"]
    for path, id in (("a%2Fb", "a/b"), ("a%20b", "a b"), ("%C3%BC", "ü"), ("a+b", "a+b"), ("%25", "%"), ("..%2f", "../")):
        problem = client.get(f"/api/careers/{path}/").expect_problem(404, "career_not_found")
        assert f"“{id}”" in problem["detail"]
        client.get(f"/api/results/{path}/").expect_problem(404, "session_not_found")


@pytest.mark.parametrize("path", ["/api/careers/{}/", "/api/careers/{}/similar/", "/api/results/{}/"])
def test_an_id_that_cannot_be_is_no_mistake_of_the_services(client, path):
    for id in ("%00", "chef%00", "%00" * 50):
        assert client.get(path.format(id)).expect_problem(404)["code"] in ("career_not_found", "session_not_found")
    for id in ("%", "%z1", "chef%2", "%ff", "%c0%af", "%ed%a0%80", "%f5%80%80%80", "a%C3"):
        problem = client.get(path.format(id)).expect_problem(400, "bad_request")
        assert "percent" in problem["detail"]
