#include "train/faces/face_dataset.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "train/faces/csv.h"

using namespace twinage;
using test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, std::string_view text = "not looked at") {
  fs::create_directories(path.parent_path());
  write_file_atomically(path, text);
}

std::string reason_for(const FaceDataset& dataset, const std::string& name) {
  for (const Skipped& s : dataset.skipped)
    if (fs::path(s.path).filename() == name) return s.reason;
  return "(not skipped)";
}

const Face& face_named(const FaceDataset& dataset, const std::string& name) {
  for (const Face& face : dataset.faces)
    if (fs::path(face.path).filename() == name) return face;
  FAIL("no face named " << name);
  return dataset.faces.front();
}

std::string error_of(const fs::path& path) {
  try {
    find_faces(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A manifest with these lines beside the pictures a.jpg, b.jpg and "c, d.jpg".
FaceDataset faces_of_manifest(const TemporaryFolder& folder, const std::string& text) {
  for (const char* name : {"a.jpg", "b.jpg", "c, d.jpg"}) write_file(folder / name);
  write_file(folder / "list.csv", text);
  return find_faces(folder / "list.csv");
}

}  // namespace

TEST_CASE("UTKFace names give age, gender and race, sorted by path") {
  TemporaryFolder folder;
  write_file(folder / "9_1_2_20170116220224657.jpg.chip.jpg");
  write_file(folder / "100_0_4_20170112213500903.jpg.chip.jpg");
  write_file(folder / "0_0_0_x.PNG");
  write_file(folder / "deep/er/35_1_3_20170112213500903.bmp");
  const FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.format == "utkface");
  CHECK(dataset.skipped.empty());
  REQUIRE(dataset.faces.size() == 4);
  CHECK(std::ranges::is_sorted(dataset.faces, {}, &Face::path));
  const Face& nine = face_named(dataset, "9_1_2_20170116220224657.jpg.chip.jpg");
  CHECK(nine.age == 9);
  CHECK(nine.gender == 1);
  CHECK(nine.race == 2);
  CHECK(nine.subject.empty());
  CHECK(face_named(dataset, "100_0_4_20170112213500903.jpg.chip.jpg").race == 4);
  CHECK(face_named(dataset, "35_1_3_20170112213500903.bmp").age == 35);
}

TEST_CASE("the five malformed names of the real UTKFace: two are usable") {
  TemporaryFolder folder;
  const std::string space = "24_0_1_20170116220224657 .jpg.chip.jpg";
  const std::string no_dot = "55_0_0_20170116232725357jpg.chip.jpg";
  write_file(folder / space);
  write_file(folder / no_dot);
  for (const char* name :
       {"61_1_20170109142408075.jpg.chip.jpg", "61_1_20170109150557335.jpg.chip.jpg",
        "39_1_20170116174525125.jpg.chip.jpg"})
    write_file(folder / name);
  const FaceDataset dataset = find_faces(folder.path());
  REQUIRE(dataset.faces.size() == 2);
  CHECK(face_named(dataset, space).age == 24);
  CHECK(face_named(dataset, space).race == 1);
  CHECK(face_named(dataset, no_dot).age == 55);
  REQUIRE(dataset.skipped.size() == 3);
  for (const Skipped& s : dataset.skipped)
    CHECK(s.reason == "the name lacks one of age_gender_race_time");
}

TEST_CASE("what is no face is skipped, each with its reason") {
  TemporaryFolder folder;
  write_file(folder / "30_0_0_1.jpg");
  write_file(folder / "120_1_4_1.jpg");
  write_file(folder / "121_1_4_1.jpg");
  write_file(folder / "99999999999999999999_1_4_1.jpg");
  write_file(folder / "30_2_0_1.jpg");
  write_file(folder / "30_0_5_1.jpg");
  write_file(folder / "30__0_1.jpg");
  write_file(folder / "holiday.jpg");
  write_file(folder / "a_b_c_d.jpg");
  write_file(folder / "-3_0_0_1.jpg");
  write_file(folder / "notes.txt");
  write_file(folder / "._30_0_0_2.jpg");
  write_file(folder / "30_0_0_3.jpg", "");
  write_file(folder / ".cache/30_0_0_4.jpg");
  fs::create_directory_symlink(folder.path(), folder / "circle");
  fs::create_symlink(folder / "gone", folder / "30_0_0_5.jpg");
  const FaceDataset dataset = find_faces(folder.path());
  CHECK(dataset.faces.size() == 2);
  CHECK(dataset.skipped.size() == 14);
  CHECK(std::ranges::is_sorted(dataset.skipped, {}, &Skipped::path));
  CHECK(reason_for(dataset, "121_1_4_1.jpg") == "age 121 is outside 0..120");
  CHECK(contains(reason_for(dataset, "99999999999999999999_1_4_1.jpg"), "is outside 0..120"));
  CHECK(reason_for(dataset, "30_2_0_1.jpg") == "gender 2 is neither 0 (male) nor 1 (female)");
  CHECK(reason_for(dataset, "30_0_5_1.jpg") == "race 5 is outside 0..4");
  CHECK(reason_for(dataset, "30__0_1.jpg") == "the name lacks one of age_gender_race_time");
  for (const char* name : {"holiday.jpg", "a_b_c_d.jpg", "-3_0_0_1.jpg"})
    CHECK(reason_for(dataset, name) == "the name is not of the form age_gender_race_time.jpg");
  CHECK(contains(reason_for(dataset, "notes.txt"), "not a picture"));
  CHECK(contains(reason_for(dataset, "._30_0_0_2.jpg"), "hidden"));
  CHECK(reason_for(dataset, "30_0_0_3.jpg") == "the file is empty (0 bytes)");
  CHECK(contains(reason_for(dataset, ".cache"), "hidden"));
  CHECK(contains(reason_for(dataset, "circle"), "link"));
  CHECK(reason_for(dataset, "30_0_0_5.jpg") == "there is no such file");
}

TEST_CASE("a place without faces is an error that says what is understood") {
  TemporaryFolder folder;
  for (const fs::path& path : {folder.path(), folder / "nowhere"}) {
    const std::string message = error_of(path);
    CHECK(contains(message, path.string()));
    CHECK(contains(message, "age_gender_race_time.jpg"));
    CHECK(contains(message, "path,age,gender,race,subject"));
    CHECK(contains(message, ".png"));
    CHECK_FALSE(contains(message, "\n"));
  }
  write_file(folder / "readme.txt");
  CHECK(contains(error_of(folder.path()), "not a picture"));
  write_file(folder / "faces.csv", "path,age\n");
  CHECK(contains(error_of(folder.path()), "faces.csv is a manifest, name it"));
  write_file(folder / "photo.jpg");
  CHECK(contains(error_of(folder / "photo.jpg"), "is one picture"));
}

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
  write_file(folder / "empty.jpg", "");
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
    write_file(folder / fmt::format("p{:02}.jpg", i));
    text += fmt::format("p{:02}.jpg,30,{},nan\n", i++, word);
  }
  write_file(folder / "p99.jpg");
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

