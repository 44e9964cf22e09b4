// A report as one HTML file that needs no network: style, script, charts and pictures are in it.
#pragma once
#include <string>
#include <string_view>

#include "tools/report/figure.h"

namespace twinage {

// How each page begins: a file that begins otherwise was not written by Twinage.
inline constexpr std::string_view kPageStart =
    "<!DOCTYPE html>\n<html lang=\"en\"><!-- twinage -->";

// Throws UsageError where somebody's file would be overwritten, Error where nothing can be written.
void require_page_writable(const std::string& path, std::string_view command);

struct PageOptions {
  // Of a page that is served while training: its content is fetched anew from here every so often.
  // Empty: a page that stays as it is.
  std::string refresh_url = {};
  double refresh_seconds = 5;
  std::string stop_token = {};  // of a page that may stop the training
};

std::string to_page(const Report& report, const PageOptions& options = {});
// What lies in the page's <main>: the part that changes while training.
std::string to_main(const Report& report);

}  // namespace twinage
