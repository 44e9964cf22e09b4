// The tasks of a face, each with a head of the network of its own: what is learnt from its age by
// comparison, its gender, and its age as such. Everything that there is one of for each task
// (heads, losses, weights) is kept by task and named by it.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/enum_names.h"
#include "core/shape.h"

namespace twinage {

enum class Task {
  embedding,  // z: numbers whose distance tells how far apart two faces are in age
  gender,     // logits of male (0) and female (1): UTKFace's convention
  age,        // the age as such: logits of the ages 0 to 100, or what its loss asks for
};
template <>
struct EnumNames<Task> {
  static constexpr std::string_view what = "task";
  static constexpr EnumName<Task> table[] = {
      {Task::embedding, "embedding"},
      {Task::gender, "gender"},
      {Task::age, "age"},
  };
};

// In the order of the network's heads, which is that of the values.
inline constexpr std::array kTasks = values_of<Task>();
static_assert(
    [] {
      for (std::size_t i = 0; i < kTasks.size(); ++i)
        if (static_cast<std::size_t>(kTasks[i]) != i) return false;
      return true;
    }(),
    "the table of tasks is in the order of the enumeration: ByTask is indexed by its values");

inline constexpr std::int32_t kGenders = 2;
inline constexpr std::int32_t kAges = 101;  // classes: 0 to 100 years; who is older counts as 100

// One T for each task.
template <class T>
struct ByTask {
  std::array<T, kTasks.size()> all{};

  T& operator[](Task task) { return all[static_cast<std::size_t>(task)]; }
  const T& operator[](Task task) const { return all[static_cast<std::size_t>(task)]; }
};

// Which heads a network has, in the order of kTasks.
using Heads = std::vector<Task>;
inline const Heads kPaperHeads{Task::embedding, Task::gender};
inline bool has(const Heads& heads, Task task) {
  return std::ranges::find(heads, task) != heads.end();
}

}  // namespace twinage
