#!/usr/bin/env bash
# `twinage serve` under load (Debian: wrk):
#   tests/tools/load_service.sh TWINAGE RUN PICTURE [SECONDS] [CONNECTIONS] [PAUSE]
# CONNECTIONS (16) ask for SECONDS (30) with PICTURE, each again as soon as it is answered, or after
# PAUSE milliseconds (0). Says requests a second, how long they took, answers other than 200, the
# service's memory before, after warming up and at the end, and what the processors did meanwhile. Exits with 1
# where an answer was lost, was no reading, or memory grew by over a tenth after warming up.
set -euo pipefail
twinage=$(realpath "$1")
run=$(realpath "$2")
picture=$(realpath "$3")
seconds=${4:-30} connections=${5:-16} pause=${6:-0}
command -v wrk >/dev/null || { echo "needs wrk (apt-get install wrk)"; exit 1; }
folder=$(mktemp -d)
trap 'kill "$service" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"

touch log
"$twinage" serve "$run" --port 0 >log 2>&1 &
service=$!
until grep -q 'http://' log; do kill -0 "$service" || { cat log; exit 1; }; sleep 0.1; done
url=$(grep -o 'http://[^ ]*' log | head -1)

cat >ask.lua <<LUA
local file = io.open("$picture", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "application/octet-stream"
if $pause > 0 then delay = function() return $pause end end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() answered, wrong = 0, 0 end
function response(status, headers, body)
  answered = answered + 1
  if status ~= 200 or not body:find('"age":', 1, true) then wrong = wrong + 1 end
end
function done(summary, latency)
  local all, bad = 0, 0
  for _, t in ipairs(threads) do all, bad = all + t:get("answered"), bad + t:get("wrong") end
  local e = summary.errors
  print(string.format("%.1f requests/s; p50 %.1f ms, p90 %.1f, p99 %.1f, most %.1f", all / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
  print(string.format("%d answered, %d not a reading, %d not connected, %d broken off, %d late", all, bad, e.connect,
    e.read + e.write, e.timeout))
end
LUA

memory() { awk '/VmRSS/ { printf "%.1f MB", $2 / 1000 }' "/proc/$service/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$service/stat"; }
echo "memory before: $(memory)"
wrk -t 1 -c "$connections" -d 5 --timeout 30 -s ask.lua "$url"read >/dev/null
echo "after 5 s: $(memory)"
warm=$(awk '/VmRSS/ { print $2 }' "/proc/$service/status")
begin=$(ticks)
wrk -t 1 -c "$connections" -d "$seconds" --timeout 30 -s ask.lua "$url"read >out
grep -E 'requests/s;|answered' out
echo "processors: $(awk -v t=$(($(ticks) - begin)) -v s="$seconds" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", t / hz / s }') busy of $(nproc) with the service"
echo "after $seconds s: $(memory)"
end=$(awk '/VmRSS/ { print $2 }' "/proc/$service/status")
grep -qE '^[0-9]+ answered, 0 not a reading, 0 not connected, 0 broken off, 0 late' out
[ "$end" -le $((warm + warm / 10)) ] || { echo "FAILED: memory grew"; exit 1; }
