// IMDB-WIKI (Rothe et al. 2015): 523,051 pictures of celebrities, with lists imdb.mat and wiki.mat
// or CSV files exported from them. Its genders are the other way round: 0 female, 1 male.
#pragma once
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>

#include "train/faces/face_dataset.h"

namespace twinage {

// A row of the lists, under their names. NaN: absent.
struct ImdbWikiRow {
  std::string full_path;
  double dob = NAN;          // Matlab's datenum: days, 1 is the first of January of the year 0
  double photo_taken = NAN;  // a year
  double gender = NAN;       // 0 female, 1 male
  double face_score = NAN;   // of the detector; -infinity: no face was found
  double second_face_score = NAN;
  std::string person;  // name, or celeb_id
};

// Whole years on the first of July of the year in which the photograph was taken; the day is not
// known, and the middle of the year is what the set's authors take. Returns why there is none.
Reason read_age_of_photo(float& age, double dob, double photo_taken);

// Age, gender and person of a row, or why it cannot be used: no face was found, more than one was,
// or there is no age. Only these are set.
Reason read_imdb_wiki_row(Face& face, const ImdbWikiRow& row);

// Adds what a CSV's text names to dataset.faces and dataset.skipped. The header names full_path,
// dob, photo_taken, face_score and second_face_score, and if they are there gender, name, celeb_id;
// dob as a datenum or as 1981-05-31, an empty field or nan for what is absent. Throws Error when
// the header lacks one or the text is no CSV.
void read_imdb_wiki_csv(FaceDataset& dataset, std::string_view text,
                        const std::filesystem::path& path);

// The same of imdb.mat or wiki.mat, by libmatio. Throws Error when it is no such file, and where
// this program was built without libmatio.
void read_imdb_wiki_mat(FaceDataset& dataset, const std::filesystem::path& path);
bool can_read_mat();  // whether libmatio is in this program

// Adds a row's face or the reason why it is none. `where` is list:row.
void add_imdb_wiki_row(FaceDataset& dataset, const ImdbWikiRow& row,
                       const std::filesystem::path& folder, const std::string& where);

}  // namespace twinage
