"""glyphward policy, and the reload of a real daemon's policy, as an operator meets them."""
import json
import pathlib
import signal
import xml.etree.ElementTree

import pytest

from daemon_support import SOURCE, Daemon, ask, eventually, run

LISTS = f'lexicons = ["{SOURCE}/lexicon/default.tsv", "{SOURCE}/lexicon/allow.tsv"]\n'
WORDS = f'[substitution]\nwords = "{SOURCE}/policy/harmless.txt"\n'


def policy(action, more=""):
    return f'{LISTS}{WORDS}{more}[[rule]]\nname = "the rest"\nseverity_min = 2\naction = "{action}"\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(policy("substitute"))
    return path


def test_check_lists_every_problem_with_its_place(file):
    good = run("policy", "check", file)
    assert good.returncode == 0 and "no problems" in good.stdout, good.stderr
    assert run("policy", "check").returncode == 0  # the default policy
    file.write_text(policy("substitue", '[[rule]]\nname = "a"\nseverty_min = 2\naction = block\n'))
    bad = run("policy", "check", file)
    assert bad.returncode == 1 and not bad.stdout
    lines = bad.stderr.splitlines()
    assert len(lines) == 4 and lines[3].endswith("3 problems")
    assert lines[0].startswith(f"{file}:6:1: rule.severty_min: unknown key; did you mean 'severity_min'?")
    assert lines[1].startswith(f"{file}:7:10: ")
    assert lines[2].startswith(f"{file}:11:10: action: ") and "did you mean 'substitute'?" in lines[2]
    report = json.loads(run("policy", "check", file, "--json").stdout)
    assert not report["ok"] and [p["line"] for p in report["problems"]] == [6, 7, 11]
    assert report["problems"][0]["key"] == "rule.severty_min" and report["problems"][0]["column"] == 1
    missing = run("policy", "check", file.parent / "none.toml")
    assert missing.returncode == 1 and "expected a readable file" in missing.stderr


def test_check_names_rules_that_never_match(file):
    file.write_text(policy("block") + '[[rule]]\nname = "late"\nseverity_min = 5\naction = "allow"\n')
    done = run("policy", "check", file)
    assert done.returncode == 1 and "'late' never matches: what it would match is decided before it" in done.stderr
    report = json.loads(run("policy", "check", file, "--json").stdout)
    assert [p["remark"] for p in report["problems"]] == [True] and len(report["revision"]) == 64
    file.write_text(LISTS)
    assert "rule: there is none" in run("policy", "check", file).stderr


def test_test_runs_the_cases_beside_the_policy(file, tmp_path):
    shipped = run("policy", "test")
    assert shipped.returncode == 0, shipped.stdout + shipped.stderr
    cases = tmp_path / "policy.cases.toml"
    cases.write_text("[[case]]\nname = \"good\"\nprompt = 'a sign that says \"shit\"'\naction = \"substitute\"\n"
                     "sanitized_like = 'a sign that says \"*\"'\n"
                     "[[case]]\nname = \"wrong\"\nprompt = 'a sign that says \"shit\"'\naction = \"block\"\n")
    report = tmp_path / "junit.xml"
    tested = run("policy", "test", file, "--junit", report)
    assert tested.returncode == 1 and "1 of 2 cases passed" in tested.stdout
    assert f"{cases}:6: wrong: action: expected block, found substitute" in tested.stdout
    suite = xml.etree.ElementTree.parse(report).getroot()
    assert suite.get("tests") == "2" and suite.get("failures") == "1"
    assert [len(case) for case in suite.iter("testcase")] == [0, 1]
    as_json = json.loads(run("policy", "test", file, "--json").stdout)
    assert as_json["passed"] == 1 and [c["passed"] for c in as_json["cases"]] == [True, False]
    elsewhere = tmp_path / "elsewhere.toml"
    cases.rename(elsewhere)
    assert run("policy", "test", file).returncode == 2
    assert run("policy", "test", file, "--cases", elsewhere).returncode == 1
    elsewhere.write_text("[[case]]\npromt = 'x'\naction = 'block'\n")
    unusable = run("policy", "test", file, "--cases", elsewhere)
    assert unusable.returncode == 2 and "elsewhere.toml:2:1: case.promt: unknown key" in unusable.stderr


def test_explain_tells_which_rules_were_asked_and_which_won(file):
    file.write_text(policy("substitute", '[[rule]]\nname = "theirs"\ntenants = ["theatre"]\naction = "allow"\n'
                                         '[[rule]]\nname = "trial"\naction = "block"\nobserve = true\n'))
    prompt = 'a sign that says "b1tch"'
    told = json.loads(run("policy", "explain", prompt, "--policy", file, "--json").stdout)
    assert told["action"] == "substitute" and told["rule"] == "the rest"
    assert told["observed"] == [{"rule": "trial", "would_action": "block"}]
    [finding] = told["findings"]
    assert finding["term"] == "bitch" and "leet" in finding["steps"] and finding["decided_by"] == "the rest"
    assert [r["matches"] for r in finding["rules"]] == [False, True, True]
    assert finding["rules"][0]["mismatch"] == "tenants: none is given"
    assert finding["evidence"] >= 4 and finding["reading"] == "leet(i)@1" and finding["certainty"] == "surely"
    assert "b1tch" not in told["sanitized_prompt"]
    text = run("policy", "explain", prompt, "--policy", file)
    assert text.returncode == 0 and "would block" in text.stdout and "matches and decides: substitute" in text.stdout
    theirs = json.loads(run("policy", "explain", prompt, "--policy", file, "--json", "--tenant", "theatre").stdout)
    assert theirs["action"] == "allow" and theirs["rule"] == "theirs"
    assert run("policy", "explain", prompt, "--tenant", "a b").returncode == 2


