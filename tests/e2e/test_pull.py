"""`holdfast pull`: from a web server and a hub that behave as they are told, into a folder."""

import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import termios

import pytest

from harness import models, paths
from harness.fake_hub import FakeHub, File
from harness.prompts import chat
from harness.waiting import PATIENT_S, wait_until

TOKEN = "hf_canary-0123456789"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Puller:
    """A folder of models and runs of `holdfast pull` into it."""

    def __init__(self, hub):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="hf-pull-"))
        self.models = self.home / "models"
        self.models.mkdir()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8",
                            "HF_ENDPOINT": hub.address, "HOLDFAST_HOST": "127.0.0.1:1"}

    def start(self, *arguments, **how):
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how}
        return subprocess.Popen(
            [paths.holdfast(), "pull", "--models-dir", self.models, *arguments],
            env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, **how)

    def run(self, *arguments, status=0, **how):
        process = self.start(*arguments, **how)
        out, err = process.communicate(timeout=PATIENT_S)
        assert process.returncode == status, (process.returncode, out, err)
        assert TOKEN not in out + err and "secret" not in out + err
        return out, err

    def files(self):
        """What is there, in folders too."""
        return sorted(path.relative_to(self.models).as_posix()
                      for path in self.models.rglob("*") if path.is_file())

    def content(self, name):
        return (self.models / name).read_bytes()

    def wait_for_part(self, name, size):
        part = self.models / f"{name}.gguf.part"
        wait_until(lambda: part.exists() and part.stat().st_size >= size, f"{size} bytes of {name}")


@pytest.fixture(name="hub")
def _hub():
    hub = FakeHub()
    yield hub
    hub.close()


@pytest.fixture(name="cdn")
def _cdn():
    """Another host, as far as names go."""
    hub = FakeHub(host="localhost")
    yield hub
    hub.close()


@pytest.fixture(name="puller")
def _puller(hub):
    puller = Puller(hub)
    yield puller
    shutil.rmtree(puller.home, ignore_errors=True)


@pytest.fixture(name="model", scope="module")
def _model():
    return models.model("tiny-1").read_bytes()


@pytest.fixture(name="other", scope="module")
def _other():
    return models.model("tiny-2").read_bytes()


# Good ends


def test_by_address(hub, puller, model):
    address = hub.put("/m/a.gguf", model)
    out, _ = puller.run(address + "?sig=secret-1", "--sha256", sha256(model).upper())
    assert puller.files() == ["a.gguf"] and puller.content("a.gguf") == model
    assert "a is there" in out and "checksum is right" in out
    assert re.search(r"It needs [\d.]+ [MG]iB of [\d.]+ [MGT]iB \(context 4096, 4 at a time\)", out)
    assert 'holdfast serve offers it as "a"' in out


def test_by_name_and_the_usual_quantisation(hub, cdn, puller, model, other):
    hub.publish("org/repo", {"m-Q8_0.gguf": other, "m-Q4_K_M.gguf": model}, elsewhere=cdn)
    puller.run("org/repo")
    assert puller.files() == ["m-Q4_K_M.gguf"] and puller.content("m-Q4_K_M.gguf") == model
    puller.run("hf.co/org/repo:q8_0", "--name", "org/eight")
    assert puller.content("org/eight.gguf") == other


def test_a_list_of_several_pages(hub, puller, model, other):
    files = {f"f{i}-Q8_0.gguf": other for i in range(7)} | {"z-Q4_K_M.gguf": model}
    hub.publish("org/repo", files, page_size=3)
    puller.run("org/repo")
    assert puller.files() == ["z-Q4_K_M.gguf"]


def test_the_address_of_the_hubs_page_is_a_name(hub, puller, model):
    hub.publish("org/repo", {"sub/a b-Q4_0.gguf": model}, revision="v2")
    puller.run(f"{hub.address}/org/repo/blob/v2/sub/a%20b-Q4_0.gguf", "--name", "ab")
    assert puller.content("ab.gguf") == model


