// Reads pictures with the guard's OCR, for tests written in Python:
//   glyphward_read_pictures FILE.png...
// writes a line of JSON for each: {"file", "best", "passes": ["..."]}.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "guard/reading/ocr.h"
#include "model/image.h"

int main(int argc, char** argv) {
  try {
    const auto ocr = glyphward::guard::Ocr::open();
    for (int i = 1; i < argc; ++i) {
      std::ifstream in(argv[i], std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      const glyphward::guard::Reading reading = ocr->read(glyphward::model::decode_png(bytes));
      boost::json::array passes;
      for (const glyphward::guard::Pass& pass : reading.passes) passes.emplace_back(pass.text());
      std::cout << boost::json::serialize(boost::json::object{
                       {"file", argv[i]}, {"best", reading.best}, {"passes", std::move(passes)}})
                << "\n";
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
