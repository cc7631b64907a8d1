// A program of the operator's choice that reads pictures: what the guard reads with must not alone
// judge what the guard let out.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/image.h"

namespace glyphward::daemon {

// What one reader sees in a picture.
struct TextSeen {
  std::vector<std::string> texts = {};         // the guard's reader has several ways to read
  std::vector<std::array<int, 4>> boxes = {};  // of the text: x0, y0, x1, y1
  bool tells_boxes = false;                    // no box then means: no text found
};
using SeenByReader = std::map<std::string, TextSeen>;

// Runs the program for as long as this lives; one thread at a time. The program is given the names
// of PNG files, a line each, on its standard input, and answers each with a line of JSON:
//   {"text": "...", "boxes": [[x0, y0, x1, y1], ...]}       one reader, called "second" here
//   {"NAME": {"text": "...", "boxes": [...]}, ...}           several
// Boxes may be left out.
class SecondReader {
 public:
  // `command`: the program, sought in PATH, and its arguments, separated by spaces; "..." holds one
  // together that has spaces itself. No shell sees it. Throws std::runtime_error if it does not
  // start. From here on the process ignores SIGPIPE: a program that dies is an error of read().
  explicit SecondReader(const std::string& command);
  ~SecondReader();

  // Throws std::runtime_error, naming the command, if it ends or answers otherwise.
  SeenByReader read(const model::Image& image);

 private:
  struct Child;
  std::string command_;
  std::unique_ptr<Child> child_;
};

}  // namespace glyphward::daemon
