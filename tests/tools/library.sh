#!/usr/bin/env bash
# Twinage installed, and used by others: library.sh TWINAGE, of a build folder
source "$(dirname "$0")/checks.sh"
build=$(dirname "$twinage")

check "it is installed" cmake --install "$build" --prefix "$folder/usr"
lib=$(dirname "$(find "$folder/usr" -name libtwinage.so)")
export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib TWINAGE_LIBRARY=$lib/libtwinage.so.0

"$twinage" synth --out faces --count 60 --size 80 --seed 5 >/dev/null 2>&1
train_briefly --data faces --out run
(cd faces && for f in *.jpg; do echo "$f,${f%%_*}"; done | sed '1i file,age') >faces/ages.csv
train_briefly --data faces/ages.csv --out no_gender
face=$(ls faces/*.jpg | head -1) other=$(ls faces/*.jpg | tail -1)
echo hello >words.jpg
age() { "$twinage" predict run "$face" --json | python3 -c 'import json, sys; print("age %.2f" % json.load(sys.stdin)[0]["age"])'; }
age >expected

only_ours() {  # every symbol that it has, of this version
  nm -D --defined-only "$lib/libtwinage.so" | awk '$2 != "A"' >symbols
  [ "$(wc -l <symbols)" = "$(grep -cE '^(const char\*|double|size_t|void|twinage_status) twinage_' "$folder/usr/include/twinage.h")" ] &&
    ! grep -vqE ' T twinage_[a-z_]+@@TWINAGE_0.1$' symbols
}
listed() {  # what the loader is asked for is in the list of licences
  objdump -p "$lib/libtwinage.so" "$twinage" | awk '/NEEDED/ { sub(/\.so.*/, "", $2); print $2 }' | sort -u >needed
  grep -oE 'Loaded as: [^.<]*' usr/share/doc/*/licences.spdx | tr ' ' '\n' | sort -u >listed
  [ -s needed ] && [ -z "$(comm -23 needed listed | tee /dev/stderr)" ]
}
c_example() {
  cc -std=c99 -Wall -Wextra -pedantic -Werror usr/share/twinage/examples/read_face.c $(pkg-config --cflags --libs twinage) -o read_face &&
    ./read_face run "$face" >got && grep -qxF "$(cat expected)" got && grep -q '^like ' got
}
cmake_examples() {
  cmake -S usr/share/twinage/examples -B examples -DCMAKE_PREFIX_PATH="$folder/usr" >/dev/null &&
    cmake --build examples >/dev/null && examples/read_face_c run "$face" | cmp -s - got &&
    examples/read_face_cpp run "$face" | grep -qF ": $(cat expected)"
}
python_example() { python3 usr/share/twinage/examples/read_face.py run "$face" | cmp -s - expected; }
c_complains() { ./read_face run words.jpg; }
promises() {
  cc -std=gnu99 -Wall -Wextra -Werror "$here/library/use_library.c" $(pkg-config --cflags --libs twinage) -lpthread -lm -o use_library &&
    ./use_library run no_gender "$face" "$other" words.jpg >said.use; local code=$?
  grep FAILED said.use >&2
  return $code
}
silent() { [ -z "$(./use_library run no_gender "$face" "$other" words.jpg 2>&1 >/dev/null)" ]; }

check "the library shows its own symbols only, each with its version" only_ours
check "what it is linked with has its licence in the list" listed
check "the example in C, by pkg-config" c_example
check "it says what is wrong with a picture" refused 1 'words.jpg' c_complains
check "the examples in C and C++, by find_package" cmake_examples
check "the example in Python" python_example
check "what twinage.h promises" promises
check "it writes nothing to stderr" silent
all_held
