#include "train/faces/formats/manifest.h"

#include "tests/train/faces/formats/laid_out.h"

using namespace twinage;
using namespace twinage::test;

namespace {

// A manifest with these lines beside the pictures a.jpg, b.jpg and "c, d.jpg".
FaceDataset faces_of_manifest(const TemporaryFolder& folder, const std::string& text) {
  for (const char* name : {"a.jpg", "b.jpg", "c, d.jpg"})
    write_text(folder / name, "not looked at");
  write_text(folder / "list.csv", text);
  return find_faces(folder / "list.csv");
}

}  // namespace

TEST_CASE("a manifest: columns in any order, quotes, CRLF, byte order mark, empty fields") {
  TemporaryFolder folder;
  const FaceDataset dataset =
      faces_of_manifest(folder,
                        "\xEF\xBB\xBF Subject,GENDER,path,remark,age,race\r\n"
                        "ann,f,a.jpg,\"says \"\"hi\"\",\nthen leaves\",23.5,asian\r\n"
                        "\r\n"
                        ",,b.jpg,,120,\r\n"
                        "\"bo\",1.0,\"c, d.jpg\",,0,4");
  CHECK(dataset.format == "manifest");
  CHECK(dataset.skipped.empty());
  REQUIRE(dataset.faces.size() == 3);
  const Face &a = dataset.faces[0], &b = dataset.faces[1], &c = dataset.faces[2];
  CHECK(a.path == (folder / "a.jpg").string());
  CHECK(a.age == 23.5F);
  CHECK(a.gender == 1);
  CHECK(a.race == 2);
  CHECK(a.subject == "ann");
  CHECK(b.age == 120);
  CHECK(b.gender == -1);
  CHECK(b.race == -1);
  CHECK(b.subject.empty());
  CHECK(c.path == (folder / "c, d.jpg").string());
  CHECK(c.age == 0);
  CHECK(c.gender == 1);
  CHECK(c.race == 4);
}

TEST_CASE("a manifest needs only path and age; genders in words") {
  TemporaryFolder folder;
  CHECK(faces_of_manifest(folder, "path,age\na.jpg,7\n").faces.at(0).gender == -1);
  const FaceDataset dataset =
      faces_of_manifest(folder, "path,age,gender\na.jpg,7,Male\nb.jpg,8,female\nc, d.jpg,1,1\n");
  REQUIRE(dataset.faces.size() == 2);
  CHECK(dataset.faces[0].gender == 0);
  CHECK(dataset.faces[1].gender == 1);
  REQUIRE(dataset.skipped.size() == 1);
  CHECK(dataset.skipped[0].reason == "the row has 4 fields, the header 3");
  CHECK(dataset.skipped[0].path == (folder / "list.csv").string() + ":4");
}

TEST_CASE("rows of a manifest that cannot be used are skipped with a reason") {
  TemporaryFolder folder;
  write_text(folder / "empty.jpg", "");
  const FaceDataset dataset = faces_of_manifest(folder,
                                                "path,age,gender,race\n"
                                                "a.jpg,20,0,0\n"
                                                "1.jpg,999,0,0\n"
                                                "2.jpg,nan,0,0\n"
                                                "3.jpg,-1,0,0\n"
                                                "4.jpg,,0,0\n"
                                                "5.jpg,2o,0,0\n"
                                                "6.jpg,25-32,0,0\n"
                                                "7.jpg,\"34,5\",0,0\n"
                                                "8.jpg,-3,0,0\n"
                                                "9.jpg,20,0,0\n"
                                                ",20,0,0\n"
                                                "empty.jpg,20,0,0\n"
                                                ".,20,0,0\n"
                                                "~/a.jpg,20,0,0\n"
                                                "b.jpg\n");
  CHECK(dataset.faces.size() == 1);
  CHECK(dataset.skipped.size() == 14);
  CHECK(reason_for(dataset, "1.jpg") == "age 999 is outside 0..120");
  CHECK(reason_for(dataset, "2.jpg") == "the age is unknown ('nan')");
  CHECK(reason_for(dataset, "3.jpg") == "the age is unknown ('-1')");
  CHECK(reason_for(dataset, "4.jpg") == "the age is unknown ('')");
  CHECK(reason_for(dataset, "5.jpg") == "age '2o' is not a number");
  CHECK(contains(reason_for(dataset, "6.jpg"), "'--age-ranges middle'"));
  CHECK(contains(reason_for(dataset, "7.jpg"), "has a comma: write 34.5"));
  CHECK(reason_for(dataset, "8.jpg") == "age -3 is outside 0..120");
  CHECK(reason_for(dataset, "9.jpg") ==
        "there is no such file: paths start at the manifest's folder");
  CHECK(reason_for(dataset, "list.csv:12") == "the row names no path");
  CHECK(reason_for(dataset, "empty.jpg") == "the file is empty (0 bytes)");
  CHECK(contains(reason_for(dataset, "a.jpg"), "~ is not understood"));
  CHECK(reason_for(dataset, "list.csv:16") == "the row has 1 fields, the header 4");
  const auto missing = std::ranges::find_if(
      dataset.skipped, [](const Skipped& s) { return s.path.ends_with("9.jpg"); });
  REQUIRE(missing != dataset.skipped.end());
  CHECK(contains(description(*missing), "list.csv:11)"));
}

