#include "siamese/readouts/table.h"

#include <set>

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

TEST_CASE("read-outs: names go both ways, and each has its row") {
  std::set<ReadoutKind> kinds;
  for (const ReadoutRow& row : readout_table()) {
    CHECK(parse<ReadoutKind>(to_string(row.kind)) == row.kind);
    CHECK(&readout_row(row.kind) == &row);
    CHECK((row.needs.embedding || row.needs.ages != AgeSaid::nothing));
    CHECK(readout_help().find("  " + to_string(row.kind) + " ") != std::string::npos);
    kinds.insert(row.kind);
  }
  CHECK(kinds.size() == readout_table().size());
  CHECK(kinds.size() == names_of<ReadoutKind>().size());
}

TEST_CASE("read-outs: an unknown one is an error, and never another one") {
  CHECK_THROWS_AS((void)parse<ReadoutKind>("oracle"), UsageError);
  CHECK_THROWS_AS((void)readout_row(static_cast<ReadoutKind>(99)), Error);
}

TEST_CASE("read-outs: in training one is used that needs nothing else and can do without steps") {
  for (const ReadoutRow& row : readout_table()) {
    const ReadoutRow& instead = readout_row(row.in_training);
    CHECK(row.needs.contains(instead.needs));
    CHECK(instead.kind != ReadoutKind::comparison);
    CHECK(instead.in_training == instead.kind);
  }
}

TEST_CASE("read-outs: says what a network lacks") {
  const ReadoutInputs embedding{.embedding = true}, ages{.ages = AgeSaid::distribution},
      both{.embedding = true, .ages = AgeSaid::distribution}, number{.ages = AgeSaid::number};
  CHECK_NOTHROW(require_readable(ReadoutKind::knn, embedding));
  CHECK_NOTHROW(require_readable(ReadoutKind::knn, both));
  CHECK_NOTHROW(require_readable(ReadoutKind::expectation, ages));
  CHECK_THROWS_WITH_AS(require_readable(ReadoutKind::knn, ages),
                       doctest::Contains("knn needs an embedding"), UsageError);
  CHECK_THROWS_WITH_AS(require_readable(ReadoutKind::expectation, embedding),
                       doctest::Contains("expectation needs an age head"), UsageError);
  CHECK_NOTHROW(require_readable(ReadoutKind::direct, number));
  CHECK_THROWS_WITH_AS(require_readable(ReadoutKind::direct, embedding),
                       doctest::Contains("direct needs an age head, and this network has none"),
                       UsageError);
  // Neither form of an age stands for the other.
  CHECK_THROWS_WITH_AS(require_readable(ReadoutKind::direct, both),
                       doctest::Contains("direct needs an age head that says one number"),
                       UsageError);
  CHECK_THROWS_WITH_AS(require_readable(ReadoutKind::expectation, number),
                       doctest::Contains("needs a probability of every age, and this network's age "
                                         "head says one number"),
                       UsageError);
}

TEST_CASE("read-outs: what a network gives follows from its heads and from the age head's loss") {
  ObjectiveOptions options;
  CHECK(inputs_of(options).embedding);
  CHECK(inputs_of(options).ages == AgeSaid::nothing);
  options.head[Task::age].loss = {"regression"};
  CHECK(inputs_of(options).ages == AgeSaid::nothing);  // there is no such head
  options.heads = {Task::gender, Task::age};
  CHECK_FALSE(inputs_of(options).embedding);
  CHECK(inputs_of(options).ages == AgeSaid::number);
  for (const char* loss : {"cross-entropy", "label-distribution", "mean-variance", "ranking"}) {
    options.head[Task::age].loss = {loss};
    CHECK(inputs_of(options).ages == AgeSaid::distribution);
  }
}
