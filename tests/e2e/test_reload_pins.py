"""Pins of the file and pins by hand over a reload: none is lost, whatever moves at once."""

from harness import stub
from harness.prompts import chat
from harness.waiting import wait_until

TWO = {"a": "tiny-1", "b": "tiny-2"}


def pinned(server):
    return sorted(m["name"] for m in server.health()["cached_models"] if m["pinned"])


def reload(server, **tables):
    for table, values in tables.items():
        server.settings[table].update(values)
    server.write_config()
    answer = server.post("/api/v1/reload")
    assert answer.status == 200, answer


def pins(**models):
    return {f'models."{name}"': {"pin": pin} for name, pin in models.items()}


def test_a_pin_moves_from_one_model_to_another(serve, room_for):
    server = serve(TWO, stub.settings(**room_for(1, "tiny-1"), **pins(b=True)))
    for other, name in (("b", "a"), ("a", "b")):  # whichever comes first among the models
        reload(server, **pins(**{other: False, name: True}))
        server.wait_loaded(name)
        wait_until(lambda: pinned(server) == [name], f"only {name} is pinned")
    server.stop()


def pin_problem(server, name):
    models = server.get("/api/v1/models").json["models"]
    return next(model["pin_problem"] for model in models if model["name"] == name)


def test_a_pin_that_cannot_be_done_is_shown_where_people_look(serve, room_for):
    two = pins(a=True, b=True)
    server = serve({**TWO, "broken": "truncated"},
                   stub.settings(**room_for(1, "tiny-1"), **two, **pins(broken=True)))
    server.wait_for_line("b cannot be pinned")
    server.wait_loaded("a")
    beside = "does not fit beside the other pinned models; it is tried again"
    file = "is pinned but not loaded: the model's file is"
    assert beside in pin_problem(server, "b") and file in pin_problem(server, "broken")
    assert pin_problem(server, "a") is None
    health = server.health()
    assert health["status"] == "degraded"
    for name, text in (("b", beside), ("broken", file)):
        assert any(name in line and text in line for line in health["warnings"]), health
        assert text in server.cli("ps").stdout and text in server.cli("explain", name).stdout
    reload(server, **room_for(2, "tiny-1"), **pins(broken=False))
    server.wait_loaded("a", "b")
    wait_until(lambda: server.health()["warnings"] == [], "nothing is wrong any more")
    server.stop()


def test_a_pinned_model_whose_load_failed_says_so_and_is_loaded_again(serve):
    server = serve(TWO, stub.settings(**pins(a=True)), started=False)
    stub.script(server, "a", load_exit=1)
    server.start()
    wait_until(lambda: pin_problem(server, "a"), "the load failed")
    assert pin_problem(server, "a").startswith("is pinned but not loaded: its load failed: ")
    assert any("is pinned but not loaded" in line for line in server.health()["warnings"])
    stub.script(server, "a")
    server.wait_loaded("a")  # nobody asked for it
    assert pin_problem(server, "a") is None
    server.stop()


def test_a_pin_that_did_not_fit_is_tried_again_with_a_larger_budget(serve, room_for):
    one, two = room_for(1, "tiny-1"), room_for(2, "tiny-1")
    server = serve(TWO, stub.settings(**one, **pins(a=True, b=True)))
    server.wait_for_line("b cannot be pinned")
    server.wait_loaded("a")
    reload(server, **two)
    server.wait_loaded("a", "b")
    wait_until(lambda: pinned(server) == ["a", "b"], "both are pinned")
    assert sum("cannot be pinned" in line for line in server.lines) == 1
    server.stop()


def test_a_pin_that_did_not_fit_is_tried_again_when_another_went(serve, room_for):
    server = serve(TWO, stub.settings(**room_for(1, "tiny-1"), **pins(a=True, b=True)))
    server.wait_for_line("b cannot be pinned")
    server.wait_loaded("a")
    assert server.post("/api/v1/models/a/unpin").status == 200
    server.wait_loaded("b")
    assert pinned(server) == ["b"]
    server.stop()


def test_a_pin_that_the_file_gave_up_before_it_fitted_is_not_tried_again(serve, room_for):
    server = serve(TWO, stub.settings(**room_for(1, "tiny-1"), **pins(a=True, b=True)))
    server.wait_for_line("b cannot be pinned")
    reload(server, **pins(b=False), **room_for(2, "tiny-1"))
    assert server.chat(chat("b")).status == 200
    assert pinned(server) == ["a"]
    server.stop()


def test_a_model_pinned_by_hand_too_is_loaded_again_when_the_file_lets_go(serve):
    server = serve(TWO, stub.settings(**pins(a=True)))
    server.wait_loaded("a")
    assert server.post("/api/v1/models/a/pin").status == 200
    reload(server, **{'models."a"': {"pin": False, "context": 2048}})
    wait_until(lambda: len(server.journal("ready", model="a")) == 2, "a's next process")
    assert pinned(server) == ["a"]
    server.stop()