TEST_CASE("ages in words, and ranges when asked for") {
  const auto age_of = [](std::string_view text, AgeRanges ranges = AgeRanges::middle) {
    float age = -1;
    return read_age(age, text, ranges) ? -1.0F : age;
  };
  for (const char* text : {"34", "34.0", " 34 ", "+34", "34 years", "34 Years old", "34y", "3.4e1"})
    CHECK_MESSAGE(age_of(text, AgeRanges::skip) == 34, text);
  CHECK(age_of("25-32") == 28.5F);
  CHECK(age_of("(25, 32)") == 28.5F);
  CHECK(age_of("[25;32]") == 28.5F);
  CHECK(age_of("25 to 32") == 28.5F);
  CHECK(age_of("25\xE2\x80\x93"
               "32 years") == 28.5F);
  CHECK(age_of("0-2") == 1);
  for (const char* text : {"60+", "more than 60", "60 and over", ">60"})
    CHECK_MESSAGE(age_of(text) == 65, text);
  CHECK(age_of("under 3") == 1.5F);
  for (const char* text : {"25-32", "(25, 32)", "60+", "more than 70"})
    CHECK_MESSAGE(age_of(text, AgeRanges::skip) == -1, text);
  for (const char* text :
       {"32-25", "34,5", "0x1F", "inf", "nan", "1-2-3", "121", "-5", "+", "(", "1990-01-02"})
    CHECK_MESSAGE(age_of(text) == -1, text);
}

TEST_CASE(
    "Windows: backslashes, semicolons, tabs; a file that has a backslash is found as written") {
  TemporaryFolder folder;
  write_file(folder / "sub/x.jpg");
  write_file(folder / "sub\\y.jpg");
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
    write_file(folder / "list.csv", text);
    return error_of(folder / "list.csv");
  };
  write_file(folder / "a.jpg");
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

TEST_CASE("CSV: line ends, quotes and line numbers") {
  const auto rows = parse_csv("a,b\rc\n\n\"d\r\ne\",\"\"\"\",\r\nf", "text");
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].fields == std::vector<std::string>{"a", "b"});
  CHECK(rows[1].fields == std::vector<std::string>{"c"});
  CHECK(rows[2].fields == std::vector<std::string>{"d\r\ne", "\"", ""});
  CHECK(rows[3].fields == std::vector<std::string>{"f"});
  CHECK(rows[1].line == 2);
  CHECK(rows[2].line == 4);
  CHECK(rows[3].line == 6);
  CHECK(parse_csv("", "text").empty());
  CHECK(parse_csv(",", "text").at(0).fields.size() == 2);
  CHECK_THROWS_AS(parse_csv("\"a\"b", "text"), Error);
  CHECK_THROWS_AS(parse_csv("\"a", "text"), Error);
}
