#!/usr/bin/env bash
# Starts the server on the demonstration models, sends one example request and shows how to send
# more; stays in the foreground until Ctrl-C.
#   LISTEN=127.0.0.1:11500   another address
#   RUN_ONCE=1               stop after the example (for scripts)
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

listen=${LISTEN:-127.0.0.1:11435}
url=http://$listen
log=$REPO/build/serve.log
cd "$REPO"

check_port_is_free() {
  if curl -fsS -m 2 "$url/health" 2>/dev/null | jq -e 'has("cached_models")' >/dev/null 2>&1; then
    die "a Holdfast is already running at $listen" \
      "Use it: HOLDFAST_HOST=$listen build/holdfast ps" \
      'Or start a second one elsewhere: make run LISTEN=127.0.0.1:11500'
  fi
  if (exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}") 2>/dev/null; then
    die "port ${listen##*:} is taken by another program" \
      "Which one: ss -ltnp 'sport = :${listen##*:}'" \
      'Or choose another port: make run LISTEN=127.0.0.1:11500'
  fi
}

server='' follower=''
# The server runs in a session of its own, so that Ctrl-C reaches only this script and the server
# gets exactly one signal, which lets running answers finish.
start_server() {
  : >"$log"
  setsid build/holdfast serve --models-dir models --listen "$listen" >>"$log" 2>&1 </dev/null &
  server=$!
}

stop_server() {
  local status=0
  if [[ -n $server ]]; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" || status=$?
    server=''
  fi
  [[ -z $follower ]] || wait "$follower" 2>/dev/null || true
  return "$status"
}

wait_until_healthy() {
  local deadline=$((SECONDS + 30))
  until curl -fs -o /dev/null -m 2 "$url/health"; do
    if ! kill -0 "$server" 2>/dev/null; then
      log_tail "$log" 20
      die 'the server ended at once; its last words are above'
    fi
    if ((SECONDS >= deadline)); then
      log_tail "$log" 20
      die "the server did not answer $url/health within 30 s; its log is above"
    fi
    sleep 0.1
  done
}

pick_model() {
  local model
  for model in gemma-3-270m-q4_k_m demo-small; do
    [[ -e models/$model.gguf ]] && break
  done
  echo "$model"
}

# The model continues text rather than obeying instructions, so the example shows it a pattern.
example_request() {
  local model=$1 body answer
  body=$(jq -cn --arg model "$model" '{model: $model,
    prompt: "Q: What is the capital of Italy?\nA: Rome.\n\nQ: What is the capital of France?\nA:",
    max_tokens: 8, temperature: 0, stop: ["\n"]}')
  say '' && say "Ask a model (it is loaded for this request), for example:" && say ''
  say "  curl -s $url/v1/completions -H 'Content-Type: application/json' \\"
  say "    -d '$body' | jq -r '.choices[0].text'" && say ''
  answer=$(curl -sS --fail-with-body -m 180 "$url/v1/completions" \
    -H 'Content-Type: application/json' -d "$body") || {
    log_tail "$log" 20
    die "the example request failed: $answer" "The server's log: $log"
  }
  good " $(jq -r '.choices[0].text' <<<"$answer")"
  [[ $model != demo-* ]] || say '  (a generated model: it answers nonsense)'
}

next_steps() {
  say '' && say "In another terminal, from this folder:" && say ''
  [[ $listen == 127.0.0.1:11435 ]] || say "  export HOLDFAST_HOST=$listen"
  say '  build/holdfast ps                  # what is loaded, and who uses it'
  say '  build/holdfast explain MODEL       # why a model is loaded, waiting or gone'
  say "  curl -s $url/health | jq           # the same for programs"
  say '  cp YOUR-MODEL.gguf models/         # a new model, found without a restart'
}

check_port_is_free
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'stop_server || true' EXIT
headline "starting build/holdfast serve --models-dir models --listen $listen"
start_server
wait_until_healthy
models=$(find -L models -maxdepth 1 -name '*.gguf' -printf '%f\n' | sed 's/\.gguf$//' | sort)
say "   $url is up; models: ${models//$'\n'/, }"
example_request "$(pick_model)"
if [[ -n ${RUN_ONCE:-} ]]; then
  stop_server || die 'the server did not end cleanly' "Its log: $log"
  exit 0
fi
next_steps
say '' && say "The server's log follows (also in build/serve.log). Ctrl-C stops it." && say ''
tail -n +1 -f --pid="$server" "$log" >&2 &
follower=$!
# shellcheck disable=SC2317 # called by the trap below
leave() {
  trap '' INT TERM HUP
  say '' && say 'stopping; running answers may finish'
  stop_server
  exit 0
}
trap leave INT TERM HUP
status=0
wait "$server" || status=$?
server=''
die "the server ended by itself (exit status $status); its last words are above"
