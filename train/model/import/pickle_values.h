// What lies on the stack of a pickle's machine (train/model/import/pickle.h), and what it knows by
// name.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "train/model/import/pickle.h"

namespace twinage::pickle {

struct Value;
using Ref = Value*;  // of the machine's
using Items = std::vector<Ref>;

struct Mark {};
struct None {};
struct Named {  // a function or class: module and name, never more than its name
  std::string module, name;
};
struct Storage {
  DType type;
  std::string key;
  std::int64_t numbers;
};
struct List {
  Items items;
};
struct Tuple {
  Items items;
};
struct Dictionary {
  std::vector<std::pair<Ref, Ref>> entries;
};
struct Value {
  std::variant<None, Mark, bool, std::int64_t, double, std::string, Named, Storage, PickledTensor,
               List, Tuple, Dictionary>
      is;
};

// The type of a storage by its class's name: "FloatStorage".
std::optional<DType> storage_type(std::string_view name);
// Whether it is one of the few things that files of weights are made of.
bool is_known(const Named& what);

}  // namespace twinage::pickle
