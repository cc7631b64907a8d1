// Text on its way to a terminal or into JSON.
#pragma once

#include <string>
#include <string_view>

namespace glyphward::daemon {

bool is_utf8(std::string_view text);

// Ill-formed bytes as U+FFFD.
std::string valid_utf8(std::string_view text);

// The same, and control characters too, which could steer a terminal; line breaks stay.
std::string printable(std::string_view text);

}  // namespace glyphward::daemon
