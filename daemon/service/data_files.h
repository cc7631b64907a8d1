// Where the files are that come with the program: the bundled model, the default policy, its
// lexicons.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace glyphward::daemon {

// GLYPHWARD_DATA_DIR if it is set; else share/glyphward beside the executable's bin/, as installed;
// else the source tree that this was built from. Throws ConfigError if the files are in none of
// them.
std::filesystem::path data_dir();

std::filesystem::path bundled_model();
std::filesystem::path default_policy();
// The given lists; without any, the default lexicon and its allow list.
std::vector<std::filesystem::path> lexicon_files(const std::vector<std::string>& given);

// The folder of the audit log for a run without a daemon: XDG_STATE_HOME/glyphward, else
// ~/.local/state/glyphward.
std::filesystem::path user_state_dir();

}  // namespace glyphward::daemon
