"""Wrong configuration: the place, the reason, exit status 2."""

import json
import subprocess

import pytest

from harness import paths

CASES = {
    "an unknown key": ('listen = "127.0.0.1:0"\n[queue]\npatients = "2s"\n', 3, "patience"),
    "a wrong type": ("[memory]\nbudget = true\n", 2, "size"),
    "a bare duration": ("[queue]\npatience = 30\n", 2, "30s"),
    "a bad word": ('[log]\nlanguage = "fr"\n', 2, "ru"),
    "bad TOML": ("[queue\n", 1, ""),
    "open to all": ('listen = "0.0.0.0:11435"\n', 1, "users"),
    "a forbidden flag": ('[models."a"]\nargs = ["--port", "1"]\n', 2, "--port"),
    "marks in disorder": ("[memory]\nhigh = 80\nlow = 90\n", None, "low"),
}


def holdfast(*arguments, cwd):
    return subprocess.run([paths.holdfast(), *arguments], capture_output=True, text=True,
                          timeout=30, check=False, cwd=cwd,
                          env={"HOME": str(cwd), "XDG_RUNTIME_DIR": str(cwd)})


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_named_with_its_place(tmp_path, case):
    text, line, hint = CASES[case]
    file = tmp_path / "holdfast.toml"
    file.write_text(text)
    for command in (["config", "check", file], ["serve", "--config", file]):
        run = holdfast(*command, cwd=tmp_path)
        assert run.returncode == 2, run
        assert f"{file}:{line or ''}" in run.stderr, run.stderr
        assert hint in run.stderr
        place = run.stderr.split(f"{file}:", 1)[1].split(": ")[0].split(":")
        assert [part.isdigit() for part in place] == [True, True], run.stderr


def test_a_good_file(tmp_path):
    file = tmp_path / "holdfast.toml"
    file.write_text('listen = "localhost:0"\n[memory]\nbudget = "5GiB"\n')
    run = holdfast("config", "check", file, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    run = holdfast("config", "check", file, "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["good"] is True


def test_a_missing_file(tmp_path):
    assert holdfast("config", "check", "none.toml", cwd=tmp_path).returncode == 2
    assert holdfast("serve", "--config", "none.toml", cwd=tmp_path).returncode == 2


def test_wrong_usage(tmp_path):
    for arguments in ([], ["nonsense"], ["unload"], ["unload", "a", "--drain", "--force"]):
        run = holdfast(*arguments, cwd=tmp_path)
        assert run.returncode == 2, (arguments, run)
    run = holdfast("--help", cwd=tmp_path)
    assert run.returncode == 0 and "serve" in run.stdout
