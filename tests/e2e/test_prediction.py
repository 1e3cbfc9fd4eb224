"""Reserved bytes against what a model takes, on three small ones; bench/prediction.py has more."""

import pytest
from harness import memory
from harness.waiting import wait_until

# recipe, context, slots, settings
CASES = {
    "two layers": ("tiny-1", 2048, 4, {}),
    "quantised caches": ("tiny-2", 4096, 2, {"cache_type_k": "q8_0", "cache_type_v": "q8_0"}),
    "many slots, no prompt cache to speak of": ("tiny-3", 1024, 8, {"cache_ram": "8MiB"}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.limit(400)
def test_a_prediction_is_never_below_and_close(serve, tmp_path, name):
    recipe, context, parallel, more = CASES[name]
    settings = {"context": context, "parallel": parallel, "args": [], "cache_ram": "32MiB", **more}
    server = serve({"m": recipe}, {"defaults": settings, "log": {"level": "debug"},
                                   "engine": {"llama_server": memory.engine_of_its_own(tmp_path)}})
    server.load("m")
    reserved = server.cached("m")["bytes_reserved"]
    with memory.Watch(server.child_of("m")) as watch:
        memory.Workload(server, "m", context, parallel, range(460, 1024)).run()
    # Pages of libraries that other programs use too count in part only: the prediction is for a
    # child that is alone.
    assert reserved >= watch.peak
    assert reserved <= watch.alone * 1.15
    wait_until(lambda: _estimate(server) != reserved, "the model was used to the full")
    learned = _estimate(server)
    assert watch.peak <= learned <= watch.peak * 1.05
    server.stop()
    server.start()
    assert _estimate(server) == learned, "it is remembered"
    server.load("m")
    assert server.cached("m")["bytes_reserved"] == learned
    server.stop()


def _estimate(server):
    return server.get("/api/v1/models").json["models"][0]["bytes_estimated"]
