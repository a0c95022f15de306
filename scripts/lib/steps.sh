# Words for whoever watches: what goes on, how long it took, why it stopped. Sourced by scripts/quickstart and scripts/test.

say() { printf '%s\n' "$*" >&2; }

stop() {
  say "${0##*/}: $*"
  exit 1
}

# step WORDS COMMAND…: run a command that takes a while. What it prints is shown only if it fails, which ends the script.
step() {
  local words=$1 from=$SECONDS log ticker='' status=0
  shift
  log=$(mktemp)
  printf '%s …' "$words" >&2
  [ ! -t 2 ] || { ticks "$words" & ticker=$!; }
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ -z "$ticker" ] || { kill "$ticker"; wait "$ticker" || true; } 2>/dev/null
  say " $((SECONDS - from)) s"
  [ "$status" = 0 ] || { tail -n 25 "$log" >&2; say "$words failed; its last words are above."; }
  rm -f "$log"
  [ "$status" = 0 ] || exit "$status"
}

# The seconds that go by, until we are gone.
ticks() {
  local from=$SECONDS
  while sleep 1 && kill -0 $$ 2>/dev/null; do printf '\r%s … %s s' "$1" $((SECONDS - from)) >&2; done
}
