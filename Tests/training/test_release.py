"""Reading a release and a collection: what comes out, and what is said of files that are not right."""

import pytest
from conftest import CODE, OCCUPATIONS, TITLES_EACH, write_table
from occupations.release import ReleaseError, folded, read_collection, read_release


def test_titles_are_distinct_when_folded_and_know_all_their_occupations(onet):
    release = read_release(onet, set())
    titles = {title.text: title.occupations for title in release.titles}
    assert len(release.titles) == OCCUPATIONS * (1 + TITLES_EACH + 1) + 2
    assert titles["Occupation 3"] == {3}
    assert titles["shared by 0 and 5"] == {0, 5}
    assert "Shared  by 0 and 5" not in titles
    keys = [folded(title.text) for title in release.titles]
    assert keys == sorted(set(keys))


def test_related_occupations_are_related_both_ways(onet):
    related = read_release(onet, set()).related
    assert related[:4] == [{1}, {0}, {3}, {2}]
    assert not any(related[4:])


def test_what_names_an_unknown_occupation_is_left_out(onet):
    with (onet / "Alternate Titles.txt").open("a", encoding="utf-8") as file:
        file.write("99-9999.00\tnobody's title\t\n")
    assert "nobody's title" not in {title.text for title in read_release(onet, set()).titles}


@pytest.mark.parametrize("spelling", ["title 4 2", "Title 4 2", "  TITLE  4 2 "])
def test_held_out_titles_are_left_out_however_they_are_spelled(onet, spelling):
    texts = {title.text for title in read_release(onet, {folded(spelling)}).titles}
    assert "title 4 2" not in texts
    assert "title 4 1" in texts


def test_quotation_marks_are_plain_characters(onet):
    with (onet / "Alternate Titles.txt").open("a", encoding="utf-8") as file:
        file.write('11-0004.00\t"Quoted\t\n11-0004.00\tnext\t\n')
    assert {'"Quoted', "next"} <= {title.text for title in read_release(onet, set()).titles}


@pytest.mark.parametrize("name", [
    "Occupation Data.txt", "Alternate Titles.txt", "Sample of Reported Titles.txt", "Task Statements.txt",
    "Related Occupations.txt",
])
def test_a_missing_file_is_named(onet, name):
    (onet / name).unlink()
    with pytest.raises(ReleaseError, match=f"{name} is missing: ONET must be a folder"):
        read_release(onet, set())


def test_a_missing_column_is_named(onet):
    write_table(onet, "Alternate Titles.txt", (CODE, "Name"), [("11-0000.00", "x")])
    with pytest.raises(ReleaseError, match="Alternate Titles.txt has no column Alternate Title"):
        read_release(onet, set())


def test_a_short_line_is_named(onet):
    rows = [("11-0000.00", "a", "b"), ("11-0001.00",)]
    write_table(onet, "Occupation Data.txt", (CODE, "Title", "Description"), rows)
    with pytest.raises(ReleaseError, match="Occupation Data.txt, line 3: a field is missing"):
        read_release(onet, set())


def write_collection(folder, queries="q1\tone\n", corpus="d1\ttwo\n", qrels="q1 0 d1 2\n"):
    folder.mkdir()
    for name, content in (("queries.tsv", queries), ("corpus.tsv", corpus), ("qrels.tsv", qrels)):
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_a_collection_is_read(tmp_path):
    collection = read_collection(write_collection(tmp_path / "c", corpus="\ufeffd1\ttwo\twords\n\nd2\tthree\n"))
    assert collection.queries == [("q1", "one")]
    assert collection.corpus == [("d1", "two\twords"), ("d2", "three")]
    assert collection.qrels == {"q1": {"d1": 2}}


def test_a_collection_without_texts_is_refused(tmp_path):
    folder = write_collection(tmp_path / "c")
    (folder / "corpus.tsv").unlink()
    with pytest.raises(ReleaseError, match="corpus.tsv is missing"):
        read_collection(folder)


def test_a_line_without_a_tab_is_refused(tmp_path):
    with pytest.raises(ReleaseError, match="queries.tsv: a line is not id, tab, text"):
        read_collection(write_collection(tmp_path / "c", queries="q1 one\n"))
