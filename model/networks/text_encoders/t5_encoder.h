// T5's tokenizer and its encoder, opened together.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/config_error.h"
#include "model/networks/device.h"
#include "model/networks/text_encoders/on_demand.h"
#include "model/networks/text_encoders/t5_encoder_model.h"
#include "model/tokenizers/t5_tokenizer.h"

namespace glyphward::model {

class T5Encoder {
 public:
  // Throws ConfigError, also where the tokenizer has more pieces than the model has embeddings.
  T5Encoder(const std::filesystem::path& checkpoint, const std::string& tokenizer_folder,
            const std::string& model_folder, const Target& target)
      : tokenizer_(T5Tokenizer::load(checkpoint / tokenizer_folder)),
        model_(checkpoint / model_folder, Weights::open(checkpoint / model_folder, "model"),
               target) {
    if (tokenizer_->vocab_size() <= model_->vocab_size()) return;
    throw ConfigError(checkpoint / model_folder / "config.json", 0, "vocab_size",
                      "expected at least the tokenizer's " +
                          std::to_string(tokenizer_->vocab_size()) + ", found " +
                          std::to_string(model_->vocab_size()));
  }

  // [1, length, d_model]. With `mask` the text does not see the padding behind it.
  torch::Tensor encode(const std::string& text, int length, bool mask) const {
    const T5Tokens tokens = tokenizer_->encode(text, length);
    return (*model_)(torch::tensor(tokens.ids, torch::kInt64).unsqueeze(0),
                     mask ? static_cast<std::int64_t>(tokens.count) : length);
  }
  const T5Tokenizer& tokenizer() const { return *tokenizer_; }
  const T5EncoderModel& model() const { return *model_; }
  void leave_device() const { model_.leave_device(); }

 private:
  std::unique_ptr<const T5Tokenizer> tokenizer_;
  OnDemand<T5EncoderModel> model_;
};

}  // namespace glyphward::model
