// Text on its way to a terminal.
#pragma once

#include <string>
#include <string_view>

namespace glyphward::daemon {

// Ill-formed bytes as U+FFFD, and control characters too, which could steer a terminal; line breaks
// stay.
std::string printable(std::string_view text);

}  // namespace glyphward::daemon
