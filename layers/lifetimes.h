// Where tensors lie that share one block of memory because they are not all alive at once.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/workspace.h"

namespace twinage {

// A tensor from the moment that writes it to the last one that reads it. offset: in floats, by
// place_by_lifetime().
struct Lifetime {
  Index floats = 0;
  std::size_t first = 0, last = 0;
  Index offset = 0;

  bool holds(std::size_t moment) const { return first <= moment && moment <= last; }
  Index end() const { return offset + workspace_floats(floats); }
};

// The block that a moment needs.
inline Index floats_at(std::span<const Lifetime> all, std::size_t moment) {
  Index most = 0;
  for (const Lifetime& one : all)
    if (one.holds(moment)) most = std::max(most, one.end());
  return most;
}

// Offsets such that no two share a float at any moment. beside[moment]: what else it needs. What is
// alive when the most is needed is placed first, the largest of it in front, each as far in front
// as what is alive with it allows: the block of that moment is then little more than what is alive.
inline void place_by_lifetime(std::span<Lifetime> all, std::span<const Index> beside) {
  struct Needed {
    Lifetime* one;
    Index most = 0;  // that any of its moments needs
  };
  std::vector<Needed> order;
  for (Lifetime& one : all) order.push_back({&one});
  for (std::size_t moment = 0; moment < beside.size(); ++moment) {
    Index needed = beside[moment];
    for (const Lifetime& one : all) needed += one.holds(moment) ? one.floats : 0;
    for (Needed& n : order)
      if (n.one->holds(moment)) n.most = std::max(n.most, needed);
  }
  std::ranges::stable_sort(order, [](const Needed& a, const Needed& b) {
    return a.most != b.most ? a.most > b.most : a.one->floats > b.one->floats;
  });
  std::vector<const Lifetime*> placed;  // in the order of their offsets
  for (const Needed& n : order) {
    Lifetime& one = *n.one;
    one.offset = 0;
    for (const Lifetime* other : placed)
      if (other->first <= one.last && one.first <= other->last && other->offset < one.end())
        one.offset = std::max(one.offset, other->end());
    placed.insert(std::ranges::upper_bound(placed, one.offset, {}, &Lifetime::offset), &one);
  }
}

}  // namespace twinage
