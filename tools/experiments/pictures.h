// The pictures that an experiment's table of pictures asks for, of what is done so far.
#pragma once
#include <string>
#include <vector>

#include "tools/experiments/results.h"

namespace twinage {

struct Drawing {
  std::string name, title, svg;  // name: of the file
};

std::vector<Drawing> drawings_of(const Results& results);

}  // namespace twinage
