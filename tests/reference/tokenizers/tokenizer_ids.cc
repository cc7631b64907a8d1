// The C++ side of tokenizer_test.py: reads a JSON array of prompts from standard input and writes,
// for each, a line
// {"ids": [...], "tokens": n, "bytes_kept": n}.   usage: tokenizer_ids TOKENIZER_FOLDER
// [BERT_WINDOW]
#include <boost/json.hpp>
#include <exception>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "model/tokenizers/bert_tokenizer.h"
#include "model/tokenizers/clip_tokenizer.h"

int main(int argc, char** argv) {
  namespace json = boost::json;
  if (argc != 2 && argc != 3) {
    std::cerr << "usage: tokenizer_ids TOKENIZER_FOLDER [BERT_WINDOW]\n";
    return 2;
  }
  try {
    std::unique_ptr<const glyphward::model::Tokenizer> tokenizer;
    if (argc == 3) {
      tokenizer = glyphward::model::BertTokenizer::load(argv[1], std::stoi(argv[2]));
    } else {
      tokenizer = glyphward::model::ClipTokenizer::load(argv[1]);
    }
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    const json::value prompts = json::parse(input);
    for (const json::value& value : prompts.as_array()) {
      const json::string& prompt = value.as_string();
      const auto fit = tokenizer->fit(prompt);
      json::object line;
      line["ids"] = json::value_from(tokenizer->encode(prompt));
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
