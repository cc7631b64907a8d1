// What the commands write: text for a terminal, and whole files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace glyphward::daemon {

// Ill-formed bytes as U+FFFD, and control characters too, which could steer a terminal; line breaks
// stay.
std::string printable(std::string_view text);

// The same, line breaks as spaces.
std::string printable_line(std::string_view text);

// Takes the place of what is there. Throws CommandError naming the file: Usage where it cannot be
// opened, Found where the writing fails.
void write_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace glyphward::daemon
