# Sourced by scripts that use the program as a person does: each check is a line, and at the end
# `all_held` says how many did not hold. What a command says is in the file `said`.
failures=0

check() {  # WHAT COMMAND...: the command has to succeed
  local what=$1
  shift
  if "$@" >said 2>err; then
    echo "$what"
    grep '^  ' said  # figures, which a check sets apart like this
  else
    echo "FAILED: $what: $*"
    sed 's/^/  /' said err | tail -5
    failures=$((failures + 1))
  fi
}
refused() {  # CODE PATTERN COMMAND...
  local code=$1 pattern=$2
  shift 2
  "$@" >out 2>refusal
  [ $? = "$code" ] && grep -qE "$pattern" refusal
}
all_held() {
  [ "$failures" = 0 ] || { echo "$failures checks failed"; return 1; }
}
