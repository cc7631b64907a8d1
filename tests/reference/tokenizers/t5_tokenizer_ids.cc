// The C++ side of t5_tokenizer_test.py: reads a JSON array of prompts from standard input and
// writes, for each, a line {"ids": [...], "count": n, "tokens": n, "bytes_kept": n}, or {"error"}.
// usage: t5_tokenizer_ids TOKENIZER_FOLDER LENGTH
#include <boost/json.hpp>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "model/tokenizers/t5_tokenizer.h"

int main(int argc, char** argv) {
  namespace json = boost::json;
  if (argc != 3) {
    std::cerr << "usage: t5_tokenizer_ids TOKENIZER_FOLDER LENGTH\n";
    return 2;
  }
  try {
    const std::size_t length = std::stoul(argv[2]);
    const auto tokenizer = glyphward::model::T5Tokenizer::load(argv[1]);
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    const json::value prompts = json::parse(input);
    for (const json::value& value : prompts.as_array()) {
      const json::string& prompt = value.as_string();
      const auto tokens = tokenizer->encode(prompt, length);
      const auto fit = tokenizer->fit(prompt, length);
      json::object line;
      line["ids"] = json::value_from(tokens.ids);
      line["count"] = tokens.count;
      line["tokens"] = fit.tokens;
      line["bytes_kept"] = fit.bytes_kept;
      std::cout << json::serialize(line) << '\n';
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