def test_a_policy_sets_the_margin_for_all_it_does(file, tmp_path):
    prompt = 'a sign that says "b1tch"'
    evidence = json.loads(run("policy", "explain", prompt, "--policy", file, "--json").stdout)["findings"][0]["evidence"]
    assert f", evidence {evidence}" in run("policy", "explain", prompt, "--policy", file).stdout
    strict, rule = tmp_path / "strict.toml", tmp_path / "rule.toml"
    strict.write_text(f"evidence_min = {evidence + 1}\n" + policy("block"))
    rule.write_text(policy("block", f'[[rule]]\nname = "doubtful"\nseverity_max = 4\nevidence_min = {evidence + 1}\n'
                                    'action = "allow"\n'))
    for name in (strict, rule):
        assert run("policy", "check", name).returncode == 0
    assert json.loads(run("policy", "explain", prompt, "--policy", strict, "--json").stdout)["findings"] == []
    told = json.loads(run("policy", "explain", prompt, "--policy", rule, "--json").stdout)
    assert told["action"] == "block"
    cases = tmp_path / "strict.cases.toml"
    cases.write_text(f"[[case]]\nprompt = '{prompt}'\naction = \"allow\"\nfindings = []\n")
    assert run("policy", "test", strict).returncode == 0
    decisions = tmp_path / "decisions.jsonl"
    decisions.write_text(json.dumps({"sequence": 1, "request_id": "r", "prompt": prompt, "action": "block"}) + "\n")
    other = json.loads(run("policy", "diff", rule, strict, "--replay", decisions, "--json").stdout)
    assert other["by_action"] == {"block -> allow": 1}, other
    strict.write_text("evidence_min = 0\n" + policy("block"))
    bad = run("policy", "check", strict)
    assert bad.returncode == 1 and "evidence_min: expected a number from 1 to 50, found 0" in bad.stderr


def test_diff_replays_a_daemons_decisions_and_reloads_are_followed(file, tmp_path):
    """One daemon for all of it: its rows are what is replayed."""
    with Daemon(tmp_path / "daemon", "--policy", file) as daemon:
        def moderate(text, headers=None):
            from daemon_support import UnixConnection
            connection = UnixConnection(daemon.socket)
            connection.request("POST", "/v1/moderations", json.dumps({"input": text}), headers or {})
            reply = connection.getresponse()
            body = json.loads(reply.read())
            connection.close()
            return reply.status, body
        sign = 'a sign that says "bitch"'
        status, body = moderate(sign, {"OpenAI-Project": "theatre"})
        assert status == 200 and body["results"][0]["action"] == "substitute"
        assert moderate("a cat")[0] == 200
        assert moderate(sign, {"OpenAI-Project": "no tenant!"})[0] == 400

        revision = daemon.status()["policy"]["revision"]
        assert body["glyphward"]["policy_revision"] == revision
        file.write_text(policy("review"))  # and nobody says so
        assert eventually(lambda: daemon.status()["policy"]["revision"] != revision)
        assert moderate(sign)[1]["results"][0]["action"] == "review"
        file.write_text("broken = \n")
        assert eventually(lambda: daemon.status()["policy"].get("last_error"))
        assert moderate(sign)[1]["results"][0]["action"] == "review"
        file.write_text(policy("allow"))
        daemon.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: moderate(sign)[1]["results"][0]["action"] == "allow")
        assert ask(daemon.admin, "POST", "/v1/policy/reload", {}).body["revision"] == \
            daemon.status()["policy"]["revision"]

        rows = daemon.rows()
        assert rows[-1]["parameters"] == {"tenant": "theatre"} and rows[-2]["parameters"] is None
        assert daemon.verify().returncode == 0
        old, new = tmp_path / "old.toml", tmp_path / "new.toml"
        old.write_text(policy("substitute"))
        new.write_text(policy("substitute", '[[rule]]\nname = "theirs"\ntenants = ["theatre"]\naction = "block"\n'))
        for decisions in (daemon.state, daemon.state / "audit.db"):
            same = run("policy", "diff", old, old, "--replay", decisions)
            assert same.returncode == 0 and f"0 of {len(rows)} decisions" in same.stdout, same.stderr
            other = json.loads(run("policy", "diff", old, new, "--replay", decisions, "--json").stdout)
            assert other["changed"] == 1 and other["by_action"] == {"substitute -> block": 1}
            [change] = other["changes"]
            assert change["sequence"] == 1 and change["tenant"] == "theatre" and change["new"]["rule"] == "theirs"
        exported = tmp_path / "decisions.jsonl"
        assert run("audit", "export", "--state-dir", daemon.state, "-o", exported).returncode == 0
    told = run("policy", "diff", old, new, "--replay", exported)
    assert told.returncode == 1 and "substitute -> block" in told.stdout
    stripped = [dict(json.loads(line), prompt="") for line in exported.read_text().splitlines()]
    exported.write_text("\n".join(map(json.dumps, [dict(stripped[0], prompt="a cat"), *stripped[1:]])))
    partly = json.loads(run("policy", "diff", old, new, "--replay", exported, "--json").stdout)
    assert partly["replayed"] == 1 and partly["skipped_without_prompt"] == len(rows) - 1
    exported.write_text("\n".join(map(json.dumps, stripped)))
    assert run("policy", "diff", old, new, "--replay", exported).returncode == 1
    exported.write_text("{}\n")
    assert run("policy", "diff", old, new, "--replay", exported).returncode == 2
    assert run("policy", "diff", old, new, "--replay", tmp_path / "none").returncode == 2
