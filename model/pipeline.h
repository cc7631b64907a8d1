// Text to image: what the rest of the program knows of a model.
//
// Layer routing is the one intervention mechanism. A request holds named text streams; its route
// says which stream each cross-attention layer reads. Plain generation, prevention, prompt swap,
// localization and editing are all routes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/image.h"

namespace glyphward::model {

// A text that layers can read. Names are unique within a request.
struct TextStream {
  std::string name;  // "prompt", "sanitized"
  std::string text;
};

// `layer` reads `stream` instead of the route's base, from denoising step `from_step` (0-based) on.
struct LayerRoute {
  std::string layer;  // diffusers path: "up_blocks.1.attentions.0.transformer_blocks.0.attn2"
  std::string stream;
  int from_step = 0;
};

// Joint attention (SD3): text states evolve with the picture, so the text that a layer reads
// instead has to be carried to that layer. How:
//   Paper   a second full generation of the other text from the same noise, with its own pooled
//           embedding and guidance; each routed layer reads the text keys and values that the same
//           layer had there at the same step. As published; twice the time.
//   Shared  at each step the other text once through the network with the main latents, up to the
//           last routed layer. About 1.2 times.
//   Side    the other text's tokens alone travel beside the main pass: they read the picture's keys
//           and values and change nothing but what the routed layers read. A few per cent.
// In all three the other text is modulated by its own pooled embedding, the picture by the route's.
// Cross-attention models ignore it.
enum class JointMode { Paper, Shared, Side };

// Only the conditional half of classifier-free guidance is routed.
struct Route {
  std::string base = "prompt";  // the stream that all layers read which are not listed
  std::vector<LayerRoute> layers;
  std::string pooled = "prompt";  // whose pooled embedding conditions the network (SDXL, IF, SD3)
  JointMode joint_mode = JointMode::Side;  // the cheapest that holds: docs/JOINT-ATTENTION.md
};

// How a picture is drawn, as a request may say it: HTTP, the command line, guard and pipeline pass
// it on. What is not given comes from glyphward.json beside the checkpoint, then from diffusers'
// defaults for the class.
struct GenerationSettings {
  std::optional<int> num_inference_steps;
  std::optional<double> guidance_scale;  // 1 turns guidance off; below 1 is refused
  std::optional<int> height;             // pixels, a multiple of size_multiple
  std::optional<int> width;
  std::string scheduler;  // a diffusers class name; empty: the checkpoint's own
};

struct GenerationRequest {
  std::vector<TextStream> streams;
  Route route;
  // Not given: what the family takes then, "" or (SDXL) an embedding of zeros.
  std::optional<std::string> negative_prompt;
  // Image i is drawn from its own CPU generator, seeded seeds[i], as diffusers does for a list of
  // generators.
  std::vector<std::uint64_t> seeds = {0};
  GenerationSettings settings;
  bool keep_tensors = false;  // fill Generation::latents and ::image
};

struct Generation {
  std::vector<Image> images;
  std::optional<FloatTensor> latents;  // [B, C, H/8, W/8] after the last step, unscaled
  std::optional<FloatTensor> image;    // [B, 3, H, W], 0 to 1, before rounding
};

// How a prompt fits the text encoder's window.
struct PromptFit {
  int tokens = 0;      // special tokens included
  int tokens_max = 0;  // the window
  // Bytes of the prompt that the window still holds, counted in whole words; prompt.size() if it
  // fits.
  std::size_t bytes_kept = 0;
};

struct ModelInfo {
  std::string name;    // the checkpoint folder's name
  std::string family;  // "stable-diffusion", "stable-diffusion-xl", "latent-diffusion"
  // Every routable layer, in forward order (down, mid, up).
  std::vector<std::string> attention_layers;
  // The layers that carry the rendered text on these very weights; empty if there is no profile or
  // its hash differs.
  std::vector<std::string> localized_layers;
  // Those of the published model of this family and shape, whatever the weights: a proposal that
  // `glyphward localize --check` confirms, and that nothing uses before.
  std::vector<std::string> proposed_layers;
  // Share of the denoising steps before those layers are given another text (model/profile.h).
  double localized_from_share = 0;
  std::string profile_state;   // "localized", "none", or "mismatch: ..." with the reason
  std::string weights_sha256;  // over the names, shapes and bytes of all cross-attention tensors
  int num_inference_steps = 50;
  double guidance_scale = 7.5;
  int height = 512;
  int width = 512;
  int size_multiple = 8;
  std::string device;
  std::string dtype;
};

// Called after every denoising step; step counts from 1.
using Progress = std::function<void(int step, int steps)>;

// One loaded model. Not thread-safe: one thread owns it.
class Pipeline {
 public:
  virtual ~Pipeline() = default;
  virtual const ModelInfo& info() const = 0;
  virtual PromptFit fit(std::string_view prompt) const = 0;  // thread-safe
  // InvalidRequest (with param) for what a client can mend; Cancelled within one step of stop being
  // requested. Throws what LibTorch throws otherwise.
  virtual Result<Generation> generate(const GenerationRequest& request, std::stop_token stop,
                                      const Progress& progress = {}) = 0;
};

struct LoadOptions {
  std::string device = "cpu";     // "cpu", "cuda", "cuda:1"
  std::string dtype = "float32";  // one of kDtypes (model/dtypes.h)
  // Pictures larger than the autoencoder's sample_size are decoded in overlapping tiles that fade
  // into each other, as diffusers' enable_vae_tiling() does: a tile's memory instead of the
  // picture's, at the price of slight differences. Nothing for DeepFloyd IF, which has none.
  bool vae_tiling = false;
  // The text encoders leave the device once a request's texts are encoded, and come back from their
  // files for the next one: the memory of the largest part, at the price of reading it anew.
  bool offload_text_encoders = false;
};

// Opens a diffusers checkpoint folder as it stands. Throws ConfigError naming file, key, expected
// and found.
std::unique_ptr<Pipeline> load_pipeline(const std::filesystem::path& checkpoint,
                                        const LoadOptions& options = {});

}  // namespace glyphward::model
