#!/usr/bin/env bash
# Fuzzes with Clang's libFuzzer (Debian: clang and libclang-rt-14-dev), address and undefined
# behaviour sanitizers on:
#   tests/fuzz/run.sh [TARGET|all] [RUNS] [SECONDS]
# builds the preset `fuzz`, then gives every target RUNS inputs (1000000), or as many as it does in
# SECONDS (600), starting from tests/fuzz/seeds.py, corpus/TARGET.hex and what earlier runs kept in
# build/fuzz/corpus. As many targets at a time as there are processors (JOBS=N: N).
#
# A target's comment says what must hold. Its memory is bounded by MEGABYTES below (the whole
# process, its corpus included), one allocation by a quarter of that, one input by SECONDS_AN_INPUT.
# Ends with 1 where an input was a finding; it lies in build/fuzz/findings.
#
#   REPORT=1   also writes the table to benchmarks/results/fuzzing.md
#   KEEP=N     also adds N inputs of each corpus to tests/fuzz/corpus, for tests_fuzz (pack.py)
#
# tools/test.sh does not build this (a whole build of the libraries, and Clang's); there tests_fuzz
# puts tests/fuzz/corpus to the same targets.
set -euo pipefail
cd "$(dirname "$0")/../.."
all=(model manifest png jpeg toml safetensors bmp csv exif file_name)  # the slowest first
declare -A LONGEST=([jpeg]=512 [png]=256 [bmp]=256 [exif]=160 [csv]=128 [manifest]=256 [file_name]=64
  [toml]=384 [safetensors]=512 [model]=512)  # bytes
MEGABYTES=512
SECONDS_AN_INPUT=5

fuzz() {  # target, runs, seconds
  local folder=build/fuzz/corpus/$1 log=build/fuzz/logs/$1.log
  mkdir -p "$folder" build/fuzz/findings
  ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=2:allocator_may_return_null=0 \
    UBSAN_OPTIONS=print_stacktrace=1 \
    build/fuzz/tests/fuzz/fuzz_"$1" "$folder" build/fuzz/seeds/"$1" -runs="$2" -max_total_time="$3" \
    -max_len="${LONGEST[$1]}" -timeout="$SECONDS_AN_INPUT" -rss_limit_mb="$MEGABYTES" \
    -malloc_limit_mb=$((MEGABYTES / 4)) -dict=tests/fuzz/dictionaries/"$1".dict -print_final_stats=1 \
    -artifact_prefix=build/fuzz/findings/"$1"- -verbosity=1 >"$log" 2>&1 || true
  row "$1" "$log"
}

row() {  # target, its log: a line of the table
  awk -v target="$1" '
    /^stat::number_of_executed_units/ { inputs = $2 }
    /^stat::average_exec_per_sec/ { rate = $2 }
    /^stat::new_units_added/ { added = $2 }
    /^stat::peak_rss_mb/ { peak = $2 }
    /^Done [0-9]+ runs in/ { seconds = $5 }
    /^SUMMARY|broken promise|terminate called|what\(\):/ && !found { found = $0 }
    END {
      if (seconds == "" && rate > 0) seconds = int(inputs / rate)
      gsub(/\|/, "/", found)
      printf "| %s | %d | %d | %d | %d | %d | %s |\n", target, inputs, seconds, rate, added, peak, found == "" ? "none" : found
    }' "$2"
}

if [ "${1:-}" = --one ]; then
  fuzz "$2" "$3" "$4"
  exit
fi

target=${1:-all} runs=${2:-1000000} seconds=${3:-600}
targets=("$target")
if [ "$target" = all ]; then targets=("${all[@]}"); fi
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$(nproc)" --target "${targets[@]/#/fuzz_}" | tail -1
rm -rf build/fuzz/seeds build/fuzz/findings
mkdir -p build/fuzz/logs
python3 tests/fuzz/seeds.py build/fuzz/seeds
for name in "${targets[@]}"; do
  if [ -e "tests/fuzz/corpus/$name.hex" ]; then
    python3 tests/fuzz/pack.py unpack "tests/fuzz/corpus/$name.hex" "build/fuzz/seeds/$name"
  fi
done

head='| target | inputs | seconds | inputs/s | new in the corpus | MiB at most | findings |
|---|---|---|---|---|---|---|'
echo "$head"
printf '%s\n' "${targets[@]}" |
  xargs -P "${JOBS:-$(nproc)}" -I{} "$0" --one {} "$runs" "$seconds" | tee build/fuzz/table.txt

if [ "${REPORT:-}" = 1 ]; then
  {
    echo "# Fuzzing"
    echo
    echo "\`REPORT=1 tests/fuzz/run.sh $target $runs $seconds\` at commit $(git rev-parse --short HEAD)," \
      "$(date -u +%Y-%m-%d), $(nproc) cores, $(clang++ --version | head -1). Address and undefined" \
      "behaviour sanitizers; at most $MEGABYTES MiB and $SECONDS_AN_INPUT s an input."
    echo
    echo "$head"
    sort build/fuzz/table.txt
  } >benchmarks/results/fuzzing.md
fi

if [ -n "${KEEP:-}" ]; then
  mkdir -p tests/fuzz/corpus
  for name in "${targets[@]}"; do
    rm -rf build/fuzz/merged
    mkdir -p build/fuzz/merged
    build/fuzz/tests/fuzz/fuzz_"$name" -merge=1 build/fuzz/merged build/fuzz/seeds/"$name" \
      build/fuzz/corpus/"$name" 2>/dev/null
    python3 tests/fuzz/pack.py pack build/fuzz/merged "tests/fuzz/corpus/$name.hex" "$KEEP"
  done
fi
[ -z "$(ls build/fuzz/findings)" ]
