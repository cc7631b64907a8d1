// Boost.Filesystem would be a library more.
#define BOOST_PROCESS_USE_STD_FS

#include "daemon/cli/bench/second_reader.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>
#include <boost/process/search_path.hpp>
#include <csignal>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "daemon/cli/bench/temporary_folder.h"
#include "daemon/cli/models/contact_sheet.h"

namespace glyphward::daemon {
namespace {

namespace json = boost::json;
namespace process = boost::process;

std::vector<std::string> split(const std::string& command) {
  std::istringstream in(command);
  std::vector<std::string> words;
  for (std::string word; in >> std::quoted(word);) words.push_back(word);
  if (words.empty()) throw std::runtime_error("--second-reader: expected a program, found none");
  return words;
}

std::filesystem::path program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  auto found = process::search_path(name);
  if (found.empty()) throw std::runtime_error("--second-reader: no program " + name + " in PATH");
  return found;
}

TextSeen seen(const json::object& answer) {
  TextSeen result;
  result.texts.push_back(json::value_to<std::string>(answer.at("text")));
  if (const json::value* boxes = answer.if_contains("boxes")) {
    result.boxes = json::value_to<std::vector<std::array<int, 4>>>(*boxes);
    result.tells_boxes = true;
  }
  return result;
}

SeenByReader parse(const std::string& line) {
  const json::object answer = json::parse(line).as_object();
  if (answer.contains("text")) return {{"second", seen(answer)}};
  SeenByReader readers;
  for (const auto& [name, value] : answer) readers[name] = seen(value.as_object());
  if (readers.empty()) throw std::invalid_argument("no reader");
  return readers;
}

}  // namespace

struct SecondReader::Child {
  explicit Child(const std::vector<std::string>& words)
      : running(process::exe = program(words.at(0)).string(),
                process::args = std::vector<std::string>(words.begin() + 1, words.end()),
                process::std_in<input, process::std_out> output) {}

  TemporaryFolder folder;
  process::opstream input;
  process::ipstream output;
  process::child running;
};

SecondReader::SecondReader(const std::string& command) : command_(command) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words = split(command);
  try {
    child_ = std::make_unique<Child>(words);
  } catch (const process::process_error& error) {
    throw std::runtime_error(
        fmt::format("--second-reader: {} does not start: {}", words.at(0), error.code().message()));
  }
}

SecondReader::~SecondReader() {
  // The end of its input is its end; one that does not look there is told so.
  child_->input.pipe().close();
  child_->output.pipe().close();
  std::error_code ignored;
  ::kill(child_->running.id(), SIGTERM);
  child_->running.wait(ignored);
}

SeenByReader SecondReader::read(const model::Image& image) {
  const std::string file = (child_->folder.path() / "picture.png").string();
  write_png(image, file);
  std::string line;
  child_->input << file << std::endl;
  if (!std::getline(child_->output, line)) {
    throw std::runtime_error(fmt::format(
        "--second-reader: {}: ended before it had read a picture; try it by hand: echo FILE.png | "
        "{}",
        command_, command_));
  }
  try {
    return parse(line);
  } catch (const std::exception&) {
    throw std::runtime_error(
        fmt::format(R"(--second-reader: {}: expected a line {{"text", "boxes"}} or {{"READER": )"
                    R"({{"text", "boxes"}}, ...}}, found {})",
                    command_, line.substr(0, 200)));
  }
}

}  // namespace glyphward::daemon
