#include "train/faces/formats/imdb_wiki.h"

#include "tests/train/faces/formats/laid_out.h"
#include "train/faces/face_store.h"

using namespace twinage;
using namespace twinage::test;

namespace {

constexpr std::string_view kHeader =
    "dob,photo_taken,full_path,gender,name,face_score,second_face_score,celeb_id\n";

ImdbWikiRow row_of(double gender) {
  ImdbWikiRow row;
  row.full_path = "17/10000217_1981-05-05_2009.jpg";
  row.dob = 723671;
  row.photo_taken = 2009;
  row.gender = gender;
  row.face_score = 4.3;
  row.person = "Sami";
  return row;
}

}  // namespace

TEST_CASE("IMDB-WIKI: an age is the whole years on the first of July of the photograph's year") {
  float age = -1;
  // datenum(1981, 5, 5) = 723671; the first of July is 57 days later.
  for (const auto& [dob, years] : {std::pair(723671.0, 28.0F),
                                   {723671.0 + 57, 28.0F},
                                   {723671.0 + 57.9, 28.0F},
                                   {723671.0 + 58, 27.0F}}) {
    CHECK_FALSE(read_age_of_photo(age, dob, 2009).has_value());
    CHECK(age == years);
  }
  CHECK_FALSE(read_age_of_photo(age, 719529, 1970).has_value());  // born 1970-01-01
  CHECK(age == 0);
  for (const double unknown : {double{NAN}, 0.0, -5.0, 1e300, double{INFINITY}}) {
    CHECK(read_age_of_photo(age, unknown, 2009).value_or("read") == "the date of birth is unknown");
    CHECK(read_age_of_photo(age, 723671, unknown).value_or("read") ==
          "the year of the photograph is unknown");
  }
  CHECK(contains(read_age_of_photo(age, 723671, 1980).value_or("read"), "outside 0..120"));
  CHECK(contains(read_age_of_photo(age, 367, 2009).value_or("read"), "outside 0..120"));
}

TEST_CASE("IMDB-WIKI's genders are the other way round: 0 female, 1 male, NaN unknown") {
  Face face;
  CHECK_FALSE(read_imdb_wiki_row(face, row_of(0)).has_value());
  CHECK(gender_name(face.gender) == "female");
  CHECK_FALSE(read_imdb_wiki_row(face, row_of(1)).has_value());
  CHECK(gender_name(face.gender) == "male");
  CHECK_FALSE(read_imdb_wiki_row(face, row_of(NAN)).has_value());
  CHECK(face.gender == -1);
  CHECK_FALSE(read_imdb_wiki_row(face, row_of(2)).has_value());
  CHECK(face.gender == -1);
  CHECK(face.subject == "Sami");
}

TEST_CASE("IMDB-WIKI: pictures with no face and with two are left out, and said to be") {
  Face face;
  ImdbWikiRow row = row_of(1);
  row.face_score = -INFINITY;
  CHECK(read_imdb_wiki_row(face, row).value_or("read") == "no face was found in it (face_score)");
  row.face_score = NAN;
  CHECK(read_imdb_wiki_row(face, row).value_or("read") == "no face was found in it (face_score)");
  row.face_score = 1;
  row.second_face_score = 2;
  CHECK(contains(read_imdb_wiki_row(face, row).value_or("read"), "more than one face"));
}

