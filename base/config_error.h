// ConfigError: bad configuration, policy, lexicon or checkpoint. Thrown while loading; main()
// prints what() and exits.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace glyphward {

class ConfigError : public std::runtime_error {
 public:
  // what() reads "FILE:LINE: FIELD: MESSAGE"; line 0 and an empty field are left out. The message
  // says what was expected and what was found.
  ConfigError(const std::filesystem::path& file, int line, const std::string& field,
              const std::string& message)
      : std::runtime_error(
            file.string() +
            (line > 0 ? std::string(1, ':').append(std::to_string(line)) : std::string()) + ": " +
            (field.empty() ? "" : field + ": ") + message) {}
};

}  // namespace glyphward