def test_a_split_model_with_a_projector(hub, puller, model, other):
    """The first part gets its name last, so that no server sees half a model."""
    hub.publish("org/repo", {"q/m-Q4_K_M-00001-of-00002.gguf": _part(1),
                             "q/m-Q4_K_M-00002-of-00002.gguf": _part(2),
                             "mmproj-m-f16.gguf": other, "mmproj-m-f32.gguf": model})
    out, _ = puller.run("org/repo")
    assert puller.files() == ["m-Q4_K_M-00001-of-00002.gguf", "m-Q4_K_M-00002-of-00002.gguf",
                              "mmproj-m-Q4_K_M-00001-of-00002.gguf"]
    assert puller.content("mmproj-m-Q4_K_M-00001-of-00002.gguf") == other
    assert "in 3 files" in out
    puller.run("org/repo", "--no-mmproj", "--name", "blind")
    assert [name for name in puller.files() if "blind" in name] == [
        "blind-00001-of-00002.gguf", "blind-00002-of-00002.gguf"]


def test_a_split_model_by_the_address_of_its_first_part(hub, puller):
    for number in (1, 2):
        hub.put(f"/m/s-0000{number}-of-00002.gguf", _part(number))
    puller.run(hub.address + "/m/s-00001-of-00002.gguf", "--name", "mine")
    assert puller.files() == ["mine-00001-of-00002.gguf", "mine-00002-of-00002.gguf"]
    _, err = puller.run(hub.address + "/m/s-00002-of-00002.gguf", status=1)
    assert "give the address of the first one" in err
    puller.run(hub.address + "/x/../m/./s-00001-of-00002.gguf?sig=secret-1", "--name", "dotted")
    assert puller.content("dotted-00002-of-00002.gguf") == _part(2)
    _, err = puller.run(hub.address + "/m/s-00001-of-0000%32.gguf", status=1)
    assert "cannot be told from that one" in err


def _part(number, made={}):  # pylint: disable=dangerous-default-value
    if number not in made:
        with tempfile.TemporaryDirectory() as folder:
            for part in (1, 2):
                path = pathlib.Path(folder) / f"s-0000{part}-of-00002.gguf"
                models.generate(path, "--size", "tiny", "--parts", "2", "--part", str(part))
                made[part] = path.read_bytes()
    return made[number]


def test_what_is_there_already_is_not_fetched_again(hub, puller, model, other):
    hub.publish("org/repo", {"a.gguf": model})
    puller.run("org/repo")
    before = len(hub.asked("/org/repo/resolve/main/a.gguf"))
    out, _ = puller.run("org/repo")
    assert "a was there already" in out
    assert len(hub.asked("/org/repo/resolve/main/a.gguf")) == before == 1
    # the same name, another content
    (puller.models / "a.gguf").write_bytes(other)
    _, err = puller.run("org/repo", status=1)
    assert "another file named a.gguf is in models_dir" in err and "--name" in err
    assert puller.content("a.gguf") == other
    puller.run("org/repo", "--name", "b")
    assert puller.content("b.gguf") == model


def test_a_name_of_the_configuration_is_not_taken(hub, puller, model):
    config = puller.home / "holdfast.toml"
    config.write_text('[models."a"]\npath = "elsewhere.gguf"\naliases = ["b"]\n')
    address = hub.put("/a.gguf", model)
    for name in ("a", "b"):
        _, err = puller.run(address, "--config", config, "--name", name, status=1)
        assert f"the configuration calls another model {name}" in err
    assert puller.files() == []