TEST_CASE("IMDB-WIKI's exported list: dates or datenums, odd fields, names that lead out") {
  TemporaryFolder folder;
  for (int i = 0; i < 6; ++i)
    draw(folder / fmt::format("set/0{}/{}.jpg", i, i), 30, 0, static_cast<std::uint64_t>(i + 1));
  draw(folder / "set/09/unnamed.jpg");
  draw(folder / "secret.jpg");
  write_text(folder / "set/imdb.csv",
             std::string(kHeader) +
                 "723671,2009,00/0.jpg,1.0,\"Jauho, Sami\",4.3,nan,7\n"  // plain
                 "1981-7-2,2009.0,01/1.jpg,female,,4.3,,8\n"             // another exporter's
                 "723671,2009,02/2.jpg,nan,nan,4.3,NaN,nan\n"
                 "723671,2009,03/3.jpg,1,A,-inf,nan,1\n"
                 "723671,2009,04/4.jpg,1,A,-Infinity,nan,1\n"
                 "723671,2009,05/5.jpg,1,A,3.2,1.5,1\n"
                 "1981-13-41,2009,00/0.jpg,1,A,3.2,,1\n"
                 "723671,soon,00/0.jpg,1,A,3.2,,1\n"
                 "723671,2009,../secret.jpg,1,A,3.2,,1\n"
                 "723671,2009,,1,A,3.2,,1\n"
                 "723671,2009,07/7.jpg,1,A,3.2,,1\n"
                 "723671,2009\n"
                 "723671,2009,00/" +
                 std::string(100000, '0') + ".jpg,1,A,3.2,,1\n");
  FaceDataset dataset = find_faces(folder / "set");
  CHECK(dataset.format == "imdb-wiki");
  CHECK(lacking(dataset) == std::vector<std::string>{"races"});
  REQUIRE(dataset.faces.size() == 3);
  const Face &plain = face_named(dataset, "0.jpg"), &other = face_named(dataset, "1.jpg"),
             &bare = face_named(dataset, "2.jpg");
  CHECK(plain.age == 28);
  CHECK(plain.gender == 0);
  CHECK(plain.subject == "Jauho, Sami");
  CHECK(other.age == 27);
  CHECK(other.gender == 1);
  CHECK(other.subject == "8");
  CHECK(bare.gender == -1);
  CHECK(bare.subject.empty());
  CHECK(dataset.unknown_genders.at("nan") == 1);
  for (const char* name : {"3.jpg", "4.jpg"})
    CHECK(reason_for(dataset, name) == "no face was found in it (face_score)");
  CHECK(contains(reason_for(dataset, "5.jpg"), "more than one face"));
  CHECK(contains(reason_for(dataset, "7.jpg"), "no such file"));
  CHECK(reason_for(dataset, "imdb.csv:11") == "the row names no full_path");
  CHECK(reason_for(dataset, "imdb.csv:13") == "the row has 2 fields, the header 8");
  CHECK(reason_for(dataset, "unnamed.jpg") == "imdb.csv does not name it");
  const auto count = [&](std::string_view reason) {
    return std::ranges::count(dataset.skipped, reason, &Skipped::reason);
  };
  CHECK(count("the name leads out of the data set's folder") == 1);
  CHECK(count("the date of birth is unknown") == 1);
  CHECK(count("the year of the photograph is unknown") == 1);
  CHECK(FaceStore(dataset, 16, 1, 1 << 20).size() == 3);
  CHECK(find_faces(folder / "set/imdb.csv").faces.size() == 3);
}

// tests/fixtures/export_wiki_mat.py wrote the list.
TEST_CASE("IMDB-WIKI's own list: as much of it as can be used, or a word on what is needed") {
  TemporaryFolder folder;
  for (int i = 0; i < 6; ++i)
    draw(folder / fmt::format("00/{}.jpg", i), 30, 0, static_cast<std::uint64_t>(i + 1));
  const std::string bytes = read_text_file(std::string(TWINAGE_FIXTURES) + "/wiki.mat");
  write_text(folder / "wiki.mat", bytes);
  if (!can_read_mat()) {
    CHECK(contains(error_of(folder.path()), "built without libmatio"));
    return;
  }
  const FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "imdb-wiki");
  REQUIRE(dataset.faces.size() == 3);
  CHECK(dataset.faces[0].age == 28);
  CHECK(dataset.faces[0].gender == 0);
  CHECK(dataset.faces[0].subject == "Sami Jauhoj\xC3\xA4rvi");
  CHECK(dataset.faces[1].age == 27);
  CHECK(dataset.faces[1].gender == 1);
  CHECK(dataset.faces[2].gender == -1);
  CHECK(dataset.faces[2].subject.empty());
  CHECK(contains(reason_for(dataset, "3.jpg"), "no face was found"));
  CHECK(contains(reason_for(dataset, "4.jpg"), "more than one face"));
  CHECK(reason_for(dataset, "5.jpg") == "the date of birth is unknown");
  // Whatever is wrong with it, there is an answer.
  for (std::size_t size = 0; size < bytes.size(); size += 37) {
    write_text(folder / "wiki.mat", bytes.substr(0, size));
    CHECK(error_of(folder / "wiki.mat") != "(no error)");
  }
  write_text(folder / "wiki.mat", "MATLAB" + std::string(2000, 'x'));
  CHECK(error_of(folder / "wiki.mat") != "(no error)");
}

TEST_CASE("IMDB-WIKI: a list without scores is refused with what it lacks, two lists with a name") {
  TemporaryFolder folder;
  draw(folder / "0.jpg");
  write_text(folder / "a.csv", "full_path,dob,photo_taken\n0.jpg,723671,2009\n");
  CHECK(
      contains(error_of(folder / "a.csv", "imdb-wiki"), "the header lacks the column face_score"));
  CHECK(contains(error_of(folder.path(), "imdb-wiki"), "expected imdb.mat, wiki.mat or a CSV"));
  const std::string list = std::string(kHeader) + "723671,2009,0.jpg,1,A,3,,1\n";
  write_text(folder / "a.csv", list);
  write_text(folder / "b.csv", list);
  CHECK(contains(error_of(folder.path()), "2 lists of IMDB-WIKI: name one"));
  write_text(folder / "c.csv", "dob,dob,photo_taken,full_path,face_score,second_face_score\n");
  CHECK(contains(error_of(folder / "c.csv"), "'dob' twice"));
}
