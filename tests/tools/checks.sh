# Sourced first by scripts that use the program as a person does, SCRIPT TWINAGE: they begin in an empty
# folder of their own, which goes at the end with whatever they still run. Each check is a line, and at
# the end `all_held` says how many did not hold. What a command says is in the files `said` (its results)
# and `words` (its notes and errors).
set -uo pipefail
twinage=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# OPTION...: a model of two steps and one look, for what does not depend on how well it reads.
train_briefly() {
  "$twinage" train --steps 2 --batch 8 --set data.held_out=0.3 --set readout.mirror=false \
    --set readout.zooms=false "$@" >/dev/null 2>&1
}

failures=0

check() {  # WHAT COMMAND...: the command has to succeed
  local what=$1
  shift
  if "$@" >said 2>words; then
    echo "$what"
    grep '^  ' said  # figures, which a check sets apart like this
  else
    echo "FAILED: $what: $*"
    sed 's/^/  /' said words | tail -5
    failures=$((failures + 1))
  fi
}
refused() {  # CODE PATTERN COMMAND...
  local code=$1 pattern=$2
  shift 2
  "$@" >out 2>refusal
  [ $? = "$code" ] && grep -qE "$pattern" refusal
}
is() { [ "$1" = "$2" ] || { echo "expected $2, got $1"; return 1; }; }
fails() { ! "$@"; }
no_leftovers() { [ -z "$(find "$1" -name '*.tmp*' -o -name twinage.lock -o -name 'gallery.*')" ]; }
wait_for() {  # FILE, for up to a minute
  for _ in $(seq 1 6000); do
    [ -e "$1" ] && return
    sleep 0.01
  done
  echo "FAILED: $1 was never written"
  exit 1
}
all_held() {
  [ "$failures" = 0 ] || { echo "$failures checks failed"; return 1; }
}
