// What the pipelines of all families do alike for one request: settings, scheduler, noise, the
// request's texts, guidance, and the pictures in the end. Each pipeline keeps its own loop of
// denoising steps and calls these. Internal to model/.
#pragma once

#include <torch/types.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/networks/autoencoder_kl.h"
#include "model/networks/device.h"
#include "model/networks/layers.h"
#include "model/pipeline.h"
#include "model/route.h"
#include "model/schedulers/scheduler.h"

namespace glyphward::model {

Error invalid_request(std::string message, std::string param);
// A stop was requested.
Error cancelled();

// ---- Settings, scheduler, noise ----------------------------------------------------------------

// What a request's GenerationSettings come to with the model's defaults filled in.
struct ResolvedSettings {
  int steps = 0;
  double guidance_scale = 0;
  int height = 0;
  int width = 0;
  bool guided() const { return guidance_scale > 1; }
};
// InvalidRequest naming the field.
Result<ResolvedSettings> resolve_settings(const GenerationRequest& request, const ModelInfo& info);

// The checkpoint's scheduler, made anew for each request.
class SchedulerSource {
 public:
  // Throws ConfigError on a scheduler that is not implemented.
  SchedulerSource(const std::filesystem::path& checkpoint, SchedulerCorrections corrections);
  // Ready for its first step. InvalidRequest if the class that the request names, or the number of
  // steps, cannot be.
  Result<std::unique_ptr<Scheduler>> make(const GenerationRequest& request, int steps) const;

 private:
  std::filesystem::path file_;
  boost::json::object config_;
  SchedulerCorrections corrections_;
};

// Image i comes from its own generator on the CPU, in the dtype of the prompt's embedding. `shape`
// is one image's, less the batch: [C, H, W] -> [B, C, H, W] on the target's device.
torch::Tensor draw_noise(const std::vector<std::uint64_t>& seeds,
                         const std::vector<std::int64_t>& shape, const Target& target);

// ---- Texts -------------------------------------------------------------------------------------

// Stands for the text that guidance leads away from, where an index of a request's stream would.
constexpr std::size_t kUncondStream = static_cast<std::size_t>(-1);

// One text's tensors, [1, ...] each -> [uncond x images, cond x images]; cond alone where `uncond`
// is undefined.
torch::Tensor guidance_batch(const torch::Tensor& uncond, const torch::Tensor& cond,
                             std::size_t images);

// A request's texts as a family's encoders make them, each encoded once, when it is first asked
// for. Encoders has encode(text) and encode_nothing(), for a request without a negative prompt.
template <typename Encoders>
class TextCache {
 public:
  using Text =
      std::decay_t<decltype(std::declval<const Encoders&>().encode(std::declval<std::string>()))>;

  TextCache(const Encoders& encoders, const GenerationRequest& request)
      : encoders_(encoders), request_(request) {}

  // `stream` is an index of the request's streams, or kUncondStream. The reference stays valid.
  const Text& of(std::size_t stream) {
    const auto [it, added] = texts_.try_emplace(stream);
    if (!added) return it->second;
    if (stream != kUncondStream) {
      it->second = encoders_.encode(request_.streams[stream].text);
    } else {
      it->second = request_.negative_prompt ? encoders_.encode(*request_.negative_prompt)
                                            : encoders_.encode_nothing();
    }
    return it->second;
  }

  // All that the plan will ask for, so that the encoders are needed no more.
  void encode_all(const RoutePlan& plan, bool guided) {
    for (const std::size_t stream : plan.streams_in_use()) of(stream);
    of(plan.pooled());
    if (guided) of(kUncondStream);
  }

  std::size_t images() const { return request_.seeds.size(); }

 private:
  const Encoders& encoders_;
  const GenerationRequest& request_;
  std::map<std::size_t, Text> texts_;
};

// What a cross-attention network's layers read: key and value of a layer and a stream are made
// once and kept, since they do not depend on the step.
class KeyValueCache {
 public:
  using Make = std::function<KeyValue(std::size_t layer, std::size_t stream)>;
  KeyValueCache(std::size_t layers, std::size_t images, bool guided, Make make);

  // Of every layer, for the batch [uncond x images, cond x images], or cond alone. Only the
  // conditional half is routed: `stream_of` a layer says what it reads there.
  std::vector<KeyValue> batch(const std::function<std::size_t(std::size_t layer)>& stream_of);

 private:
  const KeyValue& key_value(std::size_t layer, std::size_t stream);

  std::size_t layers_;
  std::size_t images_;
  bool guided_;
  Make make_;
  std::map<std::pair<std::size_t, std::size_t>, KeyValue> kept_;
};

// ---- Guidance ----------------------------------------------------------------------------------

// Classifier-free guidance (arXiv 2207.12598): the network sees each sample twice, [uncond x
// images, cond x images], and the two predictions become one, u + w (c - u). At w = 1 neither
// happens.
torch::Tensor guidance_input(const torch::Tensor& sample, double guidance_scale);
torch::Tensor guided_prediction(const torch::Tensor& prediction, double guidance_scale);

// ---- Pictures ----------------------------------------------------------------------------------

// A checkpoint's autoencoder. Where the rest is in float16 and its config says that it overflows
// there (force_upcast), it is in float32.
class LatentDecoder {
 public:
  // Throws ConfigError.
  LatentDecoder(const std::filesystem::path& folder, const Target& target, bool tiling);

  // [B, C, h, w] as the denoiser left them -> [B, 3, H, W], about -1 to 1.
  torch::Tensor operator()(const torch::Tensor& latents) const;
  const AutoencoderKL& vae() const { return *vae_; }

 private:
  torch::Dtype dtype_;
  bool tiling_;
  std::unique_ptr<const AutoencoderKL> vae_;
};

// What the request asked for, of the sample after the last step: latents, or, without a decoder,
// the picture itself, -1 to 1. Internal if its numbers are not finite: there is no picture then.
Result<Generation> to_generation(const GenerationRequest& request, const ModelInfo& info,
                                 const torch::Tensor& sample, const LatentDecoder* decoder);

}  // namespace glyphward::model
