// What the binary carries of its source tree (cmake/Embed.cmake).
#pragma once

namespace twinage {

extern const char* const kCommit;         // that it was built from, "-dirty" where files differed
extern const char* const kPublishedText;  // docs/published/figures.toml
extern const char* const kReportStyle;    // tools/report/page.css
extern const char* const kReportScript;   // tools/report/page.js

}  // namespace twinage
