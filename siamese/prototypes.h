// The mean embedding of every age, for the read-out `prototype` (siamese/readouts/prototype.cpp).
#pragma once
#include <span>
#include <vector>

#include "core/tensor.h"
#include "siamese/gallery.h"

namespace twinage {

// The gallery's ages in whole years: bin i is year `first` + i.
struct YearBins {
  explicit YearBins(const Gallery& gallery);  // of at least one face
  float year(std::size_t bin) const { return static_cast<float>(first + static_cast<Index>(bin)); }

  Index first = 0;
  std::vector<std::size_t> of_reference;  // the bin of each
  std::vector<double> counts;             // references in each bin
};

// A year's prototype is a mean over its own and the neighbouring years' mean embeddings: smoothed,
// for some years have few faces.
class Prototypes {
 public:
  struct Means {
    Tensor embeddings;        // matrix(years with references, width)
    std::vector<float> ages;  // years
  };

  // Keeps a reference to both; they must outlive it.
  Prototypes(const Gallery& gallery, const YearBins& bins);

  const Means& means() const { return means_; }
  // As if the gallery lacked these references; at least one must be left.
  Means without(std::span<const Index> references) const;
  // The variance of the references about the prototype of their age, in the direction in which the
  // prototypes move with age: the part of the scatter that makes an age uncertain.
  double scatter() const { return scatter_; }

 private:
  Means smoothed(const std::vector<double>& counts, const std::vector<double>& sums) const;
  double scatter_along() const;

  const Gallery& gallery_;
  const YearBins& bins_;
  std::vector<double> sums_;  // of the embeddings of each bin [bins][width]
  Means means_;
  double scatter_ = 0;
};

}  // namespace twinage
