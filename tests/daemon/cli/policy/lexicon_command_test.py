"""glyphward lexicon and glyphward bench lexicon, as a person or a script runs them."""
import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ["GLYPHWARD_BUILD_DIR"])
SOURCE = pathlib.Path(os.environ["GLYPHWARD_SOURCE_DIR"])
HEADER = "term\tcategory\tseverity\tlanguage\tflags\tforms\n"


def run(*arguments, stdin=None):
    return subprocess.run([BUILD / "glyphward", *map(str, arguments)], capture_output=True, text=True, input=stdin)


def test_lookup_explains_from_bytes_to_rule():
    done = run("lexicon", "lookup", "--explain", "you $h\u200b1t")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert "  bytes     $ h U+200B 1 t" in lines
    assert "  steps     invisible, leet" in lines
    assert "  term      shit" in lines
    assert any(line.startswith("  rule      shit | profanity | ") for line in lines)
    assert '  read as   "$" for s: a digit or a sign for a letter (leet)' in lines
    assert any(line.startswith("  ordinary ") and line.endswith("\"h1t\", a number or a code") for line in lines)
    found = json.loads(run("lexicon", "lookup", "--explain", "--json", "you $h\u200b1t").stdout)
    assert found["evidence_min"] == 4 and "nearest" not in found
    [finding] = found["findings"]
    assert finding["term"] == "shit" and finding["steps"] == ["invisible", "leet"]
    assert finding["evidence"] >= 4 and finding["evidence"] == round(finding["evidence"], 1)
    assert "leet(s)@" in finding["reading"] and finding["ordinary"]
    assert f"  evidence  {finding['evidence']} nats: the margin is 4.0" in lines
    assert run("lexicon", "lookup", "Scunthorpe United").returncode == 0
    described = run("lexicon", "lookup", "--prompt", "--json", "a shit day, a sign that says \"peace\"")
    assert [f["rendered"] for f in json.loads(described.stdout)["findings"]] == [False]
    assert run("lexicon", "lookup", "-", stdin="oh shit").returncode == 1


def test_lookup_explains_the_nearest_miss(tmp_path):
    own = tmp_path / "own.tsv"
    own.write_text(HEADER + "white power\thate\t7\ten\t\t\n")
    missed = run("lexicon", "lookup", "--explain", "--list", own, "white powder")
    assert missed.returncode == 0, missed.stderr
    lines = missed.stdout.splitlines()
    assert lines[0] == "no term" and lines[1].startswith('nearest to one: "white powder" (bytes 0 to 12) is white power')
    assert any(line.endswith(" nats, too little: the margin is 4.0") for line in lines)
    told = json.loads(run("lexicon", "lookup", "--explain", "--json", "--list", own, "white powder").stdout)
    assert told["findings"] == [] and told["nearest"]["term"] == "white power" and told["nearest"]["evidence"] < 4
    assert run("lexicon", "lookup", "--list", own, "white powder").stdout == "no term\n"
    far = run("lexicon", "lookup", "--explain", "--list", own, "a sunny day")
    assert far.returncode == 0 and far.stdout == "no term\n"
    assert "nearest" not in json.loads(run("lexicon", "lookup", "--explain", "--json", "--list", own, "a cat").stdout)
    prompt = run("lexicon", "lookup", "--explain", "--prompt", "--list", own, 'a sign that says "white powder"')
    assert "nearest to one:" in prompt.stdout and '"d"' in prompt.stdout


def test_import_merge_diff_and_lint(tmp_path):
    (tmp_path / "en").write_text("heck\ndarn it\n")
    (tmp_path / "list.json").write_text('[{"match": "heck|hecc", "severity": 4, "tags": ["racial"], "language": "en"}]')
    a, b, both = tmp_path / "a.tsv", tmp_path / "b.tsv", tmp_path / "both.tsv"
    assert run("lexicon", "import", tmp_path / "en", "--language", "en", "-o", a).returncode == 0
    assert a.read_text() == HEADER + "heck\tprofanity\t3\ten\t\t\ndarn it\tprofanity\t3\ten\t\t\n"
    assert run("lexicon", "import", tmp_path / "list.json", "-o", b).returncode == 0
    assert b.read_text() == HEADER + "heck\tracial\t7\ten\t\thecc\n"
    assert run("lexicon", "merge", a, b, "-o", both).returncode == 0
    assert "heck\tprofanity\t7\ten\t\thecc" in both.read_text()
    different = run("lexicon", "diff", a, both)
    assert different.returncode == 1 and "severity 3 -> 7" in different.stdout
    assert run("lexicon", "diff", a, a).returncode == 0
    words = tmp_path / "words"
    words.write_text("heck\nwall\n")
    linted = run("lexicon", "lint", "--list", both, "--dictionary", words)
    assert linted.returncode == 1 and linted.stdout == "words\theck\theck\t\n"
    assert run("lexicon", "lint", "--list", a).returncode == 0


