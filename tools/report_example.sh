#!/usr/bin/env bash
# Makes docs/report_example.html, and docs/report_example.jpg where Chromium and ImageMagick are: the report
# of a minute's training on synthetic faces. No real person is shown.
#   tools/report_example.sh [TWINAGE]        build/release/twinage
set -euo pipefail
cd "$(dirname "$0")/.."
twinage=$(realpath "${1:-build/release/twinage}")
docs=$PWD/docs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$twinage" synth --out faces --count 3000 --seed 1
"$twinage" synth --out others --count 400 --seed 2
"$twinage" train --data faces --val others --steps 600 --out example
"$twinage" report example --out "$docs/report_example.html"
if command -v chromium >/dev/null && command -v convert >/dev/null; then
  # Of its many sections three, and of each the first charts: what fits the README.
  few='section, nav, table, figure:nth-of-type(n+4) { display: none }
    section[aria-labelledby=s-errors], section[aria-labelledby=s-map-example],
    section[aria-labelledby=s-examples-example] { display: block }'
  sed "s|</head>|<style>${few//$'\n'/ }</style></head>|" "$docs/report_example.html" >few.html
  chromium --headless=new --no-sandbox --hide-scrollbars --window-size=1200,1450 \
    --screenshot=page.png "file://$PWD/few.html" 2>/dev/null
  convert page.png -resize 900x -quality 80 "$docs/report_example.jpg"
else
  echo "chromium or convert (ImageMagick) was not found: docs/report_example.jpg WAS NOT MADE ANEW"
fi
