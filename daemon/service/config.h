// What glyphwardd runs with: a TOML file, and flags that win over it. docs/man/glyphwardd.8
// explains each key.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

namespace glyphward::daemon {

// Everything that a client controls is bounded.
struct Limits {
  int queue_size_max = 16;    // jobs that wait for the model; one more is answered 429 at once
  int connections_max = 256;  // on each socket; one more is answered 503 at once
  std::size_t header_bytes_max = std::size_t{16} * 1024;
  std::size_t body_bytes_max = std::size_t{1024} * 1024;
  std::chrono::milliseconds idle_timeout{60'000};    // between two requests on a connection
  std::chrono::milliseconds header_timeout{10'000};  // from the first byte to the end of the header
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds deadline{600'000};      // of a request, waiting in the queue included
  std::chrono::milliseconds drain_grace{30'000};    // after SIGTERM, for what was accepted
  std::chrono::milliseconds worker_stall{120'000};  // without a step or a picture read: not alive
};

struct Config {
  std::filesystem::path socket = "/run/glyphward/glyphward.sock";
  std::filesystem::path admin_socket;  // empty: socket with ".admin" appended
  unsigned socket_mode = 0660;         // the admin socket's is always 0600
  // Empty: STATE_DIRECTORY (systemd sets it), else /var/lib/glyphward.
  std::filesystem::path state_dir;
  std::filesystem::path model;   // empty: the bundled model
  std::filesystem::path policy;  // empty: the default policy
  bool watch_policy = true;      // reload when one of the policy's files changes
  std::string device = "cpu";
  std::string dtype = "float32";
  bool vae_tiling = false;
  bool offload_text_encoders = false;
  std::string ocr_languages = "eng";
  std::string log_level = "info";
  Limits limits;
};

// Throws ConfigError naming file, line and key, on an unknown key too. Relative paths are relative
// to the file.
Config load_config(const std::filesystem::path& file);

// Fills in what was left empty. Throws ConfigError if the data files are not found.
void fill_defaults(Config& config);

}  // namespace glyphward::daemon
