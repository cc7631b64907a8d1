// A CLIP tokenizer and its text model, opened together.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/config_error.h"
#include "model/networks/device.h"
#include "model/networks/text_encoders/clip_text_model.h"
#include "model/networks/text_encoders/on_demand.h"
#include "model/tokenizers/clip_tokenizer.h"

namespace glyphward::model {

// Model: ClipTextModel or ClipTextModelWithProjection.
template <typename Model>
class ClipEncoder {
 public:
  // Throws ConfigError, also where the tokenizer makes more tokens than the model has places for.
  ClipEncoder(const std::filesystem::path& checkpoint, const std::string& tokenizer_folder,
              const std::string& model_folder, const Target& target)
      : tokenizer_(ClipTokenizer::load(checkpoint / tokenizer_folder)),
        model_(checkpoint / model_folder, Weights::open(checkpoint / model_folder, "model"),
               target) {
    if (tokenizer_->model_max_length() <= model_->max_position_embeddings()) return;
    throw ConfigError(
        checkpoint / tokenizer_folder / "tokenizer_config.json", 0, "model_max_length",
        "expected at most the text encoder's " + std::to_string(model_->max_position_embeddings()) +
            " positions, found " + std::to_string(tokenizer_->model_max_length()));
  }

  // Of one text: the batch is 1.
  ClipTextOutput encode(const std::string& text) const {
    const std::vector<std::int64_t> ids = tokenizer_->encode(text);
    return (*model_)(torch::tensor(ids, torch::kInt64).unsqueeze(0));
  }
  const ClipTokenizer& tokenizer() const { return *tokenizer_; }
  const Model& model() const { return *model_; }
  void leave_device() const { model_.leave_device(); }

 private:
  std::unique_ptr<const ClipTokenizer> tokenizer_;
  OnDemand<Model> model_;
};

}  // namespace glyphward::model