TEST_CASE("an optional label that is no label is unknown and counted; the row stays") {
  TemporaryFolder folder;
  std::string text = "path,age,gender,race\n";
  const char* words[] = {"",   "nan", "None",  "unknown", "NA",    "N/A",  "null", "-",  "?",
                         "-1", "2",   "femal", "Man",     "WOMAN", "girl", "boy",  "0.0"};
  int i = 0;
  for (const char* word : words) {
    write_text(folder / fmt::format("p{:02}.jpg", i));
    text += fmt::format("p{:02}.jpg,30,{},nan\n", i++, word);
  }
  write_text(folder / "p99.jpg");
  const FaceDataset dataset = faces_of_manifest(folder, text + "p99.jpg,30\n");  // cut: unknown
  CHECK(dataset.skipped.empty());
  REQUIRE(dataset.faces.size() == 18);
  const std::vector<std::int32_t> known = {0, 1, 1, 0, 0};
  for (std::size_t f = 0; f < 18; ++f) {
    CHECK(dataset.faces[f].gender == (f >= 12 && f < 17 ? known[f - 12] : -1));
    CHECK(dataset.faces[f].race == -1);
  }
  CHECK(dataset.unknown_genders.size() == 12);
  CHECK(dataset.unknown_genders.at("") == 2);
  CHECK(dataset.unknown_genders.at("femal") == 1);
}

TEST_CASE("any word is a race of its own; UTKFace's numbers and names stay what they are") {
  TemporaryFolder folder;
  const FaceDataset dataset = faces_of_manifest(folder,
                                                "path,age,race\n"
                                                "a.jpg,30,East Asian\n"
                                                "b.jpg,31,white\n"
                                                "\"c, d.jpg\",32,east asian\n");
  REQUIRE(dataset.faces.size() == 3);
  CHECK(dataset.faces[0].race == 5);
  CHECK(race_name(dataset, dataset.faces[0].race) == "East Asian");
  CHECK(dataset.faces[1].race == 0);
  CHECK(dataset.faces[2].race == 5);
  CHECK(dataset.race_names.size() == 6);
}

TEST_CASE(
    "Windows: backslashes, semicolons, tabs; a file that has a backslash is found as written") {
  TemporaryFolder folder;
  write_text(folder / "sub/x.jpg");
  write_text(folder / "sub\\y.jpg");
  const FaceDataset dataset = faces_of_manifest(
      folder, "\xEF\xBB\xBFpath;age\r\nsub\\x.jpg;7\r\nsub\\y.jpg;8\r\n\"a.jpg\";9\r\n");
  CHECK(dataset.skipped.empty());
  REQUIRE(dataset.faces.size() == 3);
  CHECK(dataset.faces[1].path == (folder / "sub/x.jpg").string());
  CHECK(dataset.faces[2].path == (folder / "sub\\y.jpg").string());
  CHECK(faces_of_manifest(folder, "path\tage\na.jpg\t7\n").faces.at(0).age == 7);
}

TEST_CASE("rows of one picture are merged as copies are") {
  TemporaryFolder folder;
  const FaceDataset dataset = faces_of_manifest(folder,
                                                "path,age\na.jpg,30\n./a.jpg,31\n"
                                                "b.jpg,20\nb.jpg,50\n\"c, d.jpg\",1\n");
  REQUIRE(dataset.faces.size() == 2);
  CHECK(dataset.faces[0].age == 30.5F);
  REQUIRE(dataset.copies.size() == 2);
  CHECK_FALSE(dataset.copies[0].left_out);
  CHECK(dataset.copies[1].left_out);
  CHECK(contains(reason_for(dataset, "b.jpg"), "more than 5 years apart"));
}

TEST_CASE("manifests that cannot be used are errors") {
  TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    write_text(folder / "list.csv", text);
    return error_of(folder / "list.csv");
  };
  write_text(folder / "a.jpg");
  CHECK(contains(error("file_name,real_age\na.jpg,3\n"), "got: file_name,real_age"));
  CHECK(contains(error("file_name,age\na.jpg,3\n"),
                 "expected a header with the columns path and age"));
  CHECK(contains(error("path age\na.jpg 3\n"), "separated by commas, semicolons or tabs"));
  CHECK(contains(error("path,age,age\na.jpg,3,3\n"), "'age' twice"));
  CHECK(contains(error(""), "is empty"));
  CHECK(contains(error("path,age\n"), "no usable face"));
  const std::string outside = error("path,age\na.jpg,999\n");
  CHECK(contains(outside, "1 skipped"));
  CHECK(contains(outside, "age 999 is outside 0..120"));
  CHECK(contains(error("path,age\n\"a.jpg,3\n"), ":2: a quote"));
  CHECK(contains(error(std::string("p\0a\0", 4)), "not UTF-8"));
}