def test_a_dry_run_fetches_nothing(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    out, _ = puller.run("org/repo", "--dry-run")
    assert "Nothing was fetched" in out and "would be called a" in out
    assert puller.files() == [] and hub.asked("/org/repo/resolve/main/a.gguf") == []


def test_quiet_prints_the_name_alone(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    assert puller.run("org/repo", "--quiet") == ("a\n", "")


def test_json_lines(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    out, err = puller.run("org/repo", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert err == "" and [line["event"] for line in lines][0] == "plan"
    assert lines[0]["files"][0]["sha256"] == sha256(model)
    progress = [line for line in lines if line["event"] == "progress"]
    assert progress[-1]["bytes"] == progress[-1]["bytes_total"] == len(model)
    done = lines[-1]
    assert done["event"] == "done" and done["name"] == "a" and done["fits"] is True
    assert done["files"] == [{"file": "a.gguf", "bytes": len(model), "sha256": sha256(model),
                              "checked": True, "downloaded": True}]
    assert 0 < done["needs_bytes"] < done["budget_bytes"]
    out, err = puller.run("org/nothing", "--json", status=1)
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "error" and "HF_TOKEN" in last["next_step"] and err


def test_a_bar_on_a_terminal_never_breaks_its_line(hub, puller, model):
    file = "/" + "long-name-" * 8 + "Q4_0.gguf"
    hub.put(file, model, cuts=[1000])
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 61, 0, 0))
    process = puller.start(hub.address + file, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break  # the other end is closed
        if not piece:
            break
        text += piece
    os.close(master)
    assert process.wait(PATIENT_S) == 0
    bars = [bar for bar in text.decode().split("\r") if "% of" in bar]
    assert bars
    for bar in bars:
        first = bar.removeprefix("\x1b[K").split("\n")[0]
        assert len(first) < 61, first
    assert text.endswith(b"\r\x1b[K"), "the bar is wiped"


# Broken lines and resumption


def test_a_cut_line_is_taken_up_in_the_same_run(hub, puller, model):
    address = hub.put("/a.gguf", model, cuts=[1000, 2000])
    _, err = puller.run(address)
    assert puller.content("a.gguf") == model
    asked = hub.asked("/a.gguf")
    assert [request["range"] for request in asked] == [None, "bytes=1000-", "bytes=3000-"]
    assert asked[1]["if-range"] == hub.files["/a.gguf"].etag
    assert "the connection broke; trying again in" in err


def test_a_killed_run_is_taken_up_by_the_next(hub, puller, model):
    address = hub.put("/a.gguf", model, hold_after=5000)
    process = puller.start(address)
    puller.wait_for_part("a", 5000)
    process.kill()
    process.communicate(timeout=PATIENT_S)
    assert puller.files() == ["a.gguf.part", "a.gguf.part.json"]
    hub.files["/a.gguf"].hold_after = None
    _, err = puller.run(address)
    assert hub.asked("/a.gguf")[-1]["range"] == "bytes=5000-"
    assert "going on at 4.88 KiB" in err
    assert puller.files() == ["a.gguf"] and puller.content("a.gguf") == model


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on(hub, puller, model, number):
    address = hub.put("/a.gguf", model, hold_after=5000)
    process = puller.start(address)
    puller.wait_for_part("a", 5000)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENT_S)
    assert process.returncode == 1
    assert "holdfast: stopped\n  what was fetched is kept: the same command goes on there" in err
    hub.files["/a.gguf"].hold_after = None
    puller.run(address)
    assert hub.asked("/a.gguf")[-1]["range"] == "bytes=5000-"
    assert puller.content("a.gguf") == model


def begun(hub, puller, content, path="/a.gguf", **how):
    """A run that was killed when 5,000 bytes were there."""
    address = hub.put(path, content, hold_after=5000, **how)
    process = puller.start(address)
    puller.wait_for_part("a", 5000)
    process.kill()
    process.communicate(timeout=PATIENT_S)
    hub.files[path].released.set()
    return address


def test_a_file_that_changed_begins_anew(hub, puller, model, other):
    address = begun(hub, puller, model)
    hub.put("/a.gguf", other)
    _, err = puller.run(address)
    assert "begins anew" in err
    assert puller.content("a.gguf") == other


def test_a_server_without_ranges_begins_anew(hub, puller, model):
    address = begun(hub, puller, model, ranges=False)
    hub.files["/a.gguf"].hold_after = None
    _, err = puller.run(address)
    assert hub.asked("/a.gguf")[-1]["range"] == "bytes=5000-"
    assert "the server cannot go on there" in err
    assert puller.content("a.gguf") == model


def test_without_tag_or_checksum_nothing_is_gone_on_with(hub, puller, model):
    address = begun(hub, puller, model, etag='W/"weak"')
    hub.files["/a.gguf"].hold_after = None
    _, err = puller.run(address)
    assert "the server does not say whether the file has changed" in err
    assert hub.asked("/a.gguf")[-1]["range"] is None
    assert puller.content("a.gguf") == model


def test_a_checksum_is_enough_to_go_on(hub, cdn, puller, model):
    """Signed addresses change with each run, and the tag may be missing."""
    hub.publish("org/repo", {"a.gguf": model}, elsewhere=cdn)
    file = cdn.files["/blobs/a.gguf"]
    file.etag, file.hold_after = "", 5000
    process = puller.start("org/repo")
    puller.wait_for_part("a", 5000)
    process.kill()
    process.communicate(timeout=PATIENT_S)
    file.hold_after = None
    puller.run("org/repo")
    assert cdn.asked("/blobs/a.gguf")[-1]["range"] == "bytes=5000-"
    assert puller.content("a.gguf") == model


def test_a_damaged_part_begins_anew(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    hub.files["/org/repo/resolve/main/a.gguf"].hold_after = 5000
    process = puller.start("org/repo")
    puller.wait_for_part("a", 5000)
    process.kill()
    process.communicate(timeout=PATIENT_S)
    with open(puller.models / "a.gguf.part", "r+b") as part:
        part.seek(4000)
        part.write(b"\0" * 100)
    hub.files["/org/repo/resolve/main/a.gguf"].hold_after = None
    _, err = puller.run("org/repo")
    assert "not the expected file with what was there" in err
    assert puller.content("a.gguf") == model


@pytest.mark.parametrize("first, second", [
    ({}, {}),                                                # no tags at all
    ({"etag": 'W/"1"'}, {"etag": 'W/"1"'}),                  # weak ones promise nothing
    ({"etag": '"1"'}, {"etag": '"2"', "blind": True}),       # a range of another file
    ({"etag": '"1"'}, {"blind": True}),                      # one that could be of any
])
def test_a_file_that_changes_meanwhile_is_never_half_of_each(hub, puller, model, other, first,
                                                             second):
    other = other[:len(model)].ljust(len(model), b"\0")
    how = {"etag": "", "head": False}
    address = hub.put("/a.gguf", model, cuts=[len(model) - 1000], **{**how, **first},
                      replaced_by=File(other, **{**how, **second}))
    _, err = puller.run(address)
    assert "begins anew" in err
    assert puller.content("a.gguf") == other
    assert hub.asked("/a.gguf")[-1]["range"] is None


def test_a_range_of_a_longer_file_is_not_gone_on_with(hub, puller, model):
    longer = File(model + b"\0" * 32, etag='"1"', head=False)
    address = hub.put("/a.gguf", model, cuts=[5000], etag='"1"', head=False, replaced_by=longer)
    _, err = puller.run(address)
    assert "begins anew" in err and puller.content("a.gguf") == longer.content


def test_a_server_that_is_busy_is_asked_again(hub, puller, model):
    address = hub.put("/a.gguf", model, statuses=[503, 429], headers={"Retry-After": "1"})
    _, err = puller.run(address)
    assert "has a failure of its own (HTTP 503)" in err and "wants fewer requests" in err
    assert puller.content("a.gguf") == model


def test_a_server_that_always_breaks_is_given_up(hub, puller, model):
    address = hub.put("/a.gguf", model, cuts=[100] + [0] * 20)
    _, err = puller.run(address, status=1)
    assert "the connection broke" in err and "the same command goes on" in err
    assert puller.files() == ["a.gguf.part", "a.gguf.part.json"]


def test_a_length_of_nothing_is_no_length(hub, puller, model):
    """Some servers answer any HEAD so."""
    address = hub.put("/a.gguf", model, head_length=0)
    puller.run(address)
    assert puller.content("a.gguf") == model


def test_a_hub_that_does_not_know_a_size(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    status, headers, text = hub.pages["/api/models/org/repo/tree/main?recursive=true"]
    entries = [{**entry, "lfs": {"oid": sha256(model), "size": 0}} for entry in json.loads(text)]
    hub.pages["/api/models/org/repo/tree/main?recursive=true"] = (
        status, headers, json.dumps(entries))
    _, err = puller.run("org/repo:Q9", status=1)
    assert "/a.gguf  of unknown size" in err
    puller.run("org/repo")
    assert puller.content("a.gguf") == model
    out, _ = puller.run("org/repo")
    assert re.search(r"a was there already: \d+ KiB, its checksum is right", out)


def test_what_cannot_be_compared_is_said_so(hub, puller, model, other):
    address = hub.put("/a.gguf", model, head=False)
    puller.run(address)
    _, err = puller.run(address, status=1)
    assert "the server does not say whether it is the same" in err and "--sha256" in err
    assert "another file" not in err
    out, _ = puller.run(address, "--sha256", sha256(model))
    assert "a was there already" in out
    _, err = puller.run(address, "--sha256", sha256(other), status=1)
    assert "another file named a.gguf is in models_dir" in err
    assert puller.content("a.gguf") == model


def test_a_file_of_unknown_length(hub, puller, model):
    address = hub.put("/a.gguf", model, length=False, head=False)
    puller.run(address)
    assert puller.content("a.gguf") == model


# Refusals


def test_a_wrong_checksum_of_the_hub_removes_it(hub, puller, model, other):
    hub.publish("org/repo", {"a.gguf": model})
    damaged = model[:-1] + bytes([model[-1] ^ 1])
    hub.put("/org/repo/resolve/main/a.gguf", damaged)
    _, err = puller.run("org/repo", status=1)
    assert f"SHA-256 is {sha256(damaged)}, expected {sha256(model)}" in err
    assert "has been removed" in err and puller.files() == []


def test_a_mistyped_checksum_costs_no_second_download(hub, puller, model):
    address = hub.put("/a.gguf", model)
    _, err = puller.run(address, "--sha256", "0" * 64, status=1)
    assert f"SHA-256 is {sha256(model)}" in err and "it stays as a.gguf.part" in err
    assert "a.gguf" not in puller.files(), "it is no model"
    puller.run(address, "--sha256", sha256(model))
    assert len(hub.asked("/a.gguf")) == 1
    assert puller.files() == ["a.gguf"] and puller.content("a.gguf") == model


def test_the_hubs_and_the_typed_checksum_must_agree(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    _, err = puller.run("org/repo", "--sha256", "0" * 64, status=1)
    assert "another SHA-256 than --sha256" in err and puller.files() == []


@pytest.mark.parametrize("content, words", [
    (b"<!doctype html><html>Log in</html>" * 100, "a web page"),
    (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    (b"PK\x03\x04" * 1000, "something else than a GGUF file"),
    (b"GG", "something else than a GGUF file"),
])
def test_what_is_no_model_fails_at_its_first_bytes(hub, puller, content, words):
    address = hub.put("/a.gguf", content, hold_after=min(len(content), 200))
    _, err = puller.run(address, status=1)
    assert words in err and puller.files() == []


def test_a_damaged_header_never_becomes_a_model(hub, puller):
    address = hub.put("/a.gguf", models.model("bad-offset").read_bytes())
    _, err = puller.run(address, status=1)
    assert "it is no good GGUF file" in err and puller.files() == []


@pytest.mark.parametrize("status, code, words", [
    (401, "GatedRepo", "accept it at {hub}/org/repo, then set HF_TOKEN"),
    (403, "GatedRepo", "accept it at {hub}/org/repo, then set HF_TOKEN"),
    (401, "RepoNotFound", "if it is private, set HF_TOKEN"),
    (404, "RevisionNotFound", "has no revision main"),
])
def test_the_hub_refuses(hub, puller, status, code, words):
    hub.pages["/api/models/org/repo/tree/main"] = (status, {"X-Error-Code": code}, "{}")
    _, err = puller.run("org/repo", status=1)
    assert words.format(hub=hub.address) in err and puller.files() == []


def test_a_gated_file_in_a_public_list(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    hub.pages["/org/repo/resolve/main/a.gguf"] = (403, {"X-Error-Code": "GatedRepo"}, "no")
    _, err = puller.run("org/repo", status=1)
    assert f"accept it at {hub.address}/org/repo" in err and puller.files() == []


@pytest.mark.parametrize("status, words", [(401, "does not give it to everybody"),
                                           (403, "does not give it to everybody"),
                                           (404, "has no such file")])
def test_a_server_refuses(hub, puller, status, words):
    hub.pages["/a.gguf"] = (status, {}, "<html>no</html>")
    _, err = puller.run(hub.address + "/a.gguf?sig=secret-1", status=1)
    assert words in err and puller.files() == []


def test_what_a_terminal_would_obey_is_not_shown(hub, puller, model):
    """Nor does a name of any length hurt."""
    hub.publish("org/repo", {"m-Q5_K_M.gguf": model, "n-Q6_K.gguf": model,
                             "x\x1b]0;owned\x07-Q5_K_S.gguf": model,
                             "y\x9b31m-Q3_K.gguf": model, "a" * 100_000 + "-Q4_K_M.gguf": model})
    _, err = puller.run("org/repo", status=1)
    assert err.count("\n    ") == 2, err
    assert all(c.isprintable() for c in err.replace("\n", ""))
    bad = f"{hub.address}/org/repo/blob/main/%1b%5B31m.gguf"
    _, err = puller.run(bad, status=2)
    assert "\x1b" not in err


def test_choices_are_shown(hub, puller, model, other):
    hub.publish("org/repo", {"m-Q5_K_M.gguf": model, "m-Q6_K.gguf": other})
    _, err = puller.run("org/repo", status=1)
    assert "name one:\n    :Q5_K_M" in err and "\n    :Q6_K" in err
    _, err = puller.run("org/repo:Q3_K_M", status=1)
    assert "has no Q3_K_M; it has\n    :Q5_K_M" in err


@pytest.mark.parametrize("arguments, words", [
    (["llama3:8b"], "Ollama's own names are not known here"),
    (["ftp://example.org/a.gguf"], "only https:// and http://"),
    (["org/repo", "--name", "../a"], '"." or ".." part'),
    (["org/repo", "--sha256", "12"], "64 hexadecimal digits"),
    (["https://example.org/a.gguf", "--revision", "v1"], "--revision is for models on Hugging"),
    ([], "SOURCE is required"),
])
def test_wrong_usage(puller, arguments, words):
    _, err = puller.run(*arguments, status=2)
    assert words in err


def test_nobody_there(puller):
    _, err = puller.run("http://127.0.0.1:1/a.gguf", status=1)
    assert "no connection can be made" in err and "https_proxy" in err


# The key


def test_the_key_goes_to_the_hub_alone(hub, cdn, puller, model):
    puller.environment["HF_TOKEN"] = TOKEN
    hub.publish("org/repo", {"a.gguf": model}, elsewhere=cdn)
    process = puller.start("org/repo")
    command = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.communicate(timeout=PATIENT_S)
    assert process.returncode == 0 and TOKEN.encode() not in command
    assert all(headers["authorization"] == f"Bearer {TOKEN}" for _, _, headers in hub.requests)
    assert len(hub.requests) == 2 and len(cdn.requests) == 1
    assert all(headers["authorization"] is None for _, _, headers in cdn.requests)
    assert TOKEN not in "".join(path.read_text(errors="replace")
                                for path in puller.home.rglob("*.json"))


def test_a_redirect_to_another_port_is_another_server(hub, puller, model):
    puller.environment["HF_TOKEN"] = TOKEN
    third = FakeHub()  # the same address, another port
    try:
        hub.publish("org/repo", {"a.gguf": model}, elsewhere=third)
        puller.run("org/repo")
        assert [headers["authorization"] for _, _, headers in third.requests] == [None]
    finally:
        third.close()


def test_the_key_of_the_hubs_own_tools(hub, puller, model):
    hub.publish("org/repo", {"a.gguf": model})
    file = puller.home / ".cache" / "huggingface" / "token"
    file.parent.mkdir(parents=True)
    file.write_text(TOKEN + "\n")
    puller.run("org/repo")
    assert hub.requests[0][2]["authorization"] == f"Bearer {TOKEN}"


def test_a_key_in_clear_passes_no_proxy(hub, puller, model):
    """The hub is on this machine, so it gets the key over http; a proxy would read along."""
    puller.environment["HF_TOKEN"] = TOKEN
    hub.publish("org/repo", {"a.gguf": model})
    proxy = FakeHub()
    try:
        puller.environment |= {"http_proxy": proxy.address, "ALL_PROXY": proxy.address}
        puller.run("org/repo")
        assert proxy.requests == []
        assert all(headers["authorization"] == f"Bearer {TOKEN}" for _, _, headers in hub.requests)
    finally:
        proxy.close()


def test_a_name_that_looks_like_this_machine_gets_no_key(puller, model):
    puller.environment["HF_TOKEN"] = TOKEN
    mirror = FakeHub("127.mirror.localhost")
    try:
        mirror.publish("org/repo", {"a.gguf": model})
        puller.environment["HF_ENDPOINT"] = mirror.address
        puller.run("org/repo")
        assert mirror.requests
        assert all(headers["authorization"] is None for _, _, headers in mirror.requests)
    finally:
        mirror.close()


def test_addresses_get_no_key(cdn, puller, model):
    puller.environment["HF_TOKEN"] = TOKEN
    puller.run(cdn.put("/a.gguf", model))
    assert all(headers["authorization"] is None for _, _, headers in cdn.requests)


def test_a_key_with_a_line_end_is_refused_and_not_shown(puller):
    puller.environment["HF_TOKEN"] = "hf_secret\r\nX-Evil: 1"
    _, err = puller.run("org/repo", status=2)
    assert "HF_TOKEN holds a blank or a control character" in err


def test_redirects_end(hub, puller):
    hub.redirects["/a.gguf"] = "/a.gguf"
    _, err = puller.run(hub.address + "/a.gguf", status=1)
    assert "more than 10 redirects" in err
    hub.redirects["/b.gguf"] = "file:///etc/passwd"
    _, err = puller.run(hub.address + "/b.gguf", status=1)
    assert "only https:// and http://" in err and puller.files() == []


# TLS and proxies


@pytest.fixture(name="certificate", scope="module")
def _certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem"], check=True, capture_output=True,
                   timeout=PATIENT_S)
    return folder / "cert.pem", folder / "key.pem"


def test_encrypted_servers_are_verified(certificate, puller, hub, model):
    secure = FakeHub("localhost", certificate)
    try:
        address = secure.put("/a.gguf", model)
        _, err = puller.run(address, status=1)
        assert "its certificate is not trusted" in err and puller.files() == []
        puller.environment["SSL_CERT_FILE"] = str(certificate[0])
        puller.run(address)
        assert puller.content("a.gguf") == model
        _, err = puller.run(address.replace("localhost", "127.0.0.1"), "--name", "b", status=1)
        assert "its certificate is not trusted" in err
        secure.redirects["/c.gguf"] = hub.put("/c.gguf", model)
        _, err = puller.run(secure.address + "/c.gguf", status=1)
        assert "from https:// to http:// is not followed" in err
    finally:
        secure.close()


def test_a_proxy_of_the_environment_is_used(hub, puller, model):
    proxy = FakeHub()
    try:
        proxy.put("http://models.invalid/a.gguf", model)
        puller.environment["http_proxy"] = proxy.address
        puller.run("http://models.invalid/a.gguf")
        assert puller.content("a.gguf") == model
    finally:
        proxy.close()


# Room and neighbours


def test_two_at_once_do_not_write_one_file(hub, puller, model):
    address = hub.put("/a.gguf", model, hold_after=5000)
    first = puller.start(address)
    puller.wait_for_part("a", 5000)
    _, err = puller.run(address, status=1)
    assert "another holdfast pull is fetching this file" in err
    hub.files["/a.gguf"].released.set()
    first.communicate(timeout=PATIENT_S)
    assert first.returncode == 0 and puller.content("a.gguf") == model


@pytest.fixture(name="small_disk")
def _small_disk(puller):
    """models_dir on a file system of 1 MiB."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", puller.models],
                          capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield puller.models
    subprocess.run(["umount", puller.models], check=True)


def test_no_room_is_said_before_anything_is_fetched(small_disk, hub, puller):
    content = models.model("middle-1").read_bytes()[:3 << 20]
    hub.publish("org/repo", {"a.gguf": content})
    _, err = puller.run("org/repo", status=1)
    assert re.search(r"not enough room on the disk: 3.00 MiB to fetch, 97\d KiB free", err)
    assert list(small_disk.iterdir()) == []
    assert hub.asked("/org/repo/resolve/main/a.gguf") == []


def test_a_disk_that_fills_up_keeps_the_part(small_disk, hub, puller):
    content = models.model("middle-1").read_bytes()[:3 << 20]
    address = hub.put("/a.gguf", content, length=False, head=False)
    _, err = puller.run(address, status=1)
    assert "the disk is full" in err and "make room" in err
    assert (small_disk / "a.gguf.part").stat().st_size > 900_000


def test_a_limit_of_file_sizes_is_an_error_like_others(hub, puller, model):
    address = hub.put("/a.gguf", model)
    _, err = puller.run(address, status=1, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (10_000, 10_000)))
    assert "a limit of file sizes" in err


def test_a_folder_that_may_not_be_written(hub, puller, model):
    (puller.home / "file").write_text("")
    puller.models = puller.home / "file" / "models"
    _, err = puller.run(hub.put("/a.gguf", model), status=1)
    assert "the folder cannot be made" in err


@pytest.mark.long
def test_a_line_that_says_nothing_is_given_up_and_taken_up(hub, puller, model):
    address = hub.put("/a.gguf", model, hold_after=5000)
    process = puller.start(address)
    wait_until(lambda: len(hub.asked("/a.gguf")) >= 2, "a second attempt", timeout=120)
    hub.files["/a.gguf"].hold_after = None
    hub.files["/a.gguf"].released.set()
    process.communicate(timeout=PATIENT_S)
    assert process.returncode == 0 and puller.content("a.gguf") == model


# With a server


def test_a_running_server_serves_it_and_never_half_of_it(serve, hub, puller, model):
    server = serve({})
    puller.models = server.models_dir
    puller.environment["HOLDFAST_HOST"] = f"127.0.0.1:{server.port}"

    def names():
        return [entry["name"] for entry in server.get("/api/v1/models").json["models"]]

    address = hub.put("/a.gguf", model, hold_after=5000)
    process = puller.start(address, "--config", server.config_path)
    puller.wait_for_part("a", 5000)
    assert server.post("/api/v1/reload").status == 200  # looks into the folder, too
    assert names() == []
    hub.files["/a.gguf"].released.set()
    out, err = process.communicate(timeout=PATIENT_S)
    assert process.returncode == 0, err
    assert 'The running server finds it by itself if it serves this folder; ask for "a"' in out
    wait_until(lambda: names() == ["a"], "the server has found it")
    answer = server.chat(chat("a", 4))
    assert answer.status == 200 and answer.json["usage"]["completion_tokens"] == 4
    server.stop()