def test_import_loses_no_row(tmp_path):
    brands = tmp_path / "brands.txt"
    brands.write_text("C&A\nAT&T\nYahoo!\nAcme\n#tag\nacme\n")
    kept = tmp_path / "brands.tsv"
    done = run("lexicon", "import", brands, "-o", kept)
    assert done.returncode == 1 and f"{brands}:5: '#tag' is left out: it begins with #" in done.stderr
    assert [line.split("\t")[0] for line in kept.read_text().splitlines()[1:]] == ["c&a", "at&t", "yahoo!", "acme"]
    for text, status in [("at C&A", 1), ("Yahoo! news", 1), ("vitamin C, a", 0), ("a yahoo", 0)]:
        assert run("lexicon", "lookup", "--list", kept, text).returncode == status, text
    told = json.loads(run("lexicon", "import", "--json", brands).stdout)
    assert (told["rows"], told["merged"], len(told["terms"])) == (6, 1, 4)
    assert [(one["line"], one["spelling"]) for one in told["left_out"]] == [(5, "#tag")]
    brands.write_text("C&A\n")
    assert run("lexicon", "import", brands).returncode == 0


def test_says_what_is_wrong(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("name,kind\nx,y\n")
    for arguments, expected in [
        (("import", bad), "expected a column text, term or word"),
        (("import", tmp_path / "none"), "expected a readable file, found: No such file"),
        (("merge", bad, bad), "expected the fields"),
        (("lookup", "--list", bad, "x"), "expected the fields"),
        (("lint", "--dictionary", tmp_path / "none"), "expected a readable dictionary"),
    ]:
        done = run("lexicon", *arguments)
        assert done.returncode == 2 and expected in done.stderr, (arguments, done.stderr)


def test_bench_judges_a_file(tmp_path):
    figures = json.loads(run("bench", "lexicon", "--json", "--eval", SOURCE / "tests/data/lexicon/dev.jsonl").stdout)
    assert figures["recall"]["share"] >= 0.97
    assert figures["recall_of_listed_terms"]["rows"] + figures["recall_of_other_terms"]["rows"] == figures["recall"]["rows"]
    assert figures["false_positives_easy"]["flagged"] == 0
    low, high = figures["recall"]["low"], figures["recall"]["high"]
    assert 0.95 < low < figures["recall"]["share"] < high <= 1
    assert {row["language"] for row in figures["languages"]} >= {"en", "de", "ja"}
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": 1}\n')
    done = run("bench", "lexicon", "--eval", bad)
    assert done.returncode == 2 and ":1: expected" in done.stderr


def test_bench_judges_several_files_and_texts(tmp_path):
    toxic, shapes = tmp_path / "toxic.jsonl", tmp_path / "shapes.jsonl"
    toxic.write_text('{"text": "a sign that says \\"fuck\\"", "label": "toxic", "kind": "plain", "lang": "en"}\n')
    shapes.write_text(
        '{"text": "a sign that says \\"Open\\"", "label": "clean", "kind": "shape", "texts": ["Open"]}\n'
        '{"text": "a sign that says \\"Open\\" and \\"In\\"", "label": "clean", "kind": "shape", "texts": ["Open"]}\n')
    figures = json.loads(run("bench", "lexicon", "--json", "--eval", toxic, shapes).stdout)
    assert [one["set"] for one in figures["sets"]] == ["toxic", "shapes"]
    assert figures["recall"]["share"] == 1 and figures["false_positives"]["flagged"] == 0
    assert (figures["exact_texts"]["flagged"], figures["exact_texts"]["rows"]) == (1, 2)
    assert figures["extra_texts"]["flagged"] == 1 and "exact_texts" not in figures["sets"][0]
    text = run("bench", "lexicon", "--eval", toxic, shapes).stdout
    assert "| toxic | 1.0000 [0.2065, 1.0000] 1 of 1 | - |" in text
